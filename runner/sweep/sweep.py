"""Run a sweep with any Hydra sweeper and launcher, then compare the runs.

By default the sweep consists of all combinations (grid.py), in parallel on this machine (pool.py).
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.types import RunMode
from omegaconf import open_dict, read_write

from runner.config.compose import Composed, Composition
from runner.config.hydra_keys import RUN_DIR, SWEEP_DIR, asks_of_a_job, sets
from runner.config.overrides import as_text
from runner.results.objective import check_objective
from runner.results.run import SUMMARY
from runner.sweep.grid import Grid
from runner.sweep.job import Failure, SweepOutcome, forget_failure, noted_failures
from runner.sweep.launched import launched_job
from runner.sweep.loader import JobLoader
from runner.system.files import write_whole
from runner.system.signals import raise_on_signals, signal_of
from runner.system.terminal import ConfigError, first_line, one_line
from runner.training.checkpoint import INTERRUPTED_SUFFIX

if TYPE_CHECKING:  # imported later, so that the first job starts sooner
    from runner.compare import Comparison

OWN_SWEEPERS = ("grid", "optuna")
COMPARISON = "comparison"
"""The name of the comparison's folder, in the sweep's folder."""


@dataclass(frozen=True)
class Swept:
    """How a sweep ended.

    Attributes:
        folder: the sweep's folder.
        comparison: the comparison of the finished runs; None if there are none.
        failures: the jobs without a finished run.
        left: the number of unfinished jobs, if known.
        stop: the number of the signal that ended the sweep early.
        error: why the sweeper or launcher failed; empty if it did not.
    """

    folder: Path
    comparison: Comparison | None
    failures: list[Failure]
    left: int
    stop: int | None
    error: str = ""


def sweep(composition: Composition) -> int:
    """Run a sweep, print its progress and result, and return the exit status.

    The status is 1 if jobs or pictures failed. Raises ConfigError as ``carry_out`` does.
    """
    swept = carry_out(composition)
    undrawn = False
    if swept.comparison:
        from runner.compare.outputs import print_undrawn, terminal

        print(terminal(swept.comparison))
        print(f"  report   {swept.folder / COMPARISON / 'index.html'}")
        undrawn = print_undrawn(swept.comparison)
    for failure in swept.failures:
        print(f"failed: {_failure_line(failure)}", file=sys.stderr)
    if swept.error:
        print(f"error: {one_line(swept.error)}", file=sys.stderr)
    if swept.stop:
        jobs = f"{swept.left} job{'s' if swept.left > 1 else ''} left; " if swept.left else ""
        print(f"interrupted: {jobs}the same command continues", file=sys.stderr)
        return 128 + swept.stop
    return 1 if swept.failures or swept.error or undrawn else 0


def carry_out(composition: Composition, *, show_progress: bool = True) -> Swept:
    """Let the sweeper run its jobs, compare the finished runs, and write the comparison.

    Ctrl-C stops the jobs; finished runs are still compared. Raises ConfigError.
    """
    if sets(composition.words, RUN_DIR):
        raise ConfigError(f"{RUN_DIR} is a run's folder; a sweep's is {SWEEP_DIR}")
    check_objective(composition.sections["objective"])
    folder = composition.sweep_folder
    ended = _swept(composition, show_progress)
    finished = ended.finished if isinstance(ended, Grid) else _finished_in(folder)
    if ended.error and not (finished or ended.failures):
        raise ConfigError(ended.error)
    _write_failures(folder, ended.failures)
    comparison = _compare(finished, folder, ended, composition) if finished else None
    left = len(ended.jobs) - len(finished) if isinstance(ended, Grid) else 0
    return Swept(folder, comparison, ended.failures, left, ended.stop, ended.error)


def _swept(composition: Composition, show_progress: bool) -> SweepOutcome:
    """Call Hydra's ``multirun`` and return the result of the sweeper."""
    config, folder = composition.config, composition.sweep_folder
    words = [word for word in composition.words if not word.is_hydras]
    with read_write(config.hydra), open_dict(config):
        config.hydra.mode = RunMode.MULTIRUN
        # an absolute path, because jobs may run on other machines
        config.hydra.sweep.dir = str(folder.absolute())
        config.hydra.overrides.hydra.append(f"{SWEEP_DIR}={as_text(config.hydra.sweep.dir)}")
        config.hydra.overrides.task = list(map(str, words))
    ours = composition.sweeper in OWN_SWEEPERS
    loader = JobLoader(composition, show_progress=show_progress)
    hydra = Composed(config, loader)
    tells = composition.launcher != "pool" or not ours or asks_of_a_job(composition.words)
    if not ours:
        for failure in noted_failures(folder):  # notes of an earlier sweep
            forget_failure(folder, failure.folder)
    if not ours and show_progress:
        print(f"sweep by hydra/sweeper={composition.sweeper} in {folder}")
    ended = SweepOutcome()
    try:
        with nullcontext() if ours else raise_on_signals():
            found = hydra.multirun("config", launched_job, [], with_log_configuration=tells)
        if isinstance(found, Grid):
            return found
    except KeyboardInterrupt as stop:
        if ours:
            raise
        ended.stop = signal_of(stop)
    except Exception as error:  # a sweeper plugin may raise anything
        if ours:
            raise
        reason = f"{type(error).__name__}: {first_line(error)}"
        ended.error = f"hydra/sweeper={composition.sweeper} failed: {reason}"
    ended.failures = noted_failures(folder)
    return ended


def _finished_in(folder: Path) -> list[Path]:
    """Return the folders of all runs in a sweep's folder."""
    found = (path.parent.relative_to(folder) for path in folder.rglob(SUMMARY))
    return sorted(
        folder / path
        for path in found
        if not any(part.startswith(".") or part.endswith(INTERRUPTED_SUFFIX) for part in path.parts)
    )


def _compare(
    finished: list[Path], folder: Path, ended: SweepOutcome, composition: Composition
) -> Comparison:
    from runner.compare import Problem, compare

    problems = [
        Problem(failure.folder.name, failure.reason, failure.command) for failure in ended.failures
    ]
    tune, metric = (ended.tune, ended.metric) if isinstance(ended, Grid) else (None, None)
    return compare(
        finished,
        folder / COMPARISON,
        failures=problems,
        tune=tune or composition.sections["tune"],
        metric=metric,
        plots=composition.sections["plots"],
    )


def _write_failures(folder: Path, failures: list[Failure]) -> None:
    path = folder / "failures.txt"
    if not failures:
        path.unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, "".join(f"{_failure_line(failure)}\n" for failure in failures))


def _failure_line(failure: Failure) -> str:
    return f"{one_line(failure)}\n  repeat: {one_line(failure.command)}"
