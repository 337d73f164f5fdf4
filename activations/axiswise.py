"""Functions of a whole row of features: every output depends on every input."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from activations.base import Activation, Array, as_floating


class Softmax(Activation):
    """p_i = e^x_i / sum_j e^x_j along the last axis.

    The Jacobian is diag(p) - p p^T. ``gradient`` is only its diagonal p (1 - p), as in the
    article; training uses ``backward``, the product with the whole of it.
    Bridle 1990, https://papers.nips.cc/paper/1989/hash/0336dcbab05b9d5ad24f4333c7658a0e
    """

    name = "softmax"

    def forward(self, x: Array) -> Array:
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def gradient(self, x: npt.ArrayLike) -> Array:
        p = self.forward(as_floating(x))
        return p * (1 - p)

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        return y * (grad - (grad * y).sum(axis=-1, keepdims=True))

    def jacobian(self, x: npt.ArrayLike) -> Array:
        """Return dp_i/dx_j, shape (..., n, n)."""
        p = self.forward(as_floating(x))
        return p[..., :, None] * (np.eye(p.shape[-1], dtype=p.dtype) - p[..., None, :])
