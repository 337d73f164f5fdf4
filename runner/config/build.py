"""Config sections that name one of several things: ``name`` plus its own parameters.

``optimizer: {name: adam, learning_rate: 0.01}`` becomes ``Adam(learning_rate=0.01)``. The
table of names is the library's own, so a config from a stranger can run nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from activations.arguments import close_names, closest
from runner.system.terminal import ConfigError

T = TypeVar("T")


def build(section: str, table: Mapping[str, Callable[..., T]], node: Any) -> T:
    """Return ``table[node["name"]](**rest)``.

    Raises ConfigError, its message beginning with ``section.key``, for a missing or unknown
    name, an unknown parameter, or a value that the constructor refuses.
    """
    if not isinstance(node, Mapping) or "name" not in node:
        raise ConfigError(
            f"{section} must name its choice, e.g. {section}={next(iter(table))}; got {node!r}"
        )
    name = node["name"]
    if not isinstance(name, str) or name not in table:
        raise ConfigError(f"{section}.name={name!r} is unknown; {closest(name, table)}")
    constructor = table[name]
    allowed = list(inspect.signature(constructor).parameters)
    arguments = {key: value for key, value in node.items() if key != "name"}
    for key in arguments:
        if key not in allowed:
            raise ConfigError(
                f"{section}.{key} is unknown: {section} {name} takes "
                f"{', '.join(allowed) or 'no parameters'}"
                + (f"; {closest(key, allowed)}" if close_names(key, allowed) else "")
            )
    try:
        return constructor(**arguments)
    except ValueError as error:
        refusal = ConfigError(f"{section}.{error}")
        refusal.caret = getattr(error, "caret", "")
        raise refusal from None
