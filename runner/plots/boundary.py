"""The picture ``boundary``: the network's prediction at every point of the plane, and the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from runner.data.split import Split, scored_part
from runner.network.losses import predictions
from runner.plots.axes import round_ticks
from runner.plots.captions import page
from runner.plots.colours import GREY, INK, class_colours
from runner.plots.decision_field import (
    PROBABILITY,
    Extent,
    draw_boundary,
    draw_field,
    evaluate,
    extent_of,
)
from runner.plots.style import SMALL, Picture, colour_bar, text_room
from runner.results.run import Run

RESOLUTION = 160
MOST_OTHERS = 9
MOST_POINTS = 1500
_BESIDE = 0.55 + 1.75
"""Inches left and right of the field."""


def boundary(run: Run) -> Picture | None:
    """Draw the decision field of the replicate with the median test accuracy.

    Without test data, train accuracy decides. The axes show the data's own units. Their extent is
    that of all replicates' data, so it is the same for every activation. Returns None if the data
    do not have two features or if all replicates diverged.
    """
    data = run.data()
    part = scored_part(data)
    ranked = _ranked(run, part)
    if data.train_x.shape[-1] != 2 or not ranked:
        return None
    shown = ranked[(len(ranked) - 1) // 2]
    others = [k for k in ranked if k != shown][:MOST_OTHERS] if data.classes == 2 else []
    replicate = run.summary["replicates"][shown]
    extent = extent_of(np.concatenate([data.train_x, data.test_x], axis=1))
    field, *fields = evaluate(run.network().chosen([shown, *others]), extent, RESOLUTION)
    notes = [
        f"seed {replicate['seed']}, the median of {len(ranked)} by {part} accuracy"
        + ("; grey lines: boundaries of other seeds" if others else "")
        if len(ranked) > 1
        else ""
    ]
    left, right, bottom, top = extent
    widest = text_room() - _BESIDE
    height = float(np.clip(widest * (top - bottom) / (right - left), 3.2, max(widest, 3.2)))
    figure = page(run, "decision boundary", notes, height=height + 1.4)
    room = figure.top - figure.bottom - 0.48
    axes = field_axes(figure, extent, figure.left + 0.55, figure.top, widest, room)
    draw_field(axes, field, extent)
    for other in fields:
        draw_boundary(axes, other, extent, colors=GREY, linewidths=0.6, alpha=0.7)
    width = 1.4 if data.classes == 2 else 0.9
    draw_boundary(axes, field, extent, colors=INK, linewidths=width)
    draw_samples(axes, data, shown)
    if data.test_labels.size:
        _ring_wrong(axes, run, data, shown)
    axes.set(xlim=(left, right), ylim=(bottom, top))
    _legend(figure, axes, data.classes, replicate["final"])
    return figure


def _ranked(run: Run, part: str) -> list[int]:
    """Return the replicates that did not diverge, by accuracy on ``part``, the worst first."""
    scores = [
        (replicate["final"][f"{part}_accuracy"], k)
        for k, replicate in enumerate(run.summary["replicates"])
        if replicate["status"] != "diverged" and replicate["final"][f"{part}_accuracy"] is not None
    ]
    return [k for _, k in sorted(scores)]


def field_axes(
    figure: Picture, extent: Extent, x: float, y: float, width: float, height: float
) -> Axes:
    """Return axes for a field, with the upper left corner at (x, y) inches.

    A unit has the same length on both axes, unless one side would be three times the other.
    """
    left, right, bottom, top = extent
    ratio = (right - left) / (top - bottom)
    if not 1 / 3 < ratio < 3:
        ratio = width / height
    width = min(width, height * ratio)
    axes = figure.place(x, y - width / ratio, x + width, y)
    axes.spines[:].set_visible(False)
    round_ticks(axes.xaxis, 7)
    round_ticks(axes.yaxis, 7)
    axes.set_xlabel("feature 1 (original units)")
    axes.set_ylabel("feature 2 (original units)")
    return axes


def draw_samples(axes: Axes, data: Split, shown: int) -> list[Artist]:
    """Draw a replicate's training samples as small dots and its test samples as large ones."""
    shades = class_colours(data.classes)
    x, y = data.train_x[shown, :MOST_POINTS].T
    labels = data.train_labels[shown, :MOST_POINTS]
    small = axes.scatter(x, y, s=5, c=shades[labels], lw=0, alpha=0.55)
    x, y = data.test_x[shown, :MOST_POINTS].T
    labels = data.test_labels[shown, :MOST_POINTS]
    large = axes.scatter(x, y, s=26, c=shades[labels], edgecolors="white", linewidths=0.7)
    return [small, large]


def _ring_wrong(axes: Axes, run: Run, data: Split, shown: int) -> None:
    """Ring the test samples that the network misclassifies."""
    x, y = data.test_x[shown, :MOST_POINTS].T
    labels = data.test_labels[shown, :MOST_POINTS]
    found = predictions(run.network().logits(data.test_x))[shown, :MOST_POINTS]
    wrong = found != labels
    axes.scatter(x[wrong], y[wrong], s=80, facecolors="none", edgecolors=INK, linewidths=1.3)


def _legend(figure: Picture, axes: Axes, classes: int, final: dict[str, Any]) -> None:
    """Draw the key beside the field."""
    width, height = figure.get_size_inches()
    box = axes.get_position()
    left, y, bottom = box.x1 * width + 0.3, box.y1 * height - 0.08, figure.bottom + 0.48

    def line(text: str, x: float = left, **how: Any) -> None:
        figure.words(x, y, text, size=SMALL, va="center", **how)

    line("accuracy", color=GREY)
    shares = [(part, final[f"{part}_accuracy"]) for part in ("train", "test")]
    shares = [(part, share) for part, share in shares if share is not None]
    for part, share in shares:
        y -= 0.19
        line(f"{part} {share:.1%}")
    y -= 0.36
    rows: tuple[tuple[str, dict[str, Any]], ...] = (
        ("train sample", {"ms": 3, "mfc": GREY, "mec": "none"}),
        ("test sample", {"ms": 6, "mfc": GREY, "mec": "white"}),
        ("misclassified", {"ms": 9, "mfc": "none", "mec": INK, "mew": 1.3}),
    )
    for text, how in rows if len(shares) > 1 else rows[:1]:
        figure.mark([left + 0.08], [y], linestyle="none", marker="o", **how)
        line(text, left + 0.24)
        y -= 0.21
    y -= 0.15
    if classes == 2:
        line("P(class 1)", color=GREY)
        y -= 0.12
        length = min(1.3, y - bottom - 0.05)
        bar = (left, y - length, left + 0.17, y)
        colour_bar(figure, bar, PROBABILITY, [(0.0, "0"), (0.5, "0.5"), (1.0, "1")])
        middle = y - length / 2
        figure.mark([left, left + 0.17], [middle, middle], color=INK, lw=1.4)
        return
    line("class", color=GREY)
    room = int((y - bottom - 0.1) / 0.18)
    columns = 1 if classes <= room else 3
    most = min(classes, columns * room)
    listed = np.unique(np.linspace(0, classes - 1, most).round().astype(int))
    for position, label in enumerate(listed.tolist()):
        column, row = divmod(position, -(-len(listed) // columns))
        x, at = left + 0.08 + 0.48 * column, y - 0.18 * (row + 1)
        figure.mark([x], [at], marker="o", ms=7, mfc=class_colours(classes)[label], mec="none")
        figure.words(x + 0.14, at, str(label), size=SMALL, va="center")
