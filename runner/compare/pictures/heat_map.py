"""heat_map: the score over two swept settings at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from activations.base import Array
from runner.compare.comparison import Comparison
from runner.compare.pictures.layout import (
    frame,
    grid,
    heading,
    left_out,
    page,
    replicate_note,
    table,
    widest,
)
from runner.compare.scores import higher_is_better
from runner.compare.settings import Setting, names, short, show
from runner.compare.wording import metric_name, score
from runner.plots.axes import inches
from runner.plots.colours import PALETTE
from runner.plots.style import Picture, cut
from runner.statistics.estimates import estimate_description

MOST_PANELS, MOST_ROWS, MOST_NUMBERS = 9, 40, 400
_ROOM = 0.36
"""Width of a number in inches."""


def heat_map(comparison: Comparison) -> dict[str, Picture]:
    """Draw the score over the two axes with most values, a panel for each value of the rest."""
    keys = [k for k in comparison.keys if k != "dataset.name"]
    if len(keys) < 2:
        return {}
    values = {}
    for key in keys:
        found = [setting.config.get(key) for setting in comparison.settings]
        values[key] = sorted({repr(value): value for value in found}.values(), key=order)
    most = sorted(keys, key=lambda key: -len(values[key]))[:2]
    columns_key, rows_key = sorted(most, key=lambda key: key == "activation.name")
    columns, rows = values[columns_key], values[rows_key]
    rest = [k for k in comparison.keys if k not in (columns_key, rows_key)]
    cells: dict[str, dict[tuple[str, str], list[Setting]]] = {}
    trials = [trial for arm in comparison.arms for trial in arm.trials]
    panel_names = names([trial.config for trial in trials], rest)
    for setting, name in zip(trials, panel_names, strict=True):
        where = (repr(setting.config.get(rows_key)), repr(setting.config.get(columns_key)))
        data = show(setting.config.get("dataset.name", "data"))
        cells.setdefault(name if rest else data, {}).setdefault(where, []).append(setting)
    filled_share = len(trials) / (len(cells) * len(rows) * len(columns))
    if filled_share < 0.6 or min(len(rows), len(columns)) < 2 or len(rows) > MOST_ROWS:
        return {}
    panels = dict(list(cells.items())[:MOST_PANELS])
    across = min(len(panels), 3, max(1, 14 // len(columns)))
    deep = -(-len(panels) // across)
    metric = comparison.metric
    figure = page(
        comparison,
        f"{metric_name(metric).capitalize()} by {_words(rows_key)} and {_words(columns_key)}",
        [
            replicate_note(comparison.arms, estimate_description(metric).partition(",")[0]),
            left_out(len(panels), len(cells), "combinations"),
            "frame: chosen on validation data" if comparison.tuned else "",
            "each panel has its own colour scale" if len(panels) > 1 else "",
        ],
        1.4 + deep * (0.26 * len(rows) + 0.85),
    )
    left = widest(map(show, rows), 1.15) + 0.12
    panel_axes = grid(figure, len(panels), across, left=left, below=0.5, between=0.1)
    tables = [_centres(cell, rows, columns) for cell in panels.values()]
    cmap = "cividis" if higher_is_better(metric) else "cividis_r"
    chosen = {id(arm.choice) for arm in comparison.arms if arm.chosen}
    room = _ROOM if np.size(tables) <= MOST_NUMBERS else np.inf
    plain: dict[str, Any] = {"parse_math": False}
    for axes, name, centres in zip(panel_axes, panels, tables, strict=True):
        table(axes, centres, lambda v: score(v, metric).removesuffix("%"), room, cmap=cmap)
        for row, column in np.ndindex(centres.shape):
            here = panels[name].get((repr(rows[row]), repr(columns[column])), [])
            if any(id(setting) in chosen for setting in here):
                frame(axes, row, column, PALETTE[1])
        heading(axes, name)
        width = inches(axes)[0]
        ticks = [cut(show(value), width / len(columns) - 0.06) for value in columns]
        axes.set_xticks(range(len(columns)), ticks, **plain)
        ticks = [cut(show(value), left - 0.1) for value in rows]
        axes.set_yticks(range(len(rows)), ticks, **plain)
        axes.set_xlabel(cut(_words(columns_key), width), **plain)
    return {"heat_map": figure}


def _words(key: str) -> str:
    return short(key).replace("_", " ")


def order(value: Any) -> tuple[Any, ...]:
    """Return what to sort an axis by: numbers by size, lists by length, then the rest."""
    if isinstance(value, (int, float)):
        return 0, value
    if isinstance(value, list) and all(isinstance(part, (int, float)) for part in value):
        return 1, len(value), *value
    return 2, show(value)


def _centres(
    cells: dict[tuple[str, str], list[Setting]], rows: list[Any], columns: list[Any]
) -> Array:
    centres = np.full((len(rows), len(columns)), np.nan)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            found = cells.get((repr(row), repr(column)))
            if found:
                centres[i, j] = np.mean([setting.score.centre for setting in found])
    return centres
