"""The gradient of one batch in few NumPy calls and little memory.

For a small network, most of a step's time is call overhead, not arithmetic. For a stack of
replicates, most is memory traffic. This file therefore differs from ``Network.loss_gradient``:

* All buffers are allocated once per batch size, and all calls are bound to them. Between two
  calls nothing is allocated, sliced or looked up.
* All arrays are feature-major, (replicates, units + 1, batch), and their last row is ones.
  z = [w; b]^T [y; 1] adds the bias inside the matrix product, and dL/d[w; b] = [y; 1] dz^T sums
  the bias gradient there. Two separate calls would cost as much as the products. [w; b] is a view,
  because theta stores the bias row of each layer after its weight rows.
* In this layout BLAS transposes operands only where that is cheap. Sample-major arrays would need
  dz w^T, the slowest kind of product at these sizes.
* A single replicate uses np.dot on 2-d arrays, which takes half a microsecond less than np.matmul.
  Both call the same BLAS routine with the same matrices, so the results are bit-identical.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from activations.base import Array
from activations.tracing import Call, Scratch
from runner.network.kernels import kernel
from runner.network.loss_kernels import loss_kernel
from runner.network.losses import Loss
from runner.network.network import Network
from runner.network.underflow import flush_kernel, flushes


class BoundLayers:
    """The linear layers of a network, with buffers for a fixed number of samples.

    For each layer, ``w`` is [w; b], ``z`` its output, and ``y`` is [y; 1], where y is the
    activation of z.
    """

    def __init__(self, network: Network, samples: int, scratch: Scratch | None = None) -> None:
        self.network, self.samples = network, samples
        self.scratch = scratch or Scratch()
        self.single = network.replicates == 1
        self.product = np.dot if self.single else np.matmul
        self.w = network.augmented(network.theta)
        self.z = [self.buffer(w.shape[-1]) for w in self.w]
        self.y = [self.buffer(units + 1) for units in network.hidden]
        first = _transposed(self.w[0]), self.z[0]
        self.first_transposed, self.first_z = map(self.squeezed, first)

    def buffer(self, units: int) -> Array:
        """Return new ones, (replicates, units, samples)."""
        return np.ones((self.network.replicates, units, self.samples), self.network.dtype)

    def first_layer(self, x: Array) -> None:
        """Write the first layer's output, z = [w; b]^T [x; 1]."""
        self.product(self.first_transposed, self.squeezed(x), self.first_z)

    def layer(self, k: int) -> Call:
        """Return a call that writes the output of layer k > 0, z = [w; b]^T [y; 1]."""
        return self.bound_product(_transposed(self.w[k]), self.y[k - 1], self.z[k])

    def layer_backward(self, k: int, dz: Array, dy: Array) -> Call:
        """Return a call that writes dL/dy = w dL/dz, where y is the input of layer k > 0."""
        return self.bound_product(self.w[k][:, :-1], dz, dy)

    def bound_product(self, left: Array, right: Array, out: Array) -> partial[Array]:
        """Return a call that writes the matrix product of two stacks into ``out``."""
        # A single output unit makes the products outer products, for which matmul is slow.
        outer = left.shape[-1] == 1 and not self.single
        function = np.multiply if outer else self.product
        return partial(function, self.squeezed(left), self.squeezed(right), self.squeezed(out))

    def squeezed(self, stack: Array) -> Array:
        """Return the stack, or its only matrix if there is one replicate."""
        return stack[0] if self.single else stack


class BatchGradient(BoundLayers):
    """Forward and backward pass for batches of one size; writes ``network.gradient``.

    dz and dy are dL/dz and dL/dy of each layer. ``l2`` is the factor in ``Network.penalty``.
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
                *(flush_kernel(dz[k]) if flushes(k) else []),
            ]
        self.backward[:0] = flush_kernel(dz[-1])
        self.loss = loss_kernel(loss, self.z[-1], dz[-1])
        self.dz_transposed, self.dw = self.squeezed(_transposed(dz[0])), self.squeezed(dw[0])
        self.penalty: list[Call] = []
        if l2:
            decay = (l2 * network.is_weight()).astype(network.dtype)
            decayed = np.empty_like(network.theta)
            self.penalty = [
                partial(np.multiply, network.theta, decay, decayed),
                partial(np.add, network.gradient, decayed, network.gradient),
            ]

    def __call__(self, x: Array, targets: Array) -> None:
        """Write the gradient of the mean loss over a batch plus the penalty.

        Shapes: x as returned by ``with_ones``, targets (replicates, 1 or classes, batch).
        """
        x = self.squeezed(x)
        self.product(self.first_transposed, x, self.first_z)
        for call in self.forward:
            call()
        self.loss(targets)
        for call in self.backward:
            call()
        self.product(x, self.dz_transposed, self.dw)  # dL/dx is not needed
        for call in self.penalty:
            call()


def with_ones(x: Array) -> Array:
    """Return x (replicates, batch, features) as (replicates, features + 1, batch).

    The last row is ones.
    """
    return feature_major(np.concatenate([x, np.ones_like(x[..., :1])], axis=-1))


def feature_major(array: Array) -> Array:
    """Return an array (replicates, batch, features) as (replicates, features, batch)."""
    return np.ascontiguousarray(_transposed(array))


def _transposed(array: Array) -> Array:
    return array.swapaxes(-1, -2)
