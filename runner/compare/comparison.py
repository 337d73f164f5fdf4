"""A comparison: runs, scores and statistics, before anything is drawn or written."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.compare.names import name_families
from runner.compare.pairs import UNKNOWN_SPREAD, Family, Standing, families
from runner.compare.runs import Problem, collect, of_one_version
from runner.compare.scores import Arm, arms, choose_metric, choose_tuned, scored, within
from runner.compare.settings import Setting, differing_keys, group
from runner.results.run import HISTORY, SNAPSHOTS, WEIGHTS, Run
from runner.system.terminal import one_line

WITHOUT = {
    HISTORY: "its curves are left out, its scores count",
    WEIGHTS: "its boundaries are left out, its scores count",
    SNAPSHOTS: "its scores count",
}


@dataclass
class Comparison:
    """Everything known about the compared runs.

    Attributes:
        runs: the runs that are compared.
        settings: these runs, merged over seeds.
        unusable: folders that were skipped, and why.
        outdated: runs that another version of the laboratory's code trained, which are left out.
        repeated: runs with seeds that another run of the same setting has (overlapping sweeps).
        failures: failed jobs, as a sweep reports them.
        metric: the name of the score.
        tuned: the keys whose values validation data chose.
        keys: the config keys that differ between settings.
        arms: what is compared.
        families: the statistics of each task, and of all tasks together.
        command: the shell line that repeats this comparison.
        undrawn: pictures that could not be drawn, and why.
    """

    runs: list[Run]
    settings: list[Setting]
    unusable: list[Problem]
    outdated: list[Problem]
    repeated: list[Problem]
    failures: list[Problem]
    metric: str
    tuned: tuple[str, ...]
    keys: list[str]
    arms: list[Arm]
    families: list[Family]
    command: str
    undrawn: list[Problem] = field(default_factory=list)

    @property
    def problems(self) -> list[Problem]:
        """All skipped runs and damaged files."""
        damaged = [
            Problem(str(run.path), f"{reason}; {WITHOUT[name]}")
            for run in self.runs
            for name, reason in run.damage.items()
        ]
        return [*self.unusable, *self.outdated, *self.repeated, *damaged]

    @property
    def listed_problems(self) -> dict[str, list[Problem]]:
        """The lists in the written files, by heading."""
        return {
            "Failed jobs": self.failures,
            "Left out": self.problems,
            "Pictures that could not be drawn": self.undrawn,
        }

    @property
    def tasks(self) -> list[str]:
        return list(dict.fromkeys(arm.task for arm in self.arms))

    def of_task(self, task: str) -> list[Arm]:
        return [arm for arm in self.arms if arm.task == task]


@UNKNOWN_SPREAD
def build(
    folders: Sequence[str | os.PathLike[str]],
    *,
    metric: str | None = None,
    tune: str | None = None,
    failures: Iterable[Problem] = (),
) -> Comparison:
    """Read all runs at or below the folders and compare them.

    Raises ValueError for a folder that does not exist, if no folder holds a finished run, and
    for a metric or tuned key that no run has.
    """
    runs, problems = collect(folders)
    if not runs:
        places = ", ".join(str(folder) for folder in folders)
        reasons = "".join(f"; {p.path}: {p.reason}" for p in problems[:3])
        raise ValueError(f"no finished run in {places}{reasons}")
    runs, outdated = of_one_version(runs)
    settings, repeated = group(runs)
    metric = choose_metric(settings, metric)
    settings, unscored = scored(settings, metric)
    tuned = choose_tuned(settings, tune)
    compared = arms(settings, tuned)
    judged = families(compared)
    for family in judged:
        _keep_reasons_of_activations(family)
    name_families(judged, tuned)
    words = ["python", "-m", "runner.compare", *_places(folders), "--metric", metric]
    return Comparison(
        runs=runs,
        settings=settings,
        unusable=[*problems, *unscored],
        outdated=outdated,
        repeated=repeated,
        failures=list(failures),
        metric=metric,
        tuned=tuned,
        keys=differing_keys([setting.config for setting in settings]),
        arms=compared,
        families=judged,
        command=one_line(shlex.join([*words, "--tune", tune] if tune else words)),
    )


def _keep_reasons_of_activations(family: Family) -> None:
    """Drop a standing's reason unless a possible best arm differs from it in the activation only.

    If epochs, layers or a tuned learning rate differ too, they may have caused what the run's
    findings report.
    """

    def rest(standing: Standing) -> dict[str, Any]:
        config = standing.settings[0].config
        return {k: v for k, v in config.items() if not within(k, ("activation", "extensions"))}

    best = [rest(standing) for standing in family.judged(True)]
    for standing in family.judged(False):
        if standing.reason and rest(standing) not in best:
            standing.reason = ""


def _places(folders: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Return the folders to name in a command: for many jobs of a sweep, the sweep's folder."""
    parents = {str(Path(folder).parent) for folder in folders}
    if len(folders) > 3 and len(parents) == 1:
        return list(parents)
    return [str(folder) for folder in folders]
