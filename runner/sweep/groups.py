"""Many short jobs in one task of a cluster, so that scheduling costs less than a tenth of the work.

A cluster's scheduler takes S seconds for a task, whatever the task does: it queues it, starts an
interpreter, and reports its end. A task therefore carries out as many jobs, one after another, as
have at least S / SHARE seconds of work between them. How long a job trains is not known before
it has; ``least_seconds`` is a floor, so that the share can only be smaller.
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
from runner.sweep.job import told
from runner.sweep.launch import Batch, Ended
from runner.system.processes import cause
from runner.system.terminal import ConfigError
from runner.training.train import group_size

SHARE = 0.1
"""The most that scheduling may cost, as a share of the work."""
SECONDS_PER_JOB = 4e-3
"""Seconds for data, files and summary, without training."""
SECONDS_PER_LAYER, SECONDS_PER_PRODUCT = 4e-6, 5e-11
"""Of one step: for a layer, and for the product of a weight and a sample's input."""
SECONDS_PER_RECORD, SECONDS_PER_JUDGED = 1.6e-4, 8e-5
"""Of a line of the history: for all replicates, and for each. An AMD EPYC takes 1.2 to 2.5 times
as long as all of these come to with ReLU, more with dearer functions and with wide layers."""


@dataclass(frozen=True)
class Group:
    """One cluster task: some tasks of a batch, by their places in it.

    Paths are those of the process that made the sweep, as the file system is shared.
    """

    batch: Batch
    places: tuple[int, ...]
    directory: str

    def __call__(self) -> list[Ended]:
        """Run the tasks one after another; a failure does not affect the others."""
        os.chdir(self.directory)
        return [self._ended(*pair) for pair in zip(self.places, self.batch.tasks, strict=True)]

    def _ended(self, place: int, task: Any) -> Ended:
        try:
            return place, self.batch.work(task), None
        except Exception as error:
            return place, None, cause(error)

    def lost(self, reason: str) -> Iterator[Ended]:
        """Yield how the tasks ended if only a ``reason`` came back: those with a finished run
        succeeded."""
        for place, job in zip(self.places, self.batch.jobs, strict=True):
            if find(job.folder, job.experiment).state == "finished":
                summary = read_summary(job.folder)
                yield place, (told(summary), objective(summary, self.batch.objective)), None
            else:
                yield place, None, reason


def check_jobs_per_task(jobs: int | None) -> None:
    """Raise ConfigError unless a task can hold this many jobs."""
    if jobs is not None and (not isinstance(jobs, int) or jobs < 1):
        raise ConfigError(
            f"hydra.launcher.jobs_per_task={jobs} must be a whole number from 1 on, or null"
        )


def grouped(
    batch: Batch, scheduling: float, *, size: int | None = None, most: int | None = None
) -> list[Group]:
    """Return a batch's tasks in groups of ``size``, by default such that to schedule one, which
    takes ``scheduling`` seconds, costs at most SHARE of its work. There are at most ``most``
    groups."""
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
    """Return how long a run takes at least on one core, in seconds.

    Of R replicates in G stacks, E epochs of B batches of n samples, of which H are recorded, and W
    weights in L layers: E B (G L SECONDS_PER_LAYER + 3 R n W SECONDS_PER_PRODUCT), as the two
    backward products are as large as the forward one, and H (G SECONDS_PER_RECORD + R
    SECONDS_PER_JUDGED). Early stopping can end it at the first epoch.
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
    record = stacks * SECONDS_PER_RECORD + experiment.replicates * SECONDS_PER_JUDGED
    return SECONDS_PER_JOB + epochs * math.ceil(samples / batch) * step + records * record
