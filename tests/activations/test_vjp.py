"""``backward`` of every activation against central differences of ``forward``.

For all names, <grad, J u> by central differences equals <backward(grad), u>. Inputs have the scales
that occur in a network, and larger ones; three replicates have learnable parameters bound to
arrays. The gradients of the parameters are tested in the same way. Extrapolated differences
(Ridders 1982) have errors below 1e-7 where f is smooth; entries near a kink or a jump are moved
away from it.
"""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest

import activations
from activations.functions.axiswise import AxisWise

REPLICATES, BATCH, UNITS = 3, 4, 6
SCALES = (0.1, 1.0, 8.0, 40.0)

SURROGATES = {
    name for name in activations.names() if activations.get_class(name).surrogate_derivative
}
# Waves shorter than 40 times the step of a difference: looked at close to 0 only.
FASTEST = {"finer": 0.5, "wire": 0.1, "sin": 8.0}
# softexponential(alpha > 0) grows like e^x; a tiny slope beside a huge one has no digits.
STEPS = {"wire": 2e-4}
LARGEST = {"softexponential": 8.0, "exponential": 8.0, "cubic": 40.0}


def learnable(name: str) -> activations.Activation:
    """Return the activation, learnable if it can be."""
    cls = activations.get_class(name)
    if name == "formula":
        text = "x * sigmoid(beta * x) + gain^2 * sin(x)"
        return cls(text, {"beta": 1.5, "gain": 0.7}, learnable=True)
    return cls(learnable=True) if "learnable" in cls().hyperparameters else cls()


def bound(name: str) -> activations.Activation:
    """Return the activation, learnable if it can be, its parameters bound to arrays."""
    activation = learnable(name)
    rng = np.random.default_rng(4)
    inputs = round(UNITS * activation.inputs_per_output)
    for key, value in activation.params.items():
        shape = (REPLICATES, 1, inputs if activation.parameters_per_unit else 1)
        spread = 1 + 0.1 * rng.standard_normal(shape)
        activation.params[key] = (value if value else 0.3) * spread
    if name == "smu":  # a step of width 1e-6 has no differences
        activation.params["mu"] = activation.params["mu"] / 1e6
    return activation


def inputs(name: str, activation: activations.Activation, scale: float) -> np.ndarray:
    """Return x (replicates, batch, inputs), away from kinks and ties."""
    rng = np.random.default_rng(round(scale * 10))
    scale = min(scale, FASTEST.get(name, scale), LARGEST.get(name, scale))
    width = round(UNITS * activation.inputs_per_output)
    x = scale * rng.standard_normal((REPLICATES, BATCH, width))
    if name in ("hardmax", "maxout"):  # no ties: neighbours in rank are over 1/2 apart
        x = (scale + 1) / 2 * (np.argsort(np.argsort(x, axis=-1), axis=-1) - width / 2)
    for kink in activation.kinks:
        close = np.abs(x - kink) < 0.02
        x = np.where(close, kink + np.copysign(0.02, x - kink), x)
    return x


def extrapolated(function, step: float) -> np.ndarray:
    """Return f'(0) by central differences at step, step/2, step/4, extrapolated twice."""
    rows = [(function(h) - function(-h)) / (2 * h) for h in (step, step / 2, step / 4)]
    once = [(4 * b - a) / 3 for a, b in itertools.pairwise(rows)]
    return (16 * once[1] - once[0]) / 15


def agree(found: float, expected: float, size: float) -> None:
    assert np.isfinite(found)
    assert abs(found - expected) <= 1e-7 * size, (found, expected, size)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", sorted(set(activations.names()) - SURROGATES))
def test_backward_is_the_transposed_jacobian(name: str, scale: float) -> None:
    activation = bound(name)
    x = inputs(name, activation, scale)
    rng = np.random.default_rng(9)
    with np.errstate(all="raise", under="ignore"):
        y = activation.forward(x)
        direction = rng.standard_normal(x.shape)
        grad = rng.standard_normal(y.shape)
        back = activation.backward(x, y, grad)
        moved = extrapolated(lambda h: activation.forward(x + h * direction), STEPS.get(name, 4e-3))
    assert back.shape == x.shape
    assert y.shape == (REPLICATES, BATCH, UNITS)
    for replicate in range(REPLICATES):
        terms = grad[replicate] * moved[replicate]
        size = np.abs(terms).sum() + 1e-6 * np.abs(y).max()
        agree((back[replicate] * direction[replicate]).sum(), terms.sum(), size)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", [name for name in activations.names() if bound(name).params])
def test_parameter_gradients_are_derivatives(name: str, scale: float) -> None:
    activation = bound(name)
    x = inputs(name, activation, scale)
    with np.errstate(all="raise", under="ignore"):
        y = activation.forward(x)
        grad = np.random.default_rng(9).standard_normal(y.shape)
        found = activation.parameter_gradients(x, y, grad)
    assert set(found) == set(activation.params)
    for key, value in activation.params.items():
        assert found[key].shape == value.shape

        def at(h: float, key: str = key, value: np.ndarray = value) -> np.ndarray:
            other = copy.copy(activation)
            other.params = {**activation.params, key: value + h}
            return other.forward(x)

        terms = grad * extrapolated(at, 1e-3)
        axes = (1,) if activation.parameters_per_unit else (1, 2)
        expected = terms.sum(axis=axes, keepdims=True)
        size = np.abs(terms).sum(axis=axes, keepdims=True) + 1e-5 * np.abs(y).max()
        assert (np.abs(found[key] - expected) <= 1e-7 * size).all(), key


@pytest.mark.parametrize("name", [name for name in activations.names() if bound(name).params])
def test_float_parameters_give_float_gradients(name: str) -> None:
    """Until a network binds them, parameters are numbers, and so are their gradients."""
    activation = learnable(name)
    x = np.linspace(-2, 2, 10).reshape(2, 5) + 0.01
    y = activation.forward(x)
    found = activation.parameter_gradients(x, y, np.ones_like(y))
    assert {key: value.shape for key, value in found.items()} == dict.fromkeys(
        activation.params, ()
    )


@pytest.mark.parametrize("units", [4, 1])
@pytest.mark.parametrize("name", activations.names())
def test_gradient_is_the_diagonal(name: str, units: int) -> None:
    """``gradient`` agrees with ``backward`` on unit vectors, ``jacobian`` with both."""
    activation = activations.get(name)
    width = max(1, round(units * activation.inputs_per_output))
    x = np.random.default_rng(2).standard_normal((3, width))
    y, slopes = activation(x), activation.gradient(x)
    units = y.shape[-1]
    if not isinstance(activation, AxisWise):
        np.testing.assert_array_equal(slopes, activation.backward(x, y, np.ones_like(y)))
        return
    matrix = activation.jacobian(x)
    assert matrix.shape == (3, units, width)
    rows = [activation.backward(x, y, np.broadcast_to(unit, y.shape)) for unit in np.eye(units)]
    np.testing.assert_allclose(matrix, np.stack(rows, axis=-2), rtol=1e-12, atol=1e-16)
    if slopes.shape == x.shape and width != units:
        np.testing.assert_allclose(slopes, matrix.sum(axis=-2), rtol=1e-12)
    elif width == units:
        diagonal = np.diagonal(matrix, axis1=-2, axis2=-1)
        np.testing.assert_allclose(slopes, diagonal, rtol=1e-12, atol=1e-16 if units > 1 else 0)


@pytest.mark.parametrize("name", activations.names())
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_input_are_kept(name: str, dtype: type) -> None:
    activation = bound(name)
    for key, value in activation.params.items():
        activation.params[key] = value.astype(dtype)
    x = inputs(name, activation, 1.0).astype(dtype)
    kept = x.copy()
    x.setflags(write=False)
    y = activation.forward(x)
    back = activation.backward(x, y, np.ones_like(y))
    learnt = activation.parameter_gradients(x, y, np.ones_like(y))
    assert {array.dtype for array in (y, back, *learnt.values())} == {np.dtype(dtype)}
    assert not np.shares_memory(y, x)
    np.testing.assert_array_equal(x, kept)
