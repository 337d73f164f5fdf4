"""Losses, their gradients and predictions in training, computed in preallocated buffers.

The logits z, dz = dL/dz and the targets have shape (replicates, 1 or classes, batch). The results
are bit-identical to the formulas of ``runner.network.losses`` (a test).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

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

from activations.base import Array
from activations.tracing import Call
from runner.network.kernels import exponentials, units_first
from runner.network.losses import NO_OVERFLOW, CrossEntropy, Loss, SquaredError


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
    z, dz = map(units_first, (z, dz))
    e, w = np.empty(z.shape, z.dtype), np.empty(z.shape, z.dtype)
    total, wrong = np.empty(z.shape[1:], z.dtype), np.empty(z.shape[1:], z.dtype)

    def backward(targets: Array) -> None:
        t = units_first(targets)
        exponentials(z, e, total)
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
    z, dz = map(units_first, (z, dz))
    p, error, product = (np.empty(z.shape, z.dtype) for _ in range(3))
    total = np.empty(z.shape[1:], z.dtype)

    def backward(targets: Array) -> None:
        exponentials(z, p, total)
        divide(p, total, p)
        subtract(p, units_first(targets), error)
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
    z = units_first(z)
    d, product = np.empty(z.shape, z.dtype), np.empty(z.shape, z.dtype)
    row = np.empty(z.shape[1:], z.dtype)

    def forward(targets: Array) -> None:
        copyto(d, z)
        maximum.reduce(d, out=row)
        subtract(d, row, d)
        multiply(d, units_first(targets), product)
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
