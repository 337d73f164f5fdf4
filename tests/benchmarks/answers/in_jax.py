"""JAX: one compiled program for each activation, with all epochs, steps and measurements.

It uses lax.scan over epochs and steps, and vmap over seeds and learning rates. Three choices made
it faster: samples as columns (saves a third of the run time on one core); the parameters of a
network as one vector (saves a third of the compilation); two threads, so that one activation
compiles while another trains.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.benchmarks import answers
from tests.benchmarks.answers import BATCH, BETA1, BETA2, EPSILON, PARTS, WIDTHS, Array

FUNCTIONS = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "gelu": partial(jax.nn.gelu, approximate=False),
    "silu": jax.nn.silu,
}
THREADS = 2


def layers(theta: Any) -> list[tuple[Any, Any]]:
    """Return w (in, out) and b (out, 1) of each layer of a network's parameters."""
    found, start = [], 0
    for fan_in, fan_out in pairwise(WIDTHS):
        middle, end = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
        found.append((theta[start:middle].reshape(fan_in, fan_out), theta[middle:end, None]))
        start = end
    return found


def program(function: Any) -> Any:
    """Return the training of all rates and seeds as one function, compiled at its first call.

    It takes the rates (rates,), theta (seeds, parameters), x (seeds, 2, samples), targets
    (seeds, classes, samples), order (seeds, epochs, steps, batch) and each sample's share of its
    batch's loss (steps, batch), and returns the curves, (rates, seeds, epochs) each.
    """

    def losses(theta: Any, x: Any, targets: Any) -> tuple[Any, Any]:
        """Return the cross-entropy of each sample, and whether it is classified correctly."""
        *hidden, (w, b) = layers(theta)
        for w_hidden, b_hidden in hidden:
            x = function(w_hidden.T @ x + b_hidden)
        z = w.T @ x + b
        of_class = (z * targets).sum(axis=0)
        return jax.nn.logsumexp(z, axis=0) - of_class, of_class == z.max(axis=0)

    def loss(theta: Any, x: Any, targets: Any, share: Any) -> Any:
        return (losses(theta, x, targets)[0] * share).sum()

    def train(rate: Any, theta: Any, x: Any, targets: Any, order: Any, share: Any) -> Any:
        def step(state: Any, batch: Any) -> tuple[Any, None]:
            theta, m, v, count = state
            gradient = jax.grad(loss)(theta, *batch)
            count = count + 1
            m = BETA1 * m + (1 - BETA1) * gradient
            v = BETA2 * v + (1 - BETA2) * gradient * gradient
            size = rate / (1 - BETA1**count)
            theta = theta - size * m / (jnp.sqrt(v / (1 - BETA2**count)) + EPSILON)
            return (theta, m, v, count), None

        def epoch(state: Any, order: Any) -> tuple[Any, dict[str, Any]]:
            batches = (jnp.moveaxis(array[:, order], 1, 0) for array in (x, targets))
            state, _ = lax.scan(step, state, (*batches, share))
            found, right = losses(state[0], x, targets)
            curves, start = {}, 0
            for part, size in PARTS.items():
                rows = slice(start, start + size)
                curves[f"{part}_loss"] = found[rows].mean()
                curves[f"{part}_accuracy"] = right[rows].mean()
                start += size
            return state, curves

        zeros = jnp.zeros_like(theta)
        return lax.scan(epoch, (theta, zeros, zeros, 0.0), order)[1]

    over_seeds = jax.vmap(train, in_axes=(None, 0, 0, 0, 0, None))
    return jax.jit(jax.vmap(over_seeds, in_axes=(0, None, None, None, None, None)))


def batches(epochs: int) -> tuple[Array, Array]:
    """Return order (seeds, epochs, steps, batch) and the samples' shares (steps, batch).

    The last batch is smaller. It is padded with samples of weight 0, so that one program is enough.
    """
    samples = PARTS["train"]
    steps = -(-samples // BATCH)
    order = answers.batch_orders(epochs).swapaxes(0, 1)
    order = np.pad(order, [(0, 0), (0, 0), (0, steps * BATCH - samples)])
    share = np.full((steps, BATCH), 1 / BATCH, np.float32)
    last = samples - (steps - 1) * BATCH
    share[-1] = np.where(np.arange(BATCH) < last, 1 / last, 0)
    return order.reshape(*order.shape[:2], steps, BATCH), share


def main() -> None:
    order, share = batches(answers.epochs_asked())
    x, labels = answers.data()
    targets = np.eye(WIDTHS[-1], dtype=np.float32)[labels]
    rates = np.array(answers.RATES, np.float32)

    def curves(name: str) -> dict[str, Array]:
        theta = answers.initial_vectors(name)
        train = program(FUNCTIONS[name])
        found = train(rates, theta, x.swapaxes(1, 2), targets.swapaxes(1, 2), order, share)
        return {key: np.asarray(value) for key, value in found.items()}

    with ThreadPoolExecutor(THREADS) as pool:
        answers.report(dict(zip(FUNCTIONS, pool.map(curves, FUNCTIONS), strict=True)))


if __name__ == "__main__":
    main()
