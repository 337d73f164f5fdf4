"""The verdict: sentences on what the data show and what they leave open."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from runner.compare.comparison import Comparison
from runner.compare.depth import depth_sentences
from runner.compare.pairs import MOST_ARMS_JUDGED, OVERALL, Family, Standing
from runner.compare.reversal import reversals
from runner.compare.scores import higher_is_better
from runner.compare.settings import short
from runner.compare.wording import (
    counted,
    difference_with_interval,
    listed,
    lost_at_most,
    metric_name,
    shortfall,
    with_interval,
)
from runner.statistics.best_set import FEWEST_BLOCKS
from runner.statistics.estimates import t_interval
from runner.training.fingerprint import mixture

MOST_LOST = 0.05
"""Accuracy that a choice may cost; if it may cost more, nothing is recommended."""

MOST_REASONS = 3
"""At most so many settings are named with a finding; the table has all findings."""


def sentences(comparison: Comparison) -> list[str]:
    """Return the verdict, most important sentence first; each can be read alone."""
    result = []
    for family in comparison.families:
        tasks = len(family.standings[0].arms)
        place = f"Over these {tasks} tasks," if family.task == OVERALL else f"On {family.task},"
        result += [f"{place} {text}" for text in _family(family)]
    return [
        *depth_sentences(comparison),
        *(result or [_nothing(comparison)]),
        *(reversal.sentence(comparison.metric) for reversal in reversals(comparison)),
        *_failures(comparison),
        *_tuning(comparison),
        *_placebo(comparison),
        *_mixture(comparison),
    ]


def _nothing(comparison: Comparison) -> str:
    if len(comparison.arms) == 1:
        return "There is only one setting: there is nothing to compare."
    return (
        "Each data set has only one setting: there is nothing to compare, as settings are "
        "compared only on the same data."
    )


def _family(family: Family) -> list[str]:
    k = len(family.standings)
    if k < 2:
        return []
    if k > MOST_ARMS_JUDGED:
        return [f"there is no verdict: {k} settings are too many; the most is {MOST_ARMS_JUDGED}."]
    if not family.seeds:
        return [
            f"there is no verdict: it needs settings with {FEWEST_BLOCKS} common seeds, better "
            f"10, but no two share more than {counted(family.most_shared, 'seed')}."
        ]
    return [*_judged(family), *_unjudged(family)]


def _judged(family: Family) -> list[str]:
    """Return which settings to use, which are worse (with findings) and how much, what is open."""
    best, worse = family.judged(True), family.judged(False)
    metric, seeds = best[0].metric, counted(len(family.seeds), "seed")
    score = f"{with_interval(best[0].score, metric)} {metric_name(metric)}"
    if guess := _chance(family):
        return [
            f"no setting is clearly better than chance ({guess}): the highest mean is that of "
            f"{best[0].name}, {score} ({seeds})."
        ]
    names = [standing.name for standing in best]
    most = max(standing.short[1] for standing in best)
    lost = lost_at_most(most, metric)
    open_still = math.isfinite(most) and len(best) > 1
    undecided = len(best) > 1 and higher_is_better(metric) and most > MOST_LOST
    use = f"use {listed(names, joint='or')}"
    if undecided:
        use = f"{seeds} do not decide between {listed(names)}; the highest mean is that of "
        use += f"{best[0].name}, {score}"
    elif len(best) == 1:
        use += f", {score}"
    if not worse:
        doubt = "" if undecided else f": {seeds} do not show that one is worse"
        rest = f"; whichever of them you take, {lost}" if open_still else ""
        return [f"{use}{doubt}{rest}."]
    first, *others = worse
    amounts = [
        f"{first.name} falls short of the best by {shortfall(first.short, metric)}",
        *(f"{one.name} by {shortfall(one.short, metric)}" for one in others),
    ]
    return [
        f"{'; '.join([use, *_losers(worse, best, family.seeds)])}.",
        f"{listed(amounts)} ({seeds}).",
        *([f"whichever of {listed(names)} you take, {lost}."] if open_still else []),
    ]


def _chance(family: Family) -> str:
    """Return the accuracy of a guess, "50%", if no setting is shown to be better; otherwise, and
    for losses, an empty text."""
    chance = float(np.mean([setting.chance for setting in family.standings[0].settings]))
    if not higher_is_better(family.standings[0].metric) or math.isnan(chance):
        return ""
    if any(standing.score.low > chance for standing in family.standings):
        return ""
    return f"{100 * chance:.3g}%"


def _losers(worse: list[Standing], best: list[Standing], seeds: Sequence[int]) -> list[str]:
    """Return clauses on the worse settings: one for each that has a finding, one for the others."""
    with_finding = [standing for standing in worse if standing.reason][:MOST_REASONS]
    named = {standing.name for standing in with_finding}
    rest = [standing for standing in worse if standing.name not in named]
    least = np.min([standing.compared(seeds) for standing in best], axis=0)
    clauses = []
    for group in [*([standing] for standing in with_finding), *([rest] if rest else [])]:
        always = all((standing.compared(seeds) < least).all() for standing in group)
        clauses.append(
            f"{listed([standing.name for standing in group])} {'are' if group[1:] else 'is'} worse"
            + (f" on all {len(seeds)} seeds" if always else "")
            + (f" (finding: {group[0].reason})" if group is not rest else "")
        )
    return clauses


def _unjudged(family: Family) -> list[str]:
    """Return a sentence on the settings that share too few seeds with the others."""
    left = [f"{one.name} ({counted(len(one.seeds), 'seed')})" for one in family.judged(None)]
    if not left:
        return []
    return [
        f"there is no verdict on {listed(left)}: {'they share' if left[1:] else 'it shares'} fewer "
        f"than {FEWEST_BLOCKS} seeds with the others."
    ]


def _failures(comparison: Comparison) -> list[str]:
    result = []
    lost = {f"{a.name} on {a.task}": int(a.setting.diverged.sum()) for a in comparison.arms}
    worst = sorted((name for name in lost if lost[name]), key=lambda name: -lost[name])
    if worst:
        better = higher_is_better(comparison.metric)
        count = sum(lost.values())
        result.append(
            f"{count} of {sum(len(a.scores) for a in comparison.arms)} replicates diverged "
            f"({listed([f'{name}: {lost[name]}' for name in worst], 4)}); "
            f"{'it counts' if count == 1 else 'they count'} as "
            f"{'accuracy 0' if better else 'the greatest loss of their task'}."
        )
    failed, repeated = len(comparison.failures), len(comparison.repeated)
    if failed:
        are = "is" if failed == 1 else "are"
        result.append(f"{counted(failed, 'job')} failed and {are} listed below with the reason.")
    outdated = comparison.outdated
    if outdated:
        several = len(outdated) > 1
        result.append(
            f"{counted(len(outdated), 'run')} {'are' if several else 'is'} left out because "
            f"another version of this laboratory's code trained {'them' if several else 'it'}; "
            f"this command trains {'the first' if several else 'it'} again: {outdated[0].command}"
        )
    unused = len(comparison.problems) - repeated - len(outdated)
    if unused:
        result.append(
            f"{counted(unused, 'folder')} could not be used, or only in part; the reasons are "
            "listed below."
        )
    if repeated:
        repeat = "repeats" if repeated == 1 else "repeat"
        result.append(
            f"{counted(repeated, 'run')} {repeat} seeds of other runs; each seed counts once."
        )
    return result


def _tuning(comparison: Comparison) -> list[str]:
    chosen = [arm for arm in comparison.arms if arm.chosen]
    if not chosen:
        return []
    keys = sorted({short(key) for arm in chosen for key in arm.chosen})
    budgets = [len(arm.trials) for arm in comparison.arms]
    result = [
        f"Each setting is shown with the {listed(keys)} that {'are' if keys[1:] else 'is'} best on "
        f"validation data, out of {counted(max(budgets), 'trial', min(budgets))}"
        + (
            "; the scores are those of networks trained again with fresh seeds."
            if all(arm.is_fresh for arm in chosen)
            else "; the same networks are judged, which exaggerates differences (a sweep with "
            "tune=KEY trains new ones)."
        )
    ]
    if not comparison.metric.rpartition(".")[2].startswith("test"):
        result.append("The scores are not test scores: they favour whatever was chosen.")
    if min(budgets) < max(budgets):
        result.append("The numbers of trials differ, which favours settings with more trials.")
    edges = [f"{arm.name} on {arm.task} ({arm.chosen_text})" for arm in chosen if arm.on_edge]
    if edges:
        result.append(
            f"Chosen at the edge of the grid: {listed(edges, 6)}; a wider grid may change the "
            "ranking."
        )
    return result


def _placebo(comparison: Comparison) -> list[str]:
    result = []
    for arm in (arm for arm in comparison.arms if arm.placebo.size):
        found = arm.placebo_differences
        gap = difference_with_interval(t_interval(found), comparison.metric)
        result.append(
            f"Placebo: {arm.name} on {arm.task} differs from itself with {found.size} other seeds "
            f"by {gap}; differences of that size are noise."
        )
    return result


def _mixture(comparison: Comparison) -> list[str]:
    differs = mixture(
        [run.summary["fingerprint"] for run in setting.runs] for setting in comparison.settings
    )
    if not differs:
        return []
    return [f"The runs differ in {differs}, which may change results."]
