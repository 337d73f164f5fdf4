"""Measurements inside a network: dead and saturated units, signal and gradient per layer.

One pass forward over a part of the data, in chunks of fixed size so that memory stays bounded and
a replicate's numbers do not depend on the replicates beside it, and one pass backward over the
first of them. All calls are bound to buffers made once, as those of a training step are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from activations.base import Activation, Array, Elementwise
from activations.tracing import Call, Scratch
from runner.network.fast_gradient import BoundLayers
from runner.network.kernels import (
    Kernel,
    forward_kernel,
    kernel,
    loss_kernel,
    losses_kernel,
    prediction_kernel,
)
from runner.network.losses import Loss, predictions
from runner.network.network import Network

CHUNK_SAMPLES = 1024
LAYER_SAMPLES = 256
"""Saturation and the root mean squares are taken over this many of the first samples: enough
for two digits, and a tenth of the time of all. Dead units are looked for in every sample."""

SATURATION_THRESHOLD = 0.05
"""A unit's output counts as saturated where |f'(z)| is below this: |tanh| > 0.975, sigmoid
outside (0.053, 0.947), the whole flat side of ReLU. ``flatness`` says what to call it."""

FAR_OUT = np.array([1e3, 2e3, 3e4])

LOWEST_ROOT = {
    np.dtype(dtype): float(np.sqrt(np.finfo(dtype).tiny) / np.finfo(dtype).eps)
    for dtype in (np.float32, np.float64)
}
"""Numbers whose squares keep their digits."""


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
        loss: (replicates,) mean loss in nats; an Examiner's with the penalty.
        accuracy: (replicates,) share of samples classified correctly.
        layers: one per hidden layer; empty where only the losses were asked for.
        gradient_rms: per linear layer, (replicates,): root mean square over samples and
            units of d(loss of a sample)/d(the layer's output).
    """

    loss: Array
    accuracy: Array
    layers: list[LayerMeasurement]
    gradient_rms: list[Array]


class Part(NamedTuple):
    """A part of the data of all replicates: x as ``with_ones`` makes it, labels (replicates,
    samples), targets (replicates, 1 or classes, samples)."""

    x: Array
    labels: Array
    targets: Array


class Forward(BoundLayers):
    """Outputs, losses and predictions for one number of samples."""

    def __init__(self, network: Network, loss: Loss, samples: int, scratch: Scratch) -> None:
        super().__init__(network, samples, scratch)
        self.outputs = [y[:, :-1] for y in self.y]
        self.logits = self.z[-1]
        self.losses = self.buffer(1)[:, 0]
        self.predicted = np.empty(self.losses.shape, np.min_scalar_type(network.classes))
        self.correct = np.empty(self.losses.shape, bool)
        self.calls: list[Call] = []
        for k, activation in enumerate(self.activations(), start=1):
            self.calls += [*activation, self.layer(k)]
        self.calls += prediction_kernel(self.logits, self.predicted)
        self.write_losses = losses_kernel(loss, self.logits, self.losses)

    def activations(self) -> list[list[Call]]:
        """Return for each hidden layer the calls that write y from z."""
        triples = zip(self.network.nonlinears, self.z, self.outputs, strict=False)
        return [forward_kernel(layer, z, [y], self.scratch) for layer, z, y in triples]

    def __call__(self, x: Array, labels: Array, targets: Array) -> None:
        self.first_layer(x)
        for call in self.calls:
            call()
        self.write_losses(targets)
        if not np.logical_and.reduce(np.isfinite(self.losses), axis=None):  # a logit may be NaN
            self.predicted[...] = predictions(self.logits.swapaxes(-1, -2))
        np.equal(self.predicted, labels, out=self.correct)


class ForwardAndBackward(Forward):
    """The same, and then dL/dz of each linear layer's output z, for the sum L of the losses.

    Between the two ``dz`` of an elementwise function's input is its slope f'(z).
    """

    def __init__(self, network: Network, loss: Loss, samples: int, scratch: Scratch) -> None:
        super().__init__(network, loss, samples, scratch)
        self.write_gradient = loss_kernel(loss, self.logits, self.dz[-1])

    def activations(self) -> list[list[Call]]:
        self.dz = [self.buffer(z.shape[1]) for z in self.z]
        self.backward_calls: list[Call] = []
        widest = self.buffer(max(self.network.hidden, default=0))
        forward: list[list[Call]] = []
        for k, layer in enumerate(self.network.nonlinears):
            z, y, dz = self.z[k], self.outputs[k], self.dz[k]
            dy = widest[:, : y.shape[1]]
            if isinstance(layer.activation, Elementwise):
                both_ways = Kernel(
                    forward_kernel(layer, z, [y, dz], self.scratch),
                    [partial(np.multiply, dy, dz, out=dz)],
                )
            else:
                both_ways = kernel(layer, z, y, dy, dz, self.scratch)
            forward.append(both_ways.forward)
            back = self.layer_backward(k + 1, self.dz[k + 1], dy)
            self.backward_calls[:0] = [back, *both_ways.backward]
        return forward

    def backward(self, targets: Array) -> None:
        self.write_gradient(targets)
        self.dz[-1] *= self.samples  # not of the mean loss
        for call in self.backward_calls:
            call()


class Evaluator:
    """Measures loss and accuracy of a network on some parts of the data."""

    def __init__(
        self, network: Network, loss: Loss, parts: dict[str, Part], scratch: Scratch
    ) -> None:
        self.network, self.scratch = network, scratch
        self.chunks: list[tuple[Forward, Part, dict[str, slice]]] = []
        self.samples = {name: part.labels.shape[1] for name, part in parts.items()}
        if parts:
            self.cut(_joined(list(parts.values())), loss)

    def cut(self, data: Part, loss: Loss, start: int = 0) -> None:
        """Divide what is after ``start`` into chunks of CHUNK_SAMPLES, and a last one."""
        made: dict[int, Forward] = {}
        for first in range(start, data.labels.shape[1], CHUNK_SAMPLES):
            chunk = Part(*(array[..., first : first + CHUNK_SAMPLES] for array in data))
            size = chunk.labels.shape[1]
            if size not in made:
                made[size] = Forward(self.network, loss, size, self.scratch)
            self.chunks.append((made[size], chunk, self.whose(first, first + size)))

    def whose(self, start: int, stop: int) -> dict[str, slice]:
        """Return which of the samples from start to stop belong to which part."""
        found, first = {}, 0
        for name, samples in self.samples.items():
            low, high = max(first, start), min(first + samples, stop)
            if low < high:
                found[name] = slice(low - start, high - start)
            first += samples
        return found

    def evaluate(
        self, visit: Callable[[Forward], None] = lambda forward: None
    ) -> dict[str, Measurement]:
        """Measure loss and accuracy of each part; ``visit`` is shown every chunk's outputs."""
        loss, correct = ({name: self.zeros() for name in self.samples} for _ in range(2))
        for forward, chunk, whose in self.chunks:
            forward(*chunk)
            for name, here in whose.items():
                loss[name] += np.add.reduce(forward.losses[:, here], axis=1, dtype=np.float64)
                correct[name] += np.add.reduce(forward.correct[:, here], axis=1, dtype=np.intp)
            visit(forward)
        return {
            name: Measurement(loss[name] / samples, correct[name] / samples, [], [])
            for name, samples in self.samples.items()
        }

    def zeros(self) -> Array:
        return np.zeros(self.network.replicates)


class Examiner(Evaluator):
    """Measures every layer, too; its first chunk are the LAYER_SAMPLES that go both ways.

    Its loss is what training lowers: the mean loss plus the penalty of ``l2``.
    """

    def __init__(
        self, network: Network, loss: Loss, part: Part, scratch: Scratch, l2: float = 0.0
    ) -> None:
        super().__init__(network, loss, {"train": part}, scratch)
        self.l2 = l2

    def evaluate(
        self, visit: Callable[[Forward], None] = lambda forward: None
    ) -> dict[str, Measurement]:
        found = super().evaluate(visit)
        if self.l2:
            found["train"].loss += self.network.penalty(self.l2)
        return found

    def cut(self, data: Part, loss: Loss, start: int = 0) -> None:
        few = Part(*(array[..., :LAYER_SAMPLES] for array in data))
        self.few_targets = few.targets
        self.few = ForwardAndBackward(self.network, loss, few.labels.shape[1], self.scratch)
        self.chunks.append((self.few, few, self.whose(0, self.few.samples)))
        super().cut(data, loss, LAYER_SAMPLES)

    def examine(self) -> Measurement:
        """Measure loss, accuracy and every layer."""
        few, network = self.few, self.network
        self.dead: list[Array] = []
        found = self.evaluate(self.look_for_dead_units)["train"]
        saturated = [
            _share(np.abs(slope) < SATURATION_THRESHOLD)
            if isinstance(layer.activation, Elementwise)
            else np.full(network.replicates, np.nan)
            for layer, slope in zip(network.nonlinears, few.dz, strict=False)
        ]
        few.backward(self.few_targets)
        rms = root_mean_squares([*few.outputs, *few.dz])
        found.layers = [
            LayerMeasurement(*layer) for layer in zip(self.dead, saturated, rms, strict=False)
        ]
        found.gradient_rms = list(rms[len(few.outputs) :])
        return found

    def look_for_dead_units(self, forward: Forward) -> None:
        first = [y[:, :, 0] for y in self.few.outputs]
        if forward is self.few:
            self.dead = [
                _all_equal(y[:, :, :32], value)
                for y, value in zip(forward.outputs, first, strict=True)
            ]
        for dead, y, value in zip(self.dead, forward.outputs, first, strict=True):
            if dead.any():  # few units, if any, after 32 samples
                dead[dead] = _all_equal(y[dead], value[dead])


def _joined(parts: list[Part]) -> Part:
    """Return the samples of all parts, one part after another."""
    if len(parts) == 1:
        return parts[0]
    return Part(*(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)))


def update_ratios(network: Network, before: Array) -> Array:
    """Return |w - w before| / |w before| per linear layer, (layers, replicates); NaN for w = 0.

    ``before`` is ``network.theta`` before the step.
    """
    places = [place for name, place in network.places.items() if name.endswith(".weight")]
    change = network.theta - before
    rms = root_mean_squares([array[:, place] for array in (change, before) for place in places])
    changes, sizes = rms[: len(places)], rms[len(places) :]
    return changes / np.where(sizes > 0, sizes, np.nan)


def root_mean_squares(stacks: list[Array]) -> Array:
    """Return sqrt(mean a^2) of every stack's replicates, (stacks, replicates) float64, for finite a
    of any size.

    Squares of float32 overflow above 1.8e19 and lose digits below 1e-19, where exploding and
    vanishing signals begin: those are halved or doubled until the largest is near 1.
    """
    rows = [stack.reshape(len(stack), -1) for stack in stacks]
    sizes = np.array([[array.shape[1]] for array in rows])
    found = np.sqrt(np.array([_squares(array) for array in rows], np.float64) / sizes)
    ordinary = (found > LOWEST_ROOT[rows[0].dtype]) & (found < np.inf)
    for index in np.flatnonzero(~ordinary.all(axis=1)):
        extreme = ~ordinary[index]
        few = rows[index][extreme]
        _, exponent = np.frexp(np.abs(few).max(axis=1))
        near_one = np.ldexp(few, -exponent[:, None])
        rms = np.sqrt(_squares(near_one).astype(np.float64) / few.shape[1])
        found[index, extreme] = np.ldexp(rms, exponent)
    return found


def _squares(rows: Array) -> Array:
    return np.vecdot(rows, rows)


def _all_equal(y: Array, value: Array) -> Array:
    """Return where all y (..., samples) equal value (...)."""
    return np.logical_and.reduce(y == value[..., None], axis=-1)


def _share(mask: Array) -> Array:
    """Return how many of each replicate's entries are true, as a share."""
    return np.array([np.count_nonzero(rows) for rows in mask]) / mask[0].size
