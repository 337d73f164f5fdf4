"""Write a comparison's files: pictures, report, leaderboard (CSV, Markdown, LaTeX), pairs and
scores; and its text for the terminal."""

from __future__ import annotations

import csv
import io
import math
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from runner.compare.comparison import Comparison, build
from runner.compare.pairs import UNKNOWN_SPREAD
from runner.compare.report import html
from runner.compare.runs import Problem
from runner.compare.table import legend, pair_records, records, score_records, table
from runner.compare.verdict import sentences
from runner.results.run import LEADERBOARD
from runner.system.files import write_whole
from runner.system.terminal import one_line

_MARKUP = re.compile(r"[\\`*_\[\]<>|#~&$]|:(?=//)|(?<=www)\.")
_TEX = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "[": "{[}",  # which after a line's end would be an argument
        "\N{MINUS SIGN}": "$-$",
    }
)
MOST_LETTERS, MOST_LINES = 120, 20
"""Limits of a name and a table on the terminal; the files have both in full."""


def compare(
    folders: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    metric: str | None = None,
    tune: str | None = None,
    failures: Iterable[Problem] = (),
    plots: str = "png",
    embed: bool = False,
) -> Comparison:
    """Compare runs and write leaderboard, verdict, pictures and index.html to
    ``output``, as ``build`` and ``write`` do."""
    comparison = build(folders, metric=metric, tune=tune, failures=failures)
    write(comparison, output, plots=plots, embed=embed)
    return comparison


@UNKNOWN_SPREAD
def write(
    comparison: Comparison,
    output: str | os.PathLike[str],
    *,
    plots: str = "png",
    embed: bool = False,
) -> None:
    """Write leaderboard, verdict, pictures and index.html to ``output``.

    The same runs give byte-identical files. ``plots`` is the format of the pictures: png, svg,
    pdf or none. ``embed`` copies the runs' own pictures into index.html instead of linking to
    them. A picture that cannot be drawn is listed in ``comparison.undrawn``.
    """
    target = Path(output)
    target.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, bytes] = {}
    if plots != "none":
        try:
            from runner.compare.pictures import draw_all

            drawn, comparison.undrawn = draw_all(comparison, plots)
        except Exception as error:  # Matplotlib cannot be loaded, or no process be started
            why = f"{type(error).__name__}: {error}"
            comparison.undrawn = [Problem("leaderboard, like all others,", why)]
    for name, content in drawn.items():
        write_whole(target / name, content)
    write_whole(target / "index.html", html(comparison, target, drawn, embed=embed))
    # After the pictures, which may find weights damaged.
    write_whole(target / LEADERBOARD, csv_text(records(comparison)))
    write_whole(target / "leaderboard.md", markdown(comparison))
    write_whole(target / "leaderboard.tex", latex(comparison))
    write_whole(target / "pairs.csv", csv_text(pair_records(comparison)))
    write_whole(target / "scores.csv", csv_text(score_records(comparison)))


def csv_text(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return lines as CSV, numbers to nine digits, NaN empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(lines[0] if lines else [])
    for line in lines:
        writer.writerow([_cell(value) for value in line.values()])
    return stream.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return f"{value:.9g}" if math.isfinite(value) else ""
    if isinstance(value, bool):
        return str(value).lower()
    # A spreadsheet would run such a text as a formula; the quote makes it plain text.
    if isinstance(value, str) and value[:1] in ("=", "+", "@"):
        return f"'{value}"
    return value


def markdown(comparison: Comparison) -> str:
    """Return leaderboard.md: verdict, one table per task, what was left out."""
    lines = ["# Comparison", ""]
    lines += [f"- {_inert(sentence)}" for sentence in sentences(comparison)]
    for family in comparison.families:
        headings, *body = [[_inert(text) for text in line] for line in table(comparison, family)]
        lines += ["", f"## {_inert(family.task)}", ""]
        lines += [f"| {' | '.join(line)} |" for line in (headings, ["---"] * len(headings), *body)]
    lines += ["", legend(comparison)]
    for title, problems in comparison.listed_problems.items():
        if problems:
            lines += ["", f"## {title}", ""]
            for problem in problems:
                again = f" {_code(problem.command)}" if problem.command else ""
                lines.append(f"- {_inert(problem.path)}: {_inert(problem.reason)}{again}")
    return "\n".join([*lines, "", _code(comparison.command), ""])


def latex(comparison: Comparison) -> str:
    """Return leaderboard.tex: a plain tabular for each task, named above it in a comment."""
    parts = []
    for family in comparison.families:
        lines = [[_latex(text) for text in line] for line in table(comparison, family)]
        head, *body = (f"{' & '.join(line)} \\\\" for line in lines)
        parts += [
            f"% {one_line(family.task)}",
            f"\\begin{{tabular}}{{{'l' * len(lines[0])}}}",
            "\\hline",
            head,
            "\\hline",
            *body,
            "\\hline",
            "\\end{tabular}",
            "",
        ]
    return "\n".join(parts)


def _latex(text: str) -> str:
    return " ".join(text.split()).translate(_TEX)


def _inert(text: str) -> str:
    """Escape a name, so that it cannot become markup, a link or math, or break a table."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def _code(text: str) -> str:
    """Return a code span, fenced by more backticks than the text has in a row."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    inside = f" {text} " if "`" in text else text
    return f"{fence}{' '.join(inside.splitlines())}{fence}"


@UNKNOWN_SPREAD
def terminal(comparison: Comparison) -> str:
    """Return the verdict and the tables as plain text."""
    lines = []
    names = {name for arm in comparison.arms for name in (arm.task, arm.name)}
    for sentence in sentences(comparison):
        for name in sorted(names, key=len, reverse=True):
            sentence = sentence.replace(name, _short(name))
        lines.append(f"* {one_line(sentence)}")
    for family in comparison.families:
        body = [
            [_short(one_line(text)) for text in line]
            for line in table(comparison, family)[: 1 + MOST_LINES]
        ]
        widths = [max(map(len, texts)) for texts in zip(*body, strict=True)]
        lines += ["", _short(one_line(family.task))]
        for line in body:
            padded = (f"{text:{width}}" for text, width in zip(line, widths, strict=True))
            lines.append(f"  {'  '.join(padded)}".rstrip())
        if len(family.standings) > MOST_LINES:
            more = len(family.standings) - MOST_LINES
            lines.append(f"  ... and {more} more in leaderboard.csv")
    for problem in [*comparison.failures, *comparison.problems][:MOST_LINES]:
        lines.append(one_line(f"  {problem.path}: {problem.reason}"))
    return "\n".join(lines)


def _short(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS].rstrip()}…"


def print_undrawn(comparison: Comparison) -> bool:
    """Print the pictures that could not be drawn to stderr; return whether there are any."""
    for picture in comparison.undrawn:
        line = f"error: the picture {picture.path} could not be drawn: {picture.reason}"
        print(one_line(line), file=sys.stderr)
    return bool(comparison.undrawn)
