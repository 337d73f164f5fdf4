"""Functions that set what is small, or low, to a constant and keep the rest."""

from __future__ import annotations

import numpy as np

from activations.arguments import parameter
from activations.base import Array, Elementwise
from activations.functions.indicators import positive


class HardShrink(Elementwise):
    """x for |x| > threshold, else 0, with threshold >= 0. Range (-inf, inf) without the gap.

    f = f' = 0 at both jumps, as in PyTorch. f' = 1 for |x| > threshold, else 0.
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

    The proximal operator of threshold |x|; f' is 0 at both kinks, as in PyTorch.
    f' = 1 for |x| > threshold, else 0.
    Donoho & Johnstone 1994, https://doi.org/10.1093/biomet/81.3.425
    """

    name = "softshrink"

    def forward(self, x: Array) -> Array:
        return x - np.minimum(np.maximum(x, -self.threshold), self.threshold)


class Shrink(Elementwise):
    """x + bias for x < -threshold, x - bias for x > threshold, else 0. Range (-inf, inf).

    bias = 0 is hardshrink, bias = threshold softshrink; f' is 0 at both kinks.
    f' = 1 for |x| > threshold, else 0.
    ONNX Shrink, whose ``lambd`` is our threshold.
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

    f' is 0 at the threshold, where f jumps unless value = threshold. PyTorch's Threshold has
    no defaults; ours make it relu. f' = 1 for x > threshold, else 0.
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
