"""The table of references: what each elementwise activation is, as a definition in mpmath.

An entry is added with ``reference(name, value, derivative, limits, ...)``. Value and
derivative are functions of an mpmath number and the hyper-parameters; they are written from
the definition, not from the library's stable form. Digits that the definition cancels are
bought back by evaluating with more of them (activations/check/accuracy.py), so plain forms do.
Where the function has a root besides 0 they return the terms that cancel there, as a tuple: an
error counts in ULP of the largest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import mpmath
from mpmath import mpf

INF = float("inf")
Terms = Any
"""An mpmath number, or a tuple of those that add up to it."""


def exp(x: mpf) -> mpf:
    """e^x; its argument stops at +-200,000, where every float has long been 0 or inf."""
    return mpmath.exp(min(max(x, mpf(-200_000)), mpf(200_000)))


def sigmoid(x: mpf) -> mpf:
    return 1 / (1 + exp(-x))


def normal_cdf(x: mpf) -> mpf:
    return mpmath.erfc(-_within_reach(x) / mpmath.sqrt(2)) / 2


def normal_pdf(x: mpf) -> mpf:
    return exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)


def _within_reach(x: mpf) -> mpf:
    """Beyond 600 the normal distribution's tail is below e^-180,000."""
    return min(max(x, mpf(-600)), mpf(600))


@dataclass(frozen=True)
class Reference:
    """One activation with one choice of hyper-parameters.

    limits: f(-inf), f(inf), f'(-inf), f'(inf); None where there is no limit.
    kinks: {x: f'(x)}, tested exactly.
    branches: points where the implementation may change its formula; looked at from both sides.
    hard: points where a search of millions once found errors beyond the bounds.
    value_ulp, derivative_ulp: the bounds, with ``why`` if they are not 4 and 8.
    reach: the largest |x| where digits are promised; beyond, only that nothing is NaN.
    """

    name: str
    value: Callable[..., Terms]
    derivative: Callable[..., Terms]
    limits: tuple[float | None, float | None, float | None, float | None]
    parameters: dict[str, Any] = field(default_factory=dict)
    kinks: dict[float, float] = field(default_factory=dict)
    branches: tuple[float, ...] = ()
    hard: tuple[float, ...] = ()
    value_ulp: float = 4
    derivative_ulp: float = 8
    reach: float = INF
    why: str = ""

    @property
    def label(self) -> str:
        arguments = ",".join(f"{k}={v}" for k, v in self.parameters.items())
        return f"{self.name}({arguments})" if arguments else self.name

    def value_at(self, x: mpf) -> Terms:
        return self.value(x, **{k: _exact(v) for k, v in self.parameters.items()})

    def derivative_at(self, x: mpf) -> Terms:
        return self.derivative(x, **{k: _exact(v) for k, v in self.parameters.items()})


def _exact(value: Any) -> Any:
    return mpf(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


REFERENCES: list[Reference] = []


def reference(
    name: str,
    value: Callable[..., Terms],
    derivative: Callable[..., Terms],
    limits: tuple[float | None, float | None, float | None, float | None],
    **rest: Any,
) -> None:
    """Add an entry; ``parameters`` must name every argument that value takes besides x."""
    REFERENCES.append(Reference(name, value, derivative, limits, **rest))
