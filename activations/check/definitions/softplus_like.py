"""Definitions of the functions made of one logarithm, one exponential or one root."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from activations.check.definitions.elementary import INF, exp, sigmoid, softplus
from activations.check.definitions.table import define, inverse

define(
    "softplus",
    lambda x, beta: softplus(beta * x) / beta,
    lambda x, beta: sigmoid(beta * x),
    (0, INF, 0, 1),
    scales=lambda beta: inverse(beta),
    at=({}, {"beta": 1.3}, {"beta": 20.0}),
)
define("log_sigmoid", lambda x: -softplus(-x), lambda x: sigmoid(-x), (-INF, 0, 1, 0))
define(
    "shifted_softplus",
    lambda x: softplus(x) - mpmath.log(2),
    sigmoid,
    (-mpmath.log(2), INF, 0, 1),
    branches=(0.0, 40.0),
)
define(
    "logcosh",
    lambda x: mpmath.log((exp(x) + exp(-x)) / 2) if abs(x) < 10_000 else abs(x) - mpmath.log(2),
    mpmath.tanh,
    (INF, INF, -1, 1),
    branches=(0.0, 1.0, -1.0),
    hard=(-0.2503840826416157, -0.12505635658325254),
)
define(
    "tanhshrink",
    lambda x: x - mpmath.tanh(x),
    lambda x: mpmath.tanh(x) ** 2,
    (-INF, INF, 1, 1),
    branches=(0.0, 2.0, -2.0),
)

define("exponential", exp, exp, (0, INF, 0, INF))
define(
    "elu",
    lambda x, alpha: x if x > 0 else alpha * (exp(x) - 1),
    lambda x, alpha: 1 if x > 0 else alpha * exp(x),
    lambda alpha: (-alpha, INF, 0, 1),
    at=({}, {"alpha": 2.0}, {"alpha": 0.3}),
)
define(
    "celu",
    lambda x, alpha: x if x > 0 else alpha * (exp(x / alpha) - 1),
    lambda x, alpha: 1 if x > 0 else exp(x / alpha),
    lambda alpha: (-alpha, INF, 0, 1),
    scales=lambda alpha: (alpha,),
    at=({}, {"alpha": 2.0}, {"alpha": 0.3}),
)
SCALE, ALPHA = "1.0507009873554804934193349852946", "1.6732632423543772848170429916717"
define(
    "selu",
    lambda x: mpf(SCALE) * (x if x > 0 else mpf(ALPHA) * (exp(x) - 1)),
    lambda x: mpf(SCALE) * (1 if x > 0 else mpf(ALPHA) * exp(x)),
    (-float(SCALE) * float(ALPHA), INF, 0, float(SCALE)),
)

define(
    "squareplus",
    lambda x, b: (x + mpmath.sqrt(x * x + b)) / 2,
    lambda x, b: (1 + x / mpmath.sqrt(x * x + b)) / 2,
    (0, INF, 0, 1),
    scales=lambda b: (b**0.5,),
    at=({}, {"b": 0.1}),
)
define(
    "bent_identity",
    lambda x: (mpmath.sqrt(x * x + 1) - 1) / 2 + x,
    lambda x: 1 + x / (2 * mpmath.sqrt(x * x + 1)),
    (-INF, INF, 0.5, 1.5),
)
define("asinh", mpmath.asinh, lambda x: 1 / mpmath.sqrt(x * x + 1), (-INF, INF, 0, 0))
define(
    "symlog",
    lambda x: mpmath.sign(x) * mpmath.log(1 + abs(x)),
    lambda x: 1 / (1 + abs(x)),
    (-INF, INF, 0, 0),
)
