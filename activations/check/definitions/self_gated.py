"""Definitions of x g(x): SiLU, GELU, Mish and similar functions."""

from __future__ import annotations

from typing import Any

import mpmath
from mpmath import mpf

from activations.check.definitions.elementary import (
    INF,
    clamp,
    erf,
    erf_slope,
    exp,
    normal_cdf,
    normal_pdf,
    sigmoid,
    softplus,
    tanh_slope,
)
from activations.check.definitions.table import Terms, define, inverse

RECTIFIER_LIMITS = (0, INF, 0, 1)
TAIL = (-700.0, 40.0)


def swish(x: mpf, beta: Any = 1) -> mpf:
    return x * sigmoid(beta * x)


def swish_slope(x: mpf, beta: Any = 1) -> tuple[mpf, mpf]:
    u = beta * x
    return sigmoid(u), u * sigmoid(u) * sigmoid(-u)


def silu_second(x: mpf) -> tuple[mpf, mpf]:
    s, r = sigmoid(x), sigmoid(-x)
    return 2 * s * r, x * s * r * (r - s)


define("silu", swish, swish_slope, RECTIFIER_LIMITS, branches=TAIL)
define(
    "swish",
    swish,
    swish_slope,
    lambda beta: RECTIFIER_LIMITS if beta > 0 else (-INF, 0, 1, 0),
    scales=lambda beta: inverse(beta),
    branches=lambda beta: (-700 / beta, 40 / beta) if beta else (),
    learned={"beta": lambda x, beta: x * x * sigmoid(beta * x) * sigmoid(-beta * x)},
    fixed={"learnable": True},
    at=({}, {"beta": 1.5}, {"beta": 0.1}, {"beta": -1.5, "learnable": True}),
)
define(
    "quick_gelu",
    lambda x: swish(x, mpf(1.702)),
    lambda x: swish_slope(x, mpf(1.702)),
    RECTIFIER_LIMITS,
    branches=(-700 / 1.702, 40 / 1.702),
    hard=(-414.5461787782507, -412.91499679591635),
)


def cubic_gate(x: mpf, a: mpf, b: mpf) -> mpf:
    return x * sigmoid(a * (x + b * x**3))


def cubic_gate_slope(x: mpf, a: mpf, b: mpf) -> tuple[mpf, mpf]:
    u = a * (x + b * x**3)
    return sigmoid(u), x * a * (1 + 3 * b * x * x) * sigmoid(u) * sigmoid(-u)


# A decimal constant is the float nearest to it, as in all libraries.
define(
    "gelu_tanh",
    lambda x: cubic_gate(x, 2 * mpmath.sqrt(2 / mpmath.pi), mpf(0.044715)),
    lambda x: cubic_gate_slope(x, 2 * mpmath.sqrt(2 / mpmath.pi), mpf(0.044715)),
    RECTIFIER_LIMITS,
    branches=(-20.5,),
)
define(
    "gelu_approx",
    lambda x: cubic_gate(x, mpf(1.60033), mpf(0.0433603)),
    lambda x: cubic_gate_slope(x, mpf(1.60033), mpf(0.0433603)),
    RECTIFIER_LIMITS,
    branches=(-20.5,),
)
define("dsilu", swish_slope, silu_second, (0, 1, 0, 0), branches=TAIL)
define(
    "elish",
    lambda x: (x if x >= 0 else exp(x) - 1) * sigmoid(x),
    lambda x: (
        swish_slope(x) if x >= 0 else (exp(x) * sigmoid(x), (exp(x) - 1) * sigmoid(x) * sigmoid(-x))
    ),
    RECTIFIER_LIMITS,
)


def gelu(x: mpf) -> mpf:
    return x * normal_cdf(x)


def gelu_slope(x: mpf) -> tuple[mpf, mpf]:
    return normal_cdf(x), x * normal_pdf(x)


define(
    "gelu",
    gelu,
    gelu_slope,
    RECTIFIER_LIMITS,
    branches=(-37.0, -40.0, 40.0),
    hard=(-8.625080397043146,),
)


def clipped_gelu_slope(x: mpf, low: mpf, high: mpf) -> Terms:
    with mpmath.workprec(60):  # rounded, because f' = 0 where the float gelu(x) equals a bound
        inside = low < gelu(x) < high
    return gelu_slope(x) if inside else 0


define(
    "clipped_gelu",
    lambda x, low, high: clamp(gelu(x), low, high),
    clipped_gelu_slope,
    lambda low, high: (clamp(mpf(0), low, high), high, 0, 0),
    legal=lambda low, high: low < high,
    skip=lambda x, low, high: min(abs(gelu(x) - low), abs(gelu(x) - high)) < 1e-6 * abs(gelu(x)),
)
define(
    "phish",
    lambda x: x * mpmath.tanh(gelu(x)),
    lambda x: (
        mpmath.tanh(gelu(x)),
        x * tanh_slope(gelu(x)) * normal_cdf(x),
        x * x * tanh_slope(gelu(x)) * normal_pdf(x),
    ),
    RECTIFIER_LIMITS,
    branches=(-37.0, -40.0),
    hard=(-37.52908646229933, -37.007880785982046, -3.4024184647331994),
)


def mish(x: mpf) -> mpf:
    return x * mpmath.tanh(softplus(x))


def mish_slope(x: mpf) -> tuple[mpf, mpf]:
    return mpmath.tanh(softplus(x)), x * tanh_slope(softplus(x)) * sigmoid(x)


define("mish", mish, mish_slope, RECTIFIER_LIMITS, branches=TAIL, hard=(-31.187509081913866,))
define(
    "formula",  # with its default expression
    mish,
    mish_slope,
    (None, INF, None, None),  # x * tanh(...) is inf * 0 at -inf
    reach=700,
    ulp=(6, 12),
    why="a formula is evaluated as written: the errors of its operations add up",
)
define(
    "telu",
    lambda x: x * mpmath.tanh(exp(x)),
    lambda x: (mpmath.tanh(exp(x)), x * exp(x) * tanh_slope(exp(x))),
    RECTIFIER_LIMITS,
    branches=(-700.0, 0.0, 5.0),
)
define(
    "serf",
    lambda x: x * erf(softplus(x)),
    lambda x: (erf(softplus(x)), x * erf_slope(softplus(x)) * sigmoid(x)),
    RECTIFIER_LIMITS,
    branches=(*TAIL, -0.5),
)
define(
    "logish",
    lambda x: x * mpmath.log1p(sigmoid(x)),
    lambda x: (mpmath.log1p(sigmoid(x)), x * sigmoid(x) * sigmoid(-x) / (1 + sigmoid(x))),
    (0, INF, 0, mpmath.log(2)),
    branches=TAIL,
    hard=(-1.834662383941633,),
)


def smish_gate(x: mpf) -> mpf:
    return mpmath.tanh(mpmath.log1p(sigmoid(x)))


define(
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
define(
    "lisht",
    lambda x: x * mpmath.tanh(x),
    lambda x: mpmath.tanh(x) + x * tanh_slope(x),
    (INF, INF, -1, 1),
)
