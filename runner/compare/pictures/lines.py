"""Lines of scores or shares: a panel per task, or per setting if there are many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection
from matplotlib.transforms import ScaledTranslation

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
from runner.plots.colours import DASHES, PALE, PALETTE, distinct_styles
from runner.plots.style import SMALL, Picture, cut

Looks = dict[str, dict[str, Any]]
"""Colour and dash by a setting's name."""

MOST_LINES = 8
MOST_BANDS = 4
MARKERS = "os^Dv"
"""One for each dash pattern."""
MOST_PANELS, MOST_ESSENTIAL_PANELS = 36, 48
WIDE, NEAR, LEAST_ERROR = 0.15, 0.05, 2e-3
"""Accuracies that span at least WIDE, with a median error of at most NEAR, have a logarithmic scale
of the error, which is about linear below LEAST_ERROR."""
MOST_ROOM_BESIDE_THIRDS, MOST_ROOM_BESIDE_HALVES, MOST_ROOM = 1.0, 1.8, 3.2
"""Inches for names beside three, two and one panels in a row."""
FEW_PANELS = 4
"""Up to so many panels may stand below each other if names are long."""


@dataclass
class Line:
    """A setting's line in a panel; ``low`` and ``high`` bound its band, NaN without one.

    If there are few points, each is ``marked`` and has its own interval.
    """

    name: str
    activation: str
    x: Array
    y: Array
    low: Any = np.nan
    high: Any = np.nan
    ringed: list[int] = field(default_factory=list)
    steps: bool = False
    marked: bool = False

    def __post_init__(self) -> None:
        self.low, self.high = (np.broadcast_to(end, self.y.shape) for end in (self.low, self.high))

    @property
    def banded(self) -> Array:
        """A mask of the points with a band."""
        return np.isfinite(self.low) & np.isfinite(self.high)

    def places(self, place: int, of: int) -> Array:
        """Return the points at which to draw a few intervals, different for each of the lines."""
        shares = (np.arange(5) + (place + 0.5) / of) / 5
        x = self.x[0] + shares * (self.x[-1] - self.x[0])
        return np.searchsorted(self.x, x, "right") - 1

    @property
    def median(self) -> tuple[float, float]:
        """Where the ends of the band reach one half: at the last point if they do not."""
        first, last = (
            float(np.append(self.x, self.x[-1])[np.searchsorted(end, 0.5)])
            for end in (self.high, self.low)
        )
        return first, last

    @property
    def path(self) -> Array:
        """The points, (n, 2); steps have their corners."""
        x, y = self.x, self.y
        if self.steps:
            x, y = np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
        return np.stack([x, y], axis=1)


@dataclass(frozen=True)
class LinePicture:
    """A picture of lines.

    Attributes:
        name, title, notes: its file name and the words above it.
        panels: each task's lines.
        dress: sets the scales of an axes before the lines are drawn.
        labels_at_ends: whether names stand at the ends of lines or in a list beside them.
        essential: whether it may have more panels than other pictures.
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
        """Return one picture with a panel per task; with more than MOST_LINES lines, a picture per
        task with a panel per line and the other lines in grey."""
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
        room = (0.3 if self.labels_at_ends else 0.45) + widest(names, MOST_ROOM)
        columns = min(len(panels), 2 if len(panels) < 5 or room > MOST_ROOM_BESIDE_THIRDS else 3)
        if room > MOST_ROOM_BESIDE_HALVES and len(panels) <= FEW_PANELS:
            columns = 1
        room = min(room, MOST_ROOM_BESIDE_HALVES + 0.25) if columns > 1 else room
        rows = -(-len(panels) // columns)
        height = 1.3 + max(3.4 if len(panels) == 1 else 2.5, 0.21 * most + 0.9) * rows
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
                _end_labels(panel, lines, look, room - 0.25)
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
            # Ticks take most of a panel's time, so only the outer panels have them.
            panel.xaxis.set_visible(index >= len(lines) - columns)
            panel.yaxis.set_visible(index % columns == 0)
            panel.set_xlabel(self.x_label, parse_math=False)
            panel.set_ylabel(self.y_label)
        _share_limits(axes)
        return figure


def looks(named: Iterable[tuple[str, str]]) -> Looks:
    """Return colour and dash by name, given (name, activation).

    An activation keeps its own style if it can (see ``distinct_styles``). Several names of one
    activation share its colour and differ by dash; if all have the same activation, by colour.
    """
    by_name = dict(named)
    activations = list(by_name.values())
    own = distinct_styles(activations)
    if len(set(activations)) == len(activations):
        return {name: own[activation] for name, activation in by_name.items()}
    result: Looks = {}
    met: dict[str, int] = {}
    for place, (name, activation) in enumerate(sorted(by_name.items())):
        if len(set(activations)) == 1:
            dash, index = divmod(place, len(PALETTE))
            shade = PALETTE[index]
        else:
            dash, shade = met.get(activation, 0), own[activation]["color"]
            met[activation] = dash + 1
        result[name] = {"color": shade, "linestyle": DASHES[dash % len(DASHES)]}
    return result


def _draw(axes: Axes, lines: Sequence[Line], look: Looks) -> None:
    """Draw lines with bands; where bands would hide each other, with a few small intervals, at
    different points for each line."""
    for place, line in enumerate(lines):
        how = look[line.name]
        shade = how["color"]
        step = min(3.0, 14 / len(lines)) if line.marked else 0.0
        aside = step * (place - (len(lines) - 1) / 2)
        shift = ScaledTranslation(aside / 72, 0, axes.figure.dpi_scale_trans)
        where: dict[str, Any] = {"transform": axes.transData + shift}
        axes.plot(*line.path.T, **how, **where, zorder=3, lw=1.8)
        if line.marked:
            marker = MARKERS[DASHES.index(how["linestyle"]) % len(MARKERS)]
            axes.plot(line.x, line.y, marker, ms=4, color=shade, clip_on=False, zorder=4, **where)
        known = line.banded
        if len(lines) == 1 or (len(lines) <= MOST_BANDS and not line.marked and not line.steps):
            low, high = np.where(known, line.low, line.y), np.where(known, line.high, line.y)
            draw_band(axes, line.x, low, high, shade, step="post" if line.steps else None)
        elif line.steps:
            first, last = line.median
            if known.any() and (first > line.x[0] or last < line.x[-1]):
                y = 0.5 - 0.035 * (place - (len(lines) - 1) / 2)
                axes.hlines(y, first, last, color=shade, lw=1.2, zorder=2)
        else:
            at = np.arange(line.x.size) if line.marked else line.places(place, len(lines))
            at = at[known[at]]
            whiskers: dict[str, Any] = {"color": shade, "lw": 1.2, "alpha": 0.6, "zorder": 2}
            axes.vlines(line.x[at], line.low[at], line.high[at], **whiskers, **where)
        if line.ringed:
            ringed = line.x[line.ringed], line.y[line.ringed]
            ring: dict[str, Any] = {"ms": 10, "mfc": "none", "mec": shade, "mew": 1.6}
            axes.plot(*ringed, "o", **ring, zorder=4, clip_on=False, **where)


def _end_labels(axes: Axes, lines: Sequence[Line], look: Looks, room: float) -> None:
    right = axes.get_xlim()[1]
    entries = []
    for line in lines:
        there = np.flatnonzero(np.isfinite(line.y))
        if there.size:
            x, y = min(line.x[there[-1]], right), np.clip(line.y[there[-1]], *axes.get_ylim())
            entries.append((x, y, cut(line.name, room), look[line.name]["color"]))
    end_labels(axes, entries, 0.23 if any(line.marked for line in lines) else 0.14)


def _legend(axes: Axes, lines: Sequence[Line], look: Looks, room: float) -> None:
    """List the lines beside the panel, in order, if all end at the same height."""
    wide, high = inches(axes)
    where: dict[str, Any] = {"transform": axes.transAxes}
    for place, line in enumerate(lines):
        y, how = 1 - 0.17 * (place + 0.5) / high, look[line.name]
        axes.plot([1 + 0.05 / wide, 1 + 0.25 / wide], [y, y], **how, clip_on=False, **where)
        text = axes.text(1 + 0.31 / wide, y, cut(line.name, room), color=how["color"], **where)
        text.set(fontsize=SMALL, va="center_baseline", parse_math=False)


def _share_limits(panels: Sequence[Axes]) -> None:
    """Give all panels the same scales, so that they can be compared."""
    lows, highs = zip(*(panel.get_ylim() for panel in panels), strict=True)
    for panel in panels:
        panel.set_ylim(min(lows), max(highs))


def share_axis(axes: Axes) -> None:
    """Make the vertical axis show shares from 0% to 100%."""
    axes.set_ylim(-0.02, 1.02)
    percent(axes.yaxis)


@dataclass(frozen=True)
class Scale:
    """The scale of scores on an axis: losses logarithmic, accuracies to 100%.

    With a ``floor``, accuracy a is at -log(1 - a + floor): 99% and 98% are as far apart as 98% and
    96%.
    """

    limits: tuple[float, float]
    accuracy: bool
    floor: float = 0.0

    @classmethod
    def of(cls, metric: str, lines: Array, bands: Array) -> Scale:
        if not higher_is_better(metric):
            return cls(log_limits(lines, bands) or (0.0, 1.0), False)
        low, high = linear_limits(np.concatenate([lines, bands]), -0.005, 1.005)
        errors = 1 - lines[np.isfinite(lines)]
        if high - low < WIDE or not errors.size or np.median(errors) > NEAR:
            return cls((low, high), True)
        floor = float(max(np.min(errors[errors > 0], initial=NEAR) / 2, LEAST_ERROR))
        return cls((max(1 - 1.15 * (1 - low), -0.005), min(high, 1 + floor / 4)), True, floor)

    @property
    def note(self) -> str:
        return "log scale of the error" if self.floor else ""

    def set(self, axis: Axis) -> None:
        """Give an axis these limits, and ticks that suit them."""
        axes = axis.axes
        x = axis is axes.xaxis
        set_scale = axes.set_xscale if x else axes.set_yscale
        if self.accuracy:
            if self.floor:
                set_scale("function", functions=(self._place, self._value))
                axis.set_ticks(self._ticks(inches(axes)[0] / 0.5 if x else inches(axes)[1] / 0.2))
            percent(axis)
        elif self.limits[0] > 0:
            set_scale("log")
            log_ticks(axis, *self.limits)
        (axes.set_xlim if x else axes.set_ylim)(*self.limits)

    def _place(self, accuracy: Array) -> Array:
        return -np.log(np.maximum(1 + self.floor - np.asarray(accuracy), self.floor / 2))

    def _value(self, place: Array) -> Array:
        return 1 + self.floor - np.exp(-np.asarray(place))

    def _ticks(self, most: float) -> list[float]:
        """Return at most ``most`` round accuracies from the highest down."""
        errors = [0.0, *(m * 10.0**e for e in (-4, -3, -2, -1) for m in (1, 2, 5)), 1.0]
        first, last = self._place(np.array(self.limits)).tolist()
        ticks: list[float] = []
        for value in (1 - error for error in errors):
            here = self._place(np.array(value))
            apart = not ticks or self._place(np.array(ticks[-1])) - here > (last - first) / most
            if apart and self.limits[0] <= value <= self.limits[1]:
                ticks.append(value)
        return ticks


def scale_of_lines(metric: str, panels: dict[str, list[Line]]) -> tuple[Scale, str]:
    """Return the scale for these lines, and a note on it."""
    every = [line for lines in panels.values() for line in lines]
    centres = np.concatenate([line.y for line in every])
    ends = [end[line.banded] for line in every for end in (line.low, line.high)]
    bands = np.concatenate(ends)
    scale = Scale.of(metric, centres, bands)
    outside = beyond([(scale.limits, np.concatenate([centres, bands]))])
    return scale, ". ".join(filter(None, [scale.note, outside]))
