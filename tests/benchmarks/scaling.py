"""How training time grows with parameters, replicates, samples and epochs.

    python -m tests.benchmarks.scaling

One setting is doubled repeatedly while the others stay the same. The time is ``seconds.training``
of the run's summary (data, steps and records; no imports, no files), the smallest of the rounds, on
one core. The exponent is the least-squares slope of log(seconds) against log(setting) over the
upper half of the range, where fixed costs matter little. It should be about 1 or less. For the
width, the exponent is that of the number of parameters. If it is above 1.1, the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.benchmarks.processes import environment, machine, table

ROUNDS = 3
FIXED = ["activation=tanh", "plots=none", "training.record_every=1000", "replicates=1"]
ALLOWED = 1.1
"""A larger exponent means that time grows faster than the work; 0.1 allows for timing noise."""

SETTINGS: dict[str, tuple[list[int], str]] = {
    "replicates": ([8, 16, 32, 64, 128, 256, 512], "replicates={}"),
    "samples": ([1000, 2000, 4000, 8000, 16000, 32000], "dataset.samples={}"),
    "epochs": ([50, 100, 200, 400, 800, 1600], "training.epochs={}"),
    "width": ([32, 64, 128, 256, 512, 1024], "model.hidden=[{0},{0}]"),
}
LESS_WORK = {"width": ["training.epochs=5", "training.batch_size=256", "dataset.samples=4000"]}
DEFAULTS = ["training.epochs=20"]


def measure(overrides: list[str]) -> tuple[float, int]:
    """Return a run's training seconds and parameters. Raises RuntimeError if it failed."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        done = subprocess.run(
            [sys.executable, "-m", "runner", *overrides, f"hydra.run.dir={run}"],
            cwd=folder,
            env=environment("one"),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            raise RuntimeError(f"{' '.join(overrides)}: {last}")
        summary = json.loads((run / "summary.json").read_text())
    return float(summary["seconds"]["training"]), int(summary["parameters"])


def sweep(name: str, rounds: int) -> tuple[list[list[str]], float]:
    """Return the rows of one setting, and its exponent."""
    values, form = SETTINGS[name]
    base = [*FIXED, *DEFAULTS, *LESS_WORK.get(name, [])]
    key = form.split("=")[0]
    least = [float("inf")] * len(values)
    parameters = [0] * len(values)
    for _ in range(rounds):
        for index, value in enumerate(values):
            kept = {item.split("=")[0]: item for item in base} | {key: form.format(value)}
            seconds, parameters[index] = measure(list(kept.values()))
            least[index] = min(least[index], seconds)
    x = parameters if name == "width" else values
    half = len(values) // 2
    exponent = float(np.polyfit(np.log(x[half:]), np.log(least[half:]), 1)[0])
    label = "parameters" if name == "width" else name
    rows = [
        [label, f"{size:,}", f"{seconds:.4f}", f"{1e6 * seconds / size:.2f}", ""]
        for size, seconds in zip(x, least, strict=True)
    ]
    rows[-1][-1] = f"{exponent:.2f}"
    return rows, exponent


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s")
    parser.add_argument(
        "--only", choices=list(SETTINGS), nargs="+", default=list(SETTINGS), help="default: all"
    )
    options = parser.parse_args()
    print(machine())
    rows, too_fast = [], []
    for name in options.only:
        found, exponent = sweep(name, options.rounds)
        rows += found
        if exponent > ALLOWED:
            too_fast.append(f"{name} grows with exponent {exponent:.2f}")
    print()
    print(table(["setting", "value", "seconds", "µs for each", "exponent"], rows))
    for line in too_fast:
        print(line, file=sys.stderr)
    return 1 if too_fast else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(f"error: {error}")
