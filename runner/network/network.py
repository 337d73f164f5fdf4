"""The textbook chain rule: linear layers and activations over a plain tape.

Read this file for the mathematics. Training uses ``fast_gradient.py``, which computes the same
gradient in preallocated buffers; ``tests/network/test_fast_gradient.py`` checks that the two agree
for every activation, loss and depth.

A network is a stack of replicates, and the first axis of every array is the replicate:
x (replicates, batch, features), weights (replicates, fan_in, fan_out), biases
(replicates, 1, fan_out). All parameters are views into one array, ``theta``
(replicates, parameters), and all their gradients are views into ``gradient``. An optimizer
therefore updates everything in a few passes over one array. A forward pass returns the tape, a
list [x, y1, y2, ...], which the backward pass reads; layers store no outputs.
"""

from __future__ import annotations

import copy
import math
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from activations.base import Activation, Array
from activations.tracing import Trace
from runner.network.architecture import parameter_shapes
from runner.network.initializers import Initializer
from runner.network.losses import Loss
from runner.network.underflow import flushed, flushes


class Linear:
    """y = x w + b. For sample n and output j: y_nj = sum_i x_ni w_ij + b_j.

    Let grad_nj = dL/dy_nj. The chain rule, dL/da = sum_nj dL/dy_nj dy_nj/da, gives

        dL/dx_ni = sum_j grad_nj w_ij    dL/dx = grad w^T
        dL/dw_ij = sum_n x_ni grad_nj    dL/dw = x^T grad
        dL/db_j  = sum_n grad_nj         dL/db = sum over the batch of grad
    """

    def __init__(self, w: Array, b: Array, w_gradient: Array, b_gradient: Array) -> None:
        self.weight, self.bias = w, b
        self.weight_gradient, self.bias_gradient = w_gradient, b_gradient

    def forward(self, x: Array) -> Array:
        y = np.matmul(x, self.weight)
        y += self.bias
        return y

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        """Return dL/dx."""
        return np.matmul(grad, self.weight.swapaxes(-1, -2))

    def accumulate(self, x: Array, y: Array, grad: Array) -> None:
        """Write dL/dw and dL/db."""
        np.matmul(x.swapaxes(-1, -2), grad, out=self.weight_gradient)
        np.add.reduce(grad, axis=-2, keepdims=True, out=self.bias_gradient)


class Nonlinear:
    """y = f(x). dL/dx_i = sum_j dL/dy_j dy_j/dx_i, which is grad_i f'(x_i) if f is elementwise.

    The activation computes these products. Its learnable parameters are views into ``theta`` of
    the network. ``formulas`` caches the formulas that the kernels have traced, by dtype.
    """

    def __init__(self, activation: Activation, gradients: dict[str, Array]) -> None:
        self.activation = activation
        self.gradients = gradients
        self.formulas: dict[np.dtype[Any], Trace] = {}
        self.forward = activation.forward
        self.backward = activation.unchecked_backward

    def accumulate(self, x: Array, y: Array, grad: Array) -> None:
        """Write dL/dp of the activation's learnable parameters p."""
        if self.gradients:
            found = self.activation.unchecked_parameter_gradients(x, y, grad)
            for name, into in self.gradients.items():
                into[...] = found[name]


class Network:
    """Linear, activation, linear, activation, ..., linear. The last layer returns the logits.

    ``hidden`` is the number of outputs of each hidden layer. The linear layer before a gated
    activation has twice as many. Parameters are named layer1.weight, layer1.bias,
    layer1.<learnable parameter>, layer2.weight, ...
    """

    def __init__(
        self,
        features: int,
        hidden: tuple[int, ...],
        classes: int,
        activation: Activation,
        replicates: int,
        dtype: npt.DTypeLike,
    ) -> None:
        """Make a network whose parameters are all 0. Call ``check_hidden_widths`` first."""
        self.features, self.hidden, self.classes = features, hidden, classes
        self.replicates = replicates
        self.dtype = np.dtype(dtype)
        self.prototype = activation
        self.activations = [copy.deepcopy(activation) for _ in hidden]
        self.shapes = dict(parameter_shapes(features, hidden, classes, activation))
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        self.size = sum(sizes)
        stops = zip(self.shapes, sizes, accumulate(sizes), strict=True)
        self.slices = {name: slice(stop - size, stop) for name, size, stop in stops}
        self.bind(*(np.zeros((replicates, self.size), dtype) for _ in range(2)))

    def forward(self, x: Array) -> list[Array]:
        """Return the tape: x, then the output of every layer. The last entry is the logits."""
        tape = [x]
        for layer in self.layers:
            x = layer.forward(x)
            tape.append(x)
        return tape

    def loss_gradient(self, x: Array, targets: Array, loss: Loss, l2: float = 0.0) -> None:
        """Write the gradient of the mean loss over the batch plus ``penalty`` into ``gradient``.

        By the chain rule, dL/dx of a layer is dL/dy of the layer before it. ``flushed`` only sets
        numbers to 0 that are too small to matter. Shapes: x (replicates, batch, features), targets
        as returned by ``encode``.
        """
        tape = self.forward(x)
        grad = flushed(loss.gradient(tape[-1], targets))
        for index in range(len(self.layers) - 1, -1, -1):
            layer, x, y = self.layers[index], tape[index], tape[index + 1]
            layer.accumulate(x, y, grad)
            if index > 0:  # the gradient with respect to the data is not needed
                grad = layer.backward(x, y, grad)
            if isinstance(layer, Nonlinear) and flushes(index // 2):
                grad = flushed(grad)
        for linear in self.linears:
            linear.weight_gradient += l2 * linear.weight

    def penalty(self, l2: float) -> Array:
        """Return l2 / 2 sum w^2 over all weights, shape (replicates,), float64.

        Biases and learnable activation parameters are not penalised.
        """
        squares = [np.square(linear.weight, dtype=np.float64) for linear in self.linears]
        return np.asarray(l2 / 2 * sum(each.sum(axis=(1, 2)) for each in squares))

    def logits(self, x: Array) -> Array:
        """Return the logits, shape (replicates, batch, 1 or classes); two classes have one."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def preactivations(self, x: Array) -> list[Array]:
        """Return the pre-activations of each hidden layer, shape (replicates, batch, units)."""
        return self.forward(x)[1:-1:2]

    def set_generators(self, generators: list[np.random.Generator] | None) -> None:
        """Set the random generators of stochastic activations, one for each replicate.

        None makes these activations deterministic.
        """
        for activation in self.activations:
            if activation.stochastic:
                activation.generators = generators

    def bind(self, theta: Array, gradient: Array) -> None:
        """Make all parameters views into ``theta`` and their gradients views into ``gradient``."""
        self.theta, self.gradient = theta, gradient
        self.parameters, self.gradients = self.views(theta), self.views(gradient)
        self.linears, self.nonlinears = [], []
        self.layers: list[Linear | Nonlinear] = []
        for number in range(1, len(self.hidden) + 2):
            w, b = f"layer{number}.weight", f"layer{number}.bias"
            both = self.parameters, self.gradients
            self.linears.append(Linear(*(views[key] for views in both for key in (w, b))))
            self.layers.append(self.linears[-1])
            if number <= len(self.hidden):
                activation = self.activations[number - 1]
                gradients = {}
                for key in activation.params:
                    activation.params[key] = self.parameters[f"layer{number}.{key}"]
                    gradients[key] = self.gradients[f"layer{number}.{key}"]
                self.nonlinears.append(Nonlinear(activation, gradients))
                self.layers.append(self.nonlinears[-1])

    def views(self, flat: Array) -> dict[str, Array]:
        """Return each parameter's view into ``flat`` (rows, size), shape (rows, *shape)."""
        return {
            name: flat[:, self.slices[name]].reshape(len(flat), *shape)
            for name, shape in self.shapes.items()
        }

    def augmented(self, flat: Array) -> list[Array]:
        """Return a view [w; b] into ``flat`` for each linear layer.

        The shape is (replicates, fan_in + 1, fan_out). This works because each bias follows its
        weight in ``flat``.
        """
        found = []
        for number, linear in enumerate(self.linears, start=1):
            start, stop = (self.slices[f"layer{number}.{part}"] for part in ("weight", "bias"))
            both = flat[:, start.start : stop.stop]
            found.append(both.reshape(self.replicates, -1, linear.weight.shape[-1]))
        return found

    def is_weight(self) -> Array:
        """Return a mask of the weights, shape (size,). Only weights are penalised and decayed."""
        found = np.zeros(self.size, bool)
        for name, place in self.slices.items():
            found[place] = name.endswith(".weight")
        return found

    def initialize(
        self, initializer: Initializer, generators: list[np.random.Generator]
    ) -> list[float]:
        """Draw all parameters; replicate k uses generators[k].

        Returns for each linear layer the gain that the initializer derived from the activation.
        """
        for number in range(1, len(self.hidden) + 1):
            for name, value in self.prototype.params.items():
                self.parameters[f"layer{number}.{name}"][...] = value
        scalings = initializer.scalings(self.prototype, self.hidden)
        for linear, scaling in zip(self.linears, scalings, strict=True):
            fan_in, fan_out = linear.weight.shape[1:]
            for replicate, rng in enumerate(generators):
                drawn = initializer.parameters(rng, fan_in, fan_out, scaling)
                linear.weight[replicate], linear.bias[replicate] = drawn
        return [scaling.gain for scaling in scalings]
