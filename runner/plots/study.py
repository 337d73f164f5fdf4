"""The picture of a search: the objective by trial and against each parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator

from activations.base import Array
from runner.plots.axes import linear_limits, log_limits, log_ticks, round_ticks
from runner.plots.colours import DIVERGED, GREY, INK, PALETTE
from runner.plots.style import SMALL, Picture, cut

MOST_SLICES, ACROSS = 9, 3
_HISTORY, _SLICE, _BETWEEN = 2.4, 1.75, 0.75
"""Inches: the heights of the two kinds of panels, and the space below a panel."""


@dataclass(frozen=True)
class Trials:
    """The trials of a study.

    Attributes:
        objective: the name of the objective.
        values: (n,), infinite if networks diverged, NaN without a result.
        parameters: the n values of each parameter.
        logarithmic: the parameters that were searched on a logarithmic scale.
        maximise: whether the objective is maximised.
    """

    objective: str
    values: Array
    parameters: Mapping[str, Sequence[Any]]
    logarithmic: frozenset[str] = frozenset()
    maximise: bool = False

    @property
    def best(self) -> int | None:
        """The number of the first trial with the best value; None if no value is finite."""
        finite = np.isfinite(self.values)
        return int(np.argmin(self._costs)) if finite.any() else None

    @property
    def best_so_far(self) -> Array:
        """The best value up to each trial, (n,); infinite before the first finite value."""
        return np.minimum.accumulate(self._costs) * (-1 if self.maximise else 1)

    @property
    def _costs(self) -> Array:
        signed = -self.values if self.maximise else self.values
        return np.where(np.isfinite(signed), signed, np.inf)


def study(trials: Trials, title: str, footer: str = "") -> Picture:
    """Draw the objective and the best so far against the trial, then a slice for each parameter.

    A slice shows the objective of all trials against one parameter. Later trials are darker; the
    best trial has a ring.
    """
    names = list(trials.parameters)[:MOST_SLICES]
    rows = -(-len(names) // ACROSS)
    lost = int(np.sum(np.isposinf(trials.values))), int(np.sum(np.isnan(trials.values)))
    notes = [
        "line: best so far; ring: best of all; darker dots: later trials",
        f"networks diverged in {lost[0]} (x)" if lost[0] else "",
        f"{lost[1]} without a result are not drawn" if lost[1] else "",
        f"{len(names)} of {len(trials.parameters)} parameters are drawn"
        if len(trials.parameters) > len(names)
        else "",
    ]
    words = trials.objective.replace("_", " ")
    height = 1.85 + _HISTORY + rows * (_SLICE + _BETWEEN)
    figure = Picture(title, f"{len(trials.values)} trials", notes, footer, height)
    left, right = figure.left + 0.75, figure.right - 0.1
    bottom = figure.top - 0.1 - _HISTORY
    history = figure.place(left, bottom, right, figure.top - 0.1)
    _objective_axis(history, trials)
    history.set_ylabel(words)
    history.set_xlabel("trial")
    numbers = np.arange(1, len(trials.values) + 1)
    _dots(history, numbers, trials)
    so_far = trials.best_so_far
    shown = np.isfinite(so_far)
    history.step(numbers[shown], so_far[shown], where="post", color=PALETTE[1], zorder=2)
    history.set_xlim(0.5, len(numbers) + 0.5)
    history.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    across = min(ACROSS, len(names))
    width = (right - left - 0.3 * (across - 1)) / across
    for place, name in enumerate(names):
        row, column = divmod(place, across)
        x = left + column * (width + 0.3)
        top = bottom - _BETWEEN - row * (_SLICE + _BETWEEN)
        axes = figure.place(x, top - _SLICE, x + width, top)
        _objective_axis(axes, trials)
        _dots(axes, _positions(axes.xaxis, trials, name, width), trials)
        axes.set_xlabel(cut(name, width), parse_math=False)
        if column:
            axes.tick_params(axis="y", which="both", labelleft=False)
        else:
            axes.set_ylabel(words)
    return figure


def _objective_axis(axes: Axes, trials: Trials) -> None:
    finite = trials.values[np.isfinite(trials.values)]
    limits = log_limits(finite, finite)
    if trials.objective.endswith("loss") and limits and (finite > 0).all():
        axes.set_yscale("log")
        axes.set_ylim(*limits)
        log_ticks(axes.yaxis, *limits)
    else:
        axes.set_ylim(*linear_limits(finite))


def _dots(axes: Axes, x: Array, trials: Trials) -> None:
    """Draw a dot for each trial, and a cross at the upper edge if its networks diverged."""
    low, high = axes.get_ylim()
    order = np.arange(len(x)) / max(len(x) - 1, 1)
    finite, diverged = np.isfinite(trials.values), np.isposinf(trials.values)
    y = np.clip(trials.values, low, high)
    axes.scatter(
        x[finite], y[finite], c=order[finite], cmap="Blues", vmin=-0.6, vmax=1.1, s=16, zorder=3
    )
    edge: dict[str, Any] = {"clip_on": False, "linestyle": "none"}
    axes.plot(x[diverged], np.full(diverged.sum(), high), "x", color=DIVERGED, ms=5, **edge)
    if trials.best is not None:
        here = x[trials.best], y[trials.best]
        axes.plot(*here, "o", ms=9, mfc="none", mec=PALETTE[1], mew=1.5, zorder=4, clip_on=False)


def _positions(axis: Axis, trials: Trials, name: str, width: float) -> Array:
    """Set the axis of a parameter, and return each trial's position on it."""
    values = trials.parameters[name]
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    if not numbers:
        choices = list(dict.fromkeys(map(str, values)))
        room = width / len(choices) - 0.06
        names = [cut(choice, room) for choice in choices]
        axis.set_ticks(range(len(choices)), names, fontsize=SMALL, color=INK, parse_math=False)
        axis.axes.set_xlim(-0.6, len(choices) - 0.4)
        return np.array([choices.index(str(v)) for v in values], dtype=float)
    x = np.array(values, dtype=float)
    limits = log_limits(x, x) if name in trials.logarithmic else None
    if limits:
        axis.axes.set_xscale("log")
        axis.axes.set_xlim(*limits)
        log_ticks(axis, *limits, most=max(3, int(width / 0.5)))
    else:
        axis.axes.set_xlim(*linear_limits(x))
        round_ticks(axis, 4)
    axis.axes.grid(axis="x", color=GREY, alpha=0.15, linewidth=0.6)
    return x
