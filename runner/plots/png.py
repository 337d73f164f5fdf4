"""PNG files with a palette: a third of the size, white stays white, no steps to be seen."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from activations.base import Array

_COLOURS = 256
_CELLS = 1 << 15
_MOST_ERROR = 2.0
"""RMS difference, of 255 levels, above which the fullest cells will not do."""


def png(pixels: Array, dpi: float) -> bytes:
    """Return opaque pixels (height, width, 4) uint8 as a PNG file, same in, same out.

    Pixels are put into the 32^3 cells of colour space. The fullest cells' mean colours and
    white are the palette, every other cell takes the nearest of them: flat areas keep their
    colour to one level, antialiased edges move by less than shows. Where colours are spread
    too evenly for that, median cut takes over, which is slower.
    """
    height, width = pixels.shape[:2]
    flat = np.ascontiguousarray(pixels).reshape(-1, 4)
    drawn = np.flatnonzero(flat.view(np.uint32).ravel() != 0xFFFFFFFF)
    colours = flat[drawn, :3]
    cell = np.zeros(len(drawn), dtype=np.intp)
    for channel in colours.T:
        cell <<= 5
        cell |= channel >> 3
    counts = np.bincount(cell, minlength=_CELLS)
    used = np.flatnonzero(counts)
    counts = counts[used]
    totals = [np.bincount(cell, colours[:, c], _CELLS)[used] for c in range(3)]
    means = np.stack(totals, axis=-1) / counts[:, None]
    fullest = np.argsort(-counts, kind="stable")[: _COLOURS - 1]
    palette = np.concatenate([np.full((1, 3), 255.0), means[fullest]])
    # |a - b|^2 without |a|^2, which is the same for every candidate b.
    distances = (palette**2).sum(axis=-1) - 2 * means @ palette.T
    squares = distances.min(axis=-1) + (means**2).sum(axis=-1)
    if (counts * squares).sum() > _MOST_ERROR**2 * max(len(drawn), 1):
        image = Image.fromarray(np.ascontiguousarray(pixels[..., :3])).quantize(
            _COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
    else:
        nearest = np.zeros(_CELLS, dtype=np.uint8)
        nearest[used] = distances.argmin(axis=-1)
        index = np.zeros(height * width, dtype=np.uint8)
        index[drawn] = nearest[cell]
        image = Image.fromarray(index.reshape(height, width))
        image.putpalette(np.rint(palette).astype(np.uint8).tobytes())
    stream = io.BytesIO()
    image.save(stream, "png", dpi=(dpi, dpi))
    return stream.getvalue()
