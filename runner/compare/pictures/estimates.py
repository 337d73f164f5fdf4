"""leaderboard and differences: the scores and their differences, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from activations.base import Array
from runner.compare.comparison import Comparison
from runner.compare.pairs import OVERALL, Family, Standing
from runner.compare.pictures.layout import (
    MOST_ARMS,
    MOST_TASKS,
    heading,
    name_rows,
    page,
    replicate_note,
    widest,
)
from runner.compare.pictures.lines import Scale, looks
from runner.compare.scores import higher_is_better
from runner.compare.wording import metric_name, score, shortfall
from runner.plots.axes import beyond, linear_limits, round_ticks
from runner.plots.colours import GREY, PALE
from runner.plots.style import Picture
from runner.statistics.estimates import estimate_description, t_interval

_ROW, _PANEL = 0.215, 0.68
BELOW = 0.27
"""Position of the dots in a row, so that the interval does not hide them."""


@dataclass(frozen=True)
class _Row:
    """A setting's replicates as dots, (centre, low, high), and the words beside them."""

    name: str
    dots: Array
    interval: Array
    beside: str


def leaderboard(comparison: Comparison) -> dict[str, Picture]:
    """Draw every replicate as a dot, mean and interval, best on top."""
    metric = comparison.metric
    families = [f for f in comparison.families if f.task != OVERALL][:MOST_TASKS]
    scales, everything, panels = [], [], []
    for family in families:
        standings = family.standings[:MOST_ARMS]
        dots = [one.scores[~one.settings[0].diverged] for one in standings]
        intervals = np.array([one.score for one in standings], float)
        lines, bands = np.concatenate([*dots, intervals[:, 0]]), intervals[:, 1:].ravel()
        scale = Scale.of(metric, lines, bands)
        scales.append(scale)
        everything.append((scale.limits, np.concatenate([lines, bands])))
        inside = [np.clip(row, *scale.limits) for row in dots]
        intervals = np.clip(intervals, *scale.limits)
        words = [_beside(one, metric) for one in standings]
        panels.append(list(map(_Row, family.names, inside, intervals, words)))
    outside = beyond(everything)
    figure, axes = _forest(
        comparison,
        f"{metric_name(metric).capitalize()} by setting",
        [
            replicate_note(comparison.arms, estimate_description(metric)),
            "dots: replicates",
            f"{outside}, drawn at its edge" if outside else "",
            *dict.fromkeys(scale.note for scale in scales),
        ],
        families,
        panels,
    )
    for panel, scale in zip(axes, scales, strict=True):
        scale.set(panel.xaxis)
    when = "epoch of lowest validation loss" if metric.startswith("best.") else "last epoch"
    axes[-1].set_xlabel(f"{metric_name(metric.removeprefix('best.'))}, {when}")
    return {"leaderboard": figure}


def _beside(standing: Standing, metric: str) -> str:
    (arm,) = standing.arms
    lost = int(arm.setting.diverged.sum())
    words = [f"{score(float(standing.score.centre), metric):>6}"]
    if standing.could_be_best:
        words.append("could be best")
    if lost:
        words.append(f"{lost}/{len(arm.setting.replicates)} diverged")
    if arm.chosen:
        words.append(arm.chosen_text.replace("learning_rate", "rate"))
    return "  ".join(words)


def differences(comparison: Comparison) -> dict[str, Picture]:
    """Draw each setting's paired difference to the task's best, and the placebo's."""
    families = [f for f in comparison.families if len(f.names) > 1][:MOST_TASKS]
    if not families:
        return {}
    metric = comparison.metric
    panels = []
    for family in families:
        best, *others = family.standings[:MOST_ARMS]
        rows = [_Row(best.name, np.empty(0), np.full(3, np.nan), "reference")]
        for standing in others:
            shared = [seed for seed in standing.seeds if seed in set(best.seeds)]
            found = standing.compared(shared) - best.compared(shared)
            centre = float(found.mean()) if shared else np.nan
            low, high = standing.short
            interval = np.array([centre, -high, -low])
            rows.append(_Row(standing.name, found, interval, _against_best(standing)))
        panels.append(rows)
    placebos = any(arm.placebo.size > 1 for arm in comparison.arms)
    figure, axes = _forest(
        comparison,
        "Difference from the best setting",
        [
            "paired by seed: mean, and simultaneous 95% bounds of the shortfall; dots: replicates",
            "grey bar: the placebo, the chance difference of one setting between two sets of seeds"
            if placebos
            else "",
        ],
        families,
        panels,
    )
    for panel, family, rows in zip(axes, families, panels, strict=True):
        panel.axvline(0, color=GREY, lw=0.9, zorder=1)
        placebo = _draw_placebo(panel, family)
        drawn = [part for row in rows for part in (row.dots, row.interval)]
        panel.set_xlim(linear_limits(np.concatenate([[0.0, -placebo, placebo], *drawn])))
        if higher_is_better(metric):
            panel.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
        else:
            panel.xaxis.set_major_formatter(lambda value, _: f"{np.exp(-value):.3g}")
    unit = "points" if higher_is_better(metric) else f"{metric_name(metric)} over the best's"
    axes[-1].set_xlabel(f"difference from the best ({unit}; left is worse)")
    return {"differences": figure}


def _against_best(standing: Standing) -> str:
    """Return whether it could be the best, or how far it falls short."""
    if standing.could_be_best is None:
        return "not judged"
    if standing.could_be_best:
        return "could be best"
    return f"short by {shortfall(standing.short, standing.metric)}"


def _draw_placebo(axes: Axes, family: Family) -> float:
    """Draw a setting's possible difference to itself on other seeds in its row, and return the
    largest."""
    most = 0.0
    if family.task == OVERALL:
        return most
    for row, standing in enumerate(family.standings[:MOST_ARMS]):
        for arm in standing.arms:
            if arm.placebo.size > 1:
                size = float(np.max(np.abs(t_interval(arm.placebo_differences)[1:])))
                axes.hlines(row, -size, size, color=PALE, linewidths=9, zorder=1)
                most = max(most, size)
    return most


def _forest(
    comparison: Comparison,
    title: str,
    notes: Sequence[str],
    families: Sequence[Family],
    panels: Sequence[Sequence[_Row]],
) -> tuple[Picture, list[Axes]]:
    """Return a page with a panel per family: names left, dots and intervals, words right."""
    if any(len(family.names) > MOST_ARMS for family in families):
        notes = [*notes, f"the best {MOST_ARMS} are shown, all are in leaderboard.csv"]
    every = [row for rows in panels for row in rows]
    figure = page(comparison, title, notes, 1.35 + _ROW * len(every) + _PANEL * len(panels))
    left = widest((row.name for row in every), 3.0) + 0.14
    right = widest((row.beside for row in every), 2.6) + 0.15
    look = looks((arm.name, arm.activation) for arm in comparison.arms)
    result = []
    y = figure.top
    for family, rows in zip(families, panels, strict=True):
        top = y - 0.28
        bottom = top - _ROW * len(rows)
        axes = figure.place(figure.left + left, bottom, figure.right - right, top)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        round_ticks(axes.xaxis, 7)
        axes.tick_params(axis="x", pad=2)
        if len(families) > 1 or len(comparison.tasks) > 1:
            heading(axes, family.task)
        for row in range(1, len(rows), 2):
            axes.axhspan(row - 0.5, row + 0.5, color="#f6f6f6", lw=0, zorder=0)
        _draw(axes, rows, [look[row.name]["color"] for row in rows])
        names, words = [row.name for row in rows], [row.beside for row in rows]
        name_rows(figure, names, figure.left + left - 0.08, top, _ROW, left - 0.12)
        name_rows(figure, words, figure.right - right + 0.1, top, _ROW, right - 0.1, ha="left")
        result.append(axes)
        y = bottom - _PANEL + 0.28
    return figure, result


def _draw(axes: Axes, rows: Sequence[_Row], shades: Sequence[str]) -> None:
    """Draw rows of dots, an interval and its centre; one artist per kind, as rows are many."""
    counts = [row.dots.size for row in rows]
    dots, heights = np.concatenate([row.dots for row in rows]), np.repeat(range(len(rows)), counts)
    colours = np.repeat(shades, counts)
    axes.scatter(dots, heights + BELOW, s=10, lw=0, alpha=0.45, c=colours, zorder=2)
    centre, low, high = np.array([row.interval for row in rows]).T
    known = np.flatnonzero(np.isfinite(high - low)).tolist()
    inks = [shades[k] for k in known]
    axes.hlines(known, low[known], high[known], colors=inks, linewidths=2, zorder=3)
    where = np.arange(len(rows))
    axes.scatter(centre, where, s=42, c="white", edgecolors=shades, lw=1.8, zorder=4)
