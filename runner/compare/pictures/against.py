"""Score against a swept setting: learning_rate first, any other number, two at once,
budget.

The ranking of activations reverses between learning rates, so that picture comes first.
"""

from __future__ import annotations

import math
import sys
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import (
    FixedLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from activations.base import Array
from runner.compare.comparison import Comparison
from runner.compare.pictures.lines import (
    Line,
    Scale,
    file_names,
    grid,
    heading,
    inches_wide,
    line_pictures,
    page,
    replicate_note,
    scale_of_lines,
)
from runner.compare.scores import TUNED_BY_DEFAULT, higher_is_better
from runner.compare.settings import Setting, differing_keys, key_names, label, short, show
from runner.compare.wording import metric_name, score
from runner.plots.style import INK, SMALL, Picture, cut
from runner.statistics.estimates import how
from runner.statistics.profiles import expected_best

MOST_HEAT_PANELS, MOST_NUMBERS = 9, 400


def number_of(key: str, value: Any) -> float:
    """Return a setting's value as a position on an axis, NaN if it has none.

    Hidden layers count by their number; see ``hidden_meaning``.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    return float(value) if abs(value) <= sys.float_info.max else math.nan


def hidden_meaning(comparison: Comparison) -> dict[str, tuple[str, dict[str, float]]]:
    """Return what model.hidden means as a number: depth or width, if it is one of
    them."""
    values = {
        repr(s.config.get("model.hidden")): s.config.get("model.hidden")
        for s in comparison.settings
    }
    lists = [value for value in values.values() if isinstance(value, list)]
    if len(lists) < 2 or len(lists) < len(values):
        return {}
    if len({len(value) for value in lists}) == 1 and len(lists[0]) > 0:
        if all(len(set(value)) == 1 for value in lists):
            return {"model.hidden": ("width", {repr(v): v[0] for v in lists})}
    elif len({unit for value in lists for unit in value}) == 1:
        return {"model.hidden": ("hidden layers", {repr(v): len(v) for v in lists})}
    return {}


def against_settings(comparison: Comparison) -> dict[str, Picture]:
    """Draw the score against every swept number, learning_rate first."""
    keys = sorted(comparison.keys, key=lambda key: (key != TUNED_BY_DEFAULT, key))
    meanings = hidden_meaning(comparison)
    for key, name in key_names(keys).items():
        meanings.setdefault(key, (name, {}))
    files = file_names(meanings[key][0].replace(" ", "_") for key in keys)
    result: dict[str, Picture] = {}
    for key in keys:
        meaning, positions = meanings[key]
        file = files[meaning.replace(" ", "_")]
        result.update(_against(comparison, key, meaning, positions, file))
    return result


def _against(
    comparison: Comparison, key: str, meaning: str, positions: dict[str, float], file: str
) -> dict[str, Picture]:

    def position(setting: Setting) -> float:
        value = setting.config.get(key)
        return positions.get(repr(value), number_of(key, value))

    tuned_here = any(key in arm.chosen for arm in comparison.arms)
    if tuned_here:
        settings = [trial for arm in comparison.arms for trial in arm.trials]
    else:
        settings = [arm.setting for arm in comparison.arms]
    x_values = sorted({position(s) for s in settings if math.isfinite(position(s))})
    if len(x_values) < (2 if key == TUNED_BY_DEFAULT else 3):
        return {}
    chosen = {id(arm.setting) for arm in comparison.arms}
    not_axes = {key, *(k for k in comparison.tuned if not tuned_here)}
    differing = [k for k in differing_keys([s.config for s in settings]) if k not in not_axes]
    in_task = [k for k in differing if k.startswith("dataset.")]
    in_line = [
        k
        for k in differing
        if k not in in_task and not (k == TUNED_BY_DEFAULT and comparison.tuned)
    ]
    groups: dict[str, dict[str, list[Setting]]] = {}
    for setting in settings:
        if math.isfinite(position(setting)):
            task = label(setting.config, in_task) if in_task else comparison.tasks[0]
            if not in_task and key.startswith("dataset."):
                task = show(setting.config.get("dataset.name"))
            name = label(setting.config, in_line) if in_line else setting.activation
            groups.setdefault(task, {}).setdefault(name, []).append(setting)
    panels: dict[str, list[Line]] = {}
    best: dict[str, list[str]] = {}
    sign = 1 if higher_is_better(comparison.metric) else -1
    for task, lines in groups.items():
        tops: dict[float, tuple[float, str]] = {}
        for name, members in lines.items():
            members.sort(key=position)
            x = np.array([position(s) for s in members])
            found = [s.score for s in members]
            y, low, high = (np.array(part, float) for part in zip(*found, strict=True))
            ringed = [i for i, s in enumerate(members) if tuned_here and id(s) in chosen]
            panels.setdefault(task, []).append(
                Line(name, members[0].activation, x, y, low, high, ringed)
            )
            for at, value in zip(x.tolist(), (sign * y).tolist(), strict=True):
                tops[at] = max(tops.get(at, (-math.inf, "")), (value, name))
        best[task] = [tops[at][1] for at in sorted(tops)]
    scale, outside = scale_of_lines(comparison.metric, panels)
    dress = _dresser(scale, x_values)
    notes = [replicate_note(comparison.arms, how(comparison.metric)), outside]
    if tuned_here:
        notes.append("ring: the value that validation data chose")
    # Which line is on top often changes along the axis; say so where it does.
    changes = {task: list(dict.fromkeys(names)) for task, names in best.items()}
    if len(panels) == 1:
        names = next(iter(changes.values()))
        if len(names) > 1:
            notes.append(
                f"highest mean in turn: {', '.join(names[:6])}"
                if sign > 0
                else f"lowest mean in turn: {', '.join(names[:6])}"
            )
    return line_pictures(
        comparison,
        file,
        f"{metric_name(comparison.metric).capitalize()} against {meaning.replace('_', ' ')}",
        notes,
        panels,
        dress,
        cut(meaning.replace("_", " "), 2.0),
        metric_name(comparison.metric),
        essential=True,
    )


def _dresser(scale: Scale, x_values: list[float]) -> Any:
    ratio = x_values[-1] / x_values[0] if x_values[0] > 0 else 0
    logarithmic = ratio >= 20 or (len(x_values) > 2 and _geometric(x_values))

    def dress(axes: Axes) -> None:
        if logarithmic:
            axes.set_xscale("log")
            if len(x_values) <= 7:
                crowded = inches_wide(axes) / len(x_values) < 0.42
                axes.xaxis.set_major_locator(FixedLocator(x_values[:: 2 if crowded else 1]))
                axes.xaxis.set_minor_locator(NullLocator())
                axes.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
            margin = (x_values[-1] / x_values[0]) ** 0.03
            axes.set_xlim(x_values[0] / margin, x_values[-1] * margin)
        else:
            margin = 0.03 * (x_values[-1] - x_values[0])
            axes.set_xlim(x_values[0] - margin, x_values[-1] + margin)
            axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        scale.set(axes.yaxis)

    return dress


def _geometric(x: list[float]) -> bool:
    ratios = [b / a for a, b in pairwise(x) if a > 0]
    return len(ratios) == len(x) - 1 and max(ratios) < 1.3 * min(ratios)


def heat_map(comparison: Comparison) -> dict[str, Picture]:
    """Draw the score over the two axes with most values, a panel per rest, if
    filled."""
    keys = [k for k in comparison.keys if k != "dataset.name"]
    if len(keys) < 2:
        return {}
    values = {
        key: sorted(
            {repr(s.config.get(key)): s.config.get(key) for s in comparison.settings}.values(),
            key=_order,
        )
        for key in keys
    }
    columns_key, rows_key = sorted(
        sorted(keys, key=lambda key: -len(values[key]))[:2],
        key=lambda key: key == "activation.name",
    )
    columns, rows = values[columns_key], values[rows_key]
    rest = [k for k in comparison.keys if k not in (columns_key, rows_key)]
    cells: dict[str, dict[tuple[str, str], list[Setting]]] = {}
    for setting in comparison.settings:
        where = (repr(setting.config.get(rows_key)), repr(setting.config.get(columns_key)))
        data = show(setting.config.get("dataset.name", "data"))
        name = label(setting.config, rest) if rest else data
        cells.setdefault(name, {}).setdefault(where, []).append(setting)
    filled_share = len(comparison.settings) / (len(cells) * len(rows) * len(columns))
    if filled_share < 0.6 or min(len(rows), len(columns)) < 2 or len(rows) > 40:
        return {}
    panels = dict(list(cells.items())[:MOST_HEAT_PANELS])
    across = min(len(panels), 3, max(1, 14 // len(columns)))
    deep = -(-len(panels) // across)
    metric = comparison.metric
    notes = [replicate_note(comparison.arms, how(metric).partition(",")[0])]
    if len(cells) > len(panels):
        notes.append(f"the first {len(panels)} of {len(cells)} combinations")
    figure = page(
        comparison,
        f"{metric_name(metric).capitalize()} by {_words(rows_key)} and {_words(columns_key)}",
        [*notes, "frame: best of the row"],
        1.4 + deep * (0.26 * len(rows) + 0.85),
    )
    left = 1.15
    panel_axes = grid(figure, len(panels), across, left=left, below=0.5, between=0.1)
    tables = [_table(cell, rows, columns) for cell in panels.values()]
    together = np.concatenate([table.ravel() for table in tables])
    low, high = float(np.nanmin(together)), float(np.nanmax(together))
    for index, (axes, name, table) in enumerate(zip(panel_axes, panels, tables, strict=True)):
        _heat(axes, table, low, high, metric, together.size <= MOST_NUMBERS)
        heading(axes, name)
        room = inches_wide(axes) / len(columns) - 0.06
        plain: dict[str, Any] = {"parse_math": False}
        axes.set_xticks(range(len(columns)), [cut(show(v), room) for v in columns], **plain)
        names = [] if index % across else [cut(show(v), left - 0.1) for v in rows]
        axes.set_yticks(range(len(rows)), names or [""] * len(rows), **plain)
        axes.set_xlabel(cut(_words(columns_key), inches_wide(axes)), **plain)
    return {"heat_map": figure}


def _words(key: str) -> str:
    return short(key).replace("_", " ")


def _order(value: Any) -> tuple[Any, ...]:
    """Return what to sort an axis by: numbers by size, lists by length, then the rest."""
    if isinstance(value, (int, float)):
        return 0, value
    if isinstance(value, list) and all(isinstance(part, (int, float)) for part in value):
        return 1, len(value), *value
    return 2, show(value)


def _table(
    cells: dict[tuple[str, str], list[Setting]],
    rows: list[Any],
    columns: list[Any],
) -> Array:
    table = np.full((len(rows), len(columns)), np.nan)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            found = cells.get((repr(row), repr(column)))
            if found:
                table[i, j] = np.mean([setting.score.centre for setting in found])
    return table


def _heat(axes: Axes, table: Array, low: float, high: float, metric: str, numbered: bool) -> None:
    """Draw the cells with their numbers; the best of each row is framed."""
    better = higher_is_better(metric)
    axes.imshow(
        table,
        cmap="cividis" if better else "cividis_r",
        vmin=low,
        vmax=high if high > low else low + 1,
        aspect="auto",
    )
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    readable = numbered and inches_wide(axes) / table.shape[1] > 0.36
    for (i, j), value in np.ndenumerate(table):
        if not math.isfinite(value):
            continue
        share = (value - low) / (high - low) if high > low else 0.5
        bright = share > 0.55 if better else share < 0.45
        if readable:
            text = score(float(value), metric).removesuffix("%")
            axes.text(
                j,
                i,
                text,
                ha="center",
                va="center",
                fontsize=SMALL - 1,
                color=INK if bright else "white",
            )
    for i, row in enumerate(table):
        if np.isfinite(row).any():
            j = int(np.nanargmax(row) if better else np.nanargmin(row))
            axes.plot(
                [j - 0.46, j + 0.46, j + 0.46, j - 0.46, j - 0.46],
                [i - 0.44, i - 0.44, i + 0.44, i + 0.44, i - 0.44],
                color="#d55e00",
                lw=1.6,
            )


def budget(comparison: Comparison) -> dict[str, Picture]:
    """Draw the score to expect from the best of k trials, chosen by validation data."""
    tuned = [arm for arm in comparison.arms if len(arm.trials) >= 3]
    if not tuned:
        return {}
    panels: dict[str, list[Line]] = {}
    for arm in tuned:
        scores = [trial.score.centre for trial in arm.trials]
        y = expected_best(scores, [trial.validation for trial in arm.trials])
        x = np.arange(1, len(y) + 1, dtype=float)
        nothing = np.full(len(y), np.nan)
        panels.setdefault(arm.task, []).append(
            Line(arm.name, arm.activation, x, y, nothing, nothing)
        )
    most = max(len(arm.trials) for arm in tuned)
    scale, outside = scale_of_lines(comparison.metric, panels)
    set_both = _dresser(scale, [float(k) for k in range(1, most + 1)])

    def dress(axes: Axes) -> None:
        set_both(axes)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))

    return line_pictures(
        comparison,
        "budget",
        "What tuning buys",
        [
            f"expected {metric_name(comparison.metric)} of the best of k trials, drawn without "
            "replacement and chosen by validation data",
            outside,
        ],
        panels,
        dress,
        "trials",
        metric_name(comparison.metric),
    )
