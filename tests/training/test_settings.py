"""What a setting means, by training that is written out here."""

import numpy as np
import pytest

from runner import run
from runner.config.compose import compose

QUIET = "plots=none replicates=2 model.hidden=[4] dtype=float64 optimizer=sgd".split()


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Plain:
    """One hidden tanh layer and a logistic output, by the textbook's formulas."""

    def __init__(self, result, replicate):
        initial = result.initial_network().parameters
        names = ("layer1.weight", "layer1.bias", "layer2.weight", "layer2.bias")
        self.parameters = [initial[name][replicate].copy() for name in names]
        data = result.config.split(result.config.seeds[replicate])
        self.x, self.y = data.train_x, data.train_labels

    def output(self, x):
        w1, b1, w2, b2 = self.parameters
        hidden = np.tanh(x @ w1 + b1)
        return hidden, (hidden @ w2 + b2)[:, 0]

    def gradients(self, x, slope):
        """``slope`` is dL/dz of the output for each sample."""
        w2 = self.parameters[2]
        hidden, _ = self.output(x)
        back = slope[:, None] * w2[:, 0] * (1 - hidden**2)
        return [x.T @ back, back.sum(0), hidden.T @ slope[:, None], slope.sum()]

    def step(self, rate, gradients):
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter -= rate * gradient

    def compare(self, result, replicate):
        names = ("layer1.weight", "layer1.bias", "layer2.weight", "layer2.bias")
        for name, expected in zip(names, self.parameters, strict=True):
            np.testing.assert_allclose(result.weights[name][replicate], expected, atol=1e-12)


def test_without_shuffling_every_epoch_takes_the_batches_of_the_split(tmp_path):
    words = ["dataset.samples=100", "training.epochs=3", "training.batch_size=16",
             "training.shuffle=false", "optimizer.learning_rate=0.5"]  # fmt: skip
    result = run([*QUIET, *words, f"hydra.run.dir={tmp_path / 'it'}"])
    for replicate in range(2):
        plain = Plain(result, replicate)
        for _ in range(3):
            for start in range(0, 60, 16):  # the last batch has 12 samples
                x, y = plain.x[start : start + 16], plain.y[start : start + 16]
                error = sigmoid(plain.output(x)[1]) - y
                plain.step(0.5, plain.gradients(x, error / len(x)))
        plain.compare(result, replicate)


def test_a_network_of_unstandardised_data_predicts_in_their_units(tmp_path):
    words = ["dataset=checkerboard", "dataset.standardize=false", "training.epochs=2"]
    result = run([*QUIET, *words, f"hydra.run.dir={tmp_path / 'it'}"])
    x = np.random.default_rng(0).uniform(0, 4, (50, 2))
    w = {name: result.weights[name][1] for name in result.weights}
    z = np.tanh(x @ w["layer1.weight"] + w["layer1.bias"]) @ w["layer2.weight"] + w["layer2.bias"]
    np.testing.assert_allclose(result.predict_proba(x, replicate=1)[:, 1], sigmoid(z[:, 0]))
    for k in range(2):
        np.testing.assert_array_equal(result.data().train_x[k], result.config.split(k).train_x)


def test_full_batch_without_validation_or_test_data(tmp_path):
    words = ["dataset.test_fraction=0", "dataset.validation_fraction=0",
             "training.batch_size=null", "training.epochs=5", "plots=png"]  # fmt: skip
    result = run([*QUIET, *words, f"hydra.run.dir={tmp_path / 'it'}"])
    assert result.config.train_samples == 1000
    assert {"loss.png", "boundary.png"} <= set(result.pictures)


@pytest.mark.parametrize(
    "word, message",
    [
        ("dataset.standardize=1", "dataset.standardize must be true or false, got 1"),
        ("training.shuffle=no_way", "training.shuffle must be true or false, got 'no_way'"),
        ("initializer=uniform initializer.limit=0", "initializer.limit must be a finite .* > 0"),
        ("initializer.bias_mean=nan", "initializer.bias_mean must be a finite number"),
        ("initializer=zeros", "initializer=zeros is unknown; known: .*constant"),
    ],
)
def test_a_wrong_value_is_refused_by_name(word, message):
    with pytest.raises(ValueError, match=message):
        assert compose(word.split()).experiment
