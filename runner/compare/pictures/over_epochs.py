"""curves and solved: how fast each setting learns, and how many replicates solve the task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes

from runner.compare.comparison import Comparison
from runner.compare.pictures.layout import replicate_note
from runner.compare.pictures.lines import MOST_LINES, Line, LinePicture, scale_of_lines, share_axis
from runner.compare.scores import higher_is_better
from runner.compare.wording import metric_name
from runner.plots.axes import round_ticks
from runner.plots.style import Picture
from runner.statistics.estimates import estimate_description
from runner.statistics.survival import solved_by


def curves(comparison: Comparison) -> dict[str, Picture]:
    """Draw the loss against the epoch, log y, geometric mean and interval per setting."""
    part = comparison.metric.rpartition(".")[2].partition("_")[0]
    result = _curves(comparison, f"{part}_loss", "curves")
    few = max(len(comparison.of_task(task)) for task in comparison.tasks) <= MOST_LINES
    if higher_is_better(comparison.metric) and few:
        result.update(_curves(comparison, f"{part}_accuracy", "accuracy_curves"))
    return result


def _curves(comparison: Comparison, column: str, name: str) -> dict[str, Picture]:
    panels: dict[str, list[Line]] = {}
    for arm in comparison.arms:
        epochs, rows = arm.setting.curve(column)
        if np.isfinite(rows).any():
            line = Line(arm.name, arm.activation, epochs, *arm.setting.band(column, rows))
            panels.setdefault(arm.task, []).append(line)
    if not panels:
        return {}
    scale, outside = scale_of_lines(column, panels)
    what = metric_name(column)
    lost = any(arm.setting.diverged.any() for arm in comparison.arms)
    note = replicate_note(comparison.arms, estimate_description(column))
    return LinePicture(
        name,
        f"{what.capitalize()} while training",
        [note + (", without those that diverged" if lost else ""), outside],
        panels,
        _dresser(panels, lambda axes: scale.set(axes.yaxis)),
        "epoch",
        what,
    ).draw(comparison)


def solved(comparison: Comparison) -> dict[str, Picture]:
    """Draw the share of replicates that had reached the target accuracy by each epoch."""
    if not any(arm.setting.solved for arm in comparison.arms):
        return {}
    panels: dict[str, list[Line]] = {}
    for arm in comparison.arms:
        entries = arm.setting.replicates
        found = [entry.get("solved_epoch") for entry in entries]
        curve = solved_by(
            [np.nan if epoch is None else epoch for epoch in found],
            [entry["epochs"] for entry in entries],
            arm.setting.diverged,
        )
        points = (curve.epochs, curve.share, curve.low, curve.high)
        line = Line(arm.name, arm.activation, *points, steps=True)
        panels.setdefault(arm.task, []).append(line)
    targets = sorted({s.config.get("training.target_accuracy", 0.95) for s in comparison.settings})
    held_out = {
        bool(s.config.get("dataset.validation_fraction", True)) for s in comparison.settings
    }
    part = " or ".join("validation" if some else "train" for some in sorted(held_out, reverse=True))
    together = 1 < max(len(lines) for lines in panels.values()) <= MOST_LINES
    bars = "bars: 95% interval of the median epoch" if together else "95% band"
    target = " or ".join(f"{100 * value:.3g}%" for value in targets)
    return LinePicture(
        "solved",
        f"Replicates that reached {part} accuracy {target}",
        [
            replicate_note(comparison.arms, "Kaplan-Meier estimate"),
            bars,
            "diverged counts as never",
        ],
        panels,
        _dresser(panels, share_axis),
        "epoch",
        "share solved",
        labels_at_ends=False,
    ).draw(comparison)


def _dresser(
    panels: dict[str, list[Line]], set_y: Callable[[Axes], None]
) -> Callable[[Axes], None]:
    last = max(float(line.x[-1]) for lines in panels.values() for line in lines)

    def dress(axes: Axes) -> None:
        axes.set_xlim(0, max(last, 1))
        round_ticks(axes.xaxis, 5, integer=True)
        set_y(axes)

    return dress
