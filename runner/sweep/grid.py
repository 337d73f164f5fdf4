"""Run all combinations of the swept values: ``hydra/sweeper=grid``.

The name of a job's folder contains a hash of the job's config. A job is finished if the folder
holds its finished run. So the same command runs only the missing jobs, and additional values of a
key add only new jobs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hydra.core.utils import JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext

from runner.execute import refuse_long_names
from runner.results.find import Found, find
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
    remarks = [*planned.remarks, *repeated_seeds(jobs)]
    run_missing(grid, jobs, title, launcher, loader, remarks, planned.warning)
    fresh_jobs = _chosen(planned) if grid.stop is None and not grid.error else []
    if fresh_jobs:
        count = len(fresh_jobs)
        title = f"{count} more with fresh seeds, for the settings chosen on validation data"
        run_missing(grid, fresh_jobs, title, launcher, loader)
    return grid


def repeated_seeds(jobs: Sequence[Job]) -> list[str]:
    """Return a remark if jobs of the same setting share seeds, with the words that avoid it."""
    seeds = [
        range(job.config["seed"], job.config["seed"] + job.config["replicates"]) for job in jobs
    ]
    if len(set(seeds)) == 1:
        return []
    settings: dict[str, list[range]] = {}
    for job, own in zip(jobs, seeds, strict=True):
        settings.setdefault(repr(job.setting), []).append(own)
    for same in settings.values():
        known, count = set().union(*same), sum(map(len, same))
        if len(known) == count:
            continue
        first, length = min(known), len(same[0])
        words = []
        if len(known) == max(known) + 1 - first:
            words.append(f"seed={first} replicates={len(known)} trains each of them once")
        if {len(own) for own in same} == {length}:
            apart = [str(first + k * length) for k in range(len(same))]
            listed = ",".join(apart if len(apart) <= 5 else [*apart[:3], "..."])
            words.append(f"seed={listed} trains {count} different ones")
        return [
            f"{len(same)} jobs of the same setting train {count} networks, but only {len(known)} "
            f"different ones, as replicate k has seed + k" + "".join(f"; {word}" for word in words)
        ]
    return []


def run_missing(
    grid: Grid,
    jobs: list[Job],
    title: str,
    launcher: Launcher,
    loader: JobLoader,
    remarks: Sequence[str] = (),
    warning: str = "",
) -> None:
    """Run a sweep's unfinished jobs, and add all jobs to the grid.

    Prints ``title``, unless empty, with the number of finished jobs, then the ``remarks``. Prints
    ``warning`` if jobs are missing.
    """
    found = [(job, _found(job, loader)) for job in jobs]
    missing = [job for job, one in found if one.state in ("free", "stale")]
    stale = {job.folder: one.reason for job, one in found if one.state == "stale"}
    if loader.show_progress and title:
        there = sum(one.state == "finished" for _, one in found)
        print(
            title
            + (f", {there} of them finished already" if there else "")
            + (f", {len(stale)} to be trained again" if stale else "")
        )
    for remark in remarks:
        print(f"  note: {one_line(remark)}")
    folder = loader.composition.sweep_folder
    statuses: dict[Path, JobStatus] = {}
    if missing:
        if warning:
            note(warning)
        _prepare(missing, stale, folder)
        statuses = launch_all(grid, missing, launcher, loader)
    grid.jobs += jobs
    grid.failures += _failures(grid, found, statuses, folder)


def _found(job: Job, loader: JobLoader) -> Found:
    experiment = job.experiment
    # another launcher may use other machines, so only pool compares the machine
    machine = loader.composition.launcher == "pool"
    return find(job.folder, experiment, fingerprint(experiment), machine=machine)


def _prepare(missing: list[Job], stale: dict[Path, str], folder: Path) -> None:
    """Make the sweep's folder, move stale runs away, and forget earlier failures."""
    make_parent(missing[0].folder)
    for path in stale:
        move_to_old(path)
    if stale:
        path, reason = next(iter(stale.items()))
        note(
            f"trained again: {len(stale)} of the jobs, the first because {path} {reason}; the "
            f"old runs are in {folder / OLD}"
        )
    if (folder / NOTES).is_dir():
        for job in missing:
            forget_failure(folder, job.folder)


def launch_all(
    grid: Grid, missing: list[Job], launcher: Launcher, loader: JobLoader
) -> dict[Path, JobStatus]:
    """Launch the jobs, and return their status by folder, UNKNOWN if it is not reported."""
    jobs = [list(job.launched) for job in missing]
    statuses = {job.folder: JobStatus.UNKNOWN for job in missing}
    try:
        with raise_on_signals():  # so that plugins end their processes
            returns = launcher.launch(jobs, initial_job_idx=len(grid.jobs)) or []
        pairs = zip(missing, returns, strict=False)
        statuses |= {job.folder: returned.status for job, returned in pairs}
    except KeyboardInterrupt as stop:
        grid.stop = signal_of(stop)
    except Exception as error:  # a launcher plugin may raise anything
        kind = "" if isinstance(error, ConfigError) else f"{type(error).__name__}: "
        name = loader.composition.launcher
        grid.error = f"hydra/launcher={name} failed: {kind}{first_line(error)}"
    return statuses


def _failures(
    grid: Grid, found: list[tuple[Job, Found]], statuses: dict[Path, JobStatus], folder: Path
) -> Iterator[Failure]:
    """Yield the jobs whose folder is taken, who noted a failure, or who left no run."""
    noted = {failure.folder.name: failure.reason for failure in noted_failures(folder)}
    ended = grid.stop is None and not grid.error
    for job, before in found:
        if before.state == "taken":
            yield Failure(job.folder, f"{job.folder} {before.reason}", job.command)
        elif job.folder in statuses and job.folder.name in noted:
            # even with a finished run: the job may have failed later, for instance while drawing
            yield Failure(job.folder, noted[job.folder.name], job.command)
        elif ended and not is_finished(job):
            lost = statuses.get(job.folder, JobStatus.COMPLETED) == JobStatus.COMPLETED
            reason = "it succeeded, but its folder is gone" if lost else "it did not finish"
            yield Failure(job.folder, reason, job.command)


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
