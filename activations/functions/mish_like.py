"""x g(x) with a gate g that is not a sigmoid: Mish and its successors.

All gates are rational in n = e^x or s = sigmoid(x), so that neither 1 + e^x nor 1 - tanh^2
loses digits; x is cut where a gate has long been 0 or its limit.
"""

from __future__ import annotations

import math

import numpy as np

from activations.base import Array, Elementwise, SharedParts, in_float64
from activations.functions.special import (
    NO_OVERFLOW,
    NO_UNDERFLOW,
    SUBNORMAL,
    TWO_OVER_SQUARE_ROOT_PI,
    constants,
    erf,
    inverse_cosh_squared,
    polynomial,
    where_below,
)

# sinh(2 n) / (2 n) = 1 + n^2 (...), artanh(u) / u = 1 + u^2 (...) and
# e^(p^2) erf(p) sqrt(pi) / (2 p) = 1 + p^2 (...), in powers of the square, highest first
_SINH_SERIES = constants(*(4.0**k / math.factorial(2 * k + 1) for k in range(13, 0, -1)))
_ARTANH_SERIES = constants(*(1 / (2 * k + 1) for k in range(13, 0, -1)))
_DAWSON_SERIES = constants(*(2.0**k / math.prod(range(3, 2 * k + 2, 2)) for k in range(14, 0, -1)))


class _GatedByExponential(Elementwise):
    """A function that is ``tail_slope`` x e^x far to the left."""

    tail_slope = 1.0

    def _finish_value(self, x: Array, y: Array) -> Array:
        def tail(x: Array) -> Array:
            half = np.exp(x / 2)
            return (self.tail_slope * x * half) * half

        return where_below(x, SUBNORMAL, tail, y)

    def _finish_slope(self, x: Array, slope: Array) -> Array:
        def tail(x: Array) -> Array:
            half = np.exp(x / 2)
            return (self.tail_slope * (1 + x) * half) * half

        return where_below(x, SUBNORMAL, tail, slope)


class Mish(SharedParts, _GatedByExponential):
    """x tanh(softplus(x)) = x w / (w + 2) with w = n (n + 2), n = e^x.

    Range (-0.3088, inf), the minimum at x = -1.1924. One exponential, no tanh, no logarithm.
    f' = n (e + n (e + 2 + n (n + 4))) / (w + 2)^2 with e = 4 (1 + x).
    Misra 2019, https://arxiv.org/abs/1908.08681
    """

    name = "mish"

    def parts(self, x: Array, exact: bool) -> tuple[Array, ...]:
        c = np.maximum(x, NO_UNDERFLOW)
        n = np.exp(np.minimum(c, NO_OVERFLOW))
        w = n * n + 2 * n  # n (n + 2) rounds once more
        return c, n, w, w + 2

    def value(self, x: Array, c: Array, n: Array, w: Array, d: Array) -> Array:
        return self._finish_value(c, c * (w / d))

    def slope(self, x: Array, c: Array, n: Array, w: Array, d: Array) -> Array:
        c = np.minimum(c, NO_OVERFLOW)
        e = 4 * (1 + c)
        return self._finish_slope(c, n / d * ((e + n * ((e + 2) + n * (n + 4))) / d))


class TeLU(_GatedByExponential):
    """x tanh(e^x), also known as TanhExp. Range (-0.3533, inf), the minimum at x = -1.0789.

    f' = tanh(n) + x n / cosh(n)^2 with n = e^x, for x < 0 written n (1 + x + s) / cosh(n)^2 with
    s = sinh(2 n) / (2 n) - 1 as a power series, so that nothing but 1 + x and s cancels.
    Fernandez & Mali 2024, https://arxiv.org/abs/2412.20269;
    Liu & Di 2020 (TanhExp), https://arxiv.org/abs/2003.09855
    """

    name = "telu"

    @in_float64
    def forward(self, x: Array) -> Array:
        c = np.maximum(x, NO_UNDERFLOW)
        return self._finish_value(c, c * np.tanh(np.exp(np.minimum(c, 5.0))))

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        c = np.minimum(np.maximum(x, NO_UNDERFLOW), 5.0)
        n = np.exp(c)
        t = np.tanh(n)
        bell = inverse_cosh_squared(n, t)

        def left(c: Array) -> Array:
            n = np.exp(c)
            s = n * n * polynomial(_SINH_SERIES, n * n)
            return n * ((1 + c) + s) * inverse_cosh_squared(n, np.tanh(n))

        return self._finish_slope(c, where_below(c, 0.0, left, t + c * n * bell))


class Serf(_GatedByExponential):
    """x erf(softplus(x)). Range (-0.3484, inf), the minimum at x = -1.1931.

    f' = erf(p) + 2 / sqrt(pi) x e^(-p^2) s with p = softplus(x), s = sigmoid(x). For x < -1/2 it
    is 2 / sqrt(pi) e^(-p^2) s (1 + x + r): r = (p / s) (e^(p^2) erf(p) sqrt(pi) / (2 p)) - 1 comes
    from two power series, so that nothing but 1 + x and r cancels.
    Nag & Bhattacharyya 2021, https://arxiv.org/abs/2108.09598
    """

    name = "serf"
    tail_slope = TWO_OVER_SQUARE_ROOT_PI

    @in_float64
    def forward(self, x: Array) -> Array:
        c = np.maximum(x, NO_UNDERFLOW)
        return self._finish_value(c, c * erf(np.log1p(np.exp(np.minimum(c, NO_OVERFLOW)))))

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        c = np.minimum(np.maximum(x, NO_UNDERFLOW), NO_OVERFLOW)
        n = np.exp(c)
        p = np.log1p(n)
        bell = n * np.exp(-p * (1 + p))  # sigmoid(x) = n e^-p
        slope = erf(p) + TWO_OVER_SQUARE_ROOT_PI * c * bell
        return self._finish_slope(c, where_below(c, -0.5, _serf_slope_left, slope))


def _serf_slope_left(c: Array) -> Array:
    n = np.exp(c)
    u = n / (2 + n)  # p = 2 artanh(u), so that p / s = (1 + u) artanh(u) / u
    over = u * u * polynomial(_ARTANH_SERIES, u * u)
    first = u + (over + u * over)
    p = np.log1p(n)
    second = p * p * polynomial(_DAWSON_SERIES, p * p)
    r = first + (second + first * second)
    return TWO_OVER_SQUARE_ROOT_PI * (n * np.exp(-p * (1 + p))) * ((1 + c) + r)


class Logish(_GatedByExponential):
    """x ln(1 + sigmoid(x)). Range (-0.2204, inf); slope ln 2 on the right.

    f' = ln(1 + s) + x n / ((1 + n) (1 + 2 n)) with n = e^x, s = n / (1 + n). For x < 0 it is
    s (1 + x + r), where ln(1 + s) = 2 artanh(u), u = n / (2 + 3 n), gives r as a power series, so
    that nothing but 1 + x and r cancels.
    Zhu et al. 2021, https://doi.org/10.1016/j.neucom.2021.06.067
    """

    name = "logish"

    @in_float64
    def forward(self, x: Array) -> Array:
        c = np.maximum(x, NO_UNDERFLOW)
        n = np.exp(np.minimum(c, NO_OVERFLOW))
        return self._finish_value(c, c * np.log1p(n / (1 + n)))

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        c = np.minimum(np.maximum(x, NO_UNDERFLOW), NO_OVERFLOW)
        n = np.exp(c)
        s = n / (1 + n)
        slope = np.log1p(s) + c * (s / (1 + 2 * n))
        return self._finish_slope(c, where_below(c, 0.0, _logish_slope_left, slope))


def _logish_slope_left(c: Array) -> Array:
    n = np.exp(c)
    u = n / (2 + 3 * n)  # ln(1 + s) / s = (1 - u) artanh(u) / u
    over = u * u * polynomial(_ARTANH_SERIES, u * u)
    r = (over - u * (1 + over)) - c * (2 * n / (1 + 2 * n))
    return n / (1 + n) * ((1 + c) + r)


class Smish(_GatedByExponential):
    """x tanh(ln(1 + sigmoid(x))) = x r / (1 + r) with r = s + s^2 / 2, s = sigmoid(x).

    For x < -1 it is x (n - n^2 (5 n + 3) / d) with n = e^x, d = n (5 n + 6) + 2.
    Range (-0.2013, inf); slope 0.6 on the right.
    f' = n (4 e + n (12 e + 6 + n (8 e + 20 + 15 n))) / d^2 with e = 1 + x.
    Wang, Ren & Wang 2022, https://doi.org/10.3390/electronics11040540
    """

    name = "smish"

    @in_float64
    def forward(self, x: Array) -> Array:
        c = np.maximum(x, NO_UNDERFLOW)
        n = np.exp(np.minimum(c, NO_OVERFLOW))
        s = n / (1 + n)
        r = s + 0.5 * s * s
        return self._finish_value(c, where_below(c, -1.0, _smish_left, c * (r / (1 + r))))

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        c = np.minimum(np.maximum(x, NO_UNDERFLOW), NO_OVERFLOW)
        n = np.exp(c)
        d = n * (5 * n + 6) + 2
        e = 1 + c
        top = 4 * e + n * ((12 * e + 6) + n * ((8 * e + 20) + 15 * n))
        return self._finish_slope(c, n / d * (top / d))


def _smish_left(c: Array) -> Array:
    n = np.exp(c)
    return c * (n - n * (n * (5 * n + 3) / (n * (5 * n + 6) + 2)))


class LiSHT(Elementwise):
    """x tanh(x). Range [0, inf), even, f(0) = f'(0) = 0.

    f' = tanh(x) + x / cosh(x)^2, two terms of the same sign.
    Roy et al. 2019, https://arxiv.org/abs/1901.05894
    """

    name = "lisht"

    @in_float64
    def forward(self, x: Array) -> Array:
        return x * np.tanh(x)

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        c = np.minimum(np.maximum(x, -400.0), 400.0)
        w = np.exp(-2 * np.abs(c))
        d = 1 + w
        return np.tanh(c) + c * (4 * w / (d * d))
