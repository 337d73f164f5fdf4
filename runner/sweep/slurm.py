"""Run a sweep's jobs on a Slurm cluster: ``hydra/launcher=slurm``.

submitit writes the batch script, stores tasks and results as pickles in the sweep's folder, and
requeues a task that is preempted or runs out of time. The machines must share a file system, where
a renamed file becomes visible to all of them after some time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import submitit

from runner.sweep.groups import Group, grouped
from runner.sweep.launch import Batch, CarryOut, TaskResult
from runner.system.processes import one_blas_thread_each
from runner.system.terminal import ConfigError, first_line

SCHEDULING_SECONDS = 3.0
"""The seconds that Slurm adds to a task; tests/cluster/overhead.py measures them."""
MOST_TASKS = 1000
"""The largest job array; Slurm's default MaxArraySize is 1001."""
POLL_SECONDS = 0.5
SQUEUE_INTERVAL_SECONDS = 5.0
"""The interval between calls of squeue. A shared scheduler should not be asked more often."""
RESULT_TIMEOUT_SECONDS = 30.0
"""A result may take this many seconds to become visible through the machines' file caches."""
ANY_CLUSTERS = ("name", "timeout_min", "cpus_per_task", "mem_gb", "stderr_to_stdout")
"""submitit's parameters that have the same name for every cluster."""
QUEUED = {"PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "REQUEUED", "RESIZING",
          "REQUEUE_FED", "REQUEUE_HOLD", "SIGNALING", "STAGE_OUT", "STOPPED", "SPECIAL_EXIT",
          "PREEMPTED"}  # fmt: skip
"""The states of a task that may still succeed."""


class Resumable(Group):
    """A group that is requeued if Slurm ends it early.

    Its finished jobs are not trained again; an unfinished one resumes from its checkpoint.
    """

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """Return the submission that replaces this one; submitit calls this before the end."""
        return submitit.helpers.DelayedSubmission(self)


def in_slurm(
    folder: Path, cluster: str, jobs_per_task: int | None, settings: Mapping[str, Any]
) -> CarryOut:
    """Return a function that runs tasks as one Slurm job array.

    Args:
        folder: for scripts, logs and pickles; removed at the end if no task was lost.
        cluster: ``slurm``, or ``local`` for processes on this machine.
        jobs_per_task: ``size`` in ``groups.grouped``.
        settings: submitit's parameters, without the prefix ``slurm_``.
    """

    def carry_out(batch: Batch, stopped: Callable[[], bool]) -> Iterator[TaskResult]:
        groups = grouped(batch, SCHEDULING_SECONDS, size=jobs_per_task, most=MOST_TASKS)
        with one_blas_thread_each():  # tasks inherit these environment variables
            jobs = submit(groups, folder, cluster, settings)
        waiting = dict(zip(jobs, groups, strict=True))
        watch = Queue() if cluster == "slurm" else Processes()
        lost = False
        try:
            while waiting and not stopped():
                time.sleep(POLL_SECONDS)
                refresh(folder)
                for job in list(waiting):
                    ended = result(job, waiting[job])
                    if ended is None and (how := watch.lost(job)):
                        lost = True
                        where = os.path.relpath(job.paths.stderr)
                        ended = list(waiting[job].lost(f"lost with its task: {how}, see {where}"))
                    if ended is not None:
                        del waiting[job]
                        yield from ended
        finally:
            for job in waiting:
                job.cancel(check=False)
        if not lost and not waiting:  # otherwise the logs are needed
            shutil.rmtree(folder, ignore_errors=True)  # a task that is ending may still write

    return carry_out


def submit(
    groups: list[Group], folder: Path, cluster: str, settings: Mapping[str, Any]
) -> list[submitit.Job[Any]]:
    """Submit the groups and return submitit's jobs. Raises ConfigError if Slurm refuses them."""
    named = {key if key in ANY_CLUSTERS else f"slurm_{key}": settings[key] for key in settings}
    own = {key: named.pop(key) for key in list(named) if key == "slurm_max_num_timeout"}
    try:
        executor = submitit.AutoExecutor(folder, cluster=cluster, **own)
        executor.update_parameters(**named)
        resumable = [Resumable(group.batch, group.places, group.directory) for group in groups]
        return executor.submit_array(resumable)
    except (RuntimeError, ValueError, TypeError, NameError) as error:
        raise ConfigError(f"Slurm refuses the sweep: {first_line(error)}") from None


def result(job: submitit.Job[Any], group: Group) -> list[TaskResult] | None:
    """Return the results of a group's tasks, or None if there are none yet."""
    if not job.paths.result_pickle.exists():
        return None
    try:
        outcome, value = submitit.core.utils.pickle_load(job.paths.result_pickle)
    except (EOFError, OSError):  # the file is not completely visible yet
        return None
    if outcome == "success":
        return list(value)
    return list(group.lost(value.strip().splitlines()[-1]))


def refresh(folder: Path) -> None:
    """Make a network file system refresh its view of a folder."""
    os.close(os.open(folder, os.O_RDONLY))


class Queue:
    """The states of this user's tasks, from squeue, which needs no accounting database."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.asked = float("-inf")
        self.gone: dict[str, float] = {}

    def lost(self, job: submitit.Job[Any]) -> str:
        """Return the final state of a task without a result; empty if it may still succeed."""
        self._ask()
        state = self.states.get(job.job_id, "it is no longer in the queue")
        if state in QUEUED:
            self.gone.pop(job.job_id, None)
            return ""
        since = self.gone.setdefault(job.job_id, time.monotonic())
        return state if time.monotonic() - since > RESULT_TIMEOUT_SECONDS else ""

    def _ask(self) -> None:
        if time.monotonic() - self.asked < SQUEUE_INTERVAL_SECONDS:
            return
        command = ["squeue", "--me", "--noheader", "--array", "--states=all", "--format=%i %T"]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode == 0:  # if the controller is busy, the old states are kept
            self.states = dict(line.split(None, 1) for line in answer.stdout.splitlines())
        self.asked = time.monotonic()


class Processes:
    """The states of tasks that are processes on this machine, from submitit."""

    def lost(self, job: submitit.Job[Any]) -> str:
        """Return the final state of a task without a result; empty if it may still succeed."""
        return str(job.state) if job.done() and not job.paths.result_pickle.exists() else ""
