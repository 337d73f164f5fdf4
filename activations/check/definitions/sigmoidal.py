"""Definitions of the S-shaped functions and of the functions of the normal distribution."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from activations.check.definitions.elementary import (
    INF,
    erf,
    erf_slope,
    exp,
    normal_cdf,
    normal_pdf,
    sigmoid,
    tanh_slope,
)
from activations.check.definitions.table import define, inverse

define("sigmoid", sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x)), (0, 1, 0, 0))
define("tanh", mpmath.tanh, tanh_slope, (-1, 1, 0, 0))
define(
    "scaled_tanh",
    lambda x, amplitude, slope: amplitude * mpmath.tanh(slope * x),
    lambda x, amplitude, slope: amplitude * slope * tanh_slope(slope * x),
    lambda amplitude, slope: (-amplitude, amplitude, 0, 0),
    scales=lambda amplitude, slope: inverse(slope),
    at=({}, {"amplitude": 1.0, "slope": 3.0}),
)
define(
    "lecun_tanh_linear",
    lambda x, slope: mpmath.tanh(x) + slope * x,
    lambda x, slope: tanh_slope(x) + slope,
    lambda slope: (-INF, INF, slope, slope),
)
define(
    "cloglog",
    lambda x: 1 - exp(-exp(x)),
    lambda x: exp(x - exp(x)),
    (0, 1, 0, 0),
    branches=(0.0, 6.0, 6.75),
)


def softclip(x: mpf, alpha: mpf) -> mpf:
    if (x - 1) * alpha > 5000:
        return mpf(1)
    return mpmath.log((1 + exp(alpha * x)) / (1 + exp(alpha * (x - 1)))) / alpha


define(
    "softclip",
    softclip,
    lambda x, alpha: sigmoid(alpha * x) - sigmoid(alpha * (x - 1)),
    (0, 1, 0, 0),
    scales=lambda alpha: inverse(alpha),
    branches=(0.5, 1.0),
    at=({}, {"alpha": 0.7}),
)

define("softsign", lambda x: x / (1 + abs(x)), lambda x: (1 + abs(x)) ** -2, (-1, 1, 0, 0))
define(
    "elliott",
    lambda x: (1 + x / (1 + abs(x))) / 2,
    lambda x: (1 + abs(x)) ** -2 / 2,
    (0, 1, 0, 0),
)


def isru(x: mpf, alpha: mpf) -> mpf:
    return x / mpmath.sqrt(1 + alpha * x * x)


def isru_slope(x: mpf, alpha: mpf) -> mpf:
    return (1 + alpha * x * x) ** mpf(-1.5)


define(
    "isru",
    isru,
    isru_slope,
    lambda alpha: (-(alpha**-0.5), alpha**-0.5, 0, 0),
    scales=lambda alpha: (alpha**-0.5,),
    branches=(1e150,),
    at=({}, {"alpha": 3.0}),
)
define(
    "isrlu",
    lambda x, alpha: x if x >= 0 else isru(x, alpha),
    lambda x, alpha: 1 if x >= 0 else isru_slope(x, alpha),
    lambda alpha: (-(alpha**-0.5), INF, 0, 1),
    scales=lambda alpha: (alpha**-0.5,),
    at=({}, {"alpha": 3.0}),
)
define("arctan", mpmath.atan, lambda x: 1 / (1 + x * x), (-mpmath.pi / 2, mpmath.pi / 2, 0, 0))

define("erf", erf, erf_slope, (-1, 1, 0, 0), branches=(1.0, -1.0))
define("normal_cdf", normal_cdf, normal_pdf, (0, 1, 0, 0))
define(
    "laplace_cdf",
    lambda x, mu, sigma: normal_cdf((x - mu) / sigma),
    lambda x, mu, sigma: normal_pdf((x - mu) / sigma) / sigma,
    (0, 1, 0, 0),
    scales=lambda mu, sigma: (sigma,),
    branches=lambda mu, sigma: (mu, mu + sigma, mu - 9 * sigma, mu + 3 * sigma),
    hard=(-8.882551426164556, -7.3259629331873395),
    at=({}, {"mu": -3.3, "sigma": 1.7}),
)
define(
    "gaussian",
    lambda x: exp(-x * x),
    lambda x: -2 * x * exp(-x * x),
    (0, 0, 0, 0),
    branches=(26.0, -26.0),
)
