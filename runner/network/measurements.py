"""What goes on inside a network: dead and saturated units, signal and gradient per layer.

One pass forward over a data set, in chunks of fixed size so that memory stays bounded and a
replicate's numbers do not depend on the replicates beside it, and one backward over some.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from activations.base import Activation, Array, Elementwise
from runner.network.losses import Loss, predictions
from runner.network.network import Linear, Network

CHUNK_SAMPLES = 4096
LAYER_SAMPLES = 256
"""Saturation and the root mean squares are taken over this many of the first samples: enough
for two digits, and a tenth of the time of all. Dead units are looked for in every sample."""

SATURATION_THRESHOLD = 0.05
"""A unit's output counts as saturated where |f'(z)| is below this: |tanh| > 0.975, sigmoid
outside (0.053, 0.947), the whole flat side of ReLU. ``flatness`` says what to call it."""

FAR_OUT = np.array([1e3, 2e3, 3e4])


def flatness(activation: Activation) -> str:
    """Return what an output with |f'| < SATURATION_THRESHOLD is.

    "saturated" if f is flat far out on both sides, as tanh is; "off" if on one, as ReLU is,
    where half of all outputs is healthy; "on a flat part" if on none, as hardshrink's.
    """
    if not isinstance(activation, Elementwise):
        return "saturated"  # not measured
    with np.errstate(all="ignore"):
        sides = (np.abs(activation.gradient(x)) for x in (-FAR_OUT, FAR_OUT))
        flat = sum(bool((side < SATURATION_THRESHOLD).all()) for side in sides)
    return ("on a flat part", "off", "saturated")[flat]


@dataclass
class LayerMeasurement:
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
class Measurement:
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
    layers: list[LayerMeasurement]
    gradient_rms: list[Array]


def evaluate(network: Network, x: Array, labels: Array, targets: Array, loss: Loss) -> Measurement:
    """Measure loss and accuracy only."""
    total, correct = np.zeros((2, network.replicates))
    for chunk in _chunks(x.shape[1]):
        logits = network.logits(x[:, chunk])
        total += _row_sum(loss.losses(logits, targets[:, chunk]))
        correct += (predictions(logits) == labels[:, chunk]).sum(axis=1)
    samples = x.shape[1]
    return Measurement(total / samples, correct / samples, [], [])


def examine(network: Network, x: Array, labels: Array, targets: Array, loss: Loss) -> Measurement:
    """Measure loss, accuracy and every layer."""
    total, correct = np.zeros((2, network.replicates))
    dead: list[Array] = []
    first: list[Array] = []
    few: list[Array] = []
    for chunk in _chunks(x.shape[1]):
        tape = network.forward(x[:, chunk])
        total += _row_sum(loss.losses(tape[-1], targets[:, chunk]))
        correct += (predictions(tape[-1]) == labels[:, chunk]).sum(axis=1)
        outputs = tape[2:-1:2]
        if chunk.start == 0:
            first = [y[:, :1] for y in outputs]
            dead = [(y[:, :32] == y[:, :1]).all(axis=1) for y in outputs]
            few = [array[:, :LAYER_SAMPLES] for array in tape]
        for constant, y, value in zip(dead, outputs, first, strict=True):
            units = np.flatnonzero(constant.any(axis=0))  # few, if any, after 32 samples
            if units.size:
                constant[:, units] &= (y[:, :, units] == value[:, :, units]).all(axis=1)
    layers: list[LayerMeasurement] = []
    gradient_rms: list[Array] = []
    grad = loss.gradient(few[-1], targets[:, :LAYER_SAMPLES]) * few[-1].shape[1]
    for visit in network.backpropagate(few, grad):
        if isinstance(visit.layer, Linear):
            gradient_rms.insert(0, root_mean_square(visit.grad))
            continue
        saturated = np.full(network.replicates, np.nan)
        if visit.slope is not None:
            saturated = _row_mean(np.abs(visit.slope) < SATURATION_THRESHOLD)
        layers.insert(0, LayerMeasurement(dead.pop(), saturated, root_mean_square(visit.y)))
    samples = x.shape[1]
    return Measurement(total / samples, correct / samples, layers, gradient_rms)


def update_ratios(network: Network, before: Array) -> list[Array]:
    """Return |w - w before| / |w before| per linear layer, (replicates,) each; NaN for w = 0.

    ``before`` is ``network.theta`` before the step.
    """
    ratios = []
    for name, old in network.views(before).items():
        if name.endswith(".weight"):
            size = root_mean_square(old)
            change = root_mean_square(network.parameters[name] - old)
            ratios.append(change / np.where(size > 0, size, np.nan))
    return ratios


def root_mean_square(stack: Array) -> Array:
    """Return sqrt(mean a^2) of each replicate, (replicates,) float64, for finite a of any size.

    Squares of float32 overflow above 1.8e19 and lose digits below 1e-19, where exploding and
    vanishing signals begin: those are halved or doubled until the largest is near 1.
    """
    found = np.sqrt(_row_mean(np.square(stack)))
    limits = np.finfo(stack.dtype)
    lowest = np.sqrt(limits.tiny) / limits.eps
    extreme = np.flatnonzero(~((found > lowest) & (found < np.inf)))
    if extreme.size:
        rows = stack[extreme].reshape(extreme.size, -1)
        _, exponent = np.frexp(np.abs(rows).max(axis=1))
        near_one = np.ldexp(rows, -exponent[:, None])
        found[extreme] = np.ldexp(np.sqrt(_row_mean(np.square(near_one))), exponent)
    return found


def _chunks(samples: int) -> list[slice]:
    return [
        slice(start, min(start + CHUNK_SAMPLES, samples))
        for start in range(0, samples, CHUNK_SAMPLES)
    ]


def _row_sum(array: Array) -> Array:
    """Sum over all axes but the first, in float64."""
    return array.reshape(len(array), -1).sum(axis=1, dtype=np.float64)


def _row_mean(array: Array) -> Array:
    """Average over all axes but the first, in float64."""
    return array.reshape(len(array), -1).mean(axis=1, dtype=np.float64)
