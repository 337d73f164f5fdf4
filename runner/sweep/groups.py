"""Group short jobs into cluster tasks, so that scheduling costs at most a tenth of the work.

A cluster's scheduler needs S seconds for a task, whatever the task does: it queues the task, starts
an interpreter, and reports the end. So a task runs several jobs, one after another, with at least
S / SHARE seconds of work in all. ``least_seconds`` estimates a job's work before it runs. It is a
lower bound, so the true share of scheduling is smaller.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runner.config.experiment import Experiment
from runner.network.architecture import parameter_shapes
from runner.results.find import find
from runner.results.objective import objective
from runner.results.run import read_summary
from runner.sweep.job import result_text
from runner.sweep.launch import Batch, TaskResult
from runner.system.processes import cause
from runner.system.terminal import ConfigError
from runner.training.train import group_size

SHARE = 0.1
"""Scheduling may take at most this share of the work."""
SECONDS_PER_JOB = 4e-3
"""For data, files and summary, without training."""
SECONDS_PER_LAYER, SECONDS_PER_PRODUCT = 4e-6, 5e-11
"""In one step: for each layer, and for each product of a weight and an input."""
SECONDS_PER_RECORD, SECONDS_PER_REPLICATE = 1.6e-4, 8e-5
"""For a record of the history: once, and for each replicate. All these are lower bounds: a real
run takes longer, above all with expensive activations and wide layers."""


@dataclass(frozen=True)
class Group:
    """One cluster task: some tasks of a batch, with their positions in it.

    Relative paths start at ``directory``, because all machines share the file system.
    """

    batch: Batch
    places: tuple[int, ...]
    directory: str

    def __call__(self) -> list[TaskResult]:
        """Run the tasks one after another; a failure does not affect the others."""
        os.chdir(self.directory)
        return [self._ended(*pair) for pair in zip(self.places, self.batch.tasks, strict=True)]

    def _ended(self, place: int, task: Any) -> TaskResult:
        try:
            return place, self.batch.work(task), None
        except Exception as error:
            return place, None, cause(error)

    def lost(self, reason: str) -> Iterator[TaskResult]:
        """Yield the tasks' results after the cluster task was lost for a ``reason``.

        A task with a finished run succeeded; the others failed.
        """
        for place, job in zip(self.places, self.batch.jobs, strict=True):
            if find(job.folder, job.experiment).state == "finished":
                summary = read_summary(job.folder)
                yield place, (result_text(summary), objective(summary, self.batch.objective)), None
            else:
                yield place, None, reason


def check_jobs_per_task(jobs: int | None) -> None:
    """Raise ConfigError unless this is a valid number of jobs for a task."""
    if jobs is not None and (not isinstance(jobs, int) or jobs < 1):
        raise ConfigError(
            f"hydra.launcher.jobs_per_task={jobs} must be a whole number >= 1, or null"
        )


def grouped(
    batch: Batch, scheduling: float, *, size: int | None = None, most: int | None = None
) -> list[Group]:
    """Return a batch's tasks in groups of ``size``, and at most ``most`` groups.

    Without ``size``, each group has so much work that ``scheduling`` seconds are at most SHARE of
    it; the last group may have less.
    """
    seconds = [0.0 if size else least_seconds(job.experiment) for job in batch.jobs]
    least = max(scheduling / SHARE, sum(seconds) / most if most else 0.0)
    size = max(size, math.ceil(len(seconds) / most)) if size and most else size
    groups, first, work = [], 0, 0.0
    for place, needs in enumerate(seconds):
        work += needs
        end = place + 1
        if (end - first == size if size else work >= least) or end == len(seconds):
            tasks, jobs = batch.tasks[first:end], batch.jobs[first:end]
            part = Batch(batch.work, batch.objective, tasks, jobs)
            groups.append(Group(part, tuple(range(first, end)), os.getcwd()))
            first, work = end, 0.0
    return groups


def least_seconds(experiment: Experiment) -> float:
    """Return a lower bound of a run's seconds on one core.

    It is the sum of SECONDS_PER_JOB, of E B (G L SECONDS_PER_LAYER + 3 R n W SECONDS_PER_PRODUCT)
    for the steps, and of H (G SECONDS_PER_RECORD + R SECONDS_PER_REPLICATE) for the records. Here
    R is the number of replicates, G of stacks, E of epochs, B of batches in an epoch, n of samples
    in a batch, H of recorded epochs, W of weights, and L of layers. The factor 3 counts one forward
    and two backward products. With early stopping E is 1, because a run may stop that early.
    """
    settings, samples = experiment.training, experiment.train_samples
    epochs = settings.epochs if settings.patience is None else 1
    batch = min(settings.batch_size or samples, samples)
    shapes = parameter_shapes(
        experiment.features,
        experiment.model.hidden,
        experiment.classes,
        experiment.activation_object(),
    )
    weights = [math.prod(shape) for name, shape in shapes if name.endswith(".weight")]
    stacks = math.ceil(experiment.replicates / group_size(experiment))
    step = stacks * len(weights) * SECONDS_PER_LAYER
    step += 3 * experiment.replicates * batch * sum(weights) * SECONDS_PER_PRODUCT
    records = math.ceil(epochs / settings.record_every)
    record = stacks * SECONDS_PER_RECORD + experiment.replicates * SECONDS_PER_REPLICATE
    return SECONDS_PER_JOB + epochs * math.ceil(samples / batch) * step + records * record
