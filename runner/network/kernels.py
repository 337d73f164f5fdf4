"""Activations and losses inside a training step: every call bound to its buffers beforehand.

``Kernel`` serves any activation through its two methods; without anything learned or drawn
``RowKernel`` and ``ElementwiseKernel`` keep a large stack's temporaries in the cache, which
halves its time, and the latter shares what value and derivative have in common. The commonest
functions also have an allocation-free form here: the formula of the activations package,
operation by operation, so that the bits are the same (a test).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from activations import ReLU, Sigmoid, TanH
from activations.base import BLOCK_ELEMENTS, Array, Elementwise, blockwise
from runner.network.losses import NO_OVERFLOW, CrossEntropy
from runner.network.network import Loss, Nonlinear

Calls = list[Callable[[], object]]


class Kernel:
    """The calls that write f(z) into ``y``, and those that turn ``above`` = dL/dy into
    ``grad`` = dL/dz. Either may overwrite ``z``."""

    def __init__(self, layer: Nonlinear, z: Array, y: Array, above: Array, grad: Array) -> None:
        self.forward, self.backward = self.calls(layer, z, y, above, grad)

    def calls(
        self, layer: Nonlinear, z: Array, y: Array, above: Array, grad: Array
    ) -> tuple[Calls, Calls]:
        """Return both lists; arrays are feature-major, (replicates, units, batch)."""
        z, y, above, grad = (array.swapaxes(-1, -2) for array in (z, y, above, grad))

        def forward() -> None:
            y[...] = layer.forward(z)

        def backward() -> None:
            layer.accumulate(z, y, above)
            grad[...] = layer.backward(z, y, above)

        return [forward], [backward]


class RowKernel(Kernel):
    """A few replicates at a time, so that a formula's temporaries stay in the cache."""

    def calls(
        self, layer: Nonlinear, z: Array, y: Array, above: Array, grad: Array
    ) -> tuple[Calls, Calls]:
        count = max(1, BLOCK_ELEMENTS * len(z) // z.size)
        starts = range(0, len(z), count)
        parts = [[a[k : k + count] for a in (z, y, above, grad)] for k in starts]
        both = [Kernel(layer, *part) for part in parts]
        return [c for k in both for c in k.forward], [c for k in both for c in k.backward]


class ElementwiseKernel(Kernel):
    """f' is computed together with f, and kept where z was."""

    def calls(
        self, layer: Nonlinear, z: Array, y: Array, above: Array, grad: Array
    ) -> tuple[Calls, Calls]:
        assert isinstance(layer.activation, Elementwise)
        both = layer.activation.value_and_derivative
        return [partial(blockwise, both, (z,), (y, z))], [partial(np.multiply, above, z, grad)]


class TanHKernel(Kernel):
    """f' = 4 w / (1 + w)^2 with w = e^-2|z|."""

    def calls(
        self, layer: Nonlinear, z: Array, y: Array, above: Array, grad: Array
    ) -> tuple[Calls, Calls]:
        one, minus_two, four = _constants(z, 1, -2, 4)
        return [partial(np.tanh, z, y)], [
            partial(np.abs, z, z),
            partial(np.multiply, z, minus_two, z),
            partial(np.exp, z, z),
            partial(np.add, z, one, grad),
            partial(np.multiply, grad, grad, grad),
            partial(np.multiply, z, four, z),
            partial(np.divide, z, grad, z),
            partial(np.multiply, above, z, grad),
        ]


class SigmoidKernel(Kernel):
    """f = (w or 1) / (1 + w) by the sign of z, f' = w / (1 + w)^2 with w = e^-|z|; f' is kept
    where z was."""

    def calls(
        self, layer: Nonlinear, z: Array, y: Array, above: Array, grad: Array
    ) -> tuple[Calls, Calls]:
        zero, one = _constants(z, 0, 1)
        right = np.empty(z.shape, bool)
        forward: Calls = [
            partial(np.greater_equal, z, zero, right),
            partial(np.copyto, y, right),
            partial(np.abs, z, z),
            partial(np.negative, z, z),
            partial(np.exp, z, z),
            partial(np.maximum, z, y, out=y),
            partial(np.add, z, one, grad),
            partial(np.divide, y, grad, y),
            partial(np.multiply, grad, grad, grad),
            partial(np.divide, z, grad, z),
        ]
        return forward, [partial(np.multiply, above, z, grad)]


class ReLUKernel(Kernel):
    """f' as a mask, for f'(0) = 0 or 1: np.heaviside is not vectorised."""

    def calls(
        self, layer: Nonlinear, z: Array, y: Array, above: Array, grad: Array
    ) -> tuple[Calls, Calls]:
        at_zero = layer.activation.hyperparameters["derivative_at_zero"]
        if at_zero not in (0, 1):
            return super().calls(layer, z, y, above, grad)
        (zero,) = _constants(z, 0)
        passes = np.empty(z.shape, bool)
        compare = np.greater_equal if at_zero == 1 else np.greater
        # against an array: NumPy's loop for a scalar operand is three times slower
        return [partial(np.maximum, z, np.zeros_like(z), out=y)], [
            partial(compare, z, zero, passes),
            partial(np.multiply, above, passes, grad),
        ]


_KERNELS: dict[type, type[Kernel]] = {
    TanH: TanHKernel,
    Sigmoid: SigmoidKernel,
    ReLU: ReLUKernel,
}


def kernel(layer: Nonlinear, z: Array, y: Array, above: Array, grad: Array) -> Kernel:
    """Return the layer's kernel over these buffers, (replicates, units, batch) each."""
    activation = layer.activation
    # what is learned or drawn has the axes (replicates, batch, units), and needs whole arrays
    if activation.params or activation.stochastic:
        return Kernel(layer, z, y, above, grad)
    other = ElementwiseKernel if isinstance(activation, Elementwise) else RowKernel
    return _KERNELS.get(type(activation), other)(layer, z, y, above, grad)


def loss_calls(loss: Loss, logits: Array, targets: Array, grad: Array) -> Calls:
    """Return the calls that write dL/dlogits of the mean loss into ``grad``.

    logits and grad (replicates, 1 or classes, batch), targets as the losses take them; the
    calls may overwrite the logits.
    """
    if isinstance(loss, CrossEntropy) and logits.shape[-2] == 1:
        return _binary_cross_entropy(logits, targets.swapaxes(-1, -2), grad)
    logits, into = logits.swapaxes(-1, -2), grad.swapaxes(-1, -2)
    return [lambda: np.copyto(into, loss.gradient(logits, targets))]


def _binary_cross_entropy(z: Array, t: Array, grad: Array) -> Calls:
    """t e / (batch (1 + e)) with e = e^min(t z, 40)."""
    one, most, batch = _constants(z, 1, NO_OVERFLOW, z.shape[-1])
    return [
        partial(np.multiply, t, z, z),
        partial(np.minimum, z, most, out=z),
        partial(np.exp, z, z),
        partial(np.add, z, one, grad),
        partial(np.multiply, grad, batch, grad),
        partial(np.divide, z, grad, grad),
        partial(np.multiply, grad, t, grad),
    ]


def _constants(like: Array, *values: float) -> list[Array]:
    """Return 0-d arrays of the right dtype: a Python float costs 0.4 us more a call."""
    return [np.array(value, like.dtype) for value in values]
