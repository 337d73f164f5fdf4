"""loss and accuracy against the epoch: did it learn, and does it hold on unseen data?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import LogLocator, MaxNLocator, PercentFormatter

from activations.base import Array
from runner.data.split import judged_part
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
    floor = positive.min() / 2 if positive.size else 0.0
    zeros = bool((values <= 0).any() and positive.size)
    dots = _best_epochs(run, floor) if "validation" in curves else []
    figure = page(
        run,
        "loss",
        [
            counted(run, how("loss")),
            _dots_note(run) if dots else "",
            "a loss of exactly 0 is drawn at the lower edge" if zeros else "",
            _early(run),
        ],
    )
    axes = _axes(figure, run, "validation 0.000")
    if positive.size:
        axes.set_yscale("log")
        axes.set_ylim(*_log_limits(positive, floor if zeros else None))
        _decades(axes)

    def number(y: float) -> str:
        return f"{y:.3g}" if y > 1.001 * floor else "0"

    ends = _draw(axes, run, data, curves, number, "loss", floor)
    curves = {k: np.where(c <= 0, floor, c) for k, c in curves.items()}
    for epoch, value in dots:
        axes.plot(
            epoch, value, "o", ms=5, mfc="white", mec=_shade(run, "test"), zorder=8, clip_on=False
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
    values = np.concatenate([c.ravel() for c in curves.values()])
    seen = values[np.isfinite(values)]
    lowest = min(chance, np.quantile(seen, 0.02)) if seen.size else chance
    room = max(1 - lowest, 0.05)
    axes.set_ylim(max(0.0, lowest - 0.08 * room), 1 + 0.02 * room)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.axhline(chance, color=GREY, linewidth=1, linestyle=(0, (1, 2)))
    ends = _draw(axes, run, data, curves, "{:.1%}".format, "accuracy", 0.0)
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


def _draw(
    axes: Axes,
    run: Any,
    data: Any,
    curves: dict[str, Array],
    number: Callable[[float], str],
    metric: str,
    floor: float,
) -> list[tuple[float, float, str, Any]]:
    """Draw thin replicate lines, centre and band per part; return what to label the ends.

    What is 0 on a logarithmic axis is drawn at ``floor``. Validation is a centre line only: a
    third band over two would hide all of them.
    """
    epochs = _epochs(run)
    kept = [r["status"] != "diverged" for r in run.summary["replicates"]]
    ends = []
    for order, (part, values) in enumerate(curves.items()):
        shade, dash = _shade(run, part), _DASHES[part]
        if len(values) > 1 and part != "validation":
            shown = np.maximum(values[:MOST_LINES], floor)
            lines = [np.stack([epochs, row], axis=-1) for row in shown]
            thin = LineCollection(lines, colors=shade, lw=0.6, alpha=0.3, zorder=2)
            axes.add_collection(thin, autolim=False)
        centre = values[0] if len(values) == 1 else np.full(len(epochs), np.nan)
        if any(kept) and len(values) > 1:
            samples = getattr(data, f"{part}_labels").shape[1]
            centre, low, high = estimate(metric, values[kept], samples, axis=0)[:3]
            if sum(kept) > 1 and part != "validation":
                axes.fill_between(
                    epochs, low, high, color=shade, alpha=0.16, linewidth=0, zorder=1.5
                )
        centre = np.maximum(centre, floor)
        axes.plot(epochs, centre, color=shade, linestyle=dash, zorder=3 + order)
        x, y = _last(epochs, values if np.isnan(centre).all() else centre[None])
        lost = not any(kept)
        ends.append((x, y, part if lost else f"{part} {number(y)}", shade))
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


def _best_epochs(run: Any, floor: float) -> list[tuple[float, float]]:
    """Return each replicate's test loss where its validation loss was lowest."""
    points = []
    for replicate in run.summary["replicates"]:
        best = replicate.get("best") or {}
        value = best.get("test_loss")
        if value is not None and np.isfinite(value):
            points.append((best["epoch"], max(value, floor)))
    return points


def _dots_note(run: Any) -> str:
    if len(run.summary["replicates"]) == 1:
        return "dot: test loss at the epoch of lowest validation loss"
    return "dots: test loss at each seed's lowest validation loss"


_TICKED = (1e-150, 1e150)  # Matplotlib puts ticks far beyond the limits: these are floats too


def _log_limits(positive: Array, floor: float | None) -> tuple[float, float]:
    """Return limits with a little room; one burst before a divergence must not rule them."""
    low, high = np.clip([positive.min(), positive.max()], *_TICKED)
    usual = np.quantile(positive, 0.98)
    high = min(high, max(usual * 30, low * 10))
    room = (high / low) ** 0.06 if high > low else 1.5
    return (floor if floor is not None else low / room), high * room


def _decades(axes: Axes) -> None:
    low, high = axes.get_ylim()
    decades = np.log10(high / low)
    if decades < 0.3:
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    else:
        many = [1] if decades > 3 else [1, 2, 5] if decades > 1.2 else [1, 1.5, 2, 3, 5, 7]
        axes.yaxis.set_major_locator(LogLocator(10, subs=many, numticks=9))
    if decades <= 3:
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.4g}")
    axes.minorticks_off()


def _solved(run: Any) -> str:
    """Say how many replicates reached the target, and when."""
    target = run.config.training.target_accuracy
    replicates = run.summary["replicates"]
    when = [r["solved_epoch"] for r in replicates if r["solved_epoch"] is not None]
    never = [np.inf] * (len(replicates) - len(when))
    if not when:
        return f"never reached {target:.0%}" if len(replicates) == 1 else ""
    if len(replicates) == 1:
        return f"reached {target:.0%} at epoch {when[0]}"
    median = np.median(when + never)  # of all: infinite unless more than half got there
    told = f", median epoch {median:.0f}" if np.isfinite(median) else ""
    return f"{len(when)} of {len(replicates)} reached {target:.0%}{told}"


def _early(run: Any) -> str:
    stopped = [r for r in run.summary["replicates"] if r["status"] == "stopped_early"]
    return "stopped seeds keep their last value" if stopped else ""
