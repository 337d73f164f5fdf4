"""Measurements of a network, against the plain tape and arithmetic that does not overflow."""

import math

import numpy as np
import pytest

import activations
from activations.tracing import Scratch
from runner import run
from runner.network.fast_gradient import feature_major, with_ones
from runner.network.initializers import Auto
from runner.network.losses import LOSSES, encode, predictions
from runner.network.measurements import (
    LAYER_SAMPLES,
    SATURATION_THRESHOLD,
    Evaluator,
    LayerEvaluator,
    Part,
    root_mean_squares,
)
from runner.network.network import Network

REPLICATES = 3


def part_of(network, samples, rng):
    x = rng.standard_normal((REPLICATES, samples, network.features)).astype(network.dtype)
    labels = rng.integers(0, network.classes, (REPLICATES, samples))
    return x, labels, encode(labels, network.classes, network.dtype)


def bound(x, labels, targets):
    return Part(with_ones(x), labels.astype(np.uint8), feature_major(targets))


@pytest.mark.parametrize("samples", [40, LAYER_SAMPLES + 1100])
@pytest.mark.parametrize(
    "classes, loss", [(2, "cross_entropy"), (4, "cross_entropy"), (4, "squared_error")]
)
@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "softmax", "swiglu", "prelu", "rrelu"])
def test_measurements_are_what_the_plain_tape_says(name, classes, loss, samples):
    """Loss and accuracy of all samples; slopes, outputs and gradients of the first ones."""
    rng = np.random.default_rng(4)
    activation, loss = activations.get(name), LOSSES[loss]()
    network = Network(3, (6, 4), classes, activation, REPLICATES, np.float64)
    network.initialize(Auto(bias_std=0.3), [np.random.default_rng(k) for k in range(REPLICATES)])
    network.linears[1].weight[0, :, 1] = 0  # a unit of replicate 0 that never changes
    network.linears[1].weight[1, :, :] = 0  # and all of replicate 1
    x, labels, targets = part_of(network, samples, rng)
    found = LayerEvaluator(network, loss, bound(x, labels, targets), Scratch()).evaluate_layers()
    tape = network.forward(x)
    logits = tape[-1]
    np.testing.assert_allclose(found.loss, loss.losses(logits, targets).mean(axis=1))
    np.testing.assert_array_equal(found.accuracy, (predictions(logits) == labels).mean(axis=1))
    few = [array[:, :LAYER_SAMPLES] for array in tape]
    grad = loss.gradient(few[-1], targets[:, :LAYER_SAMPLES]) * few[-1].shape[1]
    for number in (3, 2, 1):
        rms = np.sqrt(np.square(grad).mean(axis=(1, 2)))
        np.testing.assert_allclose(found.gradient_rms[number - 1], rms, rtol=1e-9)
        if number == 1:
            break
        y, z = few[2 * number - 2], few[2 * number - 3]
        layer, outputs = found.layers[number - 2], tape[2 * number - 2]
        np.testing.assert_array_equal(layer.dead, (outputs == outputs[:, :1]).all(axis=1))
        np.testing.assert_allclose(layer.activation_rms, np.sqrt(np.square(y).mean(axis=(1, 2))))
        slope = np.full((REPLICATES, 1, 1), np.nan)
        if isinstance(activation, activations.Elementwise):
            slope = np.abs(network.activations[number - 2].derivative(z, y))
            np.testing.assert_array_equal(
                layer.saturated, (slope < SATURATION_THRESHOLD).mean(axis=(1, 2))
            )
        else:
            assert np.isnan(layer.saturated).all()
        grad = network.linears[number - 1].backward(y, None, grad)
        grad = network.nonlinears[number - 2].backward(z, y, grad)


def test_parts_are_measured_each_for_itself():
    """However many samples each has, and whatever stands beside it."""
    rng = np.random.default_rng(5)
    network = Network(2, (5,), 3, activations.get("tanh"), REPLICATES, np.float32)
    network.initialize(Auto(), [np.random.default_rng(k) for k in range(REPLICATES)])
    loss, data = LOSSES["cross_entropy"](), {}
    for name, samples in {"validation": 1500, "test": 700, "more": 1}.items():
        data[name] = part_of(network, samples, rng)
    parts = {name: bound(*part) for name, part in data.items()}
    found = Evaluator(network, loss, parts, Scratch()).evaluate()
    for name, (x, labels, targets) in data.items():
        logits = network.logits(x)
        losses = loss.losses(logits, targets).mean(axis=1, dtype=np.float64)
        np.testing.assert_allclose(found[name].loss, losses, rtol=1e-6)
        share = (predictions(logits) == labels).mean(axis=1)
        np.testing.assert_array_equal(found[name].accuracy, share)


def test_of_equal_logits_the_first_is_predicted_and_of_those_with_a_nan_as_argmax_does():
    rng = np.random.default_rng(6)
    network = Network(2, (), 3, activations.get("tanh"), REPLICATES, np.float32)
    x, labels, targets = part_of(network, 60, rng)
    for weights in ([0, 0, 0], [0, np.nan, np.nan], [np.inf, 1, np.inf]):
        network.linears[0].weight[:, 0] = weights
        with np.errstate(all="ignore"):
            part = {"test": bound(x, labels, targets)}
            found = Evaluator(network, LOSSES["cross_entropy"](), part, Scratch()).evaluate()
            share = (predictions(network.logits(x)) == labels).mean(axis=1)
        np.testing.assert_array_equal(found["test"].accuracy, share)


@pytest.mark.parametrize("dtype, exponents", [("float32", (-44, 37)), ("float64", (-322, 306))])
def test_root_mean_square_at_every_size(dtype, exponents):
    rng = np.random.default_rng(0)
    normal = rng.standard_normal((2, 300))
    for exponent in range(*exponents, 3):
        stack = (normal * [[10.0**exponent], [1]]).astype(dtype)
        wanted = [math.hypot(*row.tolist()) / math.sqrt(300) for row in stack]
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(root_mean_squares([stack])[0], wanted, rtol=1e-6)
    np.testing.assert_array_equal(root_mean_squares([np.zeros((2, 3), dtype)]), [[0, 0]])
    assert np.isnan(root_mean_squares([np.array([[np.nan, 1]], dtype)])).all()


def test_an_explosion_that_is_clipped_is_measured_and_told(tmp_path):
    """Six layers of squares: gradients whose squares overflow float32, while they do not."""
    words = ["activation=square", "model.hidden=[16,16,16,16,16]", "initializer=he_normal",
             "optimizer=sgd", "optimizer.learning_rate=0.1", "optimizer.clip_norm=1",
             "training.epochs=3", "replicates=5", "plots=none"]  # fmt: skip
    result = run([*words, f"hydra.run.dir={tmp_path / 'it'}"])
    rms = np.stack([result.history[f"layer{n}_gradient_rms"] for n in range(1, 7)])
    assert np.isfinite(rms[:, :, 0]).all() and rms.max() > 1e19
    assert "exploding" in {finding["code"] for finding in result.summary["diagnosis"]}
    before, after = result.history["train_loss"][:, 0], result.history["train_loss"][:, -1]
    assert (before != after).all()
