"""index.html: the whole comparison in one file that opens from disk, without a network.

The table, the verdict and the pictures are in the page itself and read without script;
the script sorts, filters and overlays. What users named is data: escaped in the page,
JSON with ``<`` written as \\u003c for the script, which inserts it as text only. The
content policy names the hashes of the page's one style and one script, so nothing else
can run or load.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from runner.compare.bands import centre_and_band
from runner.compare.comparison import Comparison, write_whole
from runner.compare.leaderboard import HOW, dead_share
from runner.compare.pairs import OVERALL
from runner.compare.runs import Problem, RunRecord, Setting, short, show
from runner.compare.scores import Arm, filled, higher_is_better, worst_score
from runner.compare.verdict import sentences
from runner.compare.wording import counted, metric_name, scored
from runner.plots.style import line_style
from runner.statistics import t_interval

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("curves.js", "report.js")
CURVES = ("test_loss", "test_accuracy", "train_loss", "train_accuracy", "validation_loss")
MOST_ROWS_WITH_CURVES, MOST_POINTS = 200, 60
MOST_FACET_VALUES = 40
_KINDS = {".png": "image/png", ".svg": "image/svg+xml"}


def write_report(
    comparison: Comparison,
    folder: Path,
    pictures: Mapping[str, bytes],
    *,
    embed: bool = False,
) -> Path:
    """Write index.html with the comparison's pictures in it, and return its path.

    The runs' own pictures are linked relative to ``folder``, or with ``embed`` put into
    the page.
    """
    path = folder / "index.html"
    write_whole(path, html(comparison, folder, pictures, embed=embed))
    return path


def html(
    comparison: Comparison,
    folder: Path,
    pictures: Mapping[str, bytes],
    *,
    embed: bool = False,
) -> str:
    """Return the page."""
    table = _Table(comparison, folder, embed)
    style = (PAGE / "report.css").read_text(encoding="utf-8")
    script = "".join((PAGE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    verdict = sentences(comparison)
    places = {
        "policy": _policy(style, script),
        "title": escape(_title(comparison)),
        "style": style,
        "facts": escape(_facts(comparison)),
        "command": escape(comparison.command),
        "verdict": "".join(f"<li>{escape(text)}</li>" for text in verdict),
        "how": escape(HOW),
        "headings": table.headings(),
        "rows": table.body(),
        "pictures": "".join(
            _picture(name, content, verdict[0]) for name, content in pictures.items()
        )
        or "<p>None were drawn.</p>",
        "problems": _problems("Failed jobs", comparison.failures)
        + _problems("Left out", comparison.problems),
        "common": _common(comparison),
        "method": "".join(f"<li>{escape(text)}</li>" for text in _method(comparison)),
        "data": _json(table.data()),
        "script": script,
    }
    template = (PAGE / "report.html").read_text(encoding="utf-8")
    # One pass: what is put in is never searched for places again.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: places[found[1]], template)


def _policy(style: str, script: str) -> str:
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        "default-src 'none'; img-src data: file: 'self'; "
        f"style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _json(value: Any) -> str:
    text = json.dumps(
        value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _title(comparison: Comparison) -> str:
    swept = [short(key).replace("_", " ") for key in comparison.keys]
    return f"Comparison by {', '.join(swept)}" if swept else "Comparison"


def _facts(comparison: Comparison) -> str:
    versions = sorted(
        {
            ", ".join(f"{k} {v}" for k, v in sorted(run.summary.get("versions", {}).items()))
            for run in comparison.runs
        }
    )
    replicates = sum(len(setting.replicates) for setting in comparison.settings)
    seconds = sum(setting.seconds for setting in comparison.settings)
    return "; ".join(
        [
            counted(len(comparison.settings), "setting"),
            counted(replicates, "replicate"),
            f"{seconds:.1f} s of computing",
            " or ".join(versions),
        ]
    )


def _picture(name: str, content: bytes, verdict: str) -> str:
    stem, _, ending = name.rpartition(".")
    kind = _KINDS[f".{ending}"]
    source = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    title = stem.replace("_", " ")
    size = ""
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
        size = f' width="{width}" height="{height}"'
    return (
        f'<figure><img src="{source}"{size} alt="{escape(title)}: {escape(verdict)}">'
        f'<figcaption><a href="{escape(quote(name))}">{escape(title)}</a></figcaption>'
        "</figure>"
    )


def _problems(title: str, problems: Sequence[Problem]) -> str:
    if not problems:
        return ""
    rows = "".join(
        f'<tr><td class="wrap">{escape(p.path)}</td><td class="wrap">{escape(p.reason)}'
        f'</td><td class="wrap"><code>{escape(p.command)}</code></td></tr>'
        for p in problems
    )
    name = title.lower().replace(" ", "-")
    return (
        f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2><table><thead><tr>'
        f"<th>folder</th><th>reason</th><th>repeat</th></tr></thead><tbody>{rows}</tbody>"
        "</table></section>"
    )


def _common(comparison: Comparison) -> str:
    configs = [setting.config for setting in comparison.settings]
    common = {
        key: configs[0][key]
        for key in sorted(configs[0])
        if all(key in c and repr(c[key]) == repr(configs[0][key]) for c in configs)
    }
    return "".join(
        f'<tr><th scope="row">{escape(key)}</th><td>{escape(show(value))}</td></tr>'
        for key, value in common.items()
    )


def _method(comparison: Comparison) -> list[str]:
    better = higher_is_better(comparison.metric)
    lines = [
        f"Score: {metric_name(comparison.metric)} of each replicate, "
        + (
            "at the epoch of its lowest validation loss."
            if comparison.metric.startswith("best.")
            else "at its last epoch."
        ),
        "Intervals of means: Student's t, 95%. leaderboard.csv adds the interquartile mean "
        "with a percentile bootstrap from 10 replicates up.",
        "A diverged replicate scores "
        + ("accuracy 0" if better else "the greatest finite loss of its task")
        + "; none is left out of a score or a test.",
        "Pairs: differences on the same seed, exact sign-flip test (two-sided); p adjusted by "
        "Holm within a task and multiplied by the number of tasks tested. Where Holm cannot "
        "reach .05 with the replicates there are, the step-down joint sign-flip test "
        "(Westfall & Young) takes its place; which one is used depends on the numbers of "
        "replicates and pairs only.",
        "Replicates needed: for 80% power at the adjusted level, if the mean difference seen "
        "is the true one.",
        "Solved by: Kaplan-Meier; a replicate that stopped unsolved is censored, one that "
        "diverged never solves.",
    ]
    if comparison.tuned:
        lines.append(
            f"Tuned: {', '.join(comparison.tuned)}, by mean validation result; the score is on "
            "data that this choice has not seen if the metric is a test metric."
        )
    return lines


class _Table:
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

    def _add(self, arm: Arm, setting: Setting, scores: Any, place: tuple[int, str] | None) -> None:
        mean, low, high = (float(v) for v in t_interval(scores))
        solved = [r["solved_epoch"] for r in setting.replicates if r.get("solved_epoch")]
        n = len(setting.replicates)
        lost = int(setting.diverged.sum())
        dead = dead_share(setting)
        epochs = float(np.median(solved)) if solved else math.nan
        rank, letters = place or (None, "")
        edge = " (edge)" if arm.on_edge and setting is arm.setting else ""
        cells: list[tuple[str, Any]] = [
            ("" if rank is None else str(rank), rank),
            (letters, letters or None),
            *self._key_cells(setting, edge),
            (scored(mean, low, high, self.comparison.metric), mean),
            (str(len(scores)), len(scores)),
            (f"{setting.solved}/{n}", setting.solved / n),
            (f"{lost}/{n}" if lost else "0", lost / n),
            ("" if math.isnan(epochs) else f"{epochs:g}", epochs),
            ("" if math.isnan(dead) else f"{100 * dead:.0f}%", dead),
            (f"{setting.seconds:.1f}", setting.seconds),
        ]
        self.rows.append({"cells": cells, "setting": setting, "arm": arm, "trial": place is None})

    def _key_cells(self, setting: Setting, edge: str) -> list[tuple[str, Any]]:
        cells: list[tuple[str, Any]] = []
        for key in self.comparison.keys:
            value = setting.config.get(key)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            mark = edge if key in self.comparison.tuned else ""
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

    def _pictures(self, run: RunRecord) -> dict[str, str]:
        found = {}
        for name in run.pictures:
            path = run.path / name
            if self.embed:
                kind = _KINDS[path.suffix]
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
        try:
            epochs, values = setting.curve(name)
        except ValueError:
            return {}
        if not np.isfinite(values).any():
            continue
        kept = np.unique(np.linspace(0, len(epochs) - 1, MOST_POINTS).round().astype(int))
        band = centre_and_band(values[:, kept], geometric=name.endswith("_loss"))
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
