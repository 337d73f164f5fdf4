"""The exponential function, and units that are linear for x > 0 and exponential for x < 0."""

from __future__ import annotations

import numpy as np

from activations.arguments import parameter
from activations.base import Array, Elementwise, in_float64
from activations.functions.special import NO_UNDERFLOW, expm1_below_0, two_quotient


class Exponential(Elementwise):
    """e^x. Range (0, inf); if e^x exceeds the largest float, f is inf, without a warning.

    f' = e^x.
    """

    name = "exponential"

    def forward(self, x: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.exp(x)

    def derivative(self, x: Array, y: Array) -> Array:
        return y


class ELU(Elementwise):
    """x for x > 0, alpha (e^x - 1) for x <= 0, the exponential linear unit.

    Range (-alpha, inf). f' = 1 for x > 0, alpha e^x for x <= 0. f'(0) = alpha, as in all
    libraries. f' is computed from x, because y + alpha cancels for x far below 0.
    Clevert, Unterthiner & Hochreiter 2015, https://arxiv.org/abs/1511.07289
    """

    name = "elu"
    kinks = (0.0,)
    alpha = parameter(1.0, minimum=0)

    def forward(self, x: Array) -> Array:
        left = np.minimum(x, 0)
        if self.alpha == 1:
            return np.maximum(x, 0) + expm1_below_0(left)
        # not expm1_below_0: its error at subnormal x grows by the factor alpha
        return np.maximum(x, 0) + self.alpha * np.expm1(left)

    def derivative(self, x: Array, y: Array) -> Array:
        if self.alpha == 1:
            return np.exp(np.minimum(x, 0))
        half = np.exp(np.minimum(x, 0) / 2)  # e^x itself may be subnormal
        return np.where(x > 0, half, (self.alpha * half) * half)


_ELU = ELU()


class CELU(Elementwise):
    """x for x > 0, alpha (e^(x / alpha) - 1) for x <= 0: ELU with a slope of 1 at 0.

    Range (-alpha, inf). f' = e^(min(x, 0) / alpha).
    Barron 2017, https://arxiv.org/abs/1704.07483
    """

    name = "celu"
    kinks = (0.0,)
    alpha = parameter(1.0, minimum=1e-06, maximum=1000000.0)

    def forward(self, x: Array) -> Array:
        return _ELU.forward(x) if self.alpha == 1 else self._scaled_value(x)

    def derivative(self, x: Array, y: Array) -> Array:
        return _ELU.derivative(x, y) if self.alpha == 1 else self._scaled_slope(x)

    @in_float64
    def _scaled_value(self, x: Array) -> Array:
        left = np.maximum(np.minimum(x, 0), NO_UNDERFLOW * self.alpha)
        q = left / self.alpha
        # a tiny q may be subnormal; there f = x
        left = np.where(q > -1e-17, left, self.alpha * np.expm1(q))
        return np.maximum(x, 0) + left

    @in_float64
    def _scaled_slope(self, x: Array) -> Array:
        left = np.maximum(np.minimum(x, 0), NO_UNDERFLOW * self.alpha)
        q, rest = two_quotient(left, self.alpha)
        e = np.exp(q)
        return e + e * rest


class SELU(Elementwise):
    """scale x for x > 0, scale alpha (e^x - 1) for x <= 0, the self-normalising ELU.

    Range (-1.7581, inf). f' = scale for x > 0, scale alpha e^x for x <= 0. f'(0) = scale alpha =
    1.7581, as in PyTorch and JAX. alpha = 1.6733 and scale = 1.0507 preserve mean 0 and variance 1
    from layer to layer. f is inf if scale x exceeds the largest float.
    Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
    """

    name = "selu"
    kinks = (0.0,)
    alpha = 1.6732632423543772848170429916717
    scale = 1.0507009873554804934193349852946

    def forward(self, x: Array) -> Array:
        with np.errstate(over="ignore"):
            right = self.scale * np.maximum(x, 0)
        return right + (self.scale * self.alpha) * expm1_below_0(np.minimum(x, 0))

    def derivative(self, x: Array, y: Array) -> Array:
        number = x.dtype.type
        left = number(self.scale * self.alpha)
        excess = left - number(self.scale)  # exact, and left - excess = scale is exact too
        return left * np.exp(np.minimum(x, 0)) - excess * (x > 0)
