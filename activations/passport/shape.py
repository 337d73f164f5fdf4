"""The shape of an elementwise function over all floats: range, slopes, kinks, jumps, symmetry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from activations.base import Array, Elementwise
from activations.passport.extremes import NEAR, Extreme, grid, largest

SYMMETRY = 1e-12
"""Of max(1, |f|): so near f(-x) must be to what it is compared with."""
HALVINGS = 70
"""Of an interval in which f or f' changes fast, until it is between two neighbouring floats."""
MOST_STEEP = 400
"""Intervals that are halved at once; a function with more oscillates too fast for it."""
STEEP = 0.05
"""A change from one point to the next of this share of the whole is fast."""


@dataclass(frozen=True)
class Kink:
    """Where f or a derivative of it jumps: values and slopes on the left, at x, on the right."""

    x: float
    values: tuple[float, float, float]
    slopes: tuple[float, float, float]

    @property
    def jumps(self) -> bool:
        """Whether f itself jumps."""
        return not _same(self.values[0], self.values[2])

    @property
    def bends(self) -> bool:
        """Whether f' jumps; if neither, a higher derivative does."""
        return not _same(self.slopes[0], self.slopes[2])


@dataclass(frozen=True)
class Shape:
    """What the function looks like.

    Attributes:
        lowest, highest: infimum and supremum of f.
        flattest, steepest: those of f', away from kinks.
        kinks: the declared ones, and others that were found.
        limits, slope_limits: f and f' at -inf and inf, NaN where there is no limit.
        undefined: the ends of where f is NaN, within [-40, 40].
        monotone: "increasing", "decreasing", "constant" or "".
        symmetry: "even", "odd", "odd about (0, f(0))" or "".
        surrogate: whether f' is a stand-in.
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
    """Return the shape of a function of one number, learnable parameters at initial values."""

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
    """Return the values at -inf and inf; where they are NaN, what they have settled at before."""
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
    """Return the grid with more points where f or f' changes fast, and the kinks found there."""
    low, high = _steep(activation, x)
    added = [x]
    for _ in range(HALVINGS):
        middle = low + (high - low) / 2  # of neighbouring floats it is one of the two
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
            differ &= np.abs(slope).max() * (after - before) < 1e-6  # else f turns between floats
        known = (*activation.kinks, *kinks)
        if differ and after not in known and before not in known:
            kinks.append(float(after) + 0.0)
    beside = [np.nextafter(kinks, end) for end in (-np.inf, np.inf)] if kinks else []
    return np.unique(np.concatenate([*added, kinks, *beside])), kinks


def _span(y: Array) -> float:
    finite = y[np.isfinite(y)]
    return float(np.ptp(finite)) or 1.0 if finite.size else 1.0


def _steep(activation: Elementwise, x: Array) -> tuple[Array, Array]:
    """Return the ends of the intervals in which f, beyond its slope, or f' changes fast."""
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
    """Return the first and last point of each run in which it holds."""
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
