"""Maps to the probability simplex with exact zeros: hardmax, sparsemax, entmax.

A probability is a difference z - tau, or a power of it, where tau depends on the whole row. Its
absolute error is about 1 eps. Its relative error has no bound near 0, where the difference cancels.
"""

from __future__ import annotations

import numpy as np

from activations.arguments import parameter
from activations.base import Array
from activations.functions.axiswise import (
    AxisWise,
    Masked,
    by_rows,
    complement,
)

MOST_ITERATIONS = 100


class Hardmax(AxisWise):
    """1 at the first maximum of the row, else 0. The derivative is 0. ONNX Hardmax."""

    name = "hardmax"

    def forward(self, x: Array) -> Array:
        first = np.argmax(x, axis=-1)[..., None] == np.arange(x.shape[-1])
        return np.where(np.isnan(x.max(axis=-1, keepdims=True)), x.dtype.type(np.nan), first)

    def diagonal(self, x: Array) -> Array:
        return 0 * self.forward(x)

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        return 0 * (y * np.ones_like(grad))


class _Entmax(Masked):
    """p = argmax over the simplex of p.x + H(p), H the Tsallis entropy of order alpha.

    With q = p^(2 - alpha) on the support and 0 elsewhere, the Jacobian is
    diag(q) - q q^T / sum(q).
    """

    _order: float

    @by_rows
    def forward(self, x: Array) -> Array:
        gaps = np.subtract(x, x.max(axis=-1, keepdims=True), dtype=np.float64)
        return self.filled(x, self._project(np.maximum((self._order - 1) * gaps, -1)))

    def diagonal(self, x: Array) -> Array:  # q (1 - q / sum(q))
        q, total = self._weights(self.forward(x))
        return q * complement(q / total)

    @by_rows
    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        q, total = self._weights(y)
        return q * (grad - (q * grad).sum(axis=-1, keepdims=True) / total)

    def _weights(self, y: Array) -> tuple[Array, Array]:
        inside = y > 0
        q = np.where(inside, self._power(np.where(inside, y, 1)), y * 0)
        total = q.sum(axis=-1, keepdims=True)
        return q, total + (total == 0)

    def _power(self, p: Array) -> Array:
        """Return p^(2 - alpha)."""
        return p ** (2 - self._order)

    def _project(self, z: Array) -> Array:
        """Return max(z - tau, 0)^(1 / (alpha - 1)) for -1 <= z <= 0; tau makes the sum 1."""
        raise NotImplementedError(f"{type(self).__name__} does not define _project")


class Sparsemax(_Entmax):
    """The point of the simplex closest to x: max(x_i - tau, 0). Range [0, 1], rows sum to 1.

    At the boundary of its support, where x_i = tau, the derivative of an entry is 0. masked_rows is
    as for softmax.
    Martins & Astudillo 2016, https://arxiv.org/abs/1602.02068
    """

    name = "sparsemax"
    _order = 2.0

    def _power(self, p: Array) -> Array:
        return np.sign(p)

    def _project(self, z: Array) -> Array:
        falling = np.sort(z, axis=-1)[..., ::-1]
        sums = np.cumsum(falling, axis=-1)
        count = np.arange(1, z.shape[-1] + 1)
        taus = (sums - 1) / count
        return np.maximum(z - _last_inside(taus, falling), 0)


class Entmax15(_Entmax):
    """max(x_i / 2 - tau, 0)^2, between softmax and sparsemax. Range [0, 1], rows sum to 1.

    tau is found by sorting, then refined by one Newton step. masked_rows is as for softmax.
    Peters, Niculae & Martins 2019, https://arxiv.org/abs/1905.05702
    """

    name = "entmax15"
    _order = 1.5

    def _power(self, p: Array) -> Array:
        return np.sqrt(p)

    def _project(self, z: Array) -> Array:
        falling = np.sort(z, axis=-1)[..., ::-1]
        count = np.arange(1, z.shape[-1] + 1)
        mean = np.cumsum(falling, axis=-1) / count
        scatter = np.cumsum(falling * falling, axis=-1) - count * mean * mean
        tau = _last_inside(mean - np.sqrt(np.maximum((1 - scatter) / count, 0)), falling)
        root = np.maximum(z - tau, 0)
        total = root.sum(axis=-1, keepdims=True)
        tau = tau + ((root * root).sum(axis=-1, keepdims=True) - 1) / (2 * total)
        root = np.maximum(z - tau, 0)
        return root * root


class Entmax(_Entmax):
    """max((alpha - 1) x_i - tau, 0)^(1 / (alpha - 1)). Range [0, 1], rows sum to 1.

    1.001 <= alpha <= 10; alpha = 2 is sparsemax, the limit alpha -> 1 is softmax. tau is found by
    Newton's method, for alpha > 2 by bisection. The power has an error of about eps / (alpha - 1)
    near alpha = 1. For alpha > 2 it has an absolute error of about eps^(1 / (alpha - 1)) for
    entries near 0. masked_rows is as for softmax.
    Peters, Niculae & Martins 2019, https://arxiv.org/abs/1905.05702
    """

    name = "entmax"
    alpha = parameter(1.5, minimum=1.001, maximum=10)

    @property
    def _order(self) -> float:  # type: ignore[override]
        return self.alpha

    def _project(self, z: Array) -> Array:
        power = 1 / (self.alpha - 1)
        tau = _newton(z, power) if power >= 1 else _bisection(z, power)
        p = np.maximum(z - tau, 0) ** power
        return p / p.sum(axis=-1, keepdims=True)


def _newton(z: Array, power: float) -> Array:
    """Return tau with sum_i max(z_i - tau, 0)^power = 1, for power >= 1.

    The sum is convex in tau and at least 1 at the start, tau = -1. So the steps approach the
    solution from below and never pass it.
    """
    tau = np.full((*z.shape[:-1], 1), -1.0)
    for _ in range(MOST_ITERATIONS):
        inside = np.maximum(z - tau, 0)
        slopes = inside ** (power - 1) if power > 1 else np.sign(inside)
        excess = (slopes * inside).sum(axis=-1, keepdims=True) - 1
        step = excess / (power * slopes.sum(axis=-1, keepdims=True))
        going = step > 2e-16
        if not going.any():
            break
        tau = np.where(going, tau + step, tau)  # a row's result does not depend on the other rows
    return tau


def _bisection(z: Array, power: float) -> Array:
    """Return the same for power < 1, where derivatives of the sum are infinite."""
    low, high = np.full((*z.shape[:-1], 1), -1.0), np.zeros((*z.shape[:-1], 1))
    for _ in range(55):
        middle = (low + high) / 2
        enough = (np.maximum(z - middle, 0) ** power).sum(axis=-1, keepdims=True) >= 1
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return low


def _last_inside(taus: Array, falling: Array) -> Array:
    """Return tau of the largest support whose smallest entry exceeds tau.

    ``falling`` are the sorted entries; taus[k] is tau for a support of the k + 1 largest ones.
    """
    inside = (falling > taus).sum(axis=-1, keepdims=True)
    return np.take_along_axis(taus, np.maximum(inside - 1, 0), axis=-1)
