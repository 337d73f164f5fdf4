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
    """Two positions in a family, ``first`` with the better mean. Differences: + is better.

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
    blocks = {task: _shared_blocks(standings) for task, standings in tasks.items()}
    # What no test can decide takes no share of the errors from what one can.
    decidable = [task for task, shared in blocks.items() if (shared >= fewest_pairs(ALPHA)).any()]
    return [
        _family(standings, blocks[task], len({*decidable, task}))
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
        rows, columns = (list(side) for side in zip(*_shared(a, b), strict=True))
        parts.append(a.scores[rows] - b.scores[columns])
    return direction(first.metric) * np.concatenate(parts)


def _shared(a: Arm, b: Arm) -> list[tuple[int, int]]:
    """Return the rows of both arms that are paired."""
    place = {seed: i for i, seed in enumerate(b.setting.seeds)}
    shared = [(i, place[seed]) for i, seed in enumerate(a.setting.seeds) if seed in place]
    return shared or [(i, i) for i in range(min(a.scores.size, b.scores.size))]


def _shared_blocks(standings: Sequence[Standing]) -> Array:
    """Return on how many blocks each two arms are compared, (arms, arms) with 0 on the
    diagonal; all 0 for more than MOST_ARMS_TESTED."""
    k = len(standings)
    blocks = np.zeros((k, k), int)
    if k <= MOST_ARMS_TESTED:
        for i, j in combinations(range(k), 2):
            pairs = zip(standings[i].arms, standings[j].arms, strict=True)
            blocks[i, j] = blocks[j, i] = sum(len(_shared(a, b)) for a, b in pairs)
    return blocks


def _family(standings: list[Standing], blocks: Array, families_tested: int) -> Family:
    """Test all pairs of some arms, and rank and letter them."""
    k = len(standings)
    if k < 2 or k > MOST_ARMS_TESTED:
        return Family(standings[0].task, standings, k)
    needed = fewest_pairs(ALPHA / families_tested)
    kept, method = _testable(standings, blocks, needed, families_tested)
    standings = [standings[i] for i in [*kept, *(i for i in range(k) if i not in kept)]]
    every = list(combinations(range(k), 2))
    differences = [paired_differences(standings[i], standings[j]) for i, j in every]
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
    pairs = []
    for at, (i, j) in enumerate(every):
        mean, low, high = map(float, t_interval(differences[at]))
        pairs.append(
            Pair(
                first=i,
                second=j,
                n=differences[at].size,
                mean=mean,
                low=low,
                high=high,
                better=probability_of_improvement(
                    sign * standings[i].scores, sign * standings[j].scores
                ),
                p=float(p[at]),
                adjusted=float(adjusted[at]),
                needed=replicates_to_separate(
                    differences[at], ALPHA / (len(decided) * families_tested)
                ),
                tested=method != "none" and j < len(kept),
            )
        )
    _rank(standings, pairs, len(kept))
    return Family(standings[0].task, standings, len(kept), pairs, method, needed)


def _testable(
    standings: Sequence[Standing], blocks: Array, needed: int, families_tested: int
) -> tuple[list[int], str]:
    """Return the arms that can be tested with one another, and by which method.

    Looks at the design only, never at the scores. Arms that share too few blocks with the
    others are left out, one by one, the one with the most such pairs first.
    """
    for floor in np.unique(blocks[blocks >= needed]):
        kept = list(range(len(standings)))
        while True:
            short = dict(zip(kept, (blocks[np.ix_(kept, kept)] < floor).sum(1), strict=True))
            # An arm is short of blocks with itself, and with nobody else if all is well.
            if max(short.values()) <= 1:
                break
            size = {i: standings[i].scores.size for i in kept}
            kept.remove(max(kept, key=lambda i: (short[i], -size[i], standings[i].name)))
        sizes = blocks[np.ix_(kept, kept)][np.triu_indices(len(kept), 1)]
        if not sizes.size:
            continue
        if sign_flip_resolution(int(sizes.min())) * sizes.size * families_tested <= ALPHA:
            return kept, "holm"
        if (sizes == sizes[0]).all() or _all_share_seeds([standings[i] for i in kept]):
            return kept, "joint"
    return list(range(len(standings))), "none"


def _all_share_seeds(standings: Sequence[Standing]) -> bool:
    return all(
        set(a.setting.seeds) & set(b.setting.seeds)
        for first, second in combinations(standings, 2)
        for a, b in zip(first.arms, second.arms, strict=True)
    )


def _by_block(standings: Sequence[Standing], differences: Sequence[Array]) -> Array:
    """Return the differences of all pairs as (blocks, pairs), 0 where a pair lacks a block.

    What is 0 adds nothing to the joint test's sum d and sum d^2. With as many blocks in
    every pair, a block is a place in the order.
    """
    if len({d.size for d in differences}) == 1:
        return np.stack(differences, axis=1)
    seeds = {
        (t, seed) for s in standings for t, arm in enumerate(s.arms) for seed in arm.setting.seeds
    }
    row = {block: i for i, block in enumerate(sorted(seeds))}
    table = np.zeros((len(seeds), len(differences)))
    for column, (first, second) in enumerate(combinations(standings, 2)):
        at = [
            row[t, a.setting.seeds[i]]
            for t, (a, b) in enumerate(zip(first.arms, second.arms, strict=True))
            for i, _ in _shared(a, b)
        ]
        table[at, column] = differences[column]
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
            shown_better[pair.second if pair.mean > 0 else pair.first] += 1
    letters = tie_letters(separated)
    for i, standing in enumerate(standings):
        if i < tested:
            standing.rank, standing.letters = 1 + int(shown_better[i]), letters[i]
        else:
            standing.rank, standing.letters = None, ""
