"""curves and solved: how fast each setting learns, and how many replicates make it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from activations.base import Array
from runner.compare.bands import centre_and_band
from runner.compare.comparison import Comparison
from runner.compare.pictures.layout import MOST_LINES, Line, line_pictures, percent, replicate_note
from runner.compare.scores import Arm, higher_is_better
from runner.compare.wording import metric_name
from runner.plots.style import Picture
from runner.statistics.distributions import solved_by
from runner.statistics.estimates import how


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
    losses = column.endswith("_loss")
    panels: dict[str, list[Line]] = {}
    values = []
    for arm in comparison.arms:
        epochs, rows = arm.setting.curve(column)
        if not np.isfinite(rows).any():
            continue
        centre, low, high = centre_and_band(arm.setting, column, rows)[:3]
        panels.setdefault(arm.task, []).append(
            Line(arm.name, arm.activation, epochs, centre, low, high)
        )
        values += [centre[np.isfinite(centre)]]
    if not values:
        return {}
    everything = np.concatenate(values)
    floor, ceiling = _range(everything, losses)
    last = max(float(line.x[-1]) for lines in panels.values() for line in lines)

    def dress(axes: Axes) -> None:
        axes.set_xlim(0, max(last, 1))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
        if losses and floor > 0:
            axes.set_yscale("log")
            decades = np.log10(ceiling / floor)
            subs = (1.0,) if decades > 2.5 else (1.0, 2.0, 5.0)
            axes.yaxis.set_major_locator(LogLocator(10, subs=subs, numticks=8))
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.minorticks_off()
        elif not losses:
            percent(axes.yaxis)
        axes.set_ylim(floor, ceiling)

    what = metric_name(column)
    statistic = how(column)
    return line_pictures(
        comparison,
        name,
        f"{what.capitalize()} while training",
        [replicate_note(comparison.arms, statistic) + ", without those that diverged"]
        if _lost(comparison.arms)
        else [replicate_note(comparison.arms, statistic)],
        panels,
        dress,
        "epoch",
        what,
    )


def _lost(arms: list[Arm]) -> bool:
    return any(arm.setting.diverged.any() for arm in arms)


def _range(values: Array, losses: bool) -> tuple[float, float]:
    """Limits of all panels; a loss that explodes must not press all others flat."""
    if not losses:
        low, high = float(values.min()), float(values.max())
        room = 0.04 * (high - low) or 0.02
        return low - room, min(high + room, 1.005)
    positive = values[values > 0]
    if not positive.size:
        return 0.0, 1.0
    low = float(max(positive.min(), np.quantile(positive, 0.02) / 100))
    high = float(min(positive.max(), max(np.quantile(positive, 0.95) * 10, 4 * low)))
    return low / 1.15, high * 1.15


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
