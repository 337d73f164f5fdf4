"""The types and ranges in a summary.json, so that who reads one may rely on them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

Check = Callable[[Any, str], None]


def check_shape(summary: dict[str, Any]) -> None:
    """Raise ValueError, which names the key, for a value of a type or size that we never write.

    What is missing on the outside is left to those who need it.
    """
    _SUMMARY(summary, "")


def _is(words: str, *types: type) -> Check:
    def check(value: Any, key: str) -> None:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise ValueError(f"{key} must be {words}, got {value!r:.50}")

    return check


def _number(words: str, least: float, most: float, *types: type) -> Check:
    known = _is(words, *types)

    def check(value: Any, key: str) -> None:
        known(value, key)
        if not least <= value <= most:  # nor may it be nan
            raise ValueError(f"{key} must be {words}, got {value!r:.50}")

    return check


def _one_of(*names: str) -> Check:
    def check(value: Any, key: str) -> None:
        _TEXT(value, key)
        if value not in names:
            raise ValueError(f"{key} must be one of {', '.join(names)}; got {value!r:.50}")

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
_LARGEST = sys.float_info.max
_COUNT = _number("a whole number from 0", 0, 2**53, int)
_NUMBER = _number("a finite number", -_LARGEST, _LARGEST, int, float)
_FROM_0 = _number("a finite number from 0", 0, _LARGEST, int, float)
_SHARE = _number("a number from 0 to 1", 0, 1, int, float)
_SCORES = {
    f"{part}_{quantity}": _optional(check)
    for part in ("train", "validation", "test")
    for quantity, check in (("loss", _FROM_0), ("accuracy", _SHARE))
}
_METRICS = _section(tuple(_SCORES), epoch=_optional(_COUNT), **_SCORES)
_ESTIMATE = _section(
    (), **dict.fromkeys(("centre", "low", "high", "n"), _optional(_NUMBER)), how=_optional(_TEXT)
)
_LAYER = _section(("units", "of"), units=_COUNT, of=_COUNT, since=_optional(_COUNT))
_REPLICATE = _section(
    seed=_COUNT,
    status=_one_of("finished", "stopped_early", "diverged"),
    epochs=_COUNT,
    diverged_epoch=_optional(_COUNT),
    solved_epoch=_optional(_COUNT),
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
    seconds=_each(_FROM_0, dict),
    versions=_each(_TEXT, dict),
    fingerprint=_each(_optional(_TEXT), dict),
)
