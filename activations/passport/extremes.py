"""Supremum and infimum of a function over all floats: value, place, and whether it is attained.

The function is evaluated on a grid from the smallest to the largest floats, denser where it or its
derivative changes fast. The largest values on the grid are then refined to the last digits by
bisection of the derivative's sign. An unknown derivative is approximated by differences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from activations.base import Array
from activations.check.gradient import STEP, differences

Function = Callable[[Array], Array]

FARTHEST = 1e300
FAR = 1e10
"""If the largest value is at |x| > FAR, the function is unbounded or approaches a limit."""
NEAR = 40.0
"""For |x| <= NEAR the grid has equal steps, and fast changes are searched for."""
MOST_CANDIDATES = 8
HUGE = 1e12
"""A refined value above it at |x| <= NEAR counts as a pole."""


@dataclass(frozen=True)
class Extreme:
    """A supremum or infimum.

    Attributes:
        value: infinite if the function is unbounded.
        kind: "point" if it is attained at ``low``, "interval" if it is attained from ``low`` to
            ``high``, "limit" if it is the limit for x -> ``low``, "unbounded" if the function is
            unbounded for x -> ``low``.
        low, high: where it is; equal unless it is an interval.
        others: whether the same holds at other places; ``low`` is the one nearest to 0.
    """

    value: float
    kind: str
    low: float
    high: float
    others: bool = False


def grid(kinks: tuple[float, ...] = ()) -> Array:
    """Return points of all sizes and both signs, with each kink and the floats next to it."""
    sizes = [
        np.geomspace(1e-300, 1e-9, 300),
        np.geomspace(1e-9, NEAR, 1500),
        np.geomspace(NEAR, FARTHEST, 1500),
        np.linspace(0, NEAR, 16_001),
    ]
    positive = np.concatenate(sizes)
    at = np.array(kinks, np.float64)
    beside = [np.nextafter(at, -np.inf), at, np.nextafter(at, np.inf)]
    return np.unique(np.concatenate([positive, -positive, *beside]))


def largest(
    x: Array,
    y: Array,
    function: Function,
    derivative: Function | None,
    kinks: tuple[float, ...] = (),
) -> Extreme:
    """Return the supremum of a function with values y at the sorted x; NaN is left out.

    ``derivative`` is the exact derivative, or None if it is unknown.
    """
    known = ~np.isnan(y)
    x, y = x[known], y[known]
    if not y.size:
        return Extreme(np.nan, "unbounded", np.nan, np.nan)
    top = float(y.max())
    infinite = np.flatnonzero(y == np.inf)
    if infinite.size:
        first = float(x[infinite[np.abs(x[infinite]).argmin()]])
        return _unbounded(first if abs(first) <= NEAR else np.copysign(np.inf, first))
    inner = np.abs(x) < FAR
    highest = float(x[int(y.argmax())])
    if abs(highest) > FAR and (not inner.any() or top > 1.01 * np.abs(y[inner]).max()):
        return _unbounded(np.copysign(np.inf, highest))
    at_top = np.flatnonzero(y >= top - 4 * np.finfo(np.float64).eps * abs(top))
    runs = np.split(at_top, np.flatnonzero(np.diff(at_top) > 1) + 1)
    flat = [run for run in runs if len(run) > 3 or not np.isfinite(x[run]).all()]
    if flat:
        flat.sort(key=lambda run: float(np.abs(x[run]).min()))
        extremes = [_plateau(x, y, run, top, kinks) for run in flat]
        extremes.sort(key=lambda one: one.kind == "limit")  # attained extremes first
        best = extremes[0]
        others = [one for one in extremes[1:] if _is_another(one, best)]
        return replace(best, others=bool(others))
    found = [_refined(x, y, index, function, derivative) for index in _candidates(x, y, top)]
    top, place = max(found)
    if top > HUGE and abs(place) <= NEAR:
        return _unbounded(place)
    close = [at for value, at in found if value >= top - 1e-12 * max(1.0, abs(top))]
    nearest = min(map(abs, close)) * (1 + 1e-9) + 1e-12
    place = max(at for at in close if abs(at) <= nearest)  # of +-x the positive one
    return Extreme(top, "point", place, place, others=len(close) > 1)


def _is_another(one: Extreme, best: Extreme) -> bool:
    """Return whether ``one`` is of the same kind as ``best`` and at another place."""
    alike = (one.kind == "limit") == (best.kind == "limit")
    return alike and not np.isclose(one.low, best.low, rtol=1e-6, atol=1e-6)


def _unbounded(place: float) -> Extreme:
    return Extreme(np.inf, "unbounded", float(place), float(place))


def _plateau(x: Array, y: Array, run: Array, top: float, kinks: tuple[float, ...]) -> Extreme:
    """Return the extreme for a run of neighbouring points at which y = top.

    If a kink or a step ends the run, it is an interval. Otherwise it is one point or a limit at
    infinity, near which the values are equal by rounding.
    """
    first, last = int(run[0]), int(run[-1])
    low, high = float(x[first]), float(x[last])
    within = [
        k for k in kinks if np.nextafter(k, np.inf) >= low and np.nextafter(k, -np.inf) <= high
    ]
    beside = {float(np.nextafter(k, end)) for k in kinks for end in (-np.inf, np.inf)} | {*kinks}
    fades = [
        0 <= edge < len(x) and end not in beside and top - y[edge] < 1e-9 * _scale(x, y)
        for edge, end in ((first - 1, low), (last + 1, high))
    ]
    if low == -np.inf and high == np.inf:
        return Extreme(top, "interval", low, high)
    if np.isinf(low) or np.isinf(high):
        # A kink within the run: the constant part begins there; the rest is equal by rounding.
        if within:
            if np.isinf(low):
                return Extreme(top, "interval", low, max(within) if fades[1] else high)
            return Extreme(top, "interval", min(within) if fades[0] else low, high)
        end = low if np.isinf(low) else high
        if any(fades):
            return Extreme(top, "limit", end, end)
        return Extreme(top, "interval", low, high)
    if not any(fades):
        return Extreme(top, "interval", low, high)
    if not all(fades):
        place = high if fades[0] else low
    else:
        place = 0.0 if low < 0 < high else float(x[(first + last) // 2])
    return Extreme(top, "point", place, place)


def _scale(x: Array, y: Array) -> float:
    near = y[(np.abs(x) < NEAR) & np.isfinite(y)]
    return float(np.ptp(near)) or 1.0 if near.size else 1.0


def _candidates(x: Array, y: Array, top: float) -> list[int]:
    """Return the indices of the largest value and of local maxima that may exceed it in between.

    The local maxima nearest to 0 come first.
    """
    middle, left, right = y[1:-1], y[:-2], y[2:]
    with np.errstate(over="ignore", invalid="ignore"):
        local = (middle >= left) & (middle >= right)
        reach = middle + np.abs(left - 2 * middle + right)
        index = np.flatnonzero(local & (reach >= top)) + 1
    chosen = [int(y.argmax())]
    for one in index[np.argsort(np.abs(x[index]), kind="stable")].tolist():
        apart = np.abs(x[chosen] - x[one]) > 1e-3 * np.maximum(1e-6, np.abs(x[one]))
        if apart.all() and len(chosen) < MOST_CANDIDATES:
            chosen.append(one)
    return chosen


def _refined(
    x: Array, y: Array, index: int, function: Function, derivative: Function | None
) -> tuple[float, float]:
    """Return the largest value between the neighbours of a grid point, and its x."""
    low, high = float(x[max(index - 1, 0)]), float(x[min(index + 1, len(x) - 1)])
    best = (float(y[index]), float(x[index]))
    slope = derivative or _by_differences(function, (high - low) / 4)
    with np.errstate(all="ignore"):
        if not (slope(np.array(low)) > 0 > slope(np.array(high))):
            return best
        for _ in range(70):
            middle = (low + high) / 2
            if slope(np.array(middle)) > 0:
                low = middle
            else:
                high = middle
        root = (low + high) / 2
        value = float(function(np.array(root)))
    return (value, root) if value >= best[0] - 1e-15 * abs(best[0]) else best


def _by_differences(function: Function, width: float) -> Function:
    """Return the derivative times a positive factor, by differences."""

    def slope(at: Array) -> Array:
        return differences(lambda t: function(at + t * (width / STEP)))[0]

    return slope
