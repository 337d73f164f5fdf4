"""Draw family portraits: ``python -m runner.plots.gallery [--output FOLDER] [NAME ...]``.

Each function with its derivative, small multiples by family, the same scales in a family. A
NAME is a family or an activation; without one all families are drawn. Functions with
parameters are drawn at several values of them, gated units over a for several b, functions
of a row by their first output for the row (x, 0, -1).

Pages are composed in inches; files are PNG, the same bytes for the same input, and appear
whole or not at all.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from activations.base import Activation, Array, Elementwise, get
from runner.plots.families import FAMILIES, NOTES, SHOWN, Family, family_of, members
from runner.system.command import prepare, status_of
from runner.system.files import write_whole
from runner.system.terminal import OneLineParser

VALUE, SLOPE = "#0072b2", "#d55e00"
INK, GREY, PALE = "#222222", "#666666", "#d9d9d9"
WIDTH, DPI = 8.0, 130
COLUMNS = 4
SMALL, NORMAL, LARGE = 9.0, 10.0, 14.0
_POINTS = 1598  # an interval fewer is a prime: no point falls on a kink, where f' is a convention
_JUMP = 0.02
"""A step from one point to the next of this share of the panel's height, and of five times
those beside it, is a jump."""

_STYLE: dict[str, Any] = {
    "text.hinting": "none",
    "font.size": NORMAL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.solid_capstyle": "round",
}
# A user's own matplotlibrc must not change the pictures; these keys are not about looks.
_NOT_LOOKS = ("backend", "interactive", "toolbar", "webagg", "date.epoch", "keymap")


@dataclass(frozen=True)
class Curve:
    """A function along a line, with its slope."""

    x: Array
    value: Array
    slope: Array


def curves(name: str, low: float, high: float) -> list[Curve]:
    """Return what is drawn of an activation: one curve for each choice of its parameters."""
    x = np.linspace(low, high, _POINTS)
    found: list[Curve] = []
    with np.errstate(all="ignore"):
        for parameters in SHOWN.get(name, ({},)):
            found += _along(get(name, **parameters), x)
    return found


def _along(activation: Activation, x: Array) -> list[Curve]:
    if isinstance(activation, Elementwise):
        return [Curve(x, activation(x), activation.gradient(x))]
    if activation.inputs_per_output < 1:  # each of the outputs that one input makes
        y, slope = activation(x[:, None]), activation.gradient(x[:, None])
        return [Curve(x, y[:, k], slope[:, k]) for k in reversed(range(y.shape[1]))]
    if activation.inputs_per_output == 2:
        rows = [np.stack([x, np.full_like(x, b)], axis=-1) for b in (-1.0, 1.0, 2.0)]
    else:
        rows = [np.stack([x, np.zeros_like(x), np.full_like(x, -1.0)], axis=-1)]
    return [Curve(x, activation(row)[:, 0], activation.gradient(row)[:, 0]) for row in rows]


def portrait(title: str, chosen: Iterable[str], scales: Family) -> bytes:
    """Return a page with one panel for each chosen activation, as a PNG file."""
    chosen = list(chosen)
    columns = min(COLUMNS, len(chosen))
    rows = math.ceil(len(chosen) / columns)
    with _style():
        page = _Page(title, scales.note, rows, columns, 0.5 if columns == 1 else _ratio(scales))
        for index, name in enumerate(chosen):
            row, column = divmod(index, columns)
            axes = page.panel(row, column)
            last = index + columns >= len(chosen)
            _frame(axes, scales, left=column == 0, bottom=last)
            for curve, shade in _shaded(curves(name, *scales.x)):
                _draw(axes, curve, shade, scales)
            page.caption(row, column, name if len(chosen) > 1 else "", _parameters(name))
        return page.png()


class _Page:
    """A figure of ``rows`` by ``columns`` panels, each with two lines of text above it."""

    side, between = 0.25, 0.28
    tick_room, caption_room = 0.36, 0.44

    def __init__(self, title: str, note: str, rows: int, columns: int, ratio: float) -> None:
        self.columns = columns
        across = WIDTH - 2 * self.side - self.tick_room - self.between * (columns - 1)
        self.wide, self.tall = across / columns, across / columns * ratio
        self.above = 0.72
        self.below = 0.36
        self.step = self.tall + self.caption_room + 0.1
        self.height = self.above + rows * self.step + self.below
        self.figure = Figure(figsize=(WIDTH, self.height), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self.figure)
        top = self.height - 0.14
        self.words(self.side, top, title, size=LARGE, weight="bold", va="top")
        self._key(top - 0.38, note)

    def _key(self, y: float, note: str) -> None:
        x = self.side
        for text, colour, width in (("f", VALUE, 2.2), ("its derivative f'", SLOPE, 1.2)):
            self.figure.add_artist(_segment(x, x + 0.3, y, colour, width, self.figure))
            label = self.words(x + 0.38, y, text, va="center_baseline", color=GREY)
            x += 0.38 + self._width_of(label) + 0.25
        if note:
            self.words(x, y, note, va="center_baseline", color=GREY)

    def _width_of(self, label: Any) -> float:
        canvas: Any = self.figure.canvas
        return float(label.get_window_extent(canvas.get_renderer()).width) / DPI

    def words(self, x: float, y: float, text: str, **how: Any) -> Any:
        """Write plain text at (x, y) inches."""
        how["fontsize"] = how.pop("size", NORMAL)
        return self.figure.text(x / WIDTH, y / self.height, text, parse_math=False, **how)

    def _corner(self, row: int, column: int) -> tuple[float, float]:
        left = self.side + self.tick_room + column * (self.wide + self.between)
        return left, self.height - self.above - row * self.step - self.caption_room - self.tall

    def panel(self, row: int, column: int) -> Axes:
        """Return the axes of one panel."""
        left, bottom = self._corner(row, column)
        box = (left / WIDTH, bottom / self.height, self.wide / WIDTH, self.tall / self.height)
        return self.figure.add_axes(box)

    def caption(self, row: int, column: int, name: str, parameters: str) -> None:
        """Write a panel's name, and below it at which parameters it is drawn."""
        left, bottom = self._corner(row, column)
        top = bottom + self.tall
        self.words(left, top + 0.22, name, weight="bold", va="baseline")
        self.words(left, top + 0.06, parameters, size=SMALL - 1, color=GREY, va="baseline")

    def png(self) -> bytes:
        """Return the page as a PNG file."""
        stream = io.BytesIO()
        self.figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
        return stream.getvalue()


def _segment(x: float, end: float, y: float, colour: str, width: float, figure: Figure) -> Any:
    from matplotlib.lines import Line2D

    where = figure.dpi_scale_trans
    return Line2D([x, end], [y, y], color=colour, linewidth=width, transform=where)


def _ratio(scales: Family) -> float:
    """Panels are never so flat that a slope of 1 looks like one of a half."""
    share = (scales.y[1] - scales.y[0]) / (scales.x[1] - scales.x[0])
    return min(max(share, 0.72), 0.8)


def _frame(axes: Axes, scales: Family, *, left: bool, bottom: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(*scales.x)
    axes.set_ylim(*scales.y)
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.tick_params(length=2.5, labelleft=left, labelbottom=bottom)
    axes.axhline(0, color=PALE, linewidth=0.8, zorder=0)
    axes.axvline(0, color=PALE, linewidth=0.8, zorder=0)


def _shaded(drawn: list[Curve]) -> Iterator[tuple[Curve, float]]:
    """Yield each curve with how dark it is, from pale to full."""
    for index, curve in enumerate(drawn):
        yield curve, 1.0 if len(drawn) == 1 else 0.4 + 0.6 * index / (len(drawn) - 1)


def _draw(axes: Axes, curve: Curve, shade: float, scales: Family) -> None:
    for y, colour, width in ((curve.value, VALUE, 2.2), (curve.slope, SLOPE, 1.2)):
        axes.plot(curve.x, _broken(y, scales), color=_pale(colour, shade), linewidth=width)


def _broken(y: Array, scales: Family) -> Array:
    """Return y with gaps where it jumps, so that no line pretends a value between."""
    y = y.astype(np.float64)
    with np.errstate(invalid="ignore"):
        steps = np.abs(np.diff(y))
        around = np.maximum(np.append(steps[1:], 0), np.append(0, steps[:-1]))
        jumps = (steps > _JUMP * (scales.y[1] - scales.y[0])) & (steps > 5 * around)
        outside = (y[1:] > scales.y[1]) & (y[:-1] > scales.y[1])
        outside |= (y[1:] < scales.y[0]) & (y[:-1] < scales.y[0])
    y[1:][jumps & ~outside] = np.nan
    return y


def _pale(colour: str, shade: float) -> tuple[float, ...]:
    rgb = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    return tuple(1 - shade * (1 - part) for part in rgb)


def _parameters(name: str) -> str:
    """Return "alpha = 0.5, 1, 2": what differs from curve to curve, else what is not default."""
    choices = SHOWN.get(name, ())
    if name in NOTES or not choices:
        return NOTES.get(name, "")
    if len(choices) == 1:
        return ", ".join(f"{k} = {v:g}" for k, v in choices[0].items() if v is not None)
    differing = [k for k in choices[0] if len({choice[k] for choice in choices}) > 1]
    return "; ".join(
        f"{k} = {', '.join(f'{choice[k]:.4g}' for choice in choices)}" for k in differing
    )


@contextmanager
def _style() -> Iterator[None]:
    looks: Any = dict(rcParamsDefault)
    looks = {k: v for k, v in looks.items() if not k.startswith(_NOT_LOOKS)}
    looks.update(_STYLE)
    with rc_context(looks):
        yield


def _pages(chosen: list[str]) -> Iterator[tuple[str, str, list[str], Family]]:
    """Yield file name, title, activations and scales of each page."""
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
    """Draw the chosen families and activations, all families if none; return the files.

    Raises ValueError for an unknown name, before anything is written, and OSError.
    """
    pages = list(_pages(chosen))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file_name, title, shown, scales in pages:
        path = folder / file_name
        write_whole(path, portrait(title, shown, scales))
        written.append(path)
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw what the command line names, print the files, return the exit status."""
    if arguments is None:
        prepare()
    return status_of(partial(_main, arguments), bad_input=ValueError)


def _main(arguments: Sequence[str] | None) -> int:
    parser = OneLineParser(
        prog="python -m runner.plots.gallery",
        description="Draw activations with their derivatives: one picture for each family.",
        epilog=f"families: {', '.join(FAMILIES)}. Example: "
        "python -m runner.plots.gallery --output pictures self_gated tanh",
    )
    parser.add_argument(
        "name",
        nargs="*",
        metavar="NAME",
        help="a family or an activation (default: every family)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("outputs/gallery"),
        metavar="FOLDER",
        help="where the PNG files go (default: outputs/gallery)",
    )
    options = parser.parse_args(arguments)
    for path in write(options.output, options.name):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
