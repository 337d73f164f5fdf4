"""What can be said of a task's arms, and of all tasks together: which could be the best, how far
the others fall short, and the difference of every pair."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from activations.base import Array
from runner.compare.scores import Arm, compared, higher_is_better
from runner.compare.settings import Setting
from runner.statistics.best_set import FEWEST_BLOCKS, best_set
from runner.statistics.estimates import (
    FEWEST_FOR_BOOTSTRAP,
    Estimate,
    estimate,
    interquartile_mean_interval,
)
from runner.statistics.paired_tests import joint_sign_flip, probability_of_improvement
from runner.system.blas import one_blas_thread

ALPHA = 0.05
OVERALL = "all tasks"
MOST_ARMS_JUDGED = 200
NO_LESS_ACCURATE = "overconfident"
"""A finding that explains higher losses only."""
UNKNOWN_SPREAD = np.errstate(over="ignore", invalid="ignore")
"""For losses near the largest float, whose spread is infinite or unknown."""


@dataclass
class Standing:
    """Where an arm stands in its task, or its arms of all tasks over all of them.

    Attributes:
        task: the task's name, or OVERALL.
        arms: one in every task.
        could_be_best: what the seeds leave possible, None where they are too few.
        short: the least and the most by which it falls short of the best, as ``comparable``;
            these intervals hold for all arms together.
        reason: why it falls short, by the findings in its run; empty if there is none.
    """

    task: str
    arms: list[Arm]
    could_be_best: bool | None = None
    short: tuple[float, float] = (math.nan, math.nan)
    reason: str = ""

    @property
    def name(self) -> str:
        return self.arms[0].name

    @property
    def settings(self) -> list[Setting]:
        return [arm.setting for arm in self.arms]

    @property
    def metric(self) -> str:
        return self.arms[0].setting.metric

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds that it has in each of its tasks."""
        return sorted(set.intersection(*(set(setting.seeds) for setting in self.settings)))

    @cached_property
    def scores(self) -> Array:
        """The score of each of the ``seeds``: over all tasks their mean, of losses the geometric
        one."""
        if len(self.arms) == 1:
            return self.arms[0].scores
        mean = self.compared(self.seeds)
        return mean if higher_is_better(self.metric) else np.exp(-mean)

    def compared(self, seeds: Sequence[int]) -> Array:
        """Return what is compared of some of its seeds, higher is better."""
        return np.asarray(np.mean([compared(s, seeds) for s in self.settings], axis=0))

    @cached_property
    def score(self) -> Estimate:
        """What its scores come to."""
        # A mean of T accuracies has the variance of one of T times their harmonic mean of samples.
        samples = len(self.arms) ** 2 / sum(1 / s.samples(self.metric) for s in self.settings)
        return estimate(self.metric, self.scores, samples)

    @cached_property
    def interquartile_mean(self) -> Estimate:
        """That of its scores, NaN over all tasks and where replicates are too few."""
        if self.task == OVERALL or self.scores.size < FEWEST_FOR_BOOTSTRAP:
            return Estimate(math.nan, math.nan, math.nan)
        return Estimate(*map(float, interquartile_mean_interval(self.scores)))


@dataclass
class Pair:
    """Two positions in a family and the ``first``'s lead, paired by seed; + is better.

    Attributes:
        n: how many seeds both have.
        difference: the mean of what is compared, NaN without a common seed.
        better: the probability that the first scores better.
        p: of no difference, adjusted for all pairs of the family; NaN where it is not tested.
    """

    first: int
    second: int
    n: int
    difference: float
    better: float
    p: float


@dataclass
class Family:
    """The arms of one task, or of all tasks together, and what can be said of them.

    Attributes:
        task: the task's name, or OVERALL.
        standings: best score first.
        seeds: those that all arms judged have.
        pairs: every two positions, in the order of ``combinations``; none of too many arms.
    """

    task: str
    standings: list[Standing]
    seeds: list[int] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [standing.name for standing in self.standings]

    @property
    def most_shared(self) -> int:
        """The most seeds that two arms share."""
        return max((pair.n for pair in self.pairs), default=0)

    def judged(self, could_be_best: bool | None) -> list[Standing]:
        """Return those that could be the best, cannot, or, for None, are not judged."""
        return [one for one in self.standings if one.could_be_best is could_be_best]


@one_blas_thread()
def families(arms: Sequence[Arm]) -> list[Family]:
    """Return one family over all tasks (if there are several) and one per task, judged.

    Each family errs in about 5% of experiments on its own; ``best_set`` says when in more.
    """
    tasks: dict[str, list[Standing]] = {}
    for arm in arms:
        tasks.setdefault(arm.task, []).append(Standing(arm.task, [arm]))
    overall = _overall(list(tasks.values()))
    if len(overall) > 1:
        tasks = {OVERALL: overall, **tasks}
    return [_family(task, standings) for task, standings in tasks.items()]


def _overall(tasks: Sequence[Sequence[Standing]]) -> list[Standing]:
    """Return what took part in every task with the same seeds, best first; nothing if there is
    one task."""
    if len(tasks) < 2:
        return []
    named = [{standing.name: standing.arms[0] for standing in task} for task in tasks]
    everywhere = [
        Standing(OVERALL, [arms[name] for arms in named])
        for name in named[0]
        if all(name in arms for arms in named)
    ]

    def order(standing: Standing) -> tuple[float, str]:
        return -float(standing.compared(standing.seeds).mean()), standing.name

    return sorted((standing for standing in everywhere if standing.seeds), key=order)


def _family(task: str, standings: list[Standing]) -> Family:
    """Judge some arms, those that share seeds enough, and compare all pairs."""
    family = Family(task, standings)
    k = len(standings)
    if not 1 < k <= MOST_ARMS_JUDGED:
        return family
    known = np.array(sorted(set().union(*(standing.seeds for standing in standings))))
    scores = np.full((k, known.size), np.nan)
    for row, standing in zip(scores, standings, strict=True):
        row[np.searchsorted(known, standing.seeds)] = standing.compared(standing.seeds)
    has = np.isfinite(scores)
    judged, common = sharing(has)
    family.seeds = known[common].tolist()
    p = np.full((k, k), np.nan)
    if judged.any():
        x = scores[np.ix_(judged, common)].T
        where = np.flatnonzero(judged)
        found = zip(where, *best_set(x, ALPHA), strict=True)
        for place, member, low, high in found:
            standings[place].could_be_best = bool(member)
            standings[place].short = float(low), float(high)
        _give_reasons(family)
        first, second = np.triu_indices(where.size, 1)
        p[where[first], where[second]] = joint_sign_flip(x[:, first] - x[:, second])
    for i, j in combinations(range(k), 2):
        lead = (scores[i] - scores[j])[has[i] & has[j]]
        better = probability_of_improvement(scores[i][has[i]], scores[j][has[j]])
        difference = float(lead.mean()) if lead.size else math.nan
        family.pairs.append(Pair(i, j, lead.size, difference, better, float(p[i, j])))
    return family


def sharing(has: Array) -> tuple[Array, Array]:
    """Return which of some arms have FEWEST_BLOCKS seeds in common, and which seeds these are, as
    masks; ``has`` (arms, seeds) says which arm has which. Without two such arms both are empty.

    Looks at the design only, never at scores. While the common seeds are too few, the arm goes
    that has the fewest in common with the others, of equal ones the last.
    """
    kept = np.ones(len(has), bool)
    while kept.sum() > 1:
        common = np.all(has[kept], axis=0)
        if common.sum() >= FEWEST_BLOCKS:
            return kept, np.asarray(common)
        holders = has[kept].sum(axis=0)
        with_others = np.where(kept, (has * (holders - 1)).sum(axis=1), np.inf)
        kept[len(kept) - 1 - int(np.argmin(with_others[::-1]))] = False
    return np.zeros_like(kept), np.zeros(has.shape[1], bool)


def _give_reasons(family: Family) -> None:
    """Give each arm that falls short the gravest finding that no arm which could be the best
    has too; what a run alone need not show counts if none of them has it at all."""
    among_best = [finding for one in family.judged(True) for finding in _findings(one)]
    seen = {finding["code"] for finding in among_best}
    shown = {finding["code"] for finding in among_best if finding["shown"]}
    for standing in family.judged(False):
        for finding in _findings(standing):
            if finding["code"] not in (shown if finding["shown"] else seen):
                standing.reason = finding["reason"]
                break


def _findings(standing: Standing) -> list[dict[str, Any]]:
    """Return what is found in its first run; over all tasks nothing, as each has its own."""
    (first, *others) = standing.settings
    found = [] if others else [f for run in first.runs[:1] for f in run.summary["diagnosis"]]
    if higher_is_better(standing.metric):
        return [finding for finding in found if finding["code"] != NO_LESS_ACCURATE]
    return found
