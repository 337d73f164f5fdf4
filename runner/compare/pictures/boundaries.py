"""boundaries: the networks' predictions over the plane, settings and replicates side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from runner.compare.comparison import Comparison
from runner.compare.pictures.layout import file_names, left_out, name_rows, page, widest
from runner.compare.pictures.mosaic import Fields, page_axes
from runner.compare.scores import Arm, direction
from runner.compare.wording import metric_name, score
from runner.plots.colours import GREY
from runner.plots.style import MARGIN, SMALL, WIDTH, Picture, cut

MOST_ARMS, MOST_TASKS, MOST_REPLICATES = 16, 6, 8
COARSE, FINE, FEW_SQUARES = 60, 120, 12
"""Points along a side of a field: more if the squares are few and large."""
MOST_SPARSE_COLUMNS = 3
"""Where the tasks share few settings, so that each square has a name of its own."""
MOST_SIDE = 3.7
"""Inches of a square."""
MOST_WORST_ROWS, MOST_WORST_PANELS, MOST_MEDIANS = 12, 100, 40


def boundaries(comparison: Comparison) -> dict[str, Picture]:
    """Draw the median replicate of each setting and task, and per task all replicates.

    Only for data with two features. A run whose weights cannot be read leaves a gap.
    """
    tasks = comparison.tasks[:MOST_TASKS]
    groups = {task: comparison.of_task(task)[:MOST_ARMS] for task in tasks}
    while len(groups) > 1 and sum(map(len, groups.values())) > MOST_MEDIANS:
        groups.popitem()
    squares = sum(map(len, groups.values()))
    resolution = FINE if squares <= FEW_SQUARES else COARSE
    fields = {task: Fields(group, resolution) for task, group in groups.items()}
    groups = {task: group for task, group in groups.items() if fields[task].part}
    if not groups:
        return {}
    result = _medians(comparison, groups, fields)
    panels, files = 0, file_names(groups)
    for task, group in groups.items():
        shown = group[:MOST_WORST_ROWS]
        panels += sum(min(len(arm.setting.replicates), MOST_REPLICATES) for arm in shown)
        if all(len(arm.setting.replicates) == 1 for arm in shown):
            continue
        if panels > MOST_WORST_PANELS and len(result) > 1:
            break
        suffix = "" if len(groups) == 1 else f"_{files[task]}"
        result[f"worst_first{suffix}"] = _worst_first(comparison, task, shown, fields[task])
    return result


def _ranked(arm: Arm, metric: str) -> list[int]:
    """Return the rows of an arm's replicates: diverged ones, then worst first."""
    values = direction(metric) * arm.setting.measured(metric)
    values = np.where(arm.setting.diverged | ~np.isfinite(values), -np.inf, values)
    return [int(k) for k in np.argsort(values, kind="stable")]


def _medians(
    comparison: Comparison, groups: dict[str, list[Arm]], fields: dict[str, Fields]
) -> dict[str, Picture]:
    names = list(dict.fromkeys(arm.name for group in groups.values() for arm in group))
    names = names[:MOST_ARMS]
    tasks = list(groups)
    shown = [(arm.name, task) for task in tasks for arm in groups[task] if arm.name in names]
    sparse = len(tasks) > 1 and 2 * len(shown) < len(names) * len(tasks)
    side: list[str] = []
    top: list[str] = []
    if sparse:
        across = _columns(len(shown), MOST_SPARSE_COLUMNS)
        places = {one: divmod(i, across) for i, one in enumerate(shown)}
    elif len(tasks) == 1:
        across = _columns(len(names))
        places = {(names[i], tasks[0]): divmod(i, across) for i in range(len(names))}
    elif len(names) <= 6:
        across, side, top = len(names), tasks, names
        places = {(n, t): (r, c) for r, t in enumerate(tasks) for c, n in enumerate(names)}
    else:
        across, side, top = len(tasks), names, tasks
        places = {(n, t): (r, c) for r, n in enumerate(names) for c, t in enumerate(tasks)}
    rows = 1 + max(row for row, _ in places.values())
    left = widest(side, 2.85) + 0.15 if side else 0.0
    cell = min((WIDTH - 2 * MARGIN - left) / across, max(14 / rows, 1.0), MOST_SIDE)
    pitch = cell + (0.4 if sparse else 0.0 if side else 0.24)
    dots = " or ".join(sorted({fields[task].part for task in groups}))
    every = {arm.name for task in tasks for arm in comparison.of_task(task)}
    figure = page(
        comparison,
        "Decision boundaries side by side",
        [
            f"the median replicate by {metric_name(comparison.metric)}; dots: {dots} samples",
            left_out(len(names), len(every), "settings"),
            left_out(len(tasks), len(comparison.tasks), "tasks"),
        ],
        (1.6 if side or sparse else 1.3) + rows * pitch,
    )
    name_rows(figure, side, figure.left + left - 0.08, figure.top - 0.25, pitch, left - 0.1)
    for column, text in enumerate(top):
        _title(figure, figure.left + left + column * cell, figure.top - 0.25, cell, text)
    axes = page_axes(figure)
    for task, group in groups.items():
        for arm in group:
            if (arm.name, task) not in places:
                continue
            row, column = places[arm.name, task]
            x = figure.left + left + column * cell
            y = figure.top - 0.25 - row * pitch
            order = _ranked(arm, comparison.metric)
            fine = [k for k in order if not arm.setting.diverged[k]]
            pick = fine[(len(fine) - 1) // 2] if fine else order[0]
            fields[task].draw(axes, arm, pick, x, y, cell - 0.08)
            value = score(float(arm.setting.measured(comparison.metric)[pick]), comparison.metric)
            if not side:
                _title(figure, x, y, cell, arm.name)
            if sparse:
                _title(figure, x, y + 0.15, cell, task)
            label = figure.words(x + 0.04, y - cell + 0.11, value, size=SMALL - 1)
            label.set_bbox({"facecolor": "white", "alpha": 0.85, "lw": 0, "pad": 1})
    return {"boundaries": figure}


def _columns(squares: int, most: int = 6) -> int:
    """Return a number of columns with which all rows of squares are full, or nearly so."""
    if squares <= 4:
        return min(squares, most)
    return min(range(min(4, most), most + 1), key=lambda n: (-squares % n, -n))


def _worst_first(
    comparison: Comparison, task: str, group: Sequence[Arm], fields: Fields
) -> Picture:
    names = [arm.name for arm in group]
    left = widest(names, 3.0) + 0.15
    most = min(max(len(arm.setting.replicates) for arm in group), MOST_REPLICATES)
    cell = min((WIDTH - 2 * MARGIN - left) / most, 1.5)
    pitch = cell + 0.46
    figure = page(
        comparison,
        f"Decision boundaries on {task}, the worst replicate first",
        [
            f"above a field: seed and {metric_name(comparison.metric)}",
            "below a row: the command that repeats its worst replicate",
            left_out(len(group), len(comparison.of_task(task)), "settings"),
            left_out(most, max(len(arm.setting.replicates) for arm in group), "replicates"),
        ],
        1.2 + len(group) * pitch,
    )
    axes = page_axes(figure)
    for row, arm in enumerate(group):
        y = figure.top - 0.18 - row * pitch
        order = _ranked(arm, comparison.metric)[:MOST_REPLICATES]
        for column, k in enumerate(order):
            x = figure.left + left + column * cell
            fields.draw(axes, arm, k, x, y, cell - 0.06)
            value = arm.setting.measured(comparison.metric)[k]
            lost = arm.setting.diverged[k]
            text = "diverged" if lost else score(float(value), comparison.metric)
            seed = f"{'seed ' if cell > 0.95 else ''}{arm.setting.seeds[k]}"
            _title(figure, x, y, cell, f"{seed}: {text}")
        words = cut(arm.name, left - 0.1)
        where = (figure.left + left - 0.08, y - cell / 2)
        figure.words(*where, words, size=SMALL, ha="right", va="center")
        figure.words(
            figure.left + left,
            y - cell - 0.02,
            _repeat(arm, order[0], figure.right - figure.left - left),
            va="top",
            color=GREY,
            family="monospace",
            size=6.5,
        )
    return figure


def repeat_line(arm: Arm, k: int) -> str:
    """Return the shell line that trains only replicate k of an arm."""
    own = ("seed=", "replicates=", "plots=", "hydra.run.dir=")
    words = arm.setting.owners[k][0].summary["command"].split(" ")
    words = [word for word in words if not word.startswith(own)]
    return " ".join([*words, f"seed={arm.setting.seeds[k]}", "replicates=1"])


def _repeat(arm: Arm, k: int, room: float) -> str:
    """Return the command that repeats replicate k, wrapped to two lines; if it is too long, its
    seed and folder."""
    letters = int(room / (6.5 * 0.61 / 72))
    lines = textwrap.wrap(repeat_line(arm, k), letters)
    if len(lines) > 2:
        folder = arm.setting.owners[k][0].path
        lines = textwrap.wrap(f"seed {arm.setting.seeds[k]} of {folder}", letters)[:2]
    return "\n".join(lines)


def _title(figure: Picture, x: float, y: float, room: float, text: str) -> None:
    figure.words(x, y + 0.04, cut(text, room), size=SMALL - 1, va="bottom")
