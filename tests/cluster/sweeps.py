"""Start sweeps as a user does, and compare the files that they write."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
NOT_INSTALLED = 77
FILES = ("config.yaml", "history.csv", "weights.npz")
"""Files of a run to compare; its summary also contains times, which differ."""
SWEEP = ["activation=relu,tanh", "seed=range(0,24,2)", "replicates=2", "training.epochs=3000",
         "plots=none"]  # fmt: skip
JOBS = 24
SECONDS = 500.0
ALONE = 'ip link set lo up && ip address add 192.0.2.1/32 dev lo && exec "$@"'
"""Shell commands for a new network namespace. With a loopback address only, getaddrinfo fails."""


class Refuted(Exception):
    """A check failed."""


def own_network(module: str) -> None:
    """Run this program again in its own network namespace, if the user may create one."""
    if os.environ.get("OWN_NETWORK") or shutil.which("unshare") is None:
        return
    for options in (["-n"], ["-rn"]):
        if subprocess.run(["unshare", *options, "true"], capture_output=True).returncode == 0:
            os.environ["OWN_NETWORK"] = "1"
            again = [sys.executable, "-m", module, *sys.argv[1:]]
            os.execvp("unshare", ["unshare", *options, "sh", "-c", ALONE, "sh", *again])


def missing(programs: Sequence[str], modules: Sequence[str]) -> str:
    """Return the names that are not installed, or "" if all are."""
    from importlib.util import find_spec

    lacking = [name for name in programs if shutil.which(name) is None]
    return ", ".join([*lacking, *(name for name in modules if find_spec(name) is None)])


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start a sweep whose folder is ``folder``."""
    command = [sys.executable, "-m", "runner", "-m", *SWEEP, f"hydra.sweep.dir={folder}", *words]
    path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        command,
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(sweep: subprocess.Popen[str], status: int) -> str:
    """Wait for a sweep to end; return its output. Raises Refuted for another exit status."""
    out, err = sweep.communicate(timeout=SECONDS)
    if sweep.returncode != status:
        raise Refuted(f"status {sweep.returncode} and not {status}:\n{out[-1500:]}\n{err[-3000:]}")
    return out + err


def wait_for_runs(folder: Path, count: int, sweep: subprocess.Popen[str]) -> None:
    """Wait until ``count`` runs are finished."""
    deadline = time.monotonic() + SECONDS
    while len(list(folder.glob("*/summary.json"))) < count:
        if sweep.poll() is not None or time.monotonic() > deadline:
            out, err = sweep.communicate()
            raise Refuted(f"the sweep has ended too early:\n{out[-1500:]}\n{err[-3000:]}")
        time.sleep(0.05)


def contents(folder: Path) -> dict[tuple[str, str], bytes]:
    """Return the contents of the runs' files, by folder and name."""
    return {
        (run.parent.name, name): (run.parent / name).read_bytes()
        for run in folder.glob("*/summary.json")
        for name in FILES
    }


def scores(folder: Path) -> str:
    """Return the comparison's scores.csv, which contains no times."""
    return (folder / "comparison" / "scores.csv").read_text(encoding="utf-8")


def same(folder: Path, undisturbed: Path) -> str:
    """Return a line that two sweeps are byte-identical. Raises Refuted if they are not."""
    ours, theirs = contents(folder), contents(undisturbed)
    if len(theirs) != JOBS * len(FILES):
        raise Refuted(f"{len(theirs)} files in {undisturbed}")
    different = [key for key in theirs | ours if ours.get(key) != theirs.get(key)]
    if different:
        raise Refuted(f"{len(different)} of {len(theirs)} files differ, the first {different[0]}")
    if scores(folder) != scores(undisturbed):
        raise Refuted("the comparisons' scores differ")
    return f"{len(theirs)} files of {JOBS} runs and the comparison's scores are the same bytes"


def failures(folder: Path) -> list[str]:
    """Return the lines in which the sweep lists its failed jobs."""
    path = folder / "failures.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line for line in lines if not line.startswith(" ")]
