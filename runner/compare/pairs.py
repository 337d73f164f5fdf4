"""Statistics of a task's arms, and of all tasks together: which could be the best, how far the
others fall short, and the difference of every pair."""

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
"""A finding that says nothing about accuracy, only about losses."""
UNKNOWN_SPREAD = np.errstate(over="ignore", invalid="ignore")
"""For losses near the largest float, whose spread is infinite or unknown."""


@dataclass
class Standing:
    """An arm's place in its task, or its place over all tasks.

    Attributes:
        task: the task's name, or OVERALL.
        arms: one arm per task.
        could_be_best: whether it could be the best; None if there are too few seeds to tell.
        short: the least and the most by which it falls short of the best, on the scale of
            ``comparable``; simultaneous intervals for all arms.
        reason: a finding of its run that no possible best arm has; empty if there is none.
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
        """The seeds that all its tasks have."""
        return sorted(set.intersection(*(set(setting.seeds) for setting in self.settings)))

    @cached_property
    def scores(self) -> Array:
        """The score of each seed; over all tasks the mean (for losses the geometric mean)."""
        if len(self.arms) == 1:
            return self.arms[0].scores
        mean = self.compared(self.seeds)
        return mean if higher_is_better(self.metric) else np.exp(-mean)

    def compared(self, seeds: Sequence[int]) -> Array:
        """Return the scores of some seeds on the scale of ``comparable``, higher is better."""
        return np.asarray(np.mean([compared(s, seeds) for s in self.settings], axis=0))

    @cached_property
    def score(self) -> Estimate:
        """The centre of its scores, with a 95% interval."""
        # A mean of T accuracies has the variance of one of T times their harmonic mean of samples.
        samples = len(self.arms) ** 2 / sum(1 / s.samples(self.metric) for s in self.settings)
        return estimate(self.metric, self.scores, samples)

    @cached_property
    def interquartile_mean(self) -> Estimate:
        """The interquartile mean of its scores; NaN over all tasks and with too few replicates."""
        if self.task == OVERALL or self.scores.size < FEWEST_FOR_BOOTSTRAP:
            return Estimate(math.nan, math.nan, math.nan)
        return Estimate(*map(float, interquartile_mean_interval(self.scores)))


@dataclass
class Pair:
    """Two positions in a family and the lead of the ``first``, paired by seed; + is better.

    Attributes:
        n: the number of common seeds.
        difference: the mean difference on the scale of ``comparable``, NaN without a common seed.
        better: the probability that the first scores better.
        p: the p value, adjusted for all pairs of the family; NaN if not tested.
    """

    first: int
    second: int
    n: int
    difference: float
    better: float
    p: float


@dataclass
class Family:
    """The arms of one task, or of all tasks together, with their statistics.

    Attributes:
        task: the task's name, or OVERALL.
        standings: best score first.
        seeds: the seeds that all judged arms have.
        pairs: every two positions, in the order of ``combinations``; empty for too many arms.
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
        """Return the standings that could be the best (True), cannot (False), or are not judged
        (None)."""
        return [one for one in self.standings if one.could_be_best is could_be_best]


@one_blas_thread()
def families(arms: Sequence[Arm]) -> list[Family]:
    """Return one family over all tasks (if there are several) and one per task, judged.

    In about 5% of experiments a family is judged wrongly; ``best_set`` says when in more.
    """
    tasks: dict[str, list[Standing]] = {}
    for arm in arms:
        tasks.setdefault(arm.task, []).append(Standing(arm.task, [arm]))
    overall = _overall(list(tasks.values()))
    if len(overall) > 1:
        tasks = {OVERALL: overall, **tasks}
    return [_family(task, standings) for task, standings in tasks.items()]


def _overall(tasks: Sequence[Sequence[Standing]]) -> list[Standing]:
    """Return the arms that every task has with the same seeds, best first; empty for one task."""
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
    """Judge the arms that share enough seeds, and compare all pairs."""
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
    """Return masks of the arms that have FEWEST_BLOCKS seeds in common, and of these seeds.

    ``has`` (arms, seeds) says which arm has which seed. Without two such arms both masks are
    empty. Scores play no part. While there are too few common seeds, the arm that shares the
    fewest with the others is removed (the last of several).
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
    """Give each arm that falls short its most severe finding that no possible best arm has.

    For a finding that its run shows, only the findings that the best arms' runs show count.
    """
    among_best = [finding for one in family.judged(True) for finding in _findings(one)]
    seen = {finding["code"] for finding in among_best}
    shown = {finding["code"] for finding in among_best if finding["shown"]}
    for standing in family.judged(False):
        for finding in _findings(standing):
            if finding["code"] not in (shown if finding["shown"] else seen):
                standing.reason = finding["reason"]
                break


def _findings(standing: Standing) -> list[dict[str, Any]]:
    """Return the findings of its first run; over all tasks nothing, as each has its own."""
    (first, *others) = standing.settings
    found = [] if others else [f for run in first.runs[:1] for f in run.summary["diagnosis"]]
    if higher_is_better(standing.metric):
        return [finding for finding in found if finding["code"] != NO_LESS_ACCURATE]
    return found
