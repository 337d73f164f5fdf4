"""Runs of which it was written down what ails them before they were diagnosed.

The labels come from what is known beforehand: SGD at a learning rate of 10 kills ReLU units, four
layers of sigmoid leave little gradient, 60 samples of overlapping classes are overfitted by 64
units a layer. "healthy" is an ordinary network on data that it can learn.
"""

import numpy as np
import pytest

from runner.config.compose import compose
from runner.results.diagnosis import diagnose
from runner.training.train import train

BASE = "plots=none replicates=2 dataset.samples=300 training.epochs=60".split()

LABELLED = {
    "healthy": [
        "tanh moons",
        "gelu moons 16x4",
        "elu blobs",
        "selu moons 16x6",
        "softsign circles",
        "relu blobs 32x2 dataset.classes=5",
        "tanh xor 8x3",
        "softplus blobs",
        "hardtanh moons",
        "identity linearly_separable",
        "relu moons optimizer=sgd optimizer.momentum=0.9",
        "relu moons dataset.noise=0.4 dataset.samples=600 training.epochs=20",
        "tanh circles 16x8",
        "sigmoid circles 16x40 optimizer.learning_rate=0.001",
        "prelu blobs dataset.classes=4",
        "softmax blobs",
        "relu gaussian_quantiles dataset.samples=600 optimizer=rmsprop",
        "relu6 spirals 32x2 dataset.samples=600",
        "gelu blobs dataset.features=10 dataset.classes=5",
        "relu moons 32x2 training.loss=squared_error",
        "relu circles training.batch_size=null training.epochs=200",
        "relu rings 32x3 dataset.samples=600 optimizer.learning_rate=0.003 training.epochs=80",
        "abs xor",
        "relu linearly_separable dataset.features=20 dataset.margin=1 optimizer=adamw",
    ],
    "dead": [
        "relu circles optimizer=sgd optimizer.learning_rate=10",
        "relu moons 2x10 initializer=he_normal",
        'formula circles activation.expression="max(x-6,0)" initializer=he_normal',
        "relu moons 4x20 initializer=he_normal",
        "threshold spirals activation.threshold=8 activation.value=0 initializer=he_normal",
    ],
    "vanishing": [
        "sigmoid circles 16x4 initializer=glorot_normal optimizer=sgd",
        "sigmoid circles 16x10 initializer=glorot_normal",
        "tanh xor 16x6 initializer=normal optimizer=sgd",
        "sigmoid checkerboard 16x8 initializer=he_normal",
        "normal_cdf spirals 16x5 initializer=glorot_normal optimizer=sgd",
        "sigmoid moons 16x4 initializer=glorot_uniform optimizer=sgd optimizer.learning_rate=0.03",
        "hardsigmoid xor 16x6 initializer=glorot_normal optimizer=sgd",
        "sigmoid spirals 32x5 initializer=glorot_normal optimizer=sgd optimizer.momentum=0.9",
        "elu xor 8x8 initializer=normal initializer.std=0.05",
    ],
    "vanished": [
        "sigmoid spirals 16x40",
    ],
    "diverged or exploding": [
        "relu circles initializer=he_normal initializer.gain=30",
        "relu spirals 16x6 initializer=he_normal initializer.gain=10",
        "gelu xor 16x8 initializer.gain=5",
        "leaky_relu circles 16x10 initializer=he_normal initializer.gain=3",
        "silu spirals 16x3 initializer=he_normal initializer.gain=30",
        "identity blobs 16x4 initializer=lecun_normal initializer.gain=10",
        "prelu rings 32x4 initializer=he_normal initializer.gain=8",
    ],
    "exploding or saturated": [
        "tanh circles 16x6 initializer=lecun_normal initializer.gain=30",
    ],
    "saturated": [
        "sigmoid spirals initializer=normal initializer.std=100",
        "tanh spirals optimizer.learning_rate=10",
        "sigmoid circles optimizer.learning_rate=30",
        "erf rings initializer=normal initializer.std=200",
    ],
    "diverged": [
        "square moons 16x4 optimizer=sgd optimizer.learning_rate=10",
        "identity blobs 16x4 optimizer=sgd optimizer.learning_rate=1000",
        "square xor 16x2 optimizer=sgd optimizer.momentum=0.9 optimizer.learning_rate=100",
        "relu_squared circles 16x4 optimizer=sgd optimizer.learning_rate=100",
    ],
    "not_learned": [
        "relu rings dataset.classes=10 optimizer.learning_rate=1e-6",
        "tanh rings dataset.classes=10 dataset.samples=600 training.epochs=10 "
        "optimizer=sgd optimizer.learning_rate=0.01",
        "tanh spirals dataset.arms=10 dataset.samples=600 "
        "optimizer=sgd optimizer.learning_rate=1e-4",
        "gelu blobs dataset.classes=10 dataset.noise=0.5 dataset.samples=600 initializer=normal "
        "optimizer=sgd optimizer.learning_rate=1e-9",
    ],
    "underfitting": [
        "identity moons dataset.noise=0.05",
        "tanh circles 1x1",
        "tanh spirals 2x1",
        "tanh xor 1x1",
    ],
    "not_learned or underfitting": [
        "tanh circles 0x0",
        "relu rings 0x0 dataset.classes=2",
        "relu two_spirals 4x1 dataset.samples=400",
    ],
    "overconfident or overfitting": [
        "relu blobs 64x2 dataset.noise=4 dataset.samples=100 training.epochs=150",
        "gelu gaussian_quantiles 64x2 dataset.noise=0.6 dataset.samples=100 training.epochs=150",
        "elu checkerboard 64x2 dataset.noise=0.5 dataset.samples=120 training.epochs=150",
        "leaky_relu blobs 64x2 dataset.noise=4 dataset.samples=120 training.epochs=150",
        "relu moons 64x2 dataset.noise=0.5 dataset.samples=80 training.epochs=150",
    ],
}
"""By the codes of which the gravest finding must have one: activation, data set, width x number of
layers (16x2 if not said), other overrides."""


def gravest(line):
    """Return the code of the first finding that is shown, "healthy" without one."""
    activation, dataset, *rest = line.split()
    words = {word.partition("=")[0]: word for word in BASE}
    words |= {"activation": f"activation={activation}", "dataset": f"dataset={dataset}"}
    for word in rest:
        key, equals, _ = word.partition("=")
        if not equals:
            width, layers = map(int, key.split("x"))
            key, word = "model", f"model.hidden={[width] * layers}".replace(" ", "")
        words[key] = word
    experiment = compose(list(words.values())).experiment
    with np.errstate(all="ignore"):
        findings = diagnose(experiment, train(experiment))
    return next((finding["code"] for finding in findings if finding["shown"]), "healthy")


@pytest.mark.slow
def test_nine_of_ten_labelled_runs_are_diagnosed_right_and_no_healthy_one_is_called_ill():
    wrong = {
        line: (label, found)
        for label, lines in LABELLED.items()
        for line in lines
        if (found := gravest(line)) not in label.split(" or ")
    }
    assert len(wrong) <= 0.1 * sum(map(len, LABELLED.values())), wrong
    assert not [line for line, (label, _) in wrong.items() if label == "healthy"]
