"""health: dead units and gradient flow of all settings side by side, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from activations.base import Array
from runner.compare.comparison import Comparison
from runner.compare.pictures.layout import (
    heading,
    left_out,
    name_rows,
    page,
    replicate_note,
    table,
    widest,
)
from runner.compare.scores import Arm
from runner.compare.settings import Setting
from runner.plots.style import Picture, cut

MOST_ROWS, MOST_LAYERS, MOST_TASKS, MOST_ROWS_IN_ALL = 40, 30, 4, 48
_ROW, _PANEL = 0.22, 0.78
_CELL = 0.27
"""Inches; a narrower cell has no room for its number."""
_NOTHING = -99.0
"""Stands for the logarithm of a gradient of exactly 0."""


def health(comparison: Comparison) -> dict[str, Picture]:
    """Draw, per setting and layer, the share of dead units and of the gradient that arrives."""
    tasks = comparison.tasks[:MOST_TASKS]
    groups = [comparison.of_task(task)[:MOST_ROWS] for task in tasks]
    while len(groups) > 1 and sum(map(len, groups)) > MOST_ROWS_IN_ALL:
        tasks, groups = tasks[:-1], groups[:-1]
    shown = [arm for group in groups for arm in group]
    depth = min(max(_hidden_layers(arm.setting) for arm in shown), MOST_LAYERS)
    if not depth:
        return {}
    figure = page(
        comparison,
        "Dead units and gradient flow",
        [
            replicate_note(shown, "mean"),
            "gradient: RMS of a hidden layer, divided by that of the last hidden layer",
            left_out(len(tasks), len(comparison.tasks), "tasks"),
        ],
        1.4 + sum(_ROW * len(group) + _PANEL for group in groups),
    )
    left = widest((arm.name for arm in shown), 2.2) + 0.12
    width = (figure.right - figure.left - left - 0.3) / 3
    columns: tuple[tuple[str, Callable[[Setting, int], float], _Look], ...] = (
        ("dead at end", _dead, _SHARES),
        ("gradient at start", lambda s, layer: _gradient(s, layer, 0), _RATIOS),
        ("gradient at end", lambda s, layer: _gradient(s, layer, -1), _RATIOS),
    )
    y = figure.top
    for task, group in zip(tasks, groups, strict=True):
        top = y - 0.3
        bottom = top - _ROW * len(group)
        for index, (title, measure, (words, colours)) in enumerate(columns):
            x = figure.left + left + index * (width + 0.15)
            axes = figure.place(x, bottom, x + width, top)
            values = _by_layer(group, depth, measure)
            span = "" if width / depth >= _CELL else _span(values, words)
            heading(axes, title + span)
            table(axes, values, words, _CELL, **colours)
            axes.tick_params(pad=1)
            numbered = range(0, depth, 5 if depth > 12 else 1)
            axes.set_xticks(numbered, [str(n + 1) for n in numbered])
            axes.set_yticks([])
            axes.set_xlabel("hidden layer", labelpad=1)
        if len(tasks) > 1:
            figure.words(figure.left, top + 0.08, cut(task, left - 0.1), weight="bold")
        names = [arm.name for arm in group]
        name_rows(figure, names, figure.left + left - 0.08, top, _ROW, left - 0.1)
        y = bottom - _PANEL + 0.3
    return {"health": figure}


def _hidden_layers(setting: Setting) -> int:
    return sum(name.endswith("_dead") for name in setting.runs[0].history)


def _by_layer(group: Sequence[Arm], depth: int, measure: Callable[[Setting, int], float]) -> Array:
    values = np.full((len(group), depth), np.nan)
    for row, arm in enumerate(group):
        for layer in range(1, min(_hidden_layers(arm.setting), depth) + 1):
            values[row, layer - 1] = measure(arm.setting, layer)
    return values


def _dead(setting: Setting, layer: int) -> float:
    return _at(setting.curve(f"layer{layer}_dead")[1], -1)


def _gradient(setting: Setting, layer: int, when: int) -> float:
    """log10 of the layer's gradient RMS over the last hidden layer's, geometric mean."""
    here = setting.curve(f"layer{layer}_gradient_rms")[1]
    last = setting.curve(f"layer{_hidden_layers(setting)}_gradient_rms")[1]
    with np.errstate(all="ignore"):
        ratio = np.log10(here) - np.log10(last)
    return _at(np.where(np.isneginf(ratio), _NOTHING, ratio), when)


def _at(values: Array, when: int) -> float:
    """Mean over replicates at the first or the last record where any has a value."""
    there = np.flatnonzero(np.isfinite(values).any(axis=0))
    return float(np.nanmean(values[:, there[when]])) if there.size else math.nan


def _span(values: Array, words: Callable[[float], str]) -> str:
    """Return ", 0-15%", the range of cells that have no room for numbers."""
    known = values[np.isfinite(values)]
    if not known.size:
        return ""
    low, high = words(float(known.min())), words(float(known.max()))
    return f", {low}" if low == high else f", {low}\N{EN DASH}{high}"


def _share(value: float) -> str:
    return "0" if value == 0 else f"{value:.0%}" if value >= 0.005 else "<1%"


def _ratio(exponent: float) -> str:
    if exponent <= _NOTHING:
        return "0"
    value = 10**exponent
    return f"{value:.2g}" if value >= 0.01 else f"1e{exponent:.0f}"


_Look = tuple[Callable[[float], str], dict[str, Any]]
"""The text and colours of a cell: a dead share of 0 and an unchanged gradient are white."""
_SHARES: _Look = _share, {"cmap": "Reds", "vmin": 0, "vmax": 1.3}
_RATIOS: _Look = _ratio, {"cmap": "PuOr", "vmin": -4, "vmax": 4}
