"""S-shaped functions made of exponentials; most approach their limits exponentially fast."""

from __future__ import annotations

import decimal
import functools
import math

import numpy as np

from activations.arguments import parameter
from activations.base import Array, Elementwise, SharedParts
from activations.functions.special import (
    SUBNORMAL,
    exp_of_sum,
    tanh_slope,
    two_product,
    two_quotient,
    two_sum,
    where_below,
)


def logistic(x: Array, z: Array) -> Array:
    """Return 1 / (1 + e^-x), given z = e^-|x|: z / (1 + z) for x < 0, else 1 / (1 + z)."""
    return np.maximum(z, (x >= 0).astype(x.dtype)) / (1 + z)


class Sigmoid(SharedParts):
    """1 / (1 + e^-x), the logistic function. Range (0, 1).

    f' = y (1 - y) = z / (1 + z)^2 with z = e^-|x|. The last form is used: it does not overflow,
    while y (1 - y) rounds to 0 for x > 17 in float32 and x > 37 in float64.
    Verhulst 1845; in neural networks: Rumelhart, Hinton & Williams 1986.
    """

    name = "sigmoid"

    def parts(self, x: Array, exact: bool) -> Array:
        return np.exp(-np.abs(x))

    def value(self, x: Array, z: Array) -> Array:
        return logistic(x, z)

    def slope(self, x: Array, z: Array) -> Array:
        d = 1 + z
        return z / (d * d)


class TanH(Elementwise):
    """(e^x - e^-x) / (e^x + e^-x), the hyperbolic tangent. Range (-1, 1).

    f' = 1 - y^2 = 4 w / (1 + w)^2 with w = e^-2|x|. The last form is used; it does not cancel.
    LeCun et al. 1998, Efficient BackProp, http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf
    """

    name = "tanh"

    def forward(self, x: Array) -> Array:
        return np.tanh(x)

    def derivative(self, x: Array, y: Array) -> Array:
        return tanh_slope(x)


class ScaledTanH(Elementwise, float64=True):
    """amplitude tanh(slope x). Range (-amplitude, amplitude).

    f' = amplitude slope / cosh(slope x)^2. With the defaults, f(1) = 1, f(-1) = -1, and |f''| is
    largest near x = +-1. Source as tanh.
    """

    name = "scaled_tanh"
    amplitude = parameter(1.7159)
    slope = parameter(2 / 3, minimum=1e-30)

    def forward(self, x: Array) -> Array:
        end = 400 / self.slope
        t = self.slope * np.minimum(np.maximum(x, -end), end)
        steepest = self.amplitude * self.slope
        y = self.amplitude * np.tanh(t)
        near = np.minimum(np.maximum(x, -1), 1)
        # where t may be subnormal, f is linear
        return where_below(np.abs(t), 1e-290, lambda _: steepest * near, y)

    def derivative(self, x: Array, y: Array) -> Array:
        a = np.minimum(np.abs(x), 800 / self.slope)
        root = exp_of_sum(*two_product(-self.slope, a))  # root^2 may be subnormal
        d = 1 + root * root
        return ((4 * self.amplitude * self.slope) * root) / (d * d) * root


class TanHLinear(Elementwise, float64=True):
    """tanh(x) + slope x: tanh with a linear term, so that it does not saturate.

    Range (-inf, inf) for slope > 0. f' = 1 / cosh(x)^2 + slope. Source as tanh.
    """

    name = "lecun_tanh_linear"
    slope = parameter(0.01, minimum=0, maximum=0.99)

    def forward(self, x: Array) -> Array:
        if self.slope == 0:  # 0 * inf would be NaN
            return np.tanh(x)
        return np.tanh(x) + self.slope * x

    def derivative(self, x: Array, y: Array) -> Array:
        return tanh_slope(x) + self.slope


class ComplementaryLogLog(Elementwise, float64=True):
    """1 - e^(-e^x), the inverse of the complementary log-log link: an asymmetric sigmoid.

    Range (0, 1). f' = n e^-n with n = e^x. A relative error of eps in n becomes n eps in e^-n, so n
    is computed with 9 additional bits, from a table of e^(k / 256).
    McCullagh & Nelder 1989, Generalized Linear Models, section 4.3.
    """

    name = "cloglog"

    def forward(self, x: Array) -> Array:
        return -np.expm1(-np.exp(np.minimum(x, 6.0)))

    def derivative(self, x: Array, y: Array) -> Array:
        end = _LARGEST_EXPONENT / 256
        right = np.fmax(np.fmin(x, end), 0)
        index = np.rint(right * 256).astype(np.intp)
        high, rest = (table[index] for table in _exponentials())
        n, low = two_sum(high, high * np.expm1(right - index / 256) + rest)
        e = np.exp(np.minimum(x, end))
        half = np.exp(np.where(x < 0, e, n) / -2)  # e^-n itself may be subnormal
        return e * np.where(x < 0, 1.0, 1 - low) * half * half


class SoftClip(Elementwise, float64=True):
    """ln((1 + e^(alpha x)) / (1 + e^(alpha (x - 1)))) / alpha: x where 0 < x < 1, with soft ends.

    Range (0, 1). f' = sigmoid(alpha x) - sigmoid(alpha (x - 1)). With n = e^(alpha x) and
    k = e^-alpha, f is computed as log1p((1 - k) n / (1 + k n)) / alpha, which does not cancel.
    Klimek & Perelstein 2020, https://arxiv.org/abs/1810.11509
    """

    name = "softclip"
    alpha = parameter(10.0, minimum=1e-6, maximum=300)

    @functools.cached_property
    def _one_less_k(self) -> tuple[float, float]:
        """1 - k with k = e^-alpha, and its relative rounding error."""
        with decimal.localcontext() as context:
            context.prec = 50
            exactly = 1 - (-decimal.Decimal(self.alpha)).exp()
            return float(exactly), float(exactly / decimal.Decimal(float(exactly)) - 1)

    def forward(self, x: Array) -> Array:
        end = 400 + self.alpha
        c = np.minimum(np.maximum(x, -4 * end / self.alpha), end / self.alpha)
        p, rest = two_product(self.alpha, c)
        n = exp_of_sum(p, rest)
        factor, lost = self._one_less_k
        top = factor * np.exp(p)
        top = top + top * (rest + lost)  # (1 - k) n with one rounding less than factor * n

        def tail(p: Array) -> Array:
            half = exp_of_sum(p / 2, rest / 2)
            return half * (factor / self.alpha * half)

        y = np.log1p(top / (1 + math.exp(-self.alpha) * n)) / self.alpha
        return where_below(p, SUBNORMAL, tail, y)

    def derivative(self, x: Array, y: Array) -> Array:
        # f' is symmetric about x = 1/2: n is the smaller one of e^(alpha x) and e^(alpha (1 - x))
        end = 800 / self.alpha
        p, rest = two_product(-self.alpha, np.minimum(np.maximum(x, -end), 1 + end))
        q, more = two_sum(self.alpha, p)
        left = p > -self.alpha / 2
        n = exp_of_sum(np.where(left, -p, q), np.where(left, -rest, more + rest))
        return -math.expm1(-self.alpha) * n / ((1 + n) * (1 + math.exp(-self.alpha) * n))


_LARGEST_EXPONENT = 1728  # of the table of e^(k / 256); f' = 0 for x > 6.7, and 1728 / 256 = 6.75


def exponential_in_two(p: Array, rest: Array) -> tuple[Array, Array]:
    """Return e^(p + rest) as a sum of two floats, to 61 bits, for |p| <= 700 and |rest| << 1."""
    n = np.rint(p / LN_2_HIGH)
    r = p - n * LN_2_HIGH  # exact: LN_2_HIGH has 32 bits
    index = np.rint(r * 256)
    r = (r - index / 256) + (rest - n * LN_2_LOW)
    high, low = (table[np.abs(index).astype(np.intp)] for table in _exponentials())
    negative = index < 0
    q, more = two_quotient(np.asarray(1.0), high)
    high, low = np.where(negative, q, high), np.where(negative, more - q * q * low, low)
    high, low = two_sum(high, high * np.expm1(r) + low)
    return np.ldexp(high, n.astype(int)), np.ldexp(low, n.astype(int))


LN_2_HIGH, LN_2_LOW = 0.6931471803691238, 1.9082149292705877e-10


@functools.cache
def _exponentials() -> tuple[Array, Array]:
    """Return e^(k / 256), k = 0 to 1728, as sums of two floats: Taylor series, then squaring."""
    r = np.arange(_LARGEST_EXPONENT + 1) / (256 * 64)  # exact; at most 0.11
    high, low = np.ones_like(r), np.zeros_like(r)
    for n in range(16, 0, -1):  # 1 + r / n (1 + r / (n + 1) (...)), as a sum of two floats
        p, rest = two_product(r, high)
        rest = rest + r * low
        q, more = two_quotient(p, float(n))
        high, low = two_sum(1.0, q)
        high, low = two_sum(high, low + (more + rest / n))
    for _ in range(6):
        p, rest = two_product(high, high)
        high, low = two_sum(p, rest + 2 * high * low)
    return high, low
