"""x sigmoid(u(x)): SiLU and similar functions, some of which approximate GELU.

With m = e^-u and d = 1 + m, f = x / d and f' = (1 + x u' m / d) / d. Nothing cancels, except at the
root of f'. Unless u = x, u is computed as a sum of two floats: rounding u to one float would cause
an error of up to |u| ULP in e^-u, and |u| reaches 745, or 104 in float32.

A decimal constant (1.702, 0.044715, ...) is the nearest float64 number, also for float32.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from activations.arguments import parameter, true_or_false
from activations.base import Array, Elementwise, SharedParts
from activations.functions.learnable import Learnable
from activations.functions.special import (
    ENDS,
    NO_OVERFLOW,
    NO_UNDERFLOW,
    SUBNORMAL,
    bounded_product,
    cut,
    exp_of_sum,
    finite,
    in_two,
    step,
    tail_product,
    times_exp,
    two_product,
    two_sum,
    where_below,
)


class Gate(NamedTuple):
    """f = x / d and f' = (1 + slope) / d where e^u is not subnormal; u is the clipped argument."""

    u: Array
    d: Array
    slope: Array


class SelfGated(SharedParts):
    """x sigmoid(u(x)) for an increasing u. A subclass defines ``argument``.

    A subclass whose gate is not sigmoid(u), but also tends to e^u for x -> -inf, defines ``parts``
    too.
    """

    def argument(self, x: Array, end: float) -> tuple[Array, Array | float]:
        """Return u(x), clipped to [-end, end], and the rounding error of u."""
        raise NotImplementedError(f"{type(self).__name__} does not define argument")

    def moved(self, x: Array, u: Array) -> Array:
        """Return x u'(x): u itself, if u is a multiple of x."""
        return u

    def parts(self, x: Array, exact: bool) -> Gate:
        ends = ENDS[x.dtype]
        u, rest = self.argument(x, ends.cut)
        m = np.exp(-u)
        if isinstance(rest, float):
            d = 1 + m
        else:
            lost = m * (rest - ends.exp_low)
            d = m + (1 - lost)  # 1 + (m - lost) would round once more
            m = m - lost
        return Gate(u, d, self.moved(x, u) * (m / d))

    def value(self, x: Array, gate: Gate) -> Array:
        def tail(_: Array) -> Array:
            return tail_product(finite(x), *self._far_argument(x))

        return where_below(gate.u, -ENDS[x.dtype].full, tail, x / gate.d)

    def slope(self, x: Array, gate: Gate) -> Array:
        def tail(_: Array) -> Array:
            u, rest = self._far_argument(x)
            return tail_product(1 + self.moved(x, u), u, rest)

        return where_below(gate.u, -ENDS[x.dtype].full, tail, (1 + gate.slope) / gate.d)

    def _far_argument(self, x: Array) -> tuple[Array, Array | float]:
        ends = ENDS[x.dtype]
        u, rest = self.argument(x, ends.zero)
        return np.minimum(u, -ends.full), rest


class SiLU(SelfGated):
    """x sigmoid(x) = x / (1 + e^-x), the sigmoid linear unit, also called swish.

    Range [-0.2785, inf), the minimum at x = -1.2785. f' = s (1 + x (1 - s)) with s = sigmoid(x).
    Elfwing, Uchibe & Doya 2017, https://arxiv.org/abs/1702.03118;
    Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415
    """

    name = "silu"

    def argument(self, x: Array, end: float) -> tuple[Array, float]:
        return cut(x, end), 0.0


class Swish(SelfGated, Learnable):
    """x sigmoid(beta x); beta can be learnable (one per unit).

    Range [-0.2785 / beta, inf) for beta > 0. beta = 0 gives x / 2; for beta -> inf, f tends to
    ReLU. f' = s (1 + beta x (1 - s)) with s = sigmoid(beta x). df/dbeta = x^2 sigmoid'(beta x).
    Ramachandran, Zoph & Le 2017, https://arxiv.org/abs/1710.05941
    """

    name = "swish"
    beta = parameter(1.0, minimum=-1000000.0, maximum=1000000.0, learned=True)
    learnable = parameter(False, check=true_or_false)

    def argument(self, x: Array, end: float) -> tuple[Array, Array | float]:
        beta = self.current("beta")
        if isinstance(beta, float) and beta == 1:
            return cut(x, end), 0.0
        if x.dtype == np.float32:
            size = np.float32(abs(beta)) if isinstance(beta, float) else np.abs(beta)
            c = cut(x, end / np.maximum(size, SMALLEST_FACTOR))
            return in_two(c.astype(np.float64) * beta)
        p, rest = bounded_product(beta, x)
        return cut(p, end), rest

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        wide = finite(x.astype(np.float64, copy=False))
        beta = self.current("beta")
        with np.errstate(over="ignore"):
            if x.dtype == np.float32:
                u, rest = wide * beta, None  # exact
            else:
                u, rest = bounded_product(beta, x)
            root = wide * sqrt_of_sigmoid_derivative(u, rest)
            return {"beta": root * root}


SMALLEST_FACTOR = 1e-36  # 200 / 1e-36 is still a finite float32


def sqrt_of_sigmoid_derivative(p: Array, rest: Array | None) -> Array:
    """Return the square root of sigmoid'(p + rest), because sigmoid' itself may be subnormal."""
    half = np.abs(p) * -0.5
    if rest is None:
        half = np.exp(half)
    else:
        half = exp_of_sum(half, np.copysign(0.5, -p) * rest)
    return half / (1 + half * half)


class QuickGELU(SelfGated):
    """x sigmoid(1.702 x), an approximation of GELU with an error of at most 0.0204.

    Range [-0.1636, inf). f' = s (1 + 1.702 x (1 - s)) with s = sigmoid(1.702 x).
    Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415
    """

    name = "quick_gelu"

    def argument(self, x: Array, end: float) -> tuple[Array, Array]:
        c = cut(x, end / 1.702)
        if x.dtype == np.float32:
            return in_two(c.astype(np.float64) * 1.702)
        return two_product(1.702, c)


class _Cubic(SelfGated):
    """x sigmoid(linear x + cubic x^3); each coefficient is a float and its rounding error."""

    linear = (0.0, 0.0)
    cubic = (0.0, 0.0)

    def argument(self, x: Array, end: float) -> tuple[Array, Array]:
        p, rest = self._in_two(cut(x, 30.0))
        return cut(p, end), rest

    def moved(self, x: Array, u: Array) -> Array:
        c = cut(x, 30.0)
        return c * (self.linear[0] + 3 * self.cubic[0] * (c * c))

    def _in_two(self, c: Array) -> tuple[Array, Array]:
        (a, a_rest), (b, b_rest) = self.linear, self.cubic
        if c.dtype == np.float32:
            wide = c.astype(np.float64)
            return in_two(wide * (a + b * (wide * wide)))
        square, square_rest = two_product(c, c)
        term, term_rest = two_product(b, square)
        factor, factor_rest = two_sum(a, term)
        factor_rest = factor_rest + (term_rest + (b * square_rest + b_rest * square) + a_rest)
        p, rest = two_product(factor, c)
        return p, rest + factor_rest * c


class GELUTanH(_Cubic):
    """x/2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), the tanh approximation of GELU.

    Range [-0.1700, inf). f' = s + x s (1 - s) u' with s = sigmoid(u) and
    u = 2 sqrt(2 / pi) (x + 0.044715 x^3). It differs from GELU by at most 4.8e-4. f is computed as
    x sigmoid(u), which does not cancel for x < 0. JAX's default; in PyTorch approximate="tanh".
    Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415
    """

    name = "gelu_tanh"
    linear = (1.5957691216057308, -9.96930880911092e-17)
    cubic = (0.07135481627260025, -4.1218577217431825e-18)


class GELUApprox(_Cubic):
    """x sigmoid(1.60033 x (1 + 0.0433603 x^2)), an approximation of GELU within 2.8e-4.

    Range [-0.1697, inf).
    f' = s + x s (1 - s) u' with s = sigmoid(u), u = 1.60033 x (1 + 0.0433603 x^2).
    From MLX's gelu_approx.
    """

    name = "gelu_approx"
    linear = (1.60033, 0.0)
    cubic = (0.069390788899, 2.879904891450735e-18)


class DSiLU(Elementwise, float64=True):
    """sigmoid(x) (1 + x sigmoid(-x)), the derivative of SiLU, used as an activation.

    Range [-0.0998, 1.0998]. With z = e^-|x| and g = z (1 - |x| + z) / (1 + z)^2, f = g for x < 0
    and 1 - g for x > 0. f' = z / (1 + z)^3 (2 - |x| + z (2 + |x|)) with z = e^-|x|.
    Elfwing, Uchibe & Doya 2017, https://arxiv.org/abs/1702.03118
    """

    name = "dsilu"

    def forward(self, x: Array) -> Array:
        a = np.minimum(np.abs(x), -NO_UNDERFLOW)
        z = np.exp(-a)
        d = 1 + z
        left = z * ((1 - a) + z) / (d * d)
        left = where_below(-a, SUBNORMAL, lambda p: times_exp(1 + p, p), left)
        return step(x) - np.copysign(1.0, x) * left

    def derivative(self, x: Array, y: Array) -> Array:
        a = np.minimum(np.abs(x), -NO_UNDERFLOW)
        z = np.exp(-a)
        d = 1 + z
        slope = z / d * (((2 - a) + z * (2 + a)) / d / d)
        return where_below(-a, SUBNORMAL, lambda p: times_exp(2 + p, p), slope)


class ELiSH(Elementwise, float64=True):
    """x sigmoid(x) for x >= 0, (e^x - 1) sigmoid(x) for x < 0: SiLU joined with ELU.

    Range [-0.1716, inf); continuously differentiable, f'(0) = 1/2.
    f' = s (1 + x (1 - s)) for x >= 0, s (e^x + (e^x - 1) (1 - s)) for x < 0, s = sigmoid(x).
    Basirat & Roth 2018, https://arxiv.org/abs/1808.00783
    """

    name = "elish"
    kinks = (0.0,)

    def forward(self, x: Array) -> Array:
        n = np.exp(np.minimum(x, NO_OVERFLOW))
        return (np.maximum(x, 0) + np.expm1(np.minimum(x, 0))) * (n / (1 + n))

    def derivative(self, x: Array, y: Array) -> Array:
        c = np.minimum(x, NO_OVERFLOW)
        n = np.exp(c)
        d = 1 + n
        right = 1 + np.maximum(c, 0) / d
        left = n + np.expm1(np.minimum(c, 0)) / d
        return n / d * np.where(x >= 0, right, left)
