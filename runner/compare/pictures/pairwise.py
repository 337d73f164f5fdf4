"""pairwise and profiles: how often one setting beats another, and how often a score is reached."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from activations.base import Array
from runner.compare.comparison import Comparison
from runner.compare.pairs import ALPHA, OVERALL, Family, Standing
from runner.compare.pictures.layout import (
    MOST_TASKS,
    frame,
    grid,
    heading,
    page,
    replicate_note,
    table,
    widest,
)
from runner.compare.pictures.lines import Line, LinePicture, share_axis
from runner.compare.scores import direction, higher_is_better
from runner.compare.wording import metric_name
from runner.plots.axes import percent
from runner.plots.colours import INK
from runner.plots.decision_field import PROBABILITY
from runner.plots.style import Picture, cut
from runner.statistics.profiles import performance_profile

MOST_ARMS = 12
MOST_ROOM, MOST_ROOM_BESIDE_HALVES = 2.6, 1.6
"""Inches for names beside one panel in a row, and beside two."""


def pairwise(comparison: Comparison) -> dict[str, Picture]:
    """Draw P(row beats column) over all replicates, framed if significant."""
    families = [f for f in comparison.families if f.pairs and 3 <= len(f.names) <= MOST_ARMS]
    families = families[:MOST_TASKS]
    if not families:
        return {}
    most = max(len(family.names) for family in families)
    left = widest((name for f in families for name in f.names), MOST_ROOM) + 0.15
    across = 1 if len(families) == 1 or left > MOST_ROOM_BESIDE_HALVES else 2
    deep = -(-len(families) // across)
    height = 1.4 + deep * (0.29 * most + 0.5 + left * 0.75)
    figure = page(
        comparison,
        "Probability that the row beats the column",
        [
            replicate_note(comparison.arms, "over all pairs of replicates, a tie counts half"),
            "framed: significant in a joint test of all pairs",
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
    better = np.full((k, k), np.nan)
    for pair in family.pairs:
        better[pair.first, pair.second] = pair.better
        better[pair.second, pair.first] = 1 - pair.better
    table(axes, better, _probability, cmap=PROBABILITY, vmin=0, vmax=1)
    names = [cut(name, room) for name in family.names]
    turned: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(k), names, parse_math=False, **turned)
    axes.set_yticks(range(k), names, parse_math=False)
    for pair in family.pairs:
        if pair.p <= ALPHA:
            frame(axes, pair.first, pair.second, INK)
            frame(axes, pair.second, pair.first, INK)


def _probability(p: float) -> str:
    return f"{p:.2f}".lstrip("0") if 0.005 <= p < 0.995 else f"{p:.0f}"


def profiles(comparison: Comparison) -> dict[str, Picture]:
    """Draw the share of replicates that score better than each threshold."""
    metric = comparison.metric
    better, sign = higher_is_better(metric), direction(metric)
    panels: dict[str, list[Line]] = {}
    for family in comparison.families:
        if family.task == OVERALL and not better:
            continue
        thresholds = np.unique(np.concatenate([one.scores for one in family.standings]))
        if thresholds.size < 2 or len(family.names) < 2:
            continue
        room = 0.03 * (thresholds[-1] - thresholds[0])
        x = np.concatenate([[thresholds[0] - room], thresholds, [thresholds[-1] + room]])
        panels[family.task] = [_profile(one, x, sign) for one in family.standings]
    kept = np.concatenate([arm.scores[~arm.setting.diverged] for arm in comparison.arms])
    if not panels or not kept.size:
        return {}
    lost = any(arm.setting.diverged.any() for arm in comparison.arms)
    room = 0.03 * (kept.max() - kept.min() or 0.02)

    def dress(axes: Axes) -> None:
        # The drop to failures lies outside, the curves then start below 100%.
        axes.set_xlim(kept.min() - room, kept.max() + room)
        share_axis(axes)
        if better:
            percent(axes.xaxis)

    return LinePicture(
        "profiles",
        "Performance profiles",
        [
            replicate_note(
                comparison.arms,
                f"share of replicates whose {metric_name(metric)} is "
                f"{'above' if better else 'below'} each value",
            )
            + (" and lie beyond the axis" if lost else ""),
        ],
        panels,
        dress,
        metric_name(metric),
        "share of replicates",
        labels_at_ends=False,
    ).draw(comparison)


def _profile(standing: Standing, x: Array, sign: int) -> Line:
    y = performance_profile(sign * standing.scores, sign * x)
    return Line(standing.name, standing.arms[0].activation, x, y, steps=True)
