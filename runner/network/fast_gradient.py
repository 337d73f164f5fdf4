"""The gradient of one batch, in as few NumPy calls and as little memory as it takes.

A step of a small network costs call overhead, not arithmetic; a stack of replicates costs
memory traffic. Hence, beside ``Network`` and its plain tape, which evaluate:

* All buffers are made once per batch size, and all calls are bound to them: nothing is
  allocated, sliced or looked up between one call and the next.
* Activations are feature-major here, (replicates, units + 1, batch), with a last row of
  ones: z = [w; b]^T [y; 1] adds the bias inside the product, and dL/d[w; b] = [y; 1] grad^T
  sums its gradient there, where two more calls would cost as much as the products. theta
  holds each layer's weight rows followed by its bias row, so [w; b] is a view.
* grad^T and w^T are then transposed operands only where BLAS takes them cheaply;
  sample-major needs grad w^T, its slowest kind at these sizes.
* One replicate multiplies 2-d arrays by np.dot, half a microsecond cheaper than np.matmul.
  Both hand the same matrices to the same BLAS routine, so the bits are the same.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from activations.base import Array
from runner.network.kernels import Calls, kernel, loss_calls
from runner.network.network import Loss, Network, Nonlinear


class BatchGradient:
    """Forward and backward for batches of one size, filling ``network.gradient``."""

    def __init__(self, network: Network, loss: Loss, batch: int) -> None:
        self.alone = network.replicates == 1
        self.product = np.dot if self.alone else np.matmul
        layers = [layer for layer in network.layers if isinstance(layer, Nonlinear)]

        def buffer(width: int) -> Array:
            return np.ones((network.replicates, width, batch), network.dtype)

        weights = network.augmented(network.theta)
        gradients = network.augmented(network.gradient)
        z = [buffer(weight.shape[-1]) for weight in weights]
        grad = [buffer(weight.shape[-1]) for weight in weights]
        reaching = [buffer(units) for units in network.hidden]
        tape = [buffer(units + 1) for units in network.hidden]
        self.targets = np.empty((network.replicates, batch, weights[-1].shape[-1]), network.dtype)

        forward: Calls = []
        backward: Calls = []
        for index, layer in enumerate(layers):
            above = index + 1
            y = tape[index]
            calls = kernel(layer, z[index], y[:, :-1], reaching[index], grad[index])
            forward += [*calls.forward, self._product(_transposed(weights[above]), y, z[above])]
            backward = [
                self._product(y, _transposed(grad[above]), gradients[above]),
                self._product(weights[above][:, :-1], grad[above], reaching[index]),
                *calls.backward,
                *backward,
            ]
        self.calls = [*forward, *loss_calls(loss, z[-1], self.targets, grad[-1]), *backward]

        self.first_weight_t, self.first_z = self._seen(_transposed(weights[0])), self._seen(z[0])
        self.first_grad_t = self._seen(_transposed(grad[0]))
        self.first_gradient = self._seen(gradients[0])

    def __call__(self, x: Array, targets: Array) -> None:
        """Fill the gradient of the mean loss over a batch.

        x as ``with_ones`` makes it; targets as the losses take them.
        """
        x_t = _transposed(self._seen(x))
        self.product(self.first_weight_t, x_t, self.first_z)
        np.copyto(self.targets, targets)
        for call in self.calls:
            call()
        self.product(x_t, self.first_grad_t, self.first_gradient)  # nobody needs dL/d(data)

    def _seen(self, stack: Array) -> Array:
        """What the products are given of a stack: its only matrix, or all of it."""
        return stack[0] if self.alone else stack

    def _product(self, left: Array, right: Array, out: Array) -> partial[Array]:
        # matmul has no fast path for a stack of outer products, as of a single output unit
        outer = left.shape[-1] == 1 and not self.alone
        function = np.multiply if outer else self.product
        return partial(function, self._seen(left), self._seen(right), self._seen(out))


def with_ones(x: Array) -> Array:
    """Return x (replicates, batch, features) with a last column of ones, for the bias."""
    return np.concatenate([x, np.ones_like(x[..., :1])], axis=-1)


def _transposed(array: Array) -> Array:
    return array.swapaxes(-1, -2)
