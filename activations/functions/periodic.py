"""Functions made of sines and cosines.

For sin(w x), w x is computed as a sum of two floats, unless w is a power of 2: rounding it to one
float would cause an error of eps |w x| in the sine.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from activations.arguments import parameter
from activations.base import Array, Elementwise, SharedParts
from activations.functions.special import (
    constants,
    exp_of_square,
    polynomial,
    two_product,
    two_sum,
    where_below,
)


def sine_and_cosine(p: Array, rest: Array) -> tuple[Array, Array]:
    """Return sin(p + rest) and cos(p + rest)."""
    s, c = sine(p), cosine(p)
    u, v = np.sin(rest), np.cos(rest)
    return s * v + c * u, c * v - s * u


def sine(x: Array) -> Array:
    """Return sin(x); NaN, without a warning, for infinite x."""
    with np.errstate(invalid="ignore"):
        return np.sin(x)


def cosine(x: Array) -> Array:
    """Return cos(x); NaN, without a warning, for infinite x."""
    with np.errstate(invalid="ignore"):
        return np.cos(x)


def _within(x: Array, end: float) -> Array:
    """Return x, scaled down where |x| > end, so that phases stay finite; NaN where x is infinite.

    Beyond ``end``, phases have no correct digits anyway.
    """
    if not np.fmax.reduce(np.abs(x), axis=None, initial=0.0) > end:
        return x
    small = np.where(np.isinf(x), np.nan, x * (end / np.finfo(x.dtype).max))
    return np.where(np.abs(x) > end, small, x)


class Sin(Elementwise, float64=True):
    """sin(w x). Range [-1, 1]; there is no limit for x -> +-inf, and f(+-inf) is NaN.

    f' = w cos(w x). SIREN uses w = 30. If w != 1, results for |x| > 1e250 have no correct digits,
    but are in [-1, 1].
    Sitzmann et al. 2020 (SIREN), https://arxiv.org/abs/2006.09661
    """

    name = "sin"
    w = parameter(1.0, minimum=1e-06, maximum=1000000.0)

    def forward(self, x: Array) -> Array:
        if self.w == 1:
            return sine(x)
        return sine_and_cosine(*two_product(self.w, _within(x, 1e250)))[0]

    def derivative(self, x: Array, y: Array) -> Array:
        if self.w == 1:
            return cosine(x)
        return self.w * sine_and_cosine(*two_product(self.w, _within(x, 1e250)))[1]


class FINER(Elementwise, float64=True):
    """sin(w (|x| + 1) x): a sine whose frequency grows with |x|. Range [-1, 1].

    f' = w (2 |x| + 1) cos(w (|x| + 1) x). Correct up to |x| = 1e6, where the phase is about 10^13
    periods. There is no limit for x -> +-inf, and f(+-inf) is NaN.
    Liu et al. 2023, https://arxiv.org/abs/2312.02434
    """

    name = "finer"
    kinks = (0.0,)
    w = parameter(30.0, minimum=1e-06, maximum=1000000.0)

    def _phase(self, x: Array) -> tuple[Array, Array]:
        x = _within(x, 1e100)
        square, square_rest = two_product(np.abs(x), x)
        total, rest = two_sum(square, x)
        p, more = two_product(self.w, total)
        return p, more + self.w * (rest + square_rest)

    def forward(self, x: Array) -> Array:
        return sine_and_cosine(*self._phase(x))[0]

    def derivative(self, x: Array, y: Array) -> Array:
        factor = self.w * (2 * np.minimum(np.abs(x), 1e100) + 1)
        return factor * sine_and_cosine(*self._phase(x))[1]


class Wavelet(NamedTuple):
    """c, which is clipped x; p + rest = s |c|; bell = e^(-(s c)^2); sin(w c); cos(w c)."""

    c: Array
    p: Array
    rest: Array
    bell: Array
    sine: Array
    cosine: Array


class WIRE(SharedParts, float64=True):
    """cos(w x) e^(-(s x)^2): the real part of Gabor's wavelet. Range within [-1, 1].

    f' = -(w sin(w x) + 2 s^2 x cos(w x)) e^(-(s x)^2).
    Saragadam et al. 2023, https://arxiv.org/abs/2301.05187
    """

    name = "wire"
    w = parameter(20.0, minimum=1e-06, maximum=1000000.0)
    s = parameter(30.0, minimum=1e-06, maximum=1000000.0)

    def parts(self, x: Array, exact: bool) -> Wavelet:
        end = 28 / self.s  # e^(-28^2) = 0
        c = np.minimum(np.maximum(x, -end), end)
        p, rest = two_product(self.s, np.abs(c))
        bell = exp_of_square(p, 1.0, -2 * p * rest)
        return Wavelet(c, p, rest, bell, *sine_and_cosine(*two_product(self.w, c)))

    def value(self, x: Array, at: Wavelet) -> Array:
        return at.cosine * at.bell

    def slope(self, x: Array, at: Wavelet) -> Array:
        wave = -self.w * at.sine - 2 * self.s * np.copysign(at.p, at.c) * at.cosine

        def tail(minus_p: Array) -> Array:
            half = exp_of_square(-minus_p, 0.5, -at.p * at.rest)
            return (wave * half) * half

        return where_below(-at.p, -26.0, tail, wave * at.bell)


class GCU(Elementwise, float64=True):
    """x cos(x), the growing cosine unit. Range (-inf, inf); there is no limit for x -> +-inf.

    f' = cos(x) - x sin(x).
    Noel et al. 2021, https://arxiv.org/abs/2108.12943
    """

    name = "gcu"

    def forward(self, x: Array) -> Array:
        return x * cosine(x)

    def derivative(self, x: Array, y: Array) -> Array:
        return cosine(x) - x * sine(x)


class Sinc(Elementwise, float64=True):
    """sin(x) / x with f(0) = 1, the sinc function without pi. Range [-0.2172, 1].

    f' = (cos(x) - f(x)) / x. For |x| < 1 it is computed by its Taylor series.
    """

    name = "sinc"

    def forward(self, x: Array) -> Array:
        zero = x == 0
        some = np.where(np.isinf(x) | zero, 1.0, x)
        return np.where(zero, 1.0, np.where(np.isinf(x), 0.0, np.sin(some) / some))

    def derivative(self, x: Array, y: Array) -> Array:
        c = np.minimum(np.maximum(x, -1.0), 1.0)
        near = c * polynomial(_SINC_SLOPE, c * c)
        away = np.abs(x) >= 1
        far = np.where(away & ~np.isinf(x), x, 1.0)
        slope = np.where(away, (np.cos(far) - np.sin(far) / far) / far, near)
        return np.where(np.isinf(x), 0.0, slope)


# sinc'(x) / x = sum over k >= 1 of (-1)^k 2 k x^(2 k - 2) / (2 k + 1)!, highest power first
_SINC_SLOPE = constants(*((-1) ** k * 2 * k / math.factorial(2 * k + 1) for k in range(10, 0, -1)))


class ReLUSin(Elementwise, float64=True):
    """max(x, 0) + cos(x), also called CosReLU. Range [-1, inf).

    f'(0) = 0; f' = -sin(x) for x <= 0 and 1 - sin(x) for x > 0. The latter is computed as
    (cos(x / 2) - sin(x / 2))^2, which does not cancel at its double roots.
    """

    name = "relu_sin"
    kinks = (0.0,)

    def forward(self, x: Array) -> Array:
        finite = np.minimum(x, np.finfo(x.dtype).max)  # cos(inf) would be NaN, but f(inf) = inf
        return np.maximum(x, 0) + cosine(finite)

    def derivative(self, x: Array, y: Array) -> Array:
        root = cosine(x / 2) - sine(x / 2)
        return np.where(x > 0, root * root, -sine(x))
