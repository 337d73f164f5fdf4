"""What has a meaning for a function of a whole row or of two inputs: its Jacobian, what leaves it
as it is, and the moments of its outputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from activations.base import Activation, Array

OUTPUTS = 8
ROWS = 256
SIZES = (1e-3, 0.1, 1.0, 10.0, 100.0)
"""Standard deviations of the inputs at which the Jacobian is looked at."""
SIMULATED = 40_000
"""Rows whose outputs' moments are taken: each is good to about 0.3%."""


@dataclass(frozen=True)
class RowFacts:
    """Of a function of rows, looked at with ``OUTPUTS`` outputs.

    Attributes:
        low, high: smallest and largest output seen, inputs of all sizes.
        norms: the largest spectral norm of the Jacobian seen at each of ``SIZES``.
        invariances: sentences.
        mean, second_moment: of one output for inputs ~ N(0, 1), with standard errors, by
            simulation.
    """

    low: float
    high: float
    norms: tuple[float, ...]
    invariances: tuple[str, ...]
    mean: tuple[float, float]
    second_moment: tuple[float, float]

    @property
    def lipschitz(self) -> float:
        """The largest norm seen, which no Lipschitz constant is below; infinite where the norms
        go on growing with the inputs or as they shrink."""
        middle = max(self.norms[1:-1])
        if max(self.norms[0], self.norms[-1]) > 3 * middle:
            return np.inf
        return max(self.norms)


def row_facts(activation: Activation) -> RowFacts:
    """Return what random rows show. Raises whatever the function raises for them."""
    rng = np.random.default_rng(0)
    inputs = round(OUTPUTS * activation.inputs_per_output)
    normals = rng.standard_normal((ROWS, inputs))
    with np.errstate(all="ignore"):
        outputs = [np.asarray(activation(size * normals)) for size in SIZES]
        norms = [_largest_norm(_jacobian(activation, size * normals)) for size in SIZES]
        y = np.asarray(activation(rng.standard_normal((SIMULATED, inputs))), np.float64)
    return RowFacts(
        float(min(y.min() for y in outputs)),
        float(max(y.max() for y in outputs)),
        tuple(norms),
        tuple(_invariances(activation, normals)),
        _mean_and_error(y),
        _mean_and_error(y * y),
    )


def _mean_and_error(y: Array) -> tuple[float, float]:
    """Return the mean, and its standard error from rows, whose entries depend on each other."""
    rows = y.mean(axis=-1)
    return float(rows.mean()), float(rows.std() / np.sqrt(len(rows)))


def _jacobian(activation: Activation, x: Array) -> Array:
    """Return dy_i/dx_j, shape (rows, outputs, inputs)."""
    x = x[:, None, :]
    y = np.asarray(activation(x))
    return np.asarray(activation.backward(x, y, np.eye(y.shape[-1])))


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
