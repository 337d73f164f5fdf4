"""ReLU and similar functions: zero or a smaller slope for x < 0, unbounded for x > 0."""

from __future__ import annotations

import numpy as np

from activations.arguments import number, parameter
from activations.base import Array, Elementwise
from activations.functions.clipped import HardTanh
from activations.functions.indicators import constant, not_negative, positive


class ReLU(Elementwise):
    """max(x, 0), the rectified linear unit. Range [0, inf).

    f' = 1 for x > 0, 0 for x < 0. f'(0) = derivative_at_zero: 1 by default, as in the article
    "ReLU, LeakyReLU, Sigmoid, TanH and Softmax from the ground up in NumPy"; PyTorch, JAX and
    scikit-learn use 0, which Bertoin et al. 2021 recommend.
    Nair & Hinton 2010, https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf
    """

    name = "relu"
    kinks = (0.0,)
    derivative_at_zero = parameter(1.0, minimum=0, maximum=1)

    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0)

    def derivative(self, x: Array, y: Array) -> Array:
        if self.derivative_at_zero == 0:
            return positive(x)
        if self.derivative_at_zero == 1:
            return not_negative(x)
        return np.heaviside(x, x.dtype.type(self.derivative_at_zero))


class LeakyReLU(Elementwise):
    """x for x > 0, alpha x for x <= 0, with alpha >= 0. Range (-inf, inf).

    f' = 1 for x > 0, alpha for x < 0. f'(0) = derivative_at_zero: 1 by default, as for relu;
    PyTorch uses alpha. The default alpha is 0.01 in PyTorch, JAX and ONNX, 0.2 or 0.3 in Keras.
    Maas, Hannun & Ng 2013, https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf
    """

    name = "leaky_relu"
    kinks = (0.0,)
    alpha = parameter(0.2, minimum=0)
    derivative_at_zero = parameter(1.0)

    def forward(self, x: Array) -> Array:
        if self.alpha == 0:  # 0 * -inf would be NaN
            return np.maximum(x, 0)
        if self.alpha <= 1:
            return np.maximum(x, self.alpha * x)
        with np.errstate(over="ignore"):
            return np.maximum(x, 0) + self.alpha * np.minimum(x, 0)

    def derivative(self, x: Array, y: Array) -> Array:
        slope, at_zero = self.alpha, self.derivative_at_zero
        if slope <= 1 and at_zero == 1:
            return np.maximum(not_negative(x), slope)
        if slope <= 1 and at_zero == slope:
            return np.maximum(positive(x), slope)
        sides = np.where(x < 0, slope, not_negative(x))
        return np.where(x == 0, x.dtype.type(at_zero), sides)


class ReLU6(HardTanh):
    """min(max(x, 0), 6). Range [0, 6]; f' is 0 at both kinks.

    f' = 1 for 0 < x < 6, else 0.
    Krizhevsky 2010, Convolutional Deep Belief Networks on CIFAR-10,
    https://www.cs.utoronto.ca/~kriz/conv-cifar10-aug2010.pdf
    """

    name = "relu6"
    low, high = 0.0, 6.0


class RReLU(Elementwise):
    """x for x > 0, a x for x <= 0: a leaky rectifier with a random slope a. Range (-inf, inf).

    In training, a is drawn from U(lower, upper) for each element of x (replicates, batch, units);
    each replicate has its own generator. Otherwise a is the mean (lower + upper) / 2.
    f' = 1 for x > 0, else a. The derivative recovers a from y / x, within 1 ULP; f'(0) is the mean.
    The defaults are those of PyTorch.
    Xu et al. 2015, https://arxiv.org/abs/1505.00853
    """

    name = "rrelu"
    kinks = (0.0,)
    stochastic = True
    lower = parameter(0.125, minimum=0, maximum=1)
    upper = parameter(1 / 3, minimum="lower", maximum=1)

    def forward(self, x: Array) -> Array:
        if self.generators is None:
            return np.maximum(x, self._mean * x) if self._mean else np.maximum(x, 0)
        slopes = np.stack([rng.random(x.shape[1:], x.dtype) for rng in self.generators])
        slopes *= self.upper - self.lower
        slopes += self.lower
        return np.where(x > 0, x, slopes * np.minimum(x, 0))

    def derivative(self, x: Array, y: Array) -> Array:
        if self.generators is None:
            return np.maximum(positive(x), self._mean)
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = np.where(np.isinf(x) | (x == 0), self._mean, y / x)
        return np.maximum(positive(x), drawn)

    @property
    def _mean(self) -> float:
        return (self.lower + self.upper) / 2


class ThresholdedReLU(Elementwise):
    """x for x > theta, else 0, with theta >= 0. Range {0} and (theta, inf).

    f jumps at theta, and f(theta) = 0. f' = 1 for x > theta, else 0.
    ONNX ThresholdedRelu, Keras 2.
    Konda, Memisevic & Krueger 2014, https://arxiv.org/abs/1402.3337
    """

    name = "thresholded_relu"
    theta = parameter(1.0, minimum=0)

    @property
    def kinks(self) -> tuple[float, ...]:
        return (self.theta,)

    def forward(self, x: Array) -> Array:
        return np.where(x <= self.theta, 0, x)

    def derivative(self, x: Array, y: Array) -> Array:
        return np.sign(y)


class KerasReLU(Elementwise):
    """x clipped to [0, max_value] for x > threshold, else negative_slope (x - threshold).

    max_value = None does not clip; the defaults give relu. f is what the code of Keras computes;
    its documentation differs: f = x at the threshold, and no clipping at 0 if the threshold is
    negative. f' = 1 for x > threshold, else negative_slope, but 0 where x is clipped. At the
    threshold, Keras on JAX has 1; Keras on PyTorch has negative_slope if threshold = 0 and
    max_value = None, else 0.
    Keras 3.15, keras.activations.relu, https://keras.io/api/layers/activations/#relu-function
    """

    name = "keras_relu"

    def __init__(
        self,
        negative_slope: float = 0.0,
        max_value: float | None = None,
        threshold: float = 0.0,
    ) -> None:
        super().__init__()
        self.negative_slope = number("negative_slope", negative_slope, minimum=0)
        self.threshold = number("threshold", threshold)
        self.max_value = max_value
        if max_value is not None:
            self.max_value = number("max_value", max_value, minimum=max(self.threshold, 0))

    @property
    def kinks(self) -> tuple[float, ...]:
        cuts = () if self.max_value is None else (max(self.threshold, 0.0), self.max_value)
        return tuple(sorted({self.threshold, *cuts}))

    def forward(self, x: Array) -> Array:
        y = np.where(x <= self.threshold, 0, x)
        if self.max_value is not None:
            y = np.minimum(np.maximum(y, 0), self.max_value)
        if self.negative_slope:
            with np.errstate(over="ignore"):
                y = y + self.negative_slope * np.minimum(x - self.threshold, 0)
        return y

    def derivative(self, x: Array, y: Array) -> Array:
        sides = np.where(x <= self.threshold, self.negative_slope, constant(x, 1))
        if self.max_value is None:
            return sides
        cut = (x > self.threshold) & ((x <= 0) | (x >= self.max_value))
        return np.where(cut, 0, sides)


class NLReLU(Elementwise):
    """ln(1 + beta max(x, 0)), with beta >= 1e-30. Range [0, inf).

    f' = beta / (1 + beta x) for x > 0, else 0.
    Liu et al. 2019, Natural-Logarithm-Rectified Activation Function,
    https://arxiv.org/abs/1908.03682
    """

    name = "nlrelu"
    kinks = (0.0,)
    beta = parameter(1.0, minimum=1e-30)

    def forward(self, x: Array) -> Array:
        rectified = np.maximum(x, 0)
        if self.beta <= 1:
            return np.log1p(self.beta * rectified)
        largest = float(np.finfo(x.dtype).max) / 2 / self.beta  # so that beta x does not overflow
        excess = np.log(np.maximum(rectified / largest, 1))
        return np.log1p(self.beta * np.minimum(rectified, largest)) + excess

    def derivative(self, x: Array, y: Array) -> Array:
        rectified = np.maximum(x, 0)
        return np.sign(rectified) / (1 / self.beta + rectified)
