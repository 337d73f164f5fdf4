"""Draw families of activations: a panel for each function and its derivative, on the same scales.

A function with parameters is drawn for several values of them. A gated unit is drawn against its
input a, for several values of its input b. Of a function of a whole row, the first output is drawn
for the row (x, 0, -1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from activations.curves import broken, curves
from activations.families import FAMILIES, NOTES, SHOWN, Family, family_of, members
from runner.plots.axes import round_ticks
from runner.plots.colours import GREY, PALE, PALETTE, rgb
from runner.plots.style import MARGIN, NORMAL, SMALL, WIDTH, Picture, style, text_width

COLUMNS = 4
_VALUE, _SLOPE = (PALETTE[0], 2.2), (PALETTE[1], 1.2)
"""Colours and line widths of f and f'."""
_HEAD, _TICKS, _BETWEEN, _CAPTION = 1.62, 0.36, 0.28, 0.54
"""Inches for the title and key, for a panel's ticks, between panels, and above a panel."""


def portrait(title: str, chosen: Sequence[str], scales: Family) -> Picture:
    """Return a page with one panel for each chosen activation."""
    columns = min(COLUMNS, len(chosen))
    rows = math.ceil(len(chosen) / columns)
    # at least this high, so that a slope of 1 does not look like 1/2
    ratio = (scales.y[1] - scales.y[0]) / (scales.x[1] - scales.x[0])
    ratio = 0.5 if columns == 1 else min(max(ratio, 0.72), 0.8)
    across = WIDTH - 2 * MARGIN - _TICKS + _BETWEEN
    wide = across / columns - _BETWEEN
    tall = wide * ratio
    with style():
        figure = Picture(title, height=rows * (tall + _CAPTION) + _HEAD)
        _key(figure, scales.note)
        for index, name in enumerate(chosen):
            row, column = divmod(index, columns)
            left = figure.left + _TICKS + column * across / columns
            bottom = figure.top - 0.07 - (row + 1) * (tall + _CAPTION)
            axes = figure.place(left, bottom, left + wide, bottom + tall)
            _frame(axes, scales)
            axes.tick_params(labelleft=column == 0, labelbottom=index + columns >= len(chosen))
            drawn = curves(name, *scales.x)
            for curve, strength in zip(drawn, np.linspace(1, 0.4, len(drawn))[::-1], strict=True):
                for y, (shade, width) in ((curve.value, _VALUE), (curve.slope, _SLOPE)):
                    axes.plot(curve.x, broken(y, *scales.y), color=rgb(shade, strength), lw=width)
            heading, top = name if len(chosen) > 1 else "", bottom + tall
            figure.words(left, top + 0.22, heading, size=NORMAL, weight="bold")
            figure.words(left, top + 0.06, _parameters(name), size=SMALL - 1, color=GREY)
    return figure


def _key(figure: Picture, note: str) -> None:
    x, y = figure.left, figure.top
    for text, (shade, width) in (("f", _VALUE), ("its derivative f'", _SLOPE)):
        figure.mark([x, x + 0.3], [y, y], color=shade, lw=width)
        figure.words(x + 0.38, y, text, size=NORMAL, va="center_baseline", color=GREY)
        x += 0.63 + text_width(text, NORMAL)
    figure.words(x, y, note, size=NORMAL, va="center_baseline", color=GREY)


def _frame(axes: Axes, scales: Family) -> None:
    axes.set(xlim=scales.x, ylim=scales.y)
    round_ticks(axes.xaxis, 4)
    round_ticks(axes.yaxis, 4)
    axes.tick_params(length=2.5)
    axes.axhline(0, color=PALE, linewidth=0.8, zorder=0)
    axes.axvline(0, color=PALE, linewidth=0.8, zorder=0)


def _parameters(name: str) -> str:
    """Return "alpha = 0.5, 1, 2": parameters that differ between curves or from the default."""
    if name in NOTES:
        return NOTES[name]
    texts = []
    for key, values in SHOWN.get(name, {}).items():
        if values != (None,) and (len(values) == 1 or len(set(values)) > 1):
            texts.append(f"{key} = {', '.join(f'{value:.4g}' for value in values)}")
    return "; ".join(texts)


def _pages(chosen: list[str]) -> Iterator[tuple[str, str, list[str], Family]]:
    """Yield the file name, title, activations and scales of each picture."""
    for name in chosen or list(FAMILIES):
        if name in FAMILIES:
            if shown := members(name):
                yield f"activations_{name}.png", FAMILIES[name].title, shown, FAMILIES[name]
            continue
        try:
            scales = FAMILIES[family_of(name)]
        except ValueError as error:
            raise ValueError(f"{error}; families: {', '.join(FAMILIES)}") from None
        yield f"activation_{name}.png", name, [name], scales


def write(folder: Path, chosen: list[str]) -> list[Path]:
    """Draw the chosen families and activations, or all families; return the files' paths.

    Raises ValueError for an unknown name, before anything is written, and OSError.
    """
    pages = list(_pages(chosen))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file_name, title, shown, scales in pages:
        path = folder / file_name
        portrait(title, shown, scales).write(path)
        written.append(path)
    return written
