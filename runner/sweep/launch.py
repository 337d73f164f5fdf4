"""The common part of our launchers: from lists of overrides to the results of the jobs.

pool.py, slurm.py and ray.py run the jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from runner.config.hydra_keys import asks_of_a_job
from runner.execute import repeat_command
from runner.sweep import job as without_hydra
from runner.sweep import launched as by_hydra
from runner.sweep.job import Failure, Job, note_failure
from runner.sweep.launched import Task, launched_job
from runner.sweep.loader import JobLoader
from runner.system.bar import Bar
from runner.system.signals import Listener, interrupt_for
from runner.system.terminal import ConfigError, WorkFailed, one_line


@dataclass
class Batch:
    """Jobs that a launcher runs by calling ``work(task)`` for each task.

    Attributes:
        work: runs a job; returns its result as a short text, and its objective.
        objective: the name of the objective.
        tasks: the argument of ``work`` for each job.
        jobs: the jobs, in the order of ``tasks``.
    """

    work: Callable[[Any], tuple[str, float | None]]
    objective: str
    tasks: list[Any] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)


TaskResult = tuple[int, Any, str | None]
"""A task's position in its batch, the value that ``work`` returned, and the reason if it failed."""
CarryOut = Callable[[Batch, Callable[[], bool]], Iterator[TaskResult]]
"""Runs a batch and yields results in any order, until its second argument returns True."""


def launch(
    job_overrides: Sequence[Sequence[str]],
    initial_job_idx: int,
    *,
    context: HydraContext,
    task_function: TaskFunction,
    config: DictConfig,
    carry_out: CarryOut,
) -> list[JobReturn]:
    """Run a job for each list of overrides; return their results in this order.

    A job that fails, or whose process dies, has the status FAILED, and its ``return_value`` raises.
    Raises KeyboardInterrupt after Ctrl-C or SIGTERM, when all started jobs have ended. Progress is
    a bar on a terminal, and elsewhere one line for each job.
    """
    loader = context.config_loader
    if not isinstance(loader, JobLoader) or task_function is not launched_job:
        raise ConfigError("our launchers run the jobs of python -m runner only")
    asks = asks_of_a_job(loader.composition.words)
    name = loader.composition.sections["objective"]
    batch = Batch(by_hydra.work if asks else without_hydra.work, name)
    folder = loader.composition.sweep_folder
    returns = [JobReturn(list(overrides), task_name="runner") for overrides in job_overrides]
    places = []
    for place, overrides in enumerate(job_overrides):
        number = initial_job_idx + place
        try:
            job = loader.job(overrides, number)
        except ConfigError as error:  # a sweeper may draw invalid values
            returns[place].status, returns[place].return_value = JobStatus.FAILED, error
            failure = Failure(folder / f"job_{number}", str(error), repeat_command(overrides))
            note_failure(folder, failure)
            continue
        batch.tasks.append(Task(job, number, context, config) if asks else (job, name))
        batch.jobs.append(job)
        places.append(place)
    listener = Listener()
    show, failed = loader.show_progress, 0
    bar = Bar(
        total=len(places), desc="sweep", unit="job", disable=None if show else True, leave=False
    )
    with listener.listening(), bar:
        ended = carry_out(batch, lambda: listener.received is not None)
        for done, (index, result, reason) in enumerate(ended, start=1):
            job, found = batch.jobs[index], returns[places[index]]
            if reason is None:
                text, value = result
                found.status, found.return_value = JobStatus.COMPLETED, value
            else:
                text = reason
                found.status, found.return_value = JobStatus.FAILED, WorkFailed(reason)
                note_failure(folder, Failure(job.folder, reason, job.command))
                failed += 1
            if not bar.disable:
                bar.set_postfix_str(f"{failed} failed" if failed else "")
                bar.update()
            elif show:
                print(f"[{done}/{len(places)}] {job.folder.name}: {one_line(text)}", flush=True)
    if listener.received is not None:
        raise interrupt_for(listener.received)
    return returns
