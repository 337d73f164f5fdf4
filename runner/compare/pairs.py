"""Every pair of arms within a task, and over all tasks together: difference, test,
rank."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from activations.base import Array
from runner.compare.scores import Arm, higher_is_better
from runner.multiple_comparisons import joint_sign_flip, tie_letters
from runner.statistics import (
    fewest_pairs,
    holm,
    probability_of_improvement,
    replicates_to_separate,
    sign_flip_resolution,
    sign_flip_tests,
    t_interval,
)

ALPHA = 0.05
OVERALL = "all tasks"
MOST_ARMS_TESTED = 200


@dataclass
class Pair:
    """Two arms of a family, ``first`` with the better mean. Differences: + is better.

    ``p`` is the exact sign-flip test's, ``adjusted`` for all pairs of the report.
    ``needed`` is how many replicates would separate them with 80% power if the mean
    difference seen is the true one.
    """

    first: int
    second: int
    n: int
    mean: float
    low: float
    high: float
    better: float
    p: float = 1.0
    adjusted: float = 1.0
    needed: float = math.nan


@dataclass
class Family:
    """The arms of one task, or of all tasks together, and what can be said of them.

    Attributes:
        task: the task's name, or OVERALL.
        arms: names, best mean first; ``members`` holds each one's arm in every task.
        scores: per arm, all its scores as (blocks,), a block being a seed of a task.
        method: "holm", or "joint" where Holm could not reach ALPHA with so few replicates;
            "none" where no test can.
        replicates_needed: the fewest blocks with which a test of this family is possible.
    """

    task: str
    arms: list[str]
    members: list[list[Arm]]
    scores: list[Array]
    pairs: list[Pair] = field(default_factory=list)
    method: str = "none"
    replicates_needed: int = 0
    ranks: list[int] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)

    @property
    def replicates(self) -> int:
        """The fewest blocks that a pair is compared on."""
        return min((pair.n for pair in self.pairs), default=0)

    def pair(self, first: int, second: int) -> Pair:
        """Return the pair of two positions, whichever is named first."""
        low, high = min(first, second), max(first, second)
        k = len(self.arms)
        return self.pairs[low * k - low * (low + 1) // 2 + high - low - 1]

    @property
    def winner(self) -> int | None:
        """The arm shown to be better than every other one, if there is one."""
        if len(self.arms) < 2:
            return None
        beaten = all(self.pair(0, j).adjusted <= ALPHA for j in range(1, len(self.arms)))
        return 0 if beaten else None


def families(arms: Sequence[Arm], metric: str) -> list[Family]:
    """Return one family over all tasks (if there are several) and one per task, tested.

    Errors are controlled over the whole report: p values are adjusted within each
    family and multiplied by the number of families.
    """
    tasks: dict[str, list[Arm]] = {}
    for arm in arms:
        tasks.setdefault(arm.task, []).append(arm)
    found = [
        Family(task, [a.name for a in group], [[a] for a in group], [a.scores for a in group])
        for task, group in tasks.items()
    ]
    overall = _overall(tasks, metric)
    if overall:
        found.insert(0, overall)
    sign = 1 if higher_is_better(metric) else -1
    tested = sum(len(family.arms) > 1 for family in found)
    for family in found:
        _test(family, sign, tested)
    return found


def _overall(tasks: dict[str, list[Arm]], metric: str) -> Family | None:
    """The arms that took part in every task, if there are two tasks and arms or
    more."""
    if len(tasks) < 2:
        return None
    by_name = [{arm.name: arm for arm in group} for group in tasks.values()]
    everywhere = [name for name in by_name[0] if all(name in group for group in by_name)]
    if len(everywhere) < 2:
        return None
    members = [[group[name] for group in by_name] for name in everywhere]
    means = [np.mean([arm.scores.mean() for arm in group]) for group in members]
    sign = 1 if higher_is_better(metric) else -1
    order = sorted(range(len(means)), key=lambda i: (-sign * means[i], everywhere[i]))
    return Family(
        OVERALL,
        [everywhere[i] for i in order],
        [members[i] for i in order],
        [np.concatenate([arm.scores for arm in members[i]]) for i in order],
    )


def score_interval(members: Sequence[Arm]) -> tuple[float, float, float]:
    """Return mean score and 95% t interval of an arm, over all its tasks alike.

    With several tasks each replicate's mean over the tasks is one sample; tasks with
    unequal numbers of replicates give no interval.
    """
    if len({arm.scores.size for arm in members}) > 1:
        mean = float(np.mean([arm.scores.mean() for arm in members]))
        return mean, math.nan, math.nan
    mean, low, high = t_interval(np.mean([arm.scores for arm in members], axis=0))
    return float(mean), float(low), float(high)


def paired_differences(first: Sequence[Arm], second: Sequence[Arm]) -> Array:
    """Return first minus second, (blocks,): by shared seed within each task.

    Arms of a task without a shared seed are independent and paired in their order.
    """
    parts = []
    for a, b in zip(first, second, strict=True):
        if a.seeds == b.seeds:
            parts.append(a.scores - b.scores)
            continue
        place = {seed: i for i, seed in enumerate(b.seeds)}
        shared = [(i, place[s]) for i, s in enumerate(a.seeds) if s in place]
        if not shared:
            shared = [(i, i) for i in range(min(len(a.seeds), len(b.seeds)))]
        rows, columns = (list(side) for side in zip(*shared, strict=True))
        parts.append(a.scores[rows] - b.scores[columns])
    return np.concatenate(parts)


def _test(family: Family, sign: int, tested: int) -> None:
    k = len(family.arms)
    family.ranks, family.letters = [1] * k, ["a"] * k
    if k < 2 or k > MOST_ARMS_TESTED:
        return
    members = family.members
    differences = [
        sign * paired_differences(members[i], members[j]) for i, j in combinations(range(k), 2)
    ]
    sizes = np.array([d.size for d in differences])
    count = len(differences) * tested
    family.replicates_needed = fewest_pairs(ALPHA / tested)
    adjusted = np.ones(len(differences))
    p = np.empty(len(differences))
    for n in np.unique(sizes):
        at = np.flatnonzero(sizes == n)
        p[at] = sign_flip_tests(np.stack([differences[i] for i in at]))
    # The choice of method looks at the design only, never at the scores.
    least = sign_flip_resolution(int(sizes.min()))
    if least * count <= ALPHA:
        family.method = "holm"
        adjusted = holm(p)
    elif least * tested <= ALPHA and (sizes == sizes[0]).all():
        family.method = "joint"
        adjusted = joint_sign_flip(np.stack(differences, axis=1))
    adjusted = np.minimum(adjusted * tested, 1)
    for index, (i, j) in enumerate(combinations(range(k), 2)):
        d = differences[index]
        mean, low, high = t_interval(d)
        better = probability_of_improvement(sign * family.scores[i], sign * family.scores[j])
        family.pairs.append(
            Pair(
                i,
                j,
                int(d.size),
                float(mean),
                float(low),
                float(high),
                better,
                float(p[index]),
                float(adjusted[index]),
                replicates_to_separate(d, ALPHA / count),
            )
        )
    separated = np.zeros((k, k), bool)
    for pair in family.pairs:
        apart = pair.adjusted <= ALPHA
        separated[pair.first, pair.second] = separated[pair.second, pair.first] = apart
    # A pair's own mean difference, on the seeds both have, says which one is better.
    lead = np.zeros((k, k))
    for pair in family.pairs:
        lead[pair.first, pair.second], lead[pair.second, pair.first] = pair.mean, -pair.mean
    shown = separated & (lead > 0)
    family.ranks = [1 + int(shown[:, j].sum()) for j in range(k)]
    family.letters = tie_letters(separated)
