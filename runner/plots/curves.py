"""loss and accuracy against the epoch: did it learn, and does it hold on unseen data?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator, PercentFormatter

from activations.base import Array
from runner.data.split import judged_part
from runner.plots.axes import beyond, log_limits, log_ticks
from runner.plots.captions import counted, page
from runner.plots.style import (
    GREY,
    SMALL,
    Picture,
    colour,
    counterpart,
    end_labels,
    text_width,
)
from runner.statistics.estimates import estimate, how

_LOSS_NAMES = {
    "cross_entropy": "cross-entropy loss (nats)",
    "squared_error": "squared error",
}
MOST_LINES = 50
_PARTS = ("train", "validation", "test")


def loss(run: Any) -> Picture:
    """Draw train, validation and test loss, log y, with each replicate's best epoch."""
    data = run.data()
    curves = _curves(run, data, "loss")
    values = np.concatenate([c.ravel() for c in curves.values()])
    positive = values[np.isfinite(values) & (values > 0)]
    centres = _centres(run, data, curves, "loss")
    bands = np.concatenate([band.ravel() for _, *ends in centres.values() for band in ends])
    limits = log_limits(values, bands)
    zeros = bool((values <= 0).any() and limits)
    floor = limits[0] if limits and zeros else 0.0
    dots = _best_epochs(run) if "validation" in curves else []
    figure = page(
        run,
        "loss",
        [
            counted(run, how("loss")),
            _dots_note(run) if dots else "",
            "a loss of exactly 0 is drawn at the lower edge" if zeros else "",
            beyond([(limits, np.concatenate([positive, bands[bands > 0]]))]) if limits else "",
            _early(run),
        ],
    )
    axes = _axes(figure, run, "validation 0.000")
    if limits:
        axes.set_yscale("log")
        axes.set_ylim(*limits)
        log_ticks(axes.yaxis, *limits)
    ends = _draw(axes, run, curves, centres, "{:.3g}".format, floor)
    for epoch, value in dots:
        inside = np.clip(value, *axes.get_ylim())
        axes.plot(
            epoch, inside, "o", ms=5, mfc="white", mec=_shade(run, "test"), zorder=8, clip_on=False
        )
    _crosses(axes, run, curves["train"])
    axes.set_ylabel(_LOSS_NAMES.get(run.config.training.loss, run.config.training.loss))
    end_labels(axes, ends)
    return figure


def accuracy(run: Any) -> Picture:
    """Draw train, validation and test accuracy above the line of guessing."""
    data = run.data()
    curves = _curves(run, data, "accuracy")
    labels = getattr(data, f"{judged_part(data)}_labels")
    counts = np.stack([np.bincount(row, minlength=data.classes) for row in labels])
    chance = float((counts.max(axis=1) / labels.shape[1]).mean())
    guess = "chance: always the largest class"
    figure = page(
        run, "accuracy", [counted(run, how("accuracy")), _solved(run), _early(run), guess]
    )
    axes = _axes(figure, run, "validation 00.0%")
    centres = _centres(run, data, curves, "accuracy")
    drawn = [*curves.values(), *(array for three in centres.values() for array in three)]
    lowest = min(chance, *(np.nanmin(array, initial=1) for array in drawn))
    room = max(1 - lowest, 0.05)
    axes.set_ylim(max(0.0, lowest - 0.08 * room), 1 + 0.02 * room)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.axhline(chance, color=GREY, linewidth=1, linestyle=(0, (1, 2)))
    ends = _draw(axes, run, curves, centres, "{:.1%}".format, 0.0)
    _crosses(axes, run, curves["train"])
    axes.set_ylabel("samples classified correctly")
    right = axes.get_xlim()[1]
    end_labels(axes, [*ends, (right, chance, f"chance {chance:.0%}", GREY)])
    return figure


def _curves(run: Any, data: Any, quantity: str) -> dict[str, Array]:
    """Return (replicates, records) per part that has samples; stopped replicates hold on.

    A replicate that stopped early keeps its weights, so its last value stays true; one that
    diverged has none from there on.
    """
    curves = {}
    for part in _PARTS:
        if not getattr(data, f"{part}_labels").size:
            continue
        values = np.array(run.history[f"{part}_{quantity}"], dtype=np.float64)
        values[~np.isfinite(values)] = np.nan
        for row, replicate in zip(values, run.summary["replicates"], strict=True):
            there = np.flatnonzero(~np.isnan(row))
            if replicate["status"] == "stopped_early" and there.size:
                row[there[-1] :] = row[there[-1]]
        curves[part] = values
    return curves


def _axes(figure: Picture, run: Any, longest_label: str) -> Axes:
    wide = text_width(longest_label, SMALL) + 0.2
    axes = figure.place(figure.left + 0.6, figure.bottom + 0.48, figure.right - wide, figure.top)
    epochs = _epochs(run)
    axes.set_xlim(epochs[0], max(epochs[-1], epochs[0] + 1))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel("epoch")
    return axes


def _epochs(run: Any) -> Array:
    """The recorded epochs; rows differ only in where they end."""
    return np.asarray(np.fmax.reduce(run.history["epoch"], axis=0))


def _shade(run: Any, part: str) -> str:
    """Test wears the activation's colour, what training saw is grey."""
    name = run.config.activation["name"]
    return {"test": colour(name), "train": counterpart(name)}.get(part, "#8a8a8a")


_DASHES: dict[str, Any] = {"train": (0, (5, 2)), "validation": (0, (1, 1)), "test": "-"}


def _centres(
    run: Any, data: Any, curves: dict[str, Array], metric: str
) -> dict[str, tuple[Array, Array, Array]]:
    """Return centre, low and high per part, (records,) each, NaN where there is none.

    Validation is a centre line only: a third band over two would hide all of them.
    """
    kept = [r["status"] != "diverged" for r in run.summary["replicates"]]
    centres = {}
    for part, values in curves.items():
        nothing = np.full(values.shape[1], np.nan)
        centre, low, high = values[0] if len(values) == 1 else nothing, nothing, nothing
        if any(kept) and len(values) > 1:
            samples = getattr(data, f"{part}_labels").shape[1]
            centre, low, high = estimate(metric, values[kept], samples, axis=0)
        if part == "validation" or sum(kept) < 2:
            low, high = nothing, nothing
        centres[part] = centre, low, high
    return centres


def _draw(
    axes: Axes,
    run: Any,
    curves: dict[str, Array],
    centres: dict[str, tuple[Array, Array, Array]],
    number: Callable[[float], str],
    floor: float,
) -> list[tuple[float, float, str, Any]]:
    """Draw thin replicate lines, centre and band per part; return what to label the ends.

    What is 0 on a logarithmic axis is drawn at ``floor``.
    """
    epochs = _epochs(run)
    lost = all(r["status"] == "diverged" for r in run.summary["replicates"])
    ends = []
    for order, (part, values) in enumerate(curves.items()):
        shade, dash = _shade(run, part), _DASHES[part]
        if len(values) > 1 and part != "validation":
            shown = np.maximum(values[:MOST_LINES], floor)
            lines = [np.stack([epochs, row], axis=-1) for row in shown]
            thin = LineCollection(lines, colors=shade, lw=0.6, alpha=0.3, zorder=2)
            axes.add_collection(thin, autolim=False)
        centre, low, high = centres[part]
        if np.isfinite(low).any():
            axes.fill_between(epochs, low, high, color=shade, alpha=0.16, linewidth=0, zorder=1.5)
        shown = np.maximum(centre, floor)
        axes.plot(epochs, shown, color=shade, linestyle=dash, zorder=3 + order)
        x, y = _last(epochs, values if np.isnan(centre).all() else centre[None])
        inside = float(np.clip(y, *axes.get_ylim()))
        ends.append((x, inside, part if lost else f"{part} {number(y)}", shade))
    return ends


def _last(epochs: Array, values: Array) -> tuple[float, float]:
    """Return the last point where any row has a value."""
    there = np.flatnonzero((~np.isnan(values)).any(axis=0))
    if not there.size:
        return float(epochs[-1]), float("nan")
    column = values[:, there[-1]]
    return float(epochs[there[-1]]), float(np.nanmedian(column))


def _crosses(axes: Axes, run: Any, train: Array) -> None:
    """Put a cross where a replicate was last seen before it diverged."""
    epochs = _epochs(run)
    low, high = axes.get_ylim()
    for row, replicate in zip(train, run.summary["replicates"], strict=True):
        there = np.flatnonzero(~np.isnan(row))
        if replicate["status"] == "diverged":
            x = epochs[there[-1]] if there.size else epochs[0]
            y = row[there[-1]] if there.size else high
            axes.plot(
                x,
                np.clip(y, low, high),
                "x",
                color="#b00020",
                ms=8,
                mew=2,
                clip_on=False,
                zorder=9,
            )


def _best_epochs(run: Any) -> list[tuple[float, float]]:
    """Return each replicate's test loss where its validation loss was lowest."""
    points = []
    for replicate in run.summary["replicates"]:
        best = replicate.get("best") or {}
        value = best.get("test_loss")
        if value is not None and np.isfinite(value):
            points.append((best["epoch"], value))
    return points


def _dots_note(run: Any) -> str:
    if len(run.summary["replicates"]) == 1:
        return "dot: test loss at the epoch of lowest validation loss"
    return "dots: test loss at each seed's lowest validation loss"


def _solved(run: Any) -> str:
    """Say how many replicates reached the target, and when."""
    target = run.config.training.target_accuracy
    replicates = run.summary["replicates"]
    when = [r["solved_epoch"] for r in replicates if r["solved_epoch"] is not None]
    never = [np.inf] * (len(replicates) - len(when))
    if not when:
        return f"never reached {target:.0%} validation accuracy" if len(replicates) == 1 else ""
    if len(replicates) == 1:
        return f"reached {target:.0%} validation accuracy at epoch {when[0]}"
    median = np.median(when + never)  # of all: infinite unless more than half got there
    told = f", median epoch {median:.0f}" if np.isfinite(median) else ""
    return f"{len(when)} of {len(replicates)} reached {target:.0%} validation accuracy{told}"


def _early(run: Any) -> str:
    stopped = [r for r in run.summary["replicates"] if r["status"] == "stopped_early"]
    return "stopped seeds keep their last value" if stopped else ""
