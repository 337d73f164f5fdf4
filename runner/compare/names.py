"""Short names of tasks and arms: only values in which an arm differs from the others of its task.

``scores.arms`` gives longer names, of all keys that differ anywhere. ``pairs`` uses them to match
the arms of several tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.compare.pairs import OVERALL, Family
from runner.compare.scores import Arm, within
from runner.compare.settings import differing_keys, names, task_names


def name_families(families: Sequence[Family], tuned: Sequence[str]) -> None:
    """Give the tasks and arms of families their short names."""
    tasks = [family for family in families if family.task != OVERALL]
    name_arms([standing.arms[0] for family in tasks for standing in family.standings], tuned)
    for family in families:
        if family.task == OVERALL:
            arms = [standing.arms[0] for standing in family.standings]
            short = _names(arms, tuned)
            for standing, arm, name in zip(family.standings, arms, short, strict=True):
                standing.arms[0] = replace(arm, name=name)  # a copy: its task has its own names
        else:
            family.task = family.standings[0].arms[0].task
            for standing in family.standings:
                standing.task = family.task


def name_arms(arms: Sequence[Arm], tuned: Sequence[str]) -> None:
    """Give arms, as ``scores.arms`` returns them, and their tasks short names."""
    tasks: dict[str, list[Arm]] = {}
    for arm in arms:
        tasks.setdefault(arm.task, []).append(arm)
    firsts = [alike[0].setting.config for alike in tasks.values()]
    for alike, task in zip(tasks.values(), task_names(firsts), strict=True):
        for arm, name in zip(alike, _names(alike, tuned), strict=True):
            arm.task, arm.name = task, name


def _names(arms: Sequence[Arm], tuned: Sequence[str]) -> list[str]:
    """Return the names of arms that are compared with each other."""
    trials = [trial.config for arm in arms for trial in arm.trials]
    keys = [key for key in differing_keys(trials) if not within(key, ("dataset", *tuned))]
    configs = [
        {k: v for k, v in arm.setting.config.items() if not within(k, tuned)} for arm in arms
    ]
    if within("activation.name", tuned):
        found = {trial["activation.name"] for trial in trials}
        activation = "any activation" if len(found) > 1 else found.pop()
        configs = [{**config, "activation.name": activation} for config in configs]
    return names(configs, keys)
