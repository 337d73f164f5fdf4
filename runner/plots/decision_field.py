"""The decision field: a network's prediction at every point of the plane."""

from __future__ import annotations

from typing import Any

import numpy as np
from contourpy import LineType, contour_generator
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap

from activations.base import Array
from runner.plots.colours import PALETTE, class_colours, rgb
from runner.results.trained_network import TrainedNetwork

STRENGTH = 0.62
"""The share of a class's colour where the network is certain; paler than the samples' colours."""

PROBABILITY = LinearSegmentedColormap.from_list(
    "probability", [rgb(PALETTE[0], STRENGTH), rgb("#ffffff"), rgb(PALETTE[1], STRENGTH)]
)
"""The colours of P(class 1) for two classes; 0.5 is white."""

MOST_FINER = 2
"""A cell of the grid is divided into at most this many pixels along each side."""
_FAR = 1e30  # the sum of two such logits is still finite in float32

Extent = tuple[float, float, float, float]
"""Left, right, bottom, top, as in Matplotlib's imshow."""


def extent_of(points: Array) -> Extent:
    """Return the extent of points (..., 2), with a margin of 6% on each side."""
    x = points.reshape(-1, 2)
    low, high = x.min(axis=0), x.max(axis=0)
    room = 0.06 * np.maximum(high - low, 1e-9)
    (left, bottom), (right, top) = (low - room).tolist(), (high + room).tolist()
    return left, right, bottom, top


def evaluate(network: TrainedNetwork, extent: Extent, resolution: int) -> Array:
    """Return the logits of all replicates on a grid over the extent.

    The shape is (replicates, resolution, resolution, 1 or classes), with the bottom row first.
    """
    left, right, bottom, top = extent
    columns, rows = np.meshgrid(
        np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    )
    points = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    with np.errstate(all="ignore"):
        logits = network.logits(points)
    return np.asarray(logits.reshape(len(logits), resolution, resolution, -1))


def draw_field(axes: Axes, logits: Array, box: Extent) -> None:
    """Fill a box with one replicate's field, in the colours of ``field_colours``."""
    left, right, _, _ = box
    ends = axes.transData.transform([(left, 0), (right, 0)])[:, 0]
    finer = int(np.clip(np.ptp(ends) / logits.shape[1], 1, MOST_FINER))
    image = field_colours(logits, finer)
    axes.imshow(image, extent=box, origin="lower", interpolation="bilinear", aspect="auto")


def field_colours(logits: Array, finer: int = 1) -> Array:
    """Return uint8 colours, (finer * rows, finer * columns, 3).

    A pixel has the colour of the most probable class, mixed with white. If p is the probability of
    this class, the share of the colour is (p - 1/classes) / (1 - 1/classes), so the pixel is white
    if all classes are equally probable. Logits are interpolated, because interpolated colours would
    show steps at the boundary.
    """
    z = np.moveaxis(_of_classes(logits), -1, 0).clip(-_FAR, _FAR).astype(np.float32)
    best = _finer(z[0], finer)
    total = np.ones_like(best)
    likeliest = np.zeros(best.shape, np.intp)
    for k, coarse in enumerate(z[1:], start=1):
        own = _finer(coarse, finer)
        wins, other = own > best, np.exp(-np.abs(own - best))
        total = np.where(wins, 1 + total * other, total + other)
        best = np.maximum(best, own)
        likeliest[wins] = k
    chance = 1 / len(z)
    sure = (1 / total - chance) / (1 - chance)
    inks = (255 * STRENGTH * (1 - class_colours(len(z)))).astype(np.float32)
    return (255.5 - sure[..., None] * inks[likeliest]).astype(np.uint8)


def _finer(values: Array, times: int) -> Array:
    """Return values (rows, columns), interpolated linearly to ``times`` as many rows and columns.

    The given values belong to points whose first and last lie on the edges; the returned ones
    belong to the centres of pixels.
    """
    for _ in range(2):
        points = len(values)
        places = (np.arange(times * points) + 0.5) * (points - 1) / (times * points)
        lower = places.astype(np.intp)
        share = (places - lower).astype(values.dtype)[:, None]
        values = (values[lower] * (1 - share) + values[lower + 1] * share).T
    return values


def draw_boundary(axes: Axes, logits: Array, box: Extent, **how: Any) -> None:
    """Draw the lines of ``boundary_lines`` in a box."""
    axes.add_collection(LineCollection(boundary_lines(logits, box), **how), autolim=False)


def boundary_lines(logits: Array, box: Extent) -> list[Any]:
    """Return the lines (points, 2) in a box at which one replicate's most probable class changes.

    All lines around one class are one array with NaN between the lines. One array for each of
    thousands of lines would take ten times the memory.
    """
    z = _of_classes(logits)
    left, right, bottom, top = box
    x, y = np.linspace(left, right, z.shape[1]), np.linspace(bottom, top, z.shape[0])
    second, first = np.moveaxis(np.partition(z, -2, axis=-1)[..., -2:], -1, 0)
    lines: list[Any] = []
    for own in np.moveaxis(z, -1, 0)[1:]:  # class 0's boundary consists of the others' boundaries
        height = own - np.where(own == first, second, first)
        found = contour_generator(x, y, height, line_type=LineType.ChunkCombinedOffset).lines(0.0)
        for points, starts in zip(*found, strict=True):
            if points is not None:
                lines.append(np.insert(points, starts[1:-1].astype(np.intp), np.nan, axis=0))
    return lines


def _of_classes(logits: Array) -> Array:
    """Return finite logits, (rows, columns, classes). A single logit is that of class 1; class 0
    then gets the logit 0."""
    z = np.nan_to_num(logits.astype(np.float64))
    return z if z.shape[-1] > 1 else np.concatenate([np.zeros_like(z), z], axis=-1)
