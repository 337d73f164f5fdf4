"""A sweep on a Slurm cluster: ``hydra/launcher=slurm``.

submitit writes the batch script, carries tasks there and results back as pickles in the sweep's
folder, and lets a task that is preempted or out of time queue anew. All that is assumed is a
file system that all machines share, and that what is renamed there is seen some time later.
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
from runner.sweep.launch import Batch, CarryOut, Ended
from runner.system.processes import one_blas_thread_each
from runner.system.terminal import ConfigError, first_line

SCHEDULING_SECONDS = 3.0
"""What one task of Slurm's takes beside its work: see tests/cluster/overhead.py."""
MOST_TASKS = 1000
"""Of one array: Slurm's default MaxArraySize is 1001."""
SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_BETWEEN_QUESTIONS = 5.0
"""To the scheduler, which others use too."""
PATIENCE = 30.0
"""Seconds that a result may take from one machine's disk cache to another's view."""
ANY_CLUSTERS = ("name", "timeout_min", "cpus_per_task", "mem_gb", "stderr_to_stdout")
"""What submitit calls the same for every cluster."""
QUEUED = {"PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "REQUEUED", "RESIZING",
          "REQUEUE_FED", "REQUEUE_HOLD", "SIGNALING", "STAGE_OUT", "STOPPED", "SPECIAL_EXIT",
          "PREEMPTED"}  # fmt: skip
"""States of a task that may still end well."""


class Resumable(Group):
    """A group that queues anew, as it is, if Slurm ends it early: what is finished is not trained
    again, and what is not goes on from its checkpoint."""

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """Return what is to be queued in the place of this."""
        return submitit.helpers.DelayedSubmission(self)


def in_slurm(
    folder: Path, cluster: str, jobs_per_task: int | None, settings: Mapping[str, Any]
) -> CarryOut:
    """Run tasks as one Slurm job array.

    Args:
        folder: where scripts, logs and pickles are kept while a task is not finished.
        cluster: ``slurm``, or ``local`` for processes of this machine in its place.
        jobs_per_task: see ``groups.grouped``.
        settings: submitit's, without the ``slurm_`` that it puts before what is Slurm's alone.
    """

    def carry_out(batch: Batch, stopped: Callable[[], bool]) -> Iterator[Ended]:
        groups = grouped(batch, SCHEDULING_SECONDS, size=jobs_per_task, most=MOST_TASKS)
        with one_blas_thread_each():  # the tasks' environment is this one
            jobs = submitted(groups, folder, cluster, settings)
        waiting = dict(zip(jobs, groups, strict=True))
        watch = Queue() if cluster == "slurm" else Processes()
        lost = False
        try:
            while waiting and not stopped():
                time.sleep(SECONDS_BETWEEN_LOOKS)
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
        if not lost and not waiting:  # otherwise logs tell more
            shutil.rmtree(folder, ignore_errors=True)  # whose tasks may still be ending

    return carry_out


def submitted(
    groups: list[Group], folder: Path, cluster: str, settings: Mapping[str, Any]
) -> list[submitit.Job[Any]]:
    """Submit the groups; return submitit's jobs. Raises ConfigError if that is refused."""
    named = {key if key in ANY_CLUSTERS else f"slurm_{key}": settings[key] for key in settings}
    own = {key: named.pop(key) for key in list(named) if key == "slurm_max_num_timeout"}
    try:
        executor = submitit.AutoExecutor(folder, cluster=cluster, **own)
        executor.update_parameters(**named)
        resumable = [Resumable(group.batch, group.places, group.directory) for group in groups]
        return executor.submit_array(resumable)
    except (RuntimeError, ValueError, TypeError, NameError) as error:
        raise ConfigError(f"Slurm does not take the sweep: {first_line(error)}") from None


def result(job: submitit.Job[Any], group: Group) -> list[Ended] | None:
    """Return a job's result, None if there is none yet."""
    if not job.paths.result_pickle.exists():
        return None
    try:
        outcome, value = submitit.core.utils.pickle_load(job.paths.result_pickle)
    except (EOFError, OSError):  # not all of it can be seen yet
        return None
    if outcome == "success":
        return list(value)
    return list(group.lost(value.strip().splitlines()[-1]))


def refresh(folder: Path) -> None:
    """Make a network file system refresh its view of a folder."""
    os.close(os.open(folder, os.O_RDONLY))


class Queue:
    """What squeue says of this user's tasks; other than sacct it needs no accounting database."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.asked = float("-inf")
        self.gone: dict[str, float] = {}

    def lost(self, job: submitit.Job[Any]) -> str:
        """Return how a task without a result has ended, empty if it may still end well."""
        self._ask()
        state = self.states.get(job.job_id, "it is no longer in the queue")
        if state in QUEUED:
            self.gone.pop(job.job_id, None)
            return ""
        since = self.gone.setdefault(job.job_id, time.monotonic())
        return state if time.monotonic() - since > PATIENCE else ""

    def _ask(self) -> None:
        if time.monotonic() - self.asked < SECONDS_BETWEEN_QUESTIONS:
            return
        command = ["squeue", "--me", "--noheader", "--array", "--states=all", "--format=%i %T"]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode == 0:  # otherwise the controller is busy: it was as it was
            self.states = dict(line.split(None, 1) for line in answer.stdout.splitlines())
        self.asked = time.monotonic()


class Processes:
    """What submitit says of tasks that are processes of this machine."""

    def lost(self, job: submitit.Job[Any]) -> str:
        """Return how a task without a result has ended, empty if it may still end well."""
        return str(job.state) if job.done() and not job.paths.result_pickle.exists() else ""
