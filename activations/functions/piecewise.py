"""Unbounded functions that are piecewise linear, quadratic or exponential."""

from __future__ import annotations

import numpy as np

from activations.arguments import parameter
from activations.base import Array, Elementwise
from activations.functions.indicators import constant


class Identity(Elementwise):
    """x: a linear layer without an activation. Range (-inf, inf). f' = 1."""

    name = "identity"

    def forward(self, x: Array) -> Array:
        return np.positive(x)

    def derivative(self, x: Array, y: Array) -> Array:
        return constant(x, 1)


class Abs(Elementwise):
    """|x|. Range [0, inf). f' = sign(x); f'(0) = 0 as in PyTorch (JAX has 1). ONNX Abs."""

    name = "abs"
    kinks = (0.0,)

    def forward(self, x: Array) -> Array:
        return np.abs(x)

    def derivative(self, x: Array, y: Array) -> Array:
        return np.sign(x)


class HardSwish(Elementwise):
    """x min(max(x + 3, 0), 6) / 6. Range [-3/8, inf), the minimum at x = -3/2.

    f' = x/3 + 1/2 for |x| < 3, 0 for x <= -3, 1 for x >= 3, as in PyTorch, JAX and Keras.
    The factor is divided by 6 before the multiplication, so that large x do not overflow. x is
    clipped at -3, so that -inf does not give NaN.
    Howard et al. 2019, Searching for MobileNetV3, https://arxiv.org/abs/1905.02244
    """

    name = "hardswish"
    kinks = (-3.0, 3.0)

    def forward(self, x: Array) -> Array:
        t = np.maximum(x, -3)
        return t * (np.minimum(t + 3, 6) / 6)

    def derivative(self, x: Array, y: Array) -> Array:
        t = np.maximum(x, -3)
        inside = np.abs(x) < 3
        return np.minimum(t + 3, 6) / 6 + np.minimum(t, 3) * inside.astype(x.dtype) / 6


class HardMish(Elementwise):
    """x min(max(x + 2, 0), 2) / 2. Range [-1/2, inf), the minimum at x = -1; f'(-2) = 0.

    f' = 0 for x <= -2, x + 1 for -2 < x < 0, 1 for x >= 0.
    Misra's H-Mish, in the timm library, https://github.com/digantamisra98/H-Mish
    """

    name = "hard_mish"
    kinks = (-2.0, 0.0)

    def forward(self, x: Array) -> Array:
        t = np.maximum(x, -2)
        return t * (np.minimum(t + 2, 2) * 0.5)

    def derivative(self, x: Array, y: Array) -> Array:
        return np.where(x <= -2, 0, np.minimum(x, 0) + 1)


class HardELiSH(Elementwise):
    """h(x) x for x >= 0, h(x) (e^x - 1) for x < 0, with h(x) = min(max((x + 1)/2, 0), 1).

    Range [-0.0997, inf).
    f' = 0 for x <= -1, (e^x (x + 2) - 1) / 2 for -1 < x < 0, x + 1/2 for 0 <= x < 1, else 1.
    Basirat & Roth 2018, The Quest for the Golden Activation Function,
    https://arxiv.org/abs/1808.00783
    """

    name = "hard_elish"
    kinks = (-1.0, 0.0, 1.0)

    def forward(self, x: Array) -> Array:
        gate = np.minimum(np.maximum(x + 1, 0), 2) * 0.5
        return gate * (np.maximum(x, 0) + np.expm1(np.minimum(x, 0)))

    def derivative(self, x: Array, y: Array) -> Array:
        low = np.minimum(np.maximum(x, -1), 0)
        left = (np.exp(low) * (low + 1) + np.expm1(low)) * 0.5
        middle = left + np.minimum(np.maximum(x, 0), 1)
        return np.where(np.abs(x) < 1, middle, np.sign(np.maximum(x, 0)))


class SmeLU(Elementwise):
    """0 for x <= -beta, (x + beta)^2 / (4 beta) for |x| < beta, x for x >= beta, beta >= 1e-30.

    Range [0, inf). f' = 0 for x <= -beta, (x + beta) / (2 beta) for |x| < beta, 1 for x >= beta.
    beta is half the width of the transition; the paper tunes it.
    Shamir et al. 2022, Real World Large Scale Recommendation Systems Reproducibility and
    Smooth Activations, https://arxiv.org/abs/2202.06499
    """

    name = "smelu"
    beta = parameter(1.0, minimum=1e-30)

    @property
    def kinks(self) -> tuple[float, ...]:
        return -self.beta, self.beta

    def forward(self, x: Array) -> Array:
        t = np.minimum(np.maximum(x + self.beta, 0), 2 * self.beta)
        return np.maximum(t * (t / (4 * self.beta)), x)  # the parabola is tangent to x at beta

    def derivative(self, x: Array, y: Array) -> Array:
        t = np.minimum(np.maximum(x + self.beta, 0), 2 * self.beta)
        return t / (2 * self.beta)


class SparsePlus(SmeLU):
    """0 for x <= -1, (x + 1)^2 / 4 for |x| < 1, x for x >= 1: smelu with beta = 1.

    f' = min(max((x + 1) / 2, 0), 1), which is sparse_sigmoid.
    jax.nn.sparse_plus; Martins & Astudillo 2016, https://arxiv.org/abs/1602.02068
    """

    name = "sparse_plus"
    beta = 1.0
