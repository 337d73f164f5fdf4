"""boundary: what the network says at every point of the plane, under the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.ticker import MaxNLocator

from activations.base import Array
from runner.data.split import judged_part
from runner.network.losses import predictions
from runner.plots.captions import page
from runner.plots.plane import Extent, _extent, _field, _grid
from runner.plots.style import (
    GREY,
    INK,
    MARGIN,
    PALETTE,
    SMALL,
    WIDTH,
    Picture,
    class_colours,
    colour_bar,
)

MOST_OTHERS = 9
MOST_POINTS = 1500
_STRENGTH = 0.62
"""How much of its colour a certain prediction shows, so that the points stand out."""

_PROBABILITY = LinearSegmentedColormap.from_list(
    "probability",
    [
        tuple(1 - _STRENGTH * (1 - level) for level in to_rgb(shade))
        for shade in (PALETTE[0], "#ffffff", PALETTE[1])
    ],
)
"""White where the network cannot tell, the colour of the class it is sure of."""

_FIELD_WIDTH = WIDTH - 2 * MARGIN - 0.55 - 1.75


Corner = tuple[float, float, float]


def boundary(run: Any) -> Picture | None:
    """Draw the probability field of the replicate with the median test accuracy, or train
    accuracy where there are no test data.

    Axes are the data's own units; their extent is that of all replicates' data, so it is the
    same for every activation. Returns None unless there are two features, or where every
    replicate has diverged.
    """
    data = run.data()
    part = judged_part(data)
    ranked = _ranked(run, part)
    if data.train_x.shape[-1] != 2 or not ranked:
        return None
    shown = ranked[(len(ranked) - 1) // 2]
    others = [k for k in ranked if k != shown][:MOST_OTHERS] if data.classes == 2 else []
    replicate = run.summary["replicates"][shown]
    extent = _extent(data)
    logits = _field(run, [shown, *others], extent)
    seed = f"seed {replicate['seed']}"
    notes = [
        (f"{seed}, the median of {len(ranked)} by {part} accuracy" if len(ranked) > 1 else "")
        + ("; grey lines: the other seeds" if others else "")
    ]
    figure = page(run, "decision boundary", notes, height=_field_height(extent) + 1.4)
    axes, corner = _layout(figure, extent)
    axes.set_xlabel("feature 1 (original units)")
    axes.set_ylabel("feature 2 (original units)")
    if data.classes == 2:
        _two_classes(axes, logits, extent)
    else:
        _many_classes(axes, logits[0], extent, data.classes)
    _points(axes, run, data, shown)
    axes.set_xlim(extent[:2])
    axes.set_ylim(extent[2:])
    _legend(figure, corner, data.classes, replicate["final"])
    return figure


def _ranked(run: Any, part: str) -> list[int]:
    """Return the replicates that did not diverge, the worst on that part first."""
    scores = [
        (replicate["final"][f"{part}_accuracy"], k)
        for k, replicate in enumerate(run.summary["replicates"])
        if replicate["status"] != "diverged" and replicate["final"][f"{part}_accuracy"] is not None
    ]
    return [k for _, k in sorted(scores)]


def _field_height(extent: Extent) -> float:
    """Return how tall the field is to be, in inches, to fill the page's width or nearly."""
    left, right, bottom, top = extent
    return float(np.clip(_FIELD_WIDTH * (top - bottom) / (right - left), 3.2, 4.4))


def _layout(figure: Picture, extent: Extent) -> tuple[Axes, Corner]:
    """Return the field's axes, one unit as long on both unless that wastes the page,
    and the corner for the key."""
    left, right, bottom, top = extent
    height = figure.top - figure.bottom - 0.48
    ratio = (right - left) / (top - bottom)
    if not 1 / 3 < ratio < 3:
        ratio = _FIELD_WIDTH / height
    width = min(_FIELD_WIDTH, height * ratio)
    y0 = figure.top - width / ratio
    height = width / ratio
    x0 = figure.left + 0.55
    axes = figure.place(x0, y0, x0 + width, y0 + height)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    return axes, (x0 + width + 0.3, figure.top, y0)


def _two_classes(axes: Axes, logits: Array, extent: Extent) -> None:
    probability = 0.5 + 0.5 * np.tanh(logits[0, ..., 0] / 2)
    axes.imshow(
        probability,
        extent=extent,
        origin="lower",
        cmap=_PROBABILITY,
        vmin=0,
        vmax=1,
        interpolation="bilinear",
        aspect="auto",
    )
    x, y = _grid(extent)
    for field in logits[1:, ..., 0]:
        if field.min() < 0 < field.max():
            axes.contour(x, y, field, [0], colors=[GREY], linewidths=0.6, alpha=0.7)
    if logits[0].min() < 0 < logits[0].max():
        axes.contour(x, y, logits[0, ..., 0], [0], colors=[INK], linewidths=1.4)


def _many_classes(axes: Axes, logits: Array, extent: Extent, classes: int) -> None:
    """Colour the likeliest class, paler where the network is less sure of it."""
    shades = np.array([to_rgb(shade) for shade in class_colours(classes)])
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    sure = (weights.max(axis=-1) - 1 / classes) / (1 - 1 / classes)
    strength = (_STRENGTH * sure)[..., None]
    image = 1 - strength * (1 - shades[weights.argmax(axis=-1)])
    axes.imshow(
        image,
        extent=extent,
        origin="lower",
        interpolation="bilinear",
        aspect="auto",
    )
    x, y = _grid(extent)
    ordered = np.sort(logits, axis=-1)
    for index in range(classes):
        own = logits[..., index]
        rival = np.where(own == ordered[..., -1], ordered[..., -2], ordered[..., -1])
        margin = own - rival
        if margin.min() < 0 < margin.max():
            axes.contour(x, y, margin, [0], colors=[INK], linewidths=0.9)


def _points(axes: Axes, run: Any, data: Any, shown: int) -> None:
    """Draw train points small, test points large; ring the test points that are wrong."""
    shades = np.array([to_rgb(shade) for shade in class_colours(data.classes)])
    x, y = data.train_x[shown, :MOST_POINTS].T
    labels = data.train_labels[shown, :MOST_POINTS]
    axes.scatter(x, y, s=5, c=shades[labels], lw=0, alpha=0.55)
    if not data.test_labels.size:
        return
    x, y = data.test_x[shown, :MOST_POINTS].T
    labels = data.test_labels[shown, :MOST_POINTS]
    axes.scatter(x, y, s=26, c=shades[labels], edgecolors="white", linewidths=0.7)
    with np.errstate(all="ignore"):
        found = predictions(run.network().logits(data.test_x))[shown, :MOST_POINTS]
    wrong = found != labels
    axes.scatter(x[wrong], y[wrong], s=80, facecolors="none", edgecolors=INK, linewidths=1.3)


def _legend(figure: Picture, corner: Corner, classes: int, final: dict[str, Any]) -> None:
    """Draw the key beside the field; corner is its (left, top, bottom) in inches."""
    left, y, bottom = corner
    y -= 0.08

    def line(text: str, x: float = left, **how: Any) -> None:
        figure.words(x, y, text, size=SMALL, va="center", **how)

    line("share correct", color=GREY)
    shares = [(part, final[f"{part}_accuracy"]) for part in ("train", "test")]
    shares = [(part, share) for part, share in shares if share is not None]
    for part, share in shares:
        y -= 0.19
        line(f"{part} {share:.1%}")
    y -= 0.36
    rows: tuple[tuple[str, dict[str, Any]], ...] = (
        ("train sample", {"ms": 3, "mfc": GREY, "mec": "none"}),
        ("test sample", {"ms": 6, "mfc": GREY, "mec": "white"}),
        ("wrong (test)", {"ms": 9, "mfc": "none", "mec": INK, "mew": 1.3}),
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
        marks = [(0.0, "0"), (0.5, "0.5"), (1.0, "1")]
        box = (left, y - length, left + 0.17, y)
        colour_bar(figure, box, _PROBABILITY, marks)
        middle = y - length / 2
        figure.mark([left, left + 0.17], [middle, middle], color=INK, lw=1.4)
        return
    line("class", color=GREY)
    room = int((y - bottom - 0.1) / 0.18)
    columns = 1 if classes <= room else 3
    listed = np.unique(np.linspace(0, classes - 1, columns * room).round().astype(int))
    listed = np.arange(classes) if classes <= columns * room else listed
    shades = class_colours(classes)
    for position, label in enumerate(listed.tolist()):
        column, row = divmod(position, -(-len(listed) // columns))
        x, at = left + 0.08 + 0.48 * column, y - 0.18 * (row + 1)
        figure.mark([x], [at], marker="o", ms=7, mfc=shades[label], mec="none")
        figure.words(x + 0.14, at, str(label), size=SMALL, va="center")
