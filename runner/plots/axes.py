"""The limits of axes. One rule for all: what is drawn lies inside, or the caption says what
does not."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, MaxNLocator

from activations.base import Array

BEYOND = 100
"""How many times beyond the middle 96% of its lines a logarithmic axis may reach."""
_TICKED = (1e-150, 1e150)  # Matplotlib puts ticks far beyond the limits: these are floats too


def log_limits(lines: Array, bands: Array) -> tuple[float, float] | None:
    """Return limits that show lines and bands, None if no line has a positive value.

    One burst before a divergence, or a band over few replicates, must not press all lines
    flat: the limits are at most BEYOND times outside the middle 96% of the lines' values.
    """
    positive = lines[np.isfinite(lines) & (lines > 0)]
    if not positive.size:
        return None
    drawn = np.concatenate([positive, bands[np.isfinite(bands) & (bands > 0)]])
    usual = np.quantile(positive, (0.02, 0.98)).tolist()
    ends = max(drawn.min(), usual[0] / BEYOND), min(drawn.max(), usual[1] * BEYOND)
    low, high = np.clip(ends, *_TICKED).tolist()
    room = (high / low) ** 0.05 if high > low else 1.5
    return low / room, high * room


def linear_limits(
    drawn: Array, least: float = -np.inf, most: float = np.inf
) -> tuple[float, float]:
    """Return limits around everything drawn, with a little room up to ``least`` and ``most``."""
    seen = drawn[np.isfinite(drawn)]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    room = 0.05 * (high - low) or 0.02
    return max(low - room, least), min(high + room, most)


def beyond(panels: Iterable[tuple[tuple[float, float], Array]]) -> str:
    """Return a note on what lies outside the limits of some panels, empty if nothing does."""
    below, above = [], []
    for (low, high), drawn in panels:
        below += drawn[drawn < low].tolist()
        above += drawn[drawn > high].tolist()
    ends = [f"down to {min(below):.2g}"] if below else []
    ends += [f"up to {max(above):.2g}"] if above else []
    return f"beyond the axis: values {' and '.join(ends)}" if ends else ""


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """Put ticks at powers of ten, with round numbers between where there are few."""
    decades = np.log10(high / low)
    if decades < 0.3:
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    else:
        many = [1] if decades > 3 else [1, 2, 5] if decades > 1.2 else [1, 1.5, 2, 3, 5, 7]
        axis.set_major_locator(LogLocator(10, subs=many, numticks=9))
    if decades <= 3:
        axis.set_major_formatter(lambda value, _: f"{value:.4g}")
    axis.axes.minorticks_off()
