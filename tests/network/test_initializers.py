"""Initial weights: the variances of the papers, and the gain that each activation needs."""

import math

import numpy as np
import pytest

import activations
from runner.network.initializers import (
    INITIALIZERS,
    Initializer,
    Scaling,
    edge_of_chaos,
    initial_layers,
    variance_gain,
)
from runner.network.network import Network
from runner.system.blas import one_blas_thread

FAN_IN, FAN_OUT = 300, 200

# 1/sqrt(E f(z)^2), z ~ N(0, 1), by 40-digit quadrature.
GAINS = {
    "relu": 1.41421356,
    "sigmoid": 1.84622855,
    "tanh": 1.59253742,
}


@pytest.mark.parametrize("name, gain", GAINS.items())
def test_gain_keeps_the_variance(name, gain):
    assert variance_gain(activations.get(name), 16) == pytest.approx(gain, rel=1e-8)


def test_gain_of_leaky_relu_is_the_closed_form():
    for alpha in (0.01, 0.2, 0.7):
        found = variance_gain(activations.LeakyReLU(alpha), 16)
        assert found == pytest.approx(math.sqrt(2 / (1 + alpha**2)), rel=1e-10)


def test_gain_makes_softmax_rows_have_unit_mean_square():
    units = 16
    gain = variance_gain(activations.Softmax(), units)
    rows = activations.Softmax()(np.random.default_rng(9).standard_normal((50_000, units)))
    assert gain**2 * np.mean(rows**2) == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(
    "name, variance",
    [
        ("glorot_normal", 2 / (FAN_IN + FAN_OUT)),
        ("glorot_uniform", 2 / (FAN_IN + FAN_OUT)),
        ("he_normal", 2 / FAN_IN),
        ("he_uniform", 2 / FAN_IN),
        ("lecun_normal", 1 / FAN_IN),
        ("lecun_uniform", 1 / FAN_IN),
        ("auto", 1 / FAN_IN),
        ("normal", 1e-4),
        ("uniform", 0.05**2 / 3),
        ("constant", 0.0),
    ],
)
def test_variance_is_the_papers(name, variance):
    rng = np.random.default_rng(0)
    weights = INITIALIZERS[name]().weights(rng, FAN_IN, FAN_OUT, 1.0)
    assert weights.var() == pytest.approx(variance, rel=0.03)
    if name.endswith("uniform"):
        bound = math.sqrt(3 * variance)
        assert np.abs(weights).max() <= bound
        assert np.abs(weights).max() > 0.99 * bound


def test_constant_weights_and_biases():
    initializer = INITIALIZERS["constant"](value=0.6, bias_mean=0.9)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(initializer.weights(rng, 3, 2, 1.0), np.full((3, 2), 0.6))
    np.testing.assert_array_equal(initializer.biases(rng, 2), [[0.9, 0.9]])


@pytest.mark.parametrize("name", list(INITIALIZERS))
def test_biases_have_the_mean_and_deviation_asked_for(name):
    biases = INITIALIZERS[name](bias_mean=-2.0, bias_std=0.5).biases(
        np.random.default_rng(0), 40_000
    )
    assert biases.mean() == pytest.approx(-2, abs=0.01)
    assert biases.std() == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_orthogonal(shape):
    initializer = INITIALIZERS["orthogonal"](gain=2.0)
    w = initializer.weights(np.random.default_rng(0), *shape, 1.0)
    product = w.T @ w if shape[0] >= shape[1] else w @ w.T
    np.testing.assert_allclose(product, 4 * np.eye(min(shape)), atol=1e-12)


def test_activations_get_the_same_normals_scaled():
    def weights(name):
        network = Network(2, (8, 8), 2, activations.get(name), 1, np.float64)
        gains = network.initialize(INITIALIZERS["auto"](), [np.random.default_rng([0, 1])])
        return [linear.weight / gain for linear, gain in zip(network.linears, gains, strict=True)]

    for ours, theirs in zip(weights("tanh"), weights("relu"), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


@one_blas_thread()
def test_auto_keeps_the_signal_in_a_deep_tanh_network_and_lecun_does_not():
    """Mean-field theory: with gain 1/sqrt(E f^2) the second moment 1 is a fixed point."""

    def last_rms(name):
        network = Network(500, (500,) * 20, 2, activations.TanH(), 1, np.float64)
        network.initialize(INITIALIZERS[name](), [np.random.default_rng([0, 1])])
        x = np.random.default_rng(1).standard_normal((1, 50, 500))
        return math.sqrt(np.mean(network.preactivations(x)[-1] ** 2))

    assert last_rms("auto") == pytest.approx(1, abs=0.1)
    assert last_rms("lecun_normal") < 0.3


@pytest.mark.parametrize("name", list(INITIALIZERS))
def test_theory_gets_the_variance_of_what_is_drawn(name):
    initializer = INITIALIZERS[name]()
    if name != "constant":
        initializer.gain, initializer.bias_std = 1.3, 0.5
    for shape in ((FAN_IN, FAN_OUT), (FAN_OUT, FAN_IN)):
        drawn = initializer.weights(np.random.default_rng(0), *shape, 1.1)
        assert initializer.weight_variance(*shape, 1.1) == pytest.approx(
            np.mean(drawn**2), rel=0.03
        )
    biases = initializer.biases(np.random.default_rng(0), 10_000)
    assert initializer.bias_variance() == pytest.approx(np.mean(biases**2), rel=0.05)


def test_theory_gets_the_variance_of_a_rule_of_the_users_own():
    class Own(Initializer):
        def weights(self, rng, fan_in, fan_out, factor):
            return rng.choice([-0.5, 0.5], (fan_in, fan_out))

        def biases(self, rng, fan_out):
            return rng.choice([-0.1, 0.1], (1, fan_out))

    assert Own().weight_variance(30, 20, 1.0) == pytest.approx(0.25)
    assert Own().bias_variance() == pytest.approx(0.01)


def test_layers_for_the_theory_have_the_networks_shapes():
    layers = initial_layers(activations.get("swiglu"), INITIALIZERS["auto"](), (2, 16, 8, 1))
    assert [layer[:2] for layer in layers] == [(2, 32), (16, 16), (8, 1)]
    gain = variance_gain(activations.get("swiglu"), 16)
    assert layers[0].weight_variance == pytest.approx(1 / 2)
    assert layers[1].weight_variance == pytest.approx(gain**2 / 16)


def test_theory_refuses_weights_and_biases_with_a_mean():
    with pytest.raises(ValueError, match="needs biases with mean 0"):
        INITIALIZERS["he_normal"](bias_mean=0.1).bias_variance()
    with pytest.raises(ValueError, match="needs weights with mean 0"):
        INITIALIZERS["constant"](value=0.1).weight_variance(4, 4, 1.0)
    assert INITIALIZERS["constant"]().weight_variance(4, 4, 1.0) == 0


# E f, E f^2 and E f'^2 with z ~ N(0, 1), by 40-digit quadrature.
MOMENTS = {
    "relu": (0.398942280, 0.5, 0.5),
    "sigmoid": (0.5, 0.293379036, 0.044836241),
    "tanh": (0, 0.394294490, 0.464402902),
    "gelu": (0.282094792, 0.425221483, 0.455850866),
    "selu": (0, 1, 1.071574992),
    "softplus": (0.806059183, 0.921245909, 0.293379036),
    "identity": (0, 1, 1),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_edge_of_chaos_is_the_formula(name):
    mean, square, slope_square = MOMENTS[name]
    gain, bias_std, input_mean, orthogonal = edge_of_chaos(activations.get(name), 16)
    assert gain == pytest.approx(1 / math.sqrt(slope_square), rel=1e-7)
    assert bias_std**2 == pytest.approx(1 - (square - mean**2) / slope_square, rel=1e-6, abs=1e-7)
    assert input_mean == pytest.approx(mean, rel=1e-8, abs=1e-8)
    assert orthogonal


def test_edge_of_chaos_without_a_slope_keeps_the_variance_alone():
    assert edge_of_chaos(activations.get("step"), 16)[:3] == pytest.approx((2, 0, 0.5))


def deep(name, width=100, hidden=30, replicates=1, **how):
    network = Network(2, (width,) * hidden, 3, activations.get(name), replicates, np.float64)
    generators = [np.random.default_rng([seed, 1]) for seed in range(replicates)]
    network.initialize(INITIALIZERS["auto"](**how), generators)
    return network


@pytest.mark.parametrize("name", ["relu", "gelu", "silu", "tanh", "sigmoid"])
@one_blas_thread()
def test_auto_keeps_signal_and_gradient_through_thirty_layers(name):
    """For sigmoid the variance-preserving gain leaves 1e-12 of the gradient."""
    network = deep(name, replicates=6)
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    x = math.sqrt(2) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    tape = network.forward(np.repeat(x[None], 6, axis=0))
    assert 0.6 < np.median((tape[-3] ** 2).mean(axis=(1, 2))) < 1.6
    grad = last = np.random.default_rng(2).standard_normal(tape[-3].shape)
    for index in range(len(network.layers) - 3, 0, -1):
        grad = network.layers[index].backward(tape[index], tape[index + 1], grad)
    ratios = np.sqrt((grad**2).mean(axis=(1, 2)) / (last**2).mean(axis=(1, 2)))
    assert 0.5 < np.median(ratios) < 2


def test_deep_weights_are_orthogonal_and_biases_centre_what_they_read():
    network = deep("sigmoid", width=12, hidden=3, gain=1.5)
    _, edge, *_ = scalings = INITIALIZERS["auto"]().scalings(network.prototype, (12,) * 3)
    for linear, scaling in zip(network.linears, scalings, strict=True):
        (w,), fan_in, fan_out = linear.weight, *linear.weight.shape[1:]
        variance = (1.5 * scaling.gain) ** 2 / fan_in
        assert np.mean(w**2) == pytest.approx(variance, rel=1e-12)
        product = w.T @ w if fan_in >= fan_out else w @ w.T
        expected = variance * max(fan_in, fan_out) * np.eye(len(product))
        np.testing.assert_allclose(product, expected, atol=1e-12)
    centred = network.linears[1].bias + 0.5 * network.linears[1].weight.sum(axis=1)
    assert np.std(centred) == pytest.approx(edge.bias_std, rel=0.5)


@pytest.mark.parametrize("hidden", [(), (8,), (8, 8)])
def test_shallow_networks_take_the_variance_gain_alone(hidden):
    gain = Scaling(variance_gain(activations.TanH(), 8))
    found = INITIALIZERS["auto"]().scalings(activations.TanH(), hidden)
    assert found == [Scaling(), *[gain] * len(hidden)]
