"""GELU = x Phi(x), the Gaussian error linear unit, and functions of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from activations.arguments import parameter
from activations.base import Array, Elementwise, SharedParts
from activations.functions.special import (
    GAUSSIAN_END,
    INVERSE_SQRT_2_PI,
    SHIFT,
    SHIFT_REST,
    constants,
    exp_of_square,
    polynomial,
    scaled_normal_tail,
    scaled_normal_tail_in_two,
    step,
    tanh_slope_from,
    two_product,
    where_below,
)
from activations.functions.tables import NORMAL_END, SCALE, Normal, normal


class Tail(NamedTuple):
    """a = |x|, q = Q(a) and bell = e^(-a^2 / 2), so that Phi(-a) = q bell."""

    a: Array
    q: Array
    bell: Array


class Table(NamedTuple):
    """x clipped at -NORMAL_END; c, x clipped at both ends; normal, 8 Phi(c) and 8 phi(c)."""

    x: Array
    c: Array
    normal: Normal


class GELU(SharedParts):
    """x Phi(x) = x/2 (1 + erf(x / sqrt 2)), the exact Gaussian error linear unit.

    Range [-0.1700, inf), the minimum at x = -0.7518. f' = Phi(x) + x Phi'(x); f'(-x) = 1 - f'(x).
    In float64, f is computed as max(x, 0) - |x| Phi(-|x|), because the textbook form cancels to 0
    below x = -5.5 in float32 and -8.3 in float64. In float32, Phi comes from a lookup table. JAX's
    default is the tanh approximation, gelu_tanh.
    Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415
    """

    name = "gelu"

    def parts(self, x: Array, exact: bool) -> Tail | Table:
        if exact:
            a = np.minimum(np.abs(x), GAUSSIAN_END)
            return Tail(a, scaled_normal_tail(a), exp_of_square(a, 0.5))
        x = np.maximum(x, -NORMAL_END)
        c = np.minimum(x, NORMAL_END)
        return Table(x, c, normal(c))

    def value(self, x: Array, parts: Tail | Table) -> Array:
        if isinstance(parts, Table):
            return parts.x * (1 / SCALE) * parts.normal.cdf
        return np.maximum(x, 0) - parts.a * parts.q * parts.bell

    def slope(self, x: Array, parts: Tail | Table) -> Array:
        if isinstance(parts, Table):
            return (parts.normal.cdf + parts.c * parts.normal.pdf()) * (1 / SCALE)
        a, q, bell = parts
        bracket = q - INVERSE_SQRT_2_PI * a

        def far_left(minus_a: Array) -> Array:
            half = exp_of_square(-minus_a, 0.25)
            return (bracket * half) * half

        left = where_below(-a, -37.0, far_left, bracket * bell)
        return step(x) - np.copysign(1.0, x) * left


_GELU = GELU()
_MINIMUM = -0.7517915246935645  # the x where GELU' = 0


class ClippedGELU(Elementwise):
    """min(max(GELU(x), low), high). Range within [low, high].

    f' = GELU'(x) for low < GELU(x) < high, else 0. Proposed for quantised networks.
    Wu et al. 2020, https://arxiv.org/abs/2004.09602
    """

    name = "clipped_gelu"
    low = parameter(-10.0)
    high = parameter(10.0, above="low")

    @property
    def kinks(self) -> tuple[float, ...]:
        """The x where GELU(x) = low or high, by bisection on both sides of GELU's minimum."""
        found = {bound for bound in (self.low, self.high) if bound >= GAUSSIAN_END}
        for bound in {self.low, self.high} - found:
            for low, high in ((_MINIMUM, -GAUSSIAN_END), (_MINIMUM, GAUSSIAN_END)):
                ends = np.array([low, high])
                if np.subtract(*np.sign(_GELU.forward(ends) - bound)) == 0:
                    continue
                for _ in range(80):
                    middle = ends.mean()
                    ends[int(_GELU.forward(middle) >= bound)] = middle
                found.add(float(ends[1]))
        return tuple(sorted(found))

    def forward(self, x: Array) -> Array:
        return np.minimum(np.maximum(_GELU.forward(x), self.low), self.high)

    def derivative(self, x: Array, y: Array) -> Array:
        gelu, slope = _GELU.value_and_derivative(x)
        return np.where((gelu <= self.low) | (gelu >= self.high), 0.0, slope)


# tanh(g) / g = 1 + g^2 (...); coefficients in powers of g^2, highest power first
_TANH_SERIES = constants(
    -443861162 / 1856156927625,
    6404582 / 10854718875,
    -929569 / 638512875,
    21844 / 6081075,
    -1382 / 155925,
    62 / 2835,
    -17 / 315,
    2 / 15,
    -1 / 3,
)


class Phish(Elementwise, float64=True):
    """x tanh(GELU(x)). Range [0, inf).

    f > 0 on both sides of 0; f(0) = f'(0) = 0. f' = tanh(g) + x g' / cosh(g)^2 with g = GELU(x).
    For x < 0, |g| < 0.17: tanh(g) is computed by its power series, and f' as g + x g', which equals
    x Phi'(x) (2 Phi(x) / Phi'(x) + x), plus a small remainder.
    Naveen 2022, https://doi.org/10.36227/techrxiv.17283824
    """

    name = "phish"

    def forward(self, x: Array) -> Array:
        c = np.maximum(x, -GAUSSIAN_END)
        y = where_below(c, 0.0, _phish_left, c * np.tanh(_GELU.forward(c)))
        return where_below(c, -37.0, _phish_tail, y)

    def derivative(self, x: Array, y: Array) -> Array:
        c = np.minimum(np.maximum(x, -GAUSSIAN_END), GAUSSIAN_END)
        g, slope = _GELU.value_and_derivative(c)
        t = np.tanh(g)
        slope = t + c * slope * tanh_slope_from(g, t)
        slope = where_below(c, 0.0, _phish_left_slope, slope)
        return where_below(c, -37.0, _phish_tail_slope, slope)


def _tanh_excess(g: Array) -> Array:
    """Return tanh(g) / g - 1 for |g| < 0.2."""
    return g * g * polynomial(_TANH_SERIES, g * g)


def _phish_left(x: Array) -> Array:
    """Return x g + x (tanh(g) - g); x g = x^2 Q(-x) e^(-x^2 / 2) has a smaller rounding error."""
    product, rest = _square_times_tail(x)
    y = product * exp_of_square(-x, 0.5, rest)
    g = x * scaled_normal_tail(-x) * exp_of_square(-x, 0.5)
    return y + y * _tanh_excess(g)


def _square_times_tail(x: Array) -> tuple[Array, Array]:
    """Return x^2 Q(-x), and the relative rounding error of its factors."""
    square, lost = two_product(x, x)
    share = np.where(square > 1e-280, lost / np.maximum(square, 1e-280), 0.0)
    tail, rest = scaled_normal_tail_in_two(-x)
    return square * tail, share + rest / tail


def _phish_left_slope(x: Array) -> Array:
    bell, tail = exp_of_square(-x, 0.5), scaled_normal_tail(-x)
    g = x * tail * bell
    excess = _tanh_excess(g)
    t = g + g * excess
    slope = bell * (tail + INVERSE_SQRT_2_PI * x)  # g'
    both = x * bell * (2 * tail + INVERSE_SQRT_2_PI * x)  # g + x g'
    return both + (g * excess - x * slope * t * t)


def _phish_tail(x: Array) -> Array:
    product, rest = _square_times_tail(x)
    bell = exp_of_square(-x, 0.5, rest + SHIFT_REST, SHIFT)  # e^(-x^2 / 2) itself is subnormal
    return product * bell * 2.0**-100


def _phish_tail_slope(x: Array) -> Array:
    half = exp_of_square(-x, 0.25)
    bracket = 2 * x * scaled_normal_tail(-x) + INVERSE_SQRT_2_PI * x * x
    return (bracket * half) * half
