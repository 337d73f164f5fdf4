"""A sweep on this machine: what ``hydra/launcher=pool`` does."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass

from hydra.core.utils import JobReturn, JobStatus, setup_globals
from hydra.core.utils import run_job as run_job_of_hydra
from hydra.types import HydraContext, TaskFunction
from hydra.version import setbase
from omegaconf import DictConfig, open_dict

from runner.config.catalogue import VERSION_BASE
from runner.config.hydra_keys import asks_of_a_job
from runner.execute import repeat_command
from runner.results.objective import objective
from runner.results.run import Run, load_run
from runner.sweep.job import Failure, Job, launched_job, note_failure, run_job
from runner.sweep.loader import JobLoader
from runner.system.bar import Bar
from runner.system.processes import available_cores, run_jobs
from runner.system.signals import Listener, stopped_by
from runner.system.terminal import ConfigError, WorkFailed, one_line


@dataclass(frozen=True)
class Task:
    """What a worker is to do: a job, and where one of Hydra's settings is for jobs, what Hydra
    runs it with."""

    job: Job
    number: int
    objective: str
    hydra: tuple[HydraContext, DictConfig] | None


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
    hydra = (context, config) if asks else None
    folder = loader.composition.sweep_folder
    name = loader.composition.sections["objective"]
    returns = [JobReturn(list(overrides), task_name="runner") for overrides in job_overrides]
    tasks, places = [], []
    for place, overrides in enumerate(job_overrides):
        try:
            job = loader.job(overrides, initial_job_idx + place)
        except ConfigError as error:  # what a sweeper has drawn may be no experiment
            returns[place].status, returns[place].return_value = JobStatus.FAILED, error
            number = initial_job_idx + place
            failure = Failure(folder / f"job_{number}", str(error), repeat_command(overrides))
            note_failure(folder, failure)
            continue
        tasks.append(Task(job, initial_job_idx + place, name, hydra))
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
            job, found = tasks[index].job, returns[places[index]]
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


def work(task: Task) -> tuple[str, float | None]:
    """Carry out a task in a worker; return how it ended in a few words, and its objective."""
    if task.hydra is not None:
        value = _run_by_hydra(task, *task.hydra)
        return told(load_run(task.job.folder)), value
    run = run_job(task.job)
    return told(run), objective(run.summary, task.objective)


def _run_by_hydra(task: Task, context: HydraContext, config: DictConfig) -> float | None:
    setup_globals()
    for base in VERSION_BASE.values():  # which other launchers copy with all Hydra's state
        setbase(base)
    job = context.config_loader.load_sweep_config(config, list(task.job.launched))
    with open_dict(job):
        job.hydra.job.id = str(task.number)
        job.hydra.job.num = task.number
    ended = run_job_of_hydra(
        hydra_context=context,
        task_function=launched_job,
        config=job,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )
    with redirect_stderr(io.StringIO()):  # where it is told which overrides failed, as we tell it
        value: float | None = ended.return_value
    return value


def told(run: Run) -> str:
    """Return how a run ended in a few words."""
    final = run.summary["together"]["final"]
    means = [(part, final[f"{part}_accuracy"]["centre"]) for part in ("test", "train")]
    diverged = sum(entry["status"] == "diverged" for entry in run.summary["replicates"])
    words = [f"{part} accuracy {mean:.3f}" for part, mean in means if mean is not None][:1]
    words += [f"{diverged} diverged"] if diverged else []
    return ", ".join(words)
