"""Measurements inside a network: dead and saturated units, signal and gradient per layer.

There is one forward pass over a part of the data and one backward pass over its first samples. The
forward pass runs in chunks of fixed size: memory stays bounded, and the numbers of a replicate do
not depend on the other replicates. As in a training step, all calls use preallocated buffers.
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
from runner.network.kernels import Kernel, forward_kernel, kernel
from runner.network.loss_kernels import loss_kernel, losses_kernel, prediction_kernel
from runner.network.losses import Loss, predictions
from runner.network.network import Network

CHUNK_SAMPLES = 1024
LAYER_SAMPLES = 256
"""Number of samples, from the first, for saturation and root mean squares. It gives two digits and
takes a tenth of the time of all samples. The check for dead units uses every sample."""

SATURATION_THRESHOLD = 0.05
"""A unit's output counts as saturated if |f'(z)| is below this: |tanh| > 0.975, sigmoid outside
(0.053, 0.947), the whole flat side of ReLU. ``flatness`` returns the word for it."""

FAR_OUT = np.array([1e3, 2e3, 3e4])

LOWEST_ROOT = {
    np.dtype(dtype): float(np.sqrt(np.finfo(dtype).tiny) / np.finfo(dtype).eps)
    for dtype in (np.float32, np.float64)
}
"""Root mean squares above this are accurate: the squares are not subnormal."""


def flatness(activation: Activation) -> str:
    """Return the word for an output with |f'| < SATURATION_THRESHOLD.

    "saturated" if f is flat for large |z| on both sides, like tanh; "off" if on one side, like
    ReLU, where half of all outputs off is normal; "on a flat part" if on neither, like hardshrink.
    """
    if not isinstance(activation, Elementwise):
        return "saturated"  # not measured
    with np.errstate(all="ignore"):
        sides = (np.abs(activation.gradient(x)) for x in (-FAR_OUT, FAR_OUT))
        flat = sum(bool((side < SATURATION_THRESHOLD).all()) for side in sides)
    return ("on a flat part", "off", "saturated")[flat]


@dataclass
class LayerMeasurement:
    """Measurements of one hidden layer on a data set.

    Attributes:
        dead: (replicates, units), True if the output is the same for every sample.
        saturated: (replicates,) share of outputs with |f'| < SATURATION_THRESHOLD; NaN for
            functions that are not elementwise.
        activation_rms: (replicates,) root mean square of the outputs.
    """

    dead: Array
    saturated: Array
    activation_rms: Array


@dataclass
class Measurement:
    """Measurements of a network on a data set.

    Attributes:
        loss: (replicates,) mean loss; with ``LayerEvaluator``, including the penalty.
        accuracy: (replicates,) share of samples classified correctly.
        layers: one per hidden layer; empty if only loss and accuracy were measured.
        gradient_rms: for each linear layer, (replicates,) root mean square over samples and
            units of d(loss of a sample)/d(output of the layer); may be empty like ``layers``.
    """

    loss: Array
    accuracy: Array
    layers: list[LayerMeasurement]
    gradient_rms: list[Array]


class Part(NamedTuple):
    """A part of the data, for instance the training data, of all replicates.

    Shapes: x as returned by ``with_ones``, labels (replicates, samples), targets
    (replicates, 1 or classes, samples).
    """

    x: Array
    labels: Array
    targets: Array


class Forward(BoundLayers):
    """Outputs, losses and predictions for a fixed number of samples."""

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
        """Return the calls of each hidden layer that write y from z."""
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
    """``Forward``, and then dL/dz for the output z of each linear layer; L is the sum of losses.

    After the forward pass and before the backward pass, ``dz`` of an elementwise f holds f'(z).
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
        """Write dL/dz of each linear layer into ``dz``. Call it after the forward pass."""
        self.write_gradient(targets)
        self.dz[-1] *= self.samples  # from the gradient of the mean to that of the sum
        for call in self.backward_calls:
            call()


class Evaluator:
    """Measures loss and accuracy of a network on one or more parts of the data."""

    def __init__(
        self, network: Network, loss: Loss, parts: dict[str, Part], scratch: Scratch
    ) -> None:
        self.network, self.scratch = network, scratch
        self.chunks: list[tuple[Forward, Part, dict[str, slice]]] = []
        self.samples = {name: part.labels.shape[1] for name, part in parts.items()}
        if parts:
            self.add_chunks(_joined(list(parts.values())), loss)

    def add_chunks(self, data: Part, loss: Loss, start: int = 0) -> None:
        """Divide the samples from ``start`` on into chunks of at most CHUNK_SAMPLES."""
        made: dict[int, Forward] = {}
        for first in range(start, data.labels.shape[1], CHUNK_SAMPLES):
            chunk = Part(*(array[..., first : first + CHUNK_SAMPLES] for array in data))
            size = chunk.labels.shape[1]
            if size not in made:
                made[size] = Forward(self.network, loss, size, self.scratch)
            self.chunks.append((made[size], chunk, self.part_slices(first, first + size)))

    def part_slices(self, start: int, stop: int) -> dict[str, slice]:
        """Return for each part the slice of the samples start to stop that belongs to it."""
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
        """Measure loss and accuracy of each part. ``visit`` is called after every chunk."""
        loss, correct = ({name: self.zeros() for name in self.samples} for _ in range(2))
        for forward, chunk, slices in self.chunks:
            forward(*chunk)
            for name, here in slices.items():
                loss[name] += np.add.reduce(forward.losses[:, here], axis=1, dtype=np.float64)
                correct[name] += np.add.reduce(forward.correct[:, here], axis=1, dtype=np.intp)
            visit(forward)
        return {
            name: Measurement(loss[name] / samples, correct[name] / samples, [], [])
            for name, samples in self.samples.items()
        }

    def zeros(self) -> Array:
        return np.zeros(self.network.replicates)


class LayerEvaluator(Evaluator):
    """Measures every layer as well. The first chunk, LAYER_SAMPLES, also has a backward pass.

    The loss is the one that training minimises: the mean loss plus the penalty of ``l2``.
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

    def add_chunks(self, data: Part, loss: Loss, start: int = 0) -> None:
        first = Part(*(array[..., :LAYER_SAMPLES] for array in data))
        samples, self.first_targets = first.labels.shape[1], first.targets
        self.first_chunk = ForwardAndBackward(self.network, loss, samples, self.scratch)
        self.chunks.append((self.first_chunk, first, self.part_slices(0, samples)))
        super().add_chunks(data, loss, LAYER_SAMPLES)

    def evaluate_layers(self) -> Measurement:
        """Measure loss, accuracy and every layer."""
        first, network = self.first_chunk, self.network
        self.dead: list[Array] = []
        found = self.evaluate(self.update_dead_units)["train"]
        saturated = [
            _share(np.abs(slope) < SATURATION_THRESHOLD)
            if isinstance(layer.activation, Elementwise)
            else np.full(network.replicates, np.nan)
            for layer, slope in zip(network.nonlinears, first.dz, strict=False)
        ]
        first.backward(self.first_targets)
        rms = root_mean_squares([*first.outputs, *first.dz])
        found.layers = [
            LayerMeasurement(*layer) for layer in zip(self.dead, saturated, rms, strict=False)
        ]
        found.gradient_rms = list(rms[len(first.outputs) :])
        return found

    def update_dead_units(self, forward: Forward) -> None:
        """Unmark in ``dead`` the units whose output here differs from that of the first sample."""
        first = [y[:, :, 0] for y in self.first_chunk.outputs]
        if forward is self.first_chunk:
            self.dead = [
                _all_equal(y[:, :, :32], value)
                for y, value in zip(forward.outputs, first, strict=True)
            ]
        for dead, y, value in zip(self.dead, forward.outputs, first, strict=True):
            if dead.any():  # after the first 32 samples, few or no units are left to check
                dead[dead] = _all_equal(y[dead], value[dead])


def _joined(parts: list[Part]) -> Part:
    """Return the samples of all parts, one part after another."""
    if len(parts) == 1:
        return parts[0]
    return Part(*(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)))


def update_ratios(network: Network, before: Array) -> Array:
    """Return |w - w before| / |w before| of each linear layer, shape (layers, replicates).

    ``before`` is a copy of ``network.theta`` before the step. The ratio is NaN if w before was 0.
    """
    places = [place for name, place in network.slices.items() if name.endswith(".weight")]
    change = network.theta - before
    rms = root_mean_squares([array[:, place] for array in (change, before) for place in places])
    changes, sizes = rms[: len(places)], rms[len(places) :]
    return changes / np.where(sizes > 0, sizes, np.nan)


def root_mean_squares(stacks: list[Array]) -> Array:
    """Return sqrt(mean a^2) of each replicate of each stack, (stacks, replicates), float64.

    The result is accurate for all finite a. Squares of float32 overflow above 1.8e19 and lose
    digits below 1e-19, sizes that exploding and vanishing signals reach. Such arrays are first
    multiplied by the power of two that brings their largest value near 1.
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
    """Return whether all y (..., samples) equal value (...), shape (...)."""
    return np.logical_and.reduce(y == value[..., None], axis=-1)


def _share(mask: Array) -> Array:
    """Return the share of true entries in each replicate, shape (replicates,)."""
    return np.array([np.count_nonzero(rows) for rows in mask]) / mask[0].size
