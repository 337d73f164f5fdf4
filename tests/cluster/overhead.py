"""The cost of a job in addition to training, and the gain from a second process, by launcher.

    python -m tests.cluster.overhead [pool joblib ray slurm ...]

For each launcher, three things are measured: the start (a sweep of two jobs); the cost of a job
(the time of a sweep of short jobs on one process, minus start and training, per job); and the gain
(a sweep of longer jobs on one process and on two). Jobs are grouped into tasks as the launcher
does. "Ungrouped" runs one task per job: the additional cost is that of a task, from which the group
size follows. Launchers that are not installed are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.processes import machine, table
from tests.cluster import slurm, sweeps
from tests.cluster.sweeps import REPOSITORY, Refuted

SHORT, LONG = 100, 8
SIZE = "hydra.launcher.jobs_per_task"
QUICK = ["replicates=1", "training.epochs=5", "plots=none"]
SLOW = ["replicates=4", "training.epochs=800", "plots=none"]
ON = {
    "pool": ["hydra.launcher.processes={n}"],
    "joblib": ["hydra/launcher=joblib", "hydra.launcher.n_jobs={n}"],
    "ray": ["hydra/launcher=ray", "hydra.launcher.init.address=null",
            "+hydra.launcher.init.num_cpus={n}"],
    "ray ungrouped": ["hydra/launcher=ray", "hydra.launcher.init.address=null",
                      "+hydra.launcher.init.num_cpus={n}"],
    "slurm": ["hydra/launcher=slurm", "hydra.launcher.array_parallelism={n}"],
    "slurm ungrouped": ["hydra/launcher=slurm", "hydra.launcher.array_parallelism={n}"],
}  # fmt: skip


def timed(words: list[str]) -> tuple[float, float]:
    """Return the seconds of a sweep from command to report, and the training seconds in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "runner", "-m", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            check=True,
            capture_output=True,
        )
        took = time.perf_counter() - began
        summaries = list(Path(folder).glob("outputs/sweeps/*/*/summary.json"))
        trained = sum(json.loads(path.read_bytes())["seconds"]["training"] for path in summaries)
        return took, trained


def row(name: str) -> list[str]:
    """Return the row of a launcher."""
    one, two = ([word.format(n=n) for word in ON[name]] for n in (1, 2))
    size = [f"{SIZE}=1"] if name.endswith("ungrouped") else []
    short = 10 if name == "slurm ungrouped" else SHORT
    start, _ = timed(["seed=range(2)", *QUICK, *one, *size])
    few, trained = timed([f"seed=range({short})", *QUICK, *one, *size])
    slow = [f"seed=range({LONG})", *SLOW]
    if name.startswith("slurm"):  # the default grouping would put these jobs into one task
        one, two = ([*words, f"{SIZE}={LONG // 2}"] for words in (one, two))
    alone, _ = timed([*slow, *one])
    both, _ = timed([*slow, *two])
    each = 1e3 * (few - start - trained * (1 - 2 / short)) / (short - 2)
    numbers = [f"{start:.1f}", f"{each:.0f}", f"{alone:.1f}", f"{both:.1f}", f"{alone / both:.2f}"]
    return [name, *numbers]


def main() -> int:
    wanted = sys.argv[1:] or list(ON)
    sweeps.own_network("tests.cluster.overhead")
    print(machine())
    rows = []
    with ExitStack() as stack:
        if any(name.startswith("slurm") for name in wanted):
            if lacking := sweeps.missing(slurm.PROGRAMS, ["submitit"]):
                print(f"slurm is left out; not installed: {lacking}")
                wanted = [name for name in wanted if not name.startswith("slurm")]
            else:
                place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                stack.enter_context(slurm.cluster(place))
        for name in wanted:
            module = {
                "ray": "ray",
                "ray ungrouped": "ray",
                "joblib": "hydra_plugins.hydra_joblib_launcher",
            }.get(name)
            if module and (lacking := sweeps.missing([], [module])):
                print(f"{name} is left out; not installed: {lacking}")
                continue
            rows.append(row(name))
    header = [
        "launcher",
        "start s",
        "ms a job",
        f"{LONG} jobs, 1 process s",
        "2 processes s",
        "gain",
    ]
    print("\n" + table(header, rows))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Refuted, subprocess.SubprocessError) as error:
        sys.exit(f"error: {error}")
