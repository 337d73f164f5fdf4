"""Pages, grids of panels and tables: what the pictures of a comparison share."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from activations.base import Array
from runner.compare.comparison import Comparison
from runner.compare.scores import Arm
from runner.compare.settings import short, show
from runner.plots.axes import inches
from runner.plots.colours import INK, PALE
from runner.plots.style import MOST_LETTERS, SMALL, Picture, cut, text_width

MOST_TASKS, MOST_ARMS = 9, 40


def page(comparison: Comparison, title: str, notes: Sequence[str], height: float) -> Picture:
    """Return an empty picture with the compared settings above and the command below."""
    common = comparison.settings[0].config
    fixed = [
        f"{short(key)}={show(common[key])}"
        for key in ("dataset.name", "activation.name", "model.hidden", "optimizer.name")
        if key in common and key not in comparison.keys
    ]
    varied: list[str] = []
    for key in comparison.keys:
        count = len({repr(setting.config.get(key)) for setting in comparison.settings})
        varied.append(f"{short(key)} ({count}{'' if varied else ' values'})")
    subtitle = "  ".join([*fixed, *(["varied: " + ", ".join(varied)] if varied else [])])
    seeds = sorted({seed for setting in comparison.settings for seed in setting.seeds})
    span = f"seeds {seeds[0]}-{seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
    footer = f"{comparison.command}   ({len(comparison.runs)} runs, {span})"
    return Picture(title, subtitle, notes, footer, height)


def replicate_note(arms: Sequence[Arm], statistic: str) -> str:
    """Return the statistic, its number of replicates, and how many diverged."""
    counts = sorted({arm.scores.size for arm in arms})
    lost = sum(int(arm.setting.diverged.sum()) for arm in arms)
    n = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    if n == "1":
        text = "one replicate, no interval"
    else:
        text = f"{statistic}, {n} replicates"
    return f"{text}; {lost} diverged" if lost else text


def left_out(shown: int, total: int, noun: str) -> str:
    """Return "the first 12 of 20 settings", or nothing if all are shown."""
    return f"the first {shown} of {total} {noun}" if shown < total else ""


def file_names(texts: Iterable[str]) -> dict[str, str]:
    """Return a unique part of a file name for each text: letters, digits, dots, dashes and
    underscores."""
    result: dict[str, str] = {}
    for text in texts:
        name = re.sub(r"[^\w.]+", "-", text, flags=re.ASCII).strip("-.")[:60] or "task"
        several = (f"{name}_{number}" for number in itertools.count(2))
        taken = set(result.values())
        result[text] = next(n for n in itertools.chain([name], several) if n not in taken)
    return result


def widest(texts: Iterable[str], most: float) -> float:
    """Return how wide the widest text is, at most so many inches."""
    wide = (text_width(text[:MOST_LETTERS], SMALL) for text in texts)
    return min(max(wide, default=0.0), most)


def grid(
    figure: Picture, count: int, columns: int, *, left: float, below: float, between: float = 0.0
) -> list[Axes]:
    """Return axes in rows of ``columns``, each with room for its labels (inches)."""
    rows = -(-count // columns)
    width = (figure.right - figure.left) / columns
    height = (figure.top - figure.bottom) / rows
    panels = []
    for index in range(count):
        row, column = divmod(index, columns)
        x = figure.left + column * width
        y = figure.top - (row + 1) * height
        panels.append(figure.place(x + left, y + below, x + width - between, y + height - 0.26))
    return panels


def heading(axes: Axes, text: str, shade: str = INK) -> None:
    """Write a panel's name above it, left-aligned; $ does not start a formula."""
    text = cut(text, inches(axes)[0] + 0.1)
    axes.set_title(text, loc="left", fontsize=SMALL, color=shade, parse_math=False, pad=4)


def name_rows(
    figure: Picture,
    names: Sequence[str],
    x: float,
    top: float,
    height: float,
    room: float,
    ha: str = "right",
) -> None:
    """Write names one below the other, right- or left-aligned at x, cut to ``room`` (inches)."""
    for row, name in enumerate(names):
        y = top - (row + 0.5) * height
        figure.words(x, y, cut(name, room), ha=ha, va="center")


def table(
    axes: Axes,
    values: Array,
    words: Callable[[float], str],
    room: float = 0.0,
    **colours: Any,
) -> None:
    """Draw a table's cells as colours, with the known numbers in them if cells are at least
    ``room`` inches wide."""
    axes.set_facecolor(PALE)  # for unknown cells
    image = axes.imshow(np.ma.masked_invalid(values), aspect="auto", **colours)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    if inches(axes)[0] / values.shape[1] < room:
        return
    bright = image.to_rgba(values)[..., :3] @ (0.3, 0.59, 0.11) > 0.5
    how: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL - 1}
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            ink = INK if bright[row, column] else "white"
            axes.text(column, row, words(float(value)), color=ink, **how)


def frame(axes: Axes, row: int, column: int, shade: str) -> None:
    """Frame a cell of a table."""
    corner = column - 0.46, row - 0.44
    axes.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, ec=shade, lw=1.4))
