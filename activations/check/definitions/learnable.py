"""Definitions of the other functions with learnable parameters."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
from mpmath import mpf

from activations.check.definitions.elementary import (
    INF,
    erf,
    erf_slope,
    exp,
    half_erfc,
    sigmoid,
    tanh_slope,
)
from activations.check.definitions.table import (
    ANY,
    POSITIVE,
    Terms,
    define,
    inverse,
)

define(
    "prelu",
    lambda x, alpha: x if x > 0 else alpha * x,
    lambda x, alpha: 1 if x > 0 else alpha,
    lambda alpha: (-INF if alpha > 0 else INF, INF, alpha, 1),
    learned={"alpha": lambda x, alpha: min(x, 0)},
    at=({}, {"alpha": 1.5}, {"alpha": -1.0}),
)
define(
    "pelu",
    lambda x, a, b: a / b * x if x >= 0 else a * (exp(x / b) - 1),
    lambda x, a, b: a / b if x >= 0 else a / b * exp(x / b),
    (-1, INF, 0, 1),
    scales=lambda a, b: (b,),
    learned={
        "a": lambda x, a, b: x / b if x >= 0 else exp(x / b) - 1,
        "b": lambda x, a, b: -a / b / b * (x if x >= 0 else x * exp(x / b)),
    },
)
define(
    "star_relu",
    lambda x, scale, shift: (scale * max(x, 0) ** 2, shift),
    lambda x, scale, shift: scale * 2 * max(x, 0),
    lambda scale, shift: (shift, INF, 0, INF),
    scales=lambda scale, shift: (abs(shift / scale) ** 0.5,) if scale else (),
    learned={
        "scale": lambda x, scale, shift: max(x, 0) ** 2,
        "shift": lambda x, scale, shift: mpf(1),
    },
)


def inside_logarithm(x: mpf, alpha: mpf) -> mpf:
    """Return 1 - alpha (x + alpha), exactly."""
    with mpmath.extraprec(4000):
        return 1 - alpha * (x + alpha)


def soft_exponential(x: mpf, alpha: mpf) -> Terms:
    if alpha > 0:
        if alpha * x < -0.5:
            return exp(alpha * x) / alpha, (alpha**2 - 1) / alpha
        return (exp(alpha * x) - 1) / alpha, alpha
    return -mpmath.log(inside_logarithm(x, alpha)) / alpha if alpha else x


def soft_exponential_slope(x: mpf, alpha: mpf) -> Terms:
    if alpha > 0:
        return exp(alpha * x)
    return 1 / inside_logarithm(x, alpha) if alpha else mpf(1)


def soft_exponential_alpha(x: mpf, alpha: mpf) -> Terms:
    if alpha > 0:
        t = alpha * x
        return (t * exp(t) - exp(t) + 1) / alpha**2 + 1
    if alpha == 0:
        return x * x / 2 + 1
    v = inside_logarithm(x, alpha)
    return mpmath.log(v) / alpha**2 + x / (alpha * v) + 2 / v


define(
    "softexponential",
    soft_exponential,
    soft_exponential_slope,
    lambda alpha: (0, INF, 0, INF) if alpha else (-INF, INF, 1, 1),
    scales=lambda alpha: inverse(alpha),
    branches=lambda alpha: (-alpha, 1 / alpha - alpha) if -1e300 < alpha < -1e-300 else (),
    skip=lambda x, alpha: alpha < 0 and inside_logarithm(x, alpha) <= 0,
    learned={"alpha": soft_exponential_alpha},
    at=({}, {"alpha": 1.0}),
)


def excess(x: mpf) -> mpf:
    """Return e^x - 1 - x for x <= 0; near 0 by its series, correct to 120 digits."""
    return exp(x) - 1 - x if x < -1e-30 else x * x / 2 + x**3 / 6 + x**4 / 24 + x**5 / 120


define(
    "xielu",
    lambda x, alpha_p, alpha_n, beta: (
        alpha_p * x * x if x > 0 else alpha_n * excess(x),
        beta * x,
    ),
    lambda x, alpha_p, alpha_n, beta: (
        2 * alpha_p * x if x > 0 else alpha_n * (exp(x) - 1),
        beta,
    ),
    (INF, INF, -0.3, INF),
    ranges={"alpha_p": POSITIVE, "alpha_n": ANY, "beta": ANY},
    legal=lambda alpha_p, alpha_n, beta: alpha_n > beta,
    # derivatives by the raw parameters; alpha_p = softplus(raw_alpha_p), alpha_n - beta likewise
    learned={
        "raw_alpha_p": lambda x, alpha_p, alpha_n, beta: (
            x * x * -mpmath.expm1(-alpha_p) if x > 0 else 0
        ),
        "raw_alpha_n": lambda x, alpha_p, alpha_n, beta: (
            excess(x) * -mpmath.expm1(beta - alpha_n) if x <= 0 else 0
        ),
    },
)
define(
    "dyt",
    lambda x, alpha, gain, shift: (gain * mpmath.tanh(alpha * x), shift),
    lambda x, alpha, gain, shift: gain * alpha * tanh_slope(alpha * x),
    (-1, 1, 0, 0),
    scales=lambda alpha, gain, shift: inverse(alpha),
    learned={
        "alpha": lambda x, alpha, gain, shift: gain * x * tanh_slope(alpha * x),
        "gain": lambda x, alpha, gain, shift: mpmath.tanh(alpha * x),
        "shift": lambda x, alpha, gain, shift: mpf(1),
    },
    at=({}, {"alpha": 0.3}),
)
define(
    "derf",
    lambda x, alpha, offset, gain, shift: (gain * erf(alpha * x + offset), shift),
    lambda x, alpha, offset, gain, shift: gain * alpha * erf_slope(alpha * x + offset),
    (-1, 1, 0, 0),
    scales=lambda alpha, offset, gain, shift: inverse(alpha),
    branches=lambda alpha, offset, gain, shift: (
        [(u - offset) / alpha for u in (0, 1, -1, -3)] if abs(alpha) > 1e-300 else ()
    ),
    learned={
        "alpha": lambda x, alpha, offset, gain, shift: gain * x * erf_slope(alpha * x + offset),
        "offset": lambda x, alpha, offset, gain, shift: gain * erf_slope(alpha * x + offset),
        "gain": lambda x, alpha, offset, gain, shift: erf(alpha * x + offset),
        "shift": lambda x, alpha, offset, gain, shift: mpf(1),
    },
    at=({}, {"alpha": 0.3}),
)


def switch(x: mpf, p1: mpf, p2: mpf, beta: mpf) -> tuple[mpf, mpf, mpf]:
    """Return u, sigmoid(u), sigmoid(-u)."""
    u = beta * (p1 - p2) * x
    return u, sigmoid(u), sigmoid(-u)


def acon(x: mpf, p1: mpf, p2: mpf, beta: mpf) -> Terms:
    _, on, off = switch(x, p1, p2, beta)
    return p1 * x * on, p2 * x * off


def acon_slope(x: mpf, p1: mpf, p2: mpf, beta: mpf) -> Terms:
    u, on, off = switch(x, p1, p2, beta)
    return p1 * on, p2 * off, (p1 - p2) * u * on * off


def acon_p1(x: mpf, p1: mpf, p2: mpf, beta: mpf) -> Terms:
    u, on, off = switch(x, p1, p2, beta)
    return x * on, x * u * on * off


def acon_p2(x: mpf, p1: mpf, p2: mpf, beta: mpf) -> Terms:
    u, on, off = switch(x, p1, p2, beta)
    return x * off, -x * u * on * off


def acon_beta(x: mpf, p1: mpf, p2: mpf, beta: mpf) -> Terms:
    _, on, off = switch(x, p1, p2, beta)
    return ((p1 - p2) * x) ** 2 * on * off


define(
    "acon_c",
    acon,
    acon_slope,
    lambda p1, p2, beta: (-INF if p2 else 0, INF, p2, p1),
    scales=lambda p1, p2, beta: inverse(beta * (p1 - p2)),
    branches=(-700.0, 40.0),
    learned={"p1": acon_p1, "p2": acon_p2, "beta": acon_beta},
    at=({}, {"p2": 0.25}),
)


def smu(x: mpf, alpha: mpf, mu: mpf) -> Terms:
    u = mu * (1 - alpha) * x
    return x * half_erfc(u), alpha * x * half_erfc(-u)


def smu_slope(x: mpf, alpha: mpf, mu: mpf) -> Terms:
    u = mu * (1 - alpha) * x
    return half_erfc(u), alpha * half_erfc(-u), (1 - alpha) * u * erf_slope(u) / 2


define(
    "smu",
    smu,
    smu_slope,
    lambda alpha, mu: (-INF, INF, alpha, 1),
    scales=lambda alpha, mu: inverse(mu * (1 - alpha)),
    branches=lambda alpha, mu: inverse(mu) + tuple(-v for v in inverse(mu)),
    learned={
        "mu": lambda x, alpha, mu: ((1 - alpha) * x) ** 2 * erf_slope(mu * (1 - alpha) * x) / 2,
    },
    at=({}, {"mu": 1.0}),
)


def gate(x: mpf, alpha: mpf, beta: mpf) -> mpf:
    return alpha * exp(min(beta * x, mpf(5000)))


define(
    "erfact",
    lambda x, alpha, beta: x * erf(gate(x, alpha, beta)),
    lambda x, alpha, beta: (
        erf(gate(x, alpha, beta)),
        x * beta * gate(x, alpha, beta) * erf_slope(gate(x, alpha, beta)),
    ),
    (0, INF, 0, 1),
    scales=lambda alpha, beta: inverse(beta),
    branches=lambda alpha, beta: (
        (-700 / beta, -math.log(abs(alpha)) / beta) if beta and abs(alpha) > 1e-300 else ()
    ),
    hard=(-942.3863076743149, -938.9245974338049, -1.6908274805520862),
    learned={
        "alpha": lambda x, alpha, beta: x * gate(x, mpf(1), beta) * erf_slope(gate(x, alpha, beta)),
        "beta": lambda x, alpha, beta: (
            x * x * gate(x, alpha, beta) * erf_slope(gate(x, alpha, beta))
        ),
    },
)

# PAU: the terms of the numerator cancel

NUMERATOR = [f"p{j}" for j in range(6)]
DENOMINATOR = [f"q{k}" for k in range(1, 5)]


def pau_parts(x: mpf, c: dict[str, mpf]) -> tuple[list[mpf], mpf, mpf]:
    """Return the numerator's terms, the denominator and its derivative."""
    top = [c[name] * x**j for j, name in enumerate(NUMERATOR)]
    q = [mpf(1)] + [abs(c[name]) for name in DENOMINATOR]
    bottom = mpmath.fsum(v * abs(x) ** k for k, v in enumerate(q))
    slope = mpmath.sign(x) * mpmath.fsum(k * q[k] * abs(x) ** (k - 1) for k in range(1, 5))
    return top, bottom, slope


def pau(x: mpf, **c: mpf) -> Terms:
    top, bottom, _ = pau_parts(x, c)
    return tuple(term / bottom for term in top)


def pau_slope(x: mpf, **c: mpf) -> Terms:
    top, bottom, slope = pau_parts(x, c)
    rising = [j * c[f"p{j}"] * x ** (j - 1) / bottom for j in range(1, 6)]
    return (*rising, *(-term * slope / bottom**2 for term in top))


def pau_p(j: int) -> Callable[..., Terms]:
    return lambda x, **c: x**j / pau_parts(x, c)[1]


def pau_q(k: int) -> Callable[..., Terms]:
    def derivative(x: mpf, **c: mpf) -> Terms:
        top, bottom, _ = pau_parts(x, c)
        factor = mpmath.sign(c[f"q{k}"]) * abs(x) ** k / bottom**2
        return tuple(-term * factor for term in top)

    return derivative


define(
    "pau",
    pau,
    pau_slope,
    lambda **c: (-INF, INF, c["p5"] / c["q4"], c["p5"] / c["q4"]),
    branches=(-1.0, 1.0),
    reach=lambda **c: INF if c["p1"] == 0.842843 else 1e60,
    why="for |x| > 10^60 powers of 1 / x underflow",
    hard=(1.0130238156419766, 1.168560885097608, 1.9507582788960782),
    learned={
        **{name: pau_p(j) for j, name in enumerate(NUMERATOR)},
        **{name: pau_q(k) for k, name in enumerate(DENOMINATOR, 1)},
    },
)
