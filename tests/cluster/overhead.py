"""What a job costs beside its training, and what a second process gains, on each launcher.

    python -m tests.cluster.overhead [pool joblib ray slurm ...]

For each launcher a sweep of short jobs, grouped as it groups them, on one process and on two, and
one of longer jobs on both. "Ungrouped" has a task for every job: what a job costs more there is
what a task costs, from which the size of groups follows. Overhead is the command's seconds without
those of training, for each job, on one process; the start is a sweep of two jobs. Launchers that
are not installed are left out.
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
    """Return the seconds of a sweep from command to report, and those of training in it."""
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
    """Return a launcher's line of the table."""
    one, two = ([word.format(n=n) for word in ON[name]] for n in (1, 2))
    size = [f"{SIZE}=1"] if name.endswith("ungrouped") else []
    short = 10 if name == "slurm ungrouped" else SHORT
    start, _ = timed(["seed=range(2)", *QUICK, *one, *size])
    few, trained = timed([f"seed=range({short})", *QUICK, *one, *size])
    slow = [f"seed=range({LONG})", *SLOW]
    if name.startswith("slurm"):  # which by the rule would be one task
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
