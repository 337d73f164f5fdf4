"""health: dead units and gradient flow of all settings side by side, layer by layer."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from activations.base import Array
from runner.compare.comparison import Comparison
from runner.compare.pictures.lines import (
    heading,
    inches_wide,
    page,
    replicate_note,
    widest,
)
from runner.compare.scores import Arm
from runner.compare.settings import Setting
from runner.plots.style import INK, PALE, SMALL, Picture, cut

MOST_ROWS, MOST_LAYERS, MOST_TASKS, MOST_ROWS_IN_ALL = 40, 30, 4, 48
_ROW, _PANEL = 0.22, 0.78
_DECADES = 4.0


def health(comparison: Comparison) -> dict[str, Picture]:
    """Draw, per setting and layer, the dead share and how much of the gradient
    arrives."""
    tasks = comparison.tasks[:MOST_TASKS]
    groups = [comparison.of_task(task)[:MOST_ROWS] for task in tasks]
    while len(groups) > 1 and sum(map(len, groups)) > MOST_ROWS_IN_ALL:
        tasks, groups = tasks[:-1], groups[:-1]
    depth = max((layers(arm.setting) for group in groups for arm in group), default=0)
    depth = min(depth, MOST_LAYERS)
    if not depth:
        return {}
    figure = page(
        comparison,
        "Dead units and gradient flow",
        [
            replicate_note([arm for group in groups for arm in group], "mean"),
            "gradient: RMS that arrives at a hidden layer, relative to the last hidden layer",
            f"the first {len(tasks)} of {len(comparison.tasks)} tasks"
            if len(comparison.tasks) > len(tasks)
            else "",
        ],
        1.4 + sum(_ROW * len(group) + _PANEL for group in groups),
    )
    names = [arm.name for group in groups for arm in group]
    left = widest(names, 2.2) + 0.12
    width = (figure.right - figure.left - left - 0.3) / 3
    columns: tuple[tuple[str, Callable[[Setting, int], float]], ...] = (
        ("dead at the end", _dead),
        ("gradient at the start", lambda s, layer: _gradient(s, layer, 0)),
        ("gradient at the end", lambda s, layer: _gradient(s, layer, -1)),
    )
    y = figure.top
    for task, group in zip(tasks, groups, strict=True):
        top = y - 0.3
        bottom = top - _ROW * len(group)
        for index, (title, measure) in enumerate(columns):
            x = figure.left + left + index * (width + 0.15)
            axes = figure.place(x, bottom, x + width, top)
            heading(axes, title if len(tasks) == 1 else f"{task}: {title}")
            table = _table(group, depth, measure)
            _draw(axes, table, share=index == 0)
            axes.set_xticks(range(depth), [str(n + 1) for n in range(depth)])
            if depth > 12:
                axes.set_xticks(range(0, depth, 5), [str(n + 1) for n in range(0, depth, 5)])
            axes.set_yticks([])
            axes.set_xlabel("hidden layer", labelpad=1)
        for row, arm in enumerate(group):
            at = top - (row + 0.5) * _ROW
            name = cut(arm.name, left - 0.1)
            figure.words(figure.left + left - 0.08, at, name, ha="right", va="center", color=INK)
        y = bottom - _PANEL + 0.3
    return {"health": figure}


def layers(setting: Setting) -> int:
    """Return the number of hidden layers that the history tells of."""
    history = setting.runs[0].history
    count = 0
    while f"layer{count + 1}_dead" in history:
        count += 1
    return count


def _table(group: Sequence[Arm], depth: int, measure: Callable[[Setting, int], float]) -> Array:
    table = np.full((len(group), depth), np.nan)
    for row, arm in enumerate(group):
        for layer in range(1, min(layers(arm.setting), depth) + 1):
            table[row, layer - 1] = measure(arm.setting, layer)
    return table


def _dead(setting: Setting, layer: int) -> float:
    return _at(setting.curve(f"layer{layer}_dead")[1], -1)


def _gradient(setting: Setting, layer: int, when: int) -> float:
    """log10 of the layer's gradient RMS over the last hidden layer's, geometric
    mean."""
    here = setting.curve(f"layer{layer}_gradient_rms")[1]
    last = setting.curve(f"layer{layers(setting)}_gradient_rms")[1]
    with np.errstate(all="ignore"):
        ratio = np.log10(here) - np.log10(last)
    ratio[np.isnan(ratio) & np.isfinite(here)] = np.nan
    return max(_at(np.where(np.isneginf(ratio), -99, ratio), when), -99.0)


def _at(values: Array, when: int) -> float:
    """Mean over replicates at the first or the last record where any has a value."""
    there = np.flatnonzero(np.isfinite(values).any(axis=0))
    if not there.size:
        return math.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(np.nanmean(values[:, there[when]]))


def _draw(axes: Axes, table: Array, share: bool) -> None:
    """Draw numbers on colours; a dead share of 0 and an unchanged gradient are
    white."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, pad=1)
    if share:
        shades = colormaps["Reds"]
        low, high = 0.0, 1.3
    else:
        shades = colormaps["PuOr"]
        low, high = -_DECADES, _DECADES
    shades = shades.with_extremes(bad=PALE)
    axes.imshow(np.ma.masked_invalid(table), cmap=shades, vmin=low, vmax=high, aspect="auto")
    if inches_wide(axes) / table.shape[1] < 0.27:
        return
    for (row, column), value in np.ndenumerate(table):
        if math.isfinite(value):
            dark = value > 0.75 if share else abs(value) > 0.7 * _DECADES
            axes.text(
                column,
                row,
                _share(value) if share else _ratio(value),
                ha="center",
                va="center",
                fontsize=SMALL - 1,
                color="white" if dark else INK,
            )


def _share(value: float) -> str:
    return "0" if value == 0 else f"{value:.0%}" if value >= 0.005 else "<1%"


def _ratio(exponent: float) -> str:
    if exponent <= -99:
        return "0"
    value = 10**exponent
    return f"{value:.2g}" if value >= 0.01 else f"1e{exponent:.0f}"
