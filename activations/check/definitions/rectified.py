"""Definitions of the rectifiers, and of the other functions made of lines and powers."""

from __future__ import annotations

from typing import Any

import mpmath
from mpmath import mpf

from activations.check.definitions.table import INF, exp, reference


def clamp(x: mpf, low: Any, high: Any) -> mpf:
    return min(max(x, low), high)


for at_zero in (1.0, 0.0, 0.5):
    reference(
        "relu",
        lambda x, derivative_at_zero: max(x, 0),
        lambda x, derivative_at_zero: 1 if x > 0 else derivative_at_zero if x == 0 else 0,
        (0, INF, 0, 1),
        parameters={"derivative_at_zero": at_zero},
        kinks={0.0: at_zero},
    )
for alpha, at_zero in ((0.2, 1.0), (0.01, 0.01), (0.0, 1.0), (3.0, 1.0), (3.0, 3.0), (0.2, 0.5)):
    reference(
        "leaky_relu",
        lambda x, alpha, derivative_at_zero: x if x > 0 else alpha * x,
        lambda x, alpha, derivative_at_zero: (
            1 if x > 0 else derivative_at_zero if x == 0 else alpha
        ),
        (-INF if alpha else 0, INF, alpha, 1),
        parameters={"alpha": alpha, "derivative_at_zero": at_zero},
        kinks={0.0: at_zero},
    )
reference(
    "relu6",
    lambda x: clamp(x, 0, 6),
    lambda x: 1 if 0 < x < 6 else 0,
    (0, 6, 0, 0),
    kinks={0.0: 0.0, 6.0: 0.0},
)
reference(
    "rrelu",
    lambda x: x if x > 0 else (mpf(1) / 8 + mpf(1) / 3) / 2 * x,
    lambda x: 1 if x > 0 else (mpf(1) / 8 + mpf(1) / 3) / 2,
    (-INF, INF, 11 / 48, 1),
    kinks={0.0: 11 / 48},
)
reference(
    "thresholded_relu",
    lambda x, theta: x if x > theta else 0,
    lambda x, theta: 1 if x > theta else 0,
    (0, INF, 0, 1),
    parameters={"theta": 1.0},
    kinks={1.0: 0.0},
)
for slope, most, threshold in (
    (0.0, None, 0.0),
    (0.5, 6.0, 0.0),
    (0.25, 8.0, 2.0),
    (0.5, 4.0, -1.0),
    (0.5, None, -1.0),
):
    ends = {} if most is None else {most: 0.0}
    reference(
        "keras_relu",
        lambda x, negative_slope, max_value, threshold: (
            negative_slope * (x - threshold)
            if x <= threshold
            else x
            if max_value is None
            else clamp(x, 0, max_value)
        ),
        lambda x, negative_slope, max_value, threshold: (
            negative_slope if x <= threshold else 1 if max_value is None else 0 < x < max_value
        ),
        (-INF if slope else 0, INF if most is None else most, slope, 1 if most is None else 0),
        parameters={"negative_slope": slope, "max_value": most, "threshold": threshold},
        kinks={threshold: slope, **ends},
    )
for beta in (1.0, 2.5, 0.3):
    reference(
        "nlrelu",
        lambda x, beta: mpmath.log1p(beta * max(x, 0)),
        lambda x, beta: beta / (1 + beta * x) if x > 0 else 0,
        (0, INF, 0, 0),
        parameters={"beta": beta},
        kinks={0.0: 0.0},
    )

for low, high in ((-1.0, 1.0), (0.5, 2.0)):
    reference(
        "hardtanh",
        clamp,
        lambda x, low, high: 1 if low < x < high else 0,
        (low, high, 0, 0),
        parameters={"low": low, "high": high},
        kinks={low: 0.0, high: 0.0},
    )
reference(
    "clip",
    clamp,
    lambda x, low, high: 1 if low < x < high else 0,
    (0, 1, 0, 0),
    parameters={"low": 0.0, "high": 1.0},
    kinks={0.0: 0.0, 1.0: 0.0},
)
reference(
    "clip",
    lambda x, low, high: max(x, low),
    lambda x, low, high: 1 if low < x else 0,
    (-2, INF, 0, 1),
    parameters={"low": -2.0, "high": None},
    kinks={-2.0: 0.0},
)
for slope, kink in ((1 / 6, 3.0), (0.2, 2.5)):  # slope means 1/6 and 1/5, not the floats

    def width(slope: mpf) -> mpf:
        return mpf(round(1 / slope))

    reference(
        "hardsigmoid",
        lambda x, slope, offset: clamp(x / width(slope) + offset, 0, 1),
        lambda x, slope, offset: 1 / width(slope) if abs(x) < width(slope) / 2 else 0,
        (0, 1, 0, 0),
        parameters={"slope": slope, "offset": 0.5},
        kinks={-kink: 0.0, kink: 0.0},
    )
reference(
    "sparse_sigmoid",
    lambda x: clamp((x + 1) / 2, 0, 1),
    lambda x: mpf(1) / 2 if -1 < x < 1 else 0,
    (0, 1, 0, 0),
    kinks={-1.0: 0.0, 1.0: 0.0},
)
reference(
    "sqnl",
    lambda x: x - x * abs(x) / 4 if abs(x) < 2 else mpmath.sign(x),
    lambda x: max(1 - abs(x) / 2, 0),
    (-1, 1, 0, 0),
    kinks={-2.0: 0.0, 0.0: 1.0, 2.0: 0.0},
)
reference(
    "hard_gaussian_hat",
    lambda x: max(1 - abs(x), 0),
    lambda x: -mpmath.sign(x) if abs(x) < 1 else 0,
    (0, 0, 0, 0),
    kinks={-1.0: 0.0, 0.0: 0.0, 1.0: 0.0},
)
reference(
    "step",
    lambda x, threshold: 1 if x > threshold else 0,
    lambda x, threshold: 0,
    (0, 1, 0, 0),
    parameters={"threshold": 0.0},
    kinks={0.0: 0.0},
)
reference(
    "sign_ste",
    lambda x, window: mpmath.sign(x),
    lambda x, window: 0,
    (-1, 1, 0, 0),
    parameters={"window": 0.0},
    kinks={0.0: 0.0},
)

for name, bias in (("hardshrink", 0.0), ("softshrink", 0.5), ("shrink", 0.0), ("shrink", 0.2)):
    reference(
        name,
        lambda x, threshold, bias=bias: x - mpmath.sign(x) * bias if abs(x) > threshold else 0,
        lambda x, threshold, bias=bias: 1 if abs(x) > threshold else 0,
        (-INF, INF, 1, 1),
        parameters={"threshold": 0.5} | ({"bias": bias} if name == "shrink" else {}),
        kinks={-0.5: 0.0, 0.5: 0.0},
    )
for threshold, value in ((0.0, 0.0), (0.125, 20.0)):
    reference(
        "threshold",
        lambda x, threshold, value: x if x > threshold else value,
        lambda x, threshold, value: 1 if x > threshold else 0,
        (value, INF, 0, 1),
        parameters={"threshold": threshold, "value": value},
        kinks={threshold: 0.0},
    )

reference("identity", lambda x: x, lambda x: 1, (-INF, INF, 1, 1))
reference("abs", abs, mpmath.sign, (INF, INF, -1, 1), kinks={0.0: 0.0})
reference(
    "hardswish",
    lambda x: x * clamp(x + 3, 0, 6) / 6,
    lambda x: 0 if x <= -3 else 1 if x >= 3 else (x / 3, mpf(1) / 2),
    (0, INF, 0, 1),
    kinks={-3.0: 0.0, 3.0: 1.0},
)
reference(
    "hard_mish",
    lambda x: x * clamp(x + 2, 0, 2) / 2,
    lambda x: 0 if x <= -2 else 1 if x >= 0 else (x, 1),
    (0, INF, 0, 1),
    kinks={-2.0: 0.0, 0.0: 1.0},
)


def elish_part(x: mpf) -> mpf:
    return x if x >= 0 else exp(x) - 1


reference(
    "hard_elish",
    lambda x: elish_part(x) * clamp((x + 1) / 2, 0, 1),
    lambda x: (
        0
        if x <= -1
        else 1
        if x >= 1
        else (elish_part(x) / 2, (1 if x >= 0 else exp(x)) * (x + 1) / 2)
    ),
    (0, INF, 0, 1),
    kinks={-1.0: 0.0, 0.0: 0.5, 1.0: 1.0},
)
for name, beta in (("sparse_plus", 1.0), ("smelu", 1.0), ("smelu", 0.25)):
    reference(
        name,
        lambda x, beta=beta: (
            0 if x <= -beta else x if x >= beta else (x + mpf(beta)) ** 2 / (4 * mpf(beta))
        ),
        lambda x, beta=beta: 0 if x <= -beta else 1 if x >= beta else (x / mpf(beta) + 1) / 2,
        (0, INF, 0, 1),
        parameters={} if name == "sparse_plus" else {"beta": beta},
        kinks={-beta: 0.0, beta: 1.0},
    )

reference("square", lambda x: x * x, lambda x: 2 * x, (INF, INF, -INF, INF))
reference("cubic", lambda x: x**3, lambda x: 3 * x * x, (-INF, INF, INF, INF))
reference(
    "relu_squared",
    lambda x: max(x, 0) ** 2,
    lambda x: 2 * max(x, 0),
    (0, INF, 0, INF),
    kinks={0.0: 0.0},
)
