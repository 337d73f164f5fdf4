"""Config sections that name one of several things: ``name`` plus its own parameters.

``optimizer: {name: adam, learning_rate: 0.01}`` becomes ``Adam(learning_rate=0.01)``. The
table of names is the library's own, so a config from a stranger can run nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from activations.base import close_names

T = TypeVar("T")


class ConfigError(ValueError):
    """A setting is wrong; the message is one line that names its key and what is allowed.

    Attributes:
        caret: where a formula is wrong, its text and a caret under the place; else empty.
    """

    caret: str = ""


MOST_SHOWN = 20
WELL_KNOWN = ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softplus")
"""Shown of the activations, which are too many for one line."""


def closest(word: object, known: Iterable[str]) -> str:
    """Return a hint for a wrong name: the close ones if there are any, else all or some."""
    known = list(known)
    close = close_names(word, known)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if len(known) > MOST_SHOWN:
        shown = [name for name in WELL_KNOWN if name in known] or known[: len(WELL_KNOWN)]
        more = len(known) - len(shown)
        return f"known: {', '.join(shown)} and {more} more; python -m runner --help lists them"
    return f"known: {', '.join(known)}" if known else "it takes none"


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


def whole_number(name: str, value: Any, *, minimum: int, maximum: int = 2**31) -> int:
    """Return a setting as an int within its range; raises ValueError naming it."""
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
        raise ValueError(
            f"{name} must be a whole number from {minimum} to {maximum}, got {value!r:.60}"
        )
    return value


def one_of(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Return a setting that must be one of a few words; raises ValueError naming it."""
    allowed = list(allowed)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
    return value
