"""The keys and types that a summary.json must have; code that reads one can rely on them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from runner.results.summary import METRICS


class Kind(NamedTuple):
    """A kind of value: its name in messages, and a function that checks a value."""

    words: str
    holds: Callable[[Any], bool]


def check_shape(summary: dict[str, Any]) -> None:
    """Raise ValueError, naming the key, if one is missing, has a wrong type or is out of range."""
    _check(summary, SUMMARY, "")


def _check(value: Any, shape: Any, key: str) -> None:
    """``shape`` is a Kind, a list with the shape of every item, or a section's shapes by key."""
    kind = _SECTION if isinstance(shape, dict) else _LIST if isinstance(shape, list) else shape
    if not kind.holds(value):
        raise ValueError(f"{key.lstrip('.')} must be {kind.words}, got {value!r:.50}")
    if kind is _LIST:
        for number, item in enumerate(value):
            _check(item, shape[0], f"{key}.{number}")
    elif kind is _SECTION:
        for name in value if ANY in shape else shape:
            if name not in value:
                raise ValueError(f"{key.lstrip('.') or 'it'} lacks {name!r}")
            _check(value[name], shape[ANY if ANY in shape else name], f"{key}.{name}")


def _number(words: str, types: tuple[Any, ...], least: float, most: float) -> Kind:
    def holds(value: Any) -> bool:  # False for nan
        return isinstance(value, types) and not isinstance(value, bool) and least <= value <= most

    return Kind(words, holds)


def _optional(kind: Kind) -> Kind:
    return Kind(f"{kind.words} or null", lambda value: value is None or kind.holds(value))


def _one_of(*names: str) -> Kind:
    return Kind(f"one of {', '.join(names)}", lambda value: value in names)


ANY = "*"
"""In the shape of a section: stands for every key."""
_LARGEST = sys.float_info.max
_SECTION = Kind("a section", lambda value: isinstance(value, dict))
_LIST = Kind("a list", lambda value: isinstance(value, list))
_TEXT = Kind("a text", lambda value: isinstance(value, str))
_FLAG = Kind("true or false", lambda value: isinstance(value, bool))
_COUNT = _number("a whole number from 0", (int,), 0, 2**53)
_NUMBER = _number("a finite number", (int, float), -_LARGEST, _LARGEST)
_FROM_0 = _number("a finite number from 0", (int, float), 0, _LARGEST)
_SHARE = _number("a number from 0 to 1", (int, float), 0, 1)

_METRICS = {name: _optional(_FROM_0 if "loss" in name else _SHARE) for name in METRICS}
_ESTIMATE = {
    **dict.fromkeys(("centre", "low", "high"), _optional(_NUMBER)),
    "n": _COUNT,
    "how": _optional(_TEXT),
}
_TOGETHER = dict.fromkeys(_METRICS, _ESTIMATE)

SUMMARY = {
    "digest": _TEXT,
    "command": _TEXT,
    "activation": _TEXT,
    "dataset": _TEXT,
    "parameters": _COUNT,
    "initializer": {"text": _TEXT},
    "replicates": [
        {
            "seed": _COUNT,
            "status": _one_of("finished", "stopped_early", "diverged"),
            "epochs": _COUNT,
            "diverged_epoch": _optional(_COUNT),
            "solved_epoch": _optional(_COUNT),
            "final": _METRICS,
            "best": {"epoch": _optional(_COUNT), **_METRICS},
            "dead": [{"units": _COUNT, "of": _COUNT, "since": _optional(_COUNT)}],
        }
    ],
    "together": {"final": _TOGETHER, "best": _TOGETHER},
    "diagnosis": [{"code": _TEXT, "reason": _TEXT, "text": _TEXT, "shown": _FLAG}],
    "seconds": {"total": _FROM_0, "training": _FROM_0},
    "versions": {ANY: _TEXT},
    "fingerprint": {ANY: _optional(_TEXT)},
    "files": {ANY: _TEXT},
}
