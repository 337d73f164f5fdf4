"""Activations and losses inside a training step, written into buffers made beforehand.

z, y, dy and dz are the activation's input, its output y = f(z), dL/dy and dL/dz. The formulas of
the activations package are traced and bound to the buffers (``activations.tracing``), so that
the bits are the same (a test) and nothing is allocated. An activation that cannot be traced is
served through its own methods.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy import add, divide, exp, minimum, multiply

from activations.base import Array, Elementwise, blockwise
from activations.tracing import Call, Untraceable, trace
from activations.user_code import is_ours
from runner.network.losses import NO_OVERFLOW, CrossEntropy, Loss
from runner.network.network import Nonlinear


class Kernel(NamedTuple):
    """Calls that write y from z, and then dz from dy. Both may overwrite z."""

    forward: list[Call]
    backward: list[Call]


def kernel(layer: Nonlinear, z: Array, y: Array, dy: Array, dz: Array) -> Kernel:
    """Return the layer's kernel over these buffers, (replicates, units, batch) each."""
    activation = layer.activation
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

    return Kernel([forward], [backward])


def _elementwise(activation: Elementwise, z: Array, y: Array, dy: Array, dz: Array) -> Kernel:
    """f' is computed together with f, and kept where z was."""
    backward = partial(multiply, dy, z, out=dz)
    if is_ours(type(activation).__module__):  # what a user's does beside NumPy's calls must happen
        try:
            formula = trace(activation.value_and_derivative, z)
            return Kernel(formula.bind([z], [y, z]), [backward])
        except Untraceable:
            pass

    def forward() -> None:
        blockwise(activation.value_and_derivative, (z,), (y, z))

    return Kernel([forward], [backward])


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
