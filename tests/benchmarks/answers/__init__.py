"""Programs that a user of another library would write for ``tests.benchmarks.question``.

Each script is a complete program. ``python -m tests.benchmarks.answers.in_jax`` trains
4 activations x 5 learning rates x 10 seeds, measures the losses and accuracies of three splits
after every epoch, writes them to ``curves.npz``, and prints a table of means. This file has what
the scripts share, in NumPy only: the data, the initial weights and the batches. They are identical
to those of ``python -m runner dataset=spirals``, so that the comparison is fair.
"""

from __future__ import annotations

import argparse
import math
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ACTIVATIONS = ("relu", "tanh", "gelu", "silu")
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
SEEDS = 10
EPOCHS, BATCH = 100, 32
WIDTHS = (2, 16, 16, 3)
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
PARTS = {"train": 600, "validation": 200, "test": 200}
SAMPLES = sum(PARTS.values())
CURVES = "curves.npz"

GAINS = {"relu": 2**0.5, "tanh": 1.5925374, "gelu": 1.5335304, "silu": 1.6765325}
"""1 / sqrt(E f(z)^2) for z ~ N(0, 1)."""


def data() -> tuple[Array, Array]:
    """Return x (seeds, samples, 2) and labels (seeds, samples) of three spiral arms.

    Each seed has its own draw, standardised by its training samples.

    The samples of a seed are in the order of PARTS.
    """
    xs, labels = [], []
    arms, turns, noise = 3, 0.64, 0.2
    test, validation = PARTS["test"], PARTS["validation"]
    for seed in range(SEEDS):
        rng = np.random.default_rng([seed, 0])
        arm = rng.permutation(np.arange(SAMPLES) % arms)
        radius = rng.random(SAMPLES)
        angle = 2 * np.pi * (arm / arms + turns * radius) + noise * rng.standard_normal(SAMPLES)
        x = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
        order = np.random.default_rng([seed, 3]).permutation(SAMPLES)
        order = np.roll(order, -test - validation)  # drawn as test, validation, train
        order[PARTS["train"] :] = np.roll(order[PARTS["train"] :], -test)
        x, arm = x[order], arm[order]
        train = x[: PARTS["train"]]
        xs.append((x - train.mean(axis=0)) / train.std(axis=0))
        labels.append(arm)
    return np.stack(xs).astype(np.float32), np.stack(labels)


def initial_vectors(activation: str) -> Array:
    """Return all parameters, (seeds, parameters).

    For each layer: w (in, out), drawn from N(0, gain^2 / in), then b = 0 (out,).
    """
    rows = []
    for seed in range(SEEDS):
        rng, row = np.random.default_rng([seed, 1]), []
        for layer, (fan_in, fan_out) in enumerate(pairwise(WIDTHS)):
            deviation = (GAINS[activation] if layer else 1.0) / math.sqrt(fan_in)
            row += [deviation * rng.standard_normal(fan_in * fan_out), np.zeros(fan_out)]
            rng.standard_normal(fan_out)  # runner draws biases too, and multiplies them by 0
        rows.append(np.concatenate(row))
    return np.array(rows, np.float32)


def batch_orders(epochs: int) -> Array:
    """Return a permutation of the training samples per epoch and seed, (epochs, seeds, samples)."""
    generators = [np.random.default_rng([seed, 2]) for seed in range(SEEDS)]
    drawn = [[rng.permutation(PARTS["train"]) for rng in generators] for _ in range(epochs)]
    return np.array(drawn, np.int32)


def epochs_asked() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    return parser.parse_args().epochs


def report(curves: dict[str, dict[str, Array]]) -> None:
    """Write all curves to a file and print the final means over the seeds.

    ``curves`` has arrays (rates, seeds, epochs) by activation and quantity.
    """
    flat = {
        f"{name}.{key}": value for name, found in curves.items() for key, value in found.items()
    }
    np.savez(CURVES, **flat)
    print("activation rate train_loss train_accuracy test_loss test_accuracy")
    for name, found in curves.items():
        for index, rate in enumerate(RATES):
            ends = [
                found[f"{part}_{quantity}"][index, :, -1].mean()
                for part in ("train", "test")
                for quantity in ("loss", "accuracy")
            ]
            print(name, rate, *(f"{end:.4f}" for end in ends))
