"""Memory over a long run and a large sweep, the cost of a job, and the cost of checkpoints.

    python -m tests.benchmarks.endurance                a million steps, 2,000 jobs: some minutes
    python -m tests.benchmarks.endurance --share 0.1    a tenth of each
    python -m tests.benchmarks.endurance --jobs 20000   only a sweep of 20,000 jobs

"ms over training" is the wall time from the command to the report, minus the training time divided
by the number of cores, per job. Memory is the resident set of the command and all of its worker
processes after a tenth, a half and all of the time, read from /proc every half second (Linux only).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from runner.system.processes import available_cores
from tests.benchmarks.processes import environment, machine, table

STEPS, JOBS, EPOCHS = 1_000_000, 2_000, 250
POLL_SECONDS = 0.5
MEBIBYTE = 2.0**20
PAGE = os.sysconf("SC_PAGE_SIZE")
RUN = [sys.executable, "-m", "runner", "plots=none"]

CHECKPOINTS = """
import time
from pathlib import Path
from runner.training.checkpoint import Checkpointer
from runner.config.compose import compose
from runner.training.train import train
taken, sizes, save = [], [], Checkpointer.save
def timed(self, state):
    before = time.perf_counter()
    save(self, state)
    taken.append(time.perf_counter() - before)
    sizes.append((self.place / "checkpoint.npz").stat().st_size)
Checkpointer.save = timed
experiment = compose({words!r}).experiment
training = train(experiment, checkpointer=Checkpointer(Path("run"), experiment))
print(training.seconds, len(taken), sum(taken), max(sizes, default=0))
"""


def resident(pid: int) -> float:
    """Return the current resident set of a process and its descendants in MiB."""
    parents, pages = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(after_name[1])
                pages[int(entry.name)] = int((entry / "statm").read_text().split()[1])
            except OSError:  # the process has just ended
                continue
    family = {pid}
    while grown := {p for p, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(pages.get(p, 0) for p in family) * PAGE / MEBIBYTE


def watched(words: list[str], folder: str) -> tuple[float, list[float]]:
    """Run a command; return its seconds and its resident set every half second, in MiB."""
    started, held = time.perf_counter(), []
    process = subprocess.Popen(
        [*RUN, *words], cwd=folder, env=environment("all"), stdout=subprocess.DEVNULL
    )
    while process.poll() is None:
        held.append(resident(process.pid))
        time.sleep(POLL_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)}: exit status {process.returncode}")
    return time.perf_counter() - started, [found for found in held if found]


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def row(name: str, seconds: float, held: list[float], folder: Path, parts: int) -> dict[str, Any]:
    at = [held[min(len(held) - 1, int(share * len(held)))] for share in (0.1, 0.5, 1)]
    total = size(folder)
    return {
        "what": name,
        "seconds": seconds,
        **dict(zip(("MiB at 10%", "at 50%", "at 100%", "most"), (*at, max(held)), strict=True)),
        "MB on disk": total / 1e6,
        "kB each": total / parts / 1e3,
        "ms over training": None,
    }


def run(steps: int) -> dict[str, Any]:
    """Return the row of a run of about ``steps`` steps, rounded to whole epochs."""
    steps_per_epoch = 19  # 600 training samples, batches of 32
    epochs = max(1, round(steps / steps_per_epoch))
    with tempfile.TemporaryDirectory() as folder:
        words = [f"training.epochs={epochs}", "training.record_every=100", "replicates=1"]
        seconds, held = watched(words, folder)
        name = f"a run of {epochs * steps_per_epoch:,} steps"
        return row(name, seconds, held, Path(folder), 1)


def sweep(jobs: int) -> dict[str, Any]:
    """Return the row of a sweep of ``jobs`` small jobs."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["-m", f"seed=range({jobs})", "replicates=1", "training.epochs=5"]
        seconds, held = watched(words, folder)
        place = Path(folder) / "outputs" / "sweeps"
        summaries = place.glob("*/*/summary.json")
        trained = sum(json.loads(path.read_bytes())["seconds"]["training"] for path in summaries)
        over = 1e3 * (seconds - trained / available_cores()) / jobs
        found = row(f"a sweep of {jobs:,} jobs", seconds, held, place, jobs)
        return found | {"ms over training": over}


def checkpoints(epochs: int) -> tuple[int, float, float, float]:
    """Return the number of checkpoints, the size of the largest in bytes, the seconds of all
    checkpoints, and the seconds of the whole training."""
    words = ["plots=none", "model.hidden=[64,64]", "replicates=64", f"training.epochs={epochs}"]
    with tempfile.TemporaryDirectory() as folder:
        found = subprocess.run(
            [sys.executable, "-c", CHECKPOINTS.format(words=words)],
            cwd=folder,
            env=environment("all"),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    total, count, saving, largest = (float(word) for word in found)
    return int(count), largest, saving, total


def show(rows: list[dict[str, Any]]) -> None:
    """Print the rows as a table; None becomes an empty cell."""
    lines = []
    for what, *numbers in (found.values() for found in rows):
        lines.append([what, *("" if number is None else f"{number:.1f}" for number in numbers)])
    print("\n" + table([*rows[0]], lines))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--share", type=float, default=1.0, help="share of the steps and jobs")
    parser.add_argument("--jobs", type=int, help="measure only a sweep of this many jobs")
    options = parser.parse_args()
    share = options.share
    print(machine())
    if options.jobs:
        show([sweep(options.jobs)])
        return 0
    show([run(round(share * STEPS)), sweep(max(2, round(share * JOBS)))])
    count, largest, saving, total = checkpoints(round(share * EPOCHS))
    print(
        f"\ncheckpoints: {count} of up to {largest / 1e6:.1f} MB in {total:.0f} s of training "
        f"took {saving:.2f} s, {saving / total:.2%} of it"
    )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
