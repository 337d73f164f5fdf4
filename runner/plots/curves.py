"""The pictures ``loss`` and ``accuracy``: train, validation and test against the epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from activations.base import Array
from runner.data.split import scored_part
from runner.plots.axes import (
    beyond,
    draw_band,
    end_labels,
    error_scale,
    log_limits,
    log_ticks,
    percent,
    round_ticks,
)
from runner.plots.captions import counted, page
from runner.plots.colours import DIVERGED, GREY, colour, counterpart
from runner.plots.style import SMALL, Picture, text_width
from runner.results.run import Run
from runner.statistics.estimates import estimate, estimate_description

_LOSS_NAMES = {
    "cross_entropy": "cross-entropy loss (nats)",
    "squared_error": "squared error",
    "tanh_squared_error": "squared error of tanh",
}
_DASHES: dict[str, Any] = {"train": (0, (5, 2)), "validation": (0, (1, 1)), "test": "-"}
_FINDINGS = {
    "diverged": "diverged",
    "not_learned": "nothing learned",
    "underfitting": "underfitting",
    "overfitting": "overfitting",
    "overconfident": "overconfident",
    "unstable": "unstable",
}
MOST_LINES = 5
"""The thin lines show at most this many replicates, evenly spaced by rank."""
NEAR_PERFECT = 0.95
"""From this final accuracy on, the axis is logarithmic in the error."""


def loss(run: Run) -> Picture:
    """Draw train, validation and test loss on a logarithmic axis, and dots at best epochs."""
    curves = _curves(run, "loss")
    shown = _shown(run, curves)
    centres = _centres(run, curves, "loss")
    drawn = [curves[scored_part(run.data())][shown], *(centre for centre, *_ in centres.values())]
    values = np.concatenate([part.ravel() for part in drawn])
    bands = np.concatenate([band.ravel() for _, *ends in centres.values() for band in ends])
    limits = log_limits(values, bands)
    zeros = bool((values <= 0).any() and limits)
    dots = _best_epochs(run, shown) if "validation" in curves else []
    everything = np.concatenate([values[values > 0], bands[bands > 0]])
    figure = page(
        run,
        _last_loss(run, curves, centres),
        [
            counted(run, estimate_description("loss")),
            _lines_note(run, shown),
            _dots_note(run) if dots else "",
            "a loss of exactly 0 is drawn at the lower edge" if zeros else "",
            beyond([(limits, everything[np.isfinite(everything)])]) if limits else "",
            _early(run),
            "train loss includes the penalty" if run.config.training.l2 else "",
        ],
    )
    axes = _axes(figure, run, "validation 0.000")
    if limits:
        axes.set_yscale("log")
        axes.set_ylim(*limits)
        log_ticks(axes.yaxis, *limits)
    floor = limits[0] if limits and zeros else 0.0
    ends = _draw(axes, run, curves, shown, centres, "{:.3g}".format, floor)
    for epoch, value in dots:
        inside, ink = np.clip(value, *axes.get_ylim()), _shade(run, "test")
        axes.plot(epoch, inside, "o", ms=5, mfc="white", mec=ink, zorder=8, clip_on=False)
    axes.set_ylabel(_LOSS_NAMES.get(run.config.training.loss, run.config.training.loss))
    end_labels(axes, ends)
    return figure


def accuracy(run: Run) -> Picture:
    """Draw train, validation and test accuracy, and the accuracy of chance.

    If the accuracy on the scored part ends near 100%, the axis is logarithmic in the error.
    """
    data = run.data()
    part = scored_part(data)
    curves = _curves(run, "accuracy")
    shown = _shown(run, curves)
    centres = _centres(run, curves, "accuracy")
    _, labels = data.part(part)
    counts = np.stack([np.bincount(row, minlength=data.classes) for row in labels])
    chance = float((counts.max(axis=1) / labels.shape[1]).mean())
    _, last = _end(run, curves[part], centres[part])
    subject = "accuracy" if np.isnan(last) else f"{part} accuracy {last:.1%}"
    notes = [
        counted(run, estimate_description("accuracy")),
        _lines_note(run, shown),
        _solved(run),
        _early(run),
        "chance: always the most frequent class",
    ]
    figure = page(run, subject, notes)
    axes = _axes(figure, run, "validation 00.0%")
    drawn = [curves[part][shown], *(array for three in centres.values() for array in three)]
    lowest = min(chance, *(np.nanmin(array, initial=1) for array in drawn))
    if last >= NEAR_PERFECT:
        error_scale(axes, lowest, 1 / labels.shape[1])
        axes.set_ylabel("accuracy (log scale of the error)")
    else:
        room = max(1 - lowest, 0.05)
        axes.set_ylim(max(0.0, lowest - 0.08 * room), 1 + 0.02 * room)
        round_ticks(axes.yaxis, 6)
        axes.set_ylabel("accuracy")
    percent(axes.yaxis)
    axes.axhline(chance, color=GREY, linewidth=1, linestyle=(0, (1, 2)))
    ends = _draw(axes, run, curves, shown, centres, "{:.1%}".format, 0.0)
    end_labels(axes, [*ends, (axes.get_xlim()[1], chance, f"chance {chance:.0%}", GREY)])
    return figure


def _curves(run: Run, quantity: str) -> dict[str, Array]:
    """Return (replicates, records) for each part that has samples.

    A replicate that stopped early keeps its last value, because it keeps its weights. A replicate
    that diverged has NaN from that epoch on.
    """
    curves = {}
    for part in _DASHES:
        if not run.data().part(part)[1].size:
            continue
        values = np.array(run.history[f"{part}_{quantity}"], dtype=np.float64)
        values[~np.isfinite(values)] = np.nan
        for row, replicate in zip(values, run.summary["replicates"], strict=True):
            there = np.flatnonzero(~np.isnan(row))
            if replicate["status"] == "stopped_early" and there.size:
                row[there[-1] :] = row[there[-1]]
        curves[part] = values
    return curves


def _axes(figure: Picture, run: Run, longest_label: str) -> Axes:
    wide = text_width(longest_label, SMALL) + 0.2
    axes = figure.place(figure.left + 0.6, figure.bottom + 0.48, figure.right - wide, figure.top)
    epochs = recorded_epochs(run)
    axes.set_xlim(epochs[0], max(epochs[-1], epochs[0] + 1))
    round_ticks(axes.xaxis, 8, integer=True)
    axes.set_xlabel("epoch")
    return axes


def recorded_epochs(run: Run) -> Array:
    """Return the recorded epochs of all replicates; a replicate may end earlier."""
    return np.asarray(np.fmax.reduce(run.history["epoch"], axis=0))


def _shade(run: Run, part: str) -> str:
    """Return a part's colour: the activation's for test data, dark or light grey for the others."""
    name = run.config.activation["name"]
    return {"test": colour(name), "train": counterpart(name)}.get(part, "#8a8a8a")


def _centres(
    run: Run, curves: dict[str, Array], metric: str
) -> dict[str, tuple[Array, Array, Array]]:
    """Return (centre, low, high) for each part, (records,) each, NaN where undefined.

    Validation has no band, because three bands would cover each other.
    """
    kept = [r["status"] != "diverged" for r in run.summary["replicates"]]
    centres = {}
    for part, values in curves.items():
        nothing = np.full(values.shape[1], np.nan)
        centre, low, high = values[0] if len(values) == 1 else nothing, nothing, nothing
        if any(kept) and len(values) > 1:
            samples = run.data().part(part)[1].shape[1]
            centre, low, high = estimate(metric, values[kept], samples, axis=0)
        if part == "validation" or sum(kept) < 2:
            low, high = nothing, nothing
        centres[part] = centre, low, high
    return centres


def _draw(
    axes: Axes,
    run: Run,
    curves: dict[str, Array],
    shown: list[int],
    centres: dict[str, tuple[Array, Array, Array]],
    number: Callable[[float], str],
    floor: float,
) -> list[tuple[float, float, str, Any]]:
    """Draw each part's centre and band, and the shown replicates as thin lines.

    A cross marks the last value of a replicate that diverged. Values below ``floor`` are drawn at
    ``floor``; this shows a 0 on a logarithmic axis. Returns the labels of the line ends.
    """
    epochs = recorded_epochs(run)
    diverged = [r["status"] == "diverged" for r in run.summary["replicates"]]
    ends = []
    for order, (part, values) in enumerate(curves.items()):
        shade = _shade(run, part)
        if len(values) > 1 and part == scored_part(run.data()):
            lines = [np.stack([epochs, np.maximum(row, floor)], axis=-1) for row in values[shown]]
            thin = LineCollection(lines, colors=shade, lw=0.7, alpha=0.45, zorder=2)
            axes.add_collection(thin, autolim=False)
        centre, low, high = centres[part]
        if np.isfinite(low).any():
            draw_band(axes, epochs, low, high, shade, zorder=1.5)
        axes.plot(
            epochs,
            np.maximum(centre, floor),
            color=shade,
            linestyle=_DASHES[part],
            zorder=3 + order,
        )
        x, y = _end(run, values, centres[part])
        words = part if all(diverged) else f"{part} {number(y)}"
        ends.append((x, float(np.clip(y, *axes.get_ylim())), words, shade))
    cross: dict[str, Any] = {"color": DIVERGED, "ms": 8, "mew": 2, "clip_on": False, "zorder": 9}
    for row in curves["train"][diverged]:
        x, y = _last(epochs, row[None])
        if np.isnan(y):
            x, y = epochs[0], np.inf
        axes.plot(x, np.clip(y, *axes.get_ylim()), "x", **cross)
    return ends


def _end(run: Run, values: Array, centre: tuple[Array, Array, Array]) -> tuple[float, float]:
    """Return a part's last epoch and centre; without a centre, the last of any replicate."""
    nothing = np.isnan(centre[0]).all()
    return _last(recorded_epochs(run), values if nothing else centre[0][None])


def _shown(run: Run, curves: dict[str, Array]) -> list[int]:
    """Return the replicates to draw: all or, of many, evenly spaced ones by rank at the end."""
    values = curves[scored_part(run.data())]
    if len(values) <= MOST_LINES:
        return list(range(len(values)))
    epochs = recorded_epochs(run)
    ranked = np.argsort([_last(epochs, row[None])[1] for row in values], kind="stable")
    return ranked[np.linspace(0, len(ranked) - 1, MOST_LINES).round().astype(int)].tolist()


def _lines_note(run: Run, shown: list[int]) -> str:
    total = run.config.replicates
    if total == 1:
        return ""
    part = scored_part(run.data())
    if len(shown) == total:
        return f"thin lines: {part}, each seed"
    return f"thin lines: {part}, {len(shown)} seeds from the best to the worst"


def _last_loss(
    run: Run, curves: dict[str, Array], centres: dict[str, tuple[Array, Array, Array]]
) -> str:
    """Return the title: the final loss, and the findings on it."""
    part = scored_part(run.data())
    _, last = _end(run, curves[part], centres[part])
    codes = [finding.get("code") for finding in run.summary["diagnosis"]]
    findings = [words for code, words in _FINDINGS.items() if code in codes]
    return ", ".join([f"{part} loss {last:.3g}" if np.isfinite(last) else "loss", *findings])


def _last(epochs: Array, values: Array) -> tuple[float, float]:
    """Return the last epoch at which any row has a value, and the rows' median there."""
    there = np.flatnonzero((~np.isnan(values)).any(axis=0))
    if not there.size:
        return float(epochs[-1]), float("nan")
    return float(epochs[there[-1]]), float(np.nanmedian(values[:, there[-1]]))


def _best_epochs(run: Run, shown: list[int]) -> list[tuple[float, float]]:
    """Return each shown replicate's (epoch, test loss) at its lowest validation loss."""
    best = [run.summary["replicates"][k].get("best") or {} for k in shown]
    known = [one for one in best if one.get("test_loss") is not None]
    return [(one["epoch"], one["test_loss"]) for one in known if np.isfinite(one["test_loss"])]


def _dots_note(run: Run) -> str:
    if len(run.summary["replicates"]) == 1:
        return "dot: test loss at the epoch with the lowest validation loss"
    return "dots: the epochs with their lowest validation loss"


def _solved(run: Run) -> str:
    """Return a note on how many replicates reached the target accuracy, and when."""
    target = run.config.training.target_accuracy
    part = "validation" if run.data().validation_labels.size else "train"
    replicates = run.summary["replicates"]
    when = [r["solved_epoch"] for r in replicates if r["solved_epoch"] is not None]
    if len(replicates) == 1:
        end = f"reached {target:.0%} {part} accuracy"
        return f"{end} at epoch {when[0]}" if when else f"never {end}"
    if not when:
        return ""
    never = [np.inf] * (len(replicates) - len(when))
    median = np.median(when + never)  # over all replicates: infinite if half or more never did
    epoch = f", median epoch {median:.0f}" if np.isfinite(median) else ""
    return f"{len(when)} of {len(replicates)} reached {target:.0%} {part} accuracy{epoch}"


def _early(run: Run) -> str:
    stopped = any(r["status"] == "stopped_early" for r in run.summary["replicates"])
    return "seeds that stopped early keep their last value" if stopped else ""
