"""A passport's picture as SVG; the page's style, light or dark, sets the colours."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from activations.base import Array
from activations.passport.drawing import Drawing, density, ticks

LARGE, SMALL = (760, 400), (180, 112)
"""Width and height of a picture, in SVG units."""
PLOT = {"left": 44, "top": 8, "right": 752, "bottom": 374}
"""The edges of the large picture's plot."""


def portrait(drawing: Drawing, title: str) -> str:
    """Return the small picture: curves and zero lines only."""
    frame = _Frame(drawing, 2, 2, SMALL[0] - 2, SMALL[1] - 2)
    curves = _curves(frame, drawing, every=8)
    return _svg(SMALL, title, [*_background(frame), *curves])


def picture(drawing: Drawing, title: str) -> str:
    """Return the large picture, with axes and marks."""
    frame = _Frame(drawing, **PLOT)
    left, top, right, bottom = frame.edges
    parts = [*_background(frame)]
    for x in ticks(*drawing.x, 11):
        at = frame.x(x)
        parts.append(f'<path class="tick" d="M{at:.1f} {bottom}v4"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 17}" text-anchor="middle">{_tick(x)}</text>')
    for y in ticks(*drawing.y, 8):
        at = frame.y(y)
        parts.append(f'<path class="tick" d="M{left} {at:.1f}h-4"/>')
        label = f'y="{at + 4:.1f}" text-anchor="end">{_tick(y)}</text>'
        parts.append(f'<text x="{left - 8}" {label}')
    parts.append(f'<path class="tick" d="M{left} {top}V{bottom}H{right}" fill="none"/>')
    parts += _curves(frame, drawing, every=2)
    for x, y, which in drawing.marks:
        parts.append(f'<circle class="{which}" cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="4"/>')
    parts.append('<path id="cursor" class="cursor" d=""/>')
    return _svg(LARGE, title, parts)


class _Frame:
    """Conversion of x and y to coordinates in the picture."""

    def __init__(self, drawing: Drawing, left: int, top: int, right: int, bottom: int) -> None:
        self.edges = left, top, right, bottom
        self.limits = drawing.x, drawing.y

    def x(self, value: Any) -> Any:
        low, high = self.limits[0]
        return self.edges[0] + (value - low) / (high - low) * (self.edges[2] - self.edges[0])

    def y(self, value: Any) -> Any:
        low, high = self.limits[1]
        return self.edges[3] - (value - low) / (high - low) * (self.edges[3] - self.edges[1])


def _svg(size: tuple[int, int], title: str, parts: list[str]) -> str:
    label = escape(f"{title} and its derivative")
    return (
        f'<svg viewBox="0 0 {size[0]} {size[1]}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def _background(frame: _Frame) -> list[str]:
    """Return the shading of N(0, 1) and the two zero lines."""
    left, top, right, bottom = frame.edges
    low, high = frame.limits[0]
    x = np.linspace(low, high, 81)
    heights = bottom - 0.3 * (bottom - top) * density(x)
    points = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(frame.x(x), heights, strict=True))
    parts = [f'<path class="shade" d="M{left} {bottom}L{points}L{right} {bottom}Z"/>']
    if low < 0 < high:
        parts.append(f'<path class="zero" d="M{frame.x(0.0):.1f} {top}V{bottom}"/>')
    if frame.limits[1][0] < 0 < frame.limits[1][1]:
        parts.append(f'<path class="zero" d="M{left} {frame.y(0.0):.1f}H{right}"/>')
    return parts


def _curves(frame: _Frame, drawing: Drawing, every: int) -> list[str]:
    strengths = np.linspace(1, 0.35, len(drawing.curves))[::-1]
    parts = []
    for curve, strength in zip(drawing.curves, strengths, strict=True):
        for which, y in (("slope", curve.slope), ("f", curve.value)):
            path = _path(frame, curve.x, y, every)
            parts.append(f'<path class="{which}" opacity="{strength:.2g}" d="{path}"/>')
    return parts


def _path(frame: _Frame, x: Array, y: Array, every: int) -> str:
    """Return the curve as a path of every ``every``-th point and of the points next to gaps.

    y is clipped half a picture's height above and below the picture.
    """
    height = frame.edges[3] - frame.edges[1]
    gap = ~np.isfinite(y)
    beside = np.convolve(gap, [1, 1, 1], "same") > 0
    kept = beside | (np.arange(len(x)) % every == 0)
    kept[[0, -1]] = True
    across, down = frame.x(x[kept]), frame.y(y[kept])
    down = np.clip(down, frame.edges[1] - height / 2, frame.edges[3] + height / 2)
    words, pen = [], "M"
    for a, b in zip(across.tolist(), down.tolist(), strict=True):
        if np.isfinite(b):
            words.append(f"{pen}{a:.1f} {b:.1f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(words)


def _tick(value: float) -> str:
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")
