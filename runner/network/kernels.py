"""Activations and losses inside a training step, written into buffers made beforehand.

z, y, dy and dz are the activation's input, its output y = f(z), dL/dy and dL/dz. The formulas of
the activations package are traced and bound to the buffers (``activations.tracing``), so that
the bits are the same (a test) and nothing is allocated. An activation that cannot be traced is
served through its own methods. Softmax and the losses add over units, and have calls of their
own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy import add, copyto, divide, exp, maximum, minimum, multiply, subtract

from activations import Softmax
from activations.base import Array, Elementwise, blockwise
from activations.functions.gated import Gated
from activations.functions.learnable import Learnable
from activations.tracing import Call, Scratch, Untraceable, trace
from activations.user_code import is_ours
from runner.network.losses import NO_OVERFLOW, CrossEntropy, Loss, SquaredError
from runner.network.network import Nonlinear


class Kernel(NamedTuple):
    """Calls that write y from z, and then dz from dy. Both may overwrite z."""

    forward: list[Call]
    backward: list[Call]


def kernel(
    layer: Nonlinear, z: Array, y: Array, dy: Array, dz: Array, scratch: Scratch | None = None
) -> Kernel:
    """Return the layer's kernel over these buffers, (replicates, units, batch) each.

    Layers may share ``scratch``, which keeps it in the cache.
    """
    activation = layer.activation
    if is_ours(type(activation).__module__) and not activation.stochastic:
        # what a user's does beside NumPy's calls must happen
        try:
            if isinstance(activation, Learnable):
                return _learnable(activation, layer.gradients, z, y, dy, dz, scratch)
            if isinstance(activation, Elementwise):
                return _elementwise(activation, z, y, dy, dz, scratch)
            if isinstance(activation, Gated):
                return _gated(activation, z, y, dy, dz, scratch)
        except Untraceable:
            pass
    # what is learned or drawn has the axes (replicates, batch, units), and needs whole arrays
    whole = activation.params or activation.stochastic
    if isinstance(activation, Elementwise) and not whole:
        return _blockwise(activation, z, y, dy, dz)
    if type(activation) is Softmax and activation.masked_rows == "nan":
        if z.dtype == np.float32 and z.shape[-1] > 1:
            return _softmax(z, y, dy, dz)
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


def _elementwise(
    activation: Elementwise, z: Array, y: Array, dy: Array, dz: Array, scratch: Scratch | None
) -> Kernel:
    """f' is computed together with f, and kept where z was."""
    formula = trace(activation.value_and_derivative, z)
    return Kernel(formula.bind([z], [y, z], scratch), [partial(multiply, dy, z, out=dz)])


def _blockwise(activation: Elementwise, z: Array, y: Array, dy: Array, dz: Array) -> Kernel:
    """The same for what cannot be traced."""

    def forward() -> None:
        blockwise(activation.value_and_derivative, (z,), (y, z))

    return Kernel([forward], [partial(multiply, dy, z, out=dz)])


def _learnable(
    activation: Learnable,
    gradients: dict[str, Array],
    z: Array,
    y: Array,
    dy: Array,
    dz: Array,
    scratch: Scratch | None,
) -> Kernel:
    """The slopes by x and by the parameters are computed together with the value."""
    twin = copy.copy(activation)

    def all_of(x: Array, *parameters: Array) -> list[Array]:
        twin.params = activation.params | dict(zip(gradients, parameters, strict=True))
        y, slope = twin.value_and_derivative(x)
        slopes = twin.slopes(x, y) if gradients else {}
        return [y, slope, *(slopes[name] for name in gradients)]

    parameters = [activation.params[name].swapaxes(-1, -2) for name in gradients]
    formula = trace(all_of, z, *parameters)
    slopes = [np.empty(y.shape, slope.dtype) for slope in formula.outputs[2:]]
    backward: list[Call] = [partial(multiply, dy, z, out=dz)]
    for slope, gradient in zip(slopes, gradients.values(), strict=True):
        into = gradient.swapaxes(-1, -2)
        axes = tuple(k for k, size in enumerate(into.shape) if size < y.shape[k])
        total = np.empty(into.shape, slope.dtype)
        backward += [
            partial(multiply, dy, slope, slope),
            partial(add.reduce, slope, axes, out=total, keepdims=True),
            partial(copyto, into, total, "same_kind"),
        ]
    return Kernel(formula.bind([z, *parameters], [y, z, *slopes], scratch), backward)


def _gated(
    activation: Gated, z: Array, y: Array, dy: Array, dz: Array, scratch: Scratch | None
) -> Kernel:
    """The slopes by both inputs are computed together with the value."""
    (a, b), (da, db) = (activation.split(array, axis=-2) for array in (z, dz))
    to_a, to_b = np.empty(y.shape, y.dtype), np.empty(y.shape, y.dtype)
    formula = trace(activation.value_and_slopes, a, b)
    backward: list[Call] = [partial(multiply, dy, to_a, da), partial(multiply, dy, to_b, db)]
    return Kernel(formula.bind([a, b], [y, to_a, to_b], scratch), backward)


def _softmax(z: Array, y: Array, dy: Array, dz: Array) -> Kernel:
    """p = e^(z - max) / sum, in float64; dz = p (g - sum of p g) with g = dy - sum of p dy."""
    z, y, dy, dz = map(_units_first, (z, y, dy, dz))
    wide, total = np.empty(z.shape), np.empty(z.shape[1:])
    p, g, product = (np.empty(z.shape, z.dtype) for _ in range(3))
    mean = np.empty(z.shape[1:], z.dtype)

    def forward() -> None:
        _exponentials(z, wide, total)
        divide(wide, total, wide)
        copyto(p, wide, "same_kind")
        copyto(y, p)

    def backward() -> None:
        multiply(dy, p, product)
        add.reduce(product, out=mean)
        subtract(dy, mean, g)
        multiply(g, p, product)
        add.reduce(product, out=mean)
        subtract(g, mean, g)
        multiply(g, p, dz)

    return Kernel([forward], [backward])


def _units_first(array: Array) -> Array:
    """Return (replicates, units, batch) as (units, replicates, batch).

    In buffers of this order a sum over units adds whole arrays, one after another. The plain
    formulas add in the same order here, but NumPy's loops are as short as a batch there, which
    takes four times as long for ten replicates.
    """
    return array.swapaxes(0, 1)


def _exponentials(z: Array, e: Array, total: Array) -> None:
    """Write e^(z - max over units) into e, and the sum over units into ``total``."""
    copyto(e, z)
    maximum.reduce(e, out=total)
    subtract(e, total, e)
    exp(e, e)
    add.reduce(e, out=total)


def loss_kernel(loss: Loss, z: Array, dz: Array) -> Callable[[Array], None]:
    """Return what writes dL/dz of the mean loss into dz, given the targets; it may overwrite z.

    The logits z, dz and the targets are (replicates, 1 or classes, batch).
    """
    if type(loss) is CrossEntropy and z.shape[-2] == 1:
        return _binary_cross_entropy(z, dz)
    if type(loss) is CrossEntropy and z.shape[-1] > 1:
        return _cross_entropy(z, dz)
    if type(loss) is SquaredError and z.shape[-2] > 1 and z.shape[-1] > 1:
        return _squared_error(z, dz)
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


def _cross_entropy(z: Array, dz: Array) -> Callable[[Array], None]:
    """dL/dz = (w - t sum of w) / (batch sum of e) with e = e^(z - max) and w = e (1 - t)."""
    one, batch = _constants(z, 1, z.shape[-1])
    z, dz = map(_units_first, (z, dz))
    e, w = np.empty(z.shape, z.dtype), np.empty(z.shape, z.dtype)
    total, wrong = np.empty(z.shape[1:], z.dtype), np.empty(z.shape[1:], z.dtype)

    def backward(targets: Array) -> None:
        t = _units_first(targets)
        _exponentials(z, e, total)
        multiply(total, batch, total)
        subtract(one, t, w)
        multiply(w, e, w)
        add.reduce(w, out=wrong)
        multiply(t, wrong, e)
        subtract(w, e, w)
        divide(w, total, dz)

    return backward


def _squared_error(z: Array, dz: Array) -> Callable[[Array], None]:
    """dL/dz = p (e - sum of e p) with p = softmax(z) and e = (p - t) / batch."""
    (batch,) = _constants(z, z.shape[-1])
    z, dz = map(_units_first, (z, dz))
    p, error, product = (np.empty(z.shape, z.dtype) for _ in range(3))
    total = np.empty(z.shape[1:], z.dtype)

    def backward(targets: Array) -> None:
        _exponentials(z, p, total)
        divide(p, total, p)
        subtract(p, _units_first(targets), error)
        divide(error, batch, error)
        multiply(error, p, product)
        add.reduce(product, out=total)
        subtract(error, total, error)
        multiply(p, error, dz)

    return backward


def _constants(like: Array, *values: float) -> list[Array]:
    """Return 0-d arrays of the right dtype: a Python float costs 0.4 us more a call."""
    return [np.array(value, like.dtype) for value in values]
