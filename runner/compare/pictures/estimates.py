"""leaderboard and differences: who scored what, by how much more, and how sure that
is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import FuncFormatter, MaxNLocator

from activations.base import Array
from runner.compare.comparison import Comparison
from runner.compare.pairs import (
    ALPHA,
    OVERALL,
    Family,
    paired_differences,
)
from runner.compare.pictures.lines import (
    MOST_ARMS,
    MOST_TASKS,
    Scale,
    heading,
    looks,
    page,
    replicate_note,
    widest,
)
from runner.compare.scores import higher_is_better
from runner.compare.wording import difference, metric_name, probability, score
from runner.plots.axes import beyond, linear_limits
from runner.plots.style import GREY, INK, PALE, Picture, cut
from runner.statistics.estimates import how, t_interval

_ROW, _PANEL = 0.215, 0.68


def leaderboard(comparison: Comparison) -> dict[str, Picture]:
    """Draw every replicate as a dot, mean and interval, best on top, ties by letter."""
    metric = comparison.metric
    families = [f for f in comparison.families if f.task != OVERALL][:MOST_TASKS]

    def beside(family: Family, index: int) -> str:
        standing = family.standings[index]
        (arm,) = standing.arms
        lost = int(arm.setting.diverged.sum())
        words = [f"{score(float(standing.score.centre), metric):>6}", standing.letters]
        if lost:
            words.append(f"{lost}/{len(arm.setting.replicates)} diverged")
        if arm.chosen:
            words.append(arm.chosen_text.replace("learning_rate", "rate"))
        return "  ".join(words)

    dots = [
        [s.scores[~s.settings[0].diverged] for s in family.standings[:MOST_ARMS]]
        for family in families
    ]
    intervals = [[s.score for s in family.standings[:MOST_ARMS]] for family in families]
    centres = [np.array([three[0] for three in threes]) for threes in intervals]
    lines = [np.concatenate([*d, c]) for d, c in zip(dots, centres, strict=True)]
    bands = [np.array([three[1:] for three in threes]).ravel() for threes in intervals]
    scales = [Scale.of(metric, line, band) for line, band in zip(lines, bands, strict=True)]
    outside = beyond(
        (scale.limits, np.concatenate([line, band]))
        for scale, line, band in zip(scales, lines, bands, strict=True)
    )
    figure, panels = _forest(
        comparison,
        f"{metric_name(metric).capitalize()} by setting",
        [
            replicate_note(comparison.arms, how(metric)),
            "dots: replicates" + _letters_note(families),
            f"{outside}, drawn at its edge" if outside else "",
        ],
        families,
        beside,
    )
    look = looks((arm.name, arm.activation) for arm in comparison.arms)
    for number, (axes, family, scale) in enumerate(zip(panels, families, scales, strict=True)):
        shades = [look[name]["color"] for name in family.names[:MOST_ARMS]]
        scale.set(axes.xaxis)
        inside_dots = [np.clip(row, *scale.limits) for row in dots[number]]
        inside = [tuple(np.clip(three, *scale.limits).tolist()) for three in intervals[number]]
        _estimates(axes, range(len(shades)), inside_dots, inside, shades)
    when = "epoch of lowest validation loss" if metric.startswith("best.") else "last epoch"
    panels[-1].set_xlabel(f"{metric_name(metric.removeprefix('best.'))}, {when}")
    return {"leaderboard": figure}


def _letters_note(families: Sequence[Family]) -> str:
    if any(family.pairs for family in families):
        return "; settings that share a letter cannot be separated"
    return ""


def differences(comparison: Comparison) -> dict[str, Picture]:
    """Draw each setting's paired difference to the task's best, and the placebo's."""
    families = [f for f in comparison.families if len(f.names) > 1][:MOST_TASKS]
    if not families:
        return {}
    metric = comparison.metric

    def beside(family: Family, index: int) -> str:
        if index == 0:
            return "reference"
        if not family.pairs:
            return ""
        pair = family.pair(0, index)
        gap = difference(-pair.difference.centre, metric, unit=False)
        if family.method == "none" or not pair.tested:
            return f"{gap:>6}  n = {pair.n}: no test can decide"
        sure = "" if pair.adjusted <= ALPHA else "  tie"
        return f"{gap:>6}  p {_equals(pair.adjusted)}{sure}"

    placebos = any(arm.placebo.size > 1 for arm in comparison.arms)
    figure, panels = _forest(
        comparison,
        "Difference to the best, replicate by replicate",
        [
            "paired by seed: mean, 95% t interval of each pair (not adjusted); "
            "p adjusted for all pairs",
            "grey: placebo, up to what a setting differs from itself on other seeds"
            if placebos
            else "",
        ],
        families,
        beside,
    )
    look = looks((arm.name, arm.activation) for arm in comparison.arms)
    for axes, family in zip(panels, families, strict=True):
        axes.axvline(0, color=GREY, lw=0.9, zorder=1)
        placebo = _draw_placebo(axes, family)
        best, *others = family.standings[:MOST_ARMS]
        found = [paired_differences(standing, best) for standing in others]
        intervals = [tuple(float(v) for v in t_interval(d)) for d in found]
        shades = [look[standing.name]["color"] for standing in others]
        _estimates(axes, range(1, len(others) + 1), found, intervals, shades)
        axes.set_xlim(linear_limits(np.concatenate([[0.0, -placebo, placebo], *found, *intervals])))
        if higher_is_better(metric):
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g}"))
    unit = "points" if higher_is_better(metric) else metric_name(metric)
    panels[-1].set_xlabel(f"difference to the best ({unit}; left is worse)")
    return {"differences": figure}


def _draw_placebo(axes: Axes, family: Family) -> float:
    """Shade what a setting's difference to itself on other seeds may be, either way, and
    return the largest."""
    largest = 0.0
    for arm in (arm for standing in family.standings for arm in standing.arms):
        if arm.placebo.size > 1 and family.task != OVERALL:
            _, low, high = t_interval(arm.placebo_differences)
            size = max(abs(float(low)), abs(float(high)))
            axes.axvspan(-size, size, color=PALE, lw=0, zorder=0)
            largest = max(largest, size)
    return largest


def _equals(p: float) -> str:
    text = probability(p)
    return text if text.startswith("<") else f"= {text}"


def _forest(
    comparison: Comparison,
    title: str,
    notes: Sequence[str],
    families: Sequence[Family],
    beside: Callable[[Family, int], str],
) -> tuple[Picture, list[Axes]]:
    """Return a page with one panel of rows per family: names left, ``beside`` right."""
    counts = [min(len(family.names), MOST_ARMS) for family in families]
    if any(len(family.names) > MOST_ARMS for family in families):
        notes = [*notes, f"the best {MOST_ARMS} are shown, all are in leaderboard.csv"]
    height = 1.35 + _ROW * sum(counts) + _PANEL * len(counts)
    figure = page(comparison, title, notes, height)
    texts = [
        [beside(family, i) for i in range(count)]
        for family, count in zip(families, counts, strict=True)
    ]
    names = [name for f, count in zip(families, counts, strict=True) for name in f.names[:count]]
    left = widest(names, 3.0) + 0.14
    right = widest((text for row in texts for text in row), 2.6) + 0.15
    panels = []
    y = figure.top
    for family, count, row_texts in zip(families, counts, texts, strict=True):
        top = y - 0.28
        bottom = top - _ROW * count
        axes = figure.place(figure.left + left, bottom, figure.right - right, top)
        axes.set_ylim(count - 0.5, -0.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
        axes.tick_params(axis="x", pad=2)
        if len(families) > 1 or len(comparison.tasks) > 1:
            heading(axes, family.task)
        every_other = range(1, count, 2)
        axes.hlines(
            every_other,
            0,
            1,
            transform=axes.get_yaxis_transform(),
            color="#f6f6f6",
            lw=_ROW * 72,
            zorder=0,
        )
        for row in range(count):
            at = top - (row + 0.5) * _ROW
            name = cut(family.names[row], left - 0.12)
            how = {"va": "center", "color": INK}
            figure.words(figure.left + left - 0.08, at, name, ha="right", **how)
            figure.words(figure.right - right + 0.1, at, cut(row_texts[row], right - 0.1), **how)
        panels.append(axes)
        y = bottom - _PANEL + 0.28
    return figure, panels


def _estimates(
    axes: Axes,
    rows: Sequence[int],
    dots: Sequence[Array],
    intervals: Sequence[tuple[float, ...]],
    shades: Sequence[str],
) -> None:
    """Draw rows of dots, an interval and its centre; one artist each, for there are
    many."""
    heights = np.repeat(rows, [d.size for d in dots])
    colours = np.repeat(shades, [d.size for d in dots])
    axes.scatter(np.concatenate(dots), heights, s=11, lw=0, alpha=0.35, c=colours, zorder=2)
    known = [i for i, (_, low, high) in enumerate(intervals) if math.isfinite(high - low)]
    axes.add_collection(
        LineCollection(
            [[(intervals[i][1], rows[i]), (intervals[i][2], rows[i])] for i in known],
            colors=[shades[i] for i in known],
            linewidths=2,
            zorder=3,
        )
    )
    centres = [interval[0] for interval in intervals]
    axes.scatter(centres, rows, s=42, c="white", edgecolors=shades, lw=1.8, zorder=4)
