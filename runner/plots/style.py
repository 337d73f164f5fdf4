"""The style of all pictures: page layout, fonts, and file formats.

A page has a title and a subtitle at the top, a grey footer at the bottom, and panels between them.
Positions are in inches from the lower left corner.
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

from runner.plots.colours import GREY, INK
from runner.plots.png import png
from runner.system.files import write_whole

WIDTH, HEIGHT, DPI = 8.0, 5.0, 130
"""Width and default height of a page in inches, and its resolution. To fit a paper's column, change
these, the font sizes below, and the colours in ``colours.py``."""
SMALL, NORMAL, LARGE = 9.0, 10.0, 14.0
"""Font sizes of labels, text and titles, in points."""
MARGIN = 0.25
MOST_LETTERS = 400
"""No line of a page holds this many letters, so a longer text is too wide without measuring it."""

_STYLE: dict[str, Any] = {
    "text.hinting": "none",
    "font.size": NORMAL,
    "axes.labelsize": NORMAL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
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
    "axes.xmargin": 0.0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "svg.hashsalt": "runner",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
}

# The user's matplotlibrc must not change the pictures. These keys do not affect them.
_NOT_LOOKS = ("backend", "interactive", "toolbar", "webagg", "date.epoch", "keymap")


@contextmanager
def style() -> Iterator[None]:
    """Set this style within the block, whatever the user's Matplotlib settings are."""
    looks: Any = dict(rcParamsDefault)
    looks = {k: v for k, v in looks.items() if not k.startswith(_NOT_LOOKS)}
    looks.update(_STYLE)
    with rc_context(looks):
        yield


class Picture(Figure):
    """A figure with title, subtitle, notes and footer, which a notebook shows.

    ``height`` applies if each of these is one line long; longer texts make the page higher.
    ``left``, ``right``, ``bottom`` and ``top`` are the edges of the room for panels, in inches.
    """

    left: float
    right: float
    bottom: float
    top: float

    def __init__(
        self,
        title: str,
        subtitle: str = "",
        notes: Iterable[str] = (),
        footer: str = "",
        height: float = HEIGHT,
    ) -> None:
        note = ". ".join(note[0].upper() + note[1:] for note in notes if note)
        above = _wrapped(title, LARGE, "bold", lines=2)
        below_title = [line for t in (subtitle, note) if t for line in _wrapped(t, NORMAL, lines=3)]
        foot = _wrapped(footer, SMALL, lines=3) if footer else []
        lines = [1.25 * size / 72 for size in (LARGE, NORMAL, SMALL)]
        extra = lines[0] * (len(above) - 1) + lines[1] * (len(below_title) + len(foot) - 3)
        super().__init__(figsize=(WIDTH, height + extra), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self)
        self.left, self.right = MARGIN, WIDTH - MARGIN
        y = height + extra - 0.14
        self._write(MARGIN, y, above, size=LARGE, weight="bold", va="top")
        y -= lines[0] * len(above) + 0.05
        self._write(MARGIN, y, below_title, size=NORMAL, color=GREY, va="top")
        self.top = y - lines[1] * len(below_title) - 0.12
        self._write(MARGIN, 0.1, foot, size=SMALL, color=GREY, va="bottom")
        self.bottom = 0.1 + lines[2] * len(foot) + 0.1

    def _write(self, x: float, y: float, lines: Sequence[str], **how: Any) -> None:
        self.words(x, y, "\n".join(lines), linespacing=1.15, **how)

    def words(self, x: float, y: float, text: str, **how: Any) -> Any:
        """Write plain text at (x, y) inches; a dollar sign does not start a formula."""
        size = self.get_size_inches()
        how.setdefault("fontsize", how.pop("size", SMALL))
        return self.text(x / size[0], y / size[1], text, parse_math=False, **how)

    def mark(self, x: Any, y: Any, **how: Any) -> None:
        """Draw a line or markers at points in inches."""
        self.add_artist(Line2D(x, y, transform=self.dpi_scale_trans, **how))

    def place(self, left: float, bottom: float, right: float, top: float, **how: Any) -> Axes:
        """Return a new panel with these edges in inches."""
        width, height = self.get_size_inches()
        box = (
            left / width,
            bottom / height,
            (right - left) / width,
            (top - bottom) / height,
        )
        return self.add_axes(box, **how)

    def encode(self, format: str) -> bytes:
        """Return the picture as a png, svg or pdf file; the bytes are the same every time."""
        with style():
            if format == "png":
                canvas: Any = self.canvas
                canvas.draw()
                return png(np.asarray(canvas.buffer_rgba()), self.dpi)
            stream = io.BytesIO()
            undated = {"svg": "Date", "pdf": "CreationDate"}
            self.savefig(stream, format=format, metadata={undated[format]: None})
            return stream.getvalue()

    def write(self, path: Path) -> None:
        """Write the picture atomically, in the format given by the path's suffix."""
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
    """Draw a colour scale in a box (inches), with (share of the height, text) marks beside it."""
    inches = TransformedBbox(Bbox.from_extents(*box), figure.dpi_scale_trans)
    image = BboxImage(inches, cmap=colours, origin="lower")
    image.set_data(np.linspace(0, 1, 128)[:, None])
    figure.add_artist(image)
    _, bottom, right, top = box
    for share, text in marks:
        y = bottom + share * (top - bottom)
        figure.words(right + 0.07, y, text, size=SMALL, va="center_baseline")


def text_room() -> float:
    """Return the width of a page between its margins, in inches."""
    return WIDTH - 2 * MARGIN


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Return the width of one line of plain text, in inches."""
    font = FontProperties(size=size, weight=weight)
    renderer = _RULER.get_renderer()
    return float(renderer.get_text_width_height_descent(text, font, False)[0]) / 72


def cut(text: str, room: float, size: float = SMALL, weight: str = "normal") -> str:
    """Return one line of text; if it is wider than ``room`` inches, … replaces its end."""
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
    """Break text into at most ``lines`` lines that fit the page; ... marks text that is cut."""
    room = text_room()
    text = text[: lines * MOST_LETTERS]
    if text_width(text, size, weight) <= room:
        return [text]
    letters = int(len(text) * room / text_width(text, size, weight) * 0.97)
    wrapped = textwrap.wrap(text, letters, max_lines=lines, placeholder=" ...")
    return [cut(line, room, size, weight) for line in wrapped]
