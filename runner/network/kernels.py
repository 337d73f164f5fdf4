"""Activations of a training step, computed in preallocated buffers.

z is the input of an activation, y = f(z) its output, dy = dL/dy and dz = dL/dz. The formulas of
the activations package are traced and bound to the buffers (``activations.tracing``): nothing is
allocated, and results are bit-identical to the formulas' (tested). An activation that cannot be
traced runs through its own methods. Softmax sums over units and has a kernel here.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy import (
    add,
    copyto,
    divide,
    exp,
    maximum,
    multiply,
    subtract,
)

from activations import Softmax
from activations.base import Activation, Array, Elementwise, blockwise
from activations.functions.gated import Gated
from activations.functions.learnable import Learnable
from activations.tracing import Call, Scratch, Trace, Untraceable, trace
from activations.user_code import is_ours
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
    z, y, dy, dz = map(units_first, (z, y, dy, dz))
    wide, total = np.empty(z.shape), np.empty(z.shape[1:])
    p, g, product = (np.empty(z.shape, z.dtype) for _ in range(3))
    mean = np.empty(z.shape[1:], z.dtype)

    def forward() -> None:
        exponentials(z, wide, total)
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


def units_first(array: Array) -> Array:
    """Return (replicates, units, batch) as (units, replicates, batch).

    With units first, a sum over units adds whole arrays. With replicates first, NumPy adds in the
    same order, but each inner loop covers one batch only: four times slower for ten replicates.
    """
    return array.swapaxes(0, 1)


def exponentials(z: Array, e: Array, total: Array) -> None:
    """Write e^(z - max over units) into e, and the sum over units into ``total``."""
    copyto(e, z)
    maximum.reduce(e, out=total)
    subtract(e, total, e)
    exp(e, e)
    add.reduce(e, out=total)
