"""Piecewise linear functions: the rectifier and its kin."""

from __future__ import annotations

import numpy as np

from activations.base import Array, Elementwise, number


class ReLU(Elementwise):
    """max(x, 0), the rectified linear unit.

    f'(0) = derivative_at_zero: 1 by default, as in the article that this library began
    with; PyTorch, JAX and scikit-learn take 0, which Bertoin et al. 2021 argue for.
    Nair & Hinton 2010, https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf
    """

    name = "relu"

    def __init__(self, derivative_at_zero: float = 1.0) -> None:
        super().__init__()
        self.derivative_at_zero = number(
            "derivative_at_zero", derivative_at_zero, minimum=0, maximum=1
        )

    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0)

    def derivative(self, x: Array, y: Array) -> Array:
        return np.heaviside(x, x.dtype.type(self.derivative_at_zero))


class LeakyReLU(Elementwise):
    """x for x > 0, alpha x for x <= 0.

    f'(0) = derivative_at_zero: 1 by default, as in the article; PyTorch takes alpha.
    Libraries' defaults for alpha: 0.01 PyTorch, JAX and ONNX; 0.2 or 0.3 Keras.
    Maas, Hannun & Ng 2013, https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf
    """

    name = "leaky_relu"

    def __init__(self, alpha: float = 0.2, derivative_at_zero: float = 1.0) -> None:
        super().__init__()
        self.alpha = number("alpha", alpha, minimum=0)
        self.derivative_at_zero = number("derivative_at_zero", derivative_at_zero)

    def forward(self, x: Array) -> Array:
        return np.where(x > 0, x, self.alpha * x)

    def derivative(self, x: Array, y: Array) -> Array:
        one, slope, at_zero = x.dtype.type(1), self.alpha, self.derivative_at_zero
        sides = np.where(x > 0, one, x.dtype.type(slope))
        return np.where(x == 0, x.dtype.type(at_zero), np.where(np.isnan(x), x, sides))
