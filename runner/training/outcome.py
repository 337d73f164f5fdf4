"""The result of a training, and how each of its replicates ended."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from activations.base import Array

KINDS = ("history", "final", "best", "final_scores", "best_scores", "snapshots")


@dataclass
class Outcome:
    """How one replicate ended. Epoch 0 is before training."""

    seed: int
    status: str = "finished"
    epochs: int = 0
    diverged_epoch: int | None = None
    solved_epoch: int | None = None
    best_epoch: int | None = None
    best_loss: float = math.inf
    dead_since: list[Array] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON-compatible types, for a checkpoint."""
        return {**vars(self), "dead_since": [since.tolist() for since in self.dead_since]}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Outcome:
        """Return the outcome that ``to_json`` converted."""
        return cls(**{**plain, "dead_since": [np.array(s) for s in plain["dead_since"]]})


@dataclass
class TrainingResult:
    """The result of training.

    Attributes:
        epochs: (records,) the recorded epochs. If a replicate ended between two of them, its values
            at its last epoch are stored at the later one.
        history: by column name, (replicates, records) float64; NaN after a replicate's end.
        outcomes: one per replicate.
        final, best: the network's parameters by name, (replicates, ...), at the last epoch
            and at the epoch with the lowest validation loss.
        final_scores, best_scores: loss and accuracy at these epochs, by metric, (replicates,).
        snapshots: the first replicate's parameters by name, (snapshots, ...), at the epochs
            of ``training.snapshots``; the entry ``epoch`` contains these epochs.
        gains: for each linear layer, the gain that the initializer derived from the activation.
        parameters: number of parameters of one replicate.
        seconds: time for training and measuring.
    """

    epochs: Array
    history: dict[str, Array]
    outcomes: list[Outcome]
    final: dict[str, Array]
    best: dict[str, Array]
    final_scores: dict[str, Array]
    best_scores: dict[str, Array]
    snapshots: dict[str, Array]
    gains: list[float]
    parameters: int
    seconds: float

    def state(self, prefix: str) -> State:
        """Return everything except ``seconds`` as arrays whose names begin with ``prefix``."""
        state: State = {prefix + "epochs": self.epochs}
        for kind in KINDS:
            for name, array in getattr(self, kind).items():
                state[f"{prefix}{kind}.{name}"] = array
        rest = [[outcome.to_json() for outcome in self.outcomes], self.gains, self.parameters]
        state[prefix + "json"] = np.array(json.dumps(rest))
        return state

    @classmethod
    def from_state(cls, state: State, prefix: str) -> TrainingResult:
        """Return the result that ``state`` converted; ``seconds`` is 0."""
        outcomes, gains, parameters = json.loads(str(state[prefix + "json"]))
        by_kind = {
            kind: {
                name.removeprefix(f"{prefix}{kind}."): array
                for name, array in state.items()
                if name.startswith(f"{prefix}{kind}.")
            }
            for kind in KINDS
        }
        return cls(
            epochs=state[prefix + "epochs"],
            outcomes=[Outcome.from_json(outcome) for outcome in outcomes],
            **by_kind,
            gains=gains,
            parameters=parameters,
            seconds=0.0,
        )


def joined(parts: list[TrainingResult]) -> TrainingResult:
    """Return one result from those of several groups of replicates, in order."""
    first = max(parts, key=lambda part: len(part.epochs))  # other groups may have stopped early
    records = len(first.epochs)
    for part in parts:
        part.history = {key: _padded(rows, records) for key, rows in part.history.items()}
    stacked = {
        kind: {
            key: np.concatenate([getattr(part, kind)[key] for part in parts])
            for key in getattr(first, kind)
        }
        for kind in KINDS
    }
    return TrainingResult(
        epochs=first.epochs,
        outcomes=[outcome for part in parts for outcome in part.outcomes],
        gains=first.gains,
        parameters=first.parameters,
        seconds=sum(part.seconds for part in parts),
        **stacked,
    )


def _padded(rows: Array, records: int) -> Array:
    missing = ((0, 0), (0, records - rows.shape[1]))
    return np.pad(rows, missing, constant_values=np.nan)


State = dict[str, Array]
"""Arrays by name. The entry ``json`` contains everything else as JSON text."""
