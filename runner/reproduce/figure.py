"""The layout of a reproduction's figure."""

from __future__ import annotations

from matplotlib.axes import Axes

from runner.plots.style import Picture
from runner.reproduce.reproduction import Reproduction

_LABELS, _BETWEEN, _BELOW = 0.72, 0.78, 0.5
"""Inches for the axis labels: left of the first panel, between panels, below."""


def blank(reproduction: Reproduction) -> Picture:
    """Return a figure with title, source and command, but no panels yet."""
    source = reproduction.sources[0]
    return Picture(
        reproduction.title,
        f"{source.short}: {source.title}",
        footer=reproduction.command,
        height=reproduction.height,
    )


def panels(picture: Picture, count: int = 1, *, beside: float = 0.15) -> list[Axes]:
    """Return ``count`` axes side by side.

    ``beside`` is the free space in inches to the right of each, for labels at line ends.
    """
    left, right = picture.left + _LABELS, picture.right
    width = (right - left - (count - 1) * _BETWEEN) / count
    found = []
    for k in range(count):
        start = left + k * (width + _BETWEEN)
        box = start, picture.bottom + _BELOW, start + width - beside, picture.top - 0.25
        found.append(picture.place(*box))
    return found
