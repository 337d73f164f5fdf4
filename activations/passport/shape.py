"""The shape of an elementwise function over all floats: range, slopes, kinks, symmetry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from activations.base import Array, Elementwise
from activations.passport.extremes import NEAR, Extreme, grid, largest

SYMMETRY = 1e-12
"""Tolerance for f(-x) = f(x) and f(-x) = -f(x), relative to max(1, |f|)."""
HALVINGS = 70
"""Bisections of an interval where f or f' changes fast, until its ends are neighbouring floats."""
MOST_STEEP = 400
"""Most intervals that are bisected; with more, those nearest to 0 are taken."""
STEEP = 0.05
"""A change of f' between neighbouring points is fast if it exceeds this share of its range."""


@dataclass(frozen=True)
class Kink:
    """An x where f or a derivative jumps; values and slopes to the left, at x, to the right."""

    x: float
    values: tuple[float, float, float]
    slopes: tuple[float, float, float]

    @property
    def jumps(self) -> bool:
        """Whether f itself jumps."""
        return not _same(self.values[0], self.values[2])

    @property
    def bends(self) -> bool:
        """Whether f' jumps; if neither f nor f' jumps, a higher derivative does."""
        return not _same(self.slopes[0], self.slopes[2])


@dataclass(frozen=True)
class Shape:
    """The shape of a function.

    Attributes:
        lowest, highest: infimum and supremum of f.
        flattest, steepest: infimum and supremum of f', without kinks.
        kinks: the declared kinks, and further ones that were found.
        limits, slope_limits: limits of f and f' at -inf and inf, NaN if there is none.
        undefined: the intervals within [-40, 40] where f is NaN.
        monotone: "increasing", "decreasing", "constant" or "".
        symmetry: "even", "odd", "odd about (0, f(0))" or "".
        surrogate: whether f' is a surrogate.
    """

    lowest: Extreme
    highest: Extreme
    flattest: Extreme
    steepest: Extreme
    kinks: tuple[Kink, ...]
    limits: tuple[float, float]
    slope_limits: tuple[float, float]
    undefined: tuple[tuple[float, float], ...]
    monotone: str
    symmetry: str
    surrogate: bool

    @property
    def lipschitz(self) -> float:
        """The smallest L with |f(a) - f(b)| <= L |a - b|; infinite if f jumps, NaN if unknown."""
        if any(kink.jumps for kink in self.kinks):
            return np.inf
        if self.surrogate:
            return np.nan
        return max(abs(self.flattest.value), abs(self.steepest.value))


def shape_of(activation: Elementwise) -> Shape:
    """Return the shape of a function, with learnable parameters at their initial values."""

    def value(x: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(activation(x))

    def slope(x: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(activation.gradient(x))

    declared = tuple(float(kink) for kink in activation.kinks)
    x, found = _refined(activation, grid(declared))
    x = np.concatenate([[-np.inf], x, [np.inf]])
    y, s = value(x), slope(x)
    at = tuple(sorted({*declared, *found}))
    kinks = tuple(_kink(activation, one) for one in at)
    away = ~np.isin(x, at)
    ends = _limits(x, y), _limits(x, s)
    inside = np.abs(x) <= NEAR
    return Shape(
        _turned(largest(x, -y, lambda t: -value(t), lambda t: -slope(t), at)),
        largest(x, y, value, slope, at),
        _turned(largest(x[away], -s[away], lambda t: -slope(t), None, at)),
        largest(x[away], s[away], slope, None, at),
        kinks,
        *ends,
        _intervals(x[inside], np.isnan(y[inside])),
        _monotone(y[1:-1]),
        _symmetry(x, y, float(value(np.array(0.0)))),
        activation.surrogate_derivative,
    )


def _limits(x: Array, y: Array) -> tuple[float, float]:
    """Return the limits at -inf and inf; if y is NaN there, the constant value at large |x|."""
    found = []
    for end, sign in ((0, -1), (-1, 1)):
        limit = float(y[end])
        far = y[(sign * x > 1e8) & (sign * x < 1e150)]
        if np.isnan(limit) and np.isfinite(far).all() and np.ptp(far) < 1e-7:
            limit = float(far[end])
        found.append(limit)
    return found[0], found[1]


def _turned(low: Extreme) -> Extreme:
    return Extreme(-low.value + 0.0, low.kind, low.low, low.high, low.others)


def _same(left: float, right: float) -> bool:
    return bool(np.isclose(left, right, rtol=1e-7, atol=1e-9, equal_nan=True))


def _kink(activation: Elementwise, at: float) -> Kink:
    x = np.array([np.nextafter(at, -np.inf), at, np.nextafter(at, np.inf)])
    with np.errstate(all="ignore"):
        y, slope = activation.value_and_gradient(x)
    (left, here, right), (before, there, after) = (y + 0.0).tolist(), (slope + 0.0).tolist()
    return Kink(at, (left, here, right), (before, there, after))


def _refined(activation: Elementwise, x: Array) -> tuple[Array, list[float]]:
    """Return the grid with additional points where f or f' changes fast, and the kinks found."""
    low, high = _steep(activation, x)
    added = [x]
    for _ in range(HALVINGS):
        middle = low + (high - low) / 2  # equals low or high if these are neighbouring floats
        if not ((low < middle) & (middle < high)).any():
            break
        added.append(middle)
        with np.errstate(all="ignore"):
            pair = activation.value_and_gradient(np.stack([low, middle, high]))
            y, slope = map(np.asarray, pair)
            change = np.abs(np.diff(y, axis=0)) / _span(y) + np.abs(np.diff(slope, axis=0))
        left = change[0] >= change[1]
        low, high = np.where(left, low, middle), np.where(left, middle, high)
    kinks: list[float] = []
    for before, after in zip(low, high, strict=True):
        with np.errstate(all="ignore"):
            y, slope = activation.value_and_gradient(np.array([before, after]))
            differ = np.isfinite([*y, *slope]).all() and not (_same(*y) and _same(*slope))
            # otherwise f is steep, and changes by its slope between neighbouring floats
            differ &= np.abs(slope).max() * (after - before) < 1e-6
        known = (*activation.kinks, *kinks)
        if differ and after not in known and before not in known:
            kinks.append(float(after) + 0.0)
    beside = [np.nextafter(kinks, end) for end in (-np.inf, np.inf)] if kinks else []
    return np.unique(np.concatenate([*added, kinks, *beside])), kinks


def _span(y: Array) -> float:
    finite = y[np.isfinite(y)]
    return float(np.ptp(finite)) or 1.0 if finite.size else 1.0


def _steep(activation: Elementwise, x: Array) -> tuple[Array, Array]:
    """Return the ends of intervals where f' changes fast, or f by more than f' explains."""
    x = x[np.abs(x) <= NEAR]
    with np.errstate(all="ignore"):
        y, slope = (np.asarray(a) for a in activation.value_and_gradient(x))
        step = np.diff(x)
        rise = np.abs(np.diff(y) - step * (slope[1:] + slope[:-1]) / 2)
        turn = np.abs(np.diff(slope))
        moderate = np.abs(slope) < 1e6
        fast = rise > 1e-4 * _span(y[np.abs(x) < 4])
        fast |= turn > STEEP * _span(slope[moderate & (np.abs(x) < 4)])
    index = np.flatnonzero(fast & (step > 0))
    if len(index) > MOST_STEEP:
        index = index[np.argsort(np.abs(x[index]), kind="stable")][:MOST_STEEP]
    return x[index], x[index + 1]


def _intervals(x: Array, holds: Array) -> tuple[tuple[float, float], ...]:
    """Return the first and the last point of each run of points where ``holds`` is true."""
    edges = np.diff(np.concatenate([[False], holds, [False]]).astype(int))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    pairs = zip(starts, stops, strict=True)
    return tuple((float(x[start]), float(x[stop])) for start, stop in pairs)


def _monotone(y: Array) -> str:
    y = y[np.isfinite(y)]
    if not y.size:
        return ""
    rounding = 16 * np.finfo(np.float64).eps * np.maximum(np.abs(y[1:]), np.abs(y[:-1]))
    rises, falls = bool((np.diff(y) > rounding).any()), bool((np.diff(y) < -rounding).any())
    words = {(True, False): "increasing", (False, True): "decreasing", (False, False): "constant"}
    return words.get((rises, falls), "")


def _symmetry(x: Array, y: Array, middle: float) -> str:
    inside = np.abs(x) <= NEAR
    x, y = x[inside], y[inside]
    both = np.isin(-x, x)
    x, y = x[both], y[both]
    mirrored = y[::-1]
    finite = np.isfinite(y)
    if not finite.any() or (finite != finite[::-1]).any():
        return ""
    y, mirrored = y[finite], mirrored[finite]
    allowed = SYMMETRY * np.maximum(1, np.abs(y))
    if (np.abs(y - mirrored) <= allowed).all():
        return "even"
    if (np.abs(y + mirrored) <= allowed).all():
        return "odd"
    if (np.abs(y + mirrored - 2 * middle) <= allowed).all():
        return f"odd about (0, {middle:.6g})"
    return ""
