"""Functions that replace small |x|, or small x, by a constant."""

from __future__ import annotations

import numpy as np

from activations.arguments import parameter
from activations.base import Array, Elementwise
from activations.functions.indicators import positive


class HardShrink(Elementwise):
    """x for |x| > threshold, else 0, with threshold >= 0.

    Range {0} and |y| > threshold. f' = 1 for |x| > threshold, else 0. At both jumps f = f' = 0, as
    in PyTorch.
    Donoho & Johnstone 1994, https://doi.org/10.1093/biomet/81.3.425
    """

    name = "hardshrink"
    threshold = parameter(0.5, minimum=0)

    @property
    def kinks(self) -> tuple[float, ...]:
        return -self.threshold, self.threshold

    def forward(self, x: Array) -> Array:
        return np.where(np.abs(x) <= self.threshold, 0, x)

    def derivative(self, x: Array, y: Array) -> Array:
        return np.abs(np.sign(y))


class SoftShrink(HardShrink):
    """x - sign(x) threshold for |x| > threshold, else 0. Range (-inf, inf).

    f' = 1 for |x| > threshold, else 0; at both kinks it is 0, as in PyTorch. f is the proximal
    operator of threshold |x|.
    Donoho & Johnstone 1994, https://doi.org/10.1093/biomet/81.3.425
    """

    name = "softshrink"

    def forward(self, x: Array) -> Array:
        return x - np.minimum(np.maximum(x, -self.threshold), self.threshold)


class Shrink(Elementwise):
    """x + bias for x < -threshold, x - bias for x > threshold, else 0. Range (-inf, inf).

    f' = 1 for |x| > threshold, else 0. bias = 0 gives hardshrink, bias = threshold softshrink.
    ONNX Shrink, where the threshold is called ``lambd``.
    """

    name = "shrink"
    threshold = parameter(0.5, minimum=0)
    bias = parameter(0.0)

    @property
    def kinks(self) -> tuple[float, ...]:
        return -self.threshold, self.threshold

    def forward(self, x: Array) -> Array:
        return np.where(np.abs(x) <= self.threshold, 0, x - np.sign(x) * self.bias)

    def derivative(self, x: Array, y: Array) -> Array:
        return positive(np.abs(x) - self.threshold)


class Threshold(Elementwise):
    """x for x > threshold, else value.

    f' = 1 for x > threshold, else 0. f jumps at the threshold, unless value = threshold. PyTorch's
    Threshold has no defaults; with ours f is relu.
    torch.nn.Threshold
    """

    name = "threshold"
    threshold = parameter(0.0)
    value = parameter(0.0)

    @property
    def kinks(self) -> tuple[float, ...]:
        return (self.threshold,)

    def forward(self, x: Array) -> Array:
        return np.where(x <= self.threshold, self.value, x)

    def derivative(self, x: Array, y: Array) -> Array:
        return positive(x - self.threshold)
