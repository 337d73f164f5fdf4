"""Bounded functions that are piecewise linear or quadratic."""

from __future__ import annotations

import numpy as np

from activations.arguments import number, parameter
from activations.base import Array, Elementwise
from activations.functions.indicators import constant, indicator, positive


class HardTanh(Elementwise):
    """min(max(x, low), high), with low < high. Range [low, high]; f' is 0 at both kinks.

    f' = 1 for low < x < high, else 0. At the kinks PyTorch also has 0, JAX 1.
    Collobert 2004, thesis, EPFL/Paris VI.
    """

    name = "hardtanh"
    low = parameter(-1.0)
    high = parameter(1.0, above="low")

    @property
    def kinks(self) -> tuple[float, ...]:
        return self.low, self.high

    def forward(self, x: Array) -> Array:
        return np.minimum(np.maximum(x, self.low), self.high)

    def derivative(self, x: Array, y: Array) -> Array:
        return indicator((x > self.low) & (x < self.high), x)


class Clip(Elementwise):
    """min(max(x, low), high); with None there is no bound on that side. Range [low, high].

    f' = 1 for low < x < high, else 0. At the bounds PyTorch's hardtanh also has 0, torch.clamp 2.13
    has 1 and jax.numpy.clip 1/2. ONNX and PyTorch have no default bounds; ours are 0 and 1.
    ONNX Clip, torch.clamp, numpy.clip
    """

    name = "clip"

    def __init__(self, low: float | None = 0.0, high: float | None = 1.0) -> None:
        super().__init__()
        self.low = None if low is None else number("low", low)
        self.high = high
        if high is not None:
            lowest = {} if self.low is None else {"above": self.low}
            self.high = number("high", high, **lowest)

    @property
    def kinks(self) -> tuple[float, ...]:
        return tuple(bound for bound in (self.low, self.high) if bound is not None)

    def forward(self, x: Array) -> Array:
        y = x if self.low is None else np.maximum(x, self.low)
        return np.positive(y) if self.high is None else np.minimum(y, self.high)

    def derivative(self, x: Array, y: Array) -> Array:
        slope = constant(x, 1)
        if self.low is not None:
            slope = slope * np.sign(y - self.low)
        if self.high is not None:
            slope = slope * np.sign(self.high - y)
        return slope


class HardSigmoid(Elementwise):
    """min(max(slope x + offset, 0), 1), with slope > 0. Range [0, 1]; f' is 0 at both kinks.

    f' = slope for 0 < f(x) < 1, else 0. The default slope 1/6 (kinks at -3 and 3) is that of
    PyTorch, JAX and Keras 3; ONNX, Keras 2 and Theano have 0.2 (-2.5 and 2.5). f is computed as
    clip(x + offset / slope, 0, 1 / slope) slope, because slope x + offset cancels at the left kink.
    Courbariaux, Bengio & David 2015, https://arxiv.org/abs/1511.00363
    """

    name = "hardsigmoid"
    slope = parameter(1 / 6, minimum=1e-06, maximum=1000000.0)
    offset = parameter(0.5, minimum=-1000000.0, maximum=1000000.0)

    @property
    def kinks(self) -> tuple[float, ...]:
        return -self.offset / self.slope, (1 - self.offset) / self.slope

    def forward(self, x: Array) -> Array:
        width = 1 / self.slope
        return np.minimum(np.maximum(x + self.offset / self.slope, 0), width) / width

    def derivative(self, x: Array, y: Array) -> Array:
        left, right = self.offset / self.slope, (1 - self.offset) / self.slope
        return self.slope * positive(np.minimum(x + left, right - x))


class SparseSigmoid(HardSigmoid):
    """min(max((x + 1) / 2, 0), 1). Range [0, 1]; f' is 0 at both kinks (JAX has 1/4).

    f' = 1/2 for |x| < 1, else 0. f is the first output of sparsemax for the row (x, 0), and the
    derivative of sparse_plus.
    jax.nn.sparse_sigmoid; Martins & Astudillo 2016, https://arxiv.org/abs/1602.02068
    """

    name = "sparse_sigmoid"
    slope, offset = 0.5, 0.5


class SQNL(Elementwise):
    """x - x |x| / 4 for |x| < 2, else sign(x): piecewise quadratic, similar to tanh. Range [-1, 1].

    f' = max(1 - |x| / 2, 0).
    Wuraola & Patel 2018, SQNL: A New Computationally Efficient Activation Function,
    https://doi.org/10.1109/IJCNN.2018.8489043
    """

    name = "sqnl"
    kinks = (-2.0, 0.0, 2.0)

    def forward(self, x: Array) -> Array:
        t = np.minimum(np.maximum(x, -2), 2)
        return t * (1 - np.abs(t) * 0.25)

    def derivative(self, x: Array, y: Array) -> Array:
        return np.maximum(1 - np.abs(x) * 0.5, 0)


class HardGaussianHat(Elementwise):
    """max(1 - |x|, 0), the triangular function. Range [0, 1]; f' is 0 at -1, 0 and 1.

    f' = -sign(x) for |x| < 1, else 0. It is the linear B-spline.
    Zadeh 1965, as a fuzzy membership function.
    """

    name = "hard_gaussian_hat"
    kinks = (-1.0, 0.0, 1.0)

    def forward(self, x: Array) -> Array:
        return np.maximum(1 - np.abs(x), 0)

    def derivative(self, x: Array, y: Array) -> Array:
        return -np.sign(x) * np.sign(y)


class Step(Elementwise):
    """1 for x > threshold, else 0. Range {0, 1}.

    f' = 0 everywhere, so the layers before it do not learn. With window > 0 training uses the
    straight-through surrogate, 1 for |x - threshold| <= window, else 0.
    Rosenblatt 1958; straight-through: Bengio et al. 2013, https://arxiv.org/abs/1308.3432
    """

    name = "step"
    surrogate_derivative = True
    threshold = parameter(0.0)
    window = parameter(0.0, minimum=0)

    @property
    def kinks(self) -> tuple[float, ...]:
        return tuple(sorted({self.threshold + d for d in (-self.window, 0.0, self.window)}))

    def forward(self, x: Array) -> Array:
        return positive(x - self.threshold)

    def derivative(self, x: Array, y: Array) -> Array:
        return _straight_through(x - self.threshold, self.window)


class SignSTE(Elementwise):
    """sign(x), with a straight-through surrogate of its derivative. Range {-1, 0, 1}.

    f' = 1 for |x| <= window, else 0. With this surrogate the layers before it learn; the true
    derivative is 0 for x != 0. window = 0 gives 0 everywhere.
    Hubara et al. 2016, Binarized Neural Networks, https://arxiv.org/abs/1602.02830
    """

    name = "sign_ste"
    surrogate_derivative = True
    window = parameter(1.0, minimum=0)

    @property
    def kinks(self) -> tuple[float, ...]:
        return tuple(sorted({-self.window, 0.0, self.window}))

    def forward(self, x: Array) -> Array:
        return np.sign(x)

    def derivative(self, x: Array, y: Array) -> Array:
        return _straight_through(x, self.window)


def _straight_through(x: Array, window: float) -> Array:
    """Return 1 where |x| <= window, else 0; 0 everywhere for window 0."""
    if window == 0:
        return constant(x, 0)
    return 1 - positive(np.abs(x) - window)
