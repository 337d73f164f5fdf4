"""Pages, grids of panels and lines per arm: what the pictures of a comparison share."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from activations.base import Array
from runner.compare.comparison import Comparison
from runner.compare.scores import Arm, higher_is_better
from runner.compare.settings import short, show
from runner.plots.axes import beyond, linear_limits, log_limits, log_ticks
from runner.plots.style import (
    DASHES,
    INK,
    MOST_LETTERS,
    PALE,
    PALETTE,
    SMALL,
    Picture,
    colour,
    cut,
    end_labels,
    line_style,
    text_width,
)

TWO_SIDED = LinearSegmentedColormap.from_list("two_sided", [PALETTE[0], "#ffffff", PALETTE[1]])
"""White where neither class, or neither setting, has the better of the other."""

MOST_LINES = 8
MOST_BANDS = 4
MOST_TASKS = 9
MOST_ARMS = 40
MOST_PANELS, MOST_ESSENTIAL_PANELS = 36, 48
MOST_ROOM_BESIDE_THIRDS = 1.0
"""Inches for names beside three panels in a row; where names need more, there are two."""


def page(comparison: Comparison, title: str, notes: Sequence[str], height: float) -> Picture:
    """Return an empty picture: what was compared above, how to repeat it below."""
    common = comparison.settings[0].config
    fixed = [
        f"{short(key)}={show(common[key])}"
        for key in ("dataset.name", "activation.name", "model.hidden", "optimizer.name")
        if key in common and key not in comparison.keys
    ]
    swept = [
        f"{short(key)} ({len({repr(s.config.get(key)) for s in comparison.settings})})"
        for key in comparison.keys
    ]
    subtitle = "  ".join([*fixed, *(["swept: " + ", ".join(swept)] if swept else [])])
    note = ". ".join(note[:1].upper() + note[1:] for note in notes if note)
    return Picture(title, [subtitle, note], footer(comparison), height=height)


def footer(comparison: Comparison) -> str:
    """Return the line that repeats the comparison, and whose seeds it shows."""
    seeds = sorted({seed for s in comparison.settings for seed in s.seeds})
    span = f"seeds {seeds[0]}-{seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
    return f"{comparison.command}   ({len(comparison.runs)} runs, {span})"


def grid(
    figure: Picture,
    count: int,
    columns: int,
    *,
    left: float,
    below: float,
    between: float = 0.0,
    above: float = 0.26,
) -> list[Axes]:
    """Return axes in rows of ``columns``, each with so much room for its labels
    (inches)."""
    rows = -(-count // columns)
    width = (figure.right - figure.left) / columns
    height = (figure.top - figure.bottom) / rows
    panels = []
    for index in range(count):
        row, column = divmod(index, columns)
        x = figure.left + column * width
        y = figure.top - (row + 1) * height
        panels.append(figure.place(x + left, y + below, x + width - between, y + height - above))
    return panels


def heading(axes: Axes, text: str, shade: str = INK) -> None:
    """Write a panel's name above it, left-aligned; a dollar sign is a dollar sign."""
    axes.set_title(
        fitting(text, axes), loc="left", fontsize=SMALL, color=shade, parse_math=False, pad=4
    )


def fitting(text: str, axes: Axes) -> str:
    """Return the text, cut to the panel's width."""
    return cut(text, inches_wide(axes) + 0.1)


def inches_wide(axes: Axes) -> float:
    """Return how wide a panel is."""
    figure = axes.figure
    assert isinstance(figure, Figure)  # nothing here draws into a subfigure
    return float(axes.get_position().width * figure.get_size_inches()[0])


def inches_high(axes: Axes) -> float:
    """Return how high a panel is."""
    figure = axes.figure
    assert isinstance(figure, Figure)  # nothing here draws into a subfigure
    return float(axes.get_position().height * figure.get_size_inches()[1])


def widest(texts: Iterable[str], most: float) -> float:
    """Return how wide the widest text is, at most so many inches."""
    wide = (text_width(text[:MOST_LETTERS], SMALL) for text in texts)
    return min(max(wide, default=0.0), most)


def file_names(texts: Iterable[str]) -> dict[str, str]:
    """Return for each text a part of a file name that is its own: letters, digits, dots,
    dashes and underscores."""
    result: dict[str, str] = {}
    for text in texts:
        name = re.sub(r"[^\w.]+", "-", text, flags=re.ASCII).strip("-.")[:60] or "task"
        several = (f"{name}_{number}" for number in itertools.count(2))
        taken = set(result.values())
        result[text] = next(n for n in itertools.chain([name], several) if n not in taken)
    return result


def looks(named: Iterable[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """Return colour and dash by name, given (name, activation); an activation keeps its
    own wherever it can.

    Several names of one activation share its colour and differ by dash; where all have
    the same activation, colours tell them apart.
    """
    by_name = dict(named)
    activations = list(by_name.values())
    if len(set(activations)) == len(activations):
        return {name: line_style(activation) for name, activation in by_name.items()}
    result: dict[str, dict[str, Any]] = {}
    met: dict[str, int] = {}
    for place, (name, activation) in enumerate(sorted(by_name.items())):
        if len(set(activations)) == 1:
            dash, shade = divmod(place, len(PALETTE))
            look = {"color": PALETTE[shade], "linestyle": DASHES[dash % len(DASHES)]}
        else:
            turn = met.setdefault(activation, 0)
            met[activation] += 1
            look = {"color": colour(activation), "linestyle": DASHES[turn % len(DASHES)]}
        result[name] = look
    return result


@dataclass
class Line:
    """One arm's line in a panel; ``low`` and ``high`` bound its band."""

    name: str
    activation: str
    x: Array
    y: Array
    low: Array
    high: Array
    ringed: list[int] = field(default_factory=list)
    steps: bool = False


def line_pictures(
    comparison: Comparison,
    name: str,
    title: str,
    notes: Sequence[str],
    panels: dict[str, list[Line]],
    dress: Callable[[Axes], None],
    x_label: str,
    y_label: str,
    labels_at_ends: bool = True,
    essential: bool = False,
) -> dict[str, Picture]:
    """Draw lines per arm: one panel per task, or per arm where there are too many
    lines.

    ``panels`` holds each task's lines; ``dress`` sets the scales of an axes, before the
    lines are drawn. With more than MOST_LINES lines each task has a picture of its own
    with a panel per arm, the others in grey behind; what is not ``essential`` then
    stops at MOST_PANELS panels.
    """
    panels = {task: lines for task, lines in list(panels.items())[:MOST_TASKS] if lines}
    if not panels:
        return {}
    look = looks((x.name, x.activation) for lines in panels.values() for x in lines)
    most = max(len(lines) for lines in panels.values())
    if most <= MOST_LINES:
        names = [line.name for lines in panels.values() for line in lines]
        room = (0.3 if labels_at_ends else 0.45) + widest(names, 1.75)
        columns = min(len(panels), 2 if len(panels) < 5 or room > MOST_ROOM_BESIDE_THIRDS else 3)
        rows = -(-len(panels) // columns)
        height = 1.3 + max(3.4 if columns == 1 else 2.5, 0.21 * most + 0.9) * rows
        figure = page(comparison, title, notes, height)
        axes = grid(figure, len(panels), columns, left=0.68, below=0.46, between=room)
        for index, (panel, (task, lines)) in enumerate(zip(axes, panels.items(), strict=True)):
            dress(panel)
            _lines(panel, lines, look)
            if len(panels) > 1 or comparison.tasks != [task]:
                heading(panel, task)
            if index >= len(panels) - columns:
                panel.set_xlabel(x_label, parse_math=False)
            if index % columns == 0:
                panel.set_ylabel(y_label)
        _share_limits(axes)
        for panel, lines in zip(axes, panels.values(), strict=True):
            if labels_at_ends:
                _end_labels(panel, lines, look, room - 0.2)
            else:
                _legend(panel, lines, look, room - 0.35)
        return {name: figure}
    result = {}
    several = len(panels) > 1
    whole = max(1, (MOST_ESSENTIAL_PANELS if essential else MOST_PANELS) // most)
    if len(panels) > whole:
        panels = dict(list(panels.items())[:whole])
        notes = [*notes, f"drawn for {whole} of the tasks, all curves are in index.html"]
    files = file_names(panels)
    for task, lines in panels.items():
        shown = lines[:MOST_ARMS]
        columns = 4
        rows = -(-len(shown) // columns)
        label = f"{title}, {task}" if several else title
        figure = page(comparison, label, notes, 1.5 + 1.45 * rows)
        axes = grid(figure, len(shown), columns, left=0.62, below=0.34, between=0.0)
        # One artist for all grey lines: a picture has hundreds of them.
        paths = [_path(line) for line in shown]
        for index, (panel, line) in enumerate(zip(axes, shown, strict=True)):
            dress(panel)
            panel.add_collection(
                LineCollection(paths, colors=PALE, linewidths=0.7, zorder=1), autolim=False
            )
            _lines(panel, [line], look)
            heading(panel, line.name, look[line.name]["color"])
            # Ticks are most of the time that a panel takes: only the outer ones have any.
            if index >= len(shown) - columns:
                panel.set_xlabel(x_label, parse_math=False)
            else:
                panel.xaxis.set_visible(False)
            if index % columns:
                panel.yaxis.set_visible(False)
            else:
                panel.set_ylabel(y_label)
        _share_limits(axes)
        suffix = f"_{files[task]}" if several else ""
        result[name + suffix] = figure
    return result


def _path(line: Line) -> Array:
    """The line's points, (n, 2); steps have their corners."""
    x, y = line.x, line.y
    if line.steps:
        x, y = np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
    return np.stack([x, y], axis=1)


def _lines(axes: Axes, lines: Sequence[Line], look: dict[str, dict[str, Any]]) -> None:
    for line in lines:
        how = look[line.name]
        draw_style = "steps-post" if line.steps else "default"
        axes.plot(line.x, line.y, **how, drawstyle=draw_style, zorder=3, lw=1.8)
        known = np.isfinite(line.low) & np.isfinite(line.high)
        if known.any() and len(lines) <= MOST_BANDS:
            axes.fill_between(
                line.x,
                np.where(known, line.low, line.y),
                np.where(known, line.high, line.y),
                step="post" if line.steps else None,
                color=how["color"],
                alpha=0.16,
                linewidth=0,
            )
        elif known.any():
            last = np.flatnonzero(known)[-1:]
            axes.vlines(line.x[last], line.low[last], line.high[last], color=how["color"])
        if line.ringed:
            axes.plot(
                line.x[line.ringed],
                line.y[line.ringed],
                "o",
                ms=8,
                mfc="none",
                mec=how["color"],
                mew=1.6,
                zorder=4,
            )


def _end_labels(
    axes: Axes, lines: Sequence[Line], look: dict[str, dict[str, Any]], room: float
) -> None:
    low, high = axes.get_ylim()
    right = axes.get_xlim()[1]
    entries = []
    for line in lines:
        there = np.flatnonzero(np.isfinite(line.y))
        if there.size:
            x, y = float(line.x[there[-1]]), float(line.y[there[-1]])
            name, shade = cut(line.name, room), look[line.name]["color"]
            entries.append((min(x, right), min(max(y, low), high), name, shade))
    end_labels(axes, entries)


def _legend(
    axes: Axes, lines: Sequence[Line], look: dict[str, dict[str, Any]], room: float
) -> None:
    """List the lines beside the panel, in their order: for lines that all end alike."""
    step = 0.17 / inches_high(axes)
    for place, line in enumerate(lines):
        y, how = 1 - step * (place + 0.5), look[line.name]
        where = {"transform": axes.transAxes, "color": how["color"]}
        x = np.array([0.05, 0.25]) / inches_wide(axes) + 1
        axes.plot(x, [y, y], lw=1.8, ls=how["linestyle"], clip_on=False, **where)
        x_text = 1 + 0.31 / inches_wide(axes)
        axes.text(
            x_text,
            y,
            cut(line.name, room),
            fontsize=SMALL,
            va="center_baseline",
            parse_math=False,
            **where,
        )


def percent(axis: Axis) -> None:
    """Label an axis of shares in percent, with as few decimals as needed."""
    axis.set_major_formatter(lambda value, _: f"{round(100 * value, 6):g}%")


@dataclass(frozen=True)
class Scale:
    """The scale of scores on an axis: losses logarithmic, accuracies to 100%."""

    limits: tuple[float, float]
    accuracy: bool

    @classmethod
    def of(cls, metric: str, lines: Array, bands: Array) -> Scale:
        if higher_is_better(metric):
            return cls(linear_limits(np.concatenate([lines, bands]), -0.005, 1.005), True)
        return cls(log_limits(lines, bands) or (0.0, 1.0), False)

    def set(self, axis: Axis) -> None:
        """Give an axis these limits, and ticks that suit them."""
        axes = axis.axes
        x = axis is axes.xaxis
        if self.accuracy:
            percent(axis)
        elif self.limits[0] > 0:
            (axes.set_xscale if x else axes.set_yscale)("log")
            log_ticks(axis, *self.limits)
        (axes.set_xlim if x else axes.set_ylim)(*self.limits)


def scale_of_lines(metric: str, panels: dict[str, list[Line]]) -> tuple[Scale, str]:
    """Return the scale that ``line_pictures`` needs for these lines, and a note on what lies
    beyond it."""
    every = [line for lines in panels.values() for line in lines]
    apart = max(len(lines) for lines in panels.values()) > MOST_LINES
    ends = [np.empty(0)]
    for lines in panels.values():
        for line in lines:
            known = np.flatnonzero(np.isfinite(line.low) & np.isfinite(line.high))
            shown = known if apart or len(lines) <= MOST_BANDS else known[-1:]
            ends += [line.low[shown], line.high[shown]]
    centres, bands = np.concatenate([line.y for line in every]), np.concatenate(ends)
    scale = Scale.of(metric, centres, bands)
    return scale, beyond([(scale.limits, np.concatenate([centres, bands]))])


def _share_limits(panels: Sequence[Axes]) -> None:
    """Give all panels the same scales, so that heights can be compared across them."""
    lows, highs = zip(*(panel.get_ylim() for panel in panels), strict=True)
    for panel in panels:
        panel.set_ylim(min(lows), max(highs))


def replicate_note(arms: Sequence[Arm], statistic: str) -> str:
    """Return the statistic and how many replicates it is of, failures named."""
    counts = sorted({arm.scores.size for arm in arms})
    lost = sum(int(arm.setting.diverged.sum()) for arm in arms)
    n = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    text = f"{statistic}, {n} replicate{'' if n == '1' else 's'}"
    return f"{text}; {lost} diverged" if lost else text
