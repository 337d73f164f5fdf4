"""The decision field over the plane of two features."""

from __future__ import annotations

from typing import Any

import numpy as np

from activations.base import Array

RESOLUTION = 160
POINTS_AT_ONCE = 1024
"""Functions may need thirty times the memory of what they are applied to."""
Extent = tuple[float, float, float, float]
"""Left, right, bottom, top, as Matplotlib's imshow takes it."""


def _extent(data: Any) -> Extent:
    x = np.concatenate([part.reshape(-1, 2) for part in (data.train_x, data.test_x)])
    low, high = x.min(axis=0), x.max(axis=0)
    room = 0.06 * np.maximum(high - low, 1e-9)
    (left, bottom), (right, top) = (low - room).tolist(), (high + room).tolist()
    return left, right, bottom, top


def _field(run: Any, chosen: list[int], extent: Extent) -> Array:
    """Return logits (chosen, rows, columns, 1 or classes) on a grid, bottom row first."""
    left, right, bottom, top = extent
    columns, rows = np.meshgrid(
        np.linspace(left, right, RESOLUTION), np.linspace(bottom, top, RESOLUTION)
    )
    points = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    network = run.network().chosen(chosen)
    parts = np.split(points, range(POINTS_AT_ONCE, len(points), POINTS_AT_ONCE))
    with np.errstate(all="ignore"):
        logits = np.concatenate([network.logits(part) for part in parts], axis=1)
    return np.asarray(logits.reshape(len(chosen), RESOLUTION, RESOLUTION, -1))


def _grid(extent: Extent) -> tuple[Array, Array]:
    left, right, bottom, top = extent
    return np.linspace(left, right, RESOLUTION), np.linspace(bottom, top, RESOLUTION)
