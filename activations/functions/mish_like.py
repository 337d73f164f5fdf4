"""x g(x) with a gate g that is not a sigmoid: Mish and its successors.

The gates are functions of n = e^x or s = sigmoid(x), written so that 1 + e^x and 1 - tanh^2 do not
lose digits. x is clipped where the gate equals its limit in float64.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from activations.base import Array, Elementwise, SharedParts
from activations.functions.self_gated import Gate, SelfGated
from activations.functions.special import (
    ENDS,
    NO_OVERFLOW,
    NO_UNDERFLOW,
    SUBNORMAL,
    TWO_OVER_SQRT_PI,
    constants,
    cut,
    erf,
    polynomial,
    tanh_slope,
    tanh_slope_from,
    times_exp,
    where_below,
)

# Coefficients of the series in brackets, in powers of the square, highest power first:
# sinh(2 n) / (2 n) = 1 + n^2 (...), artanh(u) / u = 1 + u^2 (...) and
# e^(p^2) erf(p) sqrt(pi) / (2 p) = 1 + p^2 (...)
_SINH_SERIES = constants(*(4.0**k / math.factorial(2 * k + 1) for k in range(13, 0, -1)))
_ARTANH_SERIES = constants(*(1 / (2 * k + 1) for k in range(13, 0, -1)))
_DAWSON_SERIES = constants(*(2.0**k / math.prod(range(3, 2 * k + 2, 2)) for k in range(14, 0, -1)))


class Exponential(NamedTuple):
    """n = e^c; c is x, clipped where the gate equals its limit."""

    c: Array
    n: Array


class GatedByExponential(SharedParts, float64=True):
    """x g(e^x) for a gate g that tends to ``tail_slope`` e^x for x -> -inf."""

    tail_slope = 1.0
    end = NO_OVERFLOW

    def gate(self, p: Any) -> Array:
        """Return g(n), given n = e^x."""
        raise NotImplementedError(f"{type(self).__name__} does not define gate")

    def gated_slope(self, c: Array, p: Any) -> Array:
        """Return f'(c) for c <= end, given n = e^c; used only where n is not subnormal."""
        raise NotImplementedError(f"{type(self).__name__} does not define gated_slope")

    def parts(self, x: Array, exact: bool) -> Any:
        c = np.maximum(x, NO_UNDERFLOW)
        return Exponential(c, np.exp(np.minimum(c, self.end)))

    def value(self, x: Array, p: Any) -> Array:
        y = p.c * self.gate(p)
        return where_below(p.c, SUBNORMAL, lambda c: times_exp(self.tail_slope * c, c), y)

    def slope(self, x: Array, p: Any) -> Array:
        c = np.minimum(p.c, self.end)
        slope = self.gated_slope(c, p)
        return where_below(c, SUBNORMAL, lambda c: times_exp(self.tail_slope * (1 + c), c), slope)


class Mish(SelfGated):
    """x tanh(softplus(x)) = x w / (w + 2) with w = n (n + 2), n = e^x.

    Range [-0.3088, inf), the minimum at x = -1.1924.
    f' = t + x (1 - t^2) sigmoid(x) with t = tanh(softplus(x)). Value and derivative are computed
    from one exponential m = e^-x, as x / d and (1 + x (1 - v^2) m / d) / d with v = 1 / (1 + 2 m)
    and d = m + (1 + v) / 2.
    Misra 2019, https://arxiv.org/abs/1908.08681
    """

    name = "mish"

    def argument(self, x: Array, end: float) -> tuple[Array, float]:
        return cut(x, end), 0.0

    def parts(self, x: Array, exact: bool) -> Gate:
        c = cut(x, ENDS[x.dtype].cut)
        m = np.exp(-c)
        v = 1 / (1 + 2 * m)
        d = m + 0.5 * (1 + v)
        return Gate(c, d, c * ((1 - v * v) * (m / d)))


class TeLU(GatedByExponential):
    """x tanh(e^x), also known as TanhExp. Range [-0.3533, inf), the minimum at x = -1.0789.

    f' = tanh(n) + x n / cosh(n)^2 with n = e^x. For x < 0 the derivative is computed as
    n (1 + x + s) / cosh(n)^2, with a power series for s = sinh(2 n) / (2 n) - 1. Then only 1 + x
    and s can cancel.
    Fernandez & Mali 2024, https://arxiv.org/abs/2412.20269;
    Liu & Di 2020 (TanhExp), https://arxiv.org/abs/2003.09855
    """

    name = "telu"

    end = 5.0

    def gate(self, p: Exponential) -> Array:
        return np.tanh(p.n)

    def gated_slope(self, c: Array, p: Exponential) -> Array:
        n, t = p.n, np.tanh(p.n)
        bell = tanh_slope_from(n, t)

        def left(c: Array) -> Array:
            n = np.exp(c)
            s = n * n * polynomial(_SINH_SERIES, n * n)
            return n * ((1 + c) + s) * tanh_slope_from(n, np.tanh(n))

        return where_below(c, 0.0, left, t + c * n * bell)


class Serf(GatedByExponential):
    """x erf(softplus(x)). Range [-0.3484, inf), the minimum at x = -1.1931.

    f' = erf(p) + 2 / sqrt(pi) x e^(-p^2) s with p = softplus(x), s = sigmoid(x). For x < -1/2 the
    derivative is computed as 2 / sqrt(pi) e^(-p^2) s (1 + x + r), with two power series for
    r = (p / s) (e^(p^2) erf(p) sqrt(pi) / (2 p)) - 1. Then only 1 + x and r can cancel.
    Nag & Bhattacharyya 2021, https://arxiv.org/abs/2108.09598
    """

    name = "serf"
    tail_slope = TWO_OVER_SQRT_PI

    def gate(self, p: Exponential) -> Array:
        return erf(np.log1p(p.n))

    def gated_slope(self, c: Array, p: Exponential) -> Array:
        softplus = np.log1p(p.n)
        bell = p.n * np.exp(-softplus * (1 + softplus))  # sigmoid(x) = n e^-softplus(x)
        slope = erf(softplus) + TWO_OVER_SQRT_PI * c * bell
        return where_below(c, -0.5, _serf_slope_left, slope)


def _serf_slope_left(c: Array) -> Array:
    n = np.exp(c)
    u = n / (2 + n)  # p = 2 artanh(u), so that p / s = (1 + u) artanh(u) / u
    over = u * u * polynomial(_ARTANH_SERIES, u * u)
    first = u + (over + u * over)
    p = np.log1p(n)
    second = p * p * polynomial(_DAWSON_SERIES, p * p)
    r = first + (second + first * second)
    return TWO_OVER_SQRT_PI * (n * np.exp(-p * (1 + p))) * ((1 + c) + r)


class Logish(GatedByExponential):
    """x ln(1 + sigmoid(x)). Range [-0.2528, inf); slope ln 2 for x -> inf.

    f' = ln(1 + s) + x n / ((1 + n) (1 + 2 n)) with n = e^x, s = n / (1 + n). For x < 0 the
    derivative is computed as s (1 + x + r), with a power series for r that follows from
    ln(1 + s) = 2 artanh(u), u = n / (2 + 3 n). Then only 1 + x and r can cancel.
    Zhu et al. 2021, https://doi.org/10.1016/j.neucom.2021.06.067
    """

    name = "logish"

    def gate(self, p: Exponential) -> Array:
        return np.log1p(p.n / (1 + p.n))

    def gated_slope(self, c: Array, p: Exponential) -> Array:
        s = p.n / (1 + p.n)
        slope = np.log1p(s) + c * (s / (1 + 2 * p.n))
        return where_below(c, 0.0, _logish_slope_left, slope)


def _logish_slope_left(c: Array) -> Array:
    n = np.exp(c)
    u = n / (2 + 3 * n)  # ln(1 + s) / s = (1 - u) artanh(u) / u
    over = u * u * polynomial(_ARTANH_SERIES, u * u)
    r = (over - u * (1 + over)) - c * (2 * n / (1 + 2 * n))
    return n / (1 + n) * ((1 + c) + r)


class Smish(GatedByExponential):
    """x tanh(ln(1 + sigmoid(x))) = x r / (1 + r) with r = s + s^2 / 2, s = sigmoid(x).

    Range [-0.2500, inf); slope 0.6 for x -> inf.
    f' = n (4 a + n (12 a + 6 + n (8 a + 20 + 15 n))) / d^2 with a = 1 + x, n = e^x and
    d = n (5 n + 6) + 2. For x < -1, f is computed as x (n - n^2 (5 n + 3) / d).
    Wang, Ren & Wang 2022, https://doi.org/10.3390/electronics11040540
    """

    name = "smish"

    def gate(self, p: Exponential) -> Array:
        s = p.n / (1 + p.n)
        r = s + 0.5 * s * s
        return where_below(p.c, -1.0, _smish_gate_left, r / (1 + r))

    def gated_slope(self, c: Array, p: Exponential) -> Array:
        n, e = p.n, 1 + c
        d = n * (5 * n + 6) + 2
        top = 4 * e + n * ((12 * e + 6) + n * ((8 * e + 20) + 15 * n))
        return n / d * (top / d)


def _smish_gate_left(c: Array) -> Array:
    n = np.exp(c)
    return n - n * (n * (5 * n + 3) / (n * (5 * n + 6) + 2))


class LiSHT(Elementwise, float64=True):
    """x tanh(x). Range [0, inf), even, f(0) = f'(0) = 0.

    f' = tanh(x) + x / cosh(x)^2, two terms of the same sign.
    Roy et al. 2019, https://arxiv.org/abs/1901.05894
    """

    name = "lisht"

    def forward(self, x: Array) -> Array:
        return x * np.tanh(x)

    def derivative(self, x: Array, y: Array) -> Array:
        c = np.minimum(np.maximum(x, -400.0), 400.0)
        return np.tanh(c) + c * tanh_slope(c)
