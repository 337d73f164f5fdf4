"""How deep a network may be: the greatest number of hidden layers that still trains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

import numpy as np

from runner.compare.comparison import Comparison
from runner.compare.scores import Arm
from runner.compare.settings import Setting, differing_keys, names
from runner.compare.wording import counted, listed

HIDDEN = "model.hidden"
TARGET = "training.target_accuracy"


def hidden_meaning(settings: Iterable[Setting]) -> dict[str, tuple[str, dict[str, float]]]:
    """Return what model.hidden stands for as a number: depth, width, or neither."""
    values = {repr(s.config.get(HIDDEN)): s.config.get(HIDDEN) for s in settings}
    lists = [value for value in values.values() if isinstance(value, list)]
    if len(lists) < 2 or len(lists) < len(values):
        return {}
    if len({len(value) for value in lists}) == 1 and len(lists[0]) > 0:
        if all(len(set(value)) == 1 for value in lists):
            return {HIDDEN: ("width", {repr(v): v[0] for v in lists})}
    elif len({unit for value in lists for unit in value}) == 1:
        return {HIDDEN: ("hidden layers", {repr(v): len(v) for v in lists})}
    return {}


def depth_sentences(comparison: Comparison) -> list[str]:
    """Return, for each task, how deep the networks train: the greatest depth at which, and at all
    smaller depths, more than half of the replicates have the target accuracy after the last epoch.

    The list is empty if the settings do not differ in depth, have different targets, or have no
    validation data. ``solved`` would count networks that reach the target and then lose it.
    """
    meaning, _ = hidden_meaning(comparison.settings).get(HIDDEN, ("", {}))
    target, *others = (setting.config.get(TARGET) for setting in comparison.settings)
    if meaning != "hidden layers" or not isinstance(target, (int, float)):
        return []
    if any(other != target for other in others):
        return []
    reach = f"most replicates end with at least {100 * target:.3g}% validation accuracy"
    return [
        f"On {task}, {reach} {clauses}."
        for task in comparison.tasks
        if (clauses := _clauses(comparison.of_task(task), comparison.tuned, target))
    ]


def _clauses(arms: Sequence[Arm], tuned: Sequence[str], target: float) -> str:
    """Return "up to 30 hidden layers with relu and tanh; up to 2 hidden layers with sigmoid"."""
    configs = [
        {k: v for k, v in arm.setting.config.items() if k not in (HIDDEN, *tuned)} for arm in arms
    ]
    groups: dict[str, dict[int, bool]] = {}
    for arm, name in zip(arms, names(configs, differing_keys(configs)), strict=True):
        accuracy = arm.setting.measured("validation_accuracy")
        if np.isnan(accuracy[~arm.setting.diverged]).any():
            return ""
        trains = 2 * np.count_nonzero(accuracy >= target) > accuracy.size
        groups.setdefault(name, {})[len(arm.setting.config[HIDDEN])] = bool(trains)
    limits: dict[str, list[str]] = {}
    for name, trained in sorted(groups.items(), key=lambda group: (-_deepest(group[1]), group[0])):
        if len(trained) < 2:
            return ""
        limit = f"up to {counted(_deepest(trained), 'hidden layer')}"
        if all(trained.values()):
            limit += " (the deepest here)"
        elif not trained[min(trained)]:
            limit = "at no depth"
        limits.setdefault(limit, []).append(name)
    return "; ".join(f"{limit} with {listed(group)}" for limit, group in limits.items())


def _deepest(trained: dict[int, bool]) -> int:
    """Return the greatest depth that trains and at which no smaller depth fails, -1 if none."""
    return max(takewhile(trained.__getitem__, sorted(trained)), default=-1)
