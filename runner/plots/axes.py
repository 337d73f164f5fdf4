"""Limits, ticks and labels of axes. A caption names values beyond the limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator

from activations.base import Array
from runner.plots.style import SMALL

BEYOND = 100
"""A logarithmic axis extends at most by this factor beyond the middle 96% of its lines' values."""
_TICKED = (1e-150, 1e150)  # Matplotlib's ticks far beyond such limits are still finite floats


def log_limits(lines: Array, bands: Array) -> tuple[float, float] | None:
    """Return the limits for lines and bands, or None if no line has a positive value.

    The limits are at most the factor BEYOND outside the middle 96% of the lines' values. Without
    that bound, a burst before a divergence or a wide band would flatten all lines.
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
    """Return limits 5% beyond everything drawn, but never beyond ``least`` and ``most``."""
    seen = drawn[np.isfinite(drawn)]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    room = 0.05 * (high - low) or 0.02
    return max(low - room, least), min(high + room, most)


def beyond(panels: Iterable[tuple[tuple[float, float], Array]]) -> str:
    """Return a note on the values outside the limits of some panels, empty if there are none."""
    below, above = [], []
    for (low, high), drawn in panels:
        below += drawn[drawn < low].tolist()
        above += drawn[drawn > high].tolist()
    ends = [f"down to {min(below):.2g}"] if below else []
    ends += [f"up to {max(above):.2g}"] if above else []
    return f"beyond the axis: values {' and '.join(ends)}" if ends else ""


def inches(axes: Axes) -> tuple[float, float]:
    """Return the width and height of a panel in inches."""
    return axes.bbox.width / axes.figure.dpi, axes.bbox.height / axes.figure.dpi


def percent(axis: Axis) -> None:
    """Label an axis of shares in percent, without trailing zeros."""
    axis.set_major_formatter(lambda value, _: f"{round(100 * value, 6):g}%")


def error_scale(axes: Axes, low: float, step: float) -> None:
    """Scale y by -log(1 - y + step) from a share ``low`` to 1, which spreads values near 1.

    ``step`` is the share of one sample. So the distance between 0 and 1 wrong samples on the axis
    equals that between 1 and 3 wrong samples.
    """
    axes.set_yscale(
        "function",
        functions=(
            lambda y: -np.log(np.maximum(1 + step - np.asarray(y), 1e-12)),
            lambda z: 1 + step - np.exp(-np.asarray(z)),
        ),
    )
    axes.set_ylim(low, 1 + step / 4)
    shares = (0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 1)
    heights = axes.transAxes.inverted().transform(
        axes.transData.transform([(0, share) for share in shares])
    )[:, 1]
    ticks: list[float] = []
    last = np.inf
    for share, height in zip(shares[::-1], heights[::-1], strict=True):
        if share >= low and last - height > 0.055:
            ticks.append(share)
            last = height
    axes.set_yticks(ticks)
    axes.minorticks_off()


def asinh_axis(axes: Axes, low: float, high: float) -> None:
    """Scale x by asinh: linear near 0, logarithmic far from 0."""
    low, high = np.clip([low, high], -_TICKED[1], _TICKED[1]).tolist()
    axes.set_xscale("asinh", linear_width=1.0)
    axes.set_xlim(low, high)
    decades = int(np.log10(max(-low, high)))
    step = -(-(decades + 1) // 4)
    powers = 10.0 ** np.arange(step - 1, decades + 1, step)
    ticks = [value for value in (*-powers[::-1], 0.0, *powers) if low <= value <= high]
    axes.set_xticks(ticks, [("-" if x < 0 else "") + short(abs(x)) if x else "0" for x in ticks])
    axes.minorticks_off()


def round_ticks(axis: Axis, most: int, *, integer: bool = False) -> None:
    """Put about ``most`` ticks at round numbers."""
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10], integer=integer))


def log_ticks(axis: Axis, low: float, high: float, most: int = 9) -> None:
    """Put at most ``most`` ticks at powers of ten, and at round numbers between if they fit."""
    if high < 2 * low:
        round_ticks(axis, 6)
        axis.set_major_formatter(lambda value, _: f"{value:.4g}")
    else:
        values = round_logs(low, high, most)
        axis.set_ticks(values, [short(value) for value in values])
    axis.axes.minorticks_off()


def round_logs(low: float, high: float, most: int) -> list[float]:
    """Return at most ``most`` round values between low and high on a logarithmic scale."""
    lowest, highest = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    for factors in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        values = [
            factor * 10.0**power
            for power in range(lowest, highest + 1)
            for factor in factors
            if low <= factor * 10.0**power <= high
        ]
        if len(values) <= most:
            return values
    return values[:: -(-len(values) // most)]


def short(value: float) -> str:
    """Return a number as a short text: 0.02, 1, 50, 1e-5."""
    if 1e-3 <= value < 1e4:
        return f"{value:g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def draw_band(axes: Axes, x: Array, low: Array, high: Array, shade: str, **how: Any) -> None:
    """Shade an interval along a line."""
    axes.fill_between(x, low, high, color=shade, alpha=0.16, linewidth=0, **how)


def words_at_ends(axes: Axes, words: Iterable[tuple[str, str]], where: tuple[float, float]) -> None:
    """Write up to two (text, colour) at the left and the right end of a panel.

    ``where`` is (height as a share of the panel's, points above that height).
    """
    height, points = where
    for (text, ink), side in zip(words, ("left", "right"), strict=False):
        axes.annotate(
            text,
            (0 if side == "left" else 1, height),
            (0, points),
            xycoords="axes fraction",
            textcoords="offset points",
            ha=side,
            fontsize=SMALL,
            color=ink,
        )


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> Array:
    """Return positions at least ``gap`` apart, in the same order and moved as little as possible.

    The sum of squared moves is minimal (isotonic regression of position minus k gap). The
    positions stay within [low, high] if there is room.
    """
    order = np.argsort(positions, kind="stable")
    wishes = np.asarray(positions, dtype=float)[order] - gap * np.arange(len(order))
    pools: list[list[float]] = []
    for wish in wishes:
        pools.append([wish])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    settled = np.concatenate([np.full(len(pool), np.mean(pool)) for pool in pools])
    settled = np.clip(settled, low, max(low, high - gap * (len(order) - 1)))
    result = np.empty(len(order))
    result[order] = settled + gap * np.arange(len(order))
    return result


def end_labels(
    axes: Axes, labels: Iterable[tuple[float, float, str, Any]], beside: float = 0.14
) -> None:
    """Write labels (x, y, text, colour) ``beside`` inches right of line ends (x, y).

    Labels are moved apart until none overlaps; a thin line joins each to its line end.
    """
    entries = [entry for entry in labels if np.isfinite(entry[1])]
    if not entries:
        return
    width, height = inches(axes)
    to_share = (axes.transData + axes.transAxes.inverted()).transform
    ends = to_share([(x, y) for x, y, _, _ in entries])
    gap = 1.25 * SMALL / 72 / height
    heights = spread(ends[:, 1].tolist(), gap, 0.0, 1.0)
    edge = float(ends[:, 0].max())
    start = edge + beside / width
    for (x, y), at, (_, _, text, shade) in zip(ends, heights, entries, strict=True):
        far = edge - x > 0.03  # a long leader is dotted, so that it does not look like data
        axes.plot(
            [x, edge + 0.03 / width, start - 0.02 / width],
            [y, y, at],
            transform=axes.transAxes,
            color=shade,
            linewidth=0.6,
            linestyle=(0, (1, 3)) if far else "-",
            clip_on=False,
        )
        axes.text(
            start,
            at,
            text,
            transform=axes.transAxes,
            color=shade,
            fontsize=SMALL,
            va="center_baseline",
            parse_math=False,
        )
