"""pairwise and profiles: who beats whom how often, and how often a score is reached."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from runner.compare.comparison import Comparison
from runner.compare.pairs import ALPHA, OVERALL, Family
from runner.compare.pictures.lines import (
    MOST_TASKS,
    TWO_SIDED,
    Line,
    grid,
    heading,
    line_pictures,
    page,
    percent,
    replicate_note,
    widest,
)
from runner.compare.scores import direction, higher_is_better
from runner.compare.wording import metric_name
from runner.plots.style import INK, SMALL, Picture, cut
from runner.statistics.profiles import performance_profile

MOST_ARMS = 12


def pairwise(comparison: Comparison) -> dict[str, Picture]:
    """Draw P(row beats column) over all replicates, framed where a test separates
    them."""
    families = [f for f in comparison.families if f.pairs and 3 <= len(f.names) <= MOST_ARMS][
        :MOST_TASKS
    ]
    if not families:
        return {}
    most = max(len(family.names) for family in families)
    across = 1 if len(families) == 1 else 2
    deep = -(-len(families) // across)
    left = widest((name for f in families for name in f.names), 1.5) + 0.15
    height = 1.4 + deep * (0.29 * most + 0.5 + left * 0.75)
    figure = page(
        comparison,
        "Probability that the row beats the column",
        [
            replicate_note(comparison.arms, "all pairs of replicates, ties count half"),
            "framed: separated by the test",
        ],
        height,
    )
    panels = grid(figure, len(families), across, left=left, below=left * 0.75, between=0.15)
    for axes, family in zip(panels, families, strict=True):
        _matrix(axes, family, left - 0.1)
        if len(families) > 1:
            heading(axes, family.task)
    return {"pairwise": figure}


def _matrix(axes: Axes, family: Family, room: float) -> None:
    k = len(family.names)
    table = np.full((k, k), 0.5)
    for pair in family.pairs:
        table[pair.first, pair.second] = pair.better
        table[pair.second, pair.first] = 1 - pair.better
    axes.imshow(table, cmap=TWO_SIDED, vmin=-0.25, vmax=1.25, aspect="auto")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    names = [cut(name, room) for name in family.names]
    axes.set_xticks(range(k), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(k), names)
    for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        label.set_parse_math(False)
    for i, j in np.ndindex(k, k):
        if i == j:
            continue
        axes.text(
            j,
            i,
            _probability(table[i, j]),
            ha="center",
            va="center",
            fontsize=SMALL - 1,
        )
        if family.pair(i, j).adjusted <= ALPHA:
            x, y = [j - 0.45, j + 0.45], [i - 0.43, i + 0.43]
            axes.plot(
                [x[0], x[1], x[1], x[0], x[0]],
                [y[0], y[0], y[1], y[1], y[0]],
                color=INK,
                lw=1.1,
            )


def _probability(p: float) -> str:
    return f"{p:.2f}".lstrip("0") if 0.005 <= p < 0.995 else f"{p:.0f}"


def profiles(comparison: Comparison) -> dict[str, Picture]:
    """Draw the share of replicates that score better than each threshold."""
    metric = comparison.metric
    better = higher_is_better(metric)
    panels: dict[str, list[Line]] = {}
    for family in comparison.families:
        if family.task == OVERALL and not better:
            continue
        everything = np.concatenate([standing.scores for standing in family.standings])
        thresholds = np.unique(everything)
        if thresholds.size < 2 or len(family.names) < 2:
            continue
        room = 0.03 * (thresholds[-1] - thresholds[0])
        x = np.concatenate([[thresholds[0] - room], thresholds, [thresholds[-1] + room]])
        sign = direction(metric)
        for standing in family.standings:
            y = performance_profile(sign * standing.scores, sign * x)
            nothing = np.full(len(x), np.nan)
            panels.setdefault(family.task, []).append(
                Line(
                    standing.name,
                    standing.arms[0].activation,
                    x,
                    y,
                    nothing,
                    nothing,
                    steps=True,
                )
            )
    if not panels:
        return {}
    kept = np.concatenate([arm.scores[~arm.setting.diverged] for arm in comparison.arms])
    if not kept.size:
        return {}
    lost = any(arm.setting.diverged.any() for arm in comparison.arms)
    span = kept.max() - kept.min() or 0.02

    def dress(axes: Axes) -> None:
        # The drop to failures lies outside, the curves then start below 100%.
        axes.set_xlim(kept.min() - 0.03 * span, kept.max() + 0.03 * span)
        axes.set_ylim(-0.02, 1.02)
        percent(axes.yaxis)
        if better:
            percent(axes.xaxis)

    return line_pictures(
        comparison,
        "profiles",
        "Performance profiles",
        [
            f"share of replicates whose {metric_name(metric)} is "
            f"{'above' if better else 'below'} each value",
            replicate_note(comparison.arms, "all replicates")
            + (" and lie beyond the axis" if lost else ""),
        ],
        panels,
        dress,
        metric_name(metric),
        "share of replicates",
        labels_at_ends=False,
    )
