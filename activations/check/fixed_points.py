"""Fixed points f(x) = x: single points, and intervals where f(x) = x up to rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from activations.base import Elementwise

REACH = 20.0
"""The search is on [-REACH, REACH] with steps of 1/4000. An interval that reaches an end of it is
followed to 1e300."""

ROUNDING = 16 * np.finfo(np.float64).eps
"""If |f(x) - x| is below this share of |x|, the two are equal up to rounding, because f(x) may have
an error of several units in the last place."""

TINY = 1e-6
"""If an end of an interval is this close to a grid point, the grid point is reported. For elu,
e^x - 1 = x up to rounding for x > -7e-15 too, but the interval is reported from 0."""

NARROW = 3
"""Up to this many neighbouring points of the grid count as a single fixed point."""

MOST_POINTS = 13
"""Of more points, the text has only the number, the first and the last."""


def fixed_points(activation: Elementwise) -> tuple[list[float], list[tuple[float, float]]]:
    """Return the sorted fixed points and intervals; an end is infinite if there is no last float.

    At a point, f(x) - x changes its sign (without a jump) or touches 0. An interval, such as
    x >= 17 for mish, contains an x with f(x) = x exactly, or a change of sign.
    """

    def gap(x: Any) -> Any:
        with np.errstate(all="ignore"):
            return activation(x) - x

    def close(x: Any) -> Any:
        return np.abs(gap(x)) <= ROUNDING * np.abs(x)

    x = np.linspace(-REACH, REACH, 160_001)
    here = gap(x)
    same = np.abs(here) <= ROUNDING * np.abs(x)
    crosses = np.sign(here[1:]) * np.sign(here[:-1]) < 0
    points, intervals = [], []
    edges = np.diff(np.concatenate([[False], same, [False]]).astype(int))
    for start, stop in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        if not ((here[start:stop] == 0).any() or crosses[max(start - 1, 0) : stop].any()):
            continue
        if stop - start <= NARROW:
            points.append(float(x[start + np.abs(here[start:stop]).argmin()]))
            continue
        ends = []
        for inside, step in ((start, -1), (stop - 1, 1)):
            outside = inside + step
            if 0 <= outside < x.size:
                end = _boundary(close, x[inside], x[outside])
                ends.append(float(x[inside]) if abs(end - x[inside]) < TINY else end)
            else:
                far = step * np.geomspace(REACH, 1e300, 1000)
                ends.append(step * np.inf if close(far).all() else step * REACH)
        intervals.append((ends[0], ends[1]))
    for k in np.flatnonzero(crosses & ~same[1:] & ~same[:-1]):
        root = _root(gap, x[k], x[k + 1])
        if abs(gap(root)) < TINY:  # otherwise f jumps there
            points.append(root)
    size = np.abs(here)
    lowest = (size[1:-1] < size[:-2]) & (size[1:-1] < size[2:]) & ~crosses[1:] & ~crosses[:-1]
    bends = np.abs(here[2:] - 2 * here[1:-1] + here[:-2])
    for k in np.flatnonzero(lowest & ~same[1:-1] & (size[1:-1] <= bends)) + 1:
        low = _lowest(lambda at: np.abs(gap(at)), x[k - 1], x[k + 1])
        if close(low):
            points.append(low)
    return sorted(points), intervals


def fixed_points_text(activation: Elementwise) -> str:
    """Return the fixed points as text, for example "0, [17, inf) to rounding"."""
    points, intervals = fixed_points(activation)
    named = [f"{point:.7g}" for point in points]
    if len(named) > MOST_POINTS:
        named = [f"{len(named)} from {named[0]} to {named[-1]}"]
    for low, high in intervals:
        ends = (
            f"{'(' if low == -np.inf else '['}{low:.7g}, {high:.7g}{')' if high == np.inf else ']'}"
        )
        named.append(f"{ends} to rounding")
    return ", ".join(named) or f"none in [-{REACH:g}, {REACH:g}]"


def _boundary(holds: Callable[[float], Any], inside: float, outside: float) -> float:
    """Return by bisection the last point from ``inside`` towards ``outside`` where it holds."""
    for _ in range(60):
        middle = (inside + outside) / 2
        if holds(middle):
            inside = middle
        else:
            outside = middle
    return float(inside)


def _root(function: Callable[[float], Any], low: float, high: float) -> float:
    """Return the x in [low, high] where the sign changes, by bisection."""
    return _boundary(lambda at: function(at) * function(low) > 0, low, high)


def _lowest(function: Callable[[float], Any], low: float, high: float) -> float:
    """Return the minimum of a function that falls and then rises, by ternary search."""
    for _ in range(100):
        first, second = (2 * low + high) / 3, (low + 2 * high) / 3
        if function(first) < function(second):
            high = second
        else:
            low = first
    return float((low + high) / 2)
