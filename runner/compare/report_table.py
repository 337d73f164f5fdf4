"""The report's table: one row per setting, in the page's HTML and as its script's data."""

from __future__ import annotations

import base64
import math
import os
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from runner.compare.bands import centre_and_band
from runner.compare.comparison import Comparison
from runner.compare.leaderboard import dead_share
from runner.compare.pairs import OVERALL
from runner.compare.scores import Arm, filled, higher_is_better, median_solved_epoch, worst_score
from runner.compare.settings import Setting, short, show
from runner.compare.wording import metric_name, scored
from runner.plots.colours import line_style
from runner.results.run import Run

CURVES = ("test_loss", "test_accuracy", "train_loss", "train_accuracy", "validation_loss")
MOST_ROWS_WITH_CURVES, MOST_POINTS = 200, 60
MOST_FACET_VALUES = 40
PICTURE_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}


class Table:
    """The leaderboard's rows, one per setting, for the page and for its script."""

    def __init__(self, comparison: Comparison, folder: Path, embed: bool) -> None:
        self.comparison, self.folder, self.embed = comparison, folder, embed
        self.keys = [
            key if sum(short(k) == short(key) for k in comparison.keys) > 1 else short(key)
            for key in comparison.keys
        ]
        self.rows: list[dict[str, Any]] = []
        places = {
            family.members[i][0].setting.label: (family.ranks[i], family.letters[i])
            for family in comparison.families
            if family.task != OVERALL
            for i in range(len(family.arms))
        }
        for task in comparison.tasks:
            arms = comparison.of_task(task)
            trials = [
                (arm, trial) for arm in arms for trial, _ in arm.trials if trial is not arm.setting
            ]
            worst = worst_score(
                [trial for arm in arms for trial, _ in arm.trials], comparison.metric
            )
            for arm in arms:
                self._add(arm, arm.setting, arm.scores, places.get(arm.setting.label))
            for arm, trial in trials:
                self._add(arm, trial, filled(trial, comparison.metric, worst), None)

    def _add(
        self, arm: Arm, setting: Setting, scores: Any, place: tuple[int | None, str] | None
    ) -> None:
        centre, low, high = setting.estimate(self.comparison.metric, scores)[:3]
        n = len(setting.replicates)
        lost = int(setting.diverged.sum())
        dead = dead_share(setting)
        epochs = median_solved_epoch([setting])
        rank, letters = place or (None, "")
        edges = arm.on_edge if setting is arm.setting else []
        cells: list[tuple[str, Any]] = [
            ("" if rank is None else str(rank), rank),
            (letters, letters or None),
            *self._key_cells(setting, edges),
            (scored(centre, low, high, self.comparison.metric), float(centre)),
            (str(len(scores)), len(scores)),
            (f"{setting.solved}/{n}", setting.solved / n),
            (f"{lost}/{n}" if lost else "0", lost / n),
            ("" if math.isnan(epochs) else f"{epochs:g}", epochs),
            ("" if math.isnan(dead) else f"{100 * dead:.0f}%", dead),
            (f"{setting.seconds:.1f}", setting.seconds),
        ]
        self.rows.append({"cells": cells, "setting": setting, "arm": arm, "trial": place is None})

    def _key_cells(self, setting: Setting, edges: list[str]) -> list[tuple[str, Any]]:
        cells: list[tuple[str, Any]] = []
        for key in self.comparison.keys:
            value = setting.config.get(key)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            mark = " (edge)" if key in edges else ""
            cells.append((show(value) + mark, value if number else show(value)))
        return cells

    def columns(self) -> list[tuple[str, bool]]:
        """Return (heading, whether a first click sorts downwards)."""
        better = higher_is_better(self.comparison.metric)
        return [
            ("rank", False),
            ("ties", False),
            *((key.replace("_", " "), False) for key in self.keys),
            (metric_name(self.comparison.metric), better),
            ("n", True),
            ("solved", True),
            ("diverged", True),
            ("median epoch solved", False),
            ("dead units", True),
            ("seconds", True),
        ]

    def headings(self) -> str:
        cells = "".join(
            f'<th scope="col" data-column="{i}">{escape(title)}</th>'
            for i, (title, _) in enumerate(self.columns())
        )
        return f'<th scope="col" class="pick">show</th>{cells}'

    def body(self) -> str:
        lines = []
        for index, row in enumerate(self.rows):
            cells = "".join(f"<td>{escape(text)}</td>" for text, _ in row["cells"])
            name = escape(row["setting"].label, quote=True)
            style = ' class="trial"' if row["trial"] else ""
            lines.append(
                f'<tr data-row="{index}"{style}><td class="pick"><input type="checkbox" '
                f'disabled aria-label="show {name}"></td>{cells}</tr>'
            )
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """Return what the script needs: numbers to sort by, facets, curves,
        pictures."""
        entries = []
        with_curves = sorted(range(len(self.rows)), key=lambda i: (self.rows[i]["trial"], i))[
            :MOST_ROWS_WITH_CURVES
        ]
        keep = set(with_curves)
        for index, row in enumerate(self.rows):
            setting: Setting = row["setting"]
            look = line_style(setting.activation)
            dash = look["linestyle"]
            entries.append(
                {
                    "name": setting.label,
                    "trial": row["trial"] and bool(self.comparison.tuned),
                    "sort": [_finite(value) for _, value in row["cells"]],
                    "facets": {
                        name: show(setting.config.get(key))
                        for name, key in zip(self.keys, self.comparison.keys, strict=True)
                    },
                    "config": {k: show(v) for k, v in setting.config.items()},
                    "command": str(setting.runs[0].summary.get("command", "")),
                    "colour": look["color"],
                    "dash": "" if dash == "-" else " ".join(str(2 * d) for d in dash[1]),
                    "curves": _curves(setting) if index in keep else {},
                    "pictures": self._pictures(setting.runs[0]),
                }
            )
        facets = {
            name: sorted({entry["facets"][name] for entry in entries}, key=_natural)
            for name in self.keys
        }
        available = [name for name in CURVES if any(name in entry["curves"] for entry in entries)]
        metric = self.comparison.metric.rpartition(".")[2]
        available.sort(key=lambda name: name != metric)
        return {
            "rows": entries,
            "columns": [{"title": title, "down": down} for title, down in self.columns()],
            "facets": {
                name: values
                for name, values in facets.items()
                if 1 < len(values) <= MOST_FACET_VALUES
            },
            "keys": self.comparison.keys,
            "curves": available,
            "named": [
                name
                for name, key in zip(self.keys, self.comparison.keys, strict=True)
                if key.endswith(".name")
            ],
            "tuned": bool(self.comparison.tuned),
            "first": [i for i, row in enumerate(self.rows) if not row["trial"]][:6],
        }

    def _pictures(self, run: Run) -> dict[str, str]:
        found = {}
        for name in run.pictures:
            path = run.path / name
            if self.embed:
                kind = PICTURE_TYPES[path.suffix]
                content = base64.b64encode(path.read_bytes()).decode()
                found[path.stem] = f"data:{kind};base64,{content}"
            else:
                relative = os.path.relpath(path.resolve(), self.folder.resolve())
                found[path.stem] = quote(relative.replace(os.sep, "/"))
        return found


def _curves(setting: Setting) -> dict[str, list[Any]]:
    """Return epochs, mean, low and high per quantity, thinned, to four digits."""
    curves = {}
    for name in CURVES:
        epochs, values = setting.curve(name)
        if not np.isfinite(values).any():
            continue
        kept = np.unique(np.linspace(0, len(epochs) - 1, MOST_POINTS).round().astype(int))
        band = centre_and_band(setting, name, values[:, kept])[:3]
        curves[name] = [
            [int(epoch) for epoch in epochs[kept]],
            *([_rounded(value) for value in part] for part in band),
        ]
    return curves


def _rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _finite(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.9g}") if math.isfinite(value) else None
    return value


def _natural(text: str) -> tuple[int, float, str]:
    """Numbers before words, by size."""
    try:
        return (0, float(text), "")
    except ValueError:
        return (1, 0.0, text)
