"""The gradient of one batch, in as few NumPy calls and as little memory as it takes.

A step of a small network costs call overhead, not arithmetic; a stack of replicates costs
memory traffic. Hence, beside ``Network`` and its plain tape, which evaluate:

* All buffers are made once per batch size, and every product writes into one.
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

from collections.abc import Callable

import numpy as np

from activations.base import Array
from runner.kernels import kernel
from runner.model import Loss, Network, Nonlinear


class Step:
    """Forward and backward for batches of one size, filling ``network.gradient``."""

    def __init__(self, network: Network, loss: Loss, batch: int) -> None:
        self.loss = loss
        layers = [layer for layer in network.layers if isinstance(layer, Nonlinear)]
        replicates, dtype = network.replicates, network.dtype
        matrix: Callable[[Array], Array] = _only if replicates == 1 else _same
        self.matrix = matrix
        self.product = np.dot if replicates == 1 else np.matmul

        def buffers(widths: list[int]) -> list[Array]:
            return [np.ones((replicates, width, batch), dtype) for width in widths]

        weights = network.augmented(network.theta)
        outputs = [weight.shape[-1] for weight in weights]
        z, grad = buffers(outputs), buffers(outputs)
        reaching = buffers(list(network.hidden))
        tape = buffers([units + 1 for units in network.hidden])

        # What the products read and write; the activations see the same memory.
        self.weights_t = [matrix(_transposed(weight)) for weight in weights]
        self.weights = [matrix(weight[:, :-1]) for weight in weights]
        self.gradients = [matrix(part) for part in network.augmented(network.gradient)]
        self.z, self.tape = [matrix(a) for a in z], [matrix(a) for a in tape]
        self.grad, self.grad_t = [matrix(a) for a in grad], [matrix(_transposed(a)) for a in grad]
        self.reaching = [matrix(a) for a in reaching]
        self.logits, self.grad_logits = _transposed(z[-1]), _transposed(grad[-1])
        self.kernels = [
            kernel(*parts)
            for parts in zip(
                layers, z[:-1], (a[:, :-1] for a in tape), reaching, grad[:-1], strict=True
            )
        ]

    def __call__(self, x: Array, targets: Array) -> None:
        """Fill the gradient of the mean loss over a batch.

        x (replicates, batch, features + 1), its last column ones; targets as the losses
        take them.
        """
        product, tape, z = self.product, self.tape, self.z
        below = x_t = self.matrix(_transposed(x))
        for index, activation in enumerate(self.kernels):
            product(self.weights_t[index], below, z[index])
            for call in activation.forward:
                call()
            below = tape[index]
        product(self.weights_t[-1], below, z[-1])
        self.grad_logits[...] = self.loss.gradient(self.logits, targets)
        for index in range(len(self.kernels) - 1, -1, -1):
            product(tape[index], self.grad_t[index + 1], self.gradients[index + 1])
            product(self.weights[index + 1], self.grad[index + 1], self.reaching[index])
            for call in self.kernels[index].backward:
                call()
        product(x_t, self.grad_t[0], self.gradients[0])  # nobody needs dL/d(data)


def _transposed(array: Array) -> Array:
    return array.swapaxes(-1, -2)


def _only(array: Array) -> Array:
    return array[0]


def _same(array: Array) -> Array:
    return array
