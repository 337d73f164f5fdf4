"""The types in a summary.json, so that who reads one may rely on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Check = Callable[[Any, str], None]


def check_shape(summary: dict[str, Any]) -> None:
    """Raise ValueError, which names the key, for a value of another type than we write.

    What is missing on the outside is left to those who need it.
    """
    _SUMMARY(summary, "")


def _is(words: str, *types: type) -> Check:
    def check(value: Any, key: str) -> None:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise ValueError(f"{key} must be {words}, got {value!r:.50}")

    return check


def _optional(inner: Check) -> Check:
    return lambda value, key: None if value is None else inner(value, key)


def _section(needed: tuple[str, ...] = (), **known: Check) -> Check:
    def check(value: Any, key: str) -> None:
        _MAPPING(value, key)
        for name, inner in known.items():
            if name in value:
                inner(value[name], f"{key}.{name}".lstrip("."))
            elif name in needed:
                raise ValueError(f"{key} lacks {name!r}")

    return check


def _each(inner: Check, container: type) -> Check:
    def check(value: Any, key: str) -> None:
        (_LIST if container is list else _MAPPING)(value, key)
        items = value.items() if container is dict else enumerate(value)
        for name, item in items:
            inner(item, f"{key}.{name}")

    return check


_MAPPING, _LIST, _TEXT = _is("a section", dict), _is("a list", list), _is("a text", str)
_WHOLE, _NUMBER = _is("a whole number", int), _is("a number", int, float)
_METRICS = _each(_optional(_NUMBER), dict)
_ESTIMATE = _section(
    (), **dict.fromkeys(("centre", "low", "high", "n"), _optional(_NUMBER)), how=_optional(_TEXT)
)
_LAYER = _section(("units", "of"), units=_NUMBER, of=_NUMBER, since=_optional(_NUMBER))
_REPLICATE = _section(
    seed=_WHOLE,
    status=_TEXT,
    epochs=_WHOLE,
    diverged_epoch=_optional(_WHOLE),
    solved_epoch=_optional(_WHOLE),
    final=_METRICS,
    best=_METRICS,
    dead=_each(_LAYER, list),
)
_SUMMARY = _section(
    digest=_TEXT,
    command=_TEXT,
    activation=_TEXT,
    dataset=_TEXT,
    replicates=_each(_REPLICATE, list),
    together=_each(_each(_ESTIMATE, dict), dict),
    seconds=_METRICS,
    versions=_each(_TEXT, dict),
    fingerprint=_each(_optional(_TEXT), dict),
)
