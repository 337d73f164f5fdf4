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
from runner.statistics.estimates import Estimate, estimate, how, t_interval
from runner.statistics.multiple_comparisons import holm, joint_sign_flip, tie_letters
from runner.statistics.paired_tests import (
    fewest_pairs,
    probability_of_improvement,
    replicates_to_separate,
    sign_flip_resolution,
    sign_flip_tests,
)

ALPHA = 0.05
OVERALL = "all tasks"
MOST_ARMS_TESTED = 200
UNKNOWN_SPREAD = np.errstate(over="ignore", invalid="ignore")
"""For losses near the largest float, whose spread is infinite or unknown."""


@dataclass
class Pair:
    """Two arms of a family, ``first`` with the better mean. Differences: + is better.

    ``p`` is the exact sign-flip test's, ``adjusted`` for all pairs of the report; it stays
    1 where ``tested`` is False.
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
    tested: bool = True


@dataclass
class Family:
    """The arms of one task, or of all tasks together, and what can be said of them.

    Attributes:
        task: the task's name, or OVERALL.
        arms: names, best mean first, those that are not tested last; ``members`` holds each
            one's arm in every task.
        scores: per arm, all its scores as (blocks,), a block being a seed of a task.
        method: "holm", or "joint" where Holm could not reach ALPHA with so few replicates;
            "none" where no test can.
        replicates_needed: the fewest blocks with which a test of this family is possible.
        tested: how many arms are tested; those after them share too few blocks with the
            others for any test, and have no rank (None) and no letter.
    """

    task: str
    arms: list[str]
    members: list[list[Arm]]
    scores: list[Array]
    pairs: list[Pair] = field(default_factory=list)
    method: str = "none"
    replicates_needed: int = 0
    tested: int = 0
    ranks: list[int | None] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)

    @property
    def replicates(self) -> tuple[int, int]:
        """The fewest and the most blocks that two arms among ``tested`` are compared on."""
        sizes = [pair.n for pair in self.pairs if pair.second < self.tested]
        return min(sizes, default=0), max(sizes, default=0)

    def blocks_with_others(self, index: int) -> int:
        """Return the most blocks that an arm shares with one that is tested."""
        others = (other for other in range(self.tested) if other != index)
        return max((self.pair(index, other).n for other in others), default=0)

    def pair(self, first: int, second: int) -> Pair:
        """Return the pair of two positions, whichever is named first."""
        low, high = min(first, second), max(first, second)
        k = len(self.arms)
        return self.pairs[low * k - low * (low + 1) // 2 + high - low - 1]

    @property
    def winner(self) -> int | None:
        """The arm shown to be better than every other one tested, if there is one."""
        if self.tested < 2:
            return None
        beaten = all(self.pair(0, j).adjusted <= ALPHA for j in range(1, self.tested))
        return 0 if beaten else None


def families(arms: Sequence[Arm], metric: str) -> list[Family]:
    """Return one family over all tasks (if there are several) and one per task, tested.

    Errors are controlled over the whole report: p values are adjusted within each
    family and multiplied by the number of families that have enough replicates for a test.
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
    sizes = [_shared_blocks(family.members) for family in found]
    # What no test can decide takes no share of the errors from what one can.
    floor = fewest_pairs(ALPHA)
    counts = [bool((blocks >= floor).any()) for blocks in sizes]
    for family, blocks, counted in zip(found, sizes, counts, strict=True):
        _test(family, sign, sum(counts) + (not counted), blocks)
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


def score_estimate(members: Sequence[Arm], metric: str) -> Estimate:
    """Return what an arm's scores come to, over all its tasks alike.

    With several tasks each replicate's mean over the tasks is one sample; tasks with
    unequal numbers of replicates give no interval.
    """
    if len({arm.scores.size for arm in members}) > 1:
        centres = [arm.setting.estimate(metric, arm.scores).centre for arm in members]
        n = sum(arm.scores.size for arm in members)
        return Estimate(float(np.mean(centres)), math.nan, math.nan, n, how(metric))
    scores = np.mean([arm.scores for arm in members], axis=0)
    # A mean of T accuracies has the variance of one of T times their harmonic mean of samples.
    samples = len(members) ** 2 / sum(1 / arm.setting.samples(metric) for arm in members)
    return estimate(metric, scores, samples)


def paired_differences(first: Sequence[Arm], second: Sequence[Arm]) -> Array:
    """Return first minus second, (blocks,): by shared seed within each task.

    Arms of a task without a shared seed are independent and paired in their order.
    """
    parts = []
    for a, b in zip(first, second, strict=True):
        rows, columns = (list(side) for side in zip(*_shared(a, b), strict=True))
        parts.append(a.scores[rows] - b.scores[columns])
    return np.concatenate(parts)


def _shared(a: Arm, b: Arm) -> list[tuple[int, int]]:
    """Return the rows of both arms that are paired."""
    place = {seed: i for i, seed in enumerate(b.seeds)}
    shared = [(i, place[seed]) for i, seed in enumerate(a.seeds) if seed in place]
    return shared or [(i, i) for i in range(min(len(a.seeds), len(b.seeds)))]


def _shared_blocks(members: Sequence[Sequence[Arm]]) -> Array:
    """Return on how many blocks each two arms are compared, (arms, arms) with 0 on the
    diagonal; all 0 for more than MOST_ARMS_TESTED."""
    k = len(members)
    blocks = np.zeros((k, k), int)
    if k <= MOST_ARMS_TESTED:
        for i, j in combinations(range(k), 2):
            pairs = zip(members[i], members[j], strict=True)
            blocks[i, j] = blocks[j, i] = sum(len(_shared(a, b)) for a, b in pairs)
    return blocks


def _testable(family: Family, blocks: Array, tested: int) -> tuple[list[int], str]:
    """Return the arms that can be tested with one another, and by which method.

    Looks at the design only, never at the scores. Arms that share too few blocks with the
    others are left out, one by one, the one with the most such pairs first.
    """
    floors = np.unique(blocks[blocks >= family.replicates_needed])
    for floor in floors:
        kept = list(range(len(family.arms)))
        while True:
            short = (blocks[np.ix_(kept, kept)] < floor).sum(1)
            # An arm is short of blocks with itself, and with nobody else if all is well.
            if short.max() <= 1:
                break
            kept.remove(
                max(
                    kept,
                    key=lambda i: (
                        short[kept.index(i)],
                        -sum(arm.scores.size for arm in family.members[i]),
                        family.arms[i],
                    ),
                )
            )
        members = [family.members[i] for i in kept]
        sizes = blocks[np.ix_(kept, kept)][np.triu_indices(len(kept), 1)]
        if sizes.size and sign_flip_resolution(int(sizes.min())) * sizes.size * tested <= ALPHA:
            return kept, "holm"
        if sizes.size and ((sizes == sizes[0]).all() or _all_share_seeds(members)):
            return kept, "joint"
    return list(range(len(family.arms))), "none"


def _all_share_seeds(members: Sequence[Sequence[Arm]]) -> bool:
    return all(
        set(a.seeds) & set(b.seeds)
        for first, second in combinations(members, 2)
        for a, b in zip(first, second, strict=True)
    )


def _by_replicate(members: Sequence[Sequence[Arm]], differences: Sequence[Array]) -> Array:
    """Return the differences of all pairs as (blocks, pairs), 0 where a pair lacks a block.

    What is 0 adds nothing to the joint test's sum d and sum d^2. With as many blocks in
    every pair, a block is a place in the order.
    """
    if len({d.size for d in differences}) == 1:
        return np.stack(differences, axis=1)
    tasks = range(len(members[0]))
    seeds = sorted({(t, seed) for arms in members for t in tasks for seed in arms[t].seeds})
    row = {block: i for i, block in enumerate(seeds)}
    table = np.zeros((len(seeds), len(differences)))
    for column, (first, second) in enumerate(combinations(members, 2)):
        at = [row[t, first[t].seeds[i]] for t in tasks for i, _ in _shared(first[t], second[t])]
        table[at, column] = differences[column]
    return table


def _test(family: Family, sign: int, tested: int, blocks: Array) -> None:
    k = len(family.arms)
    family.ranks, family.letters, family.tested = [1] * k, ["a"] * k, k
    if k < 2 or k > MOST_ARMS_TESTED:
        return
    family.replicates_needed = fewest_pairs(ALPHA / tested)
    kept, family.method = _testable(family, blocks, tested)
    order = kept + [i for i in range(k) if i not in kept]
    family.tested = len(kept)
    family.arms = [family.arms[i] for i in order]
    family.members = [family.members[i] for i in order]
    family.scores = [family.scores[i] for i in order]
    members = family.members
    every = list(combinations(range(k), 2))
    differences = [sign * paired_differences(members[i], members[j]) for i, j in every]
    p = _sign_flip_tests(differences)
    decided = [at for at, (_, j) in enumerate(every) if j < len(kept)]
    adjusted = np.ones(len(every))
    if family.method == "holm":
        adjusted[decided] = holm(p[decided])
    elif family.method == "joint":
        own = [differences[at] for at in decided]
        adjusted[decided] = joint_sign_flip(_by_replicate(members[: len(kept)], own))
    adjusted = np.minimum(adjusted * tested, 1)
    for index, (i, j) in enumerate(every):
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
                replicates_to_separate(d, ALPHA / (len(decided) * tested)),
                family.method != "none" and j < len(kept),
            )
        )
    _rank(family)


def _sign_flip_tests(differences: Sequence[Array]) -> Array:
    """Return the p value of each, those of equal size at once."""
    sizes = np.array([d.size for d in differences])
    p = np.empty(len(differences))
    for n in np.unique(sizes):
        at = np.flatnonzero(sizes == n)
        p[at] = sign_flip_tests(np.stack([differences[i] for i in at.tolist()]))
    return p


def _rank(family: Family) -> None:
    k = family.tested
    separated = np.zeros((k, k), bool)
    # A pair's own mean difference, on the seeds both have, says which one is better.
    lead = np.zeros((k, k))
    for pair in family.pairs:
        if pair.second < k:
            apart = pair.adjusted <= ALPHA
            separated[pair.first, pair.second] = separated[pair.second, pair.first] = apart
            lead[pair.first, pair.second], lead[pair.second, pair.first] = pair.mean, -pair.mean
    shown = separated & (lead > 0)
    outside = len(family.arms) - k
    family.ranks = [*(1 + int(shown[:, j].sum()) for j in range(k)), *[None] * outside]
    family.letters = [*tie_letters(separated), *[""] * outside]
