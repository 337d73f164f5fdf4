"""One sentence on what went wrong, where the numbers warrant it; healthy runs get none."""

from __future__ import annotations

from typing import Any

import numpy as np

from activations.base import Array
from runner.config import Experiment
from runner.outcomes import Training

DEAD_SHARE = 0.1
SATURATED_SHARE = 0.9
VANISHING_RATIO = 1e-3
RISE_FACTOR = 1.5
CHANCE_MARGIN = 0.05


def diagnose(experiment: Experiment, training: Training) -> list[dict[str, Any]]:
    """Return the findings, the gravest first: code, layer (None for all), text, numbers."""
    findings = [
        *_diverged(training),
        *_gradient_flow(experiment, training),
        *_dead(experiment, training),
        *_saturated(experiment, training),
        *_not_learned(experiment, training),
        *_overfitted(training),
    ]
    return [finding for finding in findings if finding]


def _finding(code: str, layer: int | None, text: str, **numbers: float) -> dict[str, Any]:
    rounded = {key: float(f"{value:.6g}") for key, value in numbers.items()}
    return {"code": code, "layer": layer, "text": text, "numbers": rounded}


def _diverged(training: Training) -> list[dict[str, Any]]:
    epochs = [
        outcome.diverged_epoch
        for outcome in training.outcomes
        if outcome.diverged_epoch is not None
    ]
    if not epochs:
        return []
    total = len(training.outcomes)
    if max(epochs) == 0:
        text = f"{len(epochs)} of {total} replicates have no finite loss even before training"
    else:
        text = (
            f"{len(epochs)} of {total} replicates diverged, the first at epoch {min(epochs)}: "
            "lower optimizer.learning_rate or set optimizer.clip_norm"
        )
    return [_finding("diverged", None, text, replicates=len(epochs), epoch=float(min(epochs)))]


def _gradient_flow(experiment: Experiment, training: Training) -> list[dict[str, Any]]:
    layers = len(experiment.model.hidden)
    if layers < 2:
        return []
    first = _geometric_mean(training.history["layer1_gradient_rms"][:, 0])
    last = _geometric_mean(training.history[f"layer{layers}_gradient_rms"][:, 0])
    if not (last > 0 and np.isfinite(first) and np.isfinite(last)):
        return []
    ratio = first / last
    if VANISHING_RATIO <= ratio <= 1 / VANISHING_RATIO:
        return []
    code = "vanishing" if ratio < 1 else "exploding"
    text = f"at the start layer 1 receives {ratio:.1g} of layer {layers}'s gradient: {code}"
    return [_finding(code, 1, text, ratio=ratio)]


def _dead(experiment: Experiment, training: Training) -> list[dict[str, Any]]:
    findings = []
    for number in range(1, len(experiment.model.hidden) + 1):
        units = np.concatenate([o.dead_since[number - 1] for o in training.outcomes])
        share = float(np.mean(units >= 0))
        if share < DEAD_SHARE:
            continue
        since = int(np.median(units[units >= 0]))
        text = f"{share:.0%} of layer {number} dead since epoch {since}"
        findings.append(_finding("dead", number, text, share=share, since=float(since)))
    return findings


def _saturated(experiment: Experiment, training: Training) -> list[dict[str, Any]]:
    findings = []
    for number in range(1, len(experiment.model.hidden) + 1):
        share = _last_mean(training, f"layer{number}_saturated")
        if not share >= SATURATED_SHARE:
            continue
        text = f"{share:.0%} of layer {number}'s outputs are saturated at the end"
        findings.append(_finding("saturated", number, text, share=share))
    return findings


def _not_learned(experiment: Experiment, training: Training) -> list[dict[str, Any]]:
    chance = 1 / experiment.classes
    accuracy = _last_mean(training, "train_accuracy")
    if not accuracy < chance + CHANCE_MARGIN:
        return []
    text = (
        f"train accuracy {accuracy:.2f} is no better than chance ({chance:.2f}): "
        "nothing was learned"
    )
    return [_finding("not_learned", None, text, accuracy=accuracy, chance=chance)]


def _overfitted(training: Training) -> list[dict[str, Any]]:
    validation = training.history["validation_loss"]
    best = np.array([np.nan if o.best_epoch is None else o.best_loss for o in training.outcomes])
    last = np.array([_last(row) for row in validation])
    both = np.isfinite(best) & np.isfinite(last)
    if not both.any():
        return []
    low, high = float(best[both].mean()), float(last[both].mean())
    if high < RISE_FACTOR * low or high - low < 0.05:
        return []
    epochs = [o.best_epoch for o in training.outcomes if o.best_epoch is not None]
    text = f"validation loss rose from {low:.3g} at epoch {int(np.median(epochs))} to {high:.3g}"
    if _train_loss_rose(training):
        text += ", and train loss rose too: lower optimizer.learning_rate"
        return [_finding("unstable", None, text, best=low, last=high)]
    return [_finding("overfitting", None, f"{text}: overfitting", best=low, last=high)]


def _train_loss_rose(training: Training) -> bool:
    """Return whether most replicates end with much more train loss than at their best epoch."""
    rose = []
    for row, outcome in zip(training.history["train_loss"], training.outcomes, strict=True):
        if outcome.best_epoch is not None:
            (at_best,) = row[training.epochs == outcome.best_epoch]
            rose.append(_last(row) > RISE_FACTOR * at_best)
    return bool(np.mean(rose) > 0.5)


def _geometric_mean(values: Array) -> float:
    positive = values[values > 0]
    return float(np.exp(np.log(positive).mean())) if positive.size else 0.0


def _last(row: Array) -> float:
    finite = row[np.isfinite(row)]
    return float(finite[-1]) if finite.size else float("nan")


def _last_mean(training: Training, column: str) -> float:
    last = [_last(row) for row in training.history[column]]
    finite = [value for value in last if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")
