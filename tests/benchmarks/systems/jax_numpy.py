"""JAX: one jitted step; a whole epoch in lax.scan; both with vmap over replicates."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.benchmarks.problem import BETA1, BETA2, EPSILON, LEARNING_RATE, Array, Problem

exact_gelu = partial(jax.nn.gelu, approximate=False)


def gated(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def gate(x: Any) -> Any:
        a, b = jnp.split(x, 2, axis=-1)
        return function(a) * b

    return gate


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "elu": jax.nn.elu,
    "geglu": gated(exact_gelu),
    "gelu": exact_gelu,
    "gelu_tanh": jax.nn.gelu,
    "glu": jax.nn.glu,
    "hardswish": jax.nn.hard_swish,
    "leaky_relu": jax.nn.leaky_relu,
    "mish": jax.nn.mish,
    "relu": jax.nn.relu,
    "selu": jax.nn.selu,
    "sigmoid": jax.nn.sigmoid,
    "silu": jax.nn.silu,
    "softmax": jax.nn.softmax,
    "softplus": jax.nn.softplus,
    "swiglu": gated(jax.nn.silu),
    "swish": jax.nn.silu,
    "tanh": jnp.tanh,
}
jax.config.update("jax_enable_x64", True)  # allows float64; float32 arrays stay float32


class Scan:
    """A whole epoch in one call: gather the permuted samples, then lax.scan over batches."""

    stacked = False
    whole_epoch = True

    def __init__(self, problem: Problem) -> None:
        self.problem, case = problem, problem.case
        function, binary = FUNCTIONS[case.activation], case.classes == 2

        def loss(weights: Any, x: Any, labels: Any) -> Any:
            for w, b in weights[:-1]:
                x = function(x @ w + b)
            logits = x @ weights[-1][0] + weights[-1][1]
            if binary:  # labels are signs, +1 for class 0 and -1 for class 1
                return jax.nn.softplus(labels * logits[:, 0]).mean()
            chosen = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
            return (jax.nn.logsumexp(logits, axis=1) - chosen).mean()

        def step(state: Any, batch: Any) -> Any:
            weights, m, v, count = state
            gradient = jax.grad(loss)(weights, *batch)
            count = count + 1
            m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, gradient)
            v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradient)
            rate = LEARNING_RATE / (1 - BETA1**count)
            correction = 1 / (1 - BETA2**count)
            weights = jax.tree.map(
                lambda w, m, v: w - rate * m / (jnp.sqrt(v * correction) + EPSILON), weights, m, v
            )
            return weights, m, v, count

        def step_at(state: Any, x: Any, labels: Any, index: Any) -> Any:
            return step(state, (x[index], labels[index]))

        def epoch(state: Any, x: Any, labels: Any, order: Any) -> Any:
            xs = x[order].reshape(-1, case.batch, case.features)
            ls = labels[order].reshape(-1, case.batch)
            return lax.scan(lambda s, batch: (step(s, batch), None), state, (xs, ls))[0]

        call = epoch if self.whole_epoch else step_at
        self.call = jax.jit(jax.vmap(call) if self.stacked else call, donate_argnums=0)
        labels = (1 - 2 * problem.labels).astype(case.dtype) if binary else problem.labels
        self.x, self.labels = jnp.asarray(self.of(problem.x)), jnp.asarray(self.of(labels))
        self.reset()
        size = case.samples if self.whole_epoch else case.batch
        index = next(problem.orders())[:, :size]
        seconds = []
        for _ in range(2):
            started = time.perf_counter()
            self.state = self.call(self.state, self.x, self.labels, self.of(index))
            jax.block_until_ready(self.state)
            seconds.append(time.perf_counter() - started)
        self.compile_seconds: float | None = seconds[0] - seconds[1]

    def of(self, array: Array) -> Array:
        return array if self.stacked else array[0]

    def reset(self) -> None:
        dtype, replicates = self.problem.case.dtype, self.problem.case.replicates
        weights = [(self.of(w), self.of(b)) for w, b in self.problem.weights]
        weights = jax.tree.map(jnp.array, weights)
        m, v = jax.tree.map(jnp.zeros_like, weights), jax.tree.map(jnp.zeros_like, weights)
        count = jnp.zeros(replicates if self.stacked else (), dtype)
        self.state = jax.block_until_ready((weights, m, v, count))

    def train(self) -> None:
        case, state, call = self.problem.case, self.state, self.call
        for order in self.problem.orders():
            order = self.of(order).astype(np.int32)
            if self.whole_epoch:
                state = call(state, self.x, self.labels, order)
                continue
            for start in range(0, case.samples, case.batch):
                state = call(state, self.x, self.labels, order[..., start : start + case.batch])
        self.state = jax.block_until_ready(state)

    def weights(self) -> list[tuple[Array, Array]]:
        pairs = [(np.asarray(w), np.asarray(b)) for w, b in self.state[0]]
        return pairs if self.stacked else [(w[None], b[None]) for w, b in pairs]


class Step(Scan):
    """One jitted call per step, which gathers its batch and donates the old state."""

    whole_epoch = False


class StackedScan(Scan):
    stacked = True


class StackedStep(Step):
    stacked = True
