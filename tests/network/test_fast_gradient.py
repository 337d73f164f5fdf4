"""What trains fills the gradient that the mathematics says.

``Network.loss_gradient`` is the chain rule over a plain tape; ``BatchGradient`` is the same over
buffers of its own. test_gradients.py holds ``BatchGradient`` to finite differences.
"""

from itertools import product

import numpy as np
import pytest

import activations
from runner.network.fast_gradient import BatchGradient, feature_major, with_ones
from runner.network.initializers import Auto
from runner.network.losses import LOSSES, encode
from runner.network.network import Network

BATCH, LAST_BATCH = 16, 5
ROUNDINGS = 5000
"""Largest error of a parameter array in eps of its largest entry. 720 occurs, where the terms of a
mean over the batch cancel."""

CHOICES = [[(), (6,), (6, 4, 8)], [2, 3], sorted(LOSSES), [1, 3], [np.float32, np.float64]]
# Half of all combinations (a half-fraction design): as the sum of the places is even, every
# combination of any four of the five choices occurs.
HALF = [
    [values[k] for values, k in zip(CHOICES, places, strict=True)]
    for places in product(*(range(len(values)) for values in CHOICES))
    if sum(places) % 2 == 0
]


@pytest.mark.parametrize("name", activations.names())
def test_it_fills_the_gradient_of_the_plain_tape(name):
    """In every parameter array, for both sizes of batch."""
    activation = activations.get(name)
    rng = np.random.default_rng(5)
    for hidden, classes, loss_name, replicates, dtype in HALF:
        network = Network(3, hidden, classes, activation, replicates, dtype)
        streams = [np.random.default_rng([seed, 1]) for seed in range(replicates)]
        network.initialize(Auto(bias_std=0.1), streams)
        loss = LOSSES[loss_name]()
        if loss.two_classes_only and classes > 2:
            continue
        for batch in (BATCH, LAST_BATCH):
            x = 0.3 * rng.standard_normal((replicates, batch, 3)).astype(dtype)
            targets = encode(rng.integers(0, classes, (replicates, batch)), classes, dtype)
            l2 = 0.3 if len(hidden) == 1 else 0.0
            fill_gradient = BatchGradient(network, loss, batch, l2)
            with np.errstate(all="ignore"):
                network.set_generators([np.random.default_rng(k) for k in range(replicates)])
                network.loss_gradient(x, targets, loss, l2)
                expected = {key: array.copy() for key, array in network.gradients.items()}
                network.gradient[...] = np.nan
                network.set_generators([np.random.default_rng(k) for k in range(replicates)])
                fill_gradient(with_ones(x), feature_major(targets))
            for key, array in network.gradients.items():
                bound = ROUNDINGS * np.finfo(dtype).eps * np.abs(expected[key]).max()
                case = (key, hidden, classes, loss_name, batch)
                assert np.abs(array - expected[key]).max() <= bound, case


@pytest.mark.parametrize("dtype, scale", [(np.float32, 0.05), (np.float64, 1e-10)])
@pytest.mark.parametrize("name", ["tanh", "prelu"])
def test_a_gradient_whose_square_would_be_subnormal_is_flushed(name, dtype, scale):
    """In 24 layers a gradient of 1 shrinks to about 1e-30, or 1e-240: to 0 in both ways."""
    network = Network(2, (4,) * 24, 3, activations.get(name), 2, dtype)
    network.initialize(Auto(), [np.random.default_rng(k) for k in range(2)])
    for linear in network.linears[1:]:
        linear.weight *= scale
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, BATCH, 2)).astype(dtype)
    targets = encode(rng.integers(0, 3, (2, BATCH)), 3, dtype)
    loss = LOSSES["cross_entropy"]()
    for fill_gradient in (
        lambda: network.loss_gradient(x, targets, loss),
        lambda: BatchGradient(network, loss, BATCH)(with_ones(x), feature_major(targets)),
    ):
        network.gradient[...] = np.nan
        fill_gradient()
        assert network.linears[-1].bias_gradient.any()
        assert not network.linears[0].bias_gradient.any()


def test_a_class_that_is_out_of_the_question_has_no_gradient():
    """Logits -70, 0 and 70: class 0 is right, class 1 has a probability of e^-70."""
    network = Network(2, (), 3, activations.get("relu"), 1, np.float32)
    network.linears[0].bias[...] = -70, 0, 70
    x = np.zeros((1, 1, 2), np.float32)
    targets = encode(np.array([[0]]), 3, np.float32)
    BatchGradient(network, LOSSES["cross_entropy"](), 1)(with_ones(x), feature_major(targets))
    assert network.linears[0].bias_gradient.ravel().tolist() == [-1, 0, 1]
