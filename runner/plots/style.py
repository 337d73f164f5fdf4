"""How every picture looks: colours by activation name, page layout, fonts, saving.

A page is measured in inches from its lower left corner, so that nothing has to be laid out
twice: title and subtitle above, a grey footer below, axes placed by hand in between.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import BboxImage
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox, TransformedBbox

from activations.base import Array
from runner.plots import FORMATS
from runner.plots.colours import DASHES as DASHES
from runner.plots.colours import GREY as GREY
from runner.plots.colours import INK as INK
from runner.plots.colours import PALE as PALE
from runner.plots.colours import PALETTE as PALETTE
from runner.plots.colours import colour as colour
from runner.plots.colours import counterpart as counterpart
from runner.plots.colours import line_style as line_style
from runner.plots.png import png
from runner.system.files import write_whole

WIDTH, HEIGHT, DPI = 8.0, 5.0, 130
MARGIN = 0.25
MOST_LETTERS = 400
"""More than a line of a page can hold, of any letters: so long a text is not measured."""
SMALL, NORMAL, LARGE = 9.0, 10.0, 14.0

_STYLE: dict[str, Any] = {
    "text.hinting": "none",
    "font.size": NORMAL,
    "axes.labelsize": NORMAL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.xmargin": 0.0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "svg.hashsalt": "runner",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
}

# A user's own matplotlibrc must not change the pictures; these keys are not about looks.
_NOT_LOOKS = ("backend", "interactive", "toolbar", "webagg", "date.epoch", "keymap")


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house style, whatever the global settings are, and leave them alone."""
    looks: Any = dict(rcParamsDefault)
    looks = {k: v for k, v in looks.items() if not k.startswith(_NOT_LOOKS)}
    looks.update(_STYLE)
    with rc_context(looks):
        yield


def class_colours(classes: int) -> list[Any]:
    """Return one colour per class: the palette, beyond it evenly spaced hues."""
    if classes <= len(PALETTE):
        return list(PALETTE[:classes])
    from matplotlib import colormaps

    shades = colormaps["turbo"](np.linspace(0.04, 0.96, classes))[:, :3]
    return [tuple(shade) for shade in shades]


class Picture(Figure):
    """A figure with title, subtitle and footer that shows itself in a notebook.

    ``left``, ``right``, ``bottom``, ``top`` bound what is free for axes, in inches.
    """

    left: float
    right: float
    bottom: float
    top: float

    def __init__(
        self,
        title: str,
        subtitles: Sequence[str],
        footer: str,
        height: float = HEIGHT,
    ) -> None:
        above = _wrapped(title, LARGE, "bold", lines=2)
        below_title = [
            line for text in subtitles if text for line in _wrapped(text, NORMAL, lines=3)
        ]
        foot = _wrapped(footer, SMALL, lines=3)
        extra = 0.24 * (len(above) - 1) + 0.18 * (len(below_title) + len(foot) - 3)
        super().__init__(figsize=(WIDTH, height + extra), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self)
        self.left, self.right = MARGIN, WIDTH - MARGIN
        y = height + extra - 0.14
        self._write(MARGIN, y, above, size=LARGE, weight="bold", va="top")
        y -= 0.24 * len(above) + 0.05
        self._write(MARGIN, y, below_title, size=NORMAL, color=GREY, va="top")
        self.top = y - 0.18 * len(below_title) - 0.12
        self._write(MARGIN, 0.1, foot, size=SMALL, color=GREY, va="bottom")
        self.bottom = 0.1 + 0.17 * len(foot) + 0.1

    def _write(self, x: float, y: float, lines: Sequence[str], **how: Any) -> None:
        self.words(x, y, "\n".join(lines), linespacing=1.15, **how)

    def words(self, x: float, y: float, text: str, **how: Any) -> Any:
        """Write plain text at (x, y) inches; a dollar sign is a dollar sign."""
        size = self.get_size_inches()
        how.setdefault("fontsize", how.pop("size", SMALL))
        return self.text(x / size[0], y / size[1], text, parse_math=False, **how)

    def mark(self, x: Any, y: Any, **how: Any) -> None:
        """Draw a line or markers through points in inches."""
        self.add_artist(Line2D(x, y, transform=self.dpi_scale_trans, **how))

    def place(self, left: float, bottom: float, right: float, top: float, **how: Any) -> Axes:
        """Return new axes whose frame has these edges, in inches."""
        width, height = self.get_size_inches()
        box = (
            left / width,
            bottom / height,
            (right - left) / width,
            (top - bottom) / height,
        )
        return self.add_axes(box, **how)

    def encode(self, format: str) -> bytes:
        """Return the picture as the bytes of a png, svg or pdf file, the same every time."""
        if format not in FORMATS:
            raise ValueError(f"format must be {', '.join(FORMATS)}, got {format!r}")
        dpi, own = self.dpi, self.canvas
        stream = io.BytesIO()
        canvas: Any
        try:
            with style():
                if format == "svg":
                    from matplotlib.backends.backend_svg import FigureCanvasSVG

                    canvas = FigureCanvasSVG(self)
                    canvas.print_svg(stream, metadata={"Date": None})
                elif format == "pdf":
                    from matplotlib.backends.backend_pdf import FigureCanvasPdf

                    canvas = FigureCanvasPdf(self)
                    canvas.print_pdf(stream, metadata={"CreationDate": None})
                else:
                    canvas = FigureCanvasAgg(self)
                    canvas.draw()
                    return png(np.asarray(canvas.buffer_rgba()), dpi)
            return stream.getvalue()
        finally:  # vector formats leave their own canvas and resolution behind
            self.set_canvas(own)
            self.dpi = dpi

    def write(self, path: Path) -> None:
        """Save in the format of the path's ending; the file appears whole or not at all."""
        write_whole(path, self.encode(path.suffix[1:]))

    def _repr_png_(self) -> bytes:
        return self.encode("png")


_RULER: Any = FigureCanvasAgg(Figure(dpi=72))


def colour_bar(
    figure: Picture,
    box: tuple[float, float, float, float],
    colours: Any,
    marks: Iterable[tuple[float, str]],
) -> None:
    """Draw a scale of colours in a box (inches) with texts at shares of its height."""
    inches = TransformedBbox(Bbox.from_extents(*box), figure.dpi_scale_trans)
    image = BboxImage(inches, cmap=colours, origin="lower")
    image.set_data(np.linspace(0, 1, 128)[:, None])
    figure.add_artist(image)
    _, bottom, right, top = box
    for share, text in marks:
        y = bottom + share * (top - bottom)
        figure.words(right + 0.07, y, text, size=SMALL, va="center_baseline")


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Return how wide one line of plain text is, in inches."""
    font = FontProperties(size=size, weight=weight)
    renderer = _RULER.get_renderer()
    return float(renderer.get_text_width_height_descent(text, font, False)[0]) / 72


def cut(text: str, room: float, size: float = SMALL, weight: str = "normal") -> str:
    """Return one line of text, its end replaced by ... where it is wider than so many inches."""
    if len(text) <= 4 or (len(text) <= MOST_LETTERS and text_width(text, size, weight) <= room):
        return text
    fits, too_long = 0, min(len(text), MOST_LETTERS)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if text_width(text[:middle] + "…", size, weight) <= room:
            fits = middle
        else:
            too_long = middle
    return text[: max(fits, 3)].rstrip() + "…"


def _wrapped(text: str, size: float, weight: str = "normal", *, lines: int) -> list[str]:
    """Break text into lines that fit the page, at most so many, the last ending in ..."""
    room = WIDTH - 2 * MARGIN
    text = text[: lines * MOST_LETTERS]
    if text_width(text, size, weight) <= room:
        return [text]
    letters = int(len(text) * room / text_width(text, size, weight) * 0.97)
    wrapped = textwrap.wrap(text, letters, max_lines=lines, placeholder=" ...")
    return [cut(line, room, size, weight) for line in wrapped]


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> Array:
    """Return positions in the same order at least ``gap`` apart, moved as little as needed.

    They stay within [low, high] where there is room. Pools that would overlap move together,
    each to the mean of its members' wishes (isotonic regression of position minus offset).
    """
    order = np.argsort(positions, kind="stable")
    wishes = np.asarray(positions, dtype=float)[order] - gap * np.arange(len(order))
    pools: list[list[float]] = []
    for wish in wishes:
        pools.append([wish])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    settled = np.concatenate([np.full(len(pool), np.mean(pool)) for pool in pools])
    settled = np.clip(settled, low, max(low, high - gap * (len(order) - 1)))
    result = np.empty(len(order))
    result[order] = settled + gap * np.arange(len(order))
    return result


def end_labels(axes: Axes, labels: Iterable[tuple[float, float, str, Any]]) -> None:
    """Write (x, y, text, colour) beside line ends, pushed apart, with hairline leaders."""
    entries = [entry for entry in labels if np.isfinite(entry[1])]
    if not entries:
        return
    figure: Any = axes.figure
    box = axes.get_position()
    height = box.height * figure.get_size_inches()[1]
    width = box.width * figure.get_size_inches()[0]
    to_share = (axes.transData + axes.transAxes.inverted()).transform
    ends = to_share([(x, y) for x, y, _, _ in entries])
    gap = 1.25 * SMALL / 72 / height
    heights = spread(ends[:, 1].tolist(), gap, 0.0, 1.0)
    edge = float(ends[:, 0].max())
    start = edge + 0.14 / width
    for (x, y), at, (_, _, text, shade) in zip(ends, heights, entries, strict=True):
        far = edge - x > 0.03  # a long leader must not pass for data
        axes.plot(
            [x, edge + 0.03 / width, start - 0.02 / width],
            [y, y, at],
            transform=axes.transAxes,
            color=shade,
            linewidth=0.6,
            linestyle=(0, (1, 3)) if far else "-",
            clip_on=False,
        )
        axes.text(
            start,
            at,
            text,
            transform=axes.transAxes,
            color=shade,
            fontsize=SMALL,
            va="center_baseline",
            parse_math=False,
        )
