"""Activations and losses of a training step, computed in preallocated buffers.

z is the input of an activation, y = f(z) its output, dy = dL/dy and dz = dL/dz. The formulas of
the activations package are traced and bound to the buffers (``activations.tracing``): nothing is
allocated, and results are bit-identical to the formulas' (tested). An activation that cannot be
traced runs through its own methods. Softmax and the losses sum over units and have kernels here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy import (
    absolute,
    add,
    copyto,
    divide,
    exp,
    log,
    maximum,
    minimum,
    multiply,
    negative,
    subtract,
)

from activations import Softmax
from activations.base import Activation, Array, Elementwise, blockwise
from activations.functions.gated import Gated
from activations.functions.learnable import Learnable
from activations.tracing import Call, Scratch, Trace, Untraceable, trace
from activations.user_code import is_ours
from runner.network.losses import NO_OVERFLOW, CrossEntropy, Loss, SquaredError
from runner.network.network import Nonlinear


class Kernel(NamedTuple):
    """Calls that write y from z, and calls that write dz from dy. Both may overwrite z."""

    forward: list[Call]
    backward: list[Call]


def kernel(
    layer: Nonlinear, z: Array, y: Array, dy: Array, dz: Array, scratch: Scratch | None = None
) -> Kernel:
    """Return the layer's kernel for these buffers, (replicates, units, batch) each.

    Layers can share ``scratch``: shared memory stays in the cache.
    """
    activation = layer.activation
    found = _traced(layer, z)
    if found and isinstance(activation, Gated):
        return _gated(activation, *found, y, dy, dz, scratch)
    if found:
        return _elementwise(layer, *found, y, dy, dz, scratch)
    if isinstance(activation, Elementwise) and not _needs_whole_arrays(activation):
        forward = partial(blockwise, activation.value_and_derivative, (z,), (y, z))
        return Kernel([forward], [partial(multiply, dy, z, out=dz)])
    if type(activation) is Softmax and activation.masked_rows == "nan":
        if z.dtype == np.float32 and z.shape[-1] > 1:
            return _softmax(z, y, dy, dz)
    return plain_kernel(layer, z, y, dy, dz)


def forward_kernel(
    layer: Nonlinear, z: Array, into: Sequence[Array], scratch: Scratch | None = None
) -> list[Call]:
    """Return calls that write y into into[0] and, if there is an into[1], f'(z) into it.

    f'(z) requires an elementwise function. The calls may overwrite z. The results are
    bit-identical to those of ``kernel``.
    """
    activation, found = layer.activation, _traced(layer, z)
    if found:
        formula, inputs = found
        return formula.first(len(into)).bind(inputs, into, scratch)
    if len(into) == 1:
        return kernel(layer, z, into[0], into[0], z, scratch).forward
    assert isinstance(activation, Elementwise)
    if not _needs_whole_arrays(activation):
        return [partial(blockwise, activation.value_and_derivative, (z,), into)]
    z, y, slope = (array.swapaxes(-1, -2) for array in (z, *into))

    def forward() -> None:
        y[...] = layer.forward(z)
        slope[...] = activation.derivative(z, y)

    return [forward]


def _needs_whole_arrays(activation: Activation) -> bool:
    """Learned parameters and random draws have the axes (replicates, batch, units)."""
    return bool(activation.params) or activation.stochastic


def _traced(layer: Nonlinear, z: Array) -> tuple[Trace, list[Array]] | None:
    """Return the traced formula of the value and all slopes, with its inputs, or None."""
    activation = layer.activation
    if not is_ours(type(activation).__module__) or activation.stochastic:
        return None  # user code may do more than call NumPy, and a trace would skip that
    try:
        if isinstance(activation, Learnable):
            return _learnable_formula(activation, list(layer.gradients), z)
        if isinstance(activation, Elementwise):
            return _fixed_formula(layer, z.dtype), [z]
        if isinstance(activation, Gated):
            return _fixed_formula(layer, z.dtype), list(activation.split(z, axis=-2))
    except Untraceable:
        pass
    return None


def _fixed_formula(layer: Nonlinear, dtype: np.dtype[Any]) -> Trace:
    """Return the formula of an activation without parameters; traced once for all shapes."""
    if dtype not in layer.formulas:
        activation, x = layer.activation, np.empty((2, 2, 2), dtype)
        if isinstance(activation, Gated):
            layer.formulas[dtype] = trace(activation.value_and_slopes, x, x)
        else:
            assert isinstance(activation, Elementwise)
            layer.formulas[dtype] = trace(activation.value_and_derivative, x)
    return layer.formulas[dtype]


def _learnable_formula(
    activation: Learnable, names: list[str], z: Array
) -> tuple[Trace, list[Array]]:
    """Return the formula of the value, df/dz and df/dp for the parameters p in ``names``."""
    twin = copy.copy(activation)

    def all_of(x: Array, *parameters: Array) -> list[Array]:
        twin.params = activation.params | dict(zip(names, parameters, strict=True))
        y, slope = twin.value_and_derivative(x)
        slopes = twin.slopes(x, y) if names else {}
        return [y, slope, *(slopes[name] for name in names)]

    inputs = [z, *(activation.params[name].swapaxes(-1, -2) for name in names)]
    return trace(all_of, *inputs), inputs


def plain_kernel(layer: Nonlinear, z: Array, y: Array, dy: Array, dz: Array) -> Kernel:
    """Return a kernel for any activation, from the methods that ``Network`` calls too."""
    z, y, dy, dz = (array.swapaxes(-1, -2) for array in (z, y, dy, dz))

    def forward() -> None:
        y[...] = layer.forward(z)

    def backward() -> None:
        layer.accumulate(z, y, dy)
        dz[...] = layer.backward(z, y, dy)

    return Kernel([forward], [backward])


def _elementwise(
    layer: Nonlinear,
    formula: Trace,
    inputs: list[Array],
    y: Array,
    dy: Array,
    dz: Array,
    scratch: Scratch | None,
) -> Kernel:
    """All slopes are computed together with the value; f'(z) overwrites z."""
    z = inputs[0]
    slopes = [np.empty(y.shape, slope.dtype) for slope in formula.outputs[2:]]
    backward: list[Call] = [partial(multiply, dy, z, out=dz)]
    for slope, gradient in zip(slopes, layer.gradients.values(), strict=True):
        into = gradient.swapaxes(-1, -2)
        axes = tuple(k for k, size in enumerate(into.shape) if size < y.shape[k])
        total = np.empty(into.shape, slope.dtype)
        backward += [
            partial(multiply, dy, slope, slope),
            partial(add.reduce, slope, axes, out=total, keepdims=True),
            partial(copyto, into, total, "same_kind"),
        ]
    return Kernel(formula.bind(inputs, [y, z, *slopes], scratch), backward)


def _gated(
    activation: Gated,
    formula: Trace,
    inputs: list[Array],
    y: Array,
    dy: Array,
    dz: Array,
    scratch: Scratch | None,
) -> Kernel:
    """The slopes with respect to both inputs are computed together with the value."""
    da, db = activation.split(dz, axis=-2)
    to_a, to_b = (np.empty(y.shape, slope.dtype) for slope in formula.outputs[1:])
    backward: list[Call] = [partial(multiply, dy, to_a, da), partial(multiply, dy, to_b, db)]
    return Kernel(formula.bind(inputs, [y, to_a, to_b], scratch), backward)


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
        copyto(g, dy)
        multiply(g, p, product)
        add.reduce(product, out=mean)
        subtract(g, mean, g)
        multiply(g, p, product)
        add.reduce(product, out=mean)
        subtract(g, mean, g)
        multiply(g, p, dz)

    return Kernel([forward], [backward])


def _units_first(array: Array) -> Array:
    """Return (replicates, units, batch) as (units, replicates, batch).

    With units first, a sum over units adds whole arrays. With replicates first, NumPy adds in the
    same order, but each inner loop covers one batch only: four times slower for ten replicates.
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
    """Return a function of the targets that writes dL/dz of the mean loss into dz.

    It may overwrite the logits z. z, dz and the targets are (replicates, 1 or classes, batch).
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
    """dL/dz = s w / (batch (1 + w)), w = e^(s z): the odds of the wrong class."""
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


def losses_kernel(loss: Loss, z: Array, losses: Array) -> Callable[[Array], None]:
    """Return a function of the targets that writes each sample's loss, (replicates, batch).

    The logits z and the targets are (replicates, 1 or classes, batch). z does not change.
    """
    if type(loss) is CrossEntropy and z.shape[-2] == 1:
        return _binary_losses(z, losses)
    if type(loss) is CrossEntropy and z.shape[-1] > 1:  # NumPy sums one sample in another order
        return _categorical_losses(z, losses)
    z = z.swapaxes(-1, -2)

    def forward(targets: Array) -> None:
        losses[...] = loss.losses(z, targets.swapaxes(-1, -2))

    return forward


def _binary_losses(z: Array, losses: Array) -> Callable[[Array], None]:
    """L = max(a, 0) + log(1 + w), a = s z: the logit of the wrong class; w = e^-|a|, u = 1 + w."""
    (one,) = _constants(z, 1)
    z = z[:, 0]
    zeros = np.zeros_like(z)
    a, w, u, lost = (np.empty_like(z) for _ in range(4))

    def forward(targets: Array) -> None:
        multiply(targets[:, 0], z, out=a)
        maximum(a, zeros, out=losses)
        absolute(a, out=w)
        negative(w, out=w)
        exp(w, out=w)
        add(w, one, out=u)
        subtract(u, one, out=lost)
        subtract(w, lost, out=lost)
        divide(lost, u, out=lost)
        log(u, out=u)
        add(u, lost, out=u)
        add(losses, u, out=losses)

    return forward


def _categorical_losses(z: Array, losses: Array) -> Callable[[Array], None]:
    """L = log(sum_j e^d_j) - sum_k t_k d_k, d = z - max z."""
    z = _units_first(z)
    d, product = np.empty(z.shape, z.dtype), np.empty(z.shape, z.dtype)
    row = np.empty(z.shape[1:], z.dtype)

    def forward(targets: Array) -> None:
        copyto(d, z)
        maximum.reduce(d, out=row)
        subtract(d, row, d)
        multiply(d, _units_first(targets), product)
        exp(d, d)
        add.reduce(d, out=losses)
        log(losses, losses)
        add.reduce(product, out=row)
        subtract(losses, row, losses)

    return forward


def prediction_kernel(z: Array, predicted: Array) -> list[Call]:
    """Return calls that write the predicted class of each sample, (replicates, batch).

    The logits z (replicates, 1 or classes, batch) must not be NaN. A single logit predicts class 1
    if it is > 0; several predict the class of the largest, or the first of equal ones.
    """
    if z.shape[1] == 1:
        return [partial(np.greater, z[:, 0], *_constants(z, 0), out=predicted.view(bool))]
    best, larger, number = z[:, 0], np.empty(predicted.shape, bool), np.empty_like(predicted)
    calls: list[Call] = [partial(copyto, predicted, 0)]
    for k in range(1, z.shape[1]):
        larger_one = np.empty_like(z[:, 0]) if k == 1 else best
        calls += [
            partial(np.greater, z[:, k], best, out=larger),
            partial(multiply, larger, np.array(k, predicted.dtype), number),
            partial(maximum, predicted, number, out=predicted),
            partial(maximum, best, z[:, k], out=larger_one),
        ]
        best = larger_one
    return calls


def _constants(like: Array, *values: float) -> list[Array]:
    """Return 0-d arrays of the dtype of ``like``: a Python float costs 0.4 us more per call."""
    return [np.array(value, like.dtype) for value in values]
