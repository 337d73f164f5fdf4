"""Definitions of the rectifiers, and of other functions that are piecewise polynomials."""

from __future__ import annotations

from typing import Any

import mpmath
from mpmath import mpf

from activations.check.definitions.elementary import INF, clamp, exp
from activations.check.definitions.table import (
    ANY,
    NOT_NEGATIVE,
    Terms,
    define,
    inverse,
)

define(
    "relu",
    lambda x, derivative_at_zero: max(x, 0),
    lambda x, derivative_at_zero: 1 if x > 0 else derivative_at_zero if x == 0 else 0,
    (0, INF, 0, 1),
    at=({}, {"derivative_at_zero": 0.0}, {"derivative_at_zero": 0.5}),
)
define(
    "leaky_relu",
    lambda x, alpha, derivative_at_zero: x if x > 0 else alpha * x,
    lambda x, alpha, derivative_at_zero: 1 if x > 0 else derivative_at_zero if x == 0 else alpha,
    lambda alpha, derivative_at_zero: (-INF if alpha else 0, INF, alpha, 1),
    at=[
        {"alpha": alpha, "derivative_at_zero": at_zero}
        for alpha, at_zero in (
            (0.2, 1.0),
            (0.01, 0.01),
            (0.0, 1.0),
            (3.0, 1.0),
            (3.0, 3.0),
            (0.2, 0.5),
        )
    ],
)
define("relu6", lambda x: clamp(x, 0, 6), lambda x: 1 if 0 < x < 6 else 0, (0, 6, 0, 0))
define(
    "rrelu",
    lambda x, lower, upper: x if x > 0 else (lower + upper) / 2 * x,
    lambda x, lower, upper: 1 if x > 0 else (lower + upper) / 2,
    (-INF, INF, 11 / 48, 1),
    legal=lambda lower, upper: lower <= upper,
)
define(
    "thresholded_relu",
    lambda x, theta: x if x > theta else 0,
    lambda x, theta: 1 if x > theta else 0,
    (0, INF, 0, 1),
)


def keras_relu(x: mpf, negative_slope: mpf, max_value: Any, threshold: mpf) -> mpf:
    if x <= threshold:
        return negative_slope * (x - threshold)
    return x if max_value is None else clamp(x, 0, max_value)


def keras_relu_slope(x: mpf, negative_slope: mpf, max_value: Any, threshold: mpf) -> Any:
    if x <= threshold:
        return negative_slope
    return 1 if max_value is None else 0 < x < max_value


define(
    "keras_relu",
    keras_relu,
    keras_relu_slope,
    lambda negative_slope, max_value, threshold: (
        -INF if negative_slope else 0,
        *((INF, negative_slope, 1) if max_value is None else (max_value, negative_slope, 0)),
    ),
    ranges={"negative_slope": NOT_NEGATIVE, "max_value": NOT_NEGATIVE, "threshold": ANY},
    legal=lambda negative_slope, max_value, threshold: max_value >= threshold,
    at=[
        {"negative_slope": slope, "max_value": most, "threshold": threshold}
        for slope, most, threshold in (
            (0.0, None, 0.0),
            (0.5, 6.0, 0.0),
            (0.25, 8.0, 2.0),
            (0.5, 4.0, -1.0),
            (0.5, None, -1.0),
        )
    ],
)
define(
    "nlrelu",
    lambda x, beta: mpmath.log1p(beta * max(x, 0)),
    lambda x, beta: beta / (1 + beta * x) if x > 0 else 0,
    (0, INF, 0, 0),
    scales=lambda beta: inverse(beta),
    at=({}, {"beta": 2.5}, {"beta": 0.3}),
)


def inside(x: mpf, low: Any, high: Any) -> bool:
    return (low is None or low < x) and (high is None or x < high)


define(
    "hardtanh",
    clamp,
    lambda x, low, high: int(inside(x, low, high)),
    lambda low, high: (low, high, 0, 0),
    legal=lambda low, high: low < high,
    at=({}, {"low": 0.5, "high": 2.0}),
)
define(
    "clip",
    clamp,
    lambda x, low, high: int(inside(x, low, high)),
    lambda low, high: (low, *((INF, 0, 1) if high is None else (high, 0, 0))),
    ranges={"low": ANY, "high": ANY},
    legal=lambda low, high: low < high,
    at=({}, {"low": -2.0, "high": None}),
)


def hardsigmoid(x: mpf, slope: mpf, offset: mpf) -> Terms:
    width = whole_width(slope)
    y = x / width + offset
    if not 0 < y < 1:
        return clamp(y, 0, 1)
    left = offset * width
    return y if mpf(float(left)) == left else (x / width, offset)


def whole_width(slope: mpf) -> mpf:
    """Return 1 / slope; the slopes 1/6 and 1/5 stand for the exact fractions, not the floats."""
    width = 1 / slope
    return mpmath.nint(width) if abs(width - mpmath.nint(width)) < 1e-9 else width


define(
    "hardsigmoid",
    hardsigmoid,
    lambda x, slope, offset: (
        1 / whole_width(slope) if 0 < x / whole_width(slope) + offset < 1 else 0
    ),
    (0, 1, 0, 0),
    scales=lambda slope, offset: (1 / slope, (1 + abs(offset)) / slope),
    skip=lambda x, slope, offset: (
        min(abs(slope * x + offset), abs(slope * x + offset - 1)) < 1e-6 * (1 + abs(offset))
    ),
    at=({}, {"slope": 0.2}),
)
define(
    "sparse_sigmoid",
    lambda x: clamp((x + 1) / 2, 0, 1),
    lambda x: mpf(1) / 2 if -1 < x < 1 else 0,
    (0, 1, 0, 0),
)
define(
    "sqnl",
    lambda x: x - x * abs(x) / 4 if abs(x) < 2 else mpmath.sign(x),
    lambda x: max(1 - abs(x) / 2, 0),
    (-1, 1, 0, 0),
)
define(
    "hard_gaussian_hat",
    lambda x: max(1 - abs(x), 0),
    lambda x: -mpmath.sign(x) if abs(x) < 1 else 0,
    (0, 0, 0, 0),
)
define(
    "step",
    lambda x, threshold, window: 1 if x > threshold else 0,
    lambda x, threshold, window: 1 if window and abs(x - threshold) <= window else 0,
    (0, 1, 0, 0),
    # the float x - threshold is rounded, so its comparison with the window may differ
    skip=lambda x, threshold, window: abs(abs(x - threshold) - window) < 1e-6 * window,
)
define(
    "sign_ste",
    lambda x, window: mpmath.sign(x),
    lambda x, window: 1 if window and abs(x) <= window else 0,
    (-1, 1, 0, 0),
    at=({"window": 0.0},),
)


def beyond(x: mpf, threshold: mpf, bias: Any = 0) -> Any:
    return 1 if abs(x) > threshold else 0


define(
    "hardshrink",
    lambda x, threshold: x if abs(x) > threshold else 0,
    beyond,
    (-INF, INF, 1, 1),
)
define(
    "softshrink",
    lambda x, threshold: x - mpmath.sign(x) * threshold if abs(x) > threshold else 0,
    beyond,
    (-INF, INF, 1, 1),
)
define(
    "shrink",
    lambda x, threshold, bias: x - mpmath.sign(x) * bias if abs(x) > threshold else 0,
    beyond,
    (-INF, INF, 1, 1),
    branches=lambda threshold, bias: (bias,),
    at=({}, {"bias": 0.2}),
)
define(
    "threshold",
    lambda x, threshold, value: x if x > threshold else value,
    lambda x, threshold, value: 1 if x > threshold else 0,
    lambda threshold, value: (value, INF, 0, 1),
    at=({}, {"threshold": 0.125, "value": 20.0}),
)

define("identity", lambda x: x, lambda x: 1, (-INF, INF, 1, 1))
define("abs", abs, mpmath.sign, (INF, INF, -1, 1))
define(
    "hardswish",
    lambda x: x * clamp(x + 3, 0, 6) / 6,
    lambda x: 0 if x <= -3 else 1 if x >= 3 else (x / 3, mpf(1) / 2),
    (0, INF, 0, 1),
)
define(
    "hard_mish",
    lambda x: x * clamp(x + 2, 0, 2) / 2,
    lambda x: 0 if x <= -2 else 1 if x >= 0 else (x, 1),
    (0, INF, 0, 1),
)


def elish_part(x: mpf) -> mpf:
    return x if x >= 0 else exp(x) - 1


def hard_elish_slope(x: mpf) -> Terms:
    if abs(x) >= 1:
        return 1 if x > 0 else 0
    return elish_part(x) / 2, (1 if x >= 0 else exp(x)) * (x + 1) / 2


define(
    "hard_elish",
    lambda x: elish_part(x) * clamp((x + 1) / 2, 0, 1),
    hard_elish_slope,
    (0, INF, 0, 1),
)


def smelu(x: mpf, beta: Any = 1) -> mpf:
    return 0 if x <= -beta else x if x >= beta else (x + beta) ** 2 / (4 * beta)


def smelu_slope(x: mpf, beta: Any = 1) -> mpf:
    return 0 if x <= -beta else 1 if x >= beta else (x / beta + 1) / 2


define("sparse_plus", smelu, smelu_slope, (0, INF, 0, 1))
define(
    "smelu",
    smelu,
    smelu_slope,
    (0, INF, 0, 1),
    scales=lambda beta: (beta,),
    at=({}, {"beta": 0.25}),
)

define("square", lambda x: x * x, lambda x: 2 * x, (INF, INF, -INF, INF))
define("cubic", lambda x: x**3, lambda x: 3 * x * x, (-INF, INF, INF, INF))
define("relu_squared", lambda x: max(x, 0) ** 2, lambda x: 2 * max(x, 0), (0, INF, 0, INF))
