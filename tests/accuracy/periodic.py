"""Definitions of the functions made of sines."""

from __future__ import annotations

import math

import mpmath
from mpmath import mpf

from tests.accuracy.table import INF, exp, reference

NONE = (None, None, None, None)

reference(
    "sin",
    lambda x, w: mpmath.sin(w * x),
    lambda x, w: w * mpmath.cos(w * x),
    NONE,
    parameters={"w": 1.0},
)
reference(
    "sin",
    lambda x, w: mpmath.sin(w * x),
    lambda x, w: w * mpmath.cos(w * x),
    NONE,
    parameters={"w": 30.0},
    amplitude=(lambda x: 1, lambda x: 30),
    reach=1e250,
    why="the phase is rounded to twice the digits, which leaves 1 eps absolute of huge phases",
)


def finer_phase(x: mpf, w: mpf) -> mpf:
    return w * (abs(x) + 1) * x


reference(
    "finer",
    lambda x, w: mpmath.sin(finer_phase(x, w)),
    lambda x, w: w * (2 * abs(x) + 1) * mpmath.cos(finer_phase(x, w)),
    NONE,
    parameters={"w": 30.0},
    amplitude=(lambda x: 1, lambda x: 30 * (2 * abs(x) + 1)),
    reach=1e6,
    why="the phase has twice the digits, but at its 10^13 periods 1 eps absolute is left",
)
reference(
    "wire",
    lambda x, w, s: mpmath.cos(w * x) * exp(-((s * x) ** 2)),
    lambda x, w, s: (
        -(w * mpmath.sin(w * x) + 2 * s * s * x * mpmath.cos(w * x)) * exp(-((s * x) ** 2))
    ),
    (0, 0, 0, 0),
    parameters={"w": 20.0, "s": 30.0},
    branches=(28 / 30, 0.5, 0.1, 0.01),
    amplitude=(lambda x: 0, lambda x: 30 if abs(x) < 0.75 else 0),
    why="f(x) = F(30 x), so that 1 eps of F' near its roots, two in a period, is 30 eps of f'",
)
reference(
    "gcu",
    lambda x: x * mpmath.cos(x),
    lambda x: mpmath.cos(x) - x * mpmath.sin(x),
    NONE,
    amplitude=(lambda x: 0, lambda x: 1 + abs(x)),
    why="cos x and x sin x cancel at the roots of their difference, one in each half period",
)


def sinc(x: mpf) -> mpf:
    return mpmath.sin(x) / x if x else mpf(1)


reference(
    "sinc",
    sinc,
    lambda x: (mpmath.cos(x) - sinc(x)) / x if x else mpf(0),
    (0, 0, 0, 0),
    branches=(0.0, 1.0, -1.0),
    amplitude=(lambda x: 0, lambda x: 1 / max(1, abs(x))),
    why="cos x and sin(x)/x cancel at the roots of their difference, one in each half period",
)
reference(
    "relu_sin",
    lambda x: max(x, 0) + mpmath.cos(x),
    lambda x: (1 if x > 0 else 0) - mpmath.sin(x),
    (None, INF, None, None),
    kinks={0.0: 0.0},
    branches=(mpmath.pi / 2, 5 * mpmath.pi / 2),
    amplitude=(lambda x: 0, lambda x: 1 - math.sin(x) < 1 - math.cos(0.25)),
    why="1 eps absolute within 0.25 of the roots pi/2 + 2 pi k, as elsewhere",
)
