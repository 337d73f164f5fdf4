"""The same training in plain NumPy; the losses of all measured systems must agree with it.

It shares no code with ``runner`` and is not optimised for speed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.benchmarks.problem import (
    BETA1,
    BETA2,
    EPSILON,
    LEARNING_RATE,
    ORDER_STREAM,
    Array,
    Case,
    Problem,
)

Weights = list[tuple[Array, Array]]


def normal_cdf(x: Array) -> Array:
    """Return Phi(x) = 1/2 + the integral of the density from 0 to x, by the Gauss-Legendre rule."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    reach = np.clip(x, -8, 8)[..., None] / 2
    density = np.exp(-((reach * (nodes + 1)) ** 2) / 2) / np.sqrt(2 * np.pi)
    return 0.5 + (density @ weights) * reach[..., 0]


def softplus(x: Array) -> Array:
    return np.logaddexp(x, 0)


def sigmoid(x: Array) -> Array:
    return np.exp(-softplus(-x))


def elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def gelu(x: Array) -> Array:
    return x * normal_cdf(x)


def silu(x: Array) -> Array:
    return x * sigmoid(x)


ELEMENTWISE = {
    "elu": elu,
    "gelu": gelu,
    "gelu_tanh": lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    "hardswish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "identity": lambda x: x,
    "leaky_relu": lambda x: np.where(x > 0, x, x / 100),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "relu": lambda x: np.maximum(x, 0),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * elu(x)),
    "sigmoid": sigmoid,
    "silu": silu,
    "softplus": softplus,
    "swish": silu,
    "tanh": np.tanh,
}
GATES = {
    "glu": ("identity", "sigmoid"),
    "geglu": ("gelu", "identity"),
    "swiglu": ("silu", "identity"),
}
"""f and g of f(a) g(b), where a and b are the two halves of the inputs."""


def activate(name: str, z: Array) -> Array:
    if name == "softmax":
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)
    if name in GATES:
        (f, g), (a, b) = GATES[name], np.split(z, 2, axis=-1)
        return ELEMENTWISE[f](a) * ELEMENTWISE[g](b)
    return ELEMENTWISE[name](z)


def slope(name: str, z: Array, step: float = 1e-5) -> Array:
    """Return f'(z) by a central difference, to about ten digits if f is smooth."""
    function = ELEMENTWISE[name]
    return (function(z + step) - function(z - step)) / (2 * step)


def slope_product(name: str, z: Array, y: Array, grad: Array) -> Array:
    if name == "softmax":
        return y * (grad - (grad * y).sum(axis=-1, keepdims=True))
    if name in GATES:
        (f, g), (a, b) = GATES[name], np.split(z, 2, axis=-1)
        of_a = grad * slope(f, a) * ELEMENTWISE[g](b)
        of_b = grad * slope(g, b) * ELEMENTWISE[f](a)
        return np.concatenate([of_a, of_b], axis=-1)
    return grad * slope(name, z)


def log_probabilities(logits: Array) -> Array:
    """Return the log-softmax of the logits; a single logit z means the two logits (0, z)."""
    if logits.shape[-1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def forward(name: str, weights: Weights, x: Array) -> tuple[list[Array], list[Array]]:
    inputs, sums = [x], []
    for index, (w, b) in enumerate(weights):
        sums.append(inputs[-1] @ w + b[:, None])
        if index < len(weights) - 1:
            inputs.append(activate(name, sums[-1]))
    return inputs, sums


def loss(case: Case, weights: Weights, x: Array, labels: Array) -> Array:
    """Return the mean cross-entropy over all samples, (replicates,), in float64 and nats."""
    exact = [(w.astype(np.float64), b.astype(np.float64)) for w, b in weights]
    _, sums = forward(case.activation, exact, x.astype(np.float64))
    chosen = np.take_along_axis(log_probabilities(sums[-1]), labels[..., None], axis=-1)
    return -chosen[..., 0].mean(axis=-1)


def other_orders(case: Case, count: int) -> Iterator[Array]:
    generators = [np.random.default_rng([1000 + k, ORDER_STREAM]) for k in range(count)]
    for _ in range(case.epochs):
        yield np.stack([rng.permutation(case.samples) for rng in generators])


def losses_over_orders(problem: Problem, count: int) -> Array:
    """Train replicate 0 with ``count`` other batch orders; return the final losses, (count,)."""
    case = problem.case
    x = np.repeat(problem.x[:1].astype(np.float64), count, axis=0)
    labels = np.repeat(problem.labels[:1], count, axis=0)
    flat = [a.astype(np.float64) for pair in problem.weights for a in pair]
    flat = [np.repeat(a[:1], count, axis=0) for a in flat]
    m, v = [np.zeros_like(a) for a in flat], [np.zeros_like(a) for a in flat]
    rows, step = np.arange(count)[:, None], 0
    for order in other_orders(case, count):
        for start in range(0, case.samples, case.batch):
            batch = order[:, start : start + case.batch]
            weights = list(zip(flat[::2], flat[1::2], strict=True))
            gradients = gradient(case, weights, x[rows, batch], labels[rows, batch])
            step += 1
            for a, g, first, second in zip(flat, gradients, m, v, strict=True):
                first += (1 - BETA1) * (g - first)
                second += (1 - BETA2) * (g * g - second)
                a -= (
                    LEARNING_RATE
                    * (first / (1 - BETA1**step))
                    / (np.sqrt(second / (1 - BETA2**step)) + EPSILON)
                )
    return loss(case, list(zip(flat[::2], flat[1::2], strict=True)), x, labels)


def gradient(case: Case, weights: Weights, x: Array, labels: Array) -> list[Array]:
    """Return dL/dw, dL/db of the first layer, then of the second, ...; L is the mean loss."""
    inputs, sums = forward(case.activation, weights, x)
    p = np.exp(log_probabilities(sums[-1]))
    target = labels[..., None] == np.arange(case.classes)
    grad = (p - target)[..., 1:] if case.classes == 2 else p - target
    grad = grad / labels.shape[-1]
    found: list[Array] = []
    for index in range(len(weights) - 1, -1, -1):
        found = [inputs[index].swapaxes(-1, -2) @ grad, grad.sum(axis=-2), *found]
        if index > 0:
            grad = grad @ weights[index][0].swapaxes(-1, -2)
            grad = slope_product(case.activation, sums[index - 1], inputs[index], grad)
    return found
