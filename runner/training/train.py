"""Train an experiment: groups of replicates that fit into the cache, one group after another."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from runner.config.experiment import Experiment
from runner.network.architecture import parameter_shapes
from runner.system.blas import one_blas_thread
from runner.system.terminal import Progress
from runner.training.checkpoint import Checkpointer, Interrupted
from runner.training.outcome import State, TrainingResult, joined
from runner.training.stack import Group

GROUP_BYTES = 2**21
"""Memory of a group: its parameters, optimizer state and the activations of one batch. It is about
the second-level cache of one core. A larger stack would be slower than several groups."""


@one_blas_thread()
def train(
    experiment: Experiment,
    progress: Progress = lambda share: None,
    checkpointer: Checkpointer | None = None,
) -> TrainingResult:
    """Train all replicates, group by group. ``progress`` is called with the share done.

    A ``checkpointer`` writes checkpoints; training resumes from the one that it finds. Raises
    Interrupted after a signal, and ConfigError or OSError as ``Checkpointer.load`` does.
    """
    started = time.perf_counter()
    seeds, size = experiment.seeds, group_size(experiment)
    groups = [seeds[start : start + size] for start in range(0, len(seeds), size)]
    checkpoint = checkpointer.load() if checkpointer else None
    parts = _finished_parts(checkpoint) if checkpoint else []
    for index in range(len(parts), len(groups)):

        def after_epoch(share: float, state: Callable[[], State], index: int = index) -> None:
            share = (index + share) / len(groups)
            progress(share)
            if checkpointer:
                checkpointer.save_if_due(share, lambda: {**_finished_state(parts), **state()})

        group = Group(experiment, groups[index])
        if checkpoint:
            group.restore(checkpoint)
            checkpoint = None
        try:
            parts.append(group.train(after_epoch))
        except Interrupted as interrupted:
            interrupted.result = joined([*parts, group.result()])
            raise
    training = joined(parts)
    training.seconds = time.perf_counter() - started
    return training


def _finished_state(parts: list[TrainingResult]) -> State:
    """Return the state of the finished groups, for a checkpoint."""
    state: State = {}
    for index, part in enumerate(parts):
        state.update(part.state(f"part{index}."))
    return state


def _finished_parts(state: State) -> list[TrainingResult]:
    parts: list[TrainingResult] = []
    while (prefix := f"part{len(parts)}.") + "epochs" in state:
        parts.append(TrainingResult.from_state(state, prefix))
    return parts


def group_size(experiment: Experiment) -> int:
    """Return the number of replicates in a group: as many as fit into GROUP_BYTES, at least 1."""
    features, activation = experiment.features, experiment.activation_object()
    shapes = dict(
        parameter_shapes(features, experiment.model.hidden, experiment.classes, activation)
    )
    batch = experiment.training.batch_size or experiment.train_samples
    units = sum(shape[1] for name, shape in shapes.items() if name.endswith(".weight"))
    # theta, its gradient, two moments and scratch; z, y, dL/dz and dL/dy
    values = 5 * sum(map(math.prod, shapes.values())) + batch * (features + 4 * units)
    return max(1, GROUP_BYTES // (values * np.dtype(experiment.dtype).itemsize))
