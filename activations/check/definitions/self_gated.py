"""Definitions of x g(x): SiLU, GELU, Mish and their kin."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
from mpmath import mpf

from activations.check.definitions.sigmoidal import tanh_slope
from activations.check.definitions.table import INF, exp, normal_cdf, normal_pdf, reference, sigmoid

RECTIFIER_LIMITS = (0, INF, 0, 1)
TAIL = (-700.0, 40.0)


def swish(x: mpf, beta: mpf) -> mpf:
    return x * sigmoid(beta * x)


def swish_slope(x: mpf, beta: mpf) -> tuple[mpf, mpf]:
    return sigmoid(beta * x), beta * x * sigmoid(beta * x) * sigmoid(-beta * x)


def silu_second(x: mpf) -> tuple[mpf, mpf]:
    s, r = sigmoid(x), sigmoid(-x)
    return 2 * s * r, x * s * r * (r - s)


reference(
    "silu",
    lambda x: swish(x, 1),
    lambda x: swish_slope(x, 1),
    RECTIFIER_LIMITS,
    branches=TAIL,
)
for beta in (1.0, 1.5, 0.1):
    reference(
        "swish",
        lambda x, beta, learnable: swish(x, beta),
        lambda x, beta, learnable: swish_slope(x, beta),
        RECTIFIER_LIMITS,
        parameters={"beta": beta, "learnable": False},
        branches=(-700 / beta, 40 / beta),
    )
reference(
    "swish",
    lambda x, beta, learnable: swish(x, beta),
    lambda x, beta, learnable: swish_slope(x, beta),
    (-INF, 0, 1, 0),
    parameters={"beta": -1.5, "learnable": True},
    branches=(700 / 1.5, -40 / 1.5),
)
reference(
    "quick_gelu",
    lambda x: swish(x, mpf(1.702)),
    lambda x: swish_slope(x, mpf(1.702)),
    RECTIFIER_LIMITS,
    branches=(-700 / 1.702, 40 / 1.702),
    hard=(-414.5461787782507, -412.91499679591635),
)


def cubic(a: Callable[[], mpf], b: Callable[[], mpf], name: str) -> None:
    """Add x sigmoid(a (x + b x^3)); a and b are recomputed at each precision."""

    def value(x: mpf) -> mpf:
        return x * sigmoid(a() * (x + b() * x**3))

    def derivative(x: mpf) -> tuple[mpf, mpf]:
        u = a() * (x + b() * x**3)
        return sigmoid(u), x * a() * (1 + 3 * b() * x * x) * sigmoid(u) * sigmoid(-u)

    reference(name, value, derivative, RECTIFIER_LIMITS, branches=(-20.5,))


# Decimal constants stand for the floats nearest to them, as in every library.
cubic(lambda: 2 * mpmath.sqrt(2 / mpmath.pi), lambda: mpf(0.044715), "gelu_tanh")
cubic(lambda: mpf(1.60033), lambda: mpf(0.0433603), "gelu_approx")
reference(
    "dsilu",
    lambda x: swish_slope(x, 1),
    silu_second,
    (0, 1, 0, 0),
    branches=TAIL,
)
reference(
    "elish",
    lambda x: (x if x >= 0 else exp(x) - 1) * sigmoid(x),
    lambda x: (
        swish_slope(x, 1)
        if x >= 0
        else (exp(x) * sigmoid(x), (exp(x) - 1) * sigmoid(x) * sigmoid(-x))
    ),
    RECTIFIER_LIMITS,
    kinks={0.0: 0.5},
)


def gelu(x: mpf) -> mpf:
    return x * normal_cdf(x)


def gelu_terms(x: mpf) -> tuple[mpf, mpf]:
    return normal_cdf(x), x * normal_pdf(x)


def gelu_slope(x: mpf) -> mpf:
    return mpmath.fsum(gelu_terms(x))


reference(
    "gelu",
    gelu,
    gelu_terms,
    RECTIFIER_LIMITS,
    branches=(-37.0, -40.0, 40.0),
    hard=(-8.625080397043146,),
)
reference(
    "clipped_gelu",
    lambda x, low, high: min(max(gelu(x), low), high),
    lambda x, low, high: gelu_terms(x) if x < 10 else 0,
    (0, 10, 0, 0),
    parameters={"low": -10.0, "high": 10.0},
    kinks={10.0: 0.0},
)
reference(
    "phish",
    lambda x: x * mpmath.tanh(gelu(x)),
    lambda x: (
        mpmath.tanh(gelu(x)),
        x * tanh_slope(gelu(x)) * normal_cdf(x),
        x * x * tanh_slope(gelu(x)) * normal_pdf(x),
    ),
    (0, INF, 0, 1),
    branches=(-37.0, -40.0),
    hard=(-37.52908646229933, -37.007880785982046, -3.4024184647331994),
)


def softplus(x: mpf) -> mpf:
    return mpmath.log1p(exp(x)) if x < 10_000 else x


reference(
    "mish",
    lambda x: x * mpmath.tanh(softplus(x)),
    lambda x: (mpmath.tanh(softplus(x)), x * tanh_slope(softplus(x)) * sigmoid(x)),
    RECTIFIER_LIMITS,
    branches=TAIL,
    hard=(-31.187509081913866,),
)
reference(
    "formula",  # its default
    lambda x, **_: x * mpmath.tanh(softplus(x)),
    lambda x, **_: (mpmath.tanh(softplus(x)), x * tanh_slope(softplus(x)) * sigmoid(x)),
    (None, INF, None, None),  # inf times 0 where it is written so
    parameters={"expression": "x * tanh(softplus(x))", "parameters": None, "learnable": False},
    value_ulp=6,
    derivative_ulp=12,
    reach=700,
    why="as accurate as it is written: the errors of x, tanh and softplus add up",
)
reference(
    "telu",
    lambda x: x * mpmath.tanh(exp(x)),
    lambda x: (mpmath.tanh(exp(x)), x * exp(x) * tanh_slope(exp(x))),
    RECTIFIER_LIMITS,
    branches=(-700.0, 0.0, 5.0),
)
reference(
    "serf",
    lambda x: x * mpmath.erf(softplus(x)),
    lambda x: (
        mpmath.erf(softplus(x)),
        x * 2 / mpmath.sqrt(mpmath.pi) * exp(-(softplus(x) ** 2)) * sigmoid(x),
    ),
    RECTIFIER_LIMITS,
    branches=(*TAIL, -0.5),
)
reference(
    "logish",
    lambda x: x * mpmath.log1p(sigmoid(x)),
    lambda x: (
        mpmath.log1p(sigmoid(x)),
        x * sigmoid(x) * sigmoid(-x) / (1 + sigmoid(x)),
    ),
    (0, INF, 0, mpmath.log(2)),
    branches=TAIL,
    hard=(-1.834662383941633,),
)


def smish_gate(x: mpf) -> mpf:
    return mpmath.tanh(mpmath.log1p(sigmoid(x)))


reference(
    "smish",
    lambda x: x * smish_gate(x),
    lambda x: (
        smish_gate(x),
        x * (1 - smish_gate(x) ** 2) * sigmoid(x) * sigmoid(-x) / (1 + sigmoid(x)),
    ),
    (0, INF, 0, 0.6),
    branches=TAIL,
    hard=(-1.6905038102675318,),
)
reference(
    "lisht",
    lambda x: x * mpmath.tanh(x),
    lambda x: mpmath.tanh(x) + x * tanh_slope(x),
    (INF, INF, -1, 1),
)
