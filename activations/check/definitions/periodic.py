"""Definitions of the functions made of sines."""

from __future__ import annotations

import math

import mpmath
from mpmath import mpf

from activations.check.definitions.elementary import INF, cosine, exp, sine, times
from activations.check.definitions.table import define, inverse

NONE = (None, None, None, None)

define(
    "sin",
    lambda x, w: sine(w * x),
    lambda x, w: times(w, cosine(w * x)),
    NONE,
    scales=lambda w: inverse(w),
    reach=lambda w: INF if w == 1 else 1e250,
    why="beyond |x| = 1e250 the phase needs more digits than two floats have",
    at=({}, {"w": 30.0}),
)


def finer_phase(x: mpf, w: mpf) -> mpf:
    return w * (abs(x) + 1) * x


define(
    "finer",
    lambda x, w: sine(finer_phase(x, w)),
    lambda x, w: times(w * (2 * abs(x) + 1), cosine(finer_phase(x, w))),
    NONE,
    scales=lambda w: (*inverse(w), w**-0.5),
    reach=lambda w: min(1e6, math.sqrt(3e13 / w)),
    why="beyond 10^13 periods the phase has no correct digits",
)
define(
    "wire",
    lambda x, w, s: mpmath.cos(w * x) * exp(-((s * x) ** 2)),
    lambda x, w, s: (
        -w * mpmath.sin(w * x) * exp(-((s * x) ** 2)),
        -2 * s * s * x * mpmath.cos(w * x) * exp(-((s * x) ** 2)),
    ),
    (0, 0, 0, 0),
    scales=lambda w, s: inverse(w, s),
    branches=(28 / 30, 0.5, 0.1, 0.01),
)
define(
    "gcu",
    lambda x: x * mpmath.cos(x),
    lambda x: (mpmath.cos(x), -x * mpmath.sin(x)),
    NONE,
)


def sinc(x: mpf) -> mpf:
    return mpmath.sin(x) / x if x else mpf(1)


def sinc_slope(x: mpf) -> tuple[mpf, mpf]:
    """Return the terms of sinc'(x). They cancel near 0, but for |x| < 1 only the sum is used."""
    return (mpmath.cos(x) / x, -sinc(x) / x) if x else (mpf(0), mpf(0))


define(
    "sinc",
    sinc,
    lambda x: sinc_slope(x) if abs(x) > 1 else mpmath.fsum(sinc_slope(x)),
    (0, 0, 0, 0),
    branches=(0.0, 1.0, -1.0),
)
define(
    "relu_sin",
    lambda x: max(x, 0) + mpmath.cos(x),
    lambda x: (1 if x > 0 else 0, -mpmath.sin(x)),
    (None, INF, None, None),
    branches=(mpmath.pi / 2, 5 * mpmath.pi / 2),
)
define(
    "snake",
    lambda x, alpha: (x, mpmath.sin(alpha * x) ** 2 / alpha if alpha else mpf(0)),
    lambda x, alpha: (1, mpmath.sin(2 * alpha * x)),
    (-INF, INF, None, None),
    scales=lambda alpha: inverse(alpha),
    reach=lambda alpha: 1e250 / max(1, abs(alpha)),
    why="beyond a phase of 1e250 two floats have too few digits",
    learned={
        "alpha": lambda x, alpha: (
            (*times(x / alpha, sine(2 * alpha * x)), -((mpmath.sin(alpha * x) / alpha) ** 2))
            if alpha * x
            else x * x
        )
    },
    fixed={"learnable": True},
    at=({}, {"alpha": 0.3}),
)
