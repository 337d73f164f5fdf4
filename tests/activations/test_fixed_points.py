"""The fixed points that the check prints are those of the definitions in arbitrary precision."""

from __future__ import annotations

import math
from collections.abc import Iterator

import mpmath
import numpy as np
import pytest

import activations
from activations import Elementwise
from activations.check.definitions import REFERENCES, Reference
from activations.check.fixed_points import REACH, fixed_points, fixed_points_text

EPS = np.finfo(np.float64).eps


@pytest.fixture(autouse=True)
def digits() -> Iterator[None]:
    with mpmath.workprec(200):
        yield


def gap(entry: Reference, x: float) -> float:
    """Return (f(x) - x) / |x|, with a single rounding error."""
    terms = entry.value_at(mpmath.mpf(x))
    value = mpmath.fsum(terms) if isinstance(terms, tuple) else terms
    return float((value - x) / (abs(x) or 1))


def tells(size: float) -> bool:
    return abs(size) > 8 * EPS


@pytest.mark.parametrize("entry", REFERENCES, ids=lambda entry: entry.label)
def test_fixed_points_are_true_and_none_is_missing(entry: Reference) -> None:
    points, intervals = fixed_points(entry.activation)
    assert len(fixed_points_text(entry.activation)) < 150
    for x in points:
        near = [gap(entry, x + side * (1e-8 + 1e-8 * abs(x))) for side in (-1, 1)]
        assert not tells(gap(entry, x)) or near[0] * near[1] < 0, x
    for low, high in intervals:
        ends = max(low, -1e200), min(high, 1e200)
        inside = [*np.linspace(*np.clip(ends, -REACH, REACH), 9), *ends]
        assert max(abs(gap(entry, x)) for x in inside) < 32 * EPS, (low, high)
        outside = (low - 1e-3, high + 1e-3)
        assert all(tells(gap(entry, x)) for x in outside if math.isfinite(x)), (low, high)
    known = sorted([*points, *(end for interval in intervals for end in interval)])
    x = np.linspace(-REACH + 0.01, REACH - 0.02, 160)
    gaps = [gap(entry, at) for at in x.tolist()]
    for k in range(len(x) - 1):
        if gaps[k] * gaps[k + 1] < 0 and tells(gaps[k]) and tells(gaps[k + 1]):
            jump = jumps(entry, x[k], x[k + 1])
            assert jump or any(x[k] <= at <= x[k + 1] for at in known), (x[k], x[k + 1])


def jumps(entry: Reference, low: float, high: float) -> bool:
    """Return whether the sign changes by a jump and not at a root."""
    rises = gap(entry, high) > 0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if (gap(entry, middle) > 0) == rises else (middle, high)
    return abs(gap(entry, low)) > 1e-6


class Touching(Elementwise):
    """f touches y = x between two grid points, and crosses it between two others."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x + np.square(x - np.pi) * (x + 1.00001)

    def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        raise NotImplementedError


def test_a_point_where_the_function_only_touches_the_diagonal_is_found() -> None:
    points, intervals = fixed_points(Touching())
    assert points == pytest.approx([-1.00001, np.pi], abs=1e-7) and not intervals


def test_an_interval_goes_on_beyond_the_grid_only_where_the_function_does() -> None:
    assert fixed_points(activations.get("clip", high=100)) == ([], [(0, REACH)])
    assert fixed_points(activations.get("relu")) == ([], [(0, math.inf)])
