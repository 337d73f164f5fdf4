"""Whether the ranking of settings reverses between learning rates."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from runner.compare.comparison import Comparison
from runner.compare.names import name_arms
from runner.compare.pairs import ALPHA
from runner.compare.scores import TUNED_BY_DEFAULT, Arm, arms, compared
from runner.compare.settings import show
from runner.compare.wording import difference
from runner.statistics.best_set import FEWEST_BLOCKS
from runner.statistics.paired_tests import joint_sign_flip
from runner.system.blas import one_blas_thread

MOST_TESTS = 5000


class Reversal(NamedTuple):
    """Two settings of a task: the first leads at one learning rate, the second at a greater one."""

    task: str
    first: str
    second: str
    rate: float
    lead: float
    greater_rate: float
    second_lead: float

    def sentence(self, metric: str) -> str:
        return (
            f"On {self.task}, the ranking reverses with the learning rate: at {show(self.rate)} "
            f"{self.first} is ahead of {self.second} by {difference(self.lead, metric)}, at "
            f"{show(self.greater_rate)} {self.second} is ahead by "
            f"{difference(self.second_lead, metric)}."
        )


@one_blas_thread()
def reversals(comparison: Comparison) -> list[Reversal]:
    """Return, for each task, the clearest pair of settings of which each is significantly worse at
    one of two learning rates."""
    tasks: dict[str, list[Arm]] = {}
    by_rate = arms(comparison.settings, [TUNED_BY_DEFAULT])
    name_arms(by_rate, [TUNED_BY_DEFAULT])
    for arm in by_rate:
        tasks.setdefault(arm.task, []).append(arm)
    found = [_clearest(group) for group in tasks.values()]
    return [reversal for reversal in found if reversal]


def _clearest(group: list[Arm]) -> Reversal | None:
    """Test all pairs of settings at all rates together, and return the clearest reversal."""
    key = TUNED_BY_DEFAULT
    trials = [{t.config[key]: t for t in arm.trials if key in t.config} for arm in group]
    rates = sorted(set.intersection(*map(set, trials)))
    first, second = np.triu_indices(len(group), 1)
    if len(rates) < 2 or not 0 < len(first) * len(rates) <= MOST_TESTS:
        return None
    seeds = set.intersection(*(set(own[rate].seeds) for own in trials for rate in rates))
    if len(seeds) < FEWEST_BLOCKS:
        return None
    scores = np.array([[compared(own[rate], sorted(seeds)) for rate in rates] for own in trials])
    leads = scores[first] - scores[second]
    p = joint_sign_flip(leads.reshape(-1, len(seeds)).T).reshape(leads.shape[:2])
    shown = np.where(p <= ALPHA, leads.mean(axis=2), 0)
    pair = int(np.argmax(np.minimum(shown.max(axis=1), -shown.min(axis=1))))
    here, there = int(shown[pair].argmax()), int(shown[pair].argmin())
    if not shown[pair, there] < 0 < shown[pair, here]:
        return None
    if here > there:
        first, second, shown, here, there = second, first, -shown, there, here
    return Reversal(
        group[0].task,
        group[first[pair]].name,
        group[second[pair]].name,
        rates[here],
        float(shown[pair, here]),
        rates[there],
        float(-shown[pair, there]),
    )
