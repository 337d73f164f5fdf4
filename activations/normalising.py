"""Functions that rescale a whole row by its norm, its spread or its sum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from activations.axiswise import AxisWise, complement
from activations.base import Array, number


def binary_exponent(x: Array) -> Array:
    """Return e such that the largest magnitude of each row is in [1/2, 1) times 2^e, or 0."""
    return np.frexp(np.abs(x).max(axis=-1, keepdims=True))[1]


def norm(x: Array) -> tuple[Array, Array]:
    """Return |v| and v / |v| of each row in float64; 0 and 0 for a zero row.

    No square over- or underflows, because the row is scaled by a power of 2 first.
    """
    exponent = binary_exponent(x)
    unit = np.ldexp(x.astype(np.float64, copy=False), -exponent)
    length = np.sqrt((unit * unit).sum(axis=-1, keepdims=True))
    with np.errstate(over="ignore"):
        return np.ldexp(length, exponent), unit / (length + (length == 0))


class L2Normalize(AxisWise):
    """v / max(|v|, epsilon), |v| the Euclidean norm of the row. Range: the unit ball.

    The norm is taken of the scaled row and neither over- nor underflows; infinities give NaN.
    torch.nn.functional.normalize (whose epsilon we follow), ONNX LpNormalization
    """

    name = "l2_normalize"

    def __init__(self, epsilon: float = 1e-12) -> None:
        super().__init__()
        self.epsilon = number("epsilon", epsilon, above=0)

    def forward(self, x: Array) -> Array:
        with np.errstate(invalid="ignore", over="ignore"):
            size, direction = norm(x)
            y = np.where(size < self.epsilon, x / self.epsilon, direction)
        return y.astype(x.dtype, copy=False)

    def gradient(self, x: npt.ArrayLike) -> Array:
        """Return (1 - y_i^2) / max(|v|, epsilon), the Jacobian's diagonal."""
        x = self._rows(x)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            size, y = norm(x)
            slope = np.where(size < self.epsilon, 1 / self.epsilon, complement(y * y) / size)
        return slope.astype(x.dtype, copy=False)

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            size, direction = norm(x)
            along = (grad * direction).sum(axis=-1, keepdims=True)
            across = (grad - along * direction) / size
            product = np.where(size < self.epsilon, grad / self.epsilon, across)
        return product.astype(x.dtype, copy=False)


class Squash(AxisWise):
    """|v|^2 / (1 + |v|^2) v / |v|: keeps the direction, squeezes the length into [0, 1).

    Value and derivative are 0 at v = 0.
    Sabour, Frosst & Hinton 2017, https://arxiv.org/abs/1710.09829
    """

    name = "squash"

    def forward(self, x: Array) -> Array:
        with np.errstate(invalid="ignore"):
            size, direction = norm(x)
            ratio, _ = self._shrinkage(size)
            y = np.where(size > 1, direction, x * np.minimum(size, 1)) / (1 + ratio * ratio)
        return y.astype(x.dtype, copy=False)

    def gradient(self, x: npt.ArrayLike) -> Array:
        """Return the Jacobian's diagonal."""
        x = self._rows(x)
        with np.errstate(invalid="ignore"):
            size, direction = norm(x)
            ratio, radial = self._shrinkage(size)
            slope = ratio / (1 + ratio * ratio) * (1 + radial * direction * direction)
        return slope.astype(x.dtype, copy=False)

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        with np.errstate(invalid="ignore"):
            size, direction = norm(x)
            ratio, radial = self._shrinkage(size)
            along = (grad * direction).sum(axis=-1, keepdims=True)
            product = ratio / (1 + ratio * ratio) * (grad + radial * along * direction)
        return product.astype(x.dtype, copy=False)

    @staticmethod
    def _shrinkage(size: Array) -> tuple[Array, Array]:
        """Return min(n, 1/n) and (1 - n^2) / (1 + n^2) for the norm n.

        n / (1 + n^2) is the same function of n and of 1/n.
        """
        with np.errstate(divide="ignore", over="ignore"):
            ratio = np.minimum(size, 1 / size)
        radial = (1 - ratio) * (1 + ratio) / (1 + ratio * ratio)
        return ratio, np.where(size > 1, -radial, radial)


class Standardize(AxisWise):
    """(x - mean) / sqrt(variance + epsilon) of each row. Mean 0, variance at most 1.

    Right to about 1 eps of the row's largest entry, absolute; infinities give NaN.
    jax.nn.standardize; Ba, Kiros & Hinton 2016, https://arxiv.org/abs/1607.06450
    """

    name = "standardize"

    def __init__(self, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = number("epsilon", epsilon, above=0)

    def forward(self, x: Array) -> Array:
        with np.errstate(invalid="ignore"):
            y, _ = self._rescaled(x)
        return y.astype(x.dtype, copy=False)

    def gradient(self, x: npt.ArrayLike) -> Array:
        """Return (1 - 1/n - y_i^2 / n) / sqrt(variance + epsilon), the Jacobian's diagonal."""
        x = self._rows(x)
        n = x.shape[-1]
        with np.errstate(invalid="ignore"):
            y, deviation = self._rescaled(x)
            slope = (1 - 1 / n - y * y / n) / deviation
        return slope.astype(x.dtype, copy=False)

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        with np.errstate(invalid="ignore"):
            y, deviation = self._rescaled(x)
            centred = grad - grad.mean(axis=-1, keepdims=True)
            centred = centred - y * (centred * y).mean(axis=-1, keepdims=True)
            product = centred / deviation
        return product.astype(x.dtype, copy=False)

    def _rescaled(self, x: Array) -> tuple[Array, Array]:
        """Return y and sqrt(variance + epsilon), from the row divided by a power of 2."""
        exponent = np.maximum(binary_exponent(x), 0)
        unit = np.ldexp(x.astype(np.float64, copy=False), -exponent)
        unit = unit - unit.mean(axis=-1, keepdims=True)
        unit = unit - unit.mean(axis=-1, keepdims=True)
        spread = np.ldexp(np.sqrt((unit * unit).mean(axis=-1, keepdims=True)), exponent)
        deviation = np.hypot(spread, self.epsilon**0.5)
        scale = np.ldexp(deviation, -exponent)  # 0 for huge equal numbers only
        return unit / (scale + (scale == 0)), deviation


class TaylorSoftmax(AxisWise):
    """p_i = f(x_i) / sum_j f(x_j) with f(x) = 1 + x + x^2 / 2. Range (0, 1), rows sum to 1.

    f is written ((x + 1)^2 + 1) / 2, which does not cancel, with x + 1 divided by the row's
    largest, which does not overflow; infinities give NaN.
    De Brebisson & Vincent 2016, https://arxiv.org/abs/1511.05042
    """

    name = "taylor_softmax"

    def forward(self, x: Array) -> Array:
        with np.errstate(invalid="ignore"):
            terms, _ = self._terms(x)
            y = terms / terms.sum(axis=-1, keepdims=True)
        return y.astype(x.dtype, copy=False)

    def gradient(self, x: npt.ArrayLike) -> Array:
        """Return f'(x_i) (1 - p_i) / sum_j f(x_j), the Jacobian's diagonal."""
        x = self._rows(x)
        with np.errstate(invalid="ignore"):
            terms, slopes = self._terms(x)
            p = terms / terms.sum(axis=-1, keepdims=True)
        return (slopes * complement(p)).astype(x.dtype, copy=False)

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        with np.errstate(invalid="ignore"):
            _, slopes = self._terms(x)
            against = grad - (grad * (y > 0.5)).sum(axis=-1, keepdims=True)
            product = slopes * (against - (against * y).sum(axis=-1, keepdims=True))
        return product.astype(x.dtype, copy=False)

    @staticmethod
    def _terms(x: Array) -> tuple[Array, Array]:
        """Return numbers proportional to f(x), and f'(x) / sum_j f(x_j)."""
        t = np.add(x, 1, dtype=np.float64)
        largest = np.maximum(np.abs(t).max(axis=-1, keepdims=True), 1)
        t = t / largest
        terms = t * t + (1 / largest) ** 2
        return terms, 2 * t / (largest * terms.sum(axis=-1, keepdims=True))
