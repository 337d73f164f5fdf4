"""The leaderboard as leaderboard.csv, leaderboard.md, pairs.csv and a terminal
table."""

from __future__ import annotations

import csv
import io
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from runner.compare.comparison import Comparison
from runner.compare.pairs import OVERALL, UNKNOWN_SPREAD, Family, score_estimate
from runner.compare.scores import Arm, higher_is_better, median_solved_epoch, tuned_text
from runner.compare.settings import Setting, short, show
from runner.compare.verdict import sentences
from runner.compare.wording import metric_name, score, scored
from runner.results.run import LEADERBOARD
from runner.statistics.estimates import FEWEST_FOR_BOOTSTRAP, how, interquartile_mean_interval
from runner.system.files import write_whole
from runner.system.terminal import one_line

_MARKUP = re.compile(r"[\\`*_\[\]<>|#~&$]|:(?=//)|(?<=www)\.")
MOST_LETTERS = 60
"""Of a name on the terminal; the files have it whole."""
RANKS = (
    "Rank: 1 + the number of settings shown to be better, none where too few seeds are shared "
    "for a test; settings that share a letter cannot be separated (paired by seed, exact "
    "sign-flip test, Holm over all pairs of the report; where Holm cannot reach .05 with so few "
    "replicates, the joint sign-flip test stepping down)."
)


def legend(metric: str) -> str:
    """Return what the leaderboard's scores, ranks and letters are."""
    order = (
        ""
        if higher_is_better(metric)
        else " Rows are in the order of arithmetic means, whose differences are tested."
    )
    return f"Score: {how(metric)}, over replicates.{order} {RANKS}"


@UNKNOWN_SPREAD
def rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return one row per arm and task, the arms of all tasks together first."""
    return [
        _row(comparison, family, index)
        for family in comparison.families
        for index in range(len(family.arms))
    ]


def _row(comparison: Comparison, family: Family, index: int) -> dict[str, Any]:
    members, metric = family.members[index], comparison.metric
    together = family.task == OVERALL
    arm = members[0]
    row: dict[str, Any] = {
        "rank": family.ranks[index],
        "ties": family.letters[index],
        "task": family.task,
        "name": family.arms[index],
    }
    for key in comparison.keys:
        values = {show(member.setting.config.get(key)) for member in members}
        row[short(key) if _unique(comparison.keys, key) else key] = (
            values.pop() if len(values) == 1 else "various"
        )
    if together:
        middle = (math.nan, math.nan, math.nan)
    else:
        middle = _middle(arm)
    row.update(zip(("score", "low", "high"), score_estimate(members, metric)[:3], strict=True))
    row.update(zip(("iqm", "iqm_low", "iqm_high"), middle, strict=True))
    settings = [member.setting for member in members]
    row.update(
        metric=metric,
        n=sum(member.scores.size for member in members),
        replicates=sum(len(s.replicates) for s in settings),
        solved=sum(s.solved for s in settings),
        diverged=sum(int(s.diverged.sum()) for s in settings),
        median_solved_epoch=median_solved_epoch(settings),
        dead_units=_mean([dead_share(s) for s in settings]),
        chosen="" if together else tuned_text(arm),
        trials=sum(len(member.trials) for member in members),
        on_edge=any(member.on_edge for member in members),
        parameters=", ".join(
            sorted({str(s.runs[0].summary.get("parameters", "")) for s in settings})
        ),
        seconds=round(sum(s.seconds for s in settings), 3),
        folder="" if together else str(arm.setting.runs[0].path),
    )
    return row


def _unique(keys: Sequence[str], key: str) -> bool:
    return sum(short(other) == short(key) for other in keys) == 1


def _middle(arm: Arm) -> tuple[float, float, float]:
    if arm.scores.size < FEWEST_FOR_BOOTSTRAP:
        return math.nan, math.nan, math.nan
    middle, low, high = interquartile_mean_interval(arm.scores)
    return float(middle), float(low), float(high)


def dead_share(setting: Setting) -> float:
    """Return the share of hidden units that are dead at the end, NaN if not
    recorded."""
    layers = [layer for r in setting.replicates for layer in r.get("dead") or []]
    units = sum(layer["of"] for layer in layers)
    return sum(layer["units"] for layer in layers) / units if units else math.nan


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else math.nan


def csv_text(table: Sequence[dict[str, Any]]) -> str:
    """Return rows as CSV, numbers to nine digits, NaN empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table[0] if table else [])
    for row in table:
        writer.writerow([_cell(value) for value in row.values()])
    return stream.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return f"{value:.9g}" if math.isfinite(value) else ""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    # A text that a spreadsheet would run as a formula is made plain text.
    if isinstance(value, str) and value[:1] in ("=", "+", "@"):
        return f"'{value}"
    return value


def pair_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return one row per pair of arms of each family; differences: + favours the
    first."""
    return [
        {
            "task": family.task,
            "first": family.arms[pair.first],
            "second": family.arms[pair.second],
            "n": pair.n,
            "difference": pair.mean,
            "low": pair.low,
            "high": pair.high,
            "probability_of_improvement": pair.better,
            "p": pair.p,
            "adjusted_p": pair.adjusted,
            "method": family.method if pair.tested else "none",
            "replicates_to_separate": pair.needed,
        }
        for family in comparison.families
        for pair in family.pairs
    ]


def columns(comparison: Comparison, table: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return (heading, row key) of the table for people."""
    keys = [short(key) if _unique(comparison.keys, key) else key for key in comparison.keys]
    varying = [key for key in keys if not key.startswith("dataset")]
    if comparison.tuned:
        tuned = {short(k) for a in comparison.arms for k in a.chosen}
        varying = [key for key in varying if key not in tuned]
    chosen = [("chosen", "chosen")] if any(row["chosen"] for row in table) else []
    named = [(key.replace("_", " "), key) for key in varying] or [("setting", "name")]
    return [
        ("rank", "rank"),
        ("ties", "ties"),
        *named,
        (metric_name(comparison.metric), "score"),
        ("n", "n"),
        ("solved", "solved"),
        ("diverged", "diverged"),
        *chosen,
        ("seconds", "seconds"),
    ]


def cells(row: dict[str, Any], keys: Sequence[str]) -> list[str]:
    """Return a row's texts under those of ``columns``."""
    texts = []
    for key in keys:
        value = row[key]
        if key == "score":
            value = scored(row["score"], row["low"], row["high"], row["metric"])
        elif key in ("solved", "diverged"):
            value = f"{value}/{row['replicates']}" if value or key == "solved" else "0"
        elif key == "chosen" and value and row["on_edge"]:
            value = f"{value} (edge)"
        elif key == "seconds":
            value = f"{value:.1f}"
        texts.append("" if value is None else str(value))
    return texts


def markdown(comparison: Comparison) -> str:
    """Return leaderboard.md: verdict, one table per task, what was left out."""
    lines = ["# Comparison", ""]
    lines += [f"- {_inert(sentence)}" for sentence in sentences(comparison)]
    table = rows(comparison)
    headings, keys = zip(*columns(comparison, table), strict=True)
    for family in comparison.families:
        lines += ["", f"## {_inert(family.task)}", ""]
        lines.append(_line([_inert(heading) for heading in headings]))
        lines.append(_line(["---"] * len(headings)))
        lines += [
            _line([_inert(text) for text in cells(row, keys)])
            for row in table
            if row["task"] == family.task
        ]
    lines += ["", legend(comparison.metric)]
    for title, problems in (
        ("Failed jobs", comparison.failures),
        ("Left out", comparison.problems),
        ("Pictures that could not be drawn", comparison.undrawn),
    ):
        if problems:
            lines += ["", f"## {title}", ""]
            for problem in problems:
                again = f" {_code(problem.command)}" if problem.command else ""
                lines.append(f"- {_inert(problem.path)}: {_inert(problem.reason)}{again}")
    return "\n".join([*lines, "", _code(comparison.command), ""])


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _inert(text: str) -> str:
    """Names are data: nothing in them may become markup, a link or math, or break a table."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def _code(text: str) -> str:
    """Return a code span, fenced by more backticks than the text has in a row."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    inside = f" {text} " if "`" in text else text
    return f"{fence}{' '.join(inside.splitlines())}{fence}"


@UNKNOWN_SPREAD
def terminal(comparison: Comparison, most: int = 20) -> str:
    """Return the verdict and the tables as plain text, at most so many rows each."""
    table = rows(comparison)
    headings, keys = zip(*columns(comparison, table), strict=True)
    lines = []
    for family in comparison.families:
        body = [
            [_short(one_line(text)) for text in cells(row, keys)]
            for row in table
            if row["task"] == family.task
        ]
        shown = [[_short(one_line(heading)) for heading in headings], *body[:most]]
        widths = [max(len(row[i]) for row in shown) for i in range(len(headings))]
        lines += ["", _short(one_line(family.task))]
        lines += [
            "  " + "  ".join(f"{t:{w}}" for t, w in zip(row, widths, strict=True)).rstrip()
            for row in shown
        ]
        if len(body) > most:
            lines.append(f"  ... and {len(body) - most} more in leaderboard.csv")
    lines.append("")
    names = {name for f in comparison.families for name in (f.task, *f.arms)}
    names |= {name for arm in comparison.arms for name in (arm.task, arm.name)}
    for sentence in sentences(comparison):
        for name in sorted(names, key=len, reverse=True):
            sentence = sentence.replace(name, _short(name))
        lines.append(f"* {one_line(sentence)}")
    for problem in [*comparison.failures, *comparison.problems][:most]:
        lines.append(one_line(f"  {problem.path}: {problem.reason}"))
    return "\n".join(lines[1:])


def _short(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS].rstrip()}…"


def tell_undrawn(comparison: Comparison) -> bool:
    """Name on stderr the pictures that could not be drawn; return whether there are any."""
    for picture in comparison.undrawn:
        line = f"error: the picture {picture.path} could not be drawn: {picture.reason}"
        print(one_line(line), file=sys.stderr)
    return bool(comparison.undrawn)


def write_leaderboard(comparison: Comparison, folder: Path) -> None:
    """Write leaderboard.csv, leaderboard.md and pairs.csv."""
    write_whole(folder / LEADERBOARD, csv_text(rows(comparison)))
    write_whole(folder / "leaderboard.md", markdown(comparison))
    write_whole(folder / "pairs.csv", csv_text(pair_rows(comparison)))


__all__ = ["cells", "columns", "markdown", "pair_rows", "rows", "score", "tell_undrawn", "terminal"]
