"""Lines of scores or shares: a panel per task, or a panel per setting where there are many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection

from activations.base import Array
from runner.compare.comparison import Comparison
from runner.compare.pictures.layout import (
    MOST_ARMS,
    MOST_TASKS,
    file_names,
    grid,
    heading,
    page,
    widest,
)
from runner.compare.scores import higher_is_better
from runner.plots.axes import (
    beyond,
    draw_band,
    end_labels,
    inches,
    linear_limits,
    log_limits,
    log_ticks,
    percent,
)
from runner.plots.colours import DASHES, PALE, PALETTE, colour, line_style
from runner.plots.style import SMALL, Picture, cut

Looks = dict[str, dict[str, Any]]
"""Colour and dash by a setting's name."""

MOST_LINES = 8
MOST_BANDS = 4
MOST_PANELS, MOST_ESSENTIAL_PANELS = 36, 48
MOST_ROOM_BESIDE_THIRDS = 1.0
"""Inches for names beside three panels in a row; where names need more, there are two."""


@dataclass
class Line:
    """A setting's line in a panel; ``low`` and ``high`` bound its band, NaN where it has none."""

    name: str
    activation: str
    x: Array
    y: Array
    low: Any = np.nan
    high: Any = np.nan
    ringed: list[int] = field(default_factory=list)
    steps: bool = False

    def __post_init__(self) -> None:
        self.low, self.high = (np.broadcast_to(end, self.y.shape) for end in (self.low, self.high))

    @property
    def banded(self) -> Array:
        """Where the line has a band."""
        return np.isfinite(self.low) & np.isfinite(self.high)

    @property
    def path(self) -> Array:
        """The points, (n, 2); steps have their corners."""
        x, y = self.x, self.y
        if self.steps:
            x, y = np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
        return np.stack([x, y], axis=1)


@dataclass(frozen=True)
class LinePicture:
    """What a picture of lines shows.

    Attributes:
        name, title, notes: its file, and the words above it.
        panels: each task's lines.
        dress: sets the scales of an axes, before the lines are drawn.
        labels_at_ends: name the lines where they end; otherwise in a list beside them.
        essential: allow for more panels.
    """

    name: str
    title: str
    notes: Sequence[str]
    panels: dict[str, list[Line]]
    dress: Callable[[Axes], None]
    x_label: str
    y_label: str
    labels_at_ends: bool = True
    essential: bool = False

    def draw(self, comparison: Comparison) -> dict[str, Picture]:
        """Return one picture with a panel per task. With more than MOST_LINES lines each task
        has a picture of its own with a panel per line, the others in grey behind."""
        panels = {task: lines for task, lines in list(self.panels.items())[:MOST_TASKS] if lines}
        if not panels:
            return {}
        look = looks((x.name, x.activation) for lines in panels.values() for x in lines)
        most = max(len(lines) for lines in panels.values())
        if most <= MOST_LINES:
            return {self.name: self._together(comparison, panels, look)}
        whole = max(1, (MOST_ESSENTIAL_PANELS if self.essential else MOST_PANELS) // most)
        notes = list(self.notes)
        if len(panels) > whole:
            notes.append(f"drawn for {whole} of the tasks, all curves are in index.html")
        files = file_names(panels)
        result = {}
        for task, lines in list(panels.items())[:whole]:
            suffix, of = (f"_{files[task]}", f", {task}") if len(panels) > 1 else ("", "")
            figure = self._apart(comparison, f"{self.title}{of}", notes, lines, look)
            result[self.name + suffix] = figure
        return result

    def _together(
        self, comparison: Comparison, panels: dict[str, list[Line]], look: Looks
    ) -> Picture:
        names = [line.name for lines in panels.values() for line in lines]
        most = max(len(lines) for lines in panels.values())
        room = (0.3 if self.labels_at_ends else 0.45) + widest(names, 1.75)
        columns = min(len(panels), 2 if len(panels) < 5 or room > MOST_ROOM_BESIDE_THIRDS else 3)
        rows = -(-len(panels) // columns)
        height = 1.3 + max(3.4 if columns == 1 else 2.5, 0.21 * most + 0.9) * rows
        figure = page(comparison, self.title, self.notes, height)
        axes = grid(figure, len(panels), columns, left=0.68, below=0.46, between=room)
        for index, (panel, (task, lines)) in enumerate(zip(axes, panels.items(), strict=True)):
            self.dress(panel)
            _draw(panel, lines, look)
            if len(panels) > 1 or comparison.tasks != [task]:
                heading(panel, task)
            if index >= len(panels) - columns:
                panel.set_xlabel(self.x_label, parse_math=False)
            if index % columns == 0:
                panel.set_ylabel(self.y_label)
        _share_limits(axes)
        for panel, lines in zip(axes, panels.values(), strict=True):
            if self.labels_at_ends:
                _end_labels(panel, lines, look, room - 0.2)
            else:
                _legend(panel, lines, look, room - 0.35)
        return figure

    def _apart(
        self,
        comparison: Comparison,
        title: str,
        notes: Sequence[str],
        lines: Sequence[Line],
        look: Looks,
    ) -> Picture:
        lines, columns = lines[:MOST_ARMS], 4
        figure = page(comparison, title, notes, 1.5 + 1.45 * -(-len(lines) // columns))
        axes = grid(figure, len(lines), columns, left=0.62, below=0.34)
        # One artist for all grey lines: a picture has hundreds of them.
        paths = [line.path for line in lines]
        for index, (panel, line) in enumerate(zip(axes, lines, strict=True)):
            self.dress(panel)
            grey = LineCollection(paths, colors=PALE, linewidths=0.7, zorder=1)
            panel.add_collection(grey, autolim=False)
            _draw(panel, [line], look)
            heading(panel, line.name, look[line.name]["color"])
            # Ticks are most of the time that a panel takes: only the outer ones have any.
            panel.xaxis.set_visible(index >= len(lines) - columns)
            panel.yaxis.set_visible(index % columns == 0)
            panel.set_xlabel(self.x_label, parse_math=False)
            panel.set_ylabel(self.y_label)
        _share_limits(axes)
        return figure


def looks(named: Iterable[tuple[str, str]]) -> Looks:
    """Return colour and dash by name, given (name, activation); an activation keeps its
    own wherever it can.

    Several names of one activation share its colour and differ by dash; where all have
    the same activation, colours tell them apart.
    """
    by_name = dict(named)
    activations = list(by_name.values())
    if len(set(activations)) == len(activations):
        return {name: line_style(activation) for name, activation in by_name.items()}
    result: Looks = {}
    met: dict[str, int] = {}
    for place, (name, activation) in enumerate(sorted(by_name.items())):
        if len(set(activations)) == 1:
            dash, index = divmod(place, len(PALETTE))
            shade = PALETTE[index]
        else:
            dash, shade = met.get(activation, 0), colour(activation)
            met[activation] = dash + 1
        result[name] = {"color": shade, "linestyle": DASHES[dash % len(DASHES)]}
    return result


def _draw(axes: Axes, lines: Sequence[Line], look: Looks) -> None:
    for line in lines:
        how, known = look[line.name], line.banded
        axes.plot(*line.path.T, **how, zorder=3, lw=1.8)
        if known.any() and len(lines) <= MOST_BANDS:
            low, high = np.where(known, line.low, line.y), np.where(known, line.high, line.y)
            step = "post" if line.steps else None
            draw_band(axes, line.x, low, high, how["color"], step=step)
        elif known.any():
            last = np.flatnonzero(known)[-1:]
            axes.vlines(line.x[last], line.low[last], line.high[last], color=how["color"])
        if line.ringed:
            x, y = line.x[line.ringed], line.y[line.ringed]
            axes.plot(x, y, "o", ms=8, mfc="none", mec=how["color"], mew=1.6, zorder=4)


def _end_labels(axes: Axes, lines: Sequence[Line], look: Looks, room: float) -> None:
    right = axes.get_xlim()[1]
    entries = []
    for line in lines:
        there = np.flatnonzero(np.isfinite(line.y))
        if there.size:
            x, y = min(line.x[there[-1]], right), np.clip(line.y[there[-1]], *axes.get_ylim())
            entries.append((x, y, cut(line.name, room), look[line.name]["color"]))
    end_labels(axes, entries)


def _legend(axes: Axes, lines: Sequence[Line], look: Looks, room: float) -> None:
    """List the lines beside the panel, in their order: for lines that all end alike."""
    wide, high = inches(axes)
    where: dict[str, Any] = {"transform": axes.transAxes}
    for place, line in enumerate(lines):
        y, how = 1 - 0.17 * (place + 0.5) / high, look[line.name]
        axes.plot([1 + 0.05 / wide, 1 + 0.25 / wide], [y, y], **how, clip_on=False, **where)
        text = axes.text(1 + 0.31 / wide, y, cut(line.name, room), color=how["color"], **where)
        text.set(fontsize=SMALL, va="center_baseline", parse_math=False)


def _share_limits(panels: Sequence[Axes]) -> None:
    """Give all panels the same scales, so that heights can be compared across them."""
    lows, highs = zip(*(panel.get_ylim() for panel in panels), strict=True)
    for panel in panels:
        panel.set_ylim(min(lows), max(highs))


def share_axis(axes: Axes) -> None:
    """Let a vertical axis show shares, from none to all."""
    axes.set_ylim(-0.02, 1.02)
    percent(axes.yaxis)


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
    """Return the scale that a picture needs for these lines, and a note on what lies beyond."""
    every = [line for lines in panels.values() for line in lines]
    apart = max(len(lines) for lines in panels.values()) > MOST_LINES
    ends = [np.empty(0)]
    for lines in panels.values():
        for line in lines:
            known = np.flatnonzero(line.banded)
            shown = known if apart or len(lines) <= MOST_BANDS else known[-1:]
            ends += [line.low[shown], line.high[shown]]
    centres, bands = np.concatenate([line.y for line in every]), np.concatenate(ends)
    scale = Scale.of(metric, centres, bands)
    return scale, beyond([(scale.limits, np.concatenate([centres, bands]))])
