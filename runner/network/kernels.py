"""Activations and losses inside a training step, written into buffers made beforehand.

z, y, dy and dz are the activation's input, its output y = f(z), dL/dy and dL/dz. The commonest
functions have their formula here with ``out=``, operation by operation as in the activations
package, so that the bits are the same (a test) and nothing is allocated. Every other activation
is served through its own methods. NumPy's functions are imported by name, which takes 2% of a
step less than looking them up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import absolute, add, divide, exp, maximum, minimum, multiply, negative, tanh

from activations import ReLU, Sigmoid, TanH
from activations.base import Array, Elementwise, blockwise
from runner.network.losses import NO_OVERFLOW, CrossEntropy, Loss
from runner.network.network import Nonlinear


class Kernel(NamedTuple):
    """``forward`` writes y from z, ``backward`` writes dz from dy. Both may overwrite z."""

    forward: Callable[[], None]
    backward: Callable[[], None]


def kernel(layer: Nonlinear, z: Array, y: Array, dy: Array, dz: Array) -> Kernel:
    """Return the layer's kernel over these buffers, (replicates, units, batch) each."""
    activation = layer.activation
    if type(activation) is TanH:  # a subclass may differ
        return _tanh(z, y, dy, dz)
    if type(activation) is Sigmoid:
        return _sigmoid(z, y, dy, dz)
    if type(activation) is ReLU and activation.derivative_at_zero in (0, 1):
        return _relu(activation.derivative_at_zero, z, y, dy, dz)
    # what is learned or drawn has the axes (replicates, batch, units), and needs whole arrays
    whole = activation.params or activation.stochastic
    if isinstance(activation, Elementwise) and not whole:
        return _elementwise(activation, z, y, dy, dz)
    return plain_kernel(layer, z, y, dy, dz)


def plain_kernel(layer: Nonlinear, z: Array, y: Array, dy: Array, dz: Array) -> Kernel:
    """Any activation, through the methods that the plain tape calls too."""
    z, y, dy, dz = (array.swapaxes(-1, -2) for array in (z, y, dy, dz))

    def forward() -> None:
        y[...] = layer.forward(z)

    def backward() -> None:
        layer.accumulate(z, y, dy)
        dz[...] = layer.backward(z, y, dy)

    return Kernel(forward, backward)


def _elementwise(activation: Elementwise, z: Array, y: Array, dy: Array, dz: Array) -> Kernel:
    """f' is computed together with f, and kept where z was."""

    def forward() -> None:
        blockwise(activation.value_and_derivative, (z,), (y, z))

    def backward() -> None:
        multiply(dy, z, out=dz)

    return Kernel(forward, backward)


def _tanh(z: Array, y: Array, dy: Array, dz: Array) -> Kernel:
    """f' = 1 - tanh^2 z = 4 w / (1 + w)^2 with w = e^-2|z|."""
    one, minus_two, four = _constants(z, 1, -2, 4)

    def forward() -> None:
        tanh(z, out=y)

    def backward() -> None:
        w = absolute(z, out=z)
        multiply(w, minus_two, out=w)
        exp(w, out=w)
        add(w, one, out=dz)
        multiply(dz, dz, out=dz)
        multiply(w, four, out=w)
        divide(w, dz, out=w)
        multiply(dy, w, out=dz)

    return Kernel(forward, backward)


def _sigmoid(z: Array, y: Array, dy: Array, dz: Array) -> Kernel:
    """f = (1 or w) / (1 + w) by the sign of z, f' = w / (1 + w)^2 with w = e^-|z|; f' is kept
    where z was."""
    zero, one = _constants(z, 0, 1)
    positive = np.empty(z.shape, bool)

    def forward() -> None:
        np.greater_equal(z, zero, out=positive)
        np.copyto(y, positive)
        w = absolute(z, out=z)
        negative(w, out=w)
        exp(w, out=w)
        maximum(w, y, out=y)  # 1 or w
        add(w, one, out=dz)
        divide(y, dz, out=y)
        multiply(dz, dz, out=dz)
        divide(w, dz, out=z)

    def backward() -> None:
        multiply(dy, z, out=dz)

    return Kernel(forward, backward)


def _relu(derivative_at_zero: float, z: Array, y: Array, dy: Array, dz: Array) -> Kernel:
    """f' is 1 where z > 0, or >= 0, and 0 elsewhere."""
    (zero,) = _constants(z, 0)
    zeros = np.zeros_like(z)  # NumPy's maximum with a scalar is three times slower
    passes = np.empty(z.shape, bool)
    compare = np.greater_equal if derivative_at_zero == 1 else np.greater

    def forward() -> None:
        maximum(z, zeros, out=y)

    def backward() -> None:
        compare(z, zero, out=passes)
        multiply(dy, passes, out=dz)

    return Kernel(forward, backward)


def loss_kernel(loss: Loss, z: Array, dz: Array) -> Callable[[Array], None]:
    """Return what writes dL/dz of the mean loss into dz, given the targets; it may overwrite z.

    The logits z, dz and the targets are (replicates, 1 or classes, batch).
    """
    if type(loss) is CrossEntropy and z.shape[-2] == 1:
        return _binary_cross_entropy(z, dz)
    z, dz = z.swapaxes(-1, -2), dz.swapaxes(-1, -2)

    def backward(targets: Array) -> None:
        dz[...] = loss.gradient(z, targets.swapaxes(-1, -2))

    return backward


def _binary_cross_entropy(z: Array, dz: Array) -> Callable[[Array], None]:
    """dL/dz = s w / (batch (1 + w)) with w = e^(s z), the odds of being wrong."""
    one, most, batch = _constants(z, 1, NO_OVERFLOW, z.shape[-1])

    def backward(s: Array) -> None:
        w = multiply(s, z, out=z)
        minimum(w, most, out=w)
        exp(w, out=w)
        add(w, one, out=dz)
        multiply(dz, batch, out=dz)
        divide(w, dz, out=dz)
        multiply(dz, s, out=dz)

    return backward


def _constants(like: Array, *values: float) -> list[Array]:
    """Return 0-d arrays of the right dtype: a Python float costs 0.4 us more a call."""
    return [np.array(value, like.dtype) for value in values]
