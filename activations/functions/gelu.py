"""x Phi(x), the Gaussian error linear unit, and functions of it."""

from __future__ import annotations

import numpy as np

from activations.arguments import number
from activations.base import Array, Elementwise, SharedParts, in_float64
from activations.functions.special import (
    FRACTION_OF_SQUARE_ROOT_2_PI,
    GAUSSIAN_END,
    SHIFT,
    SHIFT_REST,
    constants,
    exp_of_square,
    inverse_cosh_squared,
    polynomial,
    scaled_normal_tail,
    scaled_normal_tail_in_two,
    step,
    two_product,
    where_below,
)


def tail_and_bell(x: Array, exact: bool = True) -> tuple[Array, Array, Array]:
    """Return a = |x|, Q(a) and e^(-a^2 / 2), with a cut where the latter is long 0."""
    a = np.minimum(np.abs(x), GAUSSIAN_END)
    bell = exp_of_square(a, 0.5) if exact else np.exp(a * a * -0.5)
    return a, scaled_normal_tail(a, for_float32=not exact), bell


def gelu(x: Array) -> Array:
    """Return x Phi(x) for float64 x."""
    return _value(x, *tail_and_bell(x))


def gelu_derivative(x: Array) -> Array:
    """Return Phi(x) + x Phi'(x) for float64 x."""
    return _slope(x, *tail_and_bell(x))


def _value(x: Array, a: Array, tail: Array, bell: Array) -> Array:
    """Return max(x, 0) - |x| Phi(-|x|)."""
    return np.maximum(x, 0) - a * tail * bell


def _slope(x: Array, a: Array, tail: Array, bell: Array) -> Array:
    """Return Phi(x) + x Phi'(x), which is one less the same at -x."""
    bracket = tail - FRACTION_OF_SQUARE_ROOT_2_PI * a

    def far_left(minus_a: Array) -> Array:
        half = exp_of_square(-minus_a, 0.25)
        return (bracket * half) * half

    left = where_below(-a, -37.0, far_left, bracket * bell)
    return step(x) - np.copysign(1.0, x) * left


class GELU(SharedParts):
    """x Phi(x) = x/2 (1 + erf(x / sqrt 2)), the Gaussian error linear unit, exact.

    Range (-0.1700, inf), the minimum at x = -0.7518. Written max(x, 0) - |x| Phi(-|x|): the
    textbook form has no digits below x = -5.5 in float32 and -8.3 in float64. The tanh
    approximation, JAX's default, is gelu_tanh.
    Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415
    """

    name = "gelu"
    parts = staticmethod(tail_and_bell)
    value = staticmethod(_value)
    slope = staticmethod(_slope)


_MINIMUM = -0.7517915246935645  # GELU' is 0 there


class ClippedGELU(Elementwise):
    """min(max(GELU(x), low), high). Range within [low, high]; f' = 0 at and beyond the bounds.

    Meant for quantisation. Wu et al. 2020, https://arxiv.org/abs/2004.09602
    """

    name = "clipped_gelu"

    def __init__(self, low: float = -10.0, high: float = 10.0) -> None:
        super().__init__()
        self.low = number("low", low)
        self.high = number("high", high, above=self.low)

    @property
    def kinks(self) -> tuple[float, ...]:
        """Where GELU, which falls to its minimum and then rises, crosses a bound: by bisection."""
        found = {bound for bound in (self.low, self.high) if bound >= GAUSSIAN_END}
        for bound in {self.low, self.high} - found:
            for low, high in ((_MINIMUM, -GAUSSIAN_END), (_MINIMUM, GAUSSIAN_END)):
                ends = np.array([low, high])
                if np.subtract(*np.sign(gelu(ends) - bound)) == 0:
                    continue
                for _ in range(80):
                    middle = ends.mean()
                    ends[int(gelu(middle) >= bound)] = middle
                found.add(float(ends[1]))
        return tuple(sorted(found))

    @in_float64
    def forward(self, x: Array) -> Array:
        return np.minimum(np.maximum(gelu(x), self.low), self.high)

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        exact = gelu(x)
        outside = (exact <= self.low) | (exact >= self.high)
        return np.where(outside, 0.0, gelu_derivative(x))


# tanh(g) / g = 1 + g^2 (...) in powers of g^2, highest first
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


class Phish(Elementwise):
    """x tanh(GELU(x)). Range [0, inf) on both sides of 0 but for rounding; f(0) = f'(0) = 0.

    f' = tanh(g) + x g' / cosh(g)^2 with g = GELU(x). For x < 0, where |g| < 0.17, tanh is its
    power series, and f' is g + x g' = x Phi'(x) (2 Q + x), Q = Phi / Phi', and a small rest.
    Naveen 2022, https://doi.org/10.36227/techrxiv.17283824
    """

    name = "phish"

    @in_float64
    def forward(self, x: Array) -> Array:
        c = np.maximum(x, -GAUSSIAN_END)
        y = where_below(c, 0.0, _phish_left, c * np.tanh(gelu(c)))
        return where_below(c, -37.0, _phish_tail, y)

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        c = np.minimum(np.maximum(x, -GAUSSIAN_END), GAUSSIAN_END)
        g = gelu(c)
        t = np.tanh(g)
        slope = t + c * gelu_derivative(c) * inverse_cosh_squared(g, t)
        slope = where_below(c, 0.0, _phish_left_slope, slope)
        return where_below(c, -37.0, _phish_tail_slope, slope)


def _tanh_excess(g: Array) -> Array:
    """Return tanh(g) / g - 1 for |g| < 0.2."""
    return g * g * polynomial(_TANH_SERIES, g * g)


def _phish_left(x: Array) -> Array:
    """Return x g + x (tanh(g) - g); x g = x^2 Q(-x) e^(-x^2 / 2) rounds less than x times g."""
    product, rest = _square_times_tail(x)
    y = product * exp_of_square(-x, 0.5, rest)
    g = x * scaled_normal_tail(-x) * exp_of_square(-x, 0.5)
    return y + y * _tanh_excess(g)


def _square_times_tail(x: Array) -> tuple[Array, Array]:
    """Return x^2 Q(-x), and what its factors have lost in rounding as a share of it."""
    square, lost = two_product(x, x)
    share = np.where(square > 1e-280, lost / np.maximum(square, 1e-280), 0.0)
    tail, rest = scaled_normal_tail_in_two(-x)
    return square * tail, share + rest / tail


def _phish_left_slope(x: Array) -> Array:
    bell, tail = exp_of_square(-x, 0.5), scaled_normal_tail(-x)
    g = x * tail * bell
    excess = _tanh_excess(g)
    t = g + g * excess
    slope = bell * (tail + FRACTION_OF_SQUARE_ROOT_2_PI * x)  # of g
    both = x * bell * (2 * tail + FRACTION_OF_SQUARE_ROOT_2_PI * x)  # g + x g'
    return both + (g * excess - x * slope * t * t)


def _phish_tail(x: Array) -> Array:
    product, rest = _square_times_tail(x)
    bell = exp_of_square(-x, 0.5, rest + SHIFT_REST, SHIFT)  # e^(-x^2 / 2) itself is subnormal
    return product * bell * 2.0**-100


def _phish_tail_slope(x: Array) -> Array:
    half = exp_of_square(-x, 0.25)
    bracket = 2 * x * scaled_normal_tail(-x) + FRACTION_OF_SQUARE_ROOT_2_PI * x * x
    return (bracket * half) * half
