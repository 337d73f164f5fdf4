"""What a setting means, by training that is written out here."""

import numpy as np
import pytest

from runner import run
from runner.config.compose import compose
from runner.plots import figures

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


@pytest.mark.parametrize("part", ["penalty", "tanh"])
def test_the_penalty_and_the_tanh_output_train_as_their_formulas_say(part, tmp_path):
    """The penalty is in train_loss, in no other loss, and in a column of its own."""
    words = ["dataset.samples=100", "training.epochs=20", "training.batch_size=null",
             "optimizer.learning_rate=0.5"]  # fmt: skip
    words += ["training.l2=0.1"] if part == "penalty" else ["training.loss=tanh_squared_error"]
    result = run([*QUIET, *words, f"hydra.run.dir={tmp_path / 'it'}"])
    plain = Plain(result, 1)
    data = result.config.split(result.config.seeds[1])

    def losses(x, y):
        z = plain.output(x)[1]
        if part == "tanh":
            return ((np.tanh(z) - (2 * y - 1)) ** 2 / 2).mean()
        return -np.log(np.where(y == 1, sigmoid(z), sigmoid(-z))).mean()

    def penalty():
        return 0.05 * sum((w**2).sum() for w in plain.parameters[::2]) * (part == "penalty")

    for epoch in range(21):
        found = {name: rows[1, epoch] for name, rows in result.history.items()}
        assert found["train_loss"] == pytest.approx(losses(plain.x, plain.y) + penalty(), rel=1e-8)
        assert found["test_loss"] == pytest.approx(losses(data.test_x, data.test_labels), rel=1e-8)
        if part == "penalty":
            assert found["penalty"] == pytest.approx(penalty(), rel=1e-8)
        z = plain.output(plain.x)[1]
        slope = sigmoid(z) - plain.y
        if part == "tanh":
            slope = (np.tanh(z) - (2 * plain.y - 1)) * (1 - np.tanh(z) ** 2)
        gradients = plain.gradients(plain.x, slope / len(z))
        if part == "penalty":
            gradients[0] += 0.1 * plain.parameters[0]
            gradients[2] += 0.1 * plain.parameters[2]
        if epoch < 20:
            plain.step(0.5, gradients)
    plain.compare(result, 1)
    assert ("penalty" in result.history) is (part == "penalty")


def test_probabilities_of_a_tanh_output_are_half_of_one_plus_tanh(tmp_path):
    words = ["training.loss=tanh_squared_error", "training.epochs=2", "dataset.samples=100"]
    result = run([*QUIET, *words, f"hydra.run.dir={tmp_path / 'it'}"])
    plain = Plain(result, 0)
    plain.parameters = [result.weights[f"layer{k}.{part}"][0] for k in (1, 2)
                        for part in ("weight", "bias")]  # fmt: skip
    data = result.data()
    x = data.test_x[0]
    z = plain.output((x - data.mean[0]) / data.scale[0])[1]
    found = result.predict_proba(x, replicate=0)
    np.testing.assert_allclose(found[:, 1], (1 + np.tanh(z)) / 2)
    np.testing.assert_array_equal(result.predict(x, replicate=0), np.tanh(z) > 0)


def test_a_network_of_unstandardised_data_predicts_in_their_units(tmp_path):
    words = ["dataset=checkerboard", "dataset.standardize=false", "training.epochs=2"]
    result = run([*QUIET, *words, f"hydra.run.dir={tmp_path / 'it'}"])
    x = np.random.default_rng(0).uniform(0, 4, (50, 2))
    w = {name: result.weights[name][1] for name in result.weights}
    z = np.tanh(x @ w["layer1.weight"] + w["layer1.bias"]) @ w["layer2.weight"] + w["layer2.bias"]
    np.testing.assert_allclose(result.predict_proba(x, replicate=1)[:, 1], sigmoid(z[:, 0]))
    for k in range(2):
        np.testing.assert_array_equal(result.data().train_x[k], result.config.split(k).train_x)


@pytest.mark.parametrize(
    "words, weight, bias, output",
    [
        ("initializer.value=0.6 initializer.bias_mean=0.9", -1.283132, -0.983132, 0.093956),
        ("", -0.684293, -0.684293, 0.202848),
    ],
)
def test_one_neuron_on_one_sample_learns_as_in_nielsens_chapter_3(
    words, weight, bias, output, tmp_path
):
    words = ["experiment=nielsen_slowdown", "plots=none", *words.split()]
    result = run([*words, f"hydra.run.dir={tmp_path / 'it'}"])
    assert result.weights["layer1.weight"].item() == pytest.approx(weight, abs=1e-6)
    assert result.weights["layer1.bias"].item() == pytest.approx(bias, abs=1e-6)
    assert np.sqrt(2 * result.history["train_loss"][0, -1]) == pytest.approx(output, abs=1e-6)


def test_the_linear_classifier_of_cs231n_ends_in_its_band(tmp_path):
    """1.098744 at the start and 0.786302 after 190 steps there; 0.721 to 0.786 over 200 seeds."""
    words = ["experiment=cs231n_spiral", "model.hidden=[]", "training.epochs=190", "plots=none",
             "training.record_every=190", "replicates=3"]  # fmt: skip
    losses = run([*words, f"hydra.run.dir={tmp_path / 'it'}"]).history["train_loss"]
    np.testing.assert_allclose(losses[:, 0], 1.0985, atol=0.005)
    assert ((losses[:, -1] > 0.70) & (losses[:, -1] < 0.80)).all()


def test_full_batch_without_validation_or_test_data(tmp_path):
    words = ["dataset.test_fraction=0", "dataset.validation_fraction=0",
             "training.batch_size=null", "training.epochs=5"]  # fmt: skip
    result = run([*QUIET, *words, f"hydra.run.dir={tmp_path / 'it'}"])
    assert result.config.train_samples == 1000
    assert set(figures(result, ["loss", "boundary"])) == {"loss", "boundary"}


@pytest.mark.parametrize(
    "word, message",
    [
        ("dataset.standardize=1", "dataset.standardize must be true or false, got 1"),
        ("training.shuffle=no_way", "training.shuffle must be true or false, got 'no_way'"),
        ("initializer=uniform initializer.limit=0", "initializer.limit must be a number > 0"),
        ("initializer.bias_mean=nan", "initializer.bias_mean must be a number from .*, got nan"),
        ("training.l2=-1", "training.l2 must be a number from 0 to .*, got -1"),
        (
            "training.loss=tanh_squared_error dataset=spirals",
            "training.loss=tanh_squared_error is for two classes, dataset spirals has 3; "
            "use cross_entropy or squared_error",
        ),
        ("optimizer.weight_decay=0.1", "optimizer.weight_decay is unknown"),
        ("initializer=zeros", "initializer=zeros is unknown; known: .*constant"),
    ],
)
def test_a_wrong_value_is_refused_by_name(word, message):
    with pytest.raises(ValueError, match=message):
        assert compose(word.split()).experiment
