"""What can be concluded, in sentences; and what cannot, and what it would take."""

from __future__ import annotations

import math

from runner.compare.comparison import Comparison
from runner.compare.pairs import ALPHA, MOST_ARMS_TESTED, OVERALL, Family
from runner.compare.scores import higher_is_better
from runner.compare.settings import short
from runner.compare.wording import (
    counted,
    difference_with_interval,
    listed,
    metric_name,
    probability,
    with_interval,
)
from runner.statistics.estimates import t_interval
from runner.statistics.paired_tests import fewest_pairs, smallest_sign_flip_p
from runner.training.fingerprint import mixture

_METHODS = {
    "holm": "exact sign-flip test, Holm over all pairs",
    "joint": "joint sign-flip test, stepping down over all pairs",
}


def sentences(comparison: Comparison) -> list[str]:
    """Return the verdict, most important first; every sentence stands on its own."""
    result = []
    for family in comparison.families:
        tasks = len(family.standings[0].arms)
        place = f"Over all {tasks} tasks" if family.task == OVERALL else f"On {family.task}"
        result += [f"{place} {text}" for text in _family(comparison, family)]
    return [
        *(result or ["There is only one setting: nothing to compare."]),
        *_failures(comparison),
        *_tuning(comparison),
        *_placebo(comparison),
        *_mixture(comparison),
    ]


def _family(comparison: Comparison, family: Family) -> list[str]:
    k = len(family.standings)
    if k < 2:
        return []
    if not family.pairs:
        return [
            f"there are {k} settings; pairs are tested among at most {MOST_ARMS_TESTED}, so "
            "nothing is decided."
        ]
    if family.method == "none":
        return [_undecidable(comparison, family)]
    return [*_decided(family), *_outside(family)]


def _decided(family: Family) -> list[str]:
    best, names = family.standings[0], family.names[: family.tested]
    led = f"{with_interval(best.score, best.metric)} {metric_name(best.metric)}"

    def gap(other: int) -> str:
        return difference_with_interval(family.pair(0, other).difference, best.metric)

    if family.winner:
        others = names[1] if len(names) == 2 else f"all {len(names) - 1} others"
        return [
            f"{best.name} is best: {led}, ahead of {others} by {gap(1)} at the least (against "
            f"{names[1]}; adjusted p = {probability(family.pair(0, 1).adjusted)}, "
            f"{_METHODS[family.method]}, {_seeds(family)})."
        ]
    # Beaten by somebody within the leading tie is still not beaten by the leader.
    worse = [j for j in range(1, len(names)) if family.pair(0, j).adjusted <= ALPHA]
    tied = [j for j in range(len(names)) if j not in worse]
    tie = f"{listed([names[j] for j in tied])} tie with {_seeds(family)}{_hope(family, tied[1])}."
    if not worse:
        return [tie]
    nearest = min(worse, key=lambda j: family.pair(0, j).difference.centre)
    return [
        tie,
        f"{best.name}, {led}, is ahead of {listed([names[j] for j in worse])}, by {gap(nearest)} "
        f"at the least (against {names[nearest]}; {_METHODS[family.method]}).",
    ]


def _outside(family: Family) -> list[str]:
    """Which settings no test can tell from the others, however clear the rest is."""
    found = [
        f"{family.names[i]} ({counted(family.blocks_with_others(i), 'seed')})"
        for i in range(family.tested, len(family.names))
    ]
    if not found:
        return []
    return [
        f"there is no rank for {listed(found)}: too few seeds shared with the others for a test."
    ]


def _seeds(family: Family) -> str:
    least, most = family.replicates
    tasks = len(family.standings[0].arms)
    each = f" ({most // tasks} on each of {tasks} tasks)"
    return counted(most, "seed", least) + (each if tasks > 1 and least == most else "")


def _hope(family: Family, second: int) -> str:
    """How many replicates would separate the best two, if that can be said at all."""
    pair, tasks = family.pair(0, second), len(family.standings[0].arms)
    gap = pair.difference.centre
    if gap == 0:
        return "; the best two do not differ at all"
    if gap < 0 or not math.isfinite(pair.needed):
        return ""
    if pair.needed > 1000 * tasks:
        return "; the gap between the best two is too small for a thousand seeds to show"
    which = "them" if family.tested == 2 else listed([family.names[0], family.names[second]])
    needed = math.ceil(max(pair.needed, pair.n + 1) / tasks)
    each = " on each task" if tasks > 1 else ""
    return f"; about {needed}{each} would separate {which} if the gap is real"


def _undecidable(comparison: Comparison, family: Family) -> str:
    (fewest, most), floor = family.replicates, fewest_pairs(ALPHA)
    start = f"no test can decide with {counted(most, 'replicate', fewest)}"
    if most < floor:
        return (
            f"{start}: the least p that an exact paired test can give is "
            f"{probability(smallest_sign_flip_p(most))}. {floor} replicates are the floor for "
            f"two settings, 10 a sane default; here {family.replicates_needed} would do."
        )
    sizes = [len(other.pairs) for other in comparison.families if other.pairs]
    together = ""
    if comparison.families[0].task == OVERALL:
        sizes, together = sizes[1:], " and over all of them"
    return (
        f"{start} between {len(family.names)} settings: {counted(max(sizes), 'pair', min(sizes))} "
        f"on each of {counted(len(sizes), 'task')}{together} share the 5% of errors, for which "
        f"{family.replicates_needed} are needed."
    )


def _failures(comparison: Comparison) -> list[str]:
    result = []
    lost = {f"{a.name} on {a.task}": int(a.setting.diverged.sum()) for a in comparison.arms}
    worst = sorted((name for name in lost if lost[name]), key=lambda name: -lost[name])
    if worst:
        better = higher_is_better(comparison.metric)
        result.append(
            f"{sum(lost.values())} of {sum(len(a.scores) for a in comparison.arms)} replicates "
            f"diverged ({listed([f'{name} {lost[name]}' for name in worst], 4)}); they count as "
            f"{'accuracy 0' if better else 'the greatest loss of their task'}, none is left out."
        )
    failed, repeated = len(comparison.failures), len(comparison.repeated)
    if failed:
        are = "is" if failed == 1 else "are"
        result.append(f"{counted(failed, 'job')} failed and {are} listed with the reason.")
    unused = len(comparison.problems) - repeated
    if unused:
        result.append(
            f"{counted(unused, 'folder')} could not be used, or not wholly; the reasons are listed."
        )
    if repeated:
        repeat = "repeats" if repeated == 1 else "repeat"
        result.append(
            f"{counted(repeated, 'run')} {repeat} seeds that others have; each counts once."
        )
    return result


def _tuning(comparison: Comparison) -> list[str]:
    chosen = [arm for arm in comparison.arms if arm.chosen]
    if not chosen:
        return []
    keys = sorted({short(key) for arm in chosen for key in arm.chosen})
    budgets = [len(arm.trials) for arm in comparison.arms]
    result = [
        f"Each setting's {listed(keys)} was chosen by validation data out of "
        f"{counted(max(budgets), 'trial', min(budgets))}."
    ]
    if not comparison.metric.rpartition(".")[2].startswith("test"):
        result.append(
            "The scores are not of held-out data that no choice has seen, which flatters "
            "whatever was tuned."
        )
    if min(budgets) < max(budgets):
        result.append("The tuning budgets differ, which favours those with more trials.")
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
            f"Placebo: {arm.name} on {arm.task} against itself with {found.size} other seeds "
            f"differs by {gap}; differences of that size mean nothing."
        )
    return result


def _mixture(comparison: Comparison) -> list[str]:
    differs = mixture(
        [run.summary["fingerprint"] for run in setting.runs] for setting in comparison.settings
    )
    if not differs:
        return []
    return [f"These runs were not all made with the same {differs}: results may differ by that."]
