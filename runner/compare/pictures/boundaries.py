"""boundaries: what the networks say over the plane, settings and replicates side by
side."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from activations.base import Array
from runner.compare.comparison import Comparison
from runner.compare.pictures.layout import TWO_SIDED, file_name, fitting, page
from runner.compare.runs import RunRecord
from runner.compare.scores import Arm, higher_is_better
from runner.compare.wording import metric_name, score
from runner.plots.style import INK, MARGIN, SMALL, WIDTH, Picture, class_colours, text_width
from runner.run_folder import load_run

RESOLUTION = 72
MOST_ARMS, MOST_TASKS, MOST_REPLICATES, MOST_WORST_ROWS = 16, 6, 8, 12
MOST_POINTS = 300
_STRENGTH = 0.62


def boundaries(comparison: Comparison) -> dict[str, Picture]:
    """Draw settings x tasks at their median replicate, and per task all replicates.

    Only for data with two features; a run whose weights cannot be read leaves a gap.
    """
    tasks = comparison.tasks[:MOST_TASKS]
    loaded = _Loaded()
    groups = {task: comparison.of_task(task)[:MOST_ARMS] for task in tasks}
    groups = {task: group for task, group in groups.items() if loaded.plane(group[0]) is not None}
    if not groups:
        return {}
    result = _medians(comparison, groups, loaded)
    for task, group in groups.items():
        suffix = "" if len(groups) == 1 else f"_{file_name(task)}"
        result[f"worst_first{suffix}"] = _worst_first(
            comparison, task, group[:MOST_WORST_ROWS], loaded
        )
    return result


class _Loaded:
    """Runs with their networks and data, each read once."""

    def __init__(self) -> None:
        self.known: dict[Any, Any] = {}

    def run(self, record: RunRecord) -> tuple[Any, Any] | None:
        """Return (network, data) of a run with two features, None if there is none."""
        if record.path not in self.known:
            try:
                run = load_run(record.path)
                network, data = run.network(), run.data()
                fits = data.train_x.shape[-1] == 2
                self.known[record.path] = (network, data) if fits else None
            except (ValueError, OSError):
                self.known[record.path] = None
        found: tuple[Any, Any] | None = self.known[record.path]
        return found

    def plane(self, arm: Arm) -> tuple[Any, Any] | None:
        return self.run(arm.setting.owners[0][0])


def _ranked(arm: Arm, metric: str) -> list[int]:
    """Return the rows of an arm's replicates, worst first, diverged ones before all."""
    values = arm.setting.measured(metric)
    values = values if higher_is_better(metric) else -values
    values = np.where(arm.setting.diverged | ~np.isfinite(values), -np.inf, values)
    return [int(k) for k in np.argsort(values, kind="stable")]


def _medians(
    comparison: Comparison, groups: dict[str, list[Arm]], loaded: _Loaded
) -> dict[str, Picture]:
    names = list(dict.fromkeys(arm.name for group in groups.values() for arm in group))
    names = names[:MOST_ARMS]
    tasks = list(groups)
    if len(tasks) == 1:
        across, side, top = min(len(names), 6), [], []
        places = {(names[i], tasks[0]): divmod(i, across) for i in range(len(names))}
    elif len(names) <= 6:
        across, side, top = len(names), tasks, names
        places = {(n, t): (r, c) for r, t in enumerate(tasks) for c, n in enumerate(names)}
    else:
        across, side, top = len(tasks), names, tasks
        places = {(n, t): (r, c) for r, n in enumerate(names) for c, t in enumerate(tasks)}
    rows = 1 + max(row for row, _ in places.values())
    left = min(max((text_width(text, SMALL) + 0.15 for text in side), default=0.0), 1.8)
    cell = min((WIDTH - 2 * MARGIN - left) / across, 1.75)
    pitch = cell + (0.0 if side else 0.24)
    figure = page(
        comparison,
        "Decision boundaries side by side",
        [f"the median replicate by {metric_name(comparison.metric)}; dots: test samples"],
        1.6 + rows * pitch,
    )
    for row, text in enumerate(side):
        y = figure.top - 0.25 - (row + 0.5) * pitch
        figure.words(figure.left + left - 0.08, y, text, ha="right", va="center")
    for task, group in groups.items():
        extent = shared_extent(group, loaded)
        for arm in group:
            if (arm.name, task) not in places:
                continue
            row, column = places[arm.name, task]
            x = figure.left + left + column * cell
            y = figure.top - 0.25 - row * pitch
            axes = figure.place(x, y - cell + 0.08, x + cell - 0.08, y)
            order = _ranked(arm, comparison.metric)
            fine = [k for k in order if not arm.setting.diverged[k]]
            pick = fine[(len(fine) - 1) // 2] if fine else order[0]
            _panel(axes, arm, pick, extent, loaded)
            value = score(float(arm.setting.measured(comparison.metric)[pick]), comparison.metric)
            if not side:
                _title(axes, f"{arm.name}  {value}")
                continue
            axes.text(0.03, 0.03, value, transform=axes.transAxes, fontsize=SMALL - 1)
            if row == 0:
                _title(axes, top[column])
    return {"boundaries": figure}


def _worst_first(
    comparison: Comparison, task: str, group: Sequence[Arm], loaded: _Loaded
) -> Picture:
    names = [arm.name for arm in group]
    left = min(max(text_width(n, SMALL) for n in names), 1.8) + 0.15
    most = min(max(len(arm.setting.replicates) for arm in group), MOST_REPLICATES)
    cell = min((WIDTH - 2 * MARGIN - left) / most, 1.5)
    pitch = cell + 0.46
    figure = page(
        comparison,
        f"Every replicate's boundary, worst first, {task}",
        [
            f"sorted by {metric_name(comparison.metric)}, at most {MOST_REPLICATES} each; "
            "below each row the line that repeats its worst replicate"
        ],
        1.2 + len(group) * pitch,
    )
    extent = shared_extent(group, loaded)
    for row, arm in enumerate(group):
        y = figure.top - 0.18 - row * pitch
        order = _ranked(arm, comparison.metric)[:MOST_REPLICATES]
        for column, k in enumerate(order):
            x = figure.left + left + column * cell
            axes = figure.place(x, y - cell + 0.06, x + cell - 0.06, y)
            _panel(axes, arm, k, extent, loaded)
            value = arm.setting.measured(comparison.metric)[k]
            lost = arm.setting.diverged[k]
            text = "diverged" if lost else score(float(value), comparison.metric)
            _title(axes, f"{arm.setting.seeds[k]}: {text}")
        figure.words(figure.left + left - 0.08, y - cell / 2, arm.name, ha="right", va="center")
        line = repeat_line(arm, order[0])
        figure.words(
            figure.left + left,
            y - cell - 0.02,
            _fit(line, figure.right - figure.left - left),
            va="top",
            color="#666666",
            family="monospace",
            size=6.5,
        )
    return figure


def repeat_line(arm: Arm, k: int) -> str:
    """Return the shell line that trains replicate k of an arm again, alone."""
    run = arm.setting.owners[k][0]
    words = [
        word
        for word in str(run.summary.get("command", "")).split(" ")
        if not word.startswith(("seed=", "replicates=", "plots="))
    ]
    return " ".join([*words, f"seed={arm.setting.seeds[k]}", "replicates=1"])


def _fit(text: str, room: float) -> str:
    """Break a line into at most two that fit so many inches."""
    letters = int(room / (6.5 * 0.61 / 72))
    return "\n".join(textwrap.wrap(text, letters, max_lines=2, placeholder=" ..."))


def _title(axes: Axes, text: str) -> None:
    axes.set_title(fitting(text, axes), loc="left", fontsize=SMALL - 1, pad=2, parse_math=False)


def shared_extent(group: Sequence[Arm], loaded: _Loaded) -> tuple[float, float, float, float]:
    """Return left, right, bottom, top of all test samples of a task, with room."""
    parts = []
    for arm in group:
        found = loaded.plane(arm)
        if found:
            parts.append(_original(found[1].test_x, found[1]).reshape(-1, 2))
    x = np.concatenate(parts)
    low, high = x.min(axis=0), x.max(axis=0)
    room = 0.06 * np.maximum(high - low, 1e-9)
    (left, bottom), (right, top) = (low - room).tolist(), (high + room).tolist()
    return left, right, bottom, top


def _original(x: Array, data: Any) -> Array:
    """Undo the standardisation; x (replicates, samples, 2)."""
    return x * data.scale[:, None, :] + data.mean[:, None, :]


def _panel(
    axes: Axes,
    arm: Arm,
    k: int,
    extent: tuple[float, float, float, float],
    loaded: _Loaded,
) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlim(extent[:2])
    axes.set_ylim(extent[2:])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color("#d9d9d9")
    record, row = arm.setting.owners[k]
    found = loaded.run(record)
    if found is None or arm.setting.diverged[k]:
        axes.text(
            0.5,
            0.5,
            "\N{MULTIPLICATION SIGN}",
            transform=axes.transAxes,
            ha="center",
            va="center",
            size=16,
            color="#b00020",
        )
        return
    network, data = found
    logits = _field(network, data, row, extent)
    if data.classes == 2:
        probability = 0.5 + 0.5 * np.tanh(logits[..., 0] / 2)
        axes.imshow(
            0.5 + _STRENGTH * (probability - 0.5),
            extent=extent,
            origin="lower",
            cmap=TWO_SIDED,
            vmin=0,
            vmax=1,
            interpolation="bilinear",
            aspect="auto",
        )
        if logits.min() < 0 < logits.max():
            xs = np.linspace(*extent[:2], RESOLUTION)
            ys = np.linspace(*extent[2:], RESOLUTION)
            axes.contour(xs, ys, logits[..., 0], [0], colors=[INK], linewidths=1)
    else:
        shades = np.array([to_rgb(shade) for shade in class_colours(data.classes)])
        image = 1 - _STRENGTH * (1 - shades[logits.argmax(axis=-1)])
        axes.imshow(image, extent=extent, origin="lower", aspect="auto")
    points = _original(data.test_x, data)[row, :MOST_POINTS]
    shades = np.array([to_rgb(shade) for shade in class_colours(data.classes)])
    axes.scatter(
        points[:, 0],
        points[:, 1],
        s=3,
        lw=0,
        c=shades[data.test_labels[row, :MOST_POINTS]],
    )


def _field(network: Any, data: Any, row: int, extent: tuple[float, float, float, float]) -> Array:
    """Return one replicate's logits on a grid, (rows, columns, 1 or classes)."""
    left, right, bottom, top = extent
    across, up = np.meshgrid(
        np.linspace(left, right, RESOLUTION), np.linspace(bottom, top, RESOLUTION)
    )
    points = np.stack([across, up], axis=-1).reshape(1, -1, 2)
    points = (points - data.mean[[row], None, :]) / data.scale[[row], None, :]
    alone = copy.deepcopy(network)
    alone.replicates = 1
    alone.bind(alone.theta[[row]], alone.gradient[[row]])
    with np.errstate(all="ignore"):
        logits = alone.logits(points.astype(alone.dtype))
    return np.asarray(logits.reshape(RESOLUTION, RESOLUTION, -1))
