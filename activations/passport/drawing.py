"""The content of a passport's picture, drawn by Matplotlib (PNG) or as SVG (web page)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from activations.base import Activation, Array, Elementwise
from activations.curves import POINTS, Curve, along, broken
from activations.passport.facts import Passport

REACH = 5.0
"""The picture shows -REACH <= x <= REACH, or less if f changes only in a small part of it."""
HIGHEST = 1.2 * REACH
MOST_TURNS = 24
"""Most changes of f' between rising and falling in one picture."""


@dataclass(frozen=True)
class Drawing:
    """Curves within limits, with gaps where they jump.

    Attributes:
        curves: from pale to dark.
        x, y: limits of the axes.
        marks: (x, y, which) of attained extremes; which is "f" or "slope".
        note: what the curves show, if not f and f' of one input.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    curves: tuple[Curve, ...]
    marks: tuple[tuple[float, float, str], ...]
    note: str


def draw(passport: Passport) -> Drawing:
    """Return the picture of f and f', with limits that show their features."""
    activation = passport.activation
    reach = _reach(activation)
    x = np.linspace(-reach, reach, POINTS)
    with np.errstate(all="ignore"):
        curves = along(activation, x)
    low, high = _limits(curves)
    cut = [Curve(x, broken(c.value, low, high), broken(c.slope, low, high)) for c in curves]
    note = "" if isinstance(activation, Elementwise) else _note(activation.inputs_per_output)
    return Drawing((-reach, reach), (low, high), tuple(cut), tuple(_marks(passport, reach)), note)


def _note(inputs_per_output: float) -> str:
    """Return a note on the curves of ``along`` for a function of several inputs."""
    if inputs_per_output < 1:
        return "two outputs: dark and pale"
    if inputs_per_output == 2:
        return "curves over a for b = -1, 1, 2, from pale to dark"
    return "first output for the row (x, 0, -1)"


def _reach(activation: Activation) -> float:
    if not isinstance(activation, Elementwise):
        return 4.0
    reach = REACH
    for _ in range(12):
        x = np.linspace(-reach, reach, POINTS)
        with np.errstate(all="ignore"):
            y, slope = activation(x), activation.gradient(x)
            turns = np.sign(np.diff(slope)) * np.isfinite(np.diff(slope))
            turns = turns[turns != 0]
            change = np.abs(np.diff(y))
            change[
                change > 8 * np.maximum(np.abs(slope[1:]), np.abs(slope[:-1])) * (x[1] - x[0])
            ] = 0
            inside = change[np.abs(x[1:]) < reach / 8].sum()
        small = 0 < change.sum() < np.inf and inside > 0.99 * change.sum()
        if (np.diff(turns) != 0).sum() <= MOST_TURNS and not small:
            break
        reach /= 2
    return reach


def _limits(curves: list[Curve]) -> tuple[float, float]:
    """Return y limits: the range of f within +-HIGHEST, extended for f' at most by that range."""
    value, slope = (
        np.concatenate([getattr(curve, part) for curve in curves]) for part in ("value", "slope")
    )
    value, slope = value[np.isfinite(value)], slope[np.isfinite(slope)]
    if not value.size:
        return -1.0, 1.0
    low, high = np.clip([value.min(), value.max()], -HIGHEST, HIGHEST).tolist()
    if slope.size:
        beyond = max(high - low, 1.0)
        low = min(low, max(float(slope.min()), low - beyond, -HIGHEST))
        high = max(high, min(float(slope.max()), high + beyond, HIGHEST))
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def _marks(passport: Passport, reach: float) -> list[tuple[float, float, str]]:
    shape = passport.shape
    if shape is None:
        return []
    pairs = [("f", shape.lowest), ("f", shape.highest), ("slope", shape.flattest)]
    pairs += [("slope", shape.steepest)]
    points = [(one.low, one.value, which) for which, one in pairs if one.kind == "point"]
    return [point for point in points if abs(point[0]) <= reach]


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most about ``most`` round numbers within the limits."""
    step = (high - low) / most
    size = 10.0 ** math.floor(math.log10(step))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= step)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(k * step, 12) + 0.0 for k in range(first, last + 1)]


def density(x: Array) -> Array:
    """Return the density of N(0, 1) as a share of its largest value."""
    return np.exp(-x * x / 2)
