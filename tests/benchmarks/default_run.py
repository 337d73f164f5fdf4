"""The time to train and to record an epoch of a default run, for every popular activation.

    python -m tests.benchmarks.default_run
    python -m tests.benchmarks.default_run --rounds=40 relu tanh

The run is the default run on spirals: 10 replicates of [16,16], batches of 32, float32, every epoch
recorded. Training is ``Group.run_epoch``; recording is ``Group.finish_epoch``, everything else in
an epoch. All activations train in one process. In each round each trains EPOCHS epochs, and the
order reverses from round to round. Times are medians over the rounds; ratios are medians of ratios
within a round. To measure without AVX-512:

    NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL" OPENBLAS_CORETYPE=Haswell python -m ...
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from runner.config.compose import compose
from runner.system.blas import one_blas_thread
from runner.training.stack import Group
from tests.benchmarks.processes import machine, table, versions

BASE = "relu"
ACTIVATIONS = (
    "tanh sigmoid softplus elu silu softmax gelu gelu_tanh mish swish swiglu glu geglu selu "
    "leaky_relu hardswish prelu"
).split()
ROUNDS, EPOCHS = 20, 3


class Run:
    """A default run that can train any number of epochs."""

    def __init__(self, activation: str) -> None:
        self.experiment = compose([f"activation={activation}", "dataset=spirals"]).experiment
        self.group = Group(self.experiment, self.experiment.seeds)
        steps = math.ceil(self.group.samples / self.group.batch_size)
        self.factors = self.group.schedule.factors(0, self.experiment.training.epochs, steps)

    def times(self, epochs: int) -> tuple[float, float]:
        """Return the seconds of training and of recording per epoch."""
        training = recording = 0.0
        for _ in range(epochs):
            start = time.perf_counter()
            before = self.group.run_epoch(self.factors)
            between = time.perf_counter()
            self.group.epoch += 1
            self.group.finish_epoch(self.group.optimizer.learning_rate, before)
            training += between - start
            recording += time.perf_counter() - between
        return training / epochs, recording / epochs


@one_blas_thread()
@np.errstate(all="ignore")
def measure(names: Sequence[str], rounds: int) -> list[dict[str, Any]]:
    """Return for each activation the milliseconds of training and recording per epoch, their
    ratio, and the ratio of its epoch to that of BASE."""
    runs = {name: Run(name) for name in dict.fromkeys([BASE, *names])}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name in list(runs) if number % 2 else reversed(runs):
            found[name].append(runs[name].times(EPOCHS))
    rows = []
    for name, times in found.items():
        times, base = times[1:], found[BASE][1:]  # the first round warms up
        relative = [sum(a) / sum(b) for a, b in zip(times, base, strict=True)]
        rows.append(
            {
                "activation": name,
                "training, ms": 1e3 * statistics.median(training for training, _ in times),
                "recording, ms": 1e3 * statistics.median(recording for _, recording in times),
                "recording / training": statistics.median(b / a for a, b in times),
                f"epoch / {BASE}'s": statistics.median(relative),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "activation", nargs="*", default=ACTIVATIONS, help="default: the popular ones"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s")
    options = parser.parse_args()
    print(machine())
    print(versions(["numpy"]))
    rows = measure(options.activation, options.rounds)
    lines = [[row.pop("activation"), *(f"{number:.2f}" for number in row.values())] for row in rows]
    print(table(["activation", *rows[0]], lines))


if __name__ == "__main__":
    main()
