"""The search space of ``hydra/sweeper=optuna``: Optuna's distributions from Hydra's syntax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, RangeSweep, Transformer
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from runner.config.overrides import Word, read
from runner.system.terminal import ConfigError

Space = dict[str, BaseDistribution]

DIGITS = 4
"""A drawn float is rounded to this many significant digits. More digits hardly change the loss, and
make the command harder to read."""


def space_of(words: Sequence[Word]) -> Space:
    """Return the distribution of each override with several values. Raises ConfigError.

    ``choice(a,b)`` and ``a,b`` are categorical. ``interval(low,high)`` is uniform,
    ``int(interval(low,high))`` uniform over integers, and ``tag(log,interval(low,high))`` uniform
    in the logarithm. ``range(start,stop,step)`` is uniform over its values.
    """
    return {word.key: _distribution(word) for word in words if word.is_axis}


def _distribution(word: Word) -> BaseDistribution:
    value: Any = word.value
    try:
        if isinstance(value, IntervalSweep):
            kind: Any = IntDistribution if isinstance(value.start, int) else FloatDistribution
            found: BaseDistribution = kind(value.start, value.end, log="log" in value.tags)
            return found
        if isinstance(value, RangeSweep) and not value.shuffle:
            return _stepped(value)
        if isinstance(value, (ChoiceSweep, RangeSweep)):
            texts = list(word.override.sweep_iterator(transformer=Transformer.encode))
            return CategoricalDistribution([_choice(text) for text in texts])
    except (ValueError, TypeError, OverflowError) as error:
        raise ConfigError(f"{word} cannot be searched: {error}") from None
    raise ConfigError(f"{word} cannot be searched; write {word.key}=a,b or interval(low,high)")


def _stepped(value: RangeSweep) -> BaseDistribution:
    """Return a range's distribution. Hydra's ``stop`` is exclusive, Optuna's ``high`` is not."""
    start, stop, step = (Decimal(str(part)) for part in (value.start, value.stop, value.step))
    count = -((Fraction(start) - Fraction(stop)) // Fraction(step)) if step else 0
    if count <= 0:
        raise ValueError("the range is empty")
    ends = sorted((start, start + (count - 1) * step))
    if all(isinstance(part, int) for part in (value.start, value.stop, value.step)):
        return IntDistribution(int(ends[0]), int(ends[1]), step=abs(int(step)))
    return FloatDistribution(float(ends[0]), float(ends[1]), step=float(abs(step)))


def _choice(value: Any) -> Any:
    if not isinstance(value, (str, int, float, bool, type(None))):
        return str(value)
    return value


def as_words(space: Space, parameters: Mapping[str, Any]) -> list[Word]:
    """Return a trial's parameters as overrides."""
    return read([f"{key}={_text(space[key], parameters[key])}" for key in space])


def _text(distribution: BaseDistribution, value: Any) -> str:
    if isinstance(distribution, FloatDistribution):
        rounded = float(f"{value:.{DIGITS}g}")
        inside = distribution.low <= rounded <= distribution.high
        return repr(rounded if inside and distribution.step is None else value)
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def corners(space: Space) -> list[dict[str, Any]]:
    """Return parameters that contain both ends of every interval and every choice.

    They are checked before the first trial, so that invalid values are refused then.
    """
    first = {key: _ends(one)[0] for key, one in space.items()}
    found = [first]
    for key, one in space.items():
        found += [{**first, key: end} for end in _ends(one)[1:]]
    return found


def _ends(distribution: BaseDistribution) -> list[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    assert isinstance(distribution, (IntDistribution, FloatDistribution))
    return [distribution.low, distribution.high]
