"""Run all combinations of the swept values: ``hydra/sweeper=grid``.

The name of a job's folder contains a hash of the job's config. A job is finished if the folder
holds its finished run. So the same command runs only the missing jobs, and additional values of a
key add only new jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext

from runner.execute import refuse_long_names
from runner.results.find import find
from runner.results.write import OLD, make_parent, move_to_old
from runner.sweep.job import NOTES, Failure, Job, SweepOutcome, forget_failure, noted_failures
from runner.sweep.loader import JobLoader
from runner.sweep.plan import Plan, plan
from runner.system.signals import raise_on_signals, signal_of
from runner.system.terminal import ConfigError, first_line, note, one_line
from runner.training.fingerprint import fingerprint


@dataclass
class Grid(SweepOutcome):
    """How a sweep's jobs ended.

    Attributes:
        jobs: all jobs, including those with fresh seeds.
        tune: the tuned keys, separated by commas; None for those of the config.
        metric: the score of the comparison; None for its default.
    """

    jobs: list[Job] = field(default_factory=list)
    tune: str | None = None
    metric: str | None = None

    @property
    def finished(self) -> list[Path]:
        """The folders of the jobs that succeeded."""
        return [job.folder for job in self.jobs if is_finished(job)]


def sweep(launcher: Launcher, context: HydraContext) -> Grid:
    """Run a sweep's missing jobs through a launcher.

    If keys are tuned, the settings that validation data choose are trained again with fresh seeds.
    A job that fails, diverges or is killed does not affect the others. Raises ConfigError if any
    combination is invalid, before anything is written.
    """
    loader = context.config_loader
    if not isinstance(loader, JobLoader):
        raise ConfigError("hydra/sweeper=grid plans sweeps of python -m runner only")
    planned = plan(loader.composition, loader.variations)
    every = [*planned.jobs, *planned.fresh_jobs]
    refuse_long_names(max((job.folder for job in every), key=lambda path: len(path.name)))
    loader.jobs.update({job.launched: job for job in every})
    jobs = planned.jobs
    grid = Grid()
    title = f"sweep of {len(jobs)} job{'s' if len(jobs) > 1 else ''} in {planned.folder}"
    remarks, warning = planned.remarks, planned.warning
    run_missing(grid, jobs, title, planned.folder, launcher, loader, remarks, warning)
    fresh_jobs = _chosen(planned) if grid.stop is None and not grid.error else []
    if fresh_jobs:
        count = len(fresh_jobs)
        title = f"{count} more with fresh seeds, for the settings chosen on validation data"
        run_missing(grid, fresh_jobs, title, planned.folder, launcher, loader)
    return grid


def run_missing(
    grid: Grid,
    jobs: list[Job],
    title: str,
    folder: Path,
    launcher: Launcher,
    loader: JobLoader,
    remarks: Sequence[str] = (),
    warning: str = "",
) -> None:
    """Run a sweep's unfinished jobs, and add all jobs to the grid.

    Prints ``title``, unless empty, with the number of finished jobs, then the ``remarks``. Prints
    ``warning`` if jobs are missing.
    """
    missing, taken, stale = [], [], {}
    for job in jobs:
        experiment = job.experiment
        # another launcher may use other machines, so only pool compares the machine
        machine = loader.composition.launcher == "pool"
        found = find(job.folder, experiment, fingerprint(experiment), machine=machine)
        if found.state == "taken":
            taken.append(Failure(job.folder, f"{job.folder} {found.reason}", job.command))
        elif found.state != "finished":
            missing.append(job)
        if found.state == "stale":
            stale[job.folder] = found.reason
    first = len(grid.jobs)
    grid.jobs += jobs
    there = len(jobs) - len(missing) - len(taken)
    if loader.show_progress and title:
        print(
            title
            + (f", {there} of them finished already" if there else "")
            + (f", {len(stale)} to be trained again" if stale else "")
        )
    for remark in remarks:
        print(f"  note: {one_line(remark)}")
    if missing:
        if warning:
            note(warning)
        make_parent(missing[0].folder)
    if stale:
        for path in stale:
            move_to_old(path)
        example, reason = next(iter(stale.items()))
        note(
            f"trained again: {len(stale)} of the jobs, the first because {example} {reason}; the "
            f"old runs are in {folder / OLD}"
        )
    returns: Sequence[JobReturn] = []
    if missing:
        if (folder / NOTES).is_dir():
            for job in missing:
                forget_failure(folder, job.folder)
        returns = launch_all(grid, missing, launcher, loader, first)
    grid.failures += taken
    reasons = {failure.folder.name: failure.reason for failure in noted_failures(folder)}
    ended = grid.stop is None and not grid.error
    known = {failure.folder for failure in taken}
    launched = {job.folder: JobStatus.UNKNOWN for job in missing}
    for job, returned in zip(missing, returns, strict=False):
        launched[job.folder] = returned.status
    for job in jobs:
        reason = reasons.get(job.folder.name, "")
        if job.folder in known or is_finished(job):
            # a job with a finished run may have failed later, for instance while drawing
            reason = reason if job.folder in launched else ""
        elif ended:
            ended_well = launched.get(job.folder, JobStatus.COMPLETED) == JobStatus.COMPLETED
            reason = reason or (LOST if ended_well else "it did not finish")
        if reason:
            grid.failures.append(Failure(job.folder, reason, job.command))


LOST = "it succeeded, but its folder is gone"


def launch_all(
    grid: Grid, missing: list[Job], launcher: Launcher, loader: JobLoader, first: int
) -> Sequence[JobReturn]:
    """Launch the jobs, and return their results if the launcher reports any."""
    jobs = [list(job.launched) for job in missing]
    try:
        with raise_on_signals():  # so that plugins end their processes
            return launcher.launch(jobs, initial_job_idx=first) or []
    except KeyboardInterrupt as stop:
        grid.stop = signal_of(stop)
    except Exception as error:  # a launcher plugin may raise anything
        kind = "" if isinstance(error, ConfigError) else f"{type(error).__name__}: "
        reason = f"{kind}{first_line(error)}"
        grid.error = f"hydra/launcher={loader.composition.launcher} failed: {reason}"
    return []


def is_finished(job: Job) -> bool:
    """Return whether a job's folder holds its run."""
    return find(job.folder, job.experiment).state == "finished"


def _chosen(planned: Plan) -> list[Job]:
    """Return the jobs with fresh seeds for the settings that validation data choose."""
    if planned.tune is None:
        return []
    from runner.compare.runs import collect
    from runner.compare.scores import chosen_configs

    runs, _ = collect(job.folder for job in planned.jobs if is_finished(job))
    configs = chosen_configs(runs, planned.tune)
    pairs = zip(planned.jobs, planned.fresh_jobs, strict=True)
    return [fresh for job, fresh in pairs if job.setting in configs]
