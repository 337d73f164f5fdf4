"""The legal ranges of every numerical parameter, and the definitions over all of them.

Value and derivative come from the other tables of this folder where these hold for any
parameters; what is added here is the derivative with respect to each learnable parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from activations.check.definitions.periodic import sine, times
from activations.check.definitions.sigmoidal import softclip, tanh_slope
from activations.check.definitions.table import REFERENCES, Terms, exp, normal_pdf, sigmoid


@dataclass(frozen=True)
class Range:
    """Legal values from ``low`` to ``high``, drawn log-uniformly over sizes down to ``least``."""

    low: float
    high: float
    least: float = 1e-8

    def draw(self, rng: np.random.Generator, count: int) -> list[float]:
        """Return edges, signs, 0, 1 and numbers of every size, ``count`` in all."""
        largest = max(abs(self.low), abs(self.high))
        edges = [self.low, self.high, 0.0, -0.0, 1.0, -1.0, self.least, -self.least]
        pool = [v for v in dict.fromkeys(edges) if self.legal(v)]
        while len(pool) < count:
            wide = rng.random() < 0.4
            span = (self.least, largest) if wide else (max(0.05, self.least), min(20.0, largest))
            size = math.exp(rng.uniform(math.log(span[0]), math.log(span[1])))
            value = math.copysign(size, rng.random() - 0.3)
            pool += [v for v in (value, -value) if self.legal(v)][:1]
        return list(rng.permutation(pool[:count]))

    def legal(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Definition:
    """One function over all its parameters.

    scales: lengths on the x-axis at which the function bends, from the parameters.
    places: where it has a kink or a threshold; looked at from both sides.
    learned: df/dp for each learnable parameter.
    reach: the |x| up to which digits are promised; the docstring says why.
    """

    name: str
    ranges: dict[str, Range]
    value: Callable[..., Terms]
    slope: Callable[..., Terms]
    scales: Callable[..., tuple[float, ...]] = lambda **_: ()
    places: Callable[..., tuple[float, ...]] = lambda **_: ()
    learned: dict[str, Callable[..., Terms]] = field(default_factory=dict)
    legal: Callable[..., bool] = lambda **_: True
    reach: Callable[..., float] = lambda **_: math.inf
    skip: Callable[..., Any] = lambda x, **_: False
    fixed: dict[str, Any] = field(default_factory=dict)

    def draws(self, count: int) -> Iterator[dict[str, float]]:
        """Yield legal parameters: a Latin square of each parameter's edges and sizes."""
        rng = np.random.default_rng(sum(map(ord, self.name)))
        columns = {name: limits.draw(rng, count) for name, limits in self.ranges.items()}
        for row in zip(*columns.values(), strict=True):
            parameters = dict(zip(columns, map(float, row), strict=True))
            if self.legal(**parameters):
                yield parameters


DEFINITIONS: list[Definition] = []


def define(name: str, ranges: dict[str, Range], **rest: Any) -> None:
    """Add a definition; value and slope are those of the table of references if not given."""
    for key, part in (("value", "value"), ("slope", "derivative")):
        if key not in rest:
            rest[key] = getattr(next(e for e in REFERENCES if e.name == name), part)
    DEFINITIONS.append(Definition(name, ranges, **rest))


ANY = Range(-1e30, 1e30)
POSITIVE = Range(1e-30, 1e30, 1e-30)
NOT_NEGATIVE = Range(0, 1e30)
STRETCH = Range(1e-6, 1e6, 1e-6)
SIGNED_STRETCH = Range(-1e6, 1e6)


def half_erfc(u: mpf) -> mpf:
    """Return (1 + erf(u)) / 2; beyond 43 its tail is below 2^-2600."""
    return mpmath.erfc(min(max(-u, mpf(-43)), mpf(43))) / 2


def normal_cdf(x: mpf) -> mpf:
    return half_erfc(x / mpmath.sqrt(2))


def gelu(x: mpf) -> mpf:
    return x * normal_cdf(x)


def inverse(*values: float) -> tuple[float, ...]:
    return tuple(1 / abs(v) for v in values if abs(v) > 1e-300)


# rectifiers, shrinkage, straight lines

define("relu", {"derivative_at_zero": Range(0, 1)})
define("leaky_relu", {"alpha": NOT_NEGATIVE, "derivative_at_zero": ANY})
define(
    "rrelu",
    {"lower": Range(0, 1), "upper": Range(0, 1)},
    legal=lambda lower, upper: lower <= upper,
    value=lambda x, lower, upper: x if x > 0 else (lower + upper) / 2 * x,
    slope=lambda x, lower, upper: 1 if x > 0 else (lower + upper) / 2,
)
define("thresholded_relu", {"theta": NOT_NEGATIVE}, places=lambda theta: (theta,))
define(
    "keras_relu",
    {"negative_slope": NOT_NEGATIVE, "max_value": NOT_NEGATIVE, "threshold": ANY},
    legal=lambda negative_slope, max_value, threshold: max_value >= threshold,
    places=lambda negative_slope, max_value, threshold: (threshold, max_value),
)
define("nlrelu", {"beta": POSITIVE}, scales=lambda beta: inverse(beta))
define(
    "hardtanh",
    {"low": ANY, "high": ANY},
    legal=lambda low, high: low < high,
    places=lambda low, high: (low, high),
)
define(
    "clip",
    {"low": ANY, "high": ANY},
    legal=lambda low, high: low < high,
    places=lambda low, high: (low, high),
    value=lambda x, low, high: min(max(x, low), high),
    slope=lambda x, low, high: 1 if low < x < high else 0,
)


def inside(x: mpf, low: mpf, high: mpf) -> bool:
    with mpmath.workprec(120):
        return bool(low < gelu(x) < high)


define(
    "clipped_gelu",
    {"low": ANY, "high": ANY},
    legal=lambda low, high: low < high,
    skip=lambda x, low, high: min(abs(gelu(x) - low), abs(gelu(x) - high)) < 1e-6 * abs(gelu(x)),
    value=lambda x, low, high: (
        gelu(x) if inside(x, low, high) else high if inside(x, low, mpf("inf")) else low
    ),
    slope=lambda x, low, high: (normal_cdf(x), x * normal_pdf(x)) if inside(x, low, high) else 0,
)
define(
    "hardsigmoid",
    {"slope": STRETCH, "offset": SIGNED_STRETCH},
    scales=lambda slope, offset: (1 / slope, (1 + abs(offset)) / slope),
    value=lambda x, slope, offset: (
        (slope * x, offset) if 0 < slope * x + offset < 1 else float(slope * x + offset > 0)
    ),
    slope=lambda x, slope, offset: slope if 0 < slope * x + offset < 1 else 0,
    skip=lambda x, slope, offset: (
        min(abs(slope * x + offset), abs(slope * x + offset - 1)) < 1e-6 * (1 + abs(offset))
    ),
)
define(
    "step",
    {"threshold": ANY, "window": NOT_NEGATIVE},
    places=lambda threshold, window: (threshold,),
    value=lambda x, threshold, window: 1 if x > threshold else 0,
    slope=lambda x, threshold, window: 1 if window and abs(x - threshold) <= window else 0,
)
define(
    "sign_ste",
    {"window": NOT_NEGATIVE},
    places=lambda window: (window,),
    slope=lambda x, window: 1 if window and abs(x) <= window else 0,
)
define("hardshrink", {"threshold": NOT_NEGATIVE}, places=lambda threshold: (threshold, -threshold))
define(
    "softshrink",
    {"threshold": NOT_NEGATIVE},
    places=lambda threshold: (threshold, -threshold),
    value=lambda x, threshold: x - mpmath.sign(x) * threshold if abs(x) > threshold else 0,
)
define(
    "shrink",
    {"threshold": NOT_NEGATIVE, "bias": ANY},
    places=lambda threshold, bias: (threshold, -threshold, bias),
    value=lambda x, threshold, bias: x - mpmath.sign(x) * bias if abs(x) > threshold else 0,
)
define(
    "threshold",
    {"threshold": ANY, "value": ANY},
    places=lambda threshold, value: (threshold,),
)
define(
    "smelu",
    {"beta": POSITIVE},
    scales=lambda beta: (beta,),
    places=lambda beta: (beta, -beta),
    value=lambda x, beta: 0 if x <= -beta else x if x >= beta else (x + beta) ** 2 / (4 * beta),
    slope=lambda x, beta: 0 if x <= -beta else 1 if x >= beta else (x / beta + 1) / 2,
)

# exponentials and roots

define("elu", {"alpha": NOT_NEGATIVE})
define("celu", {"alpha": STRETCH}, scales=lambda alpha: (alpha,))
define("softplus", {"beta": STRETCH}, scales=lambda beta: inverse(beta))
for name in ("isru", "isrlu"):
    define(name, {"alpha": Range(1e-12, 1e12, 1e-12)}, scales=lambda alpha: (alpha**-0.5,))
define("squareplus", {"b": Range(1e-100, 1e100, 1e-100)}, scales=lambda b: (b**0.5,))
define(
    "scaled_tanh",
    {"amplitude": ANY, "slope": POSITIVE},
    scales=lambda amplitude, slope: inverse(slope),
)
define("lecun_tanh_linear", {"slope": Range(0, 0.99)})
define(
    "softclip",
    {"alpha": Range(1e-6, 300, 1e-6)},
    scales=lambda alpha: inverse(alpha),
    places=lambda alpha: (1.0,),
    value=lambda x, alpha: softclip(x, alpha) if (x - 1) * alpha < 5000 else mpf(1),
)
define(
    "laplace_cdf",
    {"mu": ANY, "sigma": POSITIVE},
    scales=lambda mu, sigma: (sigma,),
    places=lambda mu, sigma: (mu, mu + sigma, mu - 9 * sigma, mu + 3 * sigma),
    value=lambda x, mu, sigma: normal_cdf((x - mu) / sigma),
)

# gated by x


def swish_slope(x: mpf, beta: mpf) -> Terms:
    u = beta * x
    return sigmoid(u), u * sigmoid(u) * sigmoid(-u)


define(
    "swish",
    {"beta": SIGNED_STRETCH},
    scales=lambda beta: inverse(beta),
    value=lambda x, beta: x * sigmoid(beta * x),
    slope=swish_slope,
    learned={"beta": lambda x, beta: x * x * sigmoid(beta * x) * sigmoid(-beta * x)},
    fixed={"learnable": True},
)


def switch(x: mpf, p1: mpf, p2: mpf, beta: mpf) -> tuple[mpf, mpf, mpf]:
    """Return u, sigmoid(u), sigmoid(-u)."""
    u = beta * (p1 - p2) * x
    return u, sigmoid(u), sigmoid(-u)


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


def acon_value(x: mpf, p1: mpf, p2: mpf, beta: mpf) -> Terms:
    _, on, off = switch(x, p1, p2, beta)
    return p1 * x * on, p2 * x * off


define(
    "acon_c",
    {"p1": ANY, "p2": ANY, "beta": SIGNED_STRETCH},
    scales=lambda p1, p2, beta: inverse(beta * (p1 - p2)),
    value=acon_value,
    slope=acon_slope,
    learned={"p1": acon_p1, "p2": acon_p2, "beta": acon_beta},
)


def bell(u: mpf) -> mpf:
    """Return erf'(u) / 2."""
    return exp(-u * u) / mpmath.sqrt(mpmath.pi)


def smu_value(x: mpf, alpha: mpf, mu: mpf) -> Terms:
    u = mu * (1 - alpha) * x
    return x * half_erfc(u), alpha * x * half_erfc(-u)


def smu_slope(x: mpf, alpha: mpf, mu: mpf) -> Terms:
    u = mu * (1 - alpha) * x
    return half_erfc(u), alpha * half_erfc(-u), (1 - alpha) * u * bell(u)


define(
    "smu",
    {"alpha": ANY, "mu": ANY},
    scales=lambda alpha, mu: inverse(mu * (1 - alpha)),
    value=smu_value,
    slope=smu_slope,
    learned={
        "mu": lambda x, alpha, mu: ((1 - alpha) * x) ** 2 * bell(mu * (1 - alpha) * x),
    },
)


def erf(u: mpf) -> mpf:
    return mpmath.erf(min(max(u, mpf(-43)), mpf(43)))


def gate(x: mpf, alpha: mpf, beta: mpf) -> mpf:
    return alpha * exp(min(beta * x, mpf(5000)))


define(
    "erfact",
    {"alpha": ANY, "beta": ANY},
    scales=lambda alpha, beta: inverse(beta),
    places=lambda alpha, beta: (
        (-math.log(abs(alpha)) / beta,) if beta and 1e-300 < abs(alpha) else ()
    ),
    value=lambda x, alpha, beta: x * erf(gate(x, alpha, beta)),
    slope=lambda x, alpha, beta: (
        erf(gate(x, alpha, beta)),
        2 * x * beta * gate(x, alpha, beta) * bell(gate(x, alpha, beta)),
    ),
    learned={
        "alpha": lambda x, alpha, beta: 2 * x * gate(x, mpf(1), beta) * bell(gate(x, alpha, beta)),
        "beta": lambda x, alpha, beta: (
            2 * x * x * gate(x, alpha, beta) * bell(gate(x, alpha, beta))
        ),
    },
)
define(
    "snake",
    {"alpha": ANY},
    fixed={"learnable": True},
    scales=lambda alpha: inverse(alpha),
    value=lambda x, alpha: (x, mpmath.sin(alpha * x) ** 2 / alpha if alpha else mpf(0)),
    slope=lambda x, alpha: (1, mpmath.sin(2 * alpha * x)),
    learned={
        "alpha": lambda x, alpha: (
            (*times(x / alpha, sine(2 * alpha * x)), -((mpmath.sin(alpha * x) / alpha) ** 2))
            if alpha * x
            else x * x
        )
    },
    reach=lambda alpha: 1e250 / max(1, abs(alpha)),
)

# S-shapes with a gain

define(
    "dyt",
    {"alpha": ANY, "gain": ANY, "shift": ANY},
    scales=lambda alpha, gain, shift: inverse(alpha),
    value=lambda x, alpha, gain, shift: (gain * mpmath.tanh(alpha * x), shift),
    slope=lambda x, alpha, gain, shift: gain * alpha * tanh_slope(alpha * x),
    learned={
        "alpha": lambda x, alpha, gain, shift: gain * x * tanh_slope(alpha * x),
        "gain": lambda x, alpha, gain, shift: mpmath.tanh(alpha * x),
        "shift": lambda x, alpha, gain, shift: mpf(1),
    },
)


define(
    "derf",
    {"alpha": ANY, "offset": SIGNED_STRETCH, "gain": ANY, "shift": ANY},
    scales=lambda alpha, offset, gain, shift: inverse(alpha),
    places=lambda alpha, offset, gain, shift: (
        (-offset / alpha, (1 - offset) / alpha, (-3 - offset) / alpha)
        if abs(alpha) > 1e-300
        else ()
    ),
    value=lambda x, alpha, offset, gain, shift: (gain * erf(alpha * x + offset), shift),
    slope=lambda x, alpha, offset, gain, shift: gain * alpha * 2 * bell(alpha * x + offset),
    learned={
        "alpha": lambda x, alpha, offset, gain, shift: gain * x * 2 * bell(alpha * x + offset),
        "offset": lambda x, alpha, offset, gain, shift: gain * 2 * bell(alpha * x + offset),
        "gain": lambda x, alpha, offset, gain, shift: erf(alpha * x + offset),
        "shift": lambda x, alpha, offset, gain, shift: mpf(1),
    },
)

# learnable pieces

define(
    "prelu",
    {"alpha": ANY},
    learned={"alpha": lambda x, alpha: min(x, 0)},
)
define(
    "pelu",
    {"a": Range(0.1, 1e30, 0.1), "b": Range(0.1, 1e30, 0.1)},
    scales=lambda a, b: (b,),
    learned={
        "a": lambda x, a, b: x / b if x >= 0 else exp(x / b) - 1,
        "b": lambda x, a, b: -a / b / b * (x if x >= 0 else x * exp(x / b)),
    },
)
define(
    "star_relu",
    {"scale": ANY, "shift": ANY},
    scales=lambda scale, shift: (abs(shift / scale) ** 0.5,) if scale else (),
    value=lambda x, scale, shift: (scale * max(x, 0) ** 2, shift),
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
    {"alpha": ANY},
    scales=lambda alpha: inverse(alpha),
    places=lambda alpha: (-alpha, 1 / alpha - alpha) if -1e300 < alpha < -1e-300 else (),
    value=soft_exponential,
    slope=soft_exponential_slope,
    learned={"alpha": soft_exponential_alpha},
    skip=lambda x, alpha: alpha < 0 and inside_logarithm(x, alpha) <= 0,
)


def excess(x: mpf) -> mpf:
    """Return e^x - 1 - x for x <= 0; beside 0 by its series, good to 120 digits."""
    return exp(x) - 1 - x if x < -1e-30 else x * x / 2 + x**3 / 6 + x**4 / 24 + x**5 / 120


define(
    "xielu",
    {"alpha_p": POSITIVE, "alpha_n": ANY, "beta": ANY},
    legal=lambda alpha_p, alpha_n, beta: alpha_n > beta,
    value=lambda x, alpha_p, alpha_n, beta: (
        (alpha_p * x * x, beta * x) if x > 0 else (alpha_n * excess(x), beta * x)
    ),
    slope=lambda x, alpha_p, alpha_n, beta: (
        (2 * alpha_p * x, beta) if x > 0 else (alpha_n * (exp(x) - 1), beta)
    ),
    # with respect to the raw parameters, of which alpha_p and alpha_n - beta are softplus
    learned={
        "raw_alpha_p": lambda x, alpha_p, alpha_n, beta: (
            x * x * -mpmath.expm1(-alpha_p) if x > 0 else 0
        ),
        "raw_alpha_n": lambda x, alpha_p, alpha_n, beta: (
            excess(x) * -mpmath.expm1(beta - alpha_n) if x <= 0 else 0
        ),
    },
)

# rational: the numerator's terms cancel

COEFFICIENTS = [f"p{j}" for j in range(6)] + [f"q{k}" for k in range(1, 5)]


def pau_parts(x: mpf, c: dict[str, mpf]) -> tuple[list[mpf], mpf, mpf]:
    """Return the numerator's terms, the denominator and its derivative."""
    top = [c[f"p{j}"] * x**j for j in range(6)]
    q = [mpf(1)] + [abs(c[f"q{k}"]) for k in range(1, 5)]
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
    dict.fromkeys(COEFFICIENTS, ANY),
    value=pau,
    slope=pau_slope,
    reach=lambda **_: 1e60,
    learned={
        **{f"p{j}": pau_p(j) for j in range(6)},
        **{f"q{k}": pau_q(k) for k in range(1, 5)},
    },
)

# waves

define("sin", {"w": STRETCH}, scales=lambda w: inverse(w), reach=lambda w: 1e250)
define(
    "finer",
    {"w": STRETCH},
    scales=lambda w: (*inverse(w), w**-0.5),
    reach=lambda w: min(1e6, math.sqrt(3e13 / w)),
)
define("wire", {"w": STRETCH, "s": STRETCH}, scales=lambda w, s: inverse(w, s))
