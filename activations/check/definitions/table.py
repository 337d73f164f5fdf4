"""The table of definitions: what each elementwise activation is, in mpmath.

An entry is added with ``define(name, value, slope, limits, ...)``. Value and slope are functions
of an mpmath number and the numerical parameters; they are written from the textbook, not from
the library's stable form. Digits that a textbook form cancels are bought back by evaluating with
more of them (activations/check/accuracy.py). Where the function has a root besides 0 they return
the terms that cancel there, as a tuple: an error counts in ULP of the largest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from mpmath import mpf

import activations
from activations.check.definitions.elementary import INF

Terms = Any
"""An mpmath number, or a tuple of those that add up to it."""

Limits = Sequence[Any]
"""f(-inf), f(inf), f'(-inf), f'(inf); None where there is no limit."""

Parameters = dict[str, Any]


@dataclass(frozen=True)
class Range:
    """Legal values from ``low`` to ``high``, drawn log-uniformly over sizes down to ``least``."""

    low: float
    high: float
    least: float = 1e-8

    def draw(self, rng: np.random.Generator, count: int) -> list[float]:
        """Return edges, signs, 0, 1 and numbers of every size, ``count`` in all."""
        largest = max(abs(self.low), abs(self.high))
        edges = [self.low, self.high, 0.0, -0.0, 1.0, -1.0, self.least, -self.least]
        pool = [v for v in dict.fromkeys(edges) if self.legal(v)]
        while len(pool) < count:
            wide = rng.random() < 0.4
            span = (self.least, largest) if wide else (max(0.05, self.least), min(20.0, largest))
            size = math.exp(rng.uniform(math.log(span[0]), math.log(span[1])))
            value = math.copysign(size, rng.random() - 0.3)
            pool += [v for v in (value, -value) if self.legal(v)][:1]
        return list(rng.permutation(pool[:count]))

    def legal(self, value: float) -> bool:
        return self.low <= value <= self.high


ANY = Range(-1e30, 1e30)
NOT_NEGATIVE = Range(0, 1e30)
POSITIVE = Range(1e-30, 1e30, 1e-30)


def declared_ranges(name: str) -> dict[str, Range]:
    """Return what the class of that name allows its numerical parameters to be."""
    found: dict[str, Range] = {}
    for key, parameter in activations.get_class(name).declared.items():
        if parameter.check is None:
            least = parameter.minimum
            low = found[least].low if isinstance(least, str) else least
            found[key] = Range(low, parameter.maximum, low if low > 0 else 1e-8)
    return found


@dataclass(frozen=True)
class Definition:
    """One function over all values of its numerical parameters, each of which has a range.

    legal: which combinations of them are allowed.
    scales: lengths on the x-axis at which the function bends.
    branches: where the implementation may change its formula; looked at from both sides.
    reach: the largest |x| where digits are promised; beyond, only that nothing is NaN.
    why: the reason, where less than 4 and 8 ULP at every float is promised.
    hard: points where a search of millions once found errors beyond the bounds.
    skip: x that are left out, because the exact function jumps or ends beside them.
    learned: df/dp for each learnable parameter.
    fixed: what other arguments make it learnable.
    """

    name: str
    value: Callable[..., Terms]
    slope: Callable[..., Terms]
    limits: Callable[..., Limits]
    branches: Callable[..., Sequence[float]]
    reach: Callable[..., float]
    ranges: dict[str, Range]
    legal: Callable[..., bool] = lambda **_: True
    scales: Callable[..., Sequence[float]] = lambda **_: ()
    skip: Callable[..., Any] = lambda x, **_: False
    hard: tuple[float, ...] = ()
    learned: dict[str, Callable[..., Terms]] = field(default_factory=dict)
    fixed: Parameters = field(default_factory=dict)
    why: str = ""

    def draws(self, count: int) -> Iterator[dict[str, float]]:
        """Yield legal parameters: a Latin square of each parameter's edges and sizes."""
        rng = np.random.default_rng(sum(map(ord, self.name)))
        columns = {name: limits.draw(rng, count) for name, limits in self.ranges.items()}
        for row in zip(*columns.values(), strict=True):
            parameters = dict(zip(columns, map(float, row), strict=True))
            if self.legal(**parameters):
                yield parameters


@dataclass(frozen=True)
class Reference:
    """One activation with one choice of parameters, the rest at their defaults.

    value_ulp, derivative_ulp: the bounds, with ``why`` if they are not 4 and 8.
    """

    definition: Definition
    parameters: Parameters
    value_ulp: float = 4
    derivative_ulp: float = 8

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def label(self) -> str:
        arguments = ",".join(f"{k}={v}" for k, v in self.parameters.items())
        return f"{self.name}({arguments})" if arguments else self.name

    @cached_property
    def activation(self) -> activations.Activation:
        return activations.get(self.name, **self.parameters)

    @cached_property
    def numbers(self) -> Parameters:
        """The numerical parameters, given or default."""
        found = self.activation.hyperparameters
        return {name: found[name] for name in self.definition.ranges}

    @property
    def limits(self) -> Limits:
        return self.definition.limits(**self.numbers)

    @property
    def special(self) -> tuple[float, ...]:
        """Kinks and branch points."""
        return (*self.activation.kinks, *self.definition.branches(**self.numbers))

    @property
    def reach(self) -> float:
        return self.definition.reach(**self.numbers)

    @property
    def looser(self) -> bool:
        """Whether less is promised than 4 and 8 ULP at every float."""
        return self.value_ulp > 4 or self.derivative_ulp > 8 or self.reach < INF

    def value_at(self, x: mpf) -> Terms:
        return self.definition.value(x, **self._exact)

    def derivative_at(self, x: mpf) -> Terms:
        return self.definition.slope(x, **self._exact)

    @cached_property
    def _exact(self) -> Parameters:
        return {k: v if v is None else mpf(v) for k, v in self.numbers.items()}


DEFINITIONS: list[Definition] = []
REFERENCES: list[Reference] = []


def define(
    name: str,
    value: Callable[..., Terms],
    slope: Callable[..., Terms],
    limits: Limits | Callable[..., Limits],
    *,
    ranges: dict[str, Range] | None = None,
    at: Sequence[Parameters] = ({},),
    branches: Sequence[float] | Callable[..., Sequence[float]] = (),
    reach: float | Callable[..., float] = INF,
    ulp: tuple[float, float] = (4, 8),
    **rest: Any,
) -> None:
    """Add a definition, and a reference for each choice of parameters ``at`` which all is tested.

    What depends on no parameter may be given as it is. The ranges are those that the class
    declares, if not given.
    """
    ranges = declared_ranges(name) if ranges is None else ranges
    definition = Definition(
        name, value, slope, _function(limits), _function(branches), _function(reach), ranges, **rest
    )
    DEFINITIONS.append(definition)
    REFERENCES.extend(Reference(definition, parameters, *ulp) for parameters in at)


def _function(part: Any) -> Callable[..., Any]:
    return part if callable(part) else lambda **_: part


def inverse(*values: float) -> tuple[float, ...]:
    """Return 1 / |v| of each that is not 0."""
    return tuple(1 / abs(v) for v in values if abs(v) > 1e-300)
