"""The score of each setting: the metric, failures, tuning on validation data, the placebo.

A task is everything about the data; only settings of the same task are compared. An arm is what
is compared within a task: a setting without its task and without the tuned keys. Validation data
choose one of an arm's trials (one per tuned value), on the seeds that all its trials have. If all
chosen trials of a task have further seeds, as in a tuned sweep, only these fresh seeds are scored:
a trial that was chosen because its networks were lucky would profit from the same luck again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from activations.base import Array
from runner.compare.runs import Problem
from runner.compare.settings import Setting, differing_keys, group, label, short, show
from runner.results.run import Run

METRICS = tuple(
    f"{which}{part}_{quantity}"
    for which in ("", "best.")
    for part in ("test", "validation", "train")
    for quantity in ("accuracy", "loss")
)
TUNED_BY_DEFAULT = "optimizer.learning_rate"


@dataclass
class Arm:
    """What is compared in one task: a setting, chosen by validation data among its trials.

    Attributes:
        task: the name of the task.
        name: the name of the arm, unique within the task.
        setting: the chosen trial, on the seeds that are scored.
        trials: all trials, the chosen one included, on the seeds used to choose.
        chosen: the tuned keys' values in the chosen trial.
        on_edge: tuned keys whose chosen value is the smallest or largest one tried.
        placebo: scores of the same setting on seeds that no other arm of the task has.
    """

    task: str
    name: str
    setting: Setting
    trials: list[Setting] = field(default_factory=list)
    chosen: dict[str, Any] = field(default_factory=dict)
    on_edge: list[str] = field(default_factory=list)
    placebo: Array = field(default_factory=lambda: np.empty(0))

    @property
    def choice(self) -> Setting:
        """The chosen trial, on the seeds used to choose it."""
        return next(trial for trial in self.trials if trial.config is self.setting.config)

    @property
    def is_fresh(self) -> bool:
        """Whether no scored network was used to choose the setting."""
        return set(self.setting.seeds).isdisjoint(self.choice.seeds)

    @property
    def activation(self) -> str:
        return self.setting.activation

    @property
    def scores(self) -> Array:
        return self.setting.scores

    @property
    def placebo_differences(self) -> Array:
        """The placebo minus the arm on the scale of ``comparable``, paired in order."""
        n = min(self.placebo.size, self.scores.size)
        placebo, own = (comparable(self.setting.metric, x) for x in (self.placebo, self.scores))
        return placebo[:n] - own[:n]

    @property
    def chosen_text(self) -> str:
        """The chosen values for people: "learning_rate=0.1"."""
        return ", ".join(f"{short(key)}={show(value)}" for key, value in self.chosen.items())


def higher_is_better(metric: str) -> bool:
    """Return whether a higher value of a metric is better: True for accuracies, not for losses."""
    return metric.endswith("accuracy")


def direction(metric: str) -> int:
    """Return 1 if a higher value of a metric is better, otherwise -1."""
    return 1 if higher_is_better(metric) else -1


def comparable(metric: str, scores: Array) -> Array:
    """Return scores on the scale of comparison, higher is better: accuracy, or -log(loss).

    The mean of -log(loss) corresponds to the geometric mean. A loss of 0 counts as the smallest
    normal float32, an infinite one as the largest float64.
    """
    if higher_is_better(metric):
        return scores
    return -np.log(np.clip(scores, np.finfo(np.float32).tiny, np.finfo(np.float64).max))


def compared(setting: Setting, seeds: Sequence[int]) -> Array:
    """Return a setting's scores with some of its seeds, on the scale of ``comparable``."""
    place = {seed: row for row, seed in enumerate(setting.seeds)}
    return comparable(setting.metric, setting.scores[[place[seed] for seed in seeds]])


def choose_metric(settings: Sequence[Setting], wanted: str | None) -> str:
    """Return ``wanted``, or the first metric (test accuracy first) that some run has.

    Raises ValueError, listing the available ones, for a metric that no run has.
    """
    present = [metric for metric in METRICS if any(_has(s, metric) for s in settings)]
    if wanted is None:
        return present[0] if present else METRICS[0]
    if wanted not in present:
        raise ValueError(
            f"no run has the metric {wanted!r}; available: {', '.join(present) or 'none'}"
        )
    return wanted


def _has(setting: Setting, metric: str) -> bool:
    return not np.isnan(setting.measured(metric)).all()


def scored(settings: Sequence[Setting], metric: str) -> tuple[list[Setting], list[Problem]]:
    """Separate scored settings from finished runs without the metric, returned as problems.

    A replicate that diverged or lacks the metric gets accuracy 0 or the greatest finite loss of
    its task.
    """
    kept, problems = [], []
    for setting in settings:
        if _has(setting, metric) or setting.diverged.all():
            kept.append(setting)
            continue
        own = [other for other in METRICS[:6] if _has(setting, other)]
        reason = f"has no {metric}; it has {', '.join(own) or 'no metric'}"
        problems += [Problem(str(run.path), reason) for run in setting.runs]
    measured = [np.where(s.diverged, np.nan, s.measured(metric)) for s in kept]
    worst: dict[str, float] = {}
    if not higher_is_better(metric):
        for setting, values in zip(kept, measured, strict=True):
            task = _key(_data(setting))
            worst[task] = max([worst.get(task, 0.0), *values[~np.isnan(values)].tolist()])
    return [
        replace(
            setting,
            metric=metric,
            scores=np.where(np.isnan(values), worst.get(_key(_data(setting)), 0.0), values),
            validation=validation_value(setting, metric),
        )
        for setting, values in zip(kept, measured, strict=True)
    ], problems


def validation_value(setting: Setting, metric: str) -> float:
    """Return the value by which trials are chosen, higher is better; failures are worst.

    It is the mean of the metric on validation data, or on training data without a validation part.
    """
    part = metric.rpartition(".")[2].partition("_")[0]
    twin = metric.replace(part, "validation")
    values = setting.measured(twin if _has(setting, twin) else metric.replace(part, "train"))
    failed = setting.diverged | np.isnan(values)
    if higher_is_better(metric):
        return float(np.where(failed, 0, values).mean())
    # Any failure makes a trial worse than all without one.
    return -float(np.where(failed, 1e9, np.minimum(values, 1e8)).mean())


def choose_tuned(settings: Sequence[Setting], wanted: str | None) -> tuple[str, ...]:
    """Return the keys or sections whose value validation data choose.

    The default is the learning rate if it differs and another key of the model or training does
    too; ``none`` tunes nothing.

    Raises ValueError for a key that no config has.
    """
    configs = [setting.config for setting in settings]
    if wanted is not None:
        return keys_to_tune(wanted, configs)
    differing = [key for key in differing_keys(configs) if not within(key, ("dataset",))]
    return (TUNED_BY_DEFAULT,) if TUNED_BY_DEFAULT in differing and len(differing) > 1 else ()


def keys_to_tune(wanted: str, configs: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the keys or sections named.

    Raises ValueError for a key that no config has, and for one of the dataset's.
    """
    keys = tuple(key.strip() for key in wanted.split(",") if key.strip() not in ("", "none"))
    for key in keys:
        if within(key, ("dataset",)):
            raise ValueError(
                f"{key!r} cannot be tuned: settings are compared on the same data, and each "
                "data set is a task of its own"
            )
        if not any(within(known, (key,)) for config in configs for known in config):
            raise ValueError(
                f"no run has a setting {key!r} to tune; settings that differ: "
                f"{', '.join(differing_keys(configs)) or 'none'}"
            )
    return keys


def within(key: str, sections: Sequence[str]) -> bool:
    """Return whether a key is one of the keys or sections, or in one of them."""
    return any(key == section or key.startswith(f"{section}.") for section in sections)


def _data(setting: Setting) -> dict[str, Any]:
    return {k: v for k, v in setting.config.items() if k.startswith("dataset.")}


def _key(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True, default=str)


def arms(settings: Sequence[Setting], tuned: Sequence[str]) -> list[Arm]:
    """Return the arms of all tasks, each task's best first, tasks by name."""
    differing = differing_keys([setting.config for setting in settings])

    def follows(key: str) -> bool:
        """Whether a parameter differs only because its section's name, which is tuned, does."""
        return key not in differing and within(f"{key.rpartition('.')[0]}.name", tuned)

    trials: dict[str, dict[str, list[Setting]]] = {}
    for setting in settings:
        data = _data(setting)
        rest = {
            k: v
            for k, v in setting.config.items()
            if k not in data and not within(k, tuned) and not follows(k)
        }
        trials.setdefault(_key(data), {}).setdefault(_key(rest), []).append(setting)
    tasks = [_task(list(task.values()), differing, tuned) for task in trials.values()]
    result = []
    for members in sorted(tasks, key=lambda members: members[0].task):
        _set_placebos_apart(members)
        metric = members[0].setting.metric
        result += sorted(
            members, key=lambda arm: (-float(comparable(metric, arm.scores).mean()), arm.name)
        )
    return result


def _task(
    alike: Sequence[list[Setting]], differing: Sequence[str], tuned: Sequence[str]
) -> list[Arm]:
    """Return a task's arms from their trials, scored on fresh seeds if all have enough."""
    seeds = [_shared_seeds(trials) for trials in alike]
    result = [
        _arm([_chosen_by(trial, shared) for trial in trials], differing, tuned)
        for trials, shared in zip(alike, seeds, strict=True)
    ]
    choosing = [shared for trials, shared in zip(alike, seeds, strict=True) if len(trials) > 1]
    if choosing:
        seen = set().union(*choosing)
        whole = {id(trial.config): trial for trials in alike for trial in trials}
        chosen = [whole[id(arm.setting.config)] for arm in result]
        fresh = [setting.only([seed not in seen for seed in setting.seeds]) for setting in chosen]
        if all(len(setting.seeds) >= min(map(len, choosing)) for setting in fresh):
            for arm, setting in zip(result, fresh, strict=True):
                arm.setting = setting
    return result


def _shared_seeds(trials: Sequence[Setting]) -> set[int]:
    """Return the seeds that all trials have; if there are none, the seeds of any trial."""
    seeds = [set(trial.seeds) for trial in trials]
    return set.intersection(*seeds) or set.union(*seeds)


def _chosen_by(trial: Setting, seeds: set[int]) -> Setting:
    """Return a trial with only these of its seeds."""
    if seeds.issuperset(trial.seeds):
        return trial
    kept = trial.only([seed in seeds for seed in trial.seeds])
    return replace(kept, validation=validation_value(kept, kept.metric))


def _arm(trials: list[Setting], differing: Sequence[str], tuned: Sequence[str]) -> Arm:
    data = _data(trials[0])
    rest = {k: v for k, v in trials[0].config.items() if k not in data and not within(k, tuned)}
    if "activation.name" in differing and within("activation.name", tuned):
        rest["activation.name"] = "any activation"
    in_task = [key for key in differing if key.startswith("dataset.")]
    in_arm = [key for key in differing if key not in in_task and not within(key, tuned)]
    best = _best(trials)
    tried = _tried(trials, best, tuned)
    return Arm(
        label(data, in_task) if in_task else show(data["dataset.name"]),
        label(rest, in_arm),
        best,
        trials,
        {key: best.config[key] for key in tried},
        [key for key in tried if _on_edge(best.config[key], tried[key])],
    )


def _best(trials: Sequence[Setting]) -> Setting:
    """Return the trial with the highest validation value. Accuracies often tie, as they are counts;
    then the lowest validation loss decides."""
    most = max(trial.validation for trial in trials)
    tied = [trial for trial in trials if trial.validation == most]
    loss = trials[0].metric.replace("accuracy", "loss")
    return max(tied, key=lambda trial: validation_value(trial, loss))


def _tried(trials: Sequence[Setting], best: Setting, tuned: Sequence[str]) -> dict[str, list[Any]]:
    """Return the values among which each tuned key of the chosen trial was chosen.

    Only trials with the same name in the parameter's section count: leaky_relu's alpha is no
    alternative to elu's.
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
        if several and key in best.config and within(key, tuned):
            tried[key] = alike
    return tried


def _on_edge(value: Any, tried: Sequence[Any]) -> bool:
    # True is 1 in Python, but neither a boolean nor a name has an edge.
    numbers = [v for v in tried if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if isinstance(value, bool) or len(set(numbers)) < 2:
        return False
    return value in (min(numbers), max(numbers))


def _set_placebos_apart(task: Sequence[Arm]) -> None:
    """Move the replicates with seeds that only one arm of a task has to its placebo."""
    if len(task) < 2:
        return
    for arm in task:
        others = {seed for other in task if other is not arm for seed in other.setting.seeds}
        shared = np.array([seed in others for seed in arm.setting.seeds])
        if shared.sum() >= 2 and (~shared).sum() >= 2:
            whole = arm.setting
            arm.placebo = whole.scores[~shared]
            arm.setting = whole.only(shared.tolist())
            arm.trials = [arm.setting if trial is whole else trial for trial in arm.trials]


def chosen_configs(
    runs: Sequence[Run], tune: str, metric: str | None = None
) -> list[dict[str, Any]]:
    """Return the configs that validation data choose among runs, in the form of ``Setting.config``.

    A task without a choice has none.
    """
    settings, _ = group(runs)
    settings, _ = scored(settings, choose_metric(settings, metric))
    found = arms(settings, choose_tuned(settings, tune))
    tasks = {arm.task for arm in found if len(arm.trials) > 1}
    return [arm.setting.config for arm in found if arm.task in tasks]


def median_solved_epoch(settings: Sequence[Setting]) -> float:
    """Return the median epoch at which replicates solved the task; never solved is infinite.

    NaN if fewer than half solved it.
    """
    found = [r["solved_epoch"] for s in settings for r in s.replicates]
    median = float(np.median([np.inf if epoch is None else epoch for epoch in found]))
    return median if np.isfinite(median) else np.nan
