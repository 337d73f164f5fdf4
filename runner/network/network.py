"""The network: linear layers and activations, for a stack of replicates at once.

Every array has a leading replicate axis: x (replicates, batch, features), weights
(replicates, fan_in, fan_out), biases (replicates, 1, fan_out). All parameters are views into
``theta`` (replicates, parameters), all their gradients views into ``gradient``, so that an
optimizer makes a handful of passes over one array. Forward passes return the tape, a plain
list [x, y1, y2, ...] that backward passes read; layers remember nothing.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from activations.base import Activation, Array, Elementwise
from runner.network.architecture import parameter_shapes
from runner.network.initializers import Initializer
from runner.network.losses import CrossEntropy, SquaredError, probabilities

Loss = CrossEntropy | SquaredError


class Linear:
    """y = x w + b, with w (replicates, fan_in, fan_out) and b (replicates, 1, fan_out)."""

    def __init__(
        self, weight: Array, bias: Array, weight_gradient: Array, bias_gradient: Array
    ) -> None:
        self.weight, self.bias = weight, bias
        self.weight_gradient, self.bias_gradient = weight_gradient, bias_gradient

    def forward(self, x: Array) -> Array:
        y = np.matmul(x, self.weight)
        y += self.bias
        return y

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        """Return dL/dx = grad w^T."""
        return np.matmul(grad, self.weight.swapaxes(-1, -2))

    def accumulate(self, x: Array, y: Array, grad: Array) -> None:
        """Write dL/dw = x^T grad and dL/db = sum over the batch of grad."""
        np.matmul(x.swapaxes(-1, -2), grad, out=self.weight_gradient)
        np.add.reduce(grad, axis=-2, keepdims=True, out=self.bias_gradient)


class Nonlinear:
    """An activation as a layer: its learnable parameters are views into the network's."""

    def __init__(self, activation: Activation, gradients: dict[str, Array]) -> None:
        self.activation = activation
        self.gradients = gradients
        self.forward = activation.forward
        self.backward = activation.unchecked_backward

    def accumulate(self, x: Array, y: Array, grad: Array) -> None:
        """Write dL/dp of the activation's learnable parameters p."""
        if self.gradients:
            found = self.activation.unchecked_parameter_gradients(x, y, grad)
            for name, into in self.gradients.items():
                into[...] = found[name]


class Network:
    """Linear, activation, linear, activation, ..., linear; the last gives the logits.

    ``hidden`` counts the outputs of each hidden layer: a gated activation's linear layer is
    twice as wide. Parameter names are layer1.weight, layer1.bias, layer1.<learnable>, ...
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
        """Make a network with all parameters zero; ``check_hidden_widths`` has passed."""
        self.features, self.hidden, self.classes = features, hidden, classes
        self.replicates = replicates
        self.dtype = np.dtype(dtype)
        self.prototype = activation
        self.activations = [copy.deepcopy(activation) for _ in hidden]
        self._shapes = dict(parameter_shapes(features, hidden, classes, activation))
        self.size = sum(int(np.prod(shape)) for shape in self._shapes.values())
        self.bind(
            np.zeros((replicates, self.size), dtype),
            np.zeros((replicates, self.size), dtype),
        )

    def bind(self, theta: Array, gradient: Array) -> None:
        """Let all parameters be views into ``theta``, their gradients into ``gradient``."""
        self.theta, self.gradient = theta, gradient
        self.parameters: dict[str, Array] = {}
        self.gradients: dict[str, Array] = {}
        start = 0
        for name, shape in self._shapes.items():
            stop = start + int(np.prod(shape))
            stacked = (self.replicates, *shape)
            self.parameters[name] = theta[:, start:stop].reshape(stacked)
            self.gradients[name] = gradient[:, start:stop].reshape(stacked)
            start = stop
        self.linears: list[Linear] = []
        self.layers: list[Linear | Nonlinear] = []
        for number in range(1, len(self.hidden) + 2):
            keys = (f"layer{number}.weight", f"layer{number}.bias")
            linear = Linear(
                *(self.parameters[key] for key in keys),
                *(self.gradients[key] for key in keys),
            )
            self.linears.append(linear)
            self.layers.append(linear)
            if number <= len(self.hidden):
                activation = self.activations[number - 1]
                learnable = list(activation.params)
                for key in learnable:
                    activation.params[key] = self.parameters[f"layer{number}.{key}"]
                self.layers.append(
                    Nonlinear(
                        activation,
                        {k: self.gradients[f"layer{number}.{k}"] for k in learnable},
                    )
                )

    def initialize(
        self, initializer: Initializer, generators: list[np.random.Generator]
    ) -> list[float]:
        """Fill the parameters, replicate k from generators[k].

        Returns the gain taken from the activation for each linear layer.
        """
        gains = [1.0]
        for number, units in enumerate(self.hidden, start=1):
            gains.append(initializer.activation_gain(self.prototype, units))
            for name, value in self.prototype.params.items():
                self.parameters[f"layer{number}.{name}"][...] = value
        for linear, gain in zip(self.linears, gains, strict=True):
            fan_in, fan_out = linear.weight.shape[1:]
            for replicate, rng in enumerate(generators):
                linear.weight[replicate] = initializer.weights(rng, fan_in, fan_out, gain)
                linear.bias[replicate] = initializer.biases(rng, fan_out)
        return gains

    def is_weight(self) -> Array:
        """Return which parameters are weights, shape (size,): those that decay applies to."""
        return np.concatenate(
            [
                np.full(int(np.prod(shape)), name.endswith(".weight"))
                for name, shape in self._shapes.items()
            ]
        )

    def forward(self, x: Array) -> list[Array]:
        """Return the tape: x, then every layer's output; the last are the logits."""
        tape = [x]
        for layer in self.layers:
            x = layer.forward(x)
            tape.append(x)
        return tape

    def backpropagate(
        self, tape: list[Array], grad: Array, slopes: list[Array | None] | None = None
    ) -> Iterator[tuple[Linear | Nonlinear, Array, Array, Array]]:
        """Yield each layer with its input x, its output y and dL/dy, from the last to the first.

        grad = dL/dlogits. The chain rule: dL/dx of a layer is dL/dy of the one before.
        ``slopes`` are those of ``slopes(tape)`` where the caller has them already.
        """
        for index in range(len(self.layers) - 1, -1, -1):
            layer, x, y = self.layers[index], tape[index], tape[index + 1]
            yield layer, x, y, grad
            slope = slopes[index // 2] if slopes and index % 2 else None
            if slope is not None:
                grad = grad * slope
            elif index > 0:  # nobody needs dL/d(data)
                grad = layer.backward(x, y, grad)

    def loss_gradient(self, x: Array, targets: Array, loss: Loss) -> None:
        """Fill ``gradient`` with that of the mean loss over a batch.

        ``BatchGradient`` trains: the same derivative over buffers of its own (a test).
        """
        tape = self.forward(x)
        for layer, x, y, grad in self.backpropagate(tape, loss.gradient(tape[-1], targets)):
            layer.accumulate(x, y, grad)

    def slopes(self, tape: list[Array]) -> list[Array | None]:
        """Return f'(z) of each hidden layer, None for functions that are not elementwise."""
        return [
            activation.derivative(z, y) if isinstance(activation, Elementwise) else None
            for activation, z, y in zip(self.activations, tape[1::2], tape[2::2], strict=False)
        ]

    def logits(self, x: Array) -> Array:
        """Return the logits, shape (replicates, batch, 1 or classes)."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def probabilities(self, x: Array) -> Array:
        """Return the class probabilities (of class 1 for two classes), as the logits."""
        return probabilities(self.logits(x))

    def preactivations(self, x: Array) -> list[Array]:
        """Return what each hidden activation is fed, (replicates, batch, units) each."""
        return self.forward(x)[1:-1:2]

    def set_generators(self, generators: list[np.random.Generator] | None) -> None:
        """Give stochastic activations their random streams; None makes them deterministic."""
        for activation in self.activations:
            if activation.stochastic:
                activation.generators = generators

    def augmented(self, flat: Array) -> list[Array]:
        """Return each linear layer's [w; b], (replicates, fan_in + 1, fan_out), as views into
        ``flat`` (replicates, size), which is ``theta`` or ``gradient``."""
        views = []
        for weights, linear in zip(self.layer_slices(), self.linears, strict=True):
            fan_in, fan_out = linear.weight.shape[1:]
            both = flat[:, weights.start : weights.stop + fan_out]
            views.append(both.reshape(self.replicates, fan_in + 1, fan_out))
        return views

    def layer_slices(self) -> list[slice]:
        """Return where each linear layer's weight lies in ``theta``."""
        ends = list(itertools.accumulate(int(np.prod(shape)) for shape in self._shapes.values()))
        starts = [0, *ends[:-1]]
        return [
            slice(start, end)
            for name, start, end in zip(self._shapes, starts, ends, strict=True)
            if name.endswith(".weight")
        ]
