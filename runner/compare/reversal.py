"""Whether the ranking of settings reverses between learning rates."""

from __future__ import annotations

import numpy as np

from runner.compare.comparison import Comparison
from runner.compare.pairs import ALPHA
from runner.compare.scores import TUNED_BY_DEFAULT, Arm, arms, compared
from runner.compare.settings import show
from runner.compare.wording import difference
from runner.statistics.best_set import FEWEST_BLOCKS
from runner.statistics.paired_tests import joint_sign_flip
from runner.system.blas import one_blas_thread

MOST_TESTS = 5000


@one_blas_thread()
def reversals(comparison: Comparison) -> list[str]:
    """Return a sentence for each task in which two settings are each shown to be worse than the
    other, at two learning rates; the clearest case of each."""
    tasks: dict[str, list[Arm]] = {}
    for arm in arms(comparison.settings, [TUNED_BY_DEFAULT]):
        tasks.setdefault(arm.task, []).append(arm)
    found = [(task, _clearest(group, comparison.metric)) for task, group in tasks.items()]
    return [f"On {task} {text}" for task, text in found if text]


def _clearest(group: list[Arm], metric: str) -> str:
    """Test all pairs of settings at all rates together, and return the clearest reversal."""
    key = TUNED_BY_DEFAULT
    trials = [{t.config[key]: t for t in arm.trials if key in t.config} for arm in group]
    rates = sorted(set.intersection(*map(set, trials)))
    first, second = np.triu_indices(len(group), 1)
    if len(rates) < 2 or not 0 < len(first) * len(rates) <= MOST_TESTS:
        return ""
    seeds = set.intersection(*(set(own[rate].seeds) for own in trials for rate in rates))
    if len(seeds) < FEWEST_BLOCKS:
        return ""
    scores = np.array([[compared(own[rate], sorted(seeds)) for rate in rates] for own in trials])
    leads = scores[first] - scores[second]
    p = joint_sign_flip(leads.reshape(-1, len(seeds)).T).reshape(leads.shape[:2])
    shown = np.where(p <= ALPHA, leads.mean(axis=2), 0)
    pair = int(np.argmax(np.minimum(shown.max(axis=1), -shown.min(axis=1))))
    here, there = int(shown[pair].argmax()), int(shown[pair].argmin())
    if not shown[pair, there] < 0 < shown[pair, here]:
        return ""
    one, other = group[first[pair]].name, group[second[pair]].name
    return (
        f"the ranking reverses with the learning rate: at {show(rates[here])} {one} is ahead of "
        f"{other} by {difference(shown[pair, here], metric)}, at {show(rates[there])} {other} of "
        f"{one} by {difference(-shown[pair, there], metric)}."
    )
