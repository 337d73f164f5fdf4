"""Encode pictures as PNG files with a palette of 256 colours, which takes a third of the bytes."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from activations.base import Array

_COLOURS = 256
_CELLS = 1 << 15
_MOST_ERROR = 2.0
"""If the palette causes a larger RMS difference, of 255 levels, median cut is used instead."""


class Histogram:
    """Counts the colours of pictures in 32^3 cells of colour space, for a common palette."""

    def __init__(self) -> None:
        self.counts, self.totals = np.zeros(_CELLS, np.intp), np.zeros((_CELLS, 3))

    def cells(self, pixels: Array) -> Array:
        """Count the pixels of an opaque picture (height, width, 4) uint8, except white ones.

        Returns each pixel's cell, (height, width) uint16; white has the number after the last cell.
        """
        flat = np.ascontiguousarray(pixels).reshape(-1, 4)
        drawn = np.flatnonzero(flat.view(np.uint32).ravel() != 0xFFFFFFFF)
        colours = flat[drawn, :3]
        cell = np.zeros(len(drawn), dtype=np.intp)
        for channel in colours.T:
            cell <<= 5
            cell |= channel >> 3
        self.counts += np.bincount(cell, minlength=_CELLS)
        for c in range(3):
            self.totals[:, c] += np.bincount(cell, colours[:, c], _CELLS)
        cells = np.full(len(flat), _CELLS, dtype=np.uint16)
        cells[drawn] = cell
        return cells.reshape(pixels.shape[:2])

    def palette(self, most: int = _COLOURS) -> tuple[Array, Array, float]:
        """Return a palette, the palette index of each cell, and the RMS difference that it causes.

        The palette, (colours, 3) with at most ``most`` colours, is white and the mean colours of
        the fullest cells. The indices, (cells + 1,), end with that of white. Every other cell gets
        the nearest colour: flat areas keep their colour to one level; edges change invisibly.
        """
        used = np.flatnonzero(self.counts)
        counts = self.counts[used]
        means = self.totals[used] / counts[:, None]
        fullest = np.argsort(-counts, kind="stable")[: most - 1]
        palette = np.concatenate([np.full((1, 3), 255.0), means[fullest]])
        # |a - b|^2 without |a|^2, which does not depend on b
        distances = (palette**2).sum(axis=-1) - 2 * means @ palette.T
        squares = distances.min(axis=-1) + (means**2).sum(axis=-1)
        nearest = np.zeros(_CELLS + 1, dtype=np.uint8)
        nearest[used] = distances.argmin(axis=-1)
        error = np.sqrt(max((counts * squares).sum(), 0.0) / max(counts.sum(), 1))
        return np.rint(palette).astype(np.uint8), nearest, float(error)


def with_palette(index: Array, palette: Array) -> Image.Image:
    """Return an image with indices (height, width) uint8 into a palette."""
    image = Image.fromarray(np.ascontiguousarray(index))
    image.putpalette(palette.tobytes())
    return image


def png(pixels: Array, dpi: float) -> bytes:
    """Return a PNG file of opaque pixels (height, width, 4) uint8; equal pixels give equal bytes.

    If the colours are spread too evenly for the palette of a histogram, median cut chooses the
    palette, which is slower.
    """
    histogram = Histogram()
    cells = histogram.cells(pixels)
    palette, nearest, error = histogram.palette()
    if error > _MOST_ERROR:
        image = Image.fromarray(np.ascontiguousarray(pixels[..., :3])).quantize(
            _COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
    else:
        image = with_palette(nearest[cells], palette)
    stream = io.BytesIO()
    image.save(stream, "png", dpi=(dpi, dpi))
    return stream.getvalue()
