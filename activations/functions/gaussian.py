"""The Gaussian e^(-x^2), the error function, and the normal distribution function."""

from __future__ import annotations

import numpy as np

from activations.arguments import parameter
from activations.base import Array, Elementwise, SharedParts
from activations.functions.special import (
    GAUSSIAN_END,
    INVERSE_SQRT_2_PI,
    cut,
    erf,
    erf_derivative,
    exp_of_square,
    normal_cdf,
    normal_pdf,
    scaled_normal_tail,
    step,
    two_quotient,
    two_sum,
    where_below,
)
from activations.functions.tables import (
    NORMAL_END,
    SCALE,
    ErrorFunction,
    Normal,
    error_function,
    normal,
)


class Erf(SharedParts):
    """2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x, the error function.

    Range (-1, 1). f' = 2 / sqrt(pi) e^(-x^2). In float32 both come from lookup tables.
    """

    name = "erf"

    def parts(self, x: Array, exact: bool) -> Array | ErrorFunction:
        return x if exact else error_function(cut(x, NORMAL_END))

    def value(self, x: Array, parts: Array | ErrorFunction) -> Array:
        return parts.value if isinstance(parts, ErrorFunction) else erf(x)

    def slope(self, x: Array, parts: Array | ErrorFunction) -> Array:
        return parts.slope() if isinstance(parts, ErrorFunction) else erf_derivative(x)


class NormalCDF(SharedParts):
    """Phi(x) = (1 + erf(x / sqrt 2)) / 2, the normal distribution function (probit).

    Range (0, 1). f' = e^(-x^2 / 2) / sqrt(2 pi). In float32 both come from lookup tables.
    Bliss 1934, The method of probits, https://doi.org/10.1126/science.79.2037.38
    """

    name = "normal_cdf"

    def parts(self, x: Array, exact: bool) -> Array | Normal:
        return x if exact else normal(cut(x, NORMAL_END))

    def value(self, x: Array, parts: Array | Normal) -> Array:
        return parts.cdf * (1 / SCALE) if isinstance(parts, Normal) else normal_cdf(x)

    def slope(self, x: Array, parts: Array | Normal) -> Array:
        return parts.pdf() * (1 / SCALE) if isinstance(parts, Normal) else normal_pdf(x)


class LaplaceCDF(Elementwise, float64=True):
    """(1 + erf((x - mu) / (sigma sqrt 2))) / 2. Range (0, 1).

    f' = e^(-t^2 / 2) / (sigma sqrt(2 pi)) with t = (x - mu) / sigma. The paper calls f laplace, but
    it is the normal distribution function with mean mu and standard deviation sigma. The defaults
    are the paper's, mu = sqrt(1/2) and sigma = sqrt(1 / (4 pi)), rounded; with them f approximates
    max(x, 0)^2.
    Ma et al. 2022 (Mega), https://arxiv.org/abs/2209.10655
    """

    name = "laplace_cdf"
    mu = parameter(0.707107)
    sigma = parameter(0.282095, minimum=1e-30)

    def _standardised(self, x: Array) -> tuple[Array, Array]:
        """Return t = (x - mu) / sigma, clipped where e^(-t^2 / 2) = 0, and its rounding error."""
        reach = GAUSSIAN_END * self.sigma
        difference, rest = two_sum(-self.mu, np.minimum(np.maximum(x, -1e300), 1e300))
        t, more = two_quotient(np.minimum(np.maximum(difference, -reach), reach), self.sigma)
        return t, np.where(np.abs(difference) < reach, more + rest / self.sigma, 0.0)

    def forward(self, x: Array) -> Array:
        t, rest = self._standardised(x)
        a = np.minimum(np.abs(t), GAUSSIAN_END)
        tail = scaled_normal_tail(a)
        # first-order correction for rest; the tail's derivative is -e^(-t^2 / 2) / sqrt(2 pi)
        moved = np.copysign(rest, rest * t) * INVERSE_SQRT_2_PI
        tail = tail * exp_of_square(a, 0.5, -moved / tail)
        return step(t) - np.copysign(tail, t)

    def derivative(self, x: Array, y: Array) -> Array:
        t, rest = self._standardised(x)
        a = np.minimum(np.abs(t), GAUSSIAN_END)
        half = exp_of_square(a, 0.25, -0.5 * t * rest)  # e^(-t^2 / 2) itself may be subnormal
        half = half * (a < GAUSSIAN_END)
        return (half * (INVERSE_SQRT_2_PI / self.sigma)) * half


class Gaussian(Elementwise, float64=True):
    """e^(-x^2), the Gaussian. Range (0, 1].

    f' = -2 x e^(-x^2). After a linear layer, it is a radial basis function
    e^(-(x - c)^2 / (2 s^2)): weight and bias determine c and s.
    Broomhead & Lowe 1988, https://apps.dtic.mil/sti/citations/ADA196234
    """

    name = "gaussian"

    def forward(self, x: Array) -> Array:
        return exp_of_square(np.minimum(np.abs(x), GAUSSIAN_END), 1.0)

    def derivative(self, x: Array, y: Array) -> Array:
        a = np.minimum(np.abs(x), GAUSSIAN_END)
        size = where_below(-a, -26.0, _gaussian_tail_slope, 2 * a * exp_of_square(a, 1.0))
        return -np.copysign(size, x)


def _gaussian_tail_slope(x: Array) -> Array:
    half = exp_of_square(-x, 0.5)  # e^(-x^2) itself would be subnormal
    return (-2 * x * half) * half
