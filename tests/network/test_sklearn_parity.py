"""Whole training, to the last bits, against scikit-learn's MLP.

Same initial weights, full batch, plain SGD, 100 steps, float64. scikit-learn's loss is the
mean log-loss plus alpha/2 sum w^2 / n, so its alpha is our weight_decay times n.
"""

import warnings

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

import activations
from runner.network.fast_gradient import BatchGradient, feature_major, with_ones
from runner.network.losses import CrossEntropy, encode
from runner.network.network import Network
from runner.network.optimizers import SGD

SAMPLES, ALPHA, RATE, STEPS = 200, 0.01, 0.1, 100


class Identity(activations.Elementwise):
    def forward(self, x):
        return x + 0

    def derivative(self, x, y):
        return np.ones_like(x)


PAIRS = {
    "identity": Identity(),
    "logistic": activations.Sigmoid(),
    "tanh": activations.TanH(),
    "relu": activations.ReLU(derivative_at_zero=0),
}


@pytest.mark.parametrize("theirs, ours", PAIRS.items(), ids=PAIRS)
def test_training_agrees_with_scikit_learn(theirs, ours):
    x, labels = make_moons(SAMPLES, noise=0.2, random_state=0)
    common = dict(
        hidden_layer_sizes=(8, 5),
        activation=theirs,
        alpha=ALPHA,
        batch_size=SAMPLES,
        solver="sgd",
        learning_rate_init=RATE,
        momentum=0,
        nesterovs_momentum=False,
        shuffle=False,
        random_state=0,
        tol=0,
        n_iter_no_change=STEPS + 1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        reference = MLPClassifier(max_iter=STEPS, **common).fit(x, labels)
    network = Network(2, (8, 5), 2, ours, 1, np.float64)
    _load(network, *_initial_weights(common, x, labels))

    optimizer = SGD(RATE, weight_decay=ALPHA / SAMPLES)
    optimizer.bind(network.theta, network.is_weight())
    loss, targets = CrossEntropy(), encode(labels[None], 2, np.float64)
    step = BatchGradient(network, loss, SAMPLES)
    curve = []
    for _ in range(STEPS):
        penalty = sum(np.sum(linear.weight**2) for linear in network.linears)
        data = loss.losses(network.logits(x[None]), targets).mean()
        curve.append(data + ALPHA / 2 * penalty / SAMPLES)
        step(with_ones(x[None]), feature_major(targets))
        optimizer.step(network.gradient)

    np.testing.assert_allclose(curve, reference.loss_curve_, atol=1e-12, rtol=0)
    for linear, w, b in zip(network.linears, reference.coefs_, reference.intercepts_, strict=True):
        np.testing.assert_allclose(linear.weight[0], w, atol=1e-12, rtol=0)
        np.testing.assert_allclose(linear.bias[0, 0], b, atol=1e-12, rtol=0)


def _initial_weights(common, x, labels):
    """One step at a vanishing rate leaves the initial weights as they were drawn."""
    still = {**common, "learning_rate_init": 1e-300, "max_iter": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPClassifier(**still).fit(x, labels)
    return model.coefs_, model.intercepts_


def _load(network, weights, biases):
    for linear, w, b in zip(network.linears, weights, biases, strict=True):
        linear.weight[0] = w
        linear.bias[0, 0] = b
