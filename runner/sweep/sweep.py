"""Sweeps: all combinations of several values, in parallel, resumable, ending in a comparison.

A job is known by its config's digest: its folder either holds it finished, or it is still to
do. So the same command runs only what is missing, and more values on an axis only the new.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.config.compose import Composition
from runner.config.overrides import Word
from runner.execute import refuse_long_names
from runner.results.find import find
from runner.results.write import OLD, make_parent, put_aside
from runner.sweep import cluster, pool
from runner.sweep.job import Failure, Job
from runner.sweep.plan import Plan, plan
from runner.system.files import write_whole
from runner.system.terminal import note, one_line
from runner.training.fingerprint import fingerprint

if TYPE_CHECKING:  # which a sweep's start need not wait for
    from runner.compare import Comparison

COMPARISON = "comparison"
"""The folder of a sweep's comparison, in the sweep's."""


@dataclass(frozen=True)
class Swept:
    """How a sweep has ended.

    Attributes:
        folder: where its runs are.
        comparison: of all that is finished; None if nothing is.
        failures: jobs that left no finished run.
        left: how many jobs are still to do.
        stop: the number of the signal that has ended it early.
    """

    folder: Path
    comparison: Comparison | None
    failures: list[Failure]
    left: int
    stop: int | None


def sweep(composition: Composition) -> int:
    """Carry out a sweep and print how it goes and ends; return the exit status, which failed jobs
    and pictures make 1. Raises ConfigError as ``carry_out`` does."""
    swept = carry_out(composition)
    undrawn = False
    if swept.comparison:
        from runner.compare.outputs import tell_undrawn, terminal

        print(terminal(swept.comparison))
        print(f"  report   {swept.folder / COMPARISON / 'index.html'}")
        undrawn = tell_undrawn(swept.comparison)
    for failure in swept.failures:
        print(f"failed: {_told(failure)}", file=sys.stderr)
    if swept.stop:
        jobs = f"{swept.left} job{'s' if swept.left > 1 else ''}"
        print(f"interrupted: {jobs} left; the same command continues", file=sys.stderr)
        return 128 + swept.stop
    return 1 if swept.failures or undrawn else 0


def carry_out(composition: Composition, *, show_progress: bool = True) -> Swept:
    """Run what is missing of a sweep, compare all of it, and write the comparison.

    Where keys are tuned, what validation data choose of the jobs is trained anew, with seeds
    that no choice has seen. One job that fails, diverges or is killed costs only itself. Ctrl-C
    ends at once and still compares what is finished. Raises ConfigError if any combination is
    wrong, before anything is made.
    """
    planned = plan(composition)
    jobs, folder = planned.jobs, planned.folder
    every = [*jobs, *planned.judges]
    refuse_long_names(max((job.folder for job in every), key=lambda path: len(path.name)))
    title = f"sweep of {len(jobs)} job{'s' if len(jobs) > 1 else ''} in {folder}"
    words, show = composition.words, show_progress
    failures, stop = _run(jobs, title, planned, words, show, planned.remarks, planned.doubt)
    judges = _chosen(planned) if stop is None else []
    if judges:
        title = f"{len(judges)} more with seeds that no choice has seen, of what validation chose"
        more, stop = _run(judges, title, planned, words, show)
        failures += more
    jobs = [*jobs, *judges]
    finished = [job.folder for job in _finished(jobs)]
    if stop is None:
        known = {*finished, *(failure.job.folder for failure in failures)}
        lost = [job for job in jobs if job.folder not in known]
        failures += [Failure(job, "it had ended well; now its folder is gone") for job in lost]
    _write_failures(folder, failures)
    comparison = _compare(finished, folder, failures, planned) if finished else None
    return Swept(folder, comparison, failures, len(jobs) - len(finished), stop)


def _run(
    jobs: list[Job],
    title: str,
    planned: Plan,
    words: Sequence[Word],
    show_progress: bool,
    remarks: Sequence[str] = (),
    doubt: str = "",
) -> tuple[list[Failure], int | None]:
    """Run those of the jobs that are not finished; return the failed ones, and the number of the
    signal that has ended the others."""
    missing, stale = [], {}
    for job in jobs:
        experiment = job.experiment
        # which machines a launcher uses is not known here
        found = find(job.folder, experiment, fingerprint(experiment), machine=not planned.launcher)
        if found.state != "finished":
            missing.append(job)
        if found.state == "stale":
            stale[job.folder] = found.reason
    there = len(jobs) - len(missing)
    if show_progress:
        print(
            title
            + (f", {there} of them finished already" if there else "")
            + (f", {len(stale)} to be trained anew" if stale else "")
        )
    for remark in remarks:
        print(f"  note: {one_line(remark)}")
    if missing:
        if doubt:
            note(doubt)
        make_parent(missing[0].folder)
    if stale:
        for path in stale:
            put_aside(path)
        first, reason = next(iter(stale.items()))
        note(
            f"trained anew: {len(stale)} of the jobs, the first because {first} {reason}; the "
            f"former runs are in {planned.folder / OLD}"
        )
    if not missing:
        return [], None
    if planned.launcher:
        return cluster.launch(missing, words, planned.folder), None
    return pool.launch(missing, show_progress=show_progress)


def _finished(jobs: Sequence[Job]) -> list[Job]:
    return [job for job in jobs if find(job.folder, job.experiment).state == "finished"]


def _chosen(planned: Plan) -> list[Job]:
    """Return the jobs that judge what validation data choose of the finished ones."""
    if planned.tune is None:
        return []
    from runner.compare.runs import collect
    from runner.compare.scores import chosen_configs

    runs, _ = collect(job.folder for job in _finished(planned.jobs))
    configs = chosen_configs(runs, planned.tune)
    pairs = zip(planned.jobs, planned.judges, strict=True)
    return [judge for job, judge in pairs if job.setting in configs]


def _compare(
    finished: list[Path], folder: Path, failures: list[Failure], planned: Plan
) -> Comparison:
    from runner.compare import Problem, compare

    problems = [
        Problem(failure.job.folder.name, failure.reason, failure.job.command)
        for failure in failures
    ]
    plots = planned.jobs[0].experiment.plots
    return compare(finished, folder / COMPARISON, failures=problems, tune=planned.tune, plots=plots)


def _write_failures(folder: Path, failures: list[Failure]) -> None:
    path = folder / "failures.txt"
    if not failures:
        path.unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, "".join(f"{_told(failure)}\n" for failure in failures))


def _told(failure: Failure) -> str:
    return f"{one_line(failure)}\n  repeat: {one_line(failure.job.command)}"
