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

from functools import partial

import numpy as np

from activations.base import Array
from activations.tracing import Call, Scratch
from runner.network.kernels import kernel, loss_kernel
from runner.network.losses import Loss
from runner.network.network import Network


class BoundLayers:
    """The linear layers of a network, and buffers for one number of samples.

    w, z, y: each layer's [w; b], its output z, and what the activation makes of it, [y; 1].
    """

    def __init__(self, network: Network, samples: int, scratch: Scratch | None = None) -> None:
        self.network, self.samples = network, samples
        self.scratch = scratch or Scratch()
        self.alone = network.replicates == 1
        self.product = np.dot if self.alone else np.matmul
        self.w = network.augmented(network.theta)
        self.z = [self.buffer(w.shape[-1]) for w in self.w]
        self.y = [self.buffer(units + 1) for units in network.hidden]
        first = _transposed(self.w[0]), self.z[0]
        self.first_transposed, self.first_z = map(self.seen, first)

    def buffer(self, units: int) -> Array:
        return np.ones((self.network.replicates, units, self.samples), self.network.dtype)

    def first_layer(self, x: Array) -> None:
        """Write the first layer's output, z = [w; b]^T [x; 1]."""
        self.product(self.first_transposed, self.seen(x), self.first_z)

    def layer(self, k: int) -> Call:
        """Return what writes the output of layer k > 0, z = [w; b]^T [y; 1]."""
        return self.bound_product(_transposed(self.w[k]), self.y[k - 1], self.z[k])

    def layer_backward(self, k: int, dz: Array, dy: Array) -> Call:
        """Return what writes dL/dy = w dL/dz of the input y of layer k > 0."""
        return self.bound_product(self.w[k][:, :-1], dz, dy)

    def bound_product(self, left: Array, right: Array, out: Array) -> partial[Array]:
        # matmul has no fast path for a stack of outer products, as of a single output unit
        outer = left.shape[-1] == 1 and not self.alone
        function = np.multiply if outer else self.product
        return partial(function, self.seen(left), self.seen(right), self.seen(out))

    def seen(self, stack: Array) -> Array:
        """Return what the products are given of a stack: its only matrix, or all of it."""
        return stack[0] if self.alone else stack


class BatchGradient(BoundLayers):
    """Forward and backward for batches of one size, filling ``network.gradient``.

    dz, dy are each layer's dL/dz and dL/dy; ``l2`` that of ``Network.penalty``.
    """

    def __init__(self, network: Network, loss: Loss, batch: int, l2: float = 0.0) -> None:
        super().__init__(network, batch)
        dw = network.augmented(network.gradient)
        dz = [self.buffer(w.shape[-1]) for w in self.w]
        dy = [self.buffer(units) for units in network.hidden]
        self.forward: list[Call] = []
        self.backward: list[Call] = []
        for k, layer in enumerate(network.nonlinears):
            activation = kernel(layer, self.z[k], self.y[k][:, :-1], dy[k], dz[k], self.scratch)
            self.forward += [*activation.forward, self.layer(k + 1)]
            self.backward[:0] = [
                self.bound_product(self.y[k], _transposed(dz[k + 1]), dw[k + 1]),
                self.layer_backward(k + 1, dz[k + 1], dy[k]),
                *activation.backward,
            ]
        self.loss = loss_kernel(loss, self.z[-1], dz[-1])
        self.dz_transposed, self.dw = self.seen(_transposed(dz[0])), self.seen(dw[0])
        self.penalty: list[Call] = []
        if l2:
            decay = (l2 * network.is_weight()).astype(network.dtype)
            decayed = np.empty_like(network.theta)
            self.penalty = [
                partial(np.multiply, network.theta, decay, decayed),
                partial(np.add, network.gradient, decayed, network.gradient),
            ]

    def __call__(self, x: Array, targets: Array) -> None:
        """Fill the gradient of the mean loss over a batch plus the penalty.

        x as ``with_ones`` makes it; targets, too, are (replicates, 1 or classes, batch).
        """
        x = self.seen(x)
        self.product(self.first_transposed, x, self.first_z)
        for call in self.forward:
            call()
        self.loss(targets)
        for call in self.backward:
            call()
        self.product(x, self.dz_transposed, self.dw)  # nobody needs dL/dx
        for call in self.penalty:
            call()


def with_ones(x: Array) -> Array:
    """Return x (replicates, batch, features) feature-major, with a last row of ones."""
    return feature_major(np.concatenate([x, np.ones_like(x[..., :1])], axis=-1))


def feature_major(array: Array) -> Array:
    """Return an array (replicates, batch, features) as (replicates, features, batch)."""
    return np.ascontiguousarray(_transposed(array))


def _transposed(array: Array) -> Array:
    return array.swapaxes(-1, -2)
