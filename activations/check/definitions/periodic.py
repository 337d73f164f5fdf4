"""Definitions of the functions made of sines."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from activations.check.definitions.table import INF, exp, reference

NONE = (None, None, None, None)


def in_two(phase: mpf) -> tuple[mpf, mpf]:
    """Return the float next to a phase, and the rest: sin and cos are sums of what these give."""
    near = mpf(float(phase))
    return near, phase - near


def sine(phase: mpf) -> tuple[mpf, mpf]:
    p, rest = in_two(phase)
    return mpmath.sin(p) * mpmath.cos(rest), mpmath.cos(p) * mpmath.sin(rest)


def cosine(phase: mpf) -> tuple[mpf, mpf]:
    p, rest = in_two(phase)
    return mpmath.cos(p) * mpmath.cos(rest), -mpmath.sin(p) * mpmath.sin(rest)


def times(factor: mpf, terms: tuple[mpf, ...]) -> tuple[mpf, ...]:
    return tuple(factor * term for term in terms)


for w in (1.0, 30.0):
    reference(
        "sin",
        lambda x, w: sine(w * x),
        lambda x, w: times(w, cosine(w * x)),
        NONE,
        parameters={"w": w},
        reach=INF if w == 1 else 1e250,
        why="" if w == 1 else "a phase beyond twice a float's digits means nothing",
    )


def finer_phase(x: mpf, w: mpf) -> mpf:
    return w * (abs(x) + 1) * x


reference(
    "finer",
    lambda x, w: sine(finer_phase(x, w)),
    lambda x, w: times(w * (2 * abs(x) + 1), cosine(finer_phase(x, w))),
    NONE,
    parameters={"w": 30.0},
    reach=1e6,
    why="a phase of more than 10^13 turns means nothing",
)
reference(
    "wire",
    lambda x, w, s: mpmath.cos(w * x) * exp(-((s * x) ** 2)),
    lambda x, w, s: (
        -w * mpmath.sin(w * x) * exp(-((s * x) ** 2)),
        -2 * s * s * x * mpmath.cos(w * x) * exp(-((s * x) ** 2)),
    ),
    (0, 0, 0, 0),
    parameters={"w": 20.0, "s": 30.0},
    branches=(28 / 30, 0.5, 0.1, 0.01),
)
reference(
    "gcu",
    lambda x: x * mpmath.cos(x),
    lambda x: (mpmath.cos(x), -x * mpmath.sin(x)),
    NONE,
)


def sinc(x: mpf) -> mpf:
    return mpmath.sin(x) / x if x else mpf(1)


def sinc_slope(x: mpf) -> tuple[mpf, mpf]:
    """Its terms cancel near 0 too, but without a need: for |x| < 1 only the sum counts."""
    return (mpmath.cos(x) / x, -sinc(x) / x) if x else (mpf(0), mpf(0))


reference(
    "sinc",
    sinc,
    lambda x: sinc_slope(x) if abs(x) > 1 else mpmath.fsum(sinc_slope(x)),
    (0, 0, 0, 0),
    branches=(0.0, 1.0, -1.0),
)
reference(
    "relu_sin",
    lambda x: max(x, 0) + mpmath.cos(x),
    lambda x: (1 if x > 0 else 0, -mpmath.sin(x)),
    (None, INF, None, None),
    kinks={0.0: 0.0},
    branches=(mpmath.pi / 2, 5 * mpmath.pi / 2),
)
