"""flow and units: the gradient that reaches each layer, and the units lost in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm, to_rgba
from matplotlib.ticker import MaxNLocator

from activations.base import Array
from runner.network.measurements import flatness
from runner.plots.captions import page
from runner.plots.style import (
    GREY,
    PALE,
    SMALL,
    Picture,
    colour,
    colour_bar,
    counterpart,
)

MOST_COLUMNS = 400
_MISSING = to_rgba("#bdbdbd")
_SHARES = LinearSegmentedColormap.from_list("shares", ["#f1f1f1", "#8cc9ee", "#0072b2", "#00263b"])
"""Nearly white for a healthy layer, dark for a lost one."""
_ROWS = (3.2, 5.2)
"""Height for the layers in inches: for few of them, and at most."""


def flow(run: Any) -> Picture:
    """Draw the gradient reaching each layer: by epoch, and before and after training."""
    rms = _by_layer(run, "gradient_rms")
    layers = len(rms)
    notes = [
        "RMS of d(loss of a sample)/d(pre-activation)"
        + (", geometric mean over seeds" if run.config.replicates > 1 else ""),
        _grey(bool((rms == 0).any()), bool(np.isnan(rms).all(axis=1).any())),
    ]
    figure, base, height = _page(run, "gradient by layer", notes, layers)
    middle = figure.left + 4.55
    left = figure.place(figure.left + 0.6, base, middle - 0.2, base + height)
    right = figure.place(middle + 1.1, base, figure.right, base + height)
    centre = _geometric_mean(rms)
    positive = centre[np.isfinite(centre) & (centre > 0)]
    low, high = (positive.min(), positive.max()) if positive.size else (0.1, 1.0)
    low, high = (low, high) if high > 3 * low else (low / 2, high * 2)
    norm = LogNorm(low, high)
    image = colormaps["viridis"](norm(np.where(centre > 0, centre, low)))
    image[~(centre > 0)] = _MISSING
    _heat(left, run, image)
    marks = [(float(norm(v)), _short(v)) for v in _log_ticks(low, high, most=8)]
    box = (middle - 0.05, base, middle + 0.08, base + height)
    colour_bar(figure, box, colormaps["viridis"], marks)
    _layer_ticks(left, layers, output=True)
    left.set_ylabel("layer")
    left.set_title("while training", fontsize=SMALL, loc="left", color=GREY)
    _profiles(right, run, rms, centre)
    _layer_ticks(right, layers, output=True)
    return figure


def units(run: Any) -> Picture | None:
    """Draw the share of dead units and of outputs where f is flat, by layer and epoch.

    Returns None for a network without hidden layers.
    """
    layers = len(run.config.model.hidden)
    if not layers:
        return None
    dead, saturated = _by_layer(run, "dead"), _by_layer(run, "saturated")
    state = flatness(run.network().prototype)
    what = f"dead: same output for every training sample; {state}: |f'| < 0.05"
    notes = [
        what + ("; mean over seeds" if run.config.replicates > 1 else ""),
        _grey(False, bool(np.isnan(dead).all(axis=1).any())),
    ]
    figure, base, height = _page(run, "dead units and flat outputs", notes, layers)
    room = (figure.right - figure.left - 0.6 - 0.75) / 2
    starts = (figure.left + 0.6, figure.left + 0.6 + room + 0.1)
    panels = (("dead units", dead), (f"outputs {state}", saturated))
    for start, (title, shares) in zip(starts, panels, strict=True):
        axes = figure.place(start, base, start + room - 0.6, base + height)
        axes.set_title(title, fontsize=SMALL, loc="left", color=GREY)
        centre = _mean(shares)
        image = _SHARES(np.nan_to_num(centre))
        image[np.isnan(centre)] = _MISSING
        _heat(axes, run, image)
        _layer_ticks(axes, layers, output=False)
        if start == starts[0]:
            axes.set_ylabel("hidden layer")
        else:
            axes.tick_params(labelleft=False)
        if np.isnan(centre).all():
            _say(
                axes,
                "not measured:\nonly elementwise functions\nhave a slope per output",
            )
            continue
        _last_values(axes, centre)
    box = (figure.right - 0.62, base, figure.right - 0.49, base + height)
    colour_bar(figure, box, _SHARES, [(n / 4, f"{n / 4:.0%}") for n in range(5)])
    return figure


def _grey(zero: bool, lost: bool) -> str:
    causes = [*(["exactly 0"] if zero else []), *(["no seed left"] if lost else [])]
    return f"grey: {' or '.join(causes)}" if causes else ""


def _page(run: Any, subject: str, notes: list[str], layers: int) -> tuple[Picture, float, float]:
    """Return a page tall enough for its layers, and the axes' lower edge and height."""
    wanted = min(max(_ROWS[0], 0.17 * layers), _ROWS[1])
    figure = page(run, subject, notes, height=wanted + 1.9)
    base = figure.bottom + 0.48
    return figure, base, figure.top - 0.22 - base


def _by_layer(run: Any, quantity: str) -> Array:
    """Return (layers, replicates, records), first layer first."""
    columns: list[Array] = []
    while f"layer{len(columns) + 1}_{quantity}" in run.history:
        columns.append(run.history[f"layer{len(columns) + 1}_{quantity}"])
    values = np.array(columns, dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def _mean(values: Array) -> Array:
    """Mean over the replicates that are still there, NaN where none is; (layers, records)."""
    there = ~np.isnan(values)
    counts = there.sum(axis=1)
    total = np.where(there, values, 0).sum(axis=1)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def _geometric_mean(values: Array) -> Array:
    """As _mean, of the logarithms: 0 if any replicate's value is exactly 0."""
    with np.errstate(divide="ignore"):
        return np.exp(_mean(np.log(values)))


def _heat(axes: Axes, run: Any, image: Array) -> None:
    """Show colours (layers, records, 4), layer 1 at the bottom, each held until the next."""
    epochs = np.fmax.reduce(run.history["epoch"], axis=0)
    last = max(epochs[-1], epochs[0] + 1)
    shown = np.linspace(epochs[0], last, min(int(last - epochs[0]) + 1, MOST_COLUMNS))
    index = np.clip(np.searchsorted(epochs, shown, side="right") - 1, 0, None)
    half = (last - epochs[0]) / max(len(shown) - 1, 1) / 2
    axes.imshow(
        image[:, index],
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(epochs[0] - half, last + half, 0.5, len(image) + 0.5),
    )
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel("epoch")
    for spine in axes.spines.values():
        spine.set_visible(False)
    for layer in range(1, len(image)):
        if len(image) <= 12:
            axes.axhline(layer + 0.5, color="white", linewidth=1)


def _layer_ticks(axes: Axes, layers: int, output: bool) -> None:
    """Number the layers, every one if there is room; the last is the output."""
    ticks = _numbered(layers)
    axes.set_ylim(0.5, layers + 0.5)
    axes.set_yticks(ticks, ["output" if output and tick == layers else str(tick) for tick in ticks])


def _numbered(layers: int) -> list[int]:
    """Return the layers to number: the first, the last, and round ones with room between."""
    step = 1 if layers <= 20 else 2 if layers <= 40 else 5 if layers <= 100 else 20
    between = [n for n in range(step, layers, step) if n > 1 and layers - n >= step]
    return sorted({1, *between, layers})


def _profiles(axes: Axes, run: Any, rms: Array, centre: Array) -> None:
    """Draw each layer's gradient before training and at the last record, seed by seed."""
    name = run.config.activation["name"]
    shade = colour(name)
    positions = np.arange(1, len(rms) + 1)
    there = np.flatnonzero((centre > 0).any(axis=0))
    axes.set_xscale("log")
    records = [(0, counterpart(name), "before training", -0.12)]
    if there.size and there[-1] > 0:
        records.append((there[-1], shade, "after", 0.12))
    seen = []
    for record, ink, _, shift in records:
        dots = np.where(rms[:, :, record] > 0, rms[:, :, record], np.nan)
        rows = np.broadcast_to(positions[:, None] + shift, dots.shape)
        axes.plot(dots[:, :50], rows[:, :50], "o", ms=3, mfc=ink, mec="none", alpha=0.3)
        line = np.where(centre[:, record] > 0, centre[:, record], np.nan)
        axes.plot(line, positions + shift, "-o", ms=5, lw=1.2, color=ink)
        seen.append(dots[np.isfinite(dots)])
    values = np.concatenate(seen)
    if values.size:
        low, high = values.min(), values.max()
        room = max((high / low) ** 0.06, 2 / np.sqrt(high / low), 1.1)
        axes.set_xlim(low / room, high * room)
    low, high = axes.get_xlim()
    ticks = _log_ticks(low, high, most=5 if high < 1e4 * low else 4)
    axes.set_xticks(ticks, [_short(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.grid(axis="x", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("gradient RMS")
    for (_, ink, text, _), x, side in zip(records, (0.0, 1.0), ("left", "right"), strict=False):
        axes.annotate(
            f"● {text}",
            (x, 1),
            (0, 6),
            xycoords="axes fraction",
            textcoords="offset points",
            ha=side,
            fontsize=SMALL,
            color=ink,
        )


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most so many round values on a logarithmic scale."""
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


def _short(value: float) -> str:
    """0.02, 1, 50, but 1e-5."""
    if 1e-3 <= value < 1e4:
        return f"{value:g}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _last_values(axes: Axes, centre: Array) -> None:
    """Write each layer's last share beside its row, as many as have room."""
    for layer in _numbered(len(centre)):
        index = layer - 1
        seen = centre[index][~np.isnan(centre[index])]
        if seen.size:
            share = f"{seen[-1]:.0%}" if seen[-1] in (0, 1) else f"{seen[-1]:.1%}"
            axes.text(
                1.02,
                index + 1,
                share,
                transform=axes.get_yaxis_transform(),
                fontsize=SMALL,
                va="center",
            )


def _say(axes: Axes, text: str) -> None:
    axes.images[0].set_visible(False)
    axes.set_axis_off()
    axes.text(
        0.5,
        0.5,
        text,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=GREY,
        fontsize=SMALL,
    )
