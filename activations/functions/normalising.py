"""Functions that rescale a whole row by its norm, its standard deviation or its sum."""

from __future__ import annotations

import numpy as np

from activations.arguments import parameter
from activations.base import Array
from activations.functions.axiswise import AxisWise, by_rows, complement
from activations.functions.special import two_product


def binary_exponent(x: Array) -> Array:
    """Return e so that the largest |x_i| of each row is in [1/2, 1) times 2^e; 0 for a zero row."""
    return np.frexp(np.abs(x).max(axis=-1, keepdims=True))[1]


def split(grad: Array, v: Array) -> tuple[Array, Array]:
    """Return the components of each row of grad parallel and orthogonal to v, in float64.

    The orthogonal component keeps its digits if grad is nearly parallel to v: grad - a v is
    computed with the rounding error of a v, and orthogonalised a second time.
    """
    v = np.ldexp(v.astype(np.float64, copy=False), -binary_exponent(v))
    exponent = binary_exponent(grad)
    grad = np.ldexp(grad.astype(np.float64, copy=False), -exponent)
    square = (v * v).sum(axis=-1, keepdims=True)
    square = square + (square == 0)
    share = (grad * v).sum(axis=-1, keepdims=True) / square
    product, rest = two_product(share, v)
    across = (grad - product) - rest
    if v.shape[-1] == 1:  # there is no orthogonal direction
        across = 0 * across
    more = (across * v).sum(axis=-1, keepdims=True) / square
    return np.ldexp((share + more) * v, exponent), np.ldexp(across - more * v, exponent)


def norm(x: Array) -> tuple[Array, Array]:
    """Return |v| and v / |v| of each row in float64; 0 and 0 for a zero row.

    The row is scaled by a power of 2 first, so that squares neither overflow nor underflow.
    """
    exponent = binary_exponent(x)
    unit = np.ldexp(x.astype(np.float64, copy=False), -exponent)
    length = np.sqrt((unit * unit).sum(axis=-1, keepdims=True))
    return np.ldexp(length, exponent), unit / (length + (length == 0))


class L2Normalize(AxisWise):
    """v / max(|v|, epsilon) with the Euclidean norm |v| of the row. Range: the unit ball.

    The norm neither overflows nor underflows. A row with an infinity gives NaN.
    torch.nn.functional.normalize (with the same default epsilon), ONNX LpNormalization
    """

    name = "l2_normalize"
    epsilon = parameter(1e-12, above=0)

    @by_rows
    def forward(self, x: Array) -> Array:
        size, direction = norm(x)
        return np.where(size < self.epsilon, self._short(x), direction)

    @by_rows
    def diagonal(self, x: Array) -> Array:  # (1 - y_i^2) / max(|v|, epsilon)
        size, y = norm(x)
        return np.where(size < self.epsilon, self._short(1), complement(y * y) / size)

    @by_rows
    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        size, _ = norm(x)
        _, across = split(grad, x)
        return np.where(size < self.epsilon, self._short(grad), across / size)

    def _short(self, v: Array | float) -> Array:
        """Return v / epsilon, the result for a vector shorter than epsilon."""
        return np.divide(v, self.epsilon, dtype=np.float64)


class Squash(AxisWise):
    """|v|^2 / (1 + |v|^2) v / |v|: keeps the direction; the new length is in [0, 1).

    Value and derivative are 0 at v = 0.
    Sabour, Frosst & Hinton 2017, https://arxiv.org/abs/1710.09829
    """

    name = "squash"

    @by_rows
    def forward(self, x: Array) -> Array:
        size, direction = norm(x)
        y = np.where(size > 1, direction, x * np.minimum(size, 1))
        return y / (1 + np.square(_ratio(size)))

    @by_rows
    def diagonal(self, x: Array) -> Array:
        size, direction = norm(x)
        along, across = self._slopes(size)
        share = direction * direction
        return across * complement(share) + along * share

    @by_rows
    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        parts = split(grad, x)
        slopes = self._slopes(norm(x)[0])
        return slopes[0] * parts[0] + slopes[1] * parts[1]

    @staticmethod
    def _slopes(size: Array) -> tuple[Array, Array]:
        """Return the Jacobian's eigenvalues for n = |v|: 2 n / (1 + n^2)^2 and n / (1 + n^2).

        The first belongs to v, the second to all directions orthogonal to v.
        """
        ratio = _ratio(size)
        inverse = 1 / (1 + ratio * ratio)
        across = ratio * inverse
        return 2 * across * np.where(size > 1, ratio * ratio, 1) * inverse, across


def _ratio(size: Array) -> Array:
    """Return r = min(n, 1/n): n / (1 + n^2) = r / (1 + r^2), and r^2 does not overflow."""
    return np.minimum(size, 1 / size)


class Standardize(AxisWise):
    """(x - mean) / sqrt(variance + epsilon) of each row: mean 0 and variance at most 1.

    The absolute error is about 1 eps of the row's largest entry. A row with an infinity gives NaN.
    jax.nn.standardize; Ba, Kiros & Hinton 2016, https://arxiv.org/abs/1607.06450
    """

    name = "standardize"
    epsilon = parameter(1e-5, above=0)

    @by_rows
    def forward(self, x: Array) -> Array:
        centred, exponent, deviation = self._centred(x)
        scale = np.ldexp(deviation, -exponent)  # 0 only for a row of equal, huge numbers
        return centred / (scale + (scale == 0))

    @by_rows
    def diagonal(self, x: Array) -> Array:  # (1 - 1/n - y_i^2 / n) / sqrt(variance + epsilon)
        centred, _, deviation = self._centred(x)
        share, across = _shares(centred)
        return (across + self._along(deviation) * share) / deviation

    @by_rows
    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        centred, _, deviation = self._centred(x)
        grad = grad - grad.mean(axis=-1, keepdims=True, dtype=np.float64)
        along, across = split(grad, centred)
        return (across + self._along(deviation) * along) / deviation

    def _along(self, deviation: Array) -> Array:
        """Return epsilon / (variance + epsilon), by which the parallel component is multiplied."""
        return np.square(self.epsilon**0.5 / deviation)

    def _centred(self, x: Array) -> tuple[Array, Array, Array]:
        """Return (x - mean) / 2^e, e, and sqrt(variance + epsilon)."""
        exponent = np.maximum(binary_exponent(x), 0)
        unit = np.ldexp(x.astype(np.float64, copy=False), -exponent)
        unit = unit - unit.mean(axis=-1, keepdims=True)
        unit = unit - unit.mean(axis=-1, keepdims=True)
        spread = np.ldexp(np.sqrt((unit * unit).mean(axis=-1, keepdims=True)), exponent)
        return unit, exponent, np.hypot(spread, self.epsilon**0.5)


def _shares(centred: Array) -> tuple[Array, Array]:
    """Return u_i^2 and 1 - 1/n - u_i^2 for rows u of mean 0, scaled so that sum_i u_i^2 = 1.

    For the largest u_i^2 the difference would cancel; it is computed from the variance of the
    other entries.
    """
    n = centred.shape[-1]
    square = (centred * centred).sum(axis=-1, keepdims=True)
    square = square + (square == 0)
    share = centred * centred / square
    if n <= 2:
        return share, 0 * share
    largest = np.arange(n) == np.abs(centred).argmax(axis=-1)[..., None]
    mean = np.where(largest, 0, centred).sum(axis=-1, keepdims=True) / (n - 1)
    others = np.square(np.where(largest, 0, centred - mean)).sum(axis=-1, keepdims=True) / square
    return share, np.where(largest, others * (n - 1) / n, 1 - 1 / n - share)


class TaylorSoftmax(AxisWise):
    """p_i = f(x_i) / sum_j f(x_j) with f(x) = 1 + x + x^2 / 2. Range (0, 1), rows sum to 1.

    f is computed as ((x + 1)^2 + 1) / 2, which does not cancel. x + 1 is divided by the row's
    largest |x + 1|, so that the square does not overflow. A row with an infinity gives NaN.
    De Brebisson & Vincent 2016, https://arxiv.org/abs/1511.05042
    """

    name = "taylor_softmax"

    @by_rows
    def forward(self, x: Array) -> Array:
        terms, _ = self._terms(x)
        return terms / terms.sum(axis=-1, keepdims=True)

    @by_rows
    def diagonal(self, x: Array) -> Array:  # f'(x_i) (1 - p_i) / sum_j f(x_j)
        terms, slopes = self._terms(x)
        p = terms / terms.sum(axis=-1, keepdims=True)
        return slopes * complement(p)

    @by_rows
    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        _, slopes = self._terms(x)
        against = grad - (grad * (y > 0.5)).sum(axis=-1, keepdims=True)
        return slopes * (against - (against * y).sum(axis=-1, keepdims=True))

    @staticmethod
    def _terms(x: Array) -> tuple[Array, Array]:
        """Return numbers proportional to f(x), and f'(x) / sum_j f(x_j)."""
        t = np.add(x, 1, dtype=np.float64)
        largest = np.maximum(np.abs(t).max(axis=-1, keepdims=True), 1)
        t = t / largest
        terms = t * t + (1 / largest) ** 2
        return terms, 2 * t / terms.sum(axis=-1, keepdims=True) / largest
