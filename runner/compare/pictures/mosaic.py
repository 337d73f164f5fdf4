"""The decision fields of a task's networks, as squares on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from activations.base import Array
from runner.compare.scores import Arm
from runner.data.split import Split, scored_part
from runner.plots.colours import DIVERGED, INK, PALE, class_colours
from runner.plots.decision_field import draw_boundary, draw_field, evaluate, extent_of
from runner.plots.style import Picture
from runner.results.run import WEIGHTS, Run
from runner.results.trained_network import TrainedNetwork

MOST_POINTS = 300
MOST_SAMPLES = 2_000_000
"""Data sets of more samples take over a second to draw again."""


def page_axes(figure: Picture) -> Axes:
    """Return axes over the whole page, in inches: separate axes for each of a hundred squares take
    ten times as long."""
    width, height = figure.get_size_inches()
    axes = figure.place(0, 0, width, height)
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(0, height), autoscale_on=False)
    return axes


Trained = tuple[TrainedNetwork, Split]
"""A run's networks, and its data in their own units."""


class Fields:
    """The decision fields of a task's arms; each run is read and evaluated once.

    Attributes:
        part: the part shown: "test", or "train" without test data; empty if no run has two
            features and readable weights.
        extent: the extent of all samples shown.
        resolution: points along each side of a field.
    """

    def __init__(self, arms: Sequence[Arm], resolution: int) -> None:
        self.resolution = resolution
        self._runs: dict[Path, Trained | None] = {}
        self._logits: dict[Path, Array] = {}
        trained = [self._trained(arm.setting.owners[0][0]) for arm in arms]
        data = [found[1] for found in trained if found]
        self.part = scored_part(data[0]) if data else ""
        if data:
            shown = [one.part(self.part)[0].reshape(-1, 2) for one in data]
            self.extent = extent_of(np.concatenate(shown))

    def _trained(self, run: Run) -> Trained | None:
        if run.path not in self._runs:
            self._runs[run.path] = None
            if not run.damage:
                try:
                    self._runs[run.path] = _read(run)
                except Exception as error:  # only this run's boundaries are left out
                    run.damage[WEIGHTS] = str(error)
        return self._runs[run.path]

    def draw(self, axes: Axes, arm: Arm, k: int, x: float, y: float, size: float) -> None:
        """Draw a replicate in the square with upper left corner (x, y): a cross if it diverged or
        cannot be read."""
        axes.add_patch(Rectangle((x, y - size), size, size, fill=False, ec=PALE, lw=0.8))
        run, row = arm.setting.owners[k]
        trained = self._trained(run)
        if trained is None or arm.setting.diverged[k]:
            axes.plot(x + size / 2, y - size / 2, "x", ms=9, mew=2, color=DIVERGED)
            return
        network, data = trained
        if run.path not in self._logits:
            self._logits[run.path] = evaluate(network, self.extent, self.resolution)
        logits, box = self._logits[run.path][row], (x, x + size, y - size, y)
        draw_field(axes, logits, box)
        draw_boundary(axes, logits, box, colors=INK, linewidths=1)
        points, labels = (part[row, :MOST_POINTS] for part in data.part(self.part))
        left, right, bottom, top = self.extent
        shares = (points - (left, bottom)) / (right - left, top - bottom)
        inside = ((shares >= 0) & (shares <= 1)).all(axis=1)
        shades = class_colours(data.classes)[labels[inside]]
        across, up = ((x, y - size) + size * shares[inside]).T
        axes.scatter(across, up, s=3, lw=0, c=shades, zorder=3)


def _read(run: Run) -> Trained | None:
    samples = run.config.dataset.get("samples")
    if run.config.dataset.get("features", 2) != 2:
        return None
    if isinstance(samples, int) and samples * run.config.replicates > MOST_SAMPLES:
        raise ValueError(f"its replicates have more than {MOST_SAMPLES:,} samples together")
    network = run.network()
    return (network, run.data()) if network.features == 2 else None
