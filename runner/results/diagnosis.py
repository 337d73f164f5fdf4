"""Find what went wrong in a run, with numbers. A healthy run shows no finding.

Many networks that learn well have dead units or small gradients; on moons, a third of the units of
a ReLU network may die. So such a finding is shown only if the run also failed: replicates diverged,
or train accuracy is well below that of the nearest neighbours. Other findings stay in the summary;
a comparison shows those that only the worse setting has.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from activations.base import Array
from runner.config.experiment import Experiment
from runner.network.measurements import flatness
from runner.results.prediction import predicted_gradients
from runner.system.blas import one_blas_thread
from runner.theory.layers import FLOW
from runner.training.outcome import TrainingResult

NEIGHBOURS = 5
"""Enough to outvote a wrong label, and few enough for a class of ten samples. In the limit of many
samples, the error of one nearest neighbour is at most twice the least possible error.
Cover & Hart 1967, Nearest neighbor pattern classification, https://doi.org/10.1109/TIT.1967.1053964"""

NEIGHBOUR_SAMPLES = 1000
"""This many samples give the accuracy to about 0.01, and take a millisecond."""

SHORTFALL = 0.05
"""A train accuracy this far below the neighbours' is too low. Three standard errors of an accuracy
of 0.95 over 200 samples are 0.046."""

EXTREME_FLOW = 1e3
"""Beyond this factor a finding is shown even if the run did not fail. Adam divides by the
gradient's size, so it can train such a network; SGD would train layer 1 a thousandth as fast."""

INPUT_FACTORS = (1.0, 0.5, 2.0)
"""``auto`` is suggested only if it also helps for inputs of half and of twice the mean square. In
narrow layers the mean square varies by that much, and a function that grows like z^2 explodes."""

DEAD_SHARE = 0.1
"""Below this share, dead units only make the layer up to a tenth narrower. In wide layers even a
third is harmless, so the share alone does not decide whether the finding is shown."""

SATURATED_SHARE = 0.9
"""If nine of ten outputs pass no gradient, less than a third of its root mean square passes."""

LEAST_KAPPA = 0.1
"""Cohen's kappa, (accuracy - chance) / (1 - chance), below which a replicate has learned nothing:
with equally frequent classes, accuracy 0.55 for two classes and 0.19 for ten.
Cohen 1960, A coefficient of agreement, https://doi.org/10.1177/001316446002000104"""

RISE_FACTOR, LEAST_RISE = 1.2, 0.1
"""Validation loss must rise by this factor and by this difference in nats. The difference means
that the right class becomes a tenth less probable; the factor matters where classes overlap and the
loss is always high. A smaller rise from the lowest of many epochs to the last may be chance."""

UNSTABLE_FACTOR = 1.5
"""If train loss also rises by this factor, training is unstable. Mini-batches alone make train loss
vary by a quarter between epochs."""

LEAST_FALL = 0.01
"""A smaller fall in accuracy is at most one sample of a hundred."""


def diagnose(experiment: Experiment, training: TrainingResult) -> list[dict[str, Any]]:
    """Return the findings, the shown ones first, then the gravest first.

    A finding has a ``code``, a ``layer`` (None for several), the ``reason`` in one clause ("31% of
    the units of layer 1 are dead"), a ``text`` for the report, ``numbers``, and the flag ``shown``.
    """
    accuracies = training.final_scores["train_accuracy"]
    finished = np.array([outcome.status != "diverged" for outcome in training.outcomes])
    within_reach = _neighbours_accuracy(experiment)
    short = bool(finished.any() and accuracies[finished].mean() < within_reach - SHORTFALL)
    flow, units = _flow(experiment, training), _units(experiment, training)
    cut_off = flow and _cut_off(flow[0]["numbers"], units)
    saturated = units and units[0]["code"] == "saturated"
    causes = [*units, *flow] if cut_off or saturated else [*flow, *units]
    causes += _vanished(experiment, training, finished)
    for finding in causes:
        finding["shown"] |= short or not finished.all()
    stuck = _stuck(experiment, accuracies, finished)
    missing = []
    if short:
        missing = _underfitted(experiment, accuracies[finished].mean(), within_reach, bool(causes))
    findings = [*_diverged(training), *causes, *(stuck or missing), *_overfitted(training)]
    return sorted(findings, key=lambda finding: not finding["shown"])


def _cut_off(gradient: dict[str, float], units: list[dict[str, Any]]) -> bool:
    """Return whether dead units explain a small gradient.

    They do if a whole layer is dead, or if units were dead before training and the theory of wide
    layers does not predict a small gradient.
    """
    if gradient["ratio"] == 0:
        return True
    born_dead = bool(units) and units[0]["code"] == "dead" and units[0]["numbers"]["since"] == 0
    return born_dead and gradient.get("predicted", 0.0) >= 1 / FLOW > gradient["ratio"]


def _finding(
    code: str,
    reason: str,
    text: str,
    numbers: dict[str, float],
    layer: int | None = None,
    shown: bool = True,
) -> dict[str, Any]:
    rounded = {key: float(f"{value:.6g}") for key, value in numbers.items()}
    return {
        "code": code,
        "layer": layer,
        "reason": reason,
        "text": text,
        "numbers": rounded,
        "shown": shown,
    }


@one_blas_thread()
def _neighbours_accuracy(experiment: Experiment) -> float:
    """Return the accuracy of the nearest neighbours on the first replicate's training samples, or
    NaN for too few samples."""
    data = experiment.first_split
    x = data.train_x[:NEIGHBOUR_SAMPLES]
    labels = data.train_labels[:NEIGHBOUR_SAMPLES]
    if len(x) <= NEIGHBOURS:
        return float("nan")
    distances = (-2 * x) @ x.T  # squared, without |x_i|^2, which is constant in a row
    distances += np.einsum("ij,ij->i", x, x)
    np.fill_diagonal(distances, np.inf)
    rows, votes = np.arange(len(x)), np.zeros((len(x), data.classes), int)
    for _ in range(NEIGHBOURS):  # five times as fast as argpartition
        nearest = distances.argmin(axis=1)
        votes[rows, labels[nearest]] += 1
        distances[rows, nearest] = np.inf
    return float(np.mean(votes.argmax(axis=1) == labels))


def _diverged(training: TrainingResult) -> list[dict[str, Any]]:
    ends = [outcome.diverged_epoch for outcome in training.outcomes]
    epochs = [epoch for epoch in ends if epoch is not None]
    if not epochs:
        return []
    some = f"{len(epochs)} of {len(training.outcomes)} replicates"
    reason = f"{some} diverged"
    if max(epochs) == 0:
        text = f"{some} have an infinite or undefined loss before training"
    else:
        text = (
            f"{reason}, the first at epoch {min(epochs)}: "
            "lower optimizer.learning_rate or set optimizer.clip_norm"
        )
    numbers = {"replicates": float(len(epochs)), "epoch": float(min(epochs))}
    return [_finding("diverged", reason, text, numbers)]


def _flow(experiment: Experiment, training: TrainingResult) -> list[dict[str, Any]]:
    """Return a finding if gradients vanish or explode before training, or if signals explode.

    Compares layer 1's gradient with that of the last hidden layer, and the outputs of the last
    hidden layer with the network's inputs.
    """
    layers = len(experiment.model.hidden)
    if layers < 2:
        return []
    start = {name: rows[:, 0] for name, rows in training.history.items()}
    gradient = _median(start["layer1_gradient_rms"] / start[f"layer{layers}_gradient_rms"])
    inputs = float(np.sqrt(np.mean(np.square(experiment.first_split.train_x, dtype=np.float64))))
    signal = _median(start[f"layer{layers}_activation_rms"]) / (inputs or 1.0)
    if gradient < 1 / FLOW:
        code, ratio = "vanishing", gradient
        reason = f"layer 1's gradient is {_digits(ratio)} times layer {layers}'s"
        numbers, forecast = _forecast(experiment, ratio)
    elif gradient > FLOW:
        code, ratio = "exploding", gradient
        reason = f"layer 1's gradient is {_digits(ratio)} times layer {layers}'s"
        numbers, forecast = _forecast(experiment, ratio)
    elif signal > FLOW:
        code, ratio = "exploding", signal
        reason = f"the outputs of layer {layers} are {_digits(ratio)} times the inputs"
        numbers, forecast = {}, ""
    else:
        return []
    extreme = not 1 / EXTREME_FLOW <= ratio <= EXTREME_FLOW
    text = f"before training {reason}: {code}{forecast}"
    return [_finding(code, reason, text, {"ratio": ratio, **numbers}, 1, extreme)]


def _forecast(experiment: Experiment, ratio: float) -> tuple[dict[str, float], str]:
    """Return the predicted ratio of layer 1's gradient to the last hidden layer's, also for
    ``auto``, as numbers and as text; nothing if the theory does not apply."""
    try:
        predicted = _predicted_ratio(experiment)
    except ValueError:
        return {}, ""
    numbers = {"predicted": predicted}
    if 1 / FLOW <= predicted <= FLOW:
        return numbers, f"; the theory of wide layers predicts {_digits(predicted)}"
    words = f"; theory predicts {_digits(predicted)} for this initializer"
    if experiment.initializer["name"] == "auto":
        return numbers, words
    try:
        better = [_predicted_ratio(experiment, auto=True, input_factor=k) for k in INPUT_FACTORS]
    except ValueError:
        return numbers, words
    if 1 / FLOW <= min(better) and max(better) <= FLOW:
        numbers["auto"] = better[0]
        words += f"; initializer=auto would give about {_digits(better[0])} in wide layers"
    return numbers, words


def _predicted_ratio(experiment: Experiment, **how: Any) -> float:
    gradients = predicted_gradients(experiment, **how)
    if not gradients[-2] > 0:
        raise ValueError("no gradient reaches the last hidden layer")
    return float(gradients[0] / gradients[-2])


def _vanished(
    experiment: Experiment, training: TrainingResult, finished: Array
) -> list[dict[str, Any]]:
    """Return a finding if layer 1's gradient is comparable to the last hidden layer's before
    training, but not at the end."""
    layers = len(experiment.model.hidden)
    if layers < 2 or not finished.any():
        return []
    first, last = (
        training.history[f"layer{number}_gradient_rms"][finished] for number in (1, layers)
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # a dead layer has the gradient 0
        ratios = first / last
    enough = np.array([_median(record) >= 1 / FLOW for record in ratios.T])
    ends = np.array([_last(row) for row in ratios])
    ratio = _median(ends)
    if not enough[0] or enough[-1] or not ratio < 1 / FLOW:
        return []
    since = int(training.epochs[1 + np.flatnonzero(enough)[-1]])
    size = f"{_digits(ratio)} times layer {layers}'s"
    reason = f"layer 1's gradient vanished during training, to {size}"
    text = f"{reason} (since epoch {since}): try a smaller optimizer.learning_rate"
    numbers = {"ratio": ratio, "since": float(since)}
    return [_finding("vanished", reason, text, numbers, 1, False)]


def _last(row: Array) -> float:
    finite = row[np.isfinite(row)]
    return float(finite[-1]) if finite.size else float("nan")


def _median(ratios: Array) -> float:
    finite = ratios[np.isfinite(ratios)]
    return float(np.median(finite)) if finite.size else float("nan")


def _digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}"


def _units(experiment: Experiment, training: TrainingResult) -> list[dict[str, Any]]:
    """Return findings on dead units and saturated layers, the more informative one first.

    A dead tanh unit is saturated for all samples, so for tanh the saturated layers come first. A
    healthy ReLU unit is off for many samples, so for ReLU the dead units come first.
    """
    state = flatness(experiment.activation_object())
    dead, flat = _dead(experiment, training), _saturated(experiment, training, state)
    return [*flat, *dead] if state == "saturated" else [*dead, *flat]


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
    reason = f"{words.replace(' of ', ' of the units of ')} are dead"
    when = f", the first since epoch {first}, half of them by epoch {half}"
    text = reason + (when if first < max(since) else f" since epoch {first}")
    numbers = {"share": share, "since": float(first)}
    return [_finding("dead", reason, text, numbers, _only(found), False)]


def _saturated(
    experiment: Experiment, training: TrainingResult, state: str
) -> list[dict[str, Any]]:
    layers = range(1, len(experiment.model.hidden) + 1)
    shares = {number: _last_mean(training, f"layer{number}_saturated") for number in layers}
    found = {number: share for number, share in shares.items() if share >= SATURATED_SHARE}
    if not found:
        return []
    share, words = _shares(found)
    reason = f"{words.replace(' of ', ' of the outputs of ')} are {state}"
    text = f"{reason} at the end"
    return [_finding("saturated", reason, text, {"share": share}, _only(found), False)]


def _shares(found: dict[int, float]) -> tuple[float, str]:
    """Return the greatest share, and a text like "20% to 31% of layers 1-3 and 5"."""
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
    """Return the layer that a finding concerns, or None for several."""
    return next(iter(found)) if len(found) == 1 else None


def _stuck(experiment: Experiment, accuracies: Array, finished: Array) -> list[dict[str, Any]]:
    labels = experiment.first_split.train_labels
    chance = float(np.bincount(labels).max()) / len(labels)
    stuck = finished & (accuracies - chance < LEAST_KAPPA * (1 - chance))
    if not stuck.any():
        return []
    accuracy = float(accuracies[stuck].mean())
    reason = (
        f"{stuck.sum()} of {len(stuck)} replicates learned nothing: "
        f"train accuracy {accuracy:.0%}, chance {chance:.0%}"
    )
    numbers = {"accuracy": accuracy, "chance": chance}
    return [_finding("not_learned", reason, reason, numbers)]


def _underfitted(
    experiment: Experiment, accuracy: float, within_reach: float, explained: bool
) -> list[dict[str, Any]]:
    """Return the finding, with advice unless another finding explains it: more units or layers do
    not help a network whose gradients vanish or whose units are dead."""
    reason = f"train accuracy is {accuracy:.0%} but nearest neighbours get {within_reach:.0%}"
    text = f"{reason}: underfitting"
    if not experiment.model.hidden:
        text += "; the network is linear: add a hidden layer, e.g. model.hidden=[16]"
    elif experiment.activation["name"] == "identity":
        text += "; the network is linear: choose another activation"
    elif not explained:
        text += "; try more epochs, units or layers, or another optimizer.learning_rate"
    numbers = {"accuracy": accuracy, "within_reach": within_reach}
    return [_finding("underfitting", reason, text, numbers)]


def _overfitted(training: TrainingResult) -> list[dict[str, Any]]:
    """Return a finding if validation loss rose in most replicates.

    If train loss rose too, training is unstable. Otherwise the networks overfit or, if accuracy
    did not fall, are overconfident.
    """
    final, best = training.final_scores, training.best_scores
    if "validation_loss" not in final:
        return []
    low, high = best["validation_loss"], final["validation_loss"]
    known = np.array([outcome.best_epoch is not None for outcome in training.outcomes])
    known &= np.isfinite(low) & np.isfinite(high)
    rose = known & (high >= RISE_FACTOR * low) & (high - low >= LEAST_RISE)
    unstable = rose & (final["train_loss"] > UNSTABLE_FACTOR * best["train_loss"])
    overfitted = rose & (final["train_loss"] <= best["train_loss"])
    for which in (unstable, overfitted):
        if 2 * which.sum() > known.sum():
            break
    else:
        return []
    epoch = np.median([o.best_epoch for o, it in zip(training.outcomes, which, strict=True) if it])
    ends = {"best": float(np.median(low[which])), "last": float(np.median(high[which]))}
    where = "" if which.all() else f" in {which.sum()} of {len(which)} replicates"
    start, end = (f"{value:.3g}" for value in ends.values())
    rise = f"validation loss rose{where} from {start} to {end}"
    text = f"validation loss rose{where} from {start} at epoch {epoch:.0f} to {end}"
    if which is unstable:
        text += ", and train loss rose too: lower optimizer.learning_rate"
        return [_finding("unstable", rise, text, ends)]
    before, after = (float(part["validation_accuracy"][which].mean()) for part in (best, final))
    if after > before - LEAST_FALL:
        text += f" while accuracy stayed at {after:.1%}: overconfident, but no less accurate"
        return [_finding("overconfident", rise, text, {**ends, "accuracy": after})]
    fall = f"accuracy fell from {before:.1%} to {after:.1%}"
    text += f" and {fall}: overfitting"
    return [_finding("overfitting", f"validation {fall}", text, {**ends, "accuracy": after})]


def _last_mean(training: TrainingResult, column: str) -> float:
    last = np.array([_last(row) for row in training.history[column]])
    last = last[np.isfinite(last)]
    return float(np.mean(last)) if last.size else float("nan")
