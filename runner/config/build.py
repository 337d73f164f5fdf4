"""Config sections that name one of several things: ``name`` plus its own parameters.

``optimizer: {name: adam, learning_rate: 0.01}`` becomes ``Adam(learning_rate=0.01)``. What can be
named is what is registered, so a config from a stranger can run nothing.
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
"""What a section of its own names; a loss is named by training.loss."""
REGISTRIES: tuple[Registry[Any], ...] = (*SECTIONS.values(), LOSSES)


def build(registry: Registry[Built], node: Mapping[str, Any]) -> Built:
    """Return what a section names, built of the section's other keys.

    Raises ConfigError, its message beginning with the section and the key, for an unknown name,
    an unknown parameter, or a value that is refused.
    """
    parameters = {key: value for key, value in node.items() if key != "name"}
    with naming(registry.kind):
        return registry.build(node["name"], parameters)


@contextmanager
def naming(kind: str) -> Iterator[None]:
    """Let a ValueError that begins with a parameter's name become a ConfigError that begins with
    the section, too."""
    try:
        yield
    except ValueError as error:
        text = str(error)
        refusal = ConfigError(text if text.startswith(f"{kind} ") else f"{kind}.{text}")
        refusal.caret = getattr(error, "caret", "")
        raise refusal from None
