"""Definitions of the functions with learnable parameters, at their initial values."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from activations.check.definitions.self_gated import swish, swish_slope
from activations.check.definitions.sigmoidal import tanh_slope
from activations.check.definitions.table import INF, exp, reference

for alpha in (0.25, 1.5, -1.0):
    reference(
        "prelu",
        lambda x, alpha: x if x > 0 else alpha * x,
        lambda x, alpha: 1 if x > 0 else alpha,
        (-INF if alpha > 0 else INF, INF, alpha, 1),
        parameters={"alpha": alpha},
        kinks={0.0: alpha},
    )
reference(
    "pelu",
    lambda x, a, b: a / b * x if x >= 0 else a * (exp(x / b) - 1),
    lambda x, a, b: a / b if x >= 0 else a / b * exp(x / b),
    (-1, INF, 0, 1),
    parameters={"a": 1.0, "b": 1.0},
    kinks={0.0: 1.0},
)
reference(
    "star_relu",
    lambda x, scale, shift: (scale * max(x, 0) ** 2, shift),
    lambda x, scale, shift: scale * 2 * max(x, 0),
    (-0.4472, INF, 0, INF),
    parameters={"scale": 0.8944, "shift": -0.4472},
    kinks={0.0: 0.0},
)
reference(
    "softexponential",
    lambda x, alpha: x,
    lambda x, alpha: 1,
    (-INF, INF, 1, 1),
    parameters={"alpha": 0.0},
)
reference(
    "softexponential",
    lambda x, alpha: (exp(alpha * x) - 1) / alpha + alpha,
    lambda x, alpha: exp(alpha * x),
    (0, INF, 0, INF),
    parameters={"alpha": 1.0},
)


def xielu(x: mpf, alpha_p: mpf, alpha_n: mpf, beta: mpf) -> tuple[mpf, mpf]:
    curve = alpha_p * x * x if x > 0 else alpha_n * (mpmath.expm1(max(x, -200_000)) - x)
    return beta * x, curve


reference(
    "xielu",
    xielu,
    lambda x, alpha_p, alpha_n, beta: (
        beta,
        2 * alpha_p * x if x > 0 else alpha_n * (exp(x) - 1),
    ),
    (INF, INF, -0.3, INF),
    parameters={"alpha_p": 0.8, "alpha_n": 0.8, "beta": 0.5},
    kinks={0.0: 0.5},
)
for alpha in (0.5, 0.3):
    reference(
        "dyt",
        lambda x, alpha: mpmath.tanh(alpha * x),
        lambda x, alpha: alpha * tanh_slope(alpha * x),
        (-1, 1, 0, 0),
        parameters={"alpha": alpha},
    )
    reference(
        "derf",
        lambda x, alpha: mpmath.erf(alpha * x),
        lambda x, alpha: alpha * 2 / mpmath.sqrt(mpmath.pi) * exp(-((alpha * x) ** 2)),
        (-1, 1, 0, 0),
        parameters={"alpha": alpha},
        branches=(1 / alpha, -1 / alpha),
    )


def acon(x: mpf, p1: mpf, p2: mpf, beta: mpf) -> mpf:
    return (p1 - p2) * swish(x, beta * (p1 - p2)) + p2 * x


def acon_slope(x: mpf, p1: mpf, p2: mpf, beta: mpf) -> tuple[mpf, mpf, mpf]:
    gate, moved = swish_slope(x, beta * (p1 - p2))
    return (p1 - p2) * gate, (p1 - p2) * moved, p2


reference(
    "acon_c",
    acon,
    acon_slope,
    (0, INF, 0, 1),
    parameters={"p1": 1.0, "p2": 0.0, "beta": 1.0},
    branches=(-700.0, 40.0),
)
reference(
    "acon_c",
    acon,
    acon_slope,
    (-INF, INF, 0.25, 1),
    parameters={"p1": 1.0, "p2": 0.25, "beta": 1.0},
)


def half_erfc(u: mpf) -> mpf:
    return mpmath.erfc(min(max(-u, mpf(-600)), mpf(600))) / 2


def smooth_step(u: mpf) -> mpf:
    return half_erfc(u) + u / mpmath.sqrt(mpmath.pi) * exp(-u * u)


for alpha, mu in ((0.25, 1e6), (0.25, 1.0)):
    reference(
        "smu",
        lambda x, alpha, mu: x * (alpha + (1 - alpha) * half_erfc(mu * (1 - alpha) * x)),
        lambda x, alpha, mu: alpha + (1 - alpha) * smooth_step(mu * (1 - alpha) * x),
        (-INF, INF, alpha, 1),
        parameters={"alpha": alpha, "mu": mu},
        branches=(1 / mu, -1 / mu),
    )


def gate(x: mpf, alpha: mpf, beta: mpf) -> mpf:
    return alpha * exp(min(beta * x, mpf(20)))


def erf_of(u: mpf) -> mpf:
    return mpmath.erf(min(u, mpf(600)))


reference(
    "erfact",
    lambda x, alpha, beta: x * erf_of(gate(x, alpha, beta)),
    lambda x, alpha, beta: (
        erf_of(gate(x, alpha, beta)),
        x
        * beta
        * gate(x, alpha, beta)
        * 2
        / mpmath.sqrt(mpmath.pi)
        * exp(-(gate(x, alpha, beta) ** 2)),
    ),
    (0, INF, 0, 1),
    parameters={"alpha": 0.75, "beta": 0.75},
    branches=(-700 / 0.75,),
    hard=(-942.3863076743149, -938.9245974338049, -1.6908274805520862),
)
for alpha in (1.0, 0.3):
    reference(
        "snake",
        lambda x, alpha: (x, mpmath.sin(alpha * x) ** 2 / alpha),
        lambda x, alpha: (1, mpmath.sin(2 * alpha * x)),
        (-INF, INF, None, None),
        parameters={"alpha": alpha},
        reach=1e250,
        why="a phase beyond twice a float's digits means nothing",
    )

NUMERATOR = (0.0, 0.842843, 4.522566, 6.998768, 3.740695, 0.67093)
DENOMINATOR = (1.0, 3.844091, 7.894363, 3.293638, 0.744992)


def pau(x: mpf) -> tuple[mpf, ...]:
    bottom = sum(mpf(c) * abs(x) ** j for j, c in enumerate(DENOMINATOR))
    return tuple(mpf(c) * x**j / bottom for j, c in enumerate(NUMERATOR) if c)


def pau_slope(x: mpf) -> tuple[mpf, ...]:
    bottom = sum(mpf(c) * abs(x) ** j for j, c in enumerate(DENOMINATOR))
    bottom_slope = mpmath.sign(x) * sum(
        j * mpf(c) * abs(x) ** (j - 1) for j, c in enumerate(DENOMINATOR) if j
    )
    rising = [j * mpf(c) * x ** (j - 1) / bottom for j, c in enumerate(NUMERATOR) if j]
    return (*rising, *(-term * bottom_slope / bottom for term in pau(x)))


reference(
    "pau",
    pau,
    pau_slope,
    (-INF, INF, 0.67093 / 0.744992, 0.67093 / 0.744992),
    branches=(-1.0, 1.0),
    hard=(1.0130238156419766, 1.168560885097608, 1.9507582788960782),
    kinks={0.0: 0.842843},
)
