"""Definitions of the functions made of one logarithm, one exponential or one root."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from activations.check.definitions.self_gated import softplus
from activations.check.definitions.table import INF, exp, reference, sigmoid

for beta in (1.0, 1.3, 20.0):
    reference(
        "softplus",
        lambda x, beta: softplus(beta * x) / beta,
        lambda x, beta: sigmoid(beta * x),
        (0, INF, 0, 1),
        parameters={"beta": beta},
    )
reference("log_sigmoid", lambda x: -softplus(-x), lambda x: sigmoid(-x), (-INF, 0, 1, 0))
reference(
    "shifted_softplus",
    lambda x: softplus(x) - mpmath.log(2),
    sigmoid,
    (-mpmath.log(2), INF, 0, 1),
    branches=(0.0, 40.0),
)
reference(
    "logcosh",
    lambda x: mpmath.log((exp(x) + exp(-x)) / 2) if abs(x) < 10_000 else abs(x) - mpmath.log(2),
    mpmath.tanh,
    (INF, INF, -1, 1),
    branches=(0.0, 1.0, -1.0),
    hard=(-0.2503840826416157, -0.12505635658325254),
)
reference(
    "tanhshrink",
    lambda x: x - mpmath.tanh(x),
    lambda x: mpmath.tanh(x) ** 2,
    (-INF, INF, 1, 1),
    branches=(0.0, 2.0, -2.0),
)

reference("exponential", exp, exp, (0, INF, 0, INF))
for alpha in (1.0, 2.0, 0.3):
    reference(
        "elu",
        lambda x, alpha: x if x > 0 else alpha * (exp(x) - 1),
        lambda x, alpha: 1 if x > 0 else alpha * exp(x),
        (-alpha, INF, 0, 1),
        parameters={"alpha": alpha},
        kinks={0.0: alpha},
    )
    reference(
        "celu",
        lambda x, alpha: x if x > 0 else alpha * (exp(x / alpha) - 1),
        lambda x, alpha: 1 if x > 0 else exp(x / alpha),
        (-alpha, INF, 0, 1),
        parameters={"alpha": alpha},
        kinks={0.0: 1.0},
    )
SCALE, ALPHA = "1.0507009873554804934193349852946", "1.6732632423543772848170429916717"
reference(
    "selu",
    lambda x: mpf(SCALE) * (x if x > 0 else mpf(ALPHA) * (exp(x) - 1)),
    lambda x: mpf(SCALE) * (1 if x > 0 else mpf(ALPHA) * exp(x)),
    (-float(SCALE) * float(ALPHA), INF, 0, float(SCALE)),
    kinks={0.0: float(SCALE) * float(ALPHA)},
)

for b in (4.0, 0.1):
    reference(
        "squareplus",
        lambda x, b: (x + mpmath.sqrt(x * x + b)) / 2,
        lambda x, b: (1 + x / mpmath.sqrt(x * x + b)) / 2,
        (0, INF, 0, 1),
        parameters={"b": b},
    )
reference(
    "bent_identity",
    lambda x: (mpmath.sqrt(x * x + 1) - 1) / 2 + x,
    lambda x: 1 + x / (2 * mpmath.sqrt(x * x + 1)),
    (-INF, INF, 0.5, 1.5),
)
reference("asinh", mpmath.asinh, lambda x: 1 / mpmath.sqrt(x * x + 1), (-INF, INF, 0, 0))
reference(
    "symlog",
    lambda x: mpmath.sign(x) * mpmath.log(1 + abs(x)),
    lambda x: 1 / (1 + abs(x)),
    (-INF, INF, 0, 0),
)
