"""The time to answer a whole question, compared with programs written by hand.

    python -m tests.benchmarks.question                    three rounds, 100 epochs: two minutes
    python -m tests.benchmarks.question --avx2             the same without AVX-512
    python -m tests.benchmarks.question --epochs 5 --rounds 1 --only runner jax

The question: which of 4 activations is best for spirals, each at the best of 5 learning rates?
There are 10 replicates each, losses and accuracies of three splits after every epoch, [16,16],
batch 32, Adam, float32. Our answer is the shell command in an empty folder, including the run
folders and the HTML comparison. The others are ``answers/in_jax.py`` and ``answers/in_pytorch.py``,
which write a file of curves and print a table of means.

The time is the wall time of the whole process on two cores, including imports and compilation;
systems take turns. All use the same data, initial weights and batches. The last column is the
largest difference between a setting's mean test accuracy and ours. Rounding causes it, and a large
learning rate amplifies it. If it exceeds 0.05, the exit status is 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from tests.benchmarks import answers
from tests.benchmarks.processes import (
    environment,
    machine,
    spread,
    switch_to_avx2,
    table,
    versions,
)

ROUNDS = 3
CORES = 2
ALLOWED_DIFFERENCE = 0.05
OURS = [
    "runner",
    "-m",
    f"activation={','.join(answers.ACTIVATIONS)}",
    f"optimizer.learning_rate={','.join(map(str, answers.RATES))}",
    "dataset=spirals",
    "plots=none",
]
SYSTEMS = {
    "runner": OURS,
    "jax": ["tests.benchmarks.answers.in_jax"],
    "torch": ["tests.benchmarks.answers.in_pytorch"],
}
Means = dict[tuple[str, float], float]


def refuse_other_work() -> None:
    """Raise ValueError unless all answers have our data, initial weights and batches."""
    from runner.config.compose import compose
    from runner.data.streams import BATCHES_STREAM
    from runner.training.stack import build_network, load_data

    for name in answers.ACTIVATIONS:
        experiment = compose([f"activation={name}", "dataset=spirals"]).experiment
        theta = build_network(experiment, experiment.seeds)[0].theta
        if not np.allclose(theta, answers.initial_vectors(name), rtol=1e-6, atol=1e-7):
            raise ValueError(f"{name}: the initial weights are not ours")
    data, (x, labels) = load_data(experiment, experiment.seeds), answers.data()
    start = 0
    for part, size in answers.PARTS.items():
        rows = slice(start, start + size)
        ours = data.part(part)
        if not (np.array_equal(ours[0], x[:, rows]) and np.array_equal(ours[1], labels[:, rows])):
            raise ValueError(f"the {part} data are not ours")
        start += size
    rngs = [np.random.default_rng([seed, BATCHES_STREAM]) for seed in experiment.seeds]
    ours = np.array([[rng.permutation(answers.PARTS["train"]) for rng in rngs] for _ in range(2)])
    if not np.array_equal(ours, answers.batch_orders(2)):
        raise ValueError("the batches are not ours")


def answer(system: str, epochs: int) -> tuple[float, Means]:
    """Return the seconds of a whole process, and the mean test accuracy by activation and rate.

    Raises RuntimeError with the last line of output if the process failed.
    """
    words = [f"training.epochs={epochs}"] if system == "runner" else [f"--epochs={epochs}"]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", *SYSTEMS[system], *words],
            cwd=folder,
            env=environment("all"),
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - started
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
            raise RuntimeError(f"{system}: {last}")
        return seconds, our_means(Path(folder)) if system == "runner" else means(done.stdout)


def answers_in_turn(
    systems: Sequence[str], epochs: int, rounds: int
) -> tuple[dict[str, list[float]], dict[str, Means]]:
    """Return each system's seconds in each round, and its mean accuracies in the last one."""
    times: dict[str, list[float]] = {name: [] for name in systems}
    accuracies: dict[str, Means] = {}
    for _ in range(rounds):
        for name in systems:
            seconds, accuracies[name] = answer(name, epochs)
            times[name].append(seconds)
    return times, accuracies


def apart(one: Means, other: Means) -> float:
    """Return the largest difference between two systems' means; infinity if settings differ."""
    if one.keys() != other.keys():
        return math.inf
    return max(abs(mean - other[key]) for key, mean in one.items())


def our_means(folder: Path) -> Means:
    found: Means = {}
    for path in folder.glob("outputs/sweeps/*/*/summary.json"):
        summary = json.loads(path.read_text())
        config = yaml.safe_load((path.parent / "config.yaml").read_text())
        ends = [replicate["final"]["test_accuracy"] for replicate in summary["replicates"]]
        key = summary["activation"], config["optimizer"]["learning_rate"]
        found[key] = float(np.mean([0.0 if end is None else end for end in ends]))
    return found


def means(text: str) -> Means:
    rows = [line.split() for line in text.splitlines()[1:]]
    return {(row[0], float(row[1])): float(row[-1]) for row in rows}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=answers.EPOCHS, help="default: %(default)s")
    parser.add_argument(
        "--only", nargs="+", choices=list(SYSTEMS), default=list(SYSTEMS), help="default: all"
    )
    parser.add_argument("--avx2", action="store_true", help="do not use AVX-512")
    options = parser.parse_args()
    if options.avx2:
        switch_to_avx2()
    if hasattr(os, "sched_setaffinity"):  # all child processes inherit this
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    refuse_other_work()
    print(machine())
    print(versions(["numpy", "jax", "torch"]))
    systems = [name for name in options.only if importlib.util.find_spec(name)]
    for name in set(options.only) - set(systems):
        print(f"left out: {name} is not installed")
    times, accuracies = answers_in_turn(systems, options.epochs, options.rounds)
    rows, agree = [], True
    for name in systems:
        ratio = differs = ""
        if "runner" in systems:
            pairs = zip(times[name], times["runner"], strict=True)
            ratio = spread([theirs / ours for theirs, ours in pairs], "{:.2f}")
            difference = apart(accuracies[name], accuracies["runner"])
            agree &= difference <= ALLOWED_DIFFERENCE
            differs = f"{difference:.3f}"
        rows.append([name, spread(times[name], "{:.2f}"), ratio, differs])
    print(
        f"\n{len(answers.ACTIVATIONS)} activations x {len(answers.RATES)} learning rates x "
        f"{answers.SEEDS} replicates, {options.epochs} epochs\n"
    )
    print(table(["process", "seconds", "times ours", "accuracy differs"], rows))
    if not agree:
        print("\naccuracies differ by more than rounding explains", file=sys.stderr)
    return 0 if agree else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, ValueError) as error:
        sys.exit(f"error: {error}")
