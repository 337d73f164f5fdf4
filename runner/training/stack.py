"""Train a group of replicates as one stack, evaluate every epoch and record the history.

Replicate k depends only on its own seed: its data, split, initial weights and batch order come
from the random streams of that seed, and no operation combines two replicates. It is therefore
bit-identical to a run with that seed alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from activations.base import Array
from activations.tracing import Scratch
from runner.config.experiment import Experiment
from runner.data.split import Split, stack
from runner.data.streams import BATCHES_STREAM, NOISE_STREAM, WEIGHTS_STREAM
from runner.network.fast_gradient import BatchGradient, feature_major, with_ones
from runner.network.losses import encode
from runner.network.measurements import Evaluator, LayerEvaluator, Measurement, Part, update_ratios
from runner.network.network import Network
from runner.system.blas import one_blas_thread
from runner.training.outcome import Outcome, State, TrainingResult

PARTS = ("train", "validation", "test")

AfterEpoch = Callable[[float, Callable[[], State]], None]
"""Called with the share of epochs done and a function that returns the state. It can stop training
by raising an exception."""


@one_blas_thread()
def build_network(experiment: Experiment, seeds: list[int]) -> tuple[Network, list[float]]:
    """Return the network with initial parameters for these seeds, and the gain of each layer."""
    parts = experiment.parts()
    network = Network(
        experiment.features,
        experiment.model.hidden,
        experiment.classes,
        parts.activation,
        len(seeds),
        experiment.dtype,
    )
    gains = network.initialize(
        parts.initializer,
        [np.random.default_rng([seed, WEIGHTS_STREAM]) for seed in seeds],
    )
    return network, gains


@one_blas_thread()
def load_data(experiment: Experiment, seeds: list[int], *, standardised: bool = True) -> Split:
    """Return the stacked data of these seeds, standardised or in their own units."""
    return stack([experiment.split(seed, standardised=standardised) for seed in seeds])


class Group:
    """Trains a group of replicates as one stack."""

    def __init__(self, experiment: Experiment, seeds: list[int]) -> None:
        self.experiment, self.seeds = experiment, seeds
        self.network, self.gains = build_network(experiment, seeds)
        _, self.optimizer, self.schedule, _, self.loss = experiment.parts()
        self.optimizer.bind(self.network.theta, self.network.is_weight())
        self.batch_order = [np.random.default_rng([seed, BATCHES_STREAM]) for seed in seeds]
        self.noise = [np.random.default_rng([seed, NOISE_STREAM]) for seed in seeds]
        data = _parts(load_data(experiment, seeds), experiment.dtype)
        train = data.pop("train")
        self.monitored_part = "validation" if "validation" in data else "train"
        scratch = Scratch()
        self.l2 = experiment.training.l2
        self.layer_evaluator = LayerEvaluator(self.network, self.loss, train, scratch, self.l2)
        self.evaluator = Evaluator(self.network, self.loss, data, scratch)
        self.x, self.targets = train.x, train.targets
        self.shuffled_x, self.shuffled_targets = self.x.copy(), self.targets.copy()
        self.samples = self.x.shape[-1]
        self.batch_size = size = experiment.training.batch_size or self.samples
        self.fill_gradient = {
            batch: BatchGradient(self.network, self.loss, batch, self.l2)
            for batch in {size, self.samples % size or size}  # the last batch may be smaller
        }
        self.dead_since = [np.full((len(seeds), units), -1) for units in self.network.hidden]
        self.outcomes = [
            Outcome(seed, dead_since=[since[k] for since in self.dead_since])
            for k, seed in enumerate(seeds)
        ]
        self.active = np.ones(len(seeds), bool)
        self.final = self.network.theta.copy()
        self.best = self.network.theta.copy()
        self.epoch = 0
        self.columns: list[str] = []
        self.rows: list[Row] = []
        first = seeds[0] == experiment.seed
        self.snapshot_epochs = experiment.training.snapshot_epochs if first else []
        shape = len(self.snapshot_epochs), self.network.size
        self.snapshots = np.empty(shape, self.network.dtype)
        self.snapshots_at: list[int] = []

    def train(self, after_epoch: AfterEpoch) -> TrainingResult:
        """Train until the last epoch, or until all replicates have ended; return the result."""
        settings = self.experiment.training
        with np.errstate(all="ignore"):  # divergence is recorded, so NumPy need not warn
            if self.epoch == 0:
                self.finish_epoch(math.nan, np.full_like(self.network.theta, np.nan))
            steps = math.ceil(self.samples / self.batch_size)
            while self.epoch < settings.epochs and self.active.any():
                factors = self.schedule.factors(self.epoch, settings.epochs, steps)
                before = self.run_epoch(factors)
                self.epoch += 1
                self.finish_epoch(self.optimizer.learning_rate * factors[-1], before)
                after_epoch(self.epoch / settings.epochs, self.state)
        return self.result()

    def state(self) -> State:
        """Return everything that the next epoch depends on, and the history so far."""
        rest = {
            "epoch": self.epoch,
            "steps": self.optimizer.steps,
            "streams": [rng.bit_generator.state for rng in (*self.batch_order, *self.noise)],
            "outcomes": [outcome.to_json() for outcome in self.outcomes],
            "columns": self.columns,
            "snapshots_at": self.snapshots_at,
        }
        rows = zip(Row._fields, zip(*self.rows, strict=True), strict=True)
        moments = {f"moment{k}": array for k, array in enumerate(self.optimizer.state())}
        return {
            "theta": self.network.theta,
            "final": self.final,
            "best": self.best,
            "active": self.active,
            "snapshots": self.snapshots[: len(self.snapshots_at)],
            **{f"row_{field}": np.array(values) for field, values in rows},
            **moments,
            "json": np.array(json.dumps(rest)),
        }

    def restore(self, state: State) -> None:
        """Set this group to a state that ``state`` returned."""
        rest = json.loads(str(state["json"]))
        self.epoch, self.optimizer.steps = rest["epoch"], rest["steps"]
        self.network.theta[...] = state["theta"]
        self.final, self.best, self.active = state["final"], state["best"], state["active"]
        for k, array in enumerate(self.optimizer.state()):
            array[...] = state[f"moment{k}"]
        for rng, drawn in zip((*self.batch_order, *self.noise), rest["streams"], strict=True):
            rng.bit_generator.state = drawn
        self.outcomes = [Outcome.from_json(outcome) for outcome in rest["outcomes"]]
        for k, outcome in enumerate(self.outcomes):
            # as in a new group, each outcome's array is a row of the group's own
            for number, since in enumerate(self.dead_since):
                since[k] = outcome.dead_since[number]
                outcome.dead_since[number] = since[k]
        self.columns = rest["columns"]
        fields = (state[f"row_{field}"] for field in Row._fields)
        self.rows = [Row(*row) for row in zip(*fields, strict=True)]
        self.snapshots_at = rest["snapshots_at"]
        self.snapshots[: len(self.snapshots_at)] = state["snapshots"]

    def run_epoch(self, factors: Array) -> Array:
        """Train for one pass over the data. Returns theta before the last step."""
        samples, size = self.samples, self.batch_size
        if self.experiment.training.shuffle and size < samples:
            for k, rng in enumerate(self.batch_order):
                order = rng.permutation(samples)
                np.take(self.x[k], order, axis=1, out=self.shuffled_x[k], mode="clip")
                targets = self.shuffled_targets[k]
                np.take(self.targets[k], order, axis=1, out=targets, mode="clip")
        network, optimizer = self.network, self.optimizer
        before = network.theta
        network.set_generators(self.noise)
        for index, factor in enumerate(factors.tolist()):
            batch = slice(index * size, (index + 1) * size)
            x, targets = self.shuffled_x[..., batch], self.shuffled_targets[..., batch]
            self.fill_gradient[x.shape[-1]](x, targets)
            if index == len(factors) - 1:
                before = network.theta.copy()
            optimizer.step(network.gradient, factor)
        network.set_generators(None)
        return before

    def finish_epoch(self, rate: float, before: Array) -> None:
        """Decide after an epoch which replicates continue, and record the epoch if it is due.

        The monitored part is measured after every epoch. ``training.record_every`` therefore
        affects only the number of records. The last epoch of a replicate is always recorded.
        """
        epoch, settings = self.epoch, self.experiment.training
        last = epoch == settings.epochs
        due = last or epoch % settings.record_every == 0
        measured = self.measure_all() if due else {}
        monitored = (measured or self.evaluate_monitored())[self.monitored_part]
        finite = np.isfinite(self.network.theta).all(axis=1) & np.isfinite(monitored.loss)
        active = np.flatnonzero(self.active)
        ends = np.zeros(len(self.seeds), bool)
        for k in active:
            ends[k] = self.update_outcome(int(k), bool(finite[k]), monitored)
        if due or ends.any():
            measured = measured or self.measure_all()
            values = self.measurements(rate, before, measured)
            self.rows.append(Row(epoch, self.active.copy() if due else ends, values))
            for k in np.flatnonzero(self.active & (ends | last)):
                if not np.isfinite(measured["train"].loss[k]):
                    self.outcomes[k].status = "diverged"
                    self.outcomes[k].diverged_epoch = epoch
            self.update_dead_since(self.active if due else ends, measured["train"])
        if self.snapshot_epochs and self.active[0] and (ends[0] or epoch in self.snapshot_epochs):
            self.snapshots[len(self.snapshots_at)] = self.network.theta[0]
            self.snapshots_at.append(epoch)
        for k in np.flatnonzero(ends):
            self.stop(int(k))

    def measure_all(self) -> dict[str, Measurement]:
        """Measure everything on the training part, and loss and accuracy on the other parts."""
        return {"train": self.layer_evaluator.evaluate_layers(), **self.evaluator.evaluate()}

    def evaluate_monitored(self) -> dict[str, Measurement]:
        """Measure loss and accuracy on the monitored part; other parts may be included."""
        if self.monitored_part == "train":
            return self.layer_evaluator.evaluate()
        return self.evaluator.evaluate()

    def measurements(self, rate: float, before: Array, measured: dict[str, Measurement]) -> Array:
        """Return one record of the history, (columns, replicates), and set ``columns``."""
        network = self.network
        row: dict[str, Array] = {"learning_rate": np.full(len(self.seeds), rate)}
        for part in PARTS:
            missing = np.full(len(self.seeds), np.nan)
            found = measured.get(part)
            row[f"{part}_loss"] = found.loss if found else missing
            row[f"{part}_accuracy"] = found.accuracy if found else missing
        if self.l2:
            row["penalty"] = network.penalty(self.l2)
        train = measured["train"]
        finite = np.isfinite(network.theta).all(axis=1) & np.isfinite(train.loss)
        ratios = update_ratios(network, before)
        for number, ratio in enumerate(ratios, start=1):
            prefix = f"layer{number}"
            if number <= len(network.hidden):
                layer = train.layers[number - 1]
                row[f"{prefix}_dead"] = np.where(finite, layer.dead.mean(axis=1), np.nan)
                row[f"{prefix}_saturated"] = np.where(finite, layer.saturated, np.nan)
                row[f"{prefix}_activation_rms"] = layer.activation_rms
                for name in network.prototype.params:
                    learned = network.parameters[f"{prefix}.{name}"]
                    row[f"{prefix}_{name}"] = learned.mean(axis=(1, 2), dtype=np.float64)
            row[f"{prefix}_gradient_rms"] = train.gradient_rms[number - 1]
            row[f"{prefix}_update_ratio"] = ratio
        self.columns = list(row)
        return np.array(list(row.values()))

    def update_outcome(self, k: int, finite: bool, monitored: Measurement) -> bool:
        """Update the outcome of replicate k after an epoch: diverged, best epoch, solved.

        Returns whether the replicate ends here.
        """
        outcome, settings, epoch = self.outcomes[k], self.experiment.training, self.epoch
        outcome.epochs = epoch
        if not finite:
            outcome.status, outcome.diverged_epoch = "diverged", epoch
            return True
        if monitored.loss[k] < outcome.best_loss:
            outcome.best_loss = float(monitored.loss[k])
            outcome.best_epoch = epoch
            self.best[k] = self.network.theta[k]
        if outcome.solved_epoch is None and monitored.accuracy[k] >= settings.target_accuracy:
            outcome.solved_epoch = epoch
        if settings.patience is not None and outcome.best_epoch is not None:
            if epoch - outcome.best_epoch >= settings.patience:
                outcome.status = "stopped_early"
                return True
        return False

    def update_dead_since(self, mask: Array, train: Measurement) -> None:
        """Update ``dead_since``, the recorded epoch since which a unit is dead, or -1.

        ``mask`` marks the replicates to update.
        """
        mask = mask & [outcome.status != "diverged" for outcome in self.outcomes]
        for since, layer in zip(self.dead_since, train.layers, strict=True):
            found = np.where(layer.dead, np.where(since < 0, self.epoch, since), -1)
            np.copyto(since, found, where=mask[:, None])

    def stop(self, k: int) -> None:
        """Store the final parameters of replicate k. Its row in the stack is no longer used."""
        self.active[k] = False
        self.final[k] = self.network.theta[k]
        self.network.theta[k] = 0

    def result(self) -> TrainingResult:
        """Return the result. Call it last, because it overwrites the network's parameters."""
        network, records = self.network, self.records()
        self.final[self.active] = network.theta[self.active]
        history = np.array(list(records.values())).transpose(1, 2, 0)
        return TrainingResult(
            epochs=np.array(list(records)),
            history=dict(zip(self.columns, history, strict=True)),
            outcomes=self.outcomes,
            final=network.views(self.final),
            best=network.views(self.best),
            final_scores=self.scores(self.final),
            best_scores=self.scores(self.best),
            snapshots={
                "epoch": np.array(self.snapshots_at, int),
                **network.views(self.snapshots[: len(self.snapshots_at)]),
            },
            gains=self.gains,
            parameters=network.size,
            seconds=0.0,
        )

    def records(self) -> dict[int, Array]:
        """Return the records of the history by epoch, (columns, replicates) each.

        If a replicate ended between two recorded epochs, its last values are in the later record.
        """
        settings = self.experiment.training
        records: dict[int, Array] = {}
        for epoch, mask, values in self.rows:
            due = math.ceil(epoch / settings.record_every) * settings.record_every
            record = records.setdefault(min(due, settings.epochs), np.full_like(values, np.nan))
            record[:, mask] = values[:, mask]
        return records

    def scores(self, theta: Array) -> dict[str, Array]:
        """Return loss and accuracy with the parameters ``theta``, for each part with samples."""
        self.network.theta[...] = theta
        scores = {}
        with np.errstate(all="ignore"):
            measured = {**self.layer_evaluator.evaluate(), **self.evaluator.evaluate()}
            for name, part in measured.items():
                scores[f"{name}_loss"] = part.loss
                scores[f"{name}_accuracy"] = part.accuracy
        return scores


class Row(NamedTuple):
    """What an epoch adds to the history.

    ``values`` has shape (columns, replicates); ``mask`` marks the replicates they belong to.
    """

    epoch: int
    mask: Array
    values: Array


def _parts(data: Split, dtype: npt.DTypeLike) -> dict[str, Part]:
    """Return those of the parts train, validation and test that have samples."""
    parts = {}
    for name in PARTS:
        x, labels = data.part(name)
        if labels.size:
            targets = feature_major(encode(labels, data.classes, dtype))
            labels = labels.astype(np.min_scalar_type(data.classes))
            parts[name] = Part(with_ones(x), labels, targets)
    return parts
