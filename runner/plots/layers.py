"""The pictures ``flow`` and ``units``: each layer's gradient, and its dead or saturated units."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LogNorm

from activations.base import Array
from runner.network.measurements import flatness
from runner.plots.axes import (
    end_labels,
    log_ticks,
    percent,
    round_logs,
    round_ticks,
    short,
    words_at_ends,
)
from runner.plots.captions import page
from runner.plots.colours import GREY, MISSING, PALE, colour, counterpart, layer_colours
from runner.plots.curves import recorded_epochs
from runner.plots.style import SMALL, Picture, colour_bar, text_width
from runner.results.prediction import predicted_gradients
from runner.results.run import Run

MOST_COLUMNS, MOST_DOTS, MOST_LABELS = 400, 50, 16


def flow(run: Run) -> Picture:
    """Draw each layer's gradient: by epoch, and before and after training.

    The dashed line is mean-field theory's prediction before training, scaled to the output layer.
    """
    rms = _by_layer(run, "gradient_rms")
    with np.errstate(divide="ignore"):  # 0 if any replicate's value is exactly 0
        centre = np.exp(_mean(np.log(rms)))
    predicted, remark = _predicted(run, centre)
    notes = [
        "RMS of d(loss of a sample)/d(pre-activation)"
        + (", geometric mean over seeds" if run.config.replicates > 1 else ""),
        _grey(bool((rms == 0).any()), bool(np.isnan(rms).all(axis=1).any())),
        remark,
    ]
    figure = page(run, _ratio(rms), notes, height=1.9 + float(np.clip(0.17 * len(rms), 3.2, 5.2)))
    base, top = figure.bottom + 0.48, figure.top - 0.22
    middle = figure.right - 2.95
    left = figure.place(figure.left + 0.6, base, middle - 0.2, top)
    right = figure.place(middle + 1.1, base, figure.right, top)
    positive = centre[np.isfinite(centre) & (centre > 0)]
    low, high = (positive.min(), positive.max()) if positive.size else (0.1, 1.0)
    low, high = (low, high) if high > 3 * low else (low / 2, high * 2)
    norm = LogNorm(low, high)
    shown = norm(np.ma.masked_array(centre, ~(centre > 0)))
    _heat(left, run, shown, colormaps["viridis"])
    marks = [(float(norm(value)), short(value)) for value in round_logs(low, high, most=8)]
    colour_bar(figure, (middle - 0.05, base, middle + 0.08, top), colormaps["viridis"], marks)
    _layer_ticks(left, len(rms), output=True)
    left.set_ylabel("layer")
    left.set_title("gradient RMS during training", fontsize=SMALL, loc="left", color=GREY)
    _profiles(right, run, rms, centre, predicted)
    _layer_ticks(right, len(rms), output=True)
    return figure


def units(run: Run) -> Picture | None:
    """Draw the shares of dead units and of saturated outputs against the epoch, a line per layer.

    If no layer ever has a dead unit, a note replaces the panel. Returns None without hidden layers.
    """
    layers = len(run.config.model.hidden)
    if not layers:
        return None
    state = flatness(run.network().prototype)
    dead, saturated = (_mean(_by_layer(run, name)) for name in ("dead", "saturated"))
    panels = [("dead units", dead)] if (dead > 0).any() else []
    panels += [(f"outputs that are {state}", saturated)] if np.isfinite(saturated).any() else []
    panels = panels or [("dead units", dead)]
    notes = [
        "dead: same output for every training sample" + ("" if (dead > 0).any() else "; none is"),
        f"{state}: |f'| < 0.05"
        if np.isfinite(saturated).any()
        else "saturation is measured for elementwise functions only",
        "mean over seeds" if run.config.replicates > 1 else "",
    ]
    figure = page(run, _most_lost(dead, saturated, state), notes, height=5.1)
    base, top = figure.bottom + 0.48, figure.top - 0.22
    longest = f"layers {layers}-{layers}  00.0%" if layers > 1 else "layer 1  00.0%"
    labels = text_width(longest, SMALL) + 0.15
    room = (figure.right - figure.left - 0.6 * len(panels)) / len(panels)
    for index, (title, shares) in enumerate(panels):
        start = figure.left + 0.6 + index * (room + 0.6)
        axes = figure.place(start, base, start + room - labels, top)
        axes.set_title(title, fontsize=SMALL, loc="left", color=GREY)
        _shares_by_layer(axes, run, shares)
    return figure


def _shares_by_layer(axes: Axes, run: Run, shares: Array) -> None:
    """Draw (layers, records) shares against the epoch, with the layers' numbers at the ends."""
    epochs, shades = recorded_epochs(run), layer_colours(len(shares))
    most = np.nanmax(shares, initial=0)
    axes.set_xlim(epochs[0], max(epochs[-1], epochs[0] + 1))
    axes.set_ylim(0, min(1.0, 1.1 * most) if most > 0.05 else 0.05)
    round_ticks(axes.xaxis, 6, integer=True)
    round_ticks(axes.yaxis, 6)
    percent(axes.yaxis)
    axes.set_xlabel("epoch")
    axes.grid(axis="y", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    for line, shade in zip(shares, shades, strict=True):
        axes.plot(epochs, line, color=shade, lw=1.4 if len(shares) > 5 else 1.8, clip_on=False)
    end_labels(axes, _layer_labels(epochs, shares, shades))


def _layer_labels(
    epochs: Array, shares: Array, shades: list[str]
) -> list[tuple[float, float, str, str]]:
    """Return the labels of the lines' ends; neighbouring layers with equal shares get one label.

    If there are still too many, evenly spaced ones and that of the greatest share are kept.
    """
    last_records = [np.flatnonzero(~np.isnan(line))[-1:] for line in shares]
    ends = [
        (k, int(record[0]), float(shares[k, record[0]]))
        for k, record in enumerate(last_records)
        if record.size
    ]
    groups: list[tuple[str, list[tuple[int, int, float]]]] = []
    for end in ends:
        text = f"{end[2]:.0%}" if end[2] in (0, 1) else f"{end[2]:.1%}"
        if groups and groups[-1][0] == text:
            groups[-1][1].append(end)
        else:
            groups.append((text, [end]))
    step = -(-len(groups) // MOST_LABELS)
    greatest = max(ends, key=lambda end: end[2], default=None)
    labels = []
    for index, (text, members) in enumerate(groups):
        if index % step == 0 or greatest in members:
            (k, record, share), last = members[0], members[-1][0]
            name = f"layer {k + 1}" if k == last else f"layers {k + 1}-{last + 1}"
            labels.append((float(epochs[record]), share, f"{name}  {text}", shades[k]))
    return labels


def _most_lost(dead: Array, saturated: Array, state: str) -> str:
    """Return the title: the layer that ends with most dead units or, if none, saturated outputs."""
    for what, shares in (("units dead", dead), (f"outputs {state}", saturated)):
        seen = [line[~np.isnan(line)][-1:] for line in shares]
        ends = np.array([end[0] if end.size else 0.0 for end in seen])
        if (greatest := ends.max()) >= 0.005:
            layers = np.flatnonzero(ends == greatest)
            where = f"layer {layers[0] + 1}" if len(layers) == 1 else f"{len(layers)} layers"
            return f"{greatest:.0%} of {what}{f' in {where}' if len(ends) > 1 else ''}"
    return "no dead units"


def _grey(zero: bool, lost: bool) -> str:
    causes = [*(["exactly 0"] if zero else []), *(["no seed left"] if lost else [])]
    return f"grey: {' or '.join(causes)}" if causes else ""


def _ratio(rms: Array) -> str:
    """Return the title: layer 1's gradient before training, divided by the last hidden layer's."""
    hidden = len(rms) - 1
    ratios = rms[0, :, 0] / rms[hidden - 1, :, 0]
    ratios = ratios[np.isfinite(ratios)]
    if hidden < 2 or not (ratios.size and (ratio := float(np.median(ratios))) > 0):
        return "gradient by layer"
    if 0.1 < ratio < 10:
        return f"layers 1 and {hidden} start with similar gradients"
    return f"initial gradient of layer 1 / layer {hidden} = {ratio:.2g}"


def _predicted(run: Run, centre: Array) -> tuple[Array, str]:
    """Return each layer's predicted gradient RMS, NaN if the theory does not apply, and a note."""
    nothing = np.full(len(centre), np.nan)
    if len(centre) < 2:
        return nothing, ""
    try:
        predicted = centre[-1, 0] * predicted_gradients(run.config)
    except ValueError as error:
        return nothing, f"no prediction: {error}"
    return predicted, "dashed: mean-field theory before training, scaled to the output layer"


def _by_layer(run: Run, quantity: str) -> Array:
    """Return a quantity of all layers, (layers, replicates, records)."""
    names = [f"layer{n}_{quantity}" for n in range(1, len(run.history))]
    values = np.array([run.history[name] for name in names if name in run.history], np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def _mean(values: Array) -> Array:
    """Return the mean over the replicates that have a value, (layers, records); else NaN."""
    there = ~np.isnan(values)
    counts = there.sum(axis=1)
    total = np.where(there, values, 0).sum(axis=1)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def _heat(axes: Axes, run: Run, shares: Array, colours: Colormap) -> None:
    """Draw a heat map of (layers, records) numbers from 0 to 1, with layer 1 at the bottom.

    Masked numbers are grey. An epoch between two records has the colour of the earlier one.
    """
    epochs = recorded_epochs(run)
    last = max(epochs[-1], epochs[0] + 1)
    shown = np.linspace(epochs[0], last, min(int(last - epochs[0]) + 1, MOST_COLUMNS))
    index = np.searchsorted(epochs, shown, side="right") - 1
    half = (last - epochs[0]) / (len(shown) - 1) / 2
    axes.imshow(
        colours.with_extremes(bad=MISSING)(shares)[:, index],
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(epochs[0] - half, last + half, 0.5, len(shares) + 0.5),
    )
    round_ticks(axes.xaxis, 6, integer=True)
    axes.set_xlabel("epoch")
    axes.spines[:].set_visible(False)
    if len(shares) <= 12:
        for layer in range(1, len(shares)):
            axes.axhline(layer + 0.5, color="white", linewidth=1)


def _layer_ticks(axes: Axes, layers: int, output: bool) -> None:
    """Number the layers on the y axis; with ``output``, the last one is called output."""
    ticks = _numbered(layers)
    axes.set_ylim(0.5, layers + 0.5)
    axes.set_yticks(ticks, ["output" if output and tick == layers else str(tick) for tick in ticks])


def _numbered(layers: int) -> list[int]:
    """Return the layers to number: the first, the last, and multiples of a step between them."""
    step = 1 if layers <= 20 else 2 if layers <= 40 else 5 if layers <= 100 else 20
    between = [n for n in range(step, layers, step) if n > 1 and layers - n >= step]
    return sorted({1, *between, layers})


def _profiles(axes: Axes, run: Run, rms: Array, centre: Array, predicted: Array) -> None:
    """Draw each layer's gradient before training and at the last record: a dot for each seed, a
    line through the centres, and a dashed line for the prediction before training."""
    name = run.config.activation["name"]
    positions = np.arange(1, len(rms) + 1)
    there = np.flatnonzero((centre > 0).any(axis=0))
    records = [(0, "before training", counterpart(name), -0.12)]
    if there.size and there[-1] > 0:
        records.append((there[-1], "after", colour(name), 0.12))
    for record, _, ink, shift in records:
        dots = np.where(rms[:, :, record] > 0, rms[:, :, record], np.nan)[:, :MOST_DOTS]
        rows = np.broadcast_to(positions[:, None] + shift, dots.shape)
        axes.plot(dots, rows, "o", ms=3, mfc=ink, mec="none", alpha=0.3)
        line = np.where(centre[:, record] > 0, centre[:, record], np.nan)
        axes.plot(line, positions + shift, "-o", ms=5, lw=1.2, color=ink)
    axes.plot(
        predicted, positions - 0.12, "--", lw=1.6, color=GREY, dash_capstyle="round", zorder=3
    )
    drawn = rms[:, :, [record for record, *_ in records]].ravel()
    values = np.concatenate([drawn, predicted[np.isfinite(predicted)]])
    values = values[values > 0]
    low, high = (values.min(), values.max()) if values.size else (0.1, 1.0)
    span = np.log(high) - np.log(low)  # high / low may overflow
    room = max(np.exp(0.06 * span), 2 * np.exp(-span / 2), 1.1)
    low, high = max(low / room, 1e-300), min(high * room, 1e300)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    log_ticks(axes.xaxis, low, high, most=5 if high < 1e4 * low else 4)
    axes.grid(axis="x", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("gradient RMS")
    words_at_ends(axes, [(f"● {text}", ink) for _, text, ink, _ in records], (1, 6))
