"""Logarithms of sums of exponentials, and x - tanh(x): smooth functions with linear asymptotes."""

from __future__ import annotations

import math

import numpy as np

from activations.arguments import parameter
from activations.base import Array, Elementwise, SharedParts, in_float64
from activations.functions.sigmoidal import logistic
from activations.functions.special import (
    NO_OVERFLOW,
    SUBNORMAL,
    constants,
    exp_of_sum,
    log1p_to_1,
    polynomial,
    two_product,
    where_below,
)

LN_2 = math.log(2)


class Softplus(SharedParts):
    """ln(1 + e^(beta x)) / beta. Range (0, inf).

    f' = sigmoid(beta x). f is computed as max(x, 0) + ln(1 + z) / beta with z = e^-|beta x|.
    PyTorch returns x if beta x > 20, which loses up to 6 of 16 digits in float64.
    Dugas et al. 2000, https://papers.nips.cc/paper/2000/hash/44968aece94f667e4095002d140b5896
    """

    name = "softplus"
    beta = parameter(1.0, minimum=1e-06, maximum=1000000.0)

    def parts(self, x: Array, exact: bool) -> Array | None:
        return np.exp(-np.abs(x)) if self.beta == 1 else None

    def value(self, x: Array, z: Array) -> Array:
        return np.maximum(x, 0) + log1p_to_1(z) if self.beta == 1 else self._scaled_value(x)

    def slope(self, x: Array, z: Array) -> Array:
        return logistic(x, z) if self.beta == 1 else self._scaled_slope(x)

    @in_float64
    def _scaled_value(self, x: Array) -> Array:
        p, rest = two_product(-self.beta, np.minimum(np.abs(x), 1600 / self.beta))

        def tail(p: Array) -> Array:
            half = exp_of_sum(p / 2, rest / 2)
            return half * (half / self.beta)

        excess = np.log1p(exp_of_sum(p, rest)) / self.beta
        return np.maximum(x, 0) + where_below(p, SUBNORMAL, tail, excess)

    @in_float64
    def _scaled_slope(self, x: Array) -> Array:
        c = np.minimum(np.maximum(x, -800 / self.beta), NO_OVERFLOW / self.beta)
        n = exp_of_sum(*two_product(self.beta, c))
        return n / (1 + n)


class LogSigmoid(SharedParts):
    """ln(sigmoid(x)) = -ln(1 + e^-x) = min(x, 0) - ln(1 + e^-|x|). Range (-inf, 0).

    f' = sigmoid(-x).
    """

    name = "log_sigmoid"

    def parts(self, x: Array, exact: bool) -> Array:
        return np.exp(-np.abs(x))

    def value(self, x: Array, z: Array) -> Array:
        return np.minimum(x, 0) - log1p_to_1(z)

    def slope(self, x: Array, z: Array) -> Array:
        return logistic(-x, z)


class ShiftedSoftplus(Elementwise, float64=True):
    """ln((1 + e^x) / 2) = softplus(x) - ln 2, so f(0) = 0. Range (-ln 2, inf).

    f' = sigmoid(x). f is computed as ln(1 + (e^x - 1) / 2), which does not cancel near 0.
    Schuett et al. 2017 (SchNet), https://arxiv.org/abs/1706.08566
    """

    name = "shifted_softplus"

    def forward(self, x: Array) -> Array:
        near = np.log1p(np.expm1(np.minimum(x, NO_OVERFLOW)) / 2)
        return near + np.maximum(x - NO_OVERFLOW, 0)

    def derivative(self, x: Array, y: Array) -> Array:
        n = np.exp(np.minimum(x, NO_OVERFLOW))
        return n / (1 + n)


class LogCosh(Elementwise, float64=True):
    """ln(cosh(x)): x^2 / 2 near 0, |x| - ln 2 for large |x|. Range [0, inf), even.

    f' = tanh(x). For |x| < 1, f is computed as ln(1 + (cosh(x) - 1)) with the power series of cosh,
    elsewhere as |x| + ln(1 + e^-2|x|) - ln 2.
    """

    name = "logcosh"

    def forward(self, x: Array) -> Array:
        a = np.abs(x)
        square = np.square(np.minimum(a, 1.0))
        near = np.log1p(0.5 * square * (1 + square * polynomial(_COSH_SERIES, square)))
        far = a + (np.log1p(np.exp(-2 * np.minimum(a, 400.0))) - LN_2)
        return np.where(a < 1, near, far)

    def derivative(self, x: Array, y: Array) -> Array:
        return np.tanh(x)


# (cosh(x) - 1) 2 / x^2 = 1 + x^2 (...); coefficients in powers of x^2, highest power first
_COSH_SERIES = constants(*(2 / math.factorial(2 * k) for k in range(10, 1, -1)))


class TanhShrink(Elementwise, float64=True):
    """x - tanh(x): x^3 / 3 near 0, x -+ 1 for large |x|. Range (-inf, inf).

    f' = tanh(x)^2. The difference cancels near 0. For |x| < 2, f is computed as x N(x^2) / D(x^2),
    from 11 levels of Lambert's continued fraction of tanh.
    torch.nn.Tanhshrink; Lambert 1761 (continued fraction).
    """

    name = "tanhshrink"

    def forward(self, x: Array) -> Array:
        c = np.minimum(np.maximum(x, -2.0), 2.0)
        t = c * c
        near = c * (t * polynomial(_NUMERATOR, t) / polynomial(_DENOMINATOR, t))
        return np.where(np.abs(x) < 2, near, x - np.tanh(x))

    def derivative(self, x: Array, y: Array) -> Array:
        t = np.tanh(x)
        return t * t


_NUMERATOR = constants(1.0, 2925.0, 1276275.0, 174594420.0, 8249586345.0, 105411381075.0)
_DENOMINATOR = constants(
    1.0,
    3003.0,
    1351350.0,
    192972780.0,
    9820936125.0,
    151242416325.0,
    316234143225.0,
)
