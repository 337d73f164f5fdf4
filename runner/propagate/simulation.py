"""Draw networks at random and measure each layer; nothing is trained.

Network k of a seed does not depend on the number of networks or on their grouping. All numbers are
float64. Networks are drawn on all cores, in groups whose weights take about GROUP_BYTES.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from activations.base import Activation, Array, Elementwise
from runner.network.initializers import Scaling
from runner.propagate.settings import Settings
from runner.system.blas import one_blas_thread
from runner.system.memory import available
from runner.system.terminal import ConfigError

GROUP_BYTES = 2**26
MOST_DECOMPOSED = 20
"""Networks whose layers' singular values are computed, in three layers."""


@dataclass
class Measured:
    """Measurements in each network, (nets, depth) unless stated otherwise; NaN if undefined.

    Attributes:
        variance: E z^2 of the pre-activations, over inputs and units.
        output_mean, output_second_moment: E y and E y^2 of the outputs.
        correlation: mean over pairs of inputs of z1.z2 / (|z1| |z2|).
        gradient_factor: root mean square of dL/dz of a layer over that of the next layer. In the
            last layer dL/dz is drawn from N(0, 1), and the factor is 1.
        saturated: share of outputs with |f'| below the threshold; NaN for functions that are not
            elementwise.
        dead: share of units with the same output for every input; with one input, with output 0.
        dead_nets: (nets,) whether all units of some layer are dead.
        decomposed: the layers whose Jacobian dy/dy' was decomposed; y' is the layer's input.
        singular_values: singular values of each of these layers, for some networks at their first
            input.
    """

    variance: Array
    output_mean: Array
    output_second_moment: Array
    correlation: Array
    gradient_factor: Array
    saturated: Array
    dead: Array
    dead_nets: Array
    decomposed: list[int]
    singular_values: list[Array]

    @classmethod
    def empty(cls, nets: int, depth: int, decomposed: list[int]) -> Measured:
        """Return measurements that are all NaN, to be filled."""
        values: Any = [np.full((nets, depth), np.nan) for _ in range(7)]
        values += [np.zeros(nets, bool), decomposed, []]
        return cls(*values)

    def log_gradient(self) -> Array:
        """Return ln of each layer's gradient relative to the last layer's, (nets, depth)."""
        with np.errstate(divide="ignore", invalid="ignore"):  # gradients of 0 and infinite ones
            logs = np.log(self.gradient_factor)
            return np.cumsum(logs[:, ::-1], axis=1)[:, ::-1]

    def singular_rms(self) -> list[float]:
        """Return the root mean square of each decomposed layer's singular values."""
        with np.errstate(over="ignore"):
            return [math.sqrt(np.mean(values**2)) for values in self.singular_values]


def simulate(
    settings: Settings, progress: Callable[[float], None] = lambda share: None
) -> Measured:
    """Draw the networks and measure them. Raises ConfigError if they do not fit in memory."""
    activation = settings.activation_object()
    scalings = settings.initializer_object.scalings(activation, settings.outputs[1:])
    group = _group_size(settings, activation)
    nets, depth = settings.nets, settings.depth
    layers = decomposed(depth)
    rows = min(nets, MOST_DECOMPOSED, max(1, int(2e9 / settings.width**3)))
    found = Measured.empty(nets, depth, layers)
    spectra: dict[int, list[Array]] = {}

    def work(first: int) -> None:
        nets_here = range(first, min(first + group, nets))
        with np.errstate(all="ignore"):
            drawn = _Group(settings, activation, scalings, nets_here)
            drawn.forward(found)
            drawn.backward(found)
            for k in range(max(0, min(rows - first, len(nets_here)))):
                spectra[first + k] = [drawn.singular_values(k, n) for n in layers]

    starts = range(0, nets, group)
    with one_blas_thread(), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            for done, _ in enumerate(pool.map(work, starts), start=1):
                progress(done / len(starts))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    found.singular_values = [
        np.concatenate([spectra[net][place] for net in sorted(spectra)])
        for place in range(len(layers))
    ]
    return found


def decomposed(depth: int) -> list[int]:
    """Return the layers whose Jacobian is decomposed: the first, one in the middle, the last."""
    return sorted({1, (depth + 1) // 2, depth})


def _group_size(settings: Settings, activation: Activation) -> int:
    """Return the number of networks to draw at once. Raises ConfigError if they do not fit."""
    inputs = settings.width * max(activation.inputs_per_output, 1)
    one = 8 * settings.depth * (settings.width * inputs + 4 * settings.inputs * inputs)
    one += 8 * (settings.features or settings.width) * inputs
    kept = 8 * len(fields(Measured)) * settings.nets * settings.depth
    cores = os.cpu_count() or 1
    needed = kept + 1.5 * cores * max(one, GROUP_BYTES)
    if needed > available():
        raise ConfigError(
            f"{settings.nets} networks with depth={settings.depth} and width={settings.width} need "
            f"{needed / 2**20:,.0f} MiB, of which {available() / 2**20:,.0f} are free; choose "
            "fewer or smaller ones"
        )
    return max(1, int(GROUP_BYTES / one))


class _Group:
    """Some networks, with the arrays that the forward pass keeps for the backward pass."""

    def __init__(
        self,
        settings: Settings,
        activation: Activation,
        scalings: Sequence[Scaling],
        nets: range,
    ) -> None:
        self.settings, self.activation, self.scalings = settings, activation, scalings
        self.initializer = settings.initializer_object
        self.nets = slice(nets.start, nets.stop)
        self.generators = [np.random.default_rng([settings.seed, k]) for k in nets]
        self.weights: list[Array] = []
        self.kept: list[tuple[Array, ...]] = []

    def inputs(self) -> Array:
        """Return normal inputs, (nets, inputs, features); each two have the given correlation."""
        count, features = self.settings.inputs, self.settings.outputs[0]
        drawn = np.stack([rng.standard_normal((count + 1, features)) for rng in self.generators])
        c = self.settings.correlation
        mixed = math.sqrt(c) * drawn[:, :1] + math.sqrt(1 - c) * drawn[:, 1:]
        return math.sqrt(self.settings.variance) * mixed

    def linear(self, y: Array, number: int) -> Array:
        """Draw the next layer and return y w + b."""
        fan_in = y.shape[-1]
        fan_out = round(self.settings.width * self.activation.inputs_per_output)
        w = np.empty((len(self.generators), fan_in, fan_out))
        b = np.empty((len(self.generators), 1, fan_out))
        for k, rng in enumerate(self.generators):
            scaling = self.scalings[number]
            w[k], b[k] = self.initializer.parameters(rng, fan_in, fan_out, scaling)
        self.weights.append(w)
        return np.matmul(y, w) + b

    def forward(self, found: Measured) -> None:
        """Draw each layer and measure z and y."""
        y = self.inputs()
        threshold = self.settings.saturated
        dead_nets = np.zeros(len(self.generators), bool)
        for number in range(self.settings.depth):
            z = self.linear(y, number)
            here = (self.nets, number)
            if isinstance(self.activation, Elementwise):
                y, slope = self.activation.value_and_gradient(z)
                found.saturated[here] = (np.abs(slope) < threshold).mean(axis=(1, 2))
                self.kept.append((slope,))
            else:
                y = self.activation(z)
                self.kept.append((z, y))
            found.variance[here] = _or_infinite((z * z).mean(axis=(1, 2)))
            found.output_mean[here] = y.mean(axis=(1, 2))
            found.output_second_moment[here] = _or_infinite((y * y).mean(axis=(1, 2)))
            found.correlation[here] = _correlation(z)
            dead = (y == y[:, :1]).all(axis=1) if y.shape[1] > 1 else y[:, 0] == 0
            dead &= np.isfinite(y[:, 0])
            found.dead[here] = dead.mean(axis=1)
            dead_nets |= dead.all(axis=1)
        found.dead_nets[self.nets] = dead_nets

    def backward(self, found: Measured) -> None:
        """Propagate a normal gradient backwards; after each layer it is scaled to size 1."""
        shape = (self.settings.inputs, self.weights[-1].shape[-1])
        gradient = np.stack([rng.standard_normal(shape) for rng in self.generators])
        gradient /= _rms(gradient)
        found.gradient_factor[self.nets, -1] = 1
        for number in range(self.settings.depth - 2, -1, -1):
            to_y = np.matmul(gradient, self.weights[number + 1].swapaxes(-1, -2))
            gradient = self.to_inputs(number, to_y)
            size = _rms(gradient)
            found.gradient_factor[self.nets, number] = size[:, 0, 0]
            gradient /= np.where(size > 0, size, 1)

    def to_inputs(self, number: int, to_y: Array) -> Array:
        """Return dL/dz of a hidden layer from dL/dy."""
        kept = self.kept[number]
        if isinstance(self.activation, Elementwise):
            return to_y * kept[0]
        z, y = kept
        return self.activation.backward(z, y, to_y)

    def singular_values(self, net: int, layer: int) -> Array:
        """Return the singular values of dy/dy' of a layer (1, 2, ...) at the first input."""
        weights, kept = self.weights[layer - 1][net], self.kept[layer - 1]
        if isinstance(self.activation, Elementwise):
            jacobian = weights * kept[0][net, 0]
        else:
            z, y = (array[net, :1] for array in kept)
            each = np.eye(y.shape[-1])[:, None]
            rows = self.activation.backward(z, y, each)[:, 0]
            jacobian = weights @ rows.T
        if not np.isfinite(jacobian).all():
            return np.full(min(jacobian.shape), np.nan)
        return np.linalg.svd(jacobian, compute_uv=False)


def _or_infinite(means: Array) -> Array:
    """Return means with infinity in place of NaN, which results from infinities."""
    return np.where(np.isnan(means), np.inf, means)


def _correlation(z: Array) -> Array:
    """Return the mean cosine of all pairs of inputs, (nets,).

    For n unit vectors u it is (|sum of u|^2 - n) / (n^2 - n). NaN for one input, or if a z is 0.
    """
    n = z.shape[1]
    u = z / np.abs(z).max(axis=-1, keepdims=True)  # so that squares do not overflow
    u = u / np.sqrt((u * u).sum(axis=-1, keepdims=True))
    total = u.sum(axis=1)
    square = (total * total).sum(axis=-1)
    return (square - n) / (n * n - n) if n > 1 else np.full(len(z), np.nan)


def _rms(array: Array) -> Array:
    """Return the root mean square of each network, (nets, 1, 1)."""
    return np.sqrt((array * array).mean(axis=(1, 2), keepdims=True))
