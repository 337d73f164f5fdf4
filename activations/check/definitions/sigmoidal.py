"""Definitions of the S-shaped functions."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from activations.check.definitions.table import INF, exp, normal_cdf, normal_pdf, reference, sigmoid


def tanh_slope(x: mpf) -> mpf:
    e = exp(abs(x))
    return (2 / (e + 1 / e)) ** 2


reference("sigmoid", sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x)), (0, 1, 0, 0))
reference("tanh", mpmath.tanh, tanh_slope, (-1, 1, 0, 0))
for amplitude, slope in ((1.7159, 2 / 3), (1.0, 3.0)):
    reference(
        "scaled_tanh",
        lambda x, amplitude, slope: amplitude * mpmath.tanh(slope * x),
        lambda x, amplitude, slope: amplitude * slope * tanh_slope(slope * x),
        (-amplitude, amplitude, 0, 0),
        parameters={"amplitude": amplitude, "slope": slope},
    )
reference(
    "lecun_tanh_linear",
    lambda x, slope: mpmath.tanh(x) + slope * x,
    lambda x, slope: tanh_slope(x) + slope,
    (-INF, INF, 0.01, 0.01),
    parameters={"slope": 0.01},
)
reference(
    "cloglog",
    lambda x: 1 - exp(-exp(x)),
    lambda x: exp(x - exp(x)),
    (0, 1, 0, 0),
    branches=(0.0, 6.0, 6.75),
)


def softclip(x: mpf, alpha: mpf) -> mpf:
    return mpmath.log((1 + exp(alpha * x)) / (1 + exp(alpha * (x - 1)))) / alpha


for alpha in (10.0, 0.7):
    reference(
        "softclip",
        lambda x, alpha: softclip(x, alpha) if x < 500 else mpf(1),
        lambda x, alpha: sigmoid(alpha * x) - sigmoid(alpha * (x - 1)),
        (0, 1, 0, 0),
        parameters={"alpha": alpha},
        branches=(0.5, 1.0),
    )

reference("softsign", lambda x: x / (1 + abs(x)), lambda x: (1 + abs(x)) ** -2, (-1, 1, 0, 0))
reference(
    "elliott",
    lambda x: (1 + x / (1 + abs(x))) / 2,
    lambda x: (1 + abs(x)) ** -2 / 2,
    (0, 1, 0, 0),
)
for alpha in (1.0, 3.0):
    reference(
        "isru",
        lambda x, alpha: x / mpmath.sqrt(1 + alpha * x * x),
        lambda x, alpha: (1 + alpha * x * x) ** mpf(-1.5),
        (-(alpha**-0.5), alpha**-0.5, 0, 0),
        parameters={"alpha": alpha},
        branches=(1e150,),
    )
    reference(
        "isrlu",
        lambda x, alpha: x if x >= 0 else x / mpmath.sqrt(1 + alpha * x * x),
        lambda x, alpha: 1 if x >= 0 else (1 + alpha * x * x) ** mpf(-1.5),
        (-(alpha**-0.5), INF, 0, 1),
        parameters={"alpha": alpha},
        kinks={0.0: 1.0},
    )
reference("arctan", mpmath.atan, lambda x: 1 / (1 + x * x), (-mpmath.pi / 2, mpmath.pi / 2, 0, 0))

reference(
    "erf",
    mpmath.erf,
    lambda x: 2 / mpmath.sqrt(mpmath.pi) * exp(-x * x),
    (-1, 1, 0, 0),
    branches=(1.0, -1.0),
)
reference("normal_cdf", normal_cdf, normal_pdf, (0, 1, 0, 0))
for mu, sigma in ((0.707107, 0.282095), (-3.3, 1.7)):
    reference(
        "laplace_cdf",
        lambda x, mu, sigma: normal_cdf((x - mu) / sigma),
        lambda x, mu, sigma: normal_pdf((x - mu) / sigma) / sigma,
        (0, 1, 0, 0),
        parameters={"mu": mu, "sigma": sigma},
        branches=(mu,),
        hard=(-8.882551426164556, -7.3259629331873395),
    )
reference(
    "gaussian",
    lambda x: exp(-x * x),
    lambda x: -2 * x * exp(-x * x),
    (0, 0, 0, 0),
    branches=(26.0, -26.0),
)
