"""What each setting scored: the metric, failures, tuning on validation data, the
placebo.

A task is everything about the data; only settings of the same task are compared. An arm
is what is compared within a task: a setting without its task and without the keys that
were tuned. Of an arm's trials (one per tuned value) validation data choose one, and
that one's score, usually on test data that no choice has seen, is the arm's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any

import numpy as np

from activations.base import Array
from runner.compare.runs import Problem
from runner.compare.settings import Setting, differing_keys, label, short, show

METRICS = tuple(
    f"{which}{part}_{quantity}"
    for which in ("", "best.")
    for part in ("test", "validation", "train")
    for quantity in ("accuracy", "loss")
)
TUNED_BY_DEFAULT = "optimizer.learning_rate"


@dataclass
class Arm:
    """One contestant in one task.

    Attributes:
        task: what the data are, for people; the same text for the same task.
        name: what tells the arm from the task's others, for people.
        setting: the chosen trial.
        trials: all trials with their mean validation value (higher is better).
        scores: (replicates,) in the metric's own direction, failures filled in.
        seeds: their seeds; a pair of arms is compared on the seeds they share.
        chosen: the tuned keys' values in the chosen trial.
        on_edge: tuned keys whose chosen value is the least or greatest one tried.
        placebo: scores of the same setting on seeds that no other arm of the task has.
    """

    task: str
    name: str
    setting: Setting
    trials: list[tuple[Setting, float]]
    scores: Array
    seeds: list[int]
    chosen: dict[str, Any] = field(default_factory=dict)
    on_edge: list[str] = field(default_factory=list)
    placebo: Array = field(default_factory=lambda: np.empty(0))

    @property
    def activation(self) -> str:
        return self.setting.activation


def higher_is_better(metric: str) -> bool:
    """Return whether more of a metric is better: accuracies yes, losses no."""
    return metric.endswith("accuracy")


def choose_metric(settings: Sequence[Setting], wanted: str | None) -> str:
    """Return ``wanted``, or the first metric, test accuracy first, that some run has.

    Raises ValueError, listing what there is, for a metric that no run has.
    """
    present = [
        metric
        for metric in METRICS
        if any(np.isfinite(setting.measured(metric)).any() for setting in settings)
    ]
    if wanted is None:
        if present:
            return present[0]
        return METRICS[0]
    if wanted not in present:
        raise ValueError(
            f"no run has the metric {wanted!r}; there are {', '.join(present) or 'none'}"
        )
    return wanted


def scored_settings(
    settings: Sequence[Setting], metric: str
) -> tuple[list[Setting], list[Problem]]:
    """Part the settings with a score from those whose runs have none though they finished,
    such as a test accuracy where no sample was held out for a test."""
    scored, problems = [], []
    for setting in settings:
        if np.isfinite(setting.measured(metric)).any() or setting.diverged.all():
            scored.append(setting)
            continue
        own = [other for other in METRICS[:6] if np.isfinite(setting.measured(other)).any()]
        problems += [
            Problem(str(run.path), f"has no {metric}; it has {', '.join(own) or 'no metric'}")
            for run in setting.runs
        ]
    return scored, problems


def choose_tuned(settings: Sequence[Setting], wanted: str | None) -> tuple[str, ...]:
    """Return the keys, or sections, whose value is chosen on validation data.

    By default the learning rate, if it differs and something else of the model or its
    training does too; ``none`` tunes nothing.

    Raises ValueError for a key that no config has.
    """
    differing = differing_keys([setting.config for setting in settings])
    if wanted is None:
        others = [
            key for key in differing if key != TUNED_BY_DEFAULT and not key.startswith("dataset.")
        ]
        return (TUNED_BY_DEFAULT,) if TUNED_BY_DEFAULT in differing and others else ()
    if wanted == "none":
        return ()
    return refuse_unknown(wanted, [setting.config for setting in settings])


def refuse_unknown(wanted: str, configs: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the keys or sections named.

    Raises ValueError for one that no config has, and for one of the data's.
    """
    keys = tuple(key.strip() for key in wanted.split(",") if key.strip() not in ("", "none"))
    for key in keys:
        if _within(key, ("dataset",)):
            raise ValueError(
                f"{key!r} cannot be tuned: settings are compared on the same data, and each "
                "data set is a task of its own"
            )
        if not any(_within(known, (key,)) for config in configs for known in config):
            raise ValueError(
                f"no run has a setting {key!r} to tune; differing are "
                f"{', '.join(differing_keys(configs)) or 'none'}"
            )
    return keys


def _within(key: str, sections: Sequence[str]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)


def arms(settings: Sequence[Setting], metric: str, tuned: Sequence[str]) -> list[Arm]:
    """Return the contestants of all tasks, each task's best first, tasks by name."""
    differing = differing_keys([setting.config for setting in settings])
    in_task = [key for key in differing if key.startswith("dataset.")]
    in_arm = [k for k in differing if k not in in_task and not _within(k, tuned)]
    groups: dict[tuple[str, str], list[Setting]] = {}
    for setting in settings:
        data = {k: v for k, v in setting.config.items() if k.startswith("dataset.")}
        rest = {
            k: v
            for k, v in setting.config.items()
            if k not in data and not _within(k, tuned) and not _follows(k, differing, tuned)
        }
        key = tuple(json.dumps(part, sort_keys=True, default=str) for part in (data, rest))
        groups.setdefault((key[0], key[1]), []).append(setting)
    by_task: dict[str, list[Arm]] = {}
    for (task, _), trials in groups.items():
        one = trials[0].config
        data = {k: v for k, v in one.items() if k.startswith("dataset.")}
        named = {k: v for k, v in one.items() if k not in data}
        if "activation.name" in differing and _within("activation.name", tuned):
            named["activation.name"] = "any activation"
        values = [validation_value(trial, metric) for trial in trials]
        best = _best(trials, values, metric)
        tried = _tried(trials, best, tuned)
        arm = Arm(
            label(data, in_task) if in_task else show(data.get("dataset.name", "data")),
            label(named, in_arm),
            best,
            list(zip(trials, values, strict=True)),
            np.empty(0),
            list(best.seeds),
            {key: best.config[key] for key in tried},
        )
        arm.on_edge = [k for k in arm.chosen if _on_edge(arm.chosen[k], tried[k])]
        by_task.setdefault(task, []).append(arm)
    result = []
    for group in sorted(by_task.values(), key=lambda group: group[0].task):
        worst = worst_score([trial for arm in group for trial, _ in arm.trials], metric)
        for arm in group:
            arm.scores = filled(arm.setting, metric, worst)
        _set_placebos_apart(group)
        sign = 1 if higher_is_better(metric) else -1
        group.sort(key=lambda arm: (-sign * float(arm.scores.mean()), arm.name))
        result += group
    return result


def _follows(key: str, differing: Sequence[str], tuned: Sequence[str]) -> bool:
    """Whether a parameter differs only because its section's name, which is tuned, does."""
    section = key.rpartition(".")[0]
    return key not in differing and _within(f"{section}.name", tuned)


def _tried(trials: Sequence[Setting], best: Setting, tuned: Sequence[str]) -> dict[str, list[Any]]:
    """Return the values among which each tuned key of the chosen trial was chosen.

    A parameter's are those of trials with the same name in its section: leaky_relu's
    alpha is no alternative to elu's.
    """
    tried = {}
    for key in differing_keys([trial.config for trial in trials]):
        section, _, parameter = key.rpartition(".")
        name = f"{section}.name"
        alike = [
            trial.config.get(key)
            for trial in trials
            if parameter == "name" or trial.config.get(name) == best.config.get(name)
        ]
        several = len(set(map(repr, alike))) > 1
        if several and key in best.config and _within(key, tuned):
            tried[key] = alike
    return tried


def _best(trials: Sequence[Setting], values: Sequence[float], metric: str) -> Setting:
    """Return the trial with the highest validation value; among equal accuracies, which are
    counts and often tie, the one with the lowest validation loss."""
    tied = [trial for trial, value in zip(trials, values, strict=True) if value == max(values)]
    loss = metric.replace("accuracy", "loss")
    return max(tied, key=lambda trial: validation_value(trial, loss))


def validation_value(setting: Setting, metric: str) -> float:
    """Return what trials are chosen by, higher is better: validation data, failures
    worst.

    The mean of the metric's validation twin; of training where there is no validation
    part.
    """
    which, _, name = metric.rpartition(".")
    quantity = name.rpartition("_")[2]
    for part in ("validation", "train"):
        twin = f"{which}.{part}_{quantity}" if which else f"{part}_{quantity}"
        values = setting.measured(twin)
        if np.isfinite(values).any() or part == "train":
            break
    if higher_is_better(metric):
        return float(np.where(setting.diverged | np.isnan(values), 0, values).mean())
    failed = setting.diverged | ~np.isfinite(values)
    # Any failure makes a trial worse than all without one.
    return -float(np.where(failed, 1e9, np.minimum(values, 1e8)).mean())


def worst_score(settings: Sequence[Setting], metric: str) -> float:
    """Return what a diverged replicate scores: accuracy 0, or the task's greatest
    loss."""
    if higher_is_better(metric):
        return 0.0
    kept = [setting.measured(metric)[~setting.diverged] for setting in settings]
    values = np.concatenate(kept)
    values = values[np.isfinite(values)]
    return float(values.max()) if values.size else 0.0


def filled(setting: Setting, metric: str, worst: float) -> Array:
    """Return all replicates' scores, those that diverged or have none at ``worst``."""
    values = setting.measured(metric)
    return np.where(setting.diverged | ~np.isfinite(values), worst, values)


def finished_scores(arm: Arm) -> Array:
    """Return the scores of the replicates that did not diverge."""
    lost = {r["seed"] for r in arm.setting.replicates if r["status"] == "diverged"}
    kept = [seed not in lost for seed in arm.seeds]
    return np.asarray(arm.scores[kept])


def median_solved_epoch(settings: Sequence[Setting]) -> float:
    """Return the median epoch over all replicates, infinite for those that never solved.

    NaN where that median is not reached.
    """
    found = [r.get("solved_epoch") for s in settings for r in s.replicates]
    epochs = np.array([np.inf if epoch is None else epoch for epoch in found])
    median = float(np.median(epochs)) if epochs.size else np.inf
    return median if np.isfinite(median) else np.nan


def _on_edge(value: Any, tried: Sequence[Any]) -> bool:
    # True is 1 to Python, but a yes or no has no edge, nor has a name.
    numbers = [v for v in tried if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if isinstance(value, bool) or len(set(numbers)) < 2:
        return False
    return value in (min(numbers), max(numbers))


def _set_placebos_apart(group: list[Arm]) -> None:
    """Move the replicates whose seeds only one arm of a task has into that arm's placebo."""
    if len(group) < 2:
        return
    for arm in group:
        others = {seed for other in group if other is not arm for seed in other.setting.seeds}
        own = np.array([seed not in others for seed in arm.seeds])
        if own.sum() >= 2 and (~own).sum() >= 2:
            arm.placebo = arm.scores[own]
            arm.scores = arm.scores[~own]
            arm.seeds = [s for s, alone in zip(arm.seeds, own, strict=True) if not alone]
            whole, kept = arm.setting, np.isin(arm.setting.seeds, arm.seeds)
            arm.setting = replace(
                whole,
                replicates=list(compress(whole.replicates, kept)),
                owners=list(compress(whole.owners, kept)),
            )
            arm.trials = [(arm.setting if t is whole else t, v) for t, v in arm.trials]


def tuned_text(arm: Arm) -> str:
    """Return the chosen values for people: "learning_rate=0.1"."""
    return ", ".join(f"{short(key)}={show(v)}" for key, v in arm.chosen.items())
