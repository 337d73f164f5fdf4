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
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from runner.compare.comparison import Comparison
from runner.compare.leaderboard import cells, columns, legend, rows
from runner.compare.pairs import OVERALL
from runner.compare.report_table import PICTURE_TYPES, Table
from runner.compare.runs import Problem
from runner.compare.scores import higher_is_better
from runner.compare.settings import short, show
from runner.compare.verdict import sentences
from runner.compare.wording import counted, metric_name
from runner.statistics.estimates import how
from runner.system.files import write_whole

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("curves.js", "report.js")


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
    table = Table(comparison, folder, embed)
    data = _json(table.data())  # reads the histories: before what is wrong is written
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
        "how": escape(legend(comparison.metric)),
        "together": _together(comparison),
        "headings": table.headings(),
        "rows": table.body(),
        "pictures": "".join(
            _picture(name, content, verdict[0]) for name, content in pictures.items()
        )
        or "<p>None were drawn.</p>",
        "problems": _problems("Failed jobs", comparison.failures)
        + _problems("Left out", comparison.problems)
        + _problems("Pictures that could not be drawn", comparison.undrawn),
        "common": _common(comparison),
        "method": "".join(f"<li>{escape(text)}</li>" for text in _method(comparison)),
        "data": data,
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


def _together(comparison: Comparison) -> str:
    """Return the table over all tasks together, empty where there is one task; no row of it has
    a config, curves or pictures of its own."""
    table = [row for row in rows(comparison) if row["task"] == OVERALL]
    if not table:
        return ""
    titles, keys = zip(*columns(comparison, table), strict=True)
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in cells(row, keys))}</tr>"
        for row in table
    )
    return (
        f'<h3>{OVERALL}</h3><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{OVERALL}"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        "</table></div><h3>task by task</h3>"
    )


def _picture(name: str, content: bytes, verdict: str) -> str:
    stem, _, ending = name.rpartition(".")
    kind = PICTURE_TYPES.get(f".{ending}")
    title = stem.replace("_", " ")
    link = f'<a href="{escape(quote(name))}">{escape(title)}</a>'
    if kind is None:  # a browser shows no pdf in a page
        return f"<p>{link} ({escape(ending)})</p>"
    source = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    size = ""
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
        size = f' width="{width}" height="{height}"'
    return (
        f'<figure><img src="{source}"{size} alt="{escape(title)}: {escape(verdict)}">'
        f"<figcaption>{link}</figcaption></figure>"
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
        f"Intervals of scores: {how(comparison.metric)}; of differences: Student's t, 95%. "
        "leaderboard.csv adds the interquartile mean with a percentile bootstrap from 10 "
        "replicates up.",
        "A diverged replicate scores "
        + ("accuracy 0" if better else "the greatest finite loss of its task")
        + "; none is left out of a score or a test.",
        "Pairs: differences on the same seed, exact sign-flip test (two-sided); p adjusted by "
        "Holm within a task and multiplied by the number of tasks tested. Where Holm cannot "
        "reach .05 with the replicates there are, the step-down joint sign-flip test "
        "(Westfall & Young) takes its place; which one is used depends on the numbers of "
        "replicates and pairs only. Each pair is tested on the seeds it shares; settings that "
        "share too few for any test are in no pair tested and have no rank.",
        "Replicates needed: for 80% power at the adjusted level, if the mean difference seen "
        "is the true one.",
        "Median epoch solved: over all replicates, those that never solved as infinite; empty "
        "where it is not reached.",
        "Solved by: Kaplan-Meier; a replicate that stopped unsolved is censored, one that "
        "diverged never solves.",
    ]
    if comparison.tuned:
        lines.append(
            f"Tuned: {', '.join(comparison.tuned)}, by mean validation result; the score is on "
            "data that this choice has not seen if the metric is a test metric."
        )
    return lines
