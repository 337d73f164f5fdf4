"""Facts about a function of a whole row or of two inputs: Jacobian norms and invariances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from activations.base import Activation, Array
from activations.moments import sampled_rows

OUTPUTS = 8
ROWS = 256
SIZES = (1e-3, 0.1, 1.0, 10.0, 100.0)
"""Standard deviations of the inputs for which the Jacobian is computed."""


@dataclass(frozen=True)
class RowFacts:
    """Facts about a function of rows, with ``OUTPUTS`` outputs.

    Attributes:
        low, high: smallest and largest output for inputs of all ``SIZES``.
        norms: the largest spectral norm of the Jacobian for each of ``SIZES``.
        jumps: whether an output jumps between two random rows.
        invariances: one sentence for each invariance.
    """

    low: float
    high: float
    norms: tuple[float, ...]
    jumps: bool
    invariances: tuple[str, ...]

    @property
    def lipschitz(self) -> float:
        """The largest norm, a lower bound of the Lipschitz constant.

        Infinite if the outputs jump, or if the norms still grow at the smallest or largest inputs.
        """
        middle = max(self.norms[1:-1])
        if self.jumps or max(self.norms[0], self.norms[-1]) > 3 * middle:
            return np.inf
        return max(self.norms)


def row_facts(activation: Activation) -> RowFacts:
    """Return the facts from random rows. Errors of a user's function are not caught."""
    normals = sampled_rows(activation, OUTPUTS, ROWS)[0]
    with np.errstate(all="ignore"):
        outputs = [np.asarray(activation(size * normals)) for size in SIZES]
        norms = [_largest_norm(_jacobian(activation, size * normals)) for size in SIZES]
    return RowFacts(
        float(min(y.min() for y in outputs)),
        float(max(y.max() for y in outputs)),
        tuple(norms),
        _jumps(activation, normals[:-1], normals[1:]),
        tuple(_invariances(activation, normals)),
    )


def _jacobian(activation: Activation, x: Array) -> Array:
    """Return dy_i/dx_j, shape (rows, outputs, inputs)."""
    x = x[:, None, :]
    y = np.asarray(activation(x))
    return np.asarray(activation.backward(x, y, np.eye(y.shape[-1])))


def _jumps(activation: Activation, low: Array, high: Array) -> bool:
    """Return whether an output jumps between the rows ``low`` and ``high``.

    The line between two rows is bisected, towards the half with the larger change, until its ends
    are neighbouring floats. At a jump the outputs still differ.
    """
    for _ in range(60):
        middle = (low + high) / 2
        with np.errstate(all="ignore"):
            y = np.asarray(activation(np.stack([low, middle, high])))
        first, second = np.abs(np.diff(y, axis=0)).max(axis=-1)
        left = (first >= second)[:, None]
        low, high = np.where(left, low, middle), np.where(left, middle, high)
    return bool((np.maximum(first, second) > 1e-6).any())


def _largest_norm(jacobians: Array) -> float:
    finite = jacobians[np.isfinite(jacobians).all(axis=(1, 2))]
    return float(np.linalg.norm(finite, 2, axis=(1, 2)).max()) if len(finite) else np.nan


def _invariances(activation: Activation, x: Array) -> list[str]:
    with np.errstate(all="ignore"):
        y = np.asarray(activation(x))

        def same(other: Array, value: Array) -> bool:
            return bool(np.allclose(activation(other), value, rtol=1e-9, atol=1e-9))

        found = []
        if same(x + 0.75, y):
            found.append("adding one number to all inputs changes nothing")
        elif same(x + 0.75, y + 0.75):
            found.append("adding c to all inputs adds c to each output")
        if same(3 * x, y):
            found.append("multiplying all inputs by c > 0 changes nothing")
        elif same(3 * x, 3 * y):
            found.append("multiplying all inputs by c > 0 multiplies the outputs by c")
        if y.shape == x.shape and same(x[:, ::-1], y[:, ::-1]):
            found.append("permuting the inputs permutes the outputs")
        if np.allclose(y.sum(-1), 1, rtol=1e-12):
            found.append("the outputs of a row add up to 1")
        if same(-x, -y):
            found.append("odd: f(-x) = -f(x)")
        elif same(-x, y):
            found.append("even: f(-x) = f(x)")
    return found
