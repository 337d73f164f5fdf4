"""Build what a config section names: ``optimizer: {name: adam, learning_rate: 0.01}`` becomes
``Adam(learning_rate=0.01)``.

Only registered names are allowed, so an untrusted config cannot run code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import numpy as np

from activations.base import ACTIVATIONS
from activations.registry import REQUIRED, Registry
from runner.data.shapes import DATASETS
from runner.network.initializers import INITIALIZERS
from runner.network.losses import LOSSES
from runner.network.optimizers import OPTIMIZERS
from runner.network.schedules import SCHEDULES
from runner.system.terminal import ConfigError

Built = TypeVar("Built")

SECTIONS: dict[str, Registry[Any]] = {
    registry.kind: registry
    for registry in (ACTIVATIONS, DATASETS, OPTIMIZERS, SCHEDULES, INITIALIZERS)
}
"""The kinds that have a config section. The loss is chosen by training.loss."""
REGISTRIES: tuple[Registry[Any], ...] = (*SECTIONS.values(), LOSSES)


def defaults(registry: Registry[Any], name: str) -> dict[str, Any]:
    """Return the defaults that a config can hold, by parameter: numbers, text, null, and lists and
    mappings of them. Any other default, such as a function, stays in the constructor.

    Raises ValueError for an unknown name.
    """
    found = {}
    for key, default in registry.parameters(name).items():
        if default is not REQUIRED:
            with suppress(TypeError):
                found[key] = _plain(default)
    return found


def _plain(value: Any) -> Any:
    """Return a value as a config holds it. Raises TypeError if it cannot."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(item) for key, item in value.items()}
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"{value!r:.50} is not a plain value")


def complete(registry: Registry[Any], node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a section with the default of each parameter that it does not set, so that two
    sections that build the same thing are equal. A section with an unknown name is returned as it
    is."""
    name = node["name"]
    missing = defaults(registry, name) if name in registry else {}
    return {**node, **{key: value for key, value in missing.items() if key not in node}}


def build(registry: Registry[Built], node: Mapping[str, Any]) -> Built:
    """Build what a section names, with the section's other keys as parameters.

    Raises ConfigError for an unknown name, an unknown parameter or an invalid value; the message
    begins with section and key.
    """
    parameters = {key: value for key, value in node.items() if key != "name"}
    with naming(registry.kind):
        return registry.build(node["name"], parameters)


@contextmanager
def naming(kind: str) -> Iterator[None]:
    """Turn a ValueError into a ConfigError, with the section before the parameter's name."""
    try:
        yield
    except ValueError as error:
        text = str(error)
        refusal = ConfigError(text if text.startswith(f"{kind} ") else f"{kind}.{text}")
        refusal.caret = getattr(error, "caret", "")
        raise refusal from None
