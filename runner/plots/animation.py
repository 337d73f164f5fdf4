"""Animate how a network learns, epoch by epoch: a GIF, and a web page with a slider.

The fixed parts of the figure are drawn once. For each frame, only the parts that change are drawn,
over a copy of the fixed parts.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection

from activations.base import Array
from activations.web_page import as_json, fill
from runner.network.losses import predictions
from runner.plots.activation import apart, finite, input_range, variants, with_kinks
from runner.plots.axes import log_limits, log_ticks, round_ticks, words_at_ends
from runner.plots.boundary import draw_samples, field_axes
from runner.plots.captions import page, settings
from runner.plots.colours import INK, PALE, colour, counterpart
from runner.plots.decision_field import boundary_lines, evaluate, extent_of, field_colours
from runner.plots.png import Histogram, with_palette
from runner.plots.style import NORMAL, Picture, style
from runner.results.run import Run
from runner.results.trained_network import TrainedNetwork
from runner.system.terminal import Progress

DPI = 90
HEIGHT = 5.2
RESOLUTION, FINER = 120, 2
MOST_SAMPLES = 600
MILLISECONDS, AT_THE_END = 120, 2500
"""Milliseconds for which a frame, and the last frame, is shown."""
TRANSPARENT = np.uint8(255)
"""This palette index keeps the pixel of the previous frame."""
LEAST_CHANGE = 8
"""A pixel is drawn again only if a channel changes by more than this, of 255 levels."""
_BINS = 60
_PAGE = Path(__file__).parent / "page"


Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in inches."""


class Panel(NamedTuple):
    """The artists that change, in drawing order, and a function that sets them to frame k."""

    artists: list[Any]
    move: Callable[[int], object]


class Frames(NamedTuple):
    """Frames as indices (height, width) into a palette, a text for each, and the rows with panels.

    The page shows only these rows, in two halves: side by side or, on a narrow screen, one below
    the other.
    """

    pictures: list[Array]
    palette: Array
    texts: list[str]
    rows: slice


def draw(run: Run, progress: Progress) -> dict[str, bytes]:
    """Return the files of a run's animation by name; ``progress`` gets the share that is done.

    Raises ValueError if the run has no snapshots.
    """
    frames = _frames(run, progress)
    return {"animation.gif": _gif(frames), "animation.html": _html(run, frames).encode()}


def _frames(run: Run, progress: Progress) -> Frames:
    """Draw all frames, with a common palette."""
    epochs, network = run.snapshots()
    texts = [_text(run, epoch, network.chosen([k])) for k, epoch in enumerate(epochs.tolist())]
    with style(), np.errstate(all="ignore"):
        figure = page(run, "learning by epoch", [f"seed {run.config.seed}"], height=HEIGHT)
        figure.set_dpi(DPI)
        headline = figure.words(figure.left, figure.top, "", size=NORMAL, weight="bold", va="top")
        figure.top -= 0.25
        panels = list(_panels(figure, run, epochs, network))
        panels.append(Panel([headline], lambda k: headline.set_text(texts[k])))
        histogram = Histogram()
        cells = []
        for pixels in _drawn(figure, panels, len(epochs)):
            cells.append(histogram.cells(pixels))
            progress(len(cells) / len(epochs))
    palette, nearest, _ = histogram.palette(most=int(TRANSPARENT))
    height = len(cells[0])
    rows = slice(height - round(figure.top * DPI), height - round(figure.bottom * DPI))
    return Frames([nearest[one] for one in cells], palette, texts, rows)


def _text(run: Run, epoch: int, network: TrainedNetwork) -> str:
    """Return "epoch 12: train accuracy 81.0%, test accuracy 78.5%"."""
    if not np.isfinite(network.theta).all():
        return f"epoch {epoch}: diverged"
    data = run.data()
    shares = []
    for part in ("train", "test"):
        x, labels = data.part(part)
        if labels.size:
            right = predictions(network.logits(x[:1])) == labels[:1]
            shares.append(f"{part} accuracy {right.mean():.1%}")
    return f"epoch {epoch}: {', '.join(shares)}"


def _panels(figure: Picture, run: Run, epochs: Array, network: TrainedNetwork) -> Iterator[Panel]:
    """Yield the decision field (of two features), the loss, and the activation (of hidden layers).

    The first panel fills the left half of the figure, the others share the right half.
    """
    drawers: list[Callable[[Box], Panel]] = []
    if network.features == 2:
        drawers.append(partial(_field, figure, run, network))
    drawers.append(partial(_loss, figure, run, epochs))
    if network.hidden:
        drawers.append(partial(_activation, figure, run, network))
    left, right = figure.left + 0.55, figure.right - 0.1
    bottom, top = figure.bottom + 0.45, figure.top - 0.2
    middle = (figure.left + figure.right) / 2
    boxes = [(left, bottom, middle - 0.15, top), (middle + 0.7, bottom, right, top)]
    if len(drawers) == 3:
        edge = bottom + 0.47 * (top - bottom)
        boxes[1:] = [
            (middle + 0.7, edge + 0.5, right, top),
            (middle + 0.7, bottom, right, edge - 0.2),
        ]
    for drawer, box in zip(drawers, boxes, strict=False):
        yield drawer(box)


def _field(figure: Picture, run: Run, network: TrainedNetwork, box: Box) -> Panel:
    """Draw the decision field and the samples."""
    data = run.data()
    extent = extent_of(np.concatenate([data.train_x[0], data.test_x[0]]))
    left, bottom, right, top = box
    axes = field_axes(figure, extent, left, top, right - left, top - bottom)
    axes.set(xlim=extent[:2], ylim=extent[2:])
    blank = np.zeros((RESOLUTION, RESOLUTION, 3), np.uint8)
    image = axes.imshow(
        blank, extent=extent, origin="lower", interpolation="bilinear", aspect="auto"
    )
    lines = LineCollection([], colors=INK, linewidths=1.2)
    axes.add_collection(lines, autolim=False)
    samples = draw_samples(axes, data, 0)

    def move(k: int) -> None:
        (logits,) = evaluate(network.chosen([k]), extent, RESOLUTION)
        image.set_data(field_colours(logits, FINER))
        lines.set_segments(boundary_lines(logits, extent))

    return Panel([image, lines, *samples], move)


def _loss(figure: Picture, run: Run, epochs: Array, box: Box) -> Panel:
    """Draw the losses: in colour up to the frame's epoch, pale after it."""
    axes = figure.place(*box)
    name = run.config.activation["name"]
    shades = {"train": counterpart(name), "test": colour(name)}
    recorded = run.history["epoch"][0]
    curves = {part: run.history[f"{part}_loss"][0] for part in shades}
    curves = {part: curve for part, curve in curves.items() if np.isfinite(curve).any()}
    axes.set_xlim(epochs[0], max(epochs[-1], epochs[0] + 1))
    limits = log_limits(np.concatenate([np.empty(0), *curves.values()]), np.empty(0))
    if limits:
        axes.set_yscale("log")
        axes.set_ylim(*limits)
        log_ticks(axes.yaxis, *limits, most=5)
    round_ticks(axes.xaxis, 6, integer=True)
    axes.set_xlabel("epoch")
    words_at_ends(axes, [(f"{part} loss", shades[part]) for part in curves], (1, 4))
    moving = []
    for part, curve in curves.items():
        axes.plot(recorded, curve, color=PALE, linewidth=1)
        (line,) = axes.plot([], [], color=shades[part])
        (dot,) = axes.plot([], [], "o", color=shades[part], markersize=5, clip_on=False)
        moving.append((curve, line, dot))

    def move(k: int) -> None:
        past = recorded <= epochs[k]
        for curve, line, dot in moving:
            line.set_data(recorded[past], curve[past])
            dot.set_data(recorded[past][-1:], curve[past][-1:])

    return Panel([artist for _, *artists in moving for artist in artists], move)


def _activation(figure: Picture, run: Run, network: TrainedNetwork, box: Box) -> Panel:
    """Draw f and f', and below them the pre-activations of the first and last hidden layers."""
    x = run.data().train_x[:1, :MOST_SAMPLES]
    last = network.replicates - 1
    layers = sorted({0, len(network.hidden) - 1})

    def inputs_of(k: int) -> list[Array]:
        found = network.chosen([k]).preactivations(x)
        return [finite(found[layer]) for layer in layers]

    kinks = network.activations[0].kinks
    function = variants(network.chosen([last]), layers)[0].function
    low, high = input_range(function, list(zip(inputs_of(0), inputs_of(last), strict=True)))
    grid = with_kinks(np.linspace(low, high, 401), kinks)

    def curves(k: int) -> list[Array]:
        one = variants(network.chosen([k]), layers)[0].function
        return [apart(y, grid, kinks) for y in one(grid)]

    left, bottom, right, top = box
    height = 0.22 * len(layers)
    above = figure.place(left, bottom + height + 0.08, right, top)
    below = figure.place(left, bottom, right, bottom + height)
    reach = 1.2 * max(abs(low), abs(high))
    values = finite(np.concatenate([*curves(0), *curves(last)]))
    ends = (values.min(), values.max()) if values.size else (-1.0, 1.0)
    ends = max(ends[0], -reach), min(ends[1], reach)
    room = 0.06 * (ends[1] - ends[0]) or 1.0
    above.set(xlim=(low, high), ylim=(ends[0] - room, ends[1] + room), xticks=[])
    above.axhline(0, color=PALE, linewidth=0.8)
    round_ticks(above.yaxis, 4)
    below.set(xlim=(low, high), ylim=(0, len(layers)), xlabel="pre-activation x")
    names = [f"layer {layer + 1}" for layer in layers]
    below.set_yticks(np.arange(len(layers))[::-1] + 0.4, names)
    below.tick_params(axis="y", length=0)
    below.spines["left"].set_visible(False)
    round_ticks(below.xaxis, 7)
    shade = colour(run.config.activation["name"])
    words_at_ends(above, [("f(x)", shade), ("f'(x), dashed", INK)], (1, 4))
    (f,) = above.plot([], [], color=shade)
    (slope,) = above.plot([], [], color=INK, linewidth=1.2, linestyle=(0, (5, 2)))
    edges = np.linspace(low, high, _BINS + 1)
    bars = [
        below.stairs(np.zeros(_BINS), edges, fill=True, color=shade, alpha=0.45) for _ in layers
    ]

    def move(k: int) -> None:
        for line, y in zip((f, slope), curves(k), strict=True):
            line.set_data(grid, y)
        for row, (bar, inputs) in enumerate(zip(bars, inputs_of(k), strict=True)):
            count = np.histogram(inputs, edges)[0]
            base = len(layers) - 1 - row
            bar.set_data(base + 0.85 * count / max(count.max(), 1), edges, base)

    return Panel([f, slope, *bars], move)


def _drawn(figure: Picture, panels: list[Panel], frames: int) -> Iterator[Array]:
    """Yield the pixels (height, width, 4) of each frame."""
    moving: list[Artist] = [artist for panel in panels for artist in panel.artists]
    for artist in moving:
        artist.set_animated(True)
    canvas: Any = figure.canvas
    canvas.draw()
    still = canvas.copy_from_bbox(figure.bbox)
    for k in range(frames):
        canvas.restore_region(still)
        for panel in panels:
            panel.move(k)
        for artist in moving:
            figure.draw_artist(artist)
        yield np.asarray(canvas.buffer_rgba())


def _gif(frames: Frames) -> bytes:
    """Return the frames as a GIF. A pixel that changes invisibly little keeps its colour, which
    makes the file smaller."""
    colours = frames.palette.astype(int)
    alike = abs(colours[:, None] - colours).max(axis=-1) <= LEAST_CHANGE
    shown = frames.pictures[0]
    images = [with_palette(shown, frames.palette)]
    for picture in frames.pictures[1:]:
        stays = alike[shown, picture]
        images.append(with_palette(np.where(stays, TRANSPARENT, picture), frames.palette))
        shown = np.where(stays, shown, picture)
    stream = io.BytesIO()
    images[0].save(
        stream,
        "gif",
        save_all=True,
        append_images=images[1:],
        duration=[*[MILLISECONDS] * (len(images) - 1), AT_THE_END],
        loop=0,
        transparency=int(TRANSPARENT),
        disposal=1,  # draw each frame over the previous one
        optimize=False,
    )
    return stream.getvalue()


def _html(run: Run, frames: Frames) -> str:
    """Return a web page, made by ``web_page.fill``, that shows one frame at a time."""
    pictures = [
        [_data_url(half, frames.palette) for half in np.split(picture[frames.rows], 2, axis=1)]
        for picture in frames.pictures
    ]
    text = escape(frames.texts[-1])
    places = {
        "title": escape(f"{run.config.title}: learning by epoch"),
        "facts": escape(f"{settings(run)}. Seed {run.config.seed}."),
        "last": str(len(pictures) - 1),
        "text": text,
        "pictures": "".join(f'<img alt="{text}" src="{url}">' for url in pictures[-1]),
        "command": escape(run.summary["command"]),
        "data": as_json(
            {"texts": frames.texts, "pictures": pictures, "milliseconds": MILLISECONDS}
        ),
    }
    return fill(_PAGE / "animation.html", ["animation.js"], places)


def _data_url(picture: Array, palette: Array) -> str:
    stream = io.BytesIO()
    with_palette(picture, palette).save(stream, "png")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
