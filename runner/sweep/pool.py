"""A sweep on this machine: what ``hydra/launcher=pool`` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from runner.config.hydra_keys import asks_of_a_job
from runner.execute import repeat_command
from runner.sweep import job as without_hydra
from runner.sweep import launched as by_hydra
from runner.sweep.job import Failure, note_failure
from runner.sweep.launched import Task, launched_job
from runner.sweep.loader import JobLoader
from runner.system.bar import Bar
from runner.system.processes import available_cores, run_jobs
from runner.system.signals import Listener, stopped_by
from runner.system.terminal import ConfigError, WorkFailed, one_line


def launch(
    job_overrides: Sequence[Sequence[str]],
    initial_job_idx: int,
    *,
    context: HydraContext,
    task_function: TaskFunction,
    config: DictConfig,
    processes: int | None,
) -> list[JobReturn]:
    """Run jobs as ``PoolLauncher.launch`` says. Progress is one moving line on a terminal, one line
    a job elsewhere."""
    loader = context.config_loader
    if not isinstance(loader, JobLoader) or task_function is not launched_job:
        raise ConfigError("hydra/launcher=pool runs the jobs of python -m runner only")
    asks = asks_of_a_job(loader.composition.words)
    work: Callable[[Any], Any] = by_hydra.work if asks else without_hydra.work
    folder = loader.composition.sweep_folder
    name = loader.composition.sections["objective"]
    returns = [JobReturn(list(overrides), task_name="runner") for overrides in job_overrides]
    tasks: list[Any] = []
    jobs, places = [], []
    for place, overrides in enumerate(job_overrides):
        number = initial_job_idx + place
        try:
            job = loader.job(overrides, number)
        except ConfigError as error:  # what a sweeper has drawn may be no experiment
            returns[place].status, returns[place].return_value = JobStatus.FAILED, error
            failure = Failure(folder / f"job_{number}", str(error), repeat_command(overrides))
            note_failure(folder, failure)
            continue
        tasks.append(Task(job, number, context, config) if asks else (job, name))
        jobs.append(job)
        places.append(place)
    listener = Listener()
    show, failed = loader.show_progress, 0
    bar = Bar(
        total=len(tasks), desc="sweep", unit="job", disable=None if show else True, leave=False
    )
    with listener.listening(), bar:
        ended = run_jobs(
            work,
            tasks,
            processes or available_cores(),
            stopped=lambda: listener.received is not None,
        )
        for done, (index, result, reason) in enumerate(ended, start=1):
            job, found = jobs[index], returns[places[index]]
            if reason is None:
                told, value = result
                found.status, found.return_value = JobStatus.COMPLETED, value
            else:
                told = reason
                found.status, found.return_value = JobStatus.FAILED, WorkFailed(reason)
                note_failure(folder, Failure(job.folder, reason, job.command))
                failed += 1
            if not bar.disable:
                bar.set_postfix_str(f"{failed} failed" if failed else "")
                bar.update()
            elif show:
                print(f"[{done}/{len(tasks)}] {job.folder.name}: {one_line(told)}", flush=True)
    if listener.received is not None:
        raise stopped_by(listener.received)
    return returns
