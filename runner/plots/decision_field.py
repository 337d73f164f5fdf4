"""The decision field: what networks with two inputs say at every point of the plane."""

from __future__ import annotations

from typing import Any

import numpy as np
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap

from activations.base import Array
from runner.plots.colours import PALETTE, class_colours, rgb
from runner.results.trained_network import TrainedNetwork

POINTS_AT_ONCE = 1024
"""Functions may need thirty times the memory of what they are applied to."""
STRENGTH = 0.62
"""How much of its colour a certain prediction shows, so that the points stand out."""

PROBABILITY = LinearSegmentedColormap.from_list(
    "probability", [rgb(PALETTE[0], STRENGTH), rgb("#ffffff"), rgb(PALETTE[1], STRENGTH)]
)
"""Of class 1 of two: white where the network cannot tell."""

Extent = tuple[float, float, float, float]
"""Left, right, bottom, top, as Matplotlib's imshow takes it."""


def extent_of(points: Array) -> Extent:
    """Return the extent of points (..., 2), with some room."""
    x = points.reshape(-1, 2)
    low, high = x.min(axis=0), x.max(axis=0)
    room = 0.06 * np.maximum(high - low, 1e-9)
    (left, bottom), (right, top) = (low - room).tolist(), (high + room).tolist()
    return left, right, bottom, top


def evaluate(network: TrainedNetwork, extent: Extent, resolution: int) -> Array:
    """Return the logits of all replicates on a grid, bottom row first:
    (replicates, resolution, resolution, 1 or classes)."""
    left, right, bottom, top = extent
    columns, rows = np.meshgrid(
        np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    )
    points = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    parts = np.split(points, range(POINTS_AT_ONCE, len(points), POINTS_AT_ONCE))
    with np.errstate(all="ignore"):
        logits = np.concatenate([network.logits(part) for part in parts], axis=1)
    return np.asarray(logits.reshape(len(logits), resolution, resolution, -1))


def draw_field(axes: Axes, logits: Array, box: Extent) -> None:
    """Fill a box with one replicate's field: the likeliest class's colour, paler where the
    network is less sure of it, white where all classes are equally likely."""
    z = _of_classes(logits)
    weights = np.exp(z - z.max(axis=-1, keepdims=True))
    chance = 1 / z.shape[-1]
    sure = (weights.max(axis=-1) / weights.sum(axis=-1) - chance) / (1 - chance)
    shades = class_colours(z.shape[-1])[weights.argmax(axis=-1)]
    image = np.rint(255 * (1 - STRENGTH * sure[..., None] * (1 - shades))).astype(np.uint8)
    axes.imshow(image, extent=box, origin="lower", interpolation="bilinear", aspect="auto")


def draw_boundary(axes: Axes, logits: Array, box: Extent, **how: Any) -> None:
    """Draw in a box the lines at which one replicate's likeliest class changes."""
    z = _of_classes(logits)
    left, right, bottom, top = box
    x, y = np.linspace(left, right, z.shape[1]), np.linspace(bottom, top, z.shape[0])
    second, first = np.moveaxis(np.partition(z, -2, axis=-1)[..., -2:], -1, 0)
    lines: list[Any] = []
    for own in np.moveaxis(z, -1, 0)[1:]:  # what parts the first class from one of the others
        lines += contour_generator(x, y, own - np.where(own == first, second, first)).lines(0.0)
    axes.add_collection(LineCollection(lines, **how), autolim=False)


def _of_classes(logits: Array) -> Array:
    """Return (rows, columns, classes) finite logits; the single one of two classes is the
    second's beside 0 for the first."""
    z = np.nan_to_num(logits.astype(np.float64))
    return z if z.shape[-1] > 1 else np.concatenate([np.zeros_like(z), z], axis=-1)
