"""x sigmoid(u(x)): SiLU and its kin, of which some approximate GELU.

With n = e^u: f = x n / (1 + n) and f' = n / (1 + n) (1 + n + x u') / (1 + n), where neither
cancels except at the root of f' itself. u is kept in two pieces where it is not x itself: the
rounding of u alone would cost up to |u| ULP, and |u| reaches 745.

A decimal constant (1.702, 0.044715, ...) is the float64 number nearest to it, for float32 too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from activations.arguments import parameter, true_or_false
from activations.base import Array, Elementwise, SharedParts
from activations.functions.learnable import Learnable
from activations.functions.special import (
    FAR,
    NO_OVERFLOW,
    NO_UNDERFLOW,
    SUBNORMAL,
    bounded_product,
    exp_of_sum,
    finite,
    step,
    tail_product,
    times_exp,
    two_product,
    two_sum,
    where_below,
)


class Gate(NamedTuple):
    """sigmoid(u) = n / d with n = e^u and d = 1 + n, for c, which is x cut; u = p + rest."""

    c: Array
    n: Array
    d: Array
    sigmoid: Array
    p: Any
    rest: Any


class SiLU(SharedParts, float64=True):
    """x sigmoid(x) = x / (1 + e^-x), the sigmoid linear unit, also called swish.

    Range (-0.2785, inf), the minimum at x = -1.2785.
    Elfwing, Uchibe & Doya 2017, https://arxiv.org/abs/1702.03118;
    Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415
    """

    name = "silu"

    def parts(self, x: Array, exact: bool) -> Gate:
        c = np.maximum(x, NO_UNDERFLOW)
        n = np.exp(np.minimum(c, NO_OVERFLOW))
        d = 1 + n
        return Gate(c, n, d, n / d, c, 0.0)

    def value(self, x: Array, gate: Gate) -> Array:
        return where_below(gate.c, SUBNORMAL, lambda c: times_exp(c, c), gate.c * gate.sigmoid)

    def slope(self, x: Array, gate: Gate) -> Array:
        c = np.minimum(gate.c, NO_OVERFLOW)
        slope = gate.sigmoid * (((1 + c) + gate.n) / gate.d)
        return where_below(c, SUBNORMAL, lambda c: times_exp(1 + c, c), slope)


class SelfGated(SharedParts, float64=True):
    """x sigmoid(u(x)) for an increasing odd u: a subclass defines ``argument``."""

    def argument(self, x: Array, exact: bool) -> tuple[Array, Array, Array]:
        """Return c, u(c) and what rounding left out of u(c), with c = x cut to |u| < 2,000.

        Without ``exact`` the rest may be 0: the result is for float32.
        """
        raise TypeError(f"{type(self).__name__} does not define argument")

    def argument_slope(self, c: Array) -> Array:
        """Return u'(c)."""
        raise TypeError(f"{type(self).__name__} does not define argument_slope")

    def parts(self, x: Array, exact: bool) -> Gate:
        c, p, rest = self.argument(x, exact)
        n = exp_of_sum(np.minimum(p, FAR), rest) if exact else np.exp(np.minimum(p, FAR))
        d = 1 + n
        return Gate(c, n, d, n / d, p, rest)

    def value(self, x: Array, gate: Gate) -> Array:
        def tail(p: Array) -> Array:
            return tail_product(gate.c, p, gate.rest)

        return where_below(gate.p, SUBNORMAL, tail, np.maximum(x, gate.c) * gate.sigmoid)

    def slope(self, x: Array, gate: Gate) -> Array:
        moved = gate.c * self.argument_slope(gate.c)

        def tail(p: Array) -> Array:
            return tail_product(1 + moved, p, gate.rest)

        slope = gate.sigmoid * (((1 + moved) + gate.n) / gate.d)
        return where_below(gate.p, SUBNORMAL, tail, slope)


def _cut(x: Array, end: float) -> Array:
    return np.minimum(np.maximum(x, -end), end)


class Swish(Learnable, float64=True):
    """x sigmoid(beta x), with beta learnable if asked (one per unit).

    Range (-0.2785 / beta, inf) for beta > 0; beta = 0 is x / 2, a large beta nears ReLU.
    df/dbeta = x^2 sigmoid'(beta x).
    Ramachandran, Zoph & Le 2017, https://arxiv.org/abs/1710.05941
    """

    name = "swish"
    beta = parameter(1.0, minimum=-1000000.0, maximum=1000000.0, learned=True)
    learnable = parameter(False, check=true_or_false)

    def _argument(self, x: Array) -> tuple[Array, Array]:
        """Return beta x in two pieces."""
        return bounded_product(self.current("beta"), x)

    def forward(self, x: Array) -> Array:
        p, rest = self._argument(x)
        n = exp_of_sum(np.minimum(p, FAR), rest)
        c = finite(x)

        open_side = np.where(p < 0, c, x)  # where the gate is shut, x may be infinite
        y = open_side * (n / (1 + n))
        return where_below(p, SUBNORMAL, lambda p: times_exp(c, p, rest), y)

    def derivative(self, x: Array, y: Array) -> Array:
        p, rest = self._argument(x)
        n = exp_of_sum(np.minimum(p, FAR), rest)
        d = 1 + n
        slope = n / d * (((1 + p) + n) / d)
        return where_below(p, SUBNORMAL, lambda p: times_exp(1 + p, p, rest), slope)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = x.astype(np.float64, copy=False)
        with np.errstate(over="ignore"):
            root = finite(x) * square_root_of_bell(*self._argument(x))
            return {"beta": root * root}


def square_root_of_bell(p: Array, rest: Array) -> Array:
    """Return the square root of sigmoid'(p + rest), which itself may be subnormal."""
    half = exp_of_sum(np.abs(p) * -0.5, np.copysign(0.5, -p) * rest)
    return half / (1 + half * half)


class QuickGELU(SelfGated):
    """x sigmoid(1.702 x), the cheapest approximation of GELU: within 0.0204 of it.

    Range (-0.1636, inf).
    Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415
    """

    name = "quick_gelu"

    def argument(self, x: Array, exact: bool) -> tuple[Array, Array, Array]:
        c = _cut(x, 500.0)
        if exact:
            return (c, *two_product(1.702, c))
        return c, 1.702 * c, np.zeros_like(c)

    def argument_slope(self, c: Array) -> Any:
        return 1.702


class _Cubic(SelfGated):
    """x sigmoid(linear x + cubic x^3); each coefficient is a float and what it lacks."""

    linear = (0.0, 0.0)
    cubic = (0.0, 0.0)

    def argument(self, x: Array, exact: bool) -> tuple[Array, Array, Array]:
        c = _cut(x, 30.0)
        (a, a_rest), (b, b_rest) = self.linear, self.cubic
        if not exact:
            return c, c * (a + b * (c * c)), np.zeros_like(c)
        square, square_rest = two_product(c, c)
        term, term_rest = two_product(b, square)
        factor, factor_rest = two_sum(a, term)
        factor_rest = factor_rest + (term_rest + (b * square_rest + b_rest * square) + a_rest)
        p, rest = two_product(factor, c)
        return c, p, rest + factor_rest * c

    def argument_slope(self, c: Array) -> Array:
        return self.linear[0] + 3 * self.cubic[0] * (c * c)


class GELUTanH(_Cubic):
    """x/2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), the tanh approximation of GELU.

    Within 4.8e-4 of GELU; it is x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)), whose left tail
    does not cancel. Range (-0.1700, inf). The default of JAX; in PyTorch approximate="tanh".
    Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415
    """

    name = "gelu_tanh"
    linear = (1.5957691216057308, -9.96930880911092e-17)
    cubic = (0.07135481627260025, -4.1218577217431825e-18)


class GELUApprox(_Cubic):
    """x sigmoid(1.60033 x (1 + 0.0433603 x^2)): a closer fit of GELU, within 2.8e-4 of it.

    Range (-0.1700, inf). From MLX's gelu_approx.
    """

    name = "gelu_approx"
    linear = (1.60033, 0.0)
    cubic = (0.069390788899, 2.879904891450735e-18)


class DSiLU(Elementwise, float64=True):
    """sigmoid(x) (1 + x sigmoid(-x)), the derivative of SiLU, used as an activation.

    Range (-0.0998, 1.0998). f(x) = g(|x|) for x < 0 and 1 - g(|x|) for x > 0, where
    g(a) = z (1 - a + z) / (1 + z)^2 with z = e^-a. f' = z / (1 + z)^3 (2 - |x| + z (2 + |x|)).
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

    Range (-0.1716, inf); continuously differentiable, f'(0) = 1/2.
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
