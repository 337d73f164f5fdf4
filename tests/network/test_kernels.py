"""The allocation-free kernels of training give the formulas' own bits."""

import functools

import numpy as np
import pytest

import activations
from activations.functions.gated import Gated
from runner.network.fast_gradient import feature_major
from runner.network.kernels import forward_kernel, kernel, plain_kernel
from runner.network.loss_kernels import loss_kernel, losses_kernel
from runner.network.losses import CrossEntropy, SquaredError, encode
from runner.network.network import Nonlinear
from tests.activations.test_vjp import learnable

REPLICATES, UNITS, BATCH = 3, 16, 33
EVERY = [
    activations.TanH(),
    activations.Sigmoid(),
    activations.ReLU(),
    activations.ReLU(derivative_at_zero=0),
    activations.ReLU(derivative_at_zero=0.5),
    *(
        activations.get(name)
        for name in activations.names()
        if issubclass(activations.get_class(name), activations.Elementwise)
    ),
    *(
        activations.get(name)
        for name in activations.names()
        if issubclass(activations.get_class(name), Gated)
    ),
    activations.get("softmax"),
    activations.get("softmax", masked_rows="zeros"),
]


def elementwise(activation):
    return isinstance(activation, activations.Elementwise)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [0.1, 3.0, 60.0])
@pytest.mark.parametrize("activation", EVERY, ids=repr)
def test_kernel_is_the_formula_to_the_last_bit(activation, scale, dtype):
    rng = np.random.default_rng(1)
    inputs = int(activation.inputs_per_output)
    z = (scale * rng.standard_normal((REPLICATES, inputs * UNITS, BATCH))).astype(dtype)
    z[0, 0, :3] = 0.0, -0.0, 1e-30
    dy = rng.standard_normal((REPLICATES, UNITS, BATCH)).astype(dtype)

    def result(make):
        own = z.copy()
        y, dz = np.empty_like(dy), np.empty_like(z)
        made = make(Nonlinear(activation, {}), own, y, dy, dz)
        with np.errstate(all="ignore"):
            for call in (*made.forward, *made.backward):
                call()
        return y, dz

    for found, expected in zip(result(kernel), result(plain_kernel), strict=True):
        assert (found + 0.0).tobytes() == (expected + 0.0).tobytes()  # -0 counts as 0
    y, _ = result(plain_kernel)
    layer = Nonlinear(activation, {})
    for into in ([np.empty_like(dy)], [np.empty_like(dy), np.empty_like(z)])[
        : elementwise(activation) + 1
    ]:
        with np.errstate(all="ignore"):
            for call in forward_kernel(layer, z.copy(), into):
                call()
        assert (into[0] + 0.0).tobytes() == (y + 0.0).tobytes()
    if elementwise(activation):
        slope = activation.derivative(z, y)
        assert (into[1] + 0.0).tobytes() == (slope + 0.0).tobytes()


LEARNABLE = [name for name in activations.names() if learnable(name).params]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [0.1, 3.0])
@pytest.mark.parametrize("name", LEARNABLE)
def test_kernel_of_learnable_parameters_is_the_formula_to_the_last_bit(name, scale, dtype):
    rng = np.random.default_rng(3)
    z = (scale * rng.standard_normal((REPLICATES, UNITS, BATCH))).astype(dtype)
    dy = rng.standard_normal(z.shape).astype(dtype)
    activation = learnable(name)
    shape = (REPLICATES, 1, UNITS if activation.parameters_per_unit else 1)
    for key, value in activation.params.items():
        activation.params[key] = (value + 0.1 * rng.random(shape)).astype(dtype)

    def result(make):
        gradients = {key: np.empty_like(value) for key, value in activation.params.items()}
        y, dz = np.empty_like(z), np.empty_like(z)
        made = make(Nonlinear(activation, gradients), z.copy(), y, dy, dz)
        with np.errstate(all="ignore"):
            for call in (*made.forward, *made.backward):
                call()
        return [y, dz, *gradients.values()]

    for found, expected in zip(result(kernel), result(plain_kernel), strict=True):
        assert (found + 0.0).tobytes() == (expected + 0.0).tobytes()


def test_common_formulas_are_traced():
    """Through its own methods a function gives the right bits too, but slowly."""
    for name in ("prelu", "swish", "glu", "geglu", "swiglu", "reglu", "hardswish", "leaky_relu"):
        activation = learnable(name)
        for key, value in activation.params.items():
            activation.params[key] = np.full((REPLICATES, 1, UNITS), value, np.float32)
        z = np.empty((REPLICATES, int(activation.inputs_per_output) * UNITS, BATCH), np.float32)
        dy = np.empty((REPLICATES, UNITS, BATCH), np.float32)
        gradients = {key: np.empty_like(value) for key, value in activation.params.items()}
        made = kernel(Nonlinear(activation, gradients), z, dy.copy(), dy, z.copy())
        assert len(made.forward) > 1 or isinstance(made.forward[0], functools.partial), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "loss", [CrossEntropy(), SquaredError()], ids=lambda loss: type(loss).__name__
)
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_the_loss_kernel_is_the_formula_to_the_last_bit(classes, loss, dtype):
    rng = np.random.default_rng(2)
    outputs = 1 if classes == 2 else classes
    z = (30 * rng.standard_normal((3, outputs, 65))).astype(dtype)
    z[0, 0, :2] = 1e4, -1e4
    targets = feature_major(encode(rng.integers(0, classes, (3, 65)), classes, dtype))
    expected = loss.gradient(z.swapaxes(-1, -2), targets.swapaxes(-1, -2)).swapaxes(-1, -2)
    dz = np.empty_like(z)
    with np.errstate(all="ignore"):
        loss_kernel(loss, z.copy(), dz)(targets)
    assert (dz + 0.0).tobytes() == (expected + 0.0).tobytes()
    losses = np.empty(z[:, 0].shape, dtype)
    expected = loss.losses(z.swapaxes(-1, -2), targets.swapaxes(-1, -2))
    with np.errstate(all="ignore"):
        losses_kernel(loss, z, losses)(targets)
    assert (losses + 0.0).tobytes() == (expected + 0.0).tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", [CrossEntropy(), SquaredError()], ids=lambda loss: loss.name)
@pytest.mark.parametrize("samples", [1, 2])
def test_few_samples_give_the_same_losses_and_gradients_alone_and_stacked(samples, loss, dtype):
    rng = np.random.default_rng(8)
    z = (3 * rng.standard_normal((5, 10, samples))).astype(dtype)
    labels = rng.integers(0, 10, (5, samples))
    targets = encode(labels, 10, dtype).swapaxes(-1, -2).copy()

    def result(k):
        losses, dz = np.empty((k.stop - k.start, samples), dtype), np.empty_like(z[k])
        losses_kernel(loss, z[k].copy(), losses)(targets[k])
        loss_kernel(loss, z[k].copy(), dz)(targets[k])
        return losses, dz

    together = result(slice(0, 5))
    for k in range(5):
        for all_of, alone in zip(together, result(slice(k, k + 1)), strict=True):
            assert np.array_equal(all_of[k : k + 1], alone)
