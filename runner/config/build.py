"""Build what a config section names: ``optimizer: {name: adam, learning_rate: 0.01}`` becomes
``Adam(learning_rate=0.01)``.

Only registered names are allowed, so an untrusted config cannot run code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from activations.base import ACTIVATIONS
from activations.registry import Registry
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
