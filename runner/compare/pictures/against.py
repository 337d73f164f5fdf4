"""Score against a swept number: the learning rate first, then others, then the budget.

The ranking of activations may reverse between learning rates, so that picture comes first.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from runner.compare.comparison import Comparison
from runner.compare.depth import hidden_meaning
from runner.compare.pictures.layout import file_names, replicate_note
from runner.compare.pictures.lines import Line, LinePicture, Scale, scale_of_lines
from runner.compare.reversal import reversals
from runner.compare.scores import TUNED_BY_DEFAULT
from runner.compare.settings import Setting, differing_keys, key_names, names, show
from runner.compare.wording import metric_name
from runner.plots.axes import inches, round_ticks
from runner.plots.style import Picture, cut
from runner.statistics.estimates import estimate_description
from runner.statistics.profiles import expected_best

MOST_MARKED = 12
"""With more values, lines have bands or a few intervals."""


def number_of(key: str, value: Any) -> float:
    """Return a setting's value as a position on an axis, NaN if it has none.

    For model.hidden see ``depth.hidden_meaning``.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    return float(value) if abs(value) <= sys.float_info.max else math.nan


def against_settings(comparison: Comparison) -> dict[str, Picture]:
    """Draw the score against every swept number, learning_rate first."""
    keys = sorted(comparison.keys, key=lambda key: (key != TUNED_BY_DEFAULT, key))
    hidden = hidden_meaning(comparison.settings)
    meanings = {k: hidden.get(k, (name, {})) for k, name in key_names(keys).items()}
    files = file_names(meaning.replace(" ", "_") for meaning, _ in meanings.values())
    result: dict[str, Picture] = {}
    for key, (meaning, positions) in meanings.items():
        file = files[meaning.replace(" ", "_")]
        result |= _against(comparison, key, meaning.replace("_", " "), positions, file)
    return result


def _against(
    comparison: Comparison, key: str, meaning: str, positions: dict[str, float], file: str
) -> dict[str, Picture]:
    def position(setting: Setting) -> float:
        value = setting.config.get(key)
        return positions.get(repr(value), number_of(key, value))

    tuned_here = any(key in arm.chosen for arm in comparison.arms)
    trials = [arm.trials if tuned_here else [arm.setting] for arm in comparison.arms]
    settings = [trial for group in trials for trial in group]
    placed = [setting for setting in settings if math.isfinite(position(setting))]
    x_values = sorted({position(setting) for setting in placed})
    if len(x_values) < (2 if key == TUNED_BY_DEFAULT else 3):
        return {}
    not_axes = {key, *(k for k in comparison.tuned if not tuned_here)}
    differing = [k for k in differing_keys([s.config for s in settings]) if k not in not_axes]
    in_task = [k for k in differing if k.startswith("dataset.")]
    tuned = {TUNED_BY_DEFAULT} if comparison.tuned else set()
    in_line = [k for k in differing if k not in in_task and k not in tuned]
    configs = [setting.config for setting in placed]
    tasks: dict[str, list[Setting]] = {}
    for setting, task in zip(placed, names(configs, in_task, ["dataset.name"]), strict=True):
        tasks.setdefault(task, []).append(setting)
    groups: dict[str, dict[str, list[Setting]]] = {}
    for task, alike in tasks.items():
        groups[task] = {}
        for setting, name in zip(alike, names([s.config for s in alike], in_line), strict=True):
            groups[task].setdefault(name, []).append(setting)
    chosen = {id(arm.choice) for arm in comparison.arms if tuned_here}
    panels: dict[str, list[Line]] = {}
    for task, named in groups.items():
        for name, members in named.items():
            members.sort(key=position)
            x = np.array([position(setting) for setting in members])
            y, low, high = np.array([setting.score for setting in members], float).T
            ringed = [i for i, setting in enumerate(members) if id(setting) in chosen]
            marked = len(x_values) <= MOST_MARKED
            line = Line(name, members[0].activation, x, y, low, high, ringed, marked=marked)
            panels.setdefault(task, []).append(line)
    if all(line.x.size < 2 for lines in panels.values() for line in lines):
        return {}  # single runs differ in other keys too
    scale, outside = scale_of_lines(comparison.metric, panels)
    notes = [replicate_note(comparison.arms, estimate_description(comparison.metric)), outside]
    if tuned_here:
        notes.append("ring: chosen on validation data")
    title = f"{metric_name(comparison.metric).capitalize()} against {meaning}"
    if key == TUNED_BY_DEFAULT and len(panels) == 1:
        for found in reversals(comparison):
            title = (
                f"{found.first} is ahead of {found.second} at {meaning} {show(found.rate)}, "
                f"behind it at {show(found.greater_rate)}"
            )
    return LinePicture(
        file,
        title,
        notes,
        panels,
        _dresser(scale, x_values),
        cut(meaning, 2.0),
        metric_name(comparison.metric),
        essential=True,
    ).draw(comparison)


def _dresser(scale: Scale, x_values: list[float]) -> Callable[[Axes], None]:
    ratio = x_values[-1] / x_values[0] if x_values[0] > 0 else 0
    logarithmic = ratio >= 20 or (len(x_values) > 2 and _geometric(x_values))

    def dress(axes: Axes) -> None:
        scale.set(axes.yaxis)
        if not logarithmic:
            margin = 0.05 * (x_values[-1] - x_values[0])
            axes.set_xlim(x_values[0] - margin, x_values[-1] + margin)
            round_ticks(axes.xaxis, 6)
            return
        axes.set_xscale("log")
        axes.minorticks_off()
        if len(x_values) <= 7:
            crowded = inches(axes)[0] / len(x_values) < 0.42
            axes.xaxis.set_major_locator(FixedLocator(x_values[:: 2 if crowded else 1]))
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
        margin = ratio**0.05
        axes.set_xlim(x_values[0] / margin, x_values[-1] * margin)

    return dress


def _geometric(x: list[float]) -> bool:
    ratios = [b / a for a, b in pairwise(x) if a > 0]
    return len(ratios) == len(x) - 1 and max(ratios) < 1.3 * min(ratios)


def budget(comparison: Comparison) -> dict[str, Picture]:
    """Draw the score to expect from the best of k trials, chosen by validation data."""
    panels: dict[str, list[Line]] = {}
    for arm in comparison.arms:
        if len(arm.trials) >= 3:
            scores = [trial.score.centre for trial in arm.trials]
            y = expected_best(scores, [trial.validation for trial in arm.trials])
            x = np.arange(1, len(y) + 1, dtype=float)
            panels.setdefault(arm.task, []).append(Line(arm.name, arm.activation, x, y))
    if not panels:
        return {}
    most = max(line.x.size for lines in panels.values() for line in lines)
    scale, outside = scale_of_lines(comparison.metric, panels)
    set_both = _dresser(scale, [float(k) for k in range(1, most + 1)])

    def dress(axes: Axes) -> None:
        set_both(axes)
        round_ticks(axes.xaxis, 6, integer=True)

    note = (
        f"expected {metric_name(comparison.metric)} of the best of k trials, drawn without "
        "replacement and chosen on validation data"
    )
    y_label = metric_name(comparison.metric)
    return LinePicture(
        "budget",
        "Score against the number of trials",
        [note, outside],
        panels,
        dress,
        "trials k",
        y_label,
    ).draw(comparison)
