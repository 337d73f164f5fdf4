"""Every pair of arms within a task, and over all tasks together: difference, test,
rank."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np

from activations.base import Array
from runner.compare.scores import Arm, direction
from runner.compare.settings import Setting
from runner.statistics.estimates import (
    FEWEST_FOR_BOOTSTRAP,
    Estimate,
    estimate,
    interquartile_mean_interval,
    t_interval,
)
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
class Standing:
    """Where an arm stands in its task, or its arms of all tasks over all of them.

    Attributes:
        task: the task's name, or OVERALL.
        arms: one in every task.
        rank: 1 + how many are shown to be better, None if it is in no test.
        letters: shared with those that no test separates it from.
    """

    task: str
    arms: list[Arm]
    rank: int | None = 1
    letters: str = "a"

    @property
    def name(self) -> str:
        return self.arms[0].name

    @property
    def settings(self) -> list[Setting]:
        return [arm.setting for arm in self.arms]

    @property
    def metric(self) -> str:
        return self.arms[0].setting.metric

    @property
    def scores(self) -> Array:
        """All its scores, (blocks,), a block being a seed of a task."""
        return np.concatenate([arm.scores for arm in self.arms])

    @cached_property
    def score(self) -> Estimate:
        """What its scores come to, over all its tasks alike.

        With several tasks each replicate's mean over the tasks is one sample; tasks with
        unequal numbers of replicates give no interval.
        """
        settings = self.settings
        if len({setting.scores.size for setting in settings}) > 1:
            centre = float(np.mean([setting.score.centre for setting in settings]))
            return Estimate(centre, math.nan, math.nan)
        scores = np.mean([setting.scores for setting in settings], axis=0)
        # A mean of T accuracies has the variance of one of T times their harmonic mean of samples.
        samples = len(settings) ** 2 / sum(1 / s.samples(self.metric) for s in settings)
        return estimate(self.metric, scores, samples)

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
        n: on how many blocks they are compared.
        difference: of the means, with Student's t interval.
        better: the probability that the first scores better.
        p: the exact sign-flip test's; ``adjusted`` for all pairs of the report, 1 where
            ``tested`` is False.
        needed: how many replicates would separate them with 80% power if the mean difference
            seen is the true one.
    """

    first: int
    second: int
    n: int
    difference: Estimate
    better: float
    p: float
    adjusted: float
    needed: float
    tested: bool


@dataclass
class Family:
    """The arms of one task, or of all tasks together, and what can be said of them.

    Attributes:
        task: the task's name, or OVERALL.
        standings: best mean first, those that are not tested last.
        tested: how many are tested; those after them share too few blocks with the others for
            any test.
        pairs: every two positions, in the order of ``combinations``.
        method: "holm", or "joint" where Holm could not reach ALPHA with so few replicates;
            "none" where no test can.
        replicates_needed: the fewest blocks with which a test of this family is possible.
    """

    task: str
    standings: list[Standing]
    tested: int
    pairs: list[Pair] = field(default_factory=list)
    method: str = "none"
    replicates_needed: int = 0

    @property
    def names(self) -> list[str]:
        return [standing.name for standing in self.standings]

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
        k = len(self.standings)
        return self.pairs[low * k - low * (low + 1) // 2 + high - low - 1]

    @property
    def winner(self) -> Standing | None:
        """The arm shown to be better than every other one tested, if there is one."""
        beaten = (self.pair(0, other).adjusted <= ALPHA for other in range(1, self.tested))
        return self.standings[0] if self.tested > 1 and self.pairs and all(beaten) else None


def families(arms: Sequence[Arm]) -> list[Family]:
    """Return one family over all tasks (if there are several) and one per task, tested.

    Errors are controlled over the whole report: p values are adjusted within each
    family and multiplied by the number of families that have enough replicates for a test.
    """
    tasks: dict[str, list[Standing]] = {}
    for arm in arms:
        tasks.setdefault(arm.task, []).append(Standing(arm.task, [arm]))
    overall = _overall(list(tasks.values()))
    if len(overall) > 1:
        tasks = {OVERALL: overall, **tasks}
    differences = {task: _all_differences(standings) for task, standings in tasks.items()}
    # What no test can decide takes no share of the errors from what one can.
    decidable = [
        task
        for task, found in differences.items()
        if any(one.size >= fewest_pairs(ALPHA) for one in found.values())
    ]
    return [
        _family(standings, differences[task], len({*decidable, task}))
        for task, standings in tasks.items()
    ]


def _overall(tasks: Sequence[Sequence[Standing]]) -> list[Standing]:
    """Return what took part in every task, best mean first; nothing if there is one task."""
    if len(tasks) < 2:
        return []
    named = [{standing.name: standing.arms[0] for standing in task} for task in tasks]
    everywhere = [
        Standing(OVERALL, [arms[name] for arms in named])
        for name in named[0]
        if all(name in arms for arms in named)
    ]

    def order(standing: Standing) -> tuple[float, str]:
        mean = float(np.mean([arm.scores.mean() for arm in standing.arms]))
        return -direction(standing.metric) * mean, standing.name

    return sorted(everywhere, key=order)


def paired_differences(first: Standing, second: Standing) -> Array:
    """Return first minus second, (blocks,): by shared seed within each task; + is better.

    Arms of a task without a shared seed are independent and paired in their order.
    """
    parts = []
    for a, b in zip(first.arms, second.arms, strict=True):
        _, rows, others = (list(part) for part in zip(*_paired(a, b), strict=True))
        parts.append(a.scores[rows] - b.scores[others])
    return direction(first.metric) * np.concatenate(parts)


def _paired(a: Arm, b: Arm) -> list[tuple[int, int, int]]:
    """Return the blocks that two arms are compared on: a seed, or a place where they share none,
    and its row in each."""
    place = {seed: i for i, seed in enumerate(b.setting.seeds)}
    seeds = enumerate(a.setting.seeds)
    shared = [(seed, i, place[seed]) for i, seed in seeds if seed in place]
    return shared or [(i, i, i) for i in range(min(a.scores.size, b.scores.size))]


def _all_differences(standings: Sequence[Standing]) -> dict[tuple[int, int], Array]:
    """Return those of every two positions, none for more than MOST_ARMS_TESTED."""
    if len(standings) > MOST_ARMS_TESTED:
        return {}
    every = combinations(range(len(standings)), 2)
    return {(i, j): paired_differences(standings[i], standings[j]) for i, j in every}


def _family(
    standings: list[Standing], found: dict[tuple[int, int], Array], families_tested: int
) -> Family:
    """Test all pairs of some arms, and rank and letter them."""
    task, k = standings[0].task, len(standings)
    if not found:
        return Family(task, standings, k)
    needed = fewest_pairs(ALPHA / families_tested)
    sizes = np.zeros((k, k), int)
    for (i, j), one in found.items():
        sizes[i, j] = sizes[j, i] = one.size
    kept, method = _testable(standings, sizes, needed, families_tested)
    order = [*kept, *(i for i in range(k) if i not in kept)]
    standings = [standings[i] for i in order]
    differences = [
        found[i, j] if (i, j) in found else -found[j, i] for i, j in combinations(order, 2)
    ]
    every = list(combinations(range(k), 2))
    p = _sign_flip_tests(differences)
    decided = [at for at, (_, j) in enumerate(every) if j < len(kept)]
    adjusted = np.ones(len(every))
    if method == "holm":
        adjusted[decided] = holm(p[decided])
    elif method == "joint":
        own = [differences[at] for at in decided]
        adjusted[decided] = joint_sign_flip(_by_block(standings[: len(kept)], own))
    adjusted = np.minimum(adjusted * families_tested, 1)
    sign = direction(standings[0].metric)
    alpha = ALPHA / (len(decided) * families_tested)
    pairs = [
        Pair(
            i,
            j,
            n=one.size,
            difference=t_interval(one),
            better=probability_of_improvement(
                sign * standings[i].scores, sign * standings[j].scores
            ),
            p=float(p[at]),
            adjusted=float(adjusted[at]),
            needed=replicates_to_separate(one, alpha),
            tested=method != "none" and j < len(kept),
        )
        for at, ((i, j), one) in enumerate(zip(every, differences, strict=True))
    ]
    _rank(standings, pairs, len(kept))
    return Family(task, standings, len(kept), pairs, method, needed)


def _testable(
    standings: Sequence[Standing], sizes: Array, needed: int, families_tested: int
) -> tuple[list[int], str]:
    """Return the arms that can be tested with one another, and by which method.

    Looks at the design only, never at the scores. Arms that share too few blocks with the
    others are left out, one by one, the one with the most such pairs first.
    """
    kept = list(range(len(standings)))
    while True:
        short = dict(zip(kept, (sizes[np.ix_(kept, kept)] < needed).sum(1), strict=True))
        # An arm is short of blocks with itself, and with nobody else if all is well.
        if max(short.values()) <= 1:
            break
        kept.remove(
            max(kept, key=lambda i: (short[i], -standings[i].scores.size, standings[i].name))
        )
    tests = [sizes[i, j] for i, j in combinations(kept, 2)]
    if not tests:
        return list(range(len(standings))), "none"
    least_p = sign_flip_resolution(int(min(tests))) * len(tests) * families_tested
    return kept, "holm" if least_p <= ALPHA else "joint"


def _by_block(standings: Sequence[Standing], differences: Sequence[Array]) -> Array:
    """Return the differences of all pairs as (blocks, pairs), 0 where a pair lacks a block.

    What is 0 adds nothing to the joint test's sum d and sum d^2.
    """
    blocks = [
        [
            (task, block)
            for task, (a, b) in enumerate(zip(first.arms, second.arms, strict=True))
            for block, _, _ in _paired(a, b)
        ]
        for first, second in combinations(standings, 2)
    ]
    row = {block: i for i, block in enumerate(sorted(set().union(*blocks)))}
    table = np.zeros((len(row), len(differences)))
    for column, own in enumerate(blocks):
        table[[row[block] for block in own], column] = differences[column]
    return table


def _sign_flip_tests(differences: Sequence[Array]) -> Array:
    """Return the p value of each, those of equal size at once."""
    sizes = np.array([d.size for d in differences])
    p = np.empty(len(differences))
    for n in np.unique(sizes):
        at = np.flatnonzero(sizes == n)
        p[at] = sign_flip_tests(np.stack([differences[i] for i in at.tolist()]))
    return p


def _rank(standings: Sequence[Standing], pairs: Sequence[Pair], tested: int) -> None:
    """Set rank and letters; those after ``tested`` have neither."""
    separated = np.zeros((tested, tested), bool)
    shown_better = np.zeros(tested, int)
    for pair in pairs:
        if pair.second < tested and pair.adjusted <= ALPHA:
            separated[pair.first, pair.second] = separated[pair.second, pair.first] = True
            # Its own mean difference, on the seeds both have, says which one is better.
            shown_better[pair.second if pair.difference.centre > 0 else pair.first] += 1
    letters = tie_letters(separated)
    for i, standing in enumerate(standings):
        if i < tested:
            standing.rank, standing.letters = 1 + int(shown_better[i]), letters[i]
        else:
            standing.rank, standing.letters = None, ""
