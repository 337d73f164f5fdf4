"""What goes on inside a network: dead and saturated units, signal and gradient per layer.

One pass forward and one backward over a data set, in chunks of fixed size so that memory
stays bounded and a replicate's numbers do not depend on the replicates beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from activations.base import Array, Elementwise
from runner.losses import predictions
from runner.model import Loss, Network

CHUNK_SAMPLES = 4096
SATURATION_THRESHOLD = 0.05
"""A unit's output counts as saturated where |f'(z)| is below this: |tanh| > 0.975, sigmoid
outside (0.053, 0.947), the whole flat side of ReLU."""


@dataclass
class Layer:
    """One hidden layer over a data set; every array has a leading replicate axis.

    Attributes:
        dead: (replicates, units), True where the output is the same for every sample.
        saturated: (replicates,) share of outputs with |f'| < SATURATION_THRESHOLD; NaN for
            functions that are not elementwise.
        activation_rms: (replicates,) root mean square of the outputs.
    """

    dead: Array
    saturated: Array
    activation_rms: Array


@dataclass
class Report:
    """A network measured on a data set.

    Attributes:
        loss: (replicates,) mean loss in nats.
        accuracy: (replicates,) share of samples classified correctly.
        layers: one per hidden layer; empty where only the losses were asked for.
        gradient_rms: per linear layer, (replicates,): root mean square over samples and
            units of d(loss of a sample)/d(the layer's output).
    """

    loss: Array
    accuracy: Array
    layers: list[Layer]
    gradient_rms: list[Array]


def evaluate(network: Network, x: Array, labels: Array, targets: Array, loss: Loss) -> Report:
    """Measure loss and accuracy only."""
    total, correct = np.zeros((2, network.replicates))
    for chunk in _chunks(x.shape[1]):
        logits = network.logits(x[:, chunk])
        total += _row_sum(loss.losses(logits, targets[:, chunk]))
        correct += (predictions(logits) == labels[:, chunk]).sum(axis=1)
    samples = x.shape[1]
    return Report(total / samples, correct / samples, [], [])


def examine(network: Network, x: Array, labels: Array, targets: Array, loss: Loss) -> Report:
    """Measure loss, accuracy and every layer."""
    replicates, samples = x.shape[:2]
    hidden = len(network.hidden)
    total, correct = np.zeros((2, replicates))
    squares, flat = np.zeros((2, hidden, replicates))
    gradient_squares = np.zeros((hidden + 1, replicates))
    lowest: list[Array] = []
    highest: list[Array] = []
    for chunk in _chunks(samples):
        tape = network.forward(x[:, chunk])
        logits = tape[-1]
        total += _row_sum(loss.losses(logits, targets[:, chunk]))
        correct += (predictions(logits) == labels[:, chunk]).sum(axis=1)
        for index, y in enumerate(tape[2:-1:2]):
            low, high = y.min(axis=1), y.max(axis=1)
            if chunk.start == 0:
                lowest.append(low)
                highest.append(high)
            else:
                np.minimum(lowest[index], low, out=lowest[index])
                np.maximum(highest[index], high, out=highest[index])
            squares[index] += _row_sum(np.square(y))
            activation = network.activations[index]
            if isinstance(activation, Elementwise):
                slope = np.abs(activation.derivative(tape[2 * index + 1], y))
                flat[index] += _row_sum(slope < SATURATION_THRESHOLD)
        grad = loss.gradient(logits, targets[:, chunk]) * logits.shape[1]
        for index, layer in enumerate(network.preactivation_gradients(tape, grad)):
            gradient_squares[index] += _row_sum(np.square(layer))
    layers = []
    for index, activation in enumerate(network.activations):
        outputs = samples * network.hidden[index]
        elementwise = isinstance(activation, Elementwise)
        layers.append(
            Layer(
                dead=lowest[index] == highest[index],
                saturated=flat[index] / outputs if elementwise else np.full(replicates, np.nan),
                activation_rms=np.sqrt(squares[index] / outputs),
            )
        )
    gradient_rms = [
        np.sqrt(gradient_squares[index] / (samples * linear.weight.shape[-1]))
        for index, linear in enumerate(network.linears)
    ]
    return Report(total / samples, correct / samples, layers, gradient_rms)


def update_ratios(network: Network, before: Array) -> list[Array]:
    """Return |w - w before| / |w before| per linear layer, (replicates,) each; NaN for w = 0.

    ``before`` is ``network.theta`` before the step.
    """
    ratios = []
    for weights in network.layer_slices():
        change = np.square(network.theta[:, weights] - before[:, weights])
        size = _row_sum(np.square(before[:, weights]))
        ratios.append(np.sqrt(_row_sum(change) / np.where(size > 0, size, np.nan)))
    return ratios


def _chunks(samples: int) -> list[slice]:
    return [
        slice(start, min(start + CHUNK_SAMPLES, samples))
        for start in range(0, samples, CHUNK_SAMPLES)
    ]


def _row_sum(array: Array) -> Array:
    """Sum over all axes but the first, in float64."""
    return array.reshape(len(array), -1).sum(axis=1, dtype=np.float64)
