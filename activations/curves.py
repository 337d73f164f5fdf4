"""The curves in pictures of an activation: f and f' along a line.

A function with parameters has one curve for each of several parameter values. A gated unit has
curves over a for several b. For a function of a row, the curve is the first output for the row
(x, 0, -1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from activations.base import Activation, Array, Elementwise, get
from activations.families import SHOWN

POINTS = 1598  # 1597 intervals, a prime: no point falls on a kink, where f' is a convention
_JUMP = 0.02
"""A step between neighbouring points is a jump if it exceeds this share of the panel's height and
five times the steps beside it."""


@dataclass(frozen=True)
class Curve:
    """Values of f and f' at the points x."""

    x: Array
    value: Array
    slope: Array


def curves(name: str, low: float, high: float) -> list[Curve]:
    """Return one curve for each choice of parameters in ``SHOWN``, on [low, high]."""
    x = np.linspace(low, high, POINTS)
    shown = SHOWN.get(name, {})
    choices = [dict(zip(shown, one, strict=True)) for one in zip(*shown.values(), strict=True)]
    with np.errstate(all="ignore"):
        return [one for choice in choices or [{}] for one in along(get(name, **choice), x)]


def along(activation: Activation, x: Array) -> list[Curve]:
    """Return the curves of an activation at the points x, in drawing order from pale to dark."""
    if isinstance(activation, Elementwise):
        return [Curve(x, activation(x), activation.gradient(x))]
    if activation.inputs_per_output < 1:  # one curve for each output of one input
        y, slope = activation(x[:, None]), activation.gradient(x[:, None])
        return [Curve(x, y[:, k], slope[:, k]) for k in reversed(range(y.shape[1]))]
    if activation.inputs_per_output == 2:
        rows = [np.stack([x, np.full_like(x, b)], axis=-1) for b in (-1.0, 1.0, 2.0)]
    else:
        rows = [np.stack([x, np.zeros_like(x), np.full_like(x, -1.0)], axis=-1)]
    return [Curve(x, activation(row)[:, 0], activation.gradient(row)[:, 0]) for row in rows]


def broken(y: Array, low: float, high: float) -> Array:
    """Return y with NaN at jumps, so that no line joins the two sides; low, high: panel limits."""
    y = y.astype(np.float64)
    with np.errstate(invalid="ignore"):
        steps = np.abs(np.diff(y))
        around = np.maximum(np.append(steps[1:], 0), np.append(0, steps[:-1]))
        jumps = (steps > _JUMP * (high - low)) & (steps > 5 * around)
        outside = (y[1:] > high) & (y[:-1] > high)
        outside |= (y[1:] < low) & (y[:-1] < low)
    y[1:][jumps & ~outside] = np.nan
    return y
