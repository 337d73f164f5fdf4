"""The table of definitions of all elementwise activations, in mpmath.

``define(name, value, slope, limits, ...)`` adds an entry. Value and slope are functions of an
mpmath number and of the numerical parameters. They are the textbook formulas, not the stable forms
of ``functions/``; if they cancel, they are evaluated with more digits (check/accuracy.py). If the
function has a root other than 0, they return the terms that cancel there as a tuple, and the error
is measured in ULP of the largest term.
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
"""An mpmath number, or a tuple of mpmath numbers whose sum it is."""

Limits = Sequence[Any]
"""f(-inf), f(inf), f'(-inf), f'(inf); None where there is no limit."""

Parameters = dict[str, Any]


@dataclass(frozen=True)
class Range:
    """Allowed values, ``low`` to ``high``; random sizes are log-uniform from ``least`` on."""

    low: float
    high: float
    least: float = 1e-8

    def draw(self, rng: np.random.Generator, count: int) -> list[float]:
        """Return ``count`` values: the ends, 0, 1, both signs, and random numbers of all sizes."""
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
    """Return the ranges of the numerical parameters that the class of that name declares."""
    found: dict[str, Range] = {}
    for key, parameter in activations.get_class(name).declared.items():
        if parameter.check is None:
            least = parameter.minimum
            low = found[least].low if isinstance(least, str) else least
            found[key] = Range(low, parameter.maximum, low if low > 0 else 1e-8)
    return found


@dataclass(frozen=True)
class Definition:
    """One function for all values of its numerical parameters.

    Attributes:
        value, slope, limits: f, f' and their limits, as functions of the parameters.
        branches: x where the implementation may change its formula; both sides are tested.
        reach: the largest |x| with a bound on the error; beyond it, results are only not NaN.
        ranges: the range of each parameter.
        legal: whether a combination of parameters is allowed.
        scales: lengths on the x-axis over which the function bends.
        skip: x that are not tested, because the exact function jumps or ends near them.
        hard: x where a search over millions of points once found errors beyond the bounds.
        learned: df/dp for each learnable parameter.
        fixed: further arguments that make the parameters learnable.
        why: the reason, if the error may exceed 4 or 8 ULP at some floats.
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
        """Yield allowed combinations of parameters, each value of ``Range.draw`` in one of them."""
        rng = np.random.default_rng(sum(map(ord, self.name)))
        columns = {name: limits.draw(rng, count) for name, limits in self.ranges.items()}
        for row in zip(*columns.values(), strict=True):
            parameters = dict(zip(columns, map(float, row), strict=True))
            if self.legal(**parameters):
                yield parameters


@dataclass(frozen=True)
class Reference:
    """One activation with one choice of parameters; the others have their defaults.

    value_ulp and derivative_ulp are the bounds. If they are not 4 and 8, the definition's ``why``
    has the reason.
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
        """The values of the numerical parameters, including defaults."""
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
        """Whether the bounds are looser than 4 and 8 ULP at all floats."""
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
    """Add a definition, and a reference for each choice of parameters in ``at``.

    limits, branches and reach are functions of the parameters, or plain values if they do not
    depend on them. Without ``ranges``, the class's declared ranges are used.
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
    """Return 1 / |v| for each value that is not 0."""
    return tuple(1 / abs(v) for v in values if abs(v) > 1e-300)
