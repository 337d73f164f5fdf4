"""Train a stack of replicates and record every epoch.

Replicate k belongs to seed ``seed + k`` alone: its data, split, initial weights and batch
order come from that seed's own random streams, and no operation mixes two replicates. So it
is bit-identical to a run alone with that seed, whatever trains beside it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from activations.base import Array
from runner import datasets
from runner.config import Experiment
from runner.diagnostics import Report, evaluate, examine, update_ratios
from runner.losses import encode
from runner.model import Network
from runner.step import Step

WEIGHTS_STREAM, BATCHES_STREAM, NOISE_STREAM = 1, 2, 4
GROUP_BYTES = 2**21
"""Replicates train in groups whose parameters, optimizer state and one batch's activations
fit into the second-level cache of one core: a larger stack is slower than its parts."""

Progress = Callable[[float], None]


@dataclass
class Outcome:
    """How one replicate ended. Epochs count from 0, which is before training."""

    seed: int
    status: str = "finished"
    epochs: int = 0
    diverged_epoch: int | None = None
    solved_epoch: int | None = None
    best_epoch: int | None = None
    best_loss: float = math.inf
    dead_since: list[Array] = field(default_factory=list)


@dataclass
class Training:
    """All that a training leaves behind.

    Attributes:
        epochs: (records,) the recorded epochs.
        history: by column name, (replicates, records) float64, NaN after a replicate's end.
        outcomes: one per replicate.
        final, best: the network's parameters by name, (replicates, ...), at the last epoch
            and at the one with the lowest validation loss.
        gains: the gain that the initializer took from the activation, per linear layer.
        parameters: number of parameters of one replicate.
        seconds: time spent in training and measuring.
    """

    epochs: Array
    history: dict[str, Array]
    outcomes: list[Outcome]
    final: dict[str, Array]
    best: dict[str, Array]
    gains: list[float]
    parameters: int
    seconds: float


def build_network(experiment: Experiment, seeds: list[int]) -> tuple[Network, list[float]]:
    """Return the experiment's network as initialised for these seeds, and the gains used."""
    network = Network(
        experiment.features,
        experiment.model.hidden,
        experiment.classes,
        experiment.activation_object(),
        len(seeds),
        experiment.dtype,
    )
    gains = network.initialize(
        experiment.initializer_object(),
        [np.random.default_rng([seed, WEIGHTS_STREAM]) for seed in seeds],
    )
    return network, gains


def load_data(experiment: Experiment, seeds: list[int]) -> datasets.StackedSplit:
    """Return the experiment's data for these seeds, stacked and standardised."""
    return datasets.stack([experiment.split(seed) for seed in seeds])


def train(experiment: Experiment, progress: Progress = lambda share: None) -> Training:
    """Train all replicates, group by group; ``progress`` is told the share done."""
    started = time.perf_counter()
    seeds = [experiment.seed + k for k in range(experiment.replicates)]
    size = group_size(experiment)
    groups = [seeds[start : start + size] for start in range(0, len(seeds), size)]
    parts = []
    for index, group in enumerate(groups):
        parts.append(_Group(experiment, group).train(_part_of(progress, index, len(groups))))
    first = max(parts, key=lambda part: len(part.epochs))  # others may all have stopped early
    records = len(first.epochs)
    return Training(
        epochs=first.epochs,
        history={
            key: np.concatenate([_padded(part.history[key], records) for part in parts])
            for key in first.history
        },
        outcomes=[outcome for part in parts for outcome in part.outcomes],
        final={key: np.concatenate([part.final[key] for part in parts]) for key in first.final},
        best={key: np.concatenate([part.best[key] for part in parts]) for key in first.best},
        gains=first.gains,
        parameters=first.parameters,
        seconds=time.perf_counter() - started,
    )


def _padded(rows: Array, records: int) -> Array:
    missing = ((0, 0), (0, records - rows.shape[1]))
    return np.pad(rows, missing, constant_values=np.nan)


def _part_of(progress: Progress, index: int, parts: int) -> Progress:
    return lambda share: progress((index + share) / parts)


def group_size(experiment: Experiment) -> int:
    """Return how many replicates train together: as many as GROUP_BYTES holds, at least 1."""
    network, _ = build_network(experiment, [experiment.seed])
    batch = experiment.training.batch_size or experiment.train_samples
    widths = sum(2 * linear.weight.shape[-1] for linear in network.linears)
    values = 5 * network.size + batch * (experiment.features + 2 * widths)
    return max(1, GROUP_BYTES // (values * network.dtype.itemsize))


class _Group:
    """The training of one group of replicates."""

    def __init__(self, experiment: Experiment, seeds: list[int]) -> None:
        self.experiment, self.seeds = experiment, seeds
        self.data = load_data(experiment, seeds)
        self.network, self.gains = build_network(experiment, seeds)
        self.loss = experiment.loss_object()
        self.optimizer = experiment.optimizer_object()
        self.optimizer.bind(self.network.theta, self.network.is_weight())
        self.schedule = experiment.schedule_object()
        self.batch_order = [np.random.default_rng([seed, BATCHES_STREAM]) for seed in seeds]
        self.noise = [np.random.default_rng([seed, NOISE_STREAM]) for seed in seeds]
        self.targets = {
            part: encode(getattr(self.data, f"{part}_labels"), self.data.classes, experiment.dtype)
            for part in ("train", "validation", "test")
        }
        x = self.data.train_x
        self.x = np.concatenate([x, np.ones_like(x[..., :1])], axis=-1)  # for the bias
        self.shuffled_x = self.x.copy()
        self.shuffled_targets = self.targets["train"].copy()
        size = experiment.training.batch_size or x.shape[1]
        self.step = Step(self.network, self.loss, size)
        self.last_step = Step(self.network, self.loss, x.shape[1] % size or size)
        self.outcomes = [Outcome(seed) for seed in seeds]
        self.active = np.ones(len(seeds), bool)
        self.final = self.network.theta.copy()
        self.best = self.network.theta.copy()
        self.records: list[dict[str, Array]] = []
        self.recorded_epochs: list[int] = []

    def train(self, progress: Progress) -> Training:
        settings = self.experiment.training
        with np.errstate(all="ignore"):  # a diverging replicate is recorded, not warned of
            self.record(0, np.full(len(self.seeds), np.nan), None)
            for epoch in range(1, settings.epochs + 1):
                factors = self.schedule.factors(epoch - 1, settings.epochs, self.steps_per_epoch)
                before = self.run_epoch(factors)
                if epoch % settings.record_every == 0 or epoch == settings.epochs:
                    rate = self.optimizer.learning_rate * factors[-1]
                    self.record(epoch, np.full(len(self.seeds), rate), before)
                if not self.active.any():
                    break
                progress(epoch / settings.epochs)
        self.final[self.active] = self.network.theta[self.active]
        return self.result()

    @property
    def steps_per_epoch(self) -> int:
        samples = self.data.train_x.shape[1]
        return math.ceil(samples / (self.experiment.training.batch_size or samples))

    def run_epoch(self, factors: Array) -> Array:
        """Take one pass over the shuffled data; returns theta before the last step."""
        samples = self.data.train_x.shape[1]
        size = self.experiment.training.batch_size or samples
        if size < samples:
            for k, rng in enumerate(self.batch_order):
                order = rng.permutation(samples)
                np.take(self.x[k], order, axis=0, out=self.shuffled_x[k], mode="clip")
                targets = self.targets["train"][k]
                np.take(targets, order, axis=0, out=self.shuffled_targets[k], mode="clip")
        network, optimizer = self.network, self.optimizer
        before = network.theta
        network.set_generators(self.noise)
        for index, factor in enumerate(factors.tolist()):
            batch = slice(index * size, (index + 1) * size)
            step = self.step if (index + 1) * size <= samples else self.last_step
            step(self.shuffled_x[:, batch], self.shuffled_targets[:, batch])
            if index == len(factors) - 1:
                before = network.theta.copy()
            optimizer.step(network.gradient, factor)
        network.set_generators(None)
        return before

    def record(self, epoch: int, rate: Array, before: Array | None) -> None:
        """Measure everything after ``epoch`` and settle which replicates go on."""
        network, data = self.network, self.data
        reports: dict[str, Report] = {}
        for part in ("train", "validation", "test"):
            x = getattr(data, f"{part}_x")
            if x.shape[1]:
                measure = examine if part == "train" else evaluate
                reports[part] = measure(
                    network,
                    x,
                    getattr(data, f"{part}_labels"),
                    self.targets[part],
                    self.loss,
                )
        row: dict[str, Array] = {"learning_rate": rate}
        for part in ("train", "validation", "test"):
            missing = np.full(len(self.seeds), np.nan)
            found = reports.get(part)
            row[f"{part}_loss"] = found.loss if found else missing
            row[f"{part}_accuracy"] = found.accuracy if found else missing
        train = reports["train"]
        ratios = (
            update_ratios(network, before)
            if before is not None
            else [np.full(len(self.seeds), np.nan)] * len(network.linears)
        )
        for number in range(1, len(network.linears) + 1):
            prefix = f"layer{number}"
            if number <= len(network.hidden):
                layer = train.layers[number - 1]
                row[f"{prefix}_dead"] = layer.dead.mean(axis=1)
                row[f"{prefix}_saturated"] = layer.saturated
                row[f"{prefix}_activation_rms"] = layer.activation_rms
                for name in network.prototype.params:
                    learned = network.parameters[f"{prefix}.{name}"]
                    row[f"{prefix}_{name}"] = learned.mean(axis=(1, 2), dtype=np.float64)
            row[f"{prefix}_gradient_rms"] = train.gradient_rms[number - 1]
            row[f"{prefix}_update_ratio"] = ratios[number - 1]
        finite = np.isfinite(network.theta).all(axis=1) & np.isfinite(train.loss)
        self.records.append(
            {key: np.where(self.active, values, np.nan) for key, values in row.items()}
        )
        self.recorded_epochs.append(epoch)
        for k in np.flatnonzero(self.active):
            self.settle(int(k), epoch, bool(finite[k]), reports)

    def settle(self, k: int, epoch: int, finite: bool, reports: dict[str, Report]) -> None:
        """Note what this epoch means for replicate k: death, divergence, best, solved."""
        outcome, settings = self.outcomes[k], self.experiment.training
        outcome.epochs = epoch
        if not finite:
            outcome.status, outcome.diverged_epoch = "diverged", epoch
            self.stop(k)
            return
        for index, layer in enumerate(reports["train"].layers):
            if epoch == 0:
                outcome.dead_since.append(np.where(layer.dead[k], 0, -1))
            else:
                since = outcome.dead_since[index]
                since[:] = np.where(layer.dead[k], np.where(since < 0, epoch, since), -1)
        judge = reports.get("validation", reports["train"])
        if judge.loss[k] < outcome.best_loss:
            outcome.best_loss = float(judge.loss[k])
            outcome.best_epoch = epoch
            self.best[k] = self.network.theta[k]
        accuracy = judge.accuracy[k]
        if outcome.solved_epoch is None and accuracy >= settings.target_accuracy:
            outcome.solved_epoch = epoch
        if settings.patience is not None and outcome.best_epoch is not None:
            if epoch - outcome.best_epoch >= settings.patience:
                outcome.status = "stopped_early"
                self.stop(k)

    def stop(self, k: int) -> None:
        """Keep replicate k as it is; the stack goes on computing a row that nobody reads."""
        self.active[k] = False
        self.final[k] = self.network.theta[k]
        self.network.theta[k] = 0

    def result(self) -> Training:
        network = self.network
        gradient = network.gradient
        network.bind(self.final, gradient)
        final = {name: value.copy() for name, value in network.parameters.items()}
        network.bind(self.best, gradient)
        best = {name: value.copy() for name, value in network.parameters.items()}
        return Training(
            epochs=np.array(self.recorded_epochs),
            history={
                key: np.stack([record[key] for record in self.records], axis=1)
                for key in self.records[0]
            },
            outcomes=self.outcomes,
            final=final,
            best=best,
            gains=self.gains,
            parameters=network.size,
            seconds=0.0,
        )
