"""One sentence on what went wrong, where the numbers warrant it; healthy runs get none."""

from __future__ import annotations

from typing import Any

import numpy as np

from activations.base import Array
from runner.config.experiment import Experiment
from runner.network.measurements import flatness
from runner.training.outcome import TrainingResult

DEAD_SHARE = 0.1
SATURATED_SHARE = 0.9
VANISHING_RATIO = 1e-3
RISE_FACTOR = 1.5
CHANCE_MARGIN = 0.05
LEAST_RISE = 0.05
LEAST_FALL = 0.01


def diagnose(experiment: Experiment, training: TrainingResult) -> list[dict[str, Any]]:
    """Return the findings, the gravest first: code, layer (None for all), text, numbers."""
    return [
        *_diverged(training),
        *_gradient_flow(experiment, training),
        *_dead(experiment, training),
        *_saturated(experiment, training),
        *_not_learned(experiment, training),
        *_overfitted(training),
    ]


def _finding(code: str, layer: int | None, text: str, **numbers: float) -> dict[str, Any]:
    rounded = {key: float(f"{value:.6g}") for key, value in numbers.items()}
    return {"code": code, "layer": layer, "text": text, "numbers": rounded}


def _diverged(training: TrainingResult) -> list[dict[str, Any]]:
    ends = [outcome.diverged_epoch for outcome in training.outcomes]
    epochs = [epoch for epoch in ends if epoch is not None]
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


def _gradient_flow(experiment: Experiment, training: TrainingResult) -> list[dict[str, Any]]:
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


def _dead(experiment: Experiment, training: TrainingResult) -> list[dict[str, Any]]:
    found, since = {}, []
    for number in range(1, len(experiment.model.hidden) + 1):
        units = np.concatenate([o.dead_since[number - 1] for o in training.outcomes])
        share = float(np.mean(units >= 0))
        if share >= DEAD_SHARE:
            found[number] = share
            since += units[units >= 0].tolist()
    if not found:
        return []
    first, half = min(since), sorted(since)[(len(since) - 1) // 2]
    share, words = _shares(found)
    when = f", the first since epoch {first}, half of them by epoch {half}"
    text = f"{words} dead{when if first < max(since) else f' since epoch {first}'}"
    return [_finding("dead", _only(found), text, share=share, since=float(first))]


def _saturated(experiment: Experiment, training: TrainingResult) -> list[dict[str, Any]]:
    layers = range(1, len(experiment.model.hidden) + 1)
    shares = {number: _last_mean(training, f"layer{number}_saturated") for number in layers}
    found = {number: share for number, share in shares.items() if share >= SATURATED_SHARE}
    if not found:
        return []
    share, words = _shares(found)
    state = flatness(experiment.activation_object())
    text = f"{words.replace(' of ', ' of the outputs of ')} are {state} at the end"
    return [_finding("saturated", _only(found), text, share=share)]


def _shares(found: dict[int, float]) -> tuple[float, str]:
    """Return the greatest share and "31% of layer 1", "20% to 31% of layers 1-3 and 5"."""
    low, high = (f"{end(found.values()):.0%}" for end in (min, max))
    runs: list[list[int]] = []
    for number in found:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    spans = [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
    named = " and ".join([", ".join(spans[:-1]), spans[-1]]) if len(spans) > 1 else spans[0]
    layers = f"layer{'s' if len(found) > 1 else ''} {named}"
    return max(found.values()), f"{low if low == high else f'{low} to {high}'} of {layers}"


def _only(found: dict[int, Any]) -> int | None:
    """Return the layer that a finding is about, None for several."""
    return next(iter(found)) if len(found) == 1 else None


def _not_learned(experiment: Experiment, training: TrainingResult) -> list[dict[str, Any]]:
    chance = 1 / experiment.classes
    accuracy = _last_mean(training, "train_accuracy")
    if not accuracy < chance + CHANCE_MARGIN:
        return []
    text = (
        f"train accuracy {accuracy:.2f} is no better than chance ({chance:.2f}): "
        "nothing was learned"
    )
    return [_finding("not_learned", None, text, accuracy=accuracy, chance=chance)]


def _overfitted(training: TrainingResult) -> list[dict[str, Any]]:
    """Say so if validation loss rose in most replicates, and what else did."""
    final, best = training.final_scores, training.best_scores
    if "validation_loss" not in final:
        return []
    low, high = best["validation_loss"], final["validation_loss"]
    known = np.array([outcome.best_epoch is not None for outcome in training.outcomes])
    known &= np.isfinite(low) & np.isfinite(high)
    rose = known & (high >= RISE_FACTOR * low) & (high - low >= LEAST_RISE)
    if 2 * rose.sum() <= known.sum():
        return []
    epoch = np.median([o.best_epoch for o, it in zip(training.outcomes, rose, strict=True) if it])
    ends = {"best": float(np.median(low[rose])), "last": float(np.median(high[rose]))}
    where = "" if rose.all() else f" in {rose.sum()} of {len(rose)} replicates"
    text = (
        f"validation loss rose{where} from {ends['best']:.3g} at epoch {epoch:.0f} "
        f"to {ends['last']:.3g}"
    )
    train_rose = final["train_loss"][rose] > RISE_FACTOR * best["train_loss"][rose]
    if np.mean(train_rose) > 0.5:
        text += ", and train loss rose too: lower optimizer.learning_rate"
        return [_finding("unstable", None, text, **ends)]
    before, after = (float(part["validation_accuracy"][rose].mean()) for part in (best, final))
    if after > before - LEAST_FALL:
        text += f" while accuracy stayed at {after:.1%}: overconfident, no less accurate"
        return [_finding("overconfident", None, text, **ends, accuracy=after)]
    text += f" and accuracy fell from {before:.1%} to {after:.1%}: overfitting"
    return [_finding("overfitting", None, text, **ends, accuracy=after)]


def _geometric_mean(values: Array) -> float:
    positive = values[values > 0]
    return float(np.exp(np.log(positive).mean())) if positive.size else 0.0


def _last_mean(training: TrainingResult, column: str) -> float:
    finite = [row[np.isfinite(row)] for row in training.history[column]]
    last = [row[-1] for row in finite if row.size]
    return float(np.mean(last)) if last else float("nan")
