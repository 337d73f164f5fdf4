"""What can be concluded, in sentences; and what cannot, and what it would take."""

from __future__ import annotations

import math

from runner.compare.comparison import Comparison
from runner.compare.pairs import (
    ALPHA,
    MOST_ARMS_TESTED,
    OVERALL,
    Family,
    Pair,
)
from runner.compare.scores import higher_is_better
from runner.compare.settings import short
from runner.compare.wording import (
    counted,
    difference,
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
        result += _family(comparison, family)
    if not result:
        result.append("There is only one setting: nothing to compare.")
    result += _failures(comparison) + _tuning(comparison) + _placebo(comparison)
    return result + _mixture(comparison)


def _mixture(comparison: Comparison) -> list[str]:
    differs = mixture(
        [run.summary.get("fingerprint") for run in setting.runs] for setting in comparison.settings
    )
    if not differs:
        return []
    return [f"These runs were not all made with the same {differs}: results may differ by that."]


def _place(family: Family) -> str:
    if family.task != OVERALL:
        return f"On {family.task}"
    return f"Over all {len(family.standings[0].arms)} tasks"


def _family(comparison: Comparison, family: Family) -> list[str]:
    names, place = family.names, _place(family)
    if len(names) < 2:
        return []
    if not family.pairs:
        return [
            f"{place} there are {len(names)} settings; pairs are tested among at most "
            f"{MOST_ARMS_TESTED}, so nothing is decided."
        ]
    if family.method == "none":
        return [_undecidable(comparison, family, place)]
    return [*_decided(family, place, comparison.metric), *_outside(family, place)]


def _decided(family: Family, place: str, metric: str) -> list[str]:
    names = family.names[: family.tested]
    winner = family.winner
    if winner is not None:
        runner_up = family.pair(0, 1)
        return [
            f"{place} {names[0]} is best: {_leader(family)}, "
            f"ahead of {_others(names[1:])} by {_gap(runner_up, metric)} at the least "
            f"(against {names[1]}; adjusted p = {probability(runner_up.adjusted)}, "
            f"{_METHODS[family.method]}, {_seeds(family)})."
        ]
    tied = [0] + [j for j in range(1, len(names)) if family.pair(0, j).adjusted > ALPHA]
    # Beaten by somebody within the leading tie is still not beaten by the leader.
    text = f"{place} {listed([names[j] for j in tied])} tie with {_seeds(family)}"
    hope = _hope(family, 0, tied[1])
    sentences = [f"{text}{hope}."]
    worse = [j for j in range(1, len(names)) if j not in tied]
    if worse:
        nearest = min(worse, key=lambda j: family.pair(0, j).mean)
        beaten = listed([names[j] for j in worse])
        sentences.append(
            f"{place} {names[0]}, {_leader(family)}, is ahead "
            f"of {beaten}, by {_gap(family.pair(0, nearest), metric)} at the least "
            f"(against {names[nearest]}; {_METHODS[family.method]})."
        )
    return sentences


def _outside(family: Family, place: str) -> list[str]:
    """Which settings no test can tell from the others, however clear the rest is."""
    found = [
        (family.names[i], counted(family.blocks_with_others(i), "seed"))
        for i in range(family.tested, len(family.names))
    ]
    if not found:
        return []
    if len(found) == 1:
        name, seeds = found[0]
        return [
            f"{place} {name} shares {seeds} with the others, too few to be tested with them; "
            "it has no rank."
        ]
    named = listed([f"{name} ({seeds})" for name, seeds in found])
    return [
        f"{place} {len(found)} settings share too few seeds with the others to be tested with "
        f"them and have no rank: {named}."
    ]


def _others(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"all {len(names)} others"


def _seeds(family: Family) -> str:
    least, most = family.replicates
    if least < most:
        return f"{least} to {most} seeds"
    if family.task == OVERALL:
        tasks = len(family.standings[0].arms)
        return f"{most} seeds ({most // tasks} on each of {tasks} tasks)"
    return counted(most, "seed")


def _hope(family: Family, first: int, second: int) -> str:
    """How many replicates would separate a tied pair, if that can be said at all."""
    pair, names = family.pair(first, second), family.names[: family.tested]
    if not math.isfinite(pair.needed) or pair.mean <= 0:
        return "; the best two do not differ at all" if pair.mean == 0 else ""
    if pair.needed > 1000 * len(family.standings[0].arms):
        return "; the gap between the best two is too small for a thousand seeds to show"
    which = "them" if len(names) == 2 else listed([names[first], names[second]])
    tasks = len(family.standings[0].arms)
    needed = math.ceil(max(pair.needed, pair.n + 1) / tasks)
    each = " on each task" if tasks > 1 else ""
    return f"; about {needed}{each} would separate {which} if the gap is real"


def _undecidable(comparison: Comparison, family: Family, place: str) -> str:
    (fewest, most), floor = family.replicates, fewest_pairs(ALPHA)
    number = f"{fewest} to {most} replicates" if fewest < most else counted(most, "replicate")
    start = f"{place} no test can decide with {number}"
    if most < floor:
        least = smallest_sign_flip_p(most)
        return (
            f"{start}: the least p that an exact paired test can give is "
            f"{probability(least)}. {floor} replicates are the floor for two settings, "
            f"10 a sane default; here {family.replicates_needed} would do."
        )
    tested = [other for other in comparison.families if other.pairs and other.task != OVERALL]
    together = " and over all of them" if comparison.families[0].task == OVERALL else ""
    sizes = sorted({len(other.pairs) for other in tested})
    pairs = f"{sizes[0]} to {sizes[-1]} pairs" if len(sizes) > 1 else counted(sizes[0], "pair")
    return (
        f"{start} between {len(family.names)} settings: {pairs} on each of "
        f"{counted(len(tested), 'task')}{together} share the 5% of errors, for which "
        f"{family.replicates_needed} are needed."
    )


def _leader(family: Family) -> str:
    """What the first one scored."""
    first = family.standings[0]
    return f"{with_interval(*first.score, first.metric)} {metric_name(first.metric)}"


def _gap(pair: Pair, metric: str) -> str:
    ends = (difference(end, metric, unit=False) for end in (pair.low, pair.high))
    return f"{difference(pair.mean, metric)} ({' to '.join(ends)})"


def _failures(comparison: Comparison) -> list[str]:
    counts = [
        (f"{arm.name} on {arm.task}", int(arm.setting.diverged.sum())) for arm in comparison.arms
    ]
    lost = [(name, count) for name, count in counts if count]
    result = []
    if lost:
        total = sum(len(arm.setting.replicates) for arm in comparison.arms)
        filled = (
            "accuracy 0"
            if higher_is_better(comparison.metric)
            else "the greatest loss of their task"
        )
        worst = sorted(lost, key=lambda entry: -entry[1])
        result.append(
            f"{sum(count for _, count in lost)} of {total} replicates diverged "
            f"({listed([f'{name} {count}' for name, count in worst], 4)}); "
            f"they count as {filled}, none is left out."
        )
    if comparison.failures:
        result.append(
            f"{counted(len(comparison.failures), 'job')} failed and "
            f"{'is' if len(comparison.failures) == 1 else 'are'} listed with the reason."
        )
    unused = len(comparison.problems) - len(comparison.repeated)
    if unused:
        result.append(
            f"{counted(unused, 'folder')} could not be used, or not wholly; the reasons are listed."
        )
    repeats = len(comparison.repeated)
    if repeats:
        result.append(
            f"{counted(repeats, 'run')} {'repeats' if repeats == 1 else 'repeat'} seeds that "
            "others have; each counts once."
        )
    return result


def _tuning(comparison: Comparison) -> list[str]:
    chosen = [arm for arm in comparison.arms if arm.chosen]
    if not chosen:
        return []
    keys = sorted({short(key) for arm in chosen for key in arm.chosen})
    budgets = sorted({len(arm.trials) for arm in comparison.arms})
    each = f"{budgets[0]}" if len(budgets) == 1 else f"{budgets[0]} to {budgets[-1]}"
    result = [f"Each setting's {listed(keys)} was chosen by validation data out of {each} trials."]
    if not comparison.metric.rpartition(".")[2].startswith("test"):
        result.append(
            "The scores are not of held-out data that no choice has seen, which flatters "
            "whatever was tuned."
        )
    if len(budgets) > 1:
        result.append("The tuning budgets differ, which favours those with more trials.")
    edges = [arm for arm in chosen if arm.on_edge]
    if edges:
        named = [f"{arm.name} on {arm.task} ({arm.chosen_text})" for arm in edges]
        result.append(
            f"Chosen at the edge of the grid: {listed(named, 6)}; a wider grid may "
            "change the ranking."
        )
    return result


def _placebo(comparison: Comparison) -> list[str]:
    result = []
    for arm in comparison.arms:
        if arm.placebo.size < 2:
            continue
        found = arm.placebo_differences
        mean, low, high = t_interval(found)
        ends = [difference(float(e), comparison.metric, unit=False) for e in (low, high)]
        result.append(
            f"Placebo: {arm.name} on {arm.task} against itself with {found.size} other seeds "
            f"differs by {difference(float(mean), comparison.metric)} "
            f"({ends[0]} to {ends[1]}); differences of that size mean nothing."
        )
    return result
