"""What networks with two inputs say over the plane, and many such fields on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from contourpy import contour_generator
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb

from activations.base import Array
from runner.compare.pictures.lines import TWO_SIDED
from runner.compare.scores import Arm
from runner.data.split import judged_part
from runner.plots.style import INK, PALE, Picture, class_colours
from runner.results.run import WEIGHTS, Run

RESOLUTION = 60
MOST_POINTS = 300
MOST_SAMPLES = 2_000_000
"""Whose data take a second to make again."""
_STRENGTH = 0.62
"""How much of its colour a certain prediction shows, so that the points stand out."""

Extent = tuple[float, float, float, float]
"""Left, right, bottom, top, as Matplotlib's imshow takes it."""


@dataclass
class Field:
    """One replicate's logits on a grid, (rows, columns, 1 or classes), and samples to show."""

    logits: Array
    points: Array
    labels: Array
    classes: int


class Planes:
    """The fields of runs, each run read and evaluated once for all its replicates."""

    def __init__(self) -> None:
        self._runs: dict[Path, Any] = {}
        self._logits: dict[Path, Array] = {}

    def _run(self, record: Run) -> Any:
        """Return (network, data) of a run with two features, None if there is none."""
        if record.path not in self._runs:
            self._runs[record.path] = None
            if not record.damage:
                try:
                    self._runs[record.path] = _network_and_data(record)
                except Exception as error:  # costs this run's boundaries only
                    record.damage[WEIGHTS] = str(error)
        return self._runs[record.path]

    def has(self, arm: Arm) -> bool:
        """Return whether an arm's data have two features and its weights can be read."""
        return self._run(arm.setting.owners[0][0]) is not None

    def part(self, group: Sequence[Arm]) -> str:
        """Return which part of a task's data is shown: "test", or "train" without test data."""
        found = next(filter(None, (self._run(arm.setting.owners[0][0]) for arm in group)))
        return judged_part(found[1])

    def extent(self, group: Sequence[Arm]) -> Extent:
        """Return the extent of all samples shown of a task, with room."""
        parts = []
        for arm in group:
            found = self._run(arm.setting.owners[0][0])
            if found:
                parts.append(_shown(found[1])[0].reshape(-1, 2))
        x = np.concatenate(parts)
        low, high = x.min(axis=0), x.max(axis=0)
        room = 0.06 * np.maximum(high - low, 1e-9)
        (left, bottom), (right, top) = (low - room).tolist(), (high + room).tolist()
        return left, right, bottom, top

    def field(self, arm: Arm, k: int, extent: Extent) -> Field | None:
        """Return the field of an arm's replicate, None if it diverged or cannot be read."""
        record, row = arm.setting.owners[k]
        found = self._run(record)
        if found is None or arm.setting.diverged[k]:
            return None
        network, data = found
        if record.path not in self._logits:
            left, right, bottom, top = extent
            across, up = np.meshgrid(
                np.linspace(left, right, RESOLUTION), np.linspace(bottom, top, RESOLUTION)
            )
            grid = np.stack([across, up], axis=-1).reshape(-1, 2)
            with np.errstate(all="ignore"):
                logits = network.logits(grid)
            self._logits[record.path] = logits.reshape(len(logits), RESOLUTION, RESOLUTION, -1)
        x, labels = _shown(data)
        return Field(
            self._logits[record.path][row],
            x[row, :MOST_POINTS],
            labels[row, :MOST_POINTS],
            data.classes,
        )


def _network_and_data(run: Run) -> Any:
    samples = run.config.dataset.get("samples")
    if run.config.dataset.get("features", 2) != 2:
        return None
    if isinstance(samples, int) and samples * run.config.replicates > MOST_SAMPLES:
        raise ValueError(f"its replicates have more than {MOST_SAMPLES:,} samples together")
    network, data = run.network(), run.data()
    return (network, data) if data.train_x.shape[-1] == 2 else None


def _shown(data: Any) -> tuple[Array, Array]:
    """Return the test samples in their own units (replicates, samples, 2), and their labels;
    the training samples where there are none."""
    part = judged_part(data)
    return getattr(data, f"{part}_x"), getattr(data, f"{part}_labels")


class Mosaic:
    """Fields as squares on one pair of axes in inches: a panel of its own costs ten times
    as much, and a page has a hundred."""

    def __init__(self, figure: Picture) -> None:
        width, height = figure.get_size_inches()
        self.axes = figure.place(0, 0, width, height)
        self.axes.set_axis_off()
        self.axes.set(xlim=(0, width), ylim=(0, height), autoscale_on=False)
        self.lines: list[Array] = []
        self.frames: list[Array] = []
        self.points: list[Array] = []
        self.colours: list[Array] = []

    def add(self, x: float, y: float, size: float, field: Field | None, extent: Extent) -> None:
        """Draw a field in the square with upper left corner (x, y); None is a cross."""
        low = np.array([x, y - size])
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
        self.frames.append(low + size * corners)
        if field is None:
            centre = low + size / 2
            self.axes.plot(*centre, "x", ms=9, mew=2, color="#b00020")
            return
        box = (x, x + size, y - size, y)
        how: dict[str, Any] = {"extent": box, "origin": "lower", "aspect": "auto"}
        shades = np.array([to_rgb(shade) for shade in class_colours(field.classes)])
        if field.classes == 2:
            z = field.logits[..., 0]
            share = 0.5 + _STRENGTH * 0.5 * np.tanh(z / 2)
            how.update(cmap=TWO_SIDED, vmin=0, vmax=1, interpolation="bilinear")
            self.axes.imshow(share, **how)
            steps = np.linspace(0, size, RESOLUTION)
            lines = contour_generator(steps, steps, z).lines(0.0)
            self.lines += [low + np.asarray(line) for line in lines]
        else:
            image = 1 - _STRENGTH * (1 - shades[field.logits.argmax(axis=-1)])
            self.axes.imshow(image, **how)
        left, right, bottom, top = extent
        shares = (field.points - [left, bottom]) / [right - left, top - bottom]
        inside = ((shares >= 0) & (shares <= 1)).all(axis=1)
        self.points.append(low + size * shares[inside])
        self.colours.append(shades[field.labels[inside]])

    def finish(self) -> None:
        """Draw what all squares have in common: lines, frames and samples."""
        self.axes.add_collection(LineCollection(self.frames, colors=PALE, lw=0.8))
        self.axes.add_collection(LineCollection(self.lines, colors=INK, lw=1))
        if self.points:
            x, y = np.concatenate(self.points).T
            self.axes.scatter(x, y, s=3, lw=0, c=np.concatenate(self.colours), zorder=3)
