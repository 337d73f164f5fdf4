"""A passport as a PNG: f and f' over the shaded density of N(0, 1), with the facts below."""

from __future__ import annotations

import io
import textwrap
from typing import Any

import numpy as np
from matplotlib import rc_context, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from activations.passport.drawing import Drawing, density, draw, ticks
from activations.passport.facts import Passport
from activations.passport.wording import plain

WIDTH, PLOT, MARGIN = 9.0, 3.5, 0.3
"""Inches."""
SIZE, LINE = 8.5, 0.165
"""Font size of a fact in points, and its line height in inches."""
LETTERS, LABEL = 52, 1.02
"""Characters per line of a fact, and the width of its label in inches."""
HEAD = 0.8
"""Inches above the plot."""
INK, GREY, PALE, VALUE, SLOPE = "#222222", "#666666", "#d9d9d9", "#0072b2", "#d55e00"
LOOKS: dict[str, Any] = {
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "text.parse_math": False,
    "lines.solid_capstyle": "round",
}


def as_png(passport: Passport) -> bytes:
    """Return the picture; the same passport gives the same bytes."""
    titles = list(passport.sections)
    first, *rest = titles
    left = [first, "Shape"] if "Shape" in titles else [first]
    columns = [_lines(passport, left), _lines(passport, [t for t in rest if t not in left])]
    below = max(len(column) for column in columns) * LINE
    height = HEAD + PLOT + 0.6 + below + 0.1
    looks: Any = dict(rcParamsDefault)
    looks = {key: value for key, value in looks.items() if key != "backend"} | LOOKS
    with rc_context(looks):
        figure = Figure(figsize=(WIDTH, height), dpi=110, facecolor="white")
        FigureCanvasAgg(figure)
        name = textwrap.shorten(plain(passport.title), 60, placeholder=" ...")
        _write(figure, MARGIN, height - 0.42, name, size=15, weight="bold")
        drawing = draw(passport)
        _write(figure, WIDTH - MARGIN, height - 0.4, drawing.note, color=GREY, ha="right")
        bottom = height - HEAD - PLOT
        box = (0.62 / WIDTH, bottom / height, (WIDTH - 0.62 - MARGIN) / WIDTH, PLOT / height)
        _plot(figure.add_axes(box), drawing)
        key = (("f", VALUE, 0.0), ("its derivative f'", SLOPE, 0.2), ("x ~ N(0, 1)", GREY, 1.6))
        for text, colour, right in key:
            _write(figure, 0.62 + right, height - HEAD + 0.08, text, color=colour, weight="bold")
        for index, column in enumerate(columns):
            x, y = MARGIN + index * (WIDTH - MARGIN) / 2, bottom - 0.6
            for label, text, how in column:
                _write(figure, x, y, label, size=SIZE, **how)
                _write(figure, x + LABEL, y, text, size=SIZE)
                y -= LINE
        stream = io.BytesIO()
        figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _write(figure: Figure, x: float, y: float, text: str, **how: Any) -> None:
    width, height = figure.get_size_inches()
    figure.text(x / width, y / height, text, **how)


def _lines(passport: Passport, titles: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return lines of label, text and the label's style; a sentence without label is the label."""
    lines: list[tuple[str, str, dict[str, Any]]] = []
    for title in titles:
        lines += [("", "", {})] if lines else []
        lines.append((title, "", {"weight": "bold"}))
        last = None
        for label, text in passport.sections[title]:
            letters = LETTERS if label else LETTERS + 16
            parts = textwrap.wrap(plain(text), letters, max_lines=5, placeholder=" ...")
            if not label:
                lines += [(part, "", {}) for part in parts]
            for index, part in enumerate(parts if label else []):
                lines.append(("" if index or label == last else label, part, {"color": GREY}))
            last = label
    return lines


def _plot(axes: Axes, drawing: Drawing) -> None:
    (low, high), (bottom, top) = drawing.x, drawing.y
    axes.set(xlim=drawing.x, ylim=drawing.y)
    axes.set_xticks(ticks(low, high, 11))
    axes.set_yticks(ticks(bottom, top, 8))
    x = np.linspace(low, high, 400)
    shade = bottom + 0.3 * (top - bottom) * density(x)
    axes.fill_between(x, bottom, shade, color=PALE, alpha=0.55, linewidth=0, zorder=0)
    axes.axhline(0, color=PALE, linewidth=0.8, zorder=1)
    axes.axvline(0, color=PALE, linewidth=0.8, zorder=1)
    strengths = np.linspace(1, 0.35, len(drawing.curves))[::-1]
    for curve, strength in zip(drawing.curves, strengths, strict=True):
        axes.plot(curve.x, curve.slope, color=SLOPE, lw=1.3, alpha=strength, zorder=3)
        axes.plot(curve.x, curve.value, color=VALUE, lw=2.2, alpha=strength, zorder=4)
    for at, y, which in drawing.marks:
        colour = VALUE if which == "f" else SLOPE
        axes.plot([at], [y], "o", ms=5, color=colour, mec="white", mew=0.8, zorder=5)
    axes.text(1.0, -0.09, "x", color=GREY, transform=axes.transAxes, ha="right", va="top")
