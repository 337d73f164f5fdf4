"""curves and solved: how fast each setting learns, and how many replicates make it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from runner.compare.comparison import Comparison
from runner.compare.pictures.lines import (
    MOST_LINES,
    Line,
    line_pictures,
    percent,
    replicate_note,
    scale_of_lines,
)
from runner.compare.scores import higher_is_better
from runner.compare.wording import metric_name
from runner.plots.style import Picture
from runner.statistics.estimates import how
from runner.statistics.survival import solved_by


def curves(comparison: Comparison) -> dict[str, Picture]:
    """Draw the loss against the epoch, log y, geometric mean and interval per
    setting."""
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
        if not np.isfinite(rows).any():
            continue
        centre, low, high = arm.setting.band(column, rows)
        panels.setdefault(arm.task, []).append(
            Line(arm.name, arm.activation, epochs, centre, low, high)
        )
    if not panels:
        return {}
    scale, outside = scale_of_lines(column, panels)
    last = max(float(line.x[-1]) for lines in panels.values() for line in lines)

    def dress(axes: Axes) -> None:
        axes.set_xlim(0, max(last, 1))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
        scale.set(axes.yaxis)

    what = metric_name(column)
    lost = any(arm.setting.diverged.any() for arm in comparison.arms)
    return line_pictures(
        comparison,
        name,
        f"{what.capitalize()} while training",
        [
            replicate_note(comparison.arms, how(column))
            + (", without those that diverged" if lost else ""),
            outside,
        ],
        panels,
        dress,
        "epoch",
        what,
    )


def solved(comparison: Comparison) -> dict[str, Picture]:
    """Draw the share of replicates that had reached the target accuracy by each
    epoch."""
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
        panels.setdefault(arm.task, []).append(
            Line(
                arm.name,
                arm.activation,
                curve.epochs,
                curve.share,
                curve.low,
                curve.high,
                steps=True,
            )
        )
    last = max(float(line.x[-1]) for lines in panels.values() for line in lines)

    def dress(axes: Axes) -> None:
        axes.set_xlim(0, max(last, 1))
        axes.set_ylim(-0.02, 1.02)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
        percent(axes.yaxis)

    targets = sorted({s.config.get("training.target_accuracy", 0.95) for s in comparison.settings})
    target = " or ".join(f"{value:.3g}" for value in targets)
    return line_pictures(
        comparison,
        "solved",
        f"Replicates that reached validation accuracy {target}",
        [
            replicate_note(comparison.arms, "Kaplan-Meier, 95% band"),
            "a diverged replicate never gets there",
        ],
        panels,
        dress,
        "epoch",
        "share solved",
    )
