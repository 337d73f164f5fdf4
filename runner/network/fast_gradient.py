"""The gradient of one batch, in as few NumPy calls and as little memory as it takes.

A step of a small network costs call overhead, not arithmetic; a stack of replicates costs
memory traffic. Hence, beside ``Network.loss_gradient`` and its plain tape:

* All buffers are made once per batch size, and all calls are bound to them: nothing is
  allocated, sliced or looked up between one call and the next.
* All arrays are feature-major here, (replicates, units + 1, batch), with a last row of
  ones: z = [w; b]^T [y; 1] adds the bias inside the product, and dL/d[w; b] = [y; 1] dz^T
  sums its gradient there, where two more calls would cost as much as the products. theta
  holds each layer's weight rows followed by its bias row, so [w; b] is a view.
* dz^T and w^T are then transposed operands only where BLAS takes them cheaply;
  sample-major needs dz w^T, its slowest kind at these sizes.
* One replicate multiplies 2-d arrays by np.dot, half a microsecond cheaper than np.matmul.
  Both hand the same matrices to the same BLAS routine, so the bits are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from activations.base import Array
from activations.tracing import Scratch
from runner.network.kernels import kernel, loss_kernel
from runner.network.losses import Loss
from runner.network.network import Network


class BatchGradient:
    """Forward and backward for batches of one size, filling ``network.gradient``.

    z, y, dz, dy are each layer's input and output of the activation, dL/dz and dL/dy.
    """

    def __init__(self, network: Network, loss: Loss, batch: int) -> None:
        self.alone = network.replicates == 1
        self.product = np.dot if self.alone else np.matmul

        def buffer(units: int) -> Array:
            return np.ones((network.replicates, units, batch), network.dtype)

        w, dw = network.augmented(network.theta), network.augmented(network.gradient)
        z, dz = ([buffer(weights.shape[-1]) for weights in w] for _ in range(2))
        y = [buffer(units + 1) for units in network.hidden]
        dy = [buffer(units) for units in network.hidden]
        self.forward: list[Callable[[], object]] = []
        self.backward: list[Callable[[], object]] = []
        scratch = Scratch()
        for k, layer in enumerate(network.nonlinears):
            activation = kernel(layer, z[k], y[k][:, :-1], dy[k], dz[k], scratch)
            self.forward += [
                *activation.forward,
                self._product(_transposed(w[k + 1]), y[k], z[k + 1]),
            ]
            self.backward[:0] = [
                self._product(y[k], _transposed(dz[k + 1]), dw[k + 1]),
                self._product(w[k + 1][:, :-1], dz[k + 1], dy[k]),
                *activation.backward,
            ]
        self.loss = loss_kernel(loss, z[-1], dz[-1])
        first = _transposed(w[0]), z[0], _transposed(dz[0]), dw[0]
        self.w_transposed, self.z, self.dz_transposed, self.dw = map(self._seen, first)

    def __call__(self, x: Array, targets: Array) -> None:
        """Fill the gradient of the mean loss over a batch.

        x as ``with_ones`` makes it; targets, too, are (replicates, 1 or classes, batch).
        """
        x = self._seen(x)
        self.product(self.w_transposed, x, self.z)
        for call in self.forward:
            call()
        self.loss(targets)
        for call in self.backward:
            call()
        self.product(x, self.dz_transposed, self.dw)  # nobody needs dL/dx

    def _seen(self, stack: Array) -> Array:
        """What the products are given of a stack: its only matrix, or all of it."""
        return stack[0] if self.alone else stack

    def _product(self, left: Array, right: Array, out: Array) -> partial[Array]:
        # matmul has no fast path for a stack of outer products, as of a single output unit
        outer = left.shape[-1] == 1 and not self.alone
        function = np.multiply if outer else self.product
        return partial(function, self._seen(left), self._seen(right), self._seen(out))


def with_ones(x: Array) -> Array:
    """Return x (replicates, batch, features) feature-major, with a last row of ones."""
    return feature_major(np.concatenate([x, np.ones_like(x[..., :1])], axis=-1))


def feature_major(array: Array) -> Array:
    """Return an array (replicates, batch, features) as (replicates, features, batch)."""
    return np.ascontiguousarray(_transposed(array))


def _transposed(array: Array) -> Array:
    return array.swapaxes(-1, -2)
