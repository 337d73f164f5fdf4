"""index.html: the whole comparison in one file, which opens from disk without a network.

The table, the verdict and the pictures work without JavaScript; the script sorts, filters and
overlays. Users' names are escaped (see ``web_page``).
"""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from activations.web_page import as_json, fill
from runner.compare.comparison import Comparison
from runner.compare.pairs import OVERALL, Standing
from runner.compare.runs import Problem
from runner.compare.scores import higher_is_better
from runner.compare.settings import Setting, key_names, short, show
from runner.compare.table import Place, columns, legend, table, trials
from runner.compare.verdict import sentences
from runner.compare.wording import counted, metric_name
from runner.plots.colours import distinct_styles
from runner.results.run import Run
from runner.statistics.estimates import estimate_description

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("curves.js", "report.js")
CURVES = ("test_loss", "test_accuracy", "train_loss", "train_accuracy", "validation_loss")
MOST_ROWS_WITH_CURVES, MOST_POINTS = 200, 60
MOST_FACET_VALUES = 40
LONG = 24
"""Letters; a longer text in a table wraps."""
PICTURE_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}


def html(
    comparison: Comparison,
    folder: Path,
    pictures: Mapping[str, bytes],
    *,
    embed: bool = False,
) -> str:
    """Return the page, with the comparison's pictures in it.

    The runs' own pictures are linked relative to ``folder``, or copied into the page (``embed``).
    """
    rows = _rows(comparison)
    verdict = sentences(comparison)
    swept = [short(key).replace("_", " ") for key in comparison.keys]
    places = {
        "title": escape(f"Comparison by {', '.join(swept)}" if swept else "Comparison"),
        "facts": escape(_facts(comparison)),
        "command": escape(comparison.command),
        "verdict": _items(verdict),
        "how": escape(legend(comparison)),
        "together": _together(comparison),
        "headings": '<th scope="col" class="pick">show</th>'
        + "".join(
            f'<th scope="col" data-column="{i}">{escape(column.title)}</th>'
            for i, column in enumerate(columns(comparison, Place.PAGE))
        ),
        "rows": _body(comparison, rows),
        "pictures": _pictures(pictures, verdict[0]),
        "problems": "".join(
            _problems(heading, problems) for heading, problems in comparison.listed_problems.items()
        ),
        "common": _common(comparison),
        "method": _items(_method(comparison)),
        "data": as_json(_data(comparison, rows, folder, embed)),
    }
    return fill(PAGE / "report.html", SCRIPTS, places)


def _items(texts: Sequence[str]) -> str:
    return "".join(f"<li>{escape(text)}</li>" for text in texts)


def _cells(texts: Sequence[str]) -> str:
    kinds = "", ' class="wrap"'
    return "".join(f"<td{kinds[len(text) > LONG]}>{escape(text)}</td>" for text in texts)


def _facts(comparison: Comparison) -> str:
    versions = sorted(
        {
            ", ".join(f"{k} {v}" for k, v in sorted(run.summary["versions"].items()))
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
    """Return the table over all tasks, empty for one task. Its rows have no config, curves or
    pictures."""
    first = comparison.families[0] if comparison.families else None
    if first is None or first.task != OVERALL:
        return ""
    headings, *lines = table(comparison, first)
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(f"<tr>{_cells(line)}</tr>" for line in lines)
    return (
        f'<h3>{OVERALL}</h3><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{OVERALL}"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        "</table></div><h3>task by task</h3>"
    )


# ---- the sortable rows: every setting of every task, and the script's data about them


def _rows(comparison: Comparison) -> list[tuple[Standing, bool]]:
    """Return every setting as a standing, and whether it is a trial that was not chosen."""
    rows = []
    for family in comparison.families:
        if family.task != OVERALL:
            rows += [(standing, False) for standing in family.standings]
            rows += [(standing, True) for standing in trials(family)]
    return rows


def _body(comparison: Comparison, rows: Sequence[tuple[Standing, bool]]) -> str:
    shown = columns(comparison, Place.PAGE)
    lines = []
    for index, (standing, is_trial) in enumerate(rows):
        name = escape(standing.settings[0].label, quote=True)
        style = ' class="trial"' if is_trial else ""
        lines.append(
            f'<tr data-row="{index}"{style}><td class="pick"><input type="checkbox" '
            f'disabled aria-label="show {name}"></td>'
            f"{_cells([column.cell(standing) for column in shown])}</tr>"
        )
    return "\n".join(lines)


def _data(
    comparison: Comparison, rows: Sequence[tuple[Standing, bool]], folder: Path, embed: bool
) -> dict[str, Any]:
    """Return the script's data: numbers to sort by, facets, curves, pictures."""
    shown, names = columns(comparison, Place.PAGE), key_names(comparison.keys)
    by_trial = sorted(range(len(rows)), key=lambda index: rows[index][1])
    with_curves = set(by_trial[:MOST_ROWS_WITH_CURVES])
    looks = distinct_styles(setting.activation for setting in comparison.settings)
    entries: list[dict[str, Any]] = []
    for index, (standing, is_trial) in enumerate(rows):
        (setting,) = standing.settings
        look = looks[setting.activation]
        dash = look["linestyle"]
        entries.append(
            {
                "name": setting.label,
                "trial": is_trial,
                "sort": [_number(column.sort_key(standing), 9) for column in shown],
                "facets": {name: show(setting.config.get(key)) for key, name in names.items()},
                "config": {k: show(v) for k, v in setting.config.items()},
                "command": setting.runs[0].summary["command"],
                "colour": look["color"],
                "dash": "" if dash == "-" else " ".join(str(2 * d) for d in dash[1]),
                "curves": _curves(setting) if index in with_curves else {},
                "pictures": _run_pictures(setting.runs[0], folder, embed),
            }
        )
    facets = {
        name: sorted({entry["facets"][name] for entry in entries}, key=_natural)
        for name in names.values()
    }
    own = comparison.metric.rpartition(".")[2]
    return {
        "rows": entries,
        "columns": [{"title": column.title, "down": column.down} for column in shown],
        "facets": {
            n: values for n, values in facets.items() if 1 < len(values) <= MOST_FACET_VALUES
        },
        "keys": comparison.keys,
        "curves": sorted(
            (name for name in CURVES if any(name in entry["curves"] for entry in entries)),
            key=lambda name: name != own,
        ),
        "named": [name for key, name in names.items() if key.endswith(".name")],
        "tuned": bool(comparison.tuned),
        "first": [index for index in by_trial if not rows[index][1]][:6],
    }


def _run_pictures(run: Run, folder: Path, embed: bool) -> dict[str, str]:
    """Return the links to a run's saved pictures, by name."""
    found = {}
    for path in (run.path / name for name in run.pictures):
        if embed:
            found[path.stem] = _embedded(path.read_bytes(), PICTURE_TYPES[path.suffix])
        else:
            relative = os.path.relpath(path.resolve(), folder.resolve())
            found[path.stem] = quote(relative.replace(os.sep, "/"))
    return found


def _embedded(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _curves(setting: Setting) -> dict[str, list[Any]]:
    """Return epochs, mean, low and high per quantity, thinned, to four digits."""
    curves = {}
    for name in CURVES:
        epochs, values = setting.curve(name)
        if not np.isfinite(values).any():
            continue
        kept = np.unique(np.linspace(0, len(epochs) - 1, MOST_POINTS).round().astype(int))
        band = setting.band(name, values[:, kept])
        curves[name] = [
            [int(epoch) for epoch in epochs[kept]],
            *([_number(value, 4) for value in part] for part in band),
        ]
    return curves


def _number(value: Any, digits: int) -> Any:
    """Return a float rounded to ``digits``, None for NaN; anything else unchanged."""
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    return value


def _natural(text: str) -> tuple[int, float, str]:
    """Numbers before words, by size."""
    try:
        return (0, float(text), "")
    except ValueError:
        return (1, 0.0, text)


# ---- below the table


def _pictures(pictures: Mapping[str, bytes], verdict: str) -> str:
    if not pictures:
        return ""
    figures = "".join(_picture(name, content, verdict) for name, content in pictures.items())
    return (
        '<section aria-labelledby="pictures-title"><h2 id="pictures-title">Pictures</h2>'
        f'<div class="pictures all">{figures}</div></section>'
    )


def _picture(name: str, content: bytes, verdict: str) -> str:
    stem, _, ending = name.rpartition(".")
    kind = PICTURE_TYPES.get(f".{ending}")
    title = stem.replace("_", " ")
    link = f'<a href="{escape(quote(name))}">{escape(title)}</a>'
    if kind is None:  # a browser shows no pdf in a page
        return f"<p>{link} ({escape(ending)})</p>"
    size = ""
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
        size = f' width="{width}" height="{height}"'
    return (
        f'<figure><img src="{_embedded(content, kind)}"{size} '
        f'alt="{escape(title)}: {escape(verdict)}">'
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
    when = (
        "at the epoch of its lowest validation loss"
        if comparison.metric.startswith("best.")
        else "at its last epoch"
    )
    diverged = "accuracy 0" if better else "the greatest finite loss of its task"
    lines = [
        f"The score is the {metric_name(comparison.metric)} of each replicate {when}.",
        f"A diverged replicate counts as {diverged}; it is never left out.",
        f"The leaderboard shows the scores' {estimate_description(comparison.metric)}. "
        "From 10 replicates on, leaderboard.csv adds the interquartile mean with a "
        "percentile-bootstrap interval.",
        'Column "best": Hsu\'s multiple comparisons with the best. Scores are paired by seed; '
        "quantiles of Student's t come from random signs of the residuals. In about 5% of "
        "experiments the result of a task is wrong: the best setting is called worse, or a true "
        'shortfall is outside its "short by" interval. It is wrong more often if failures are '
        "rare. Settings are compared on the seeds that all of them have; a setting that shares "
        "fewer than 6 seeds with the others is not judged.",
        *_unseen(comparison),
        "pairs.csv and the frames in the picture pairwise: sign-flip tests of all pairs of a task, "
        "adjusted step by step (Westfall & Young).",
        'Column "median epoch solved": the median over all replicates; one that never solved the '
        "task counts as infinite. It is empty if fewer than half solved it.",
        "Picture solved: the Kaplan-Meier estimate. A replicate that stopped before it solved the "
        "task is censored; one that diverged never solves it.",
    ]
    if comparison.tuned:
        lines.append(
            f"Tuned: {', '.join(comparison.tuned)}. The value with the best mean validation result "
            "is chosen, on the seeds that all trials of a setting have. If all chosen trials of a "
            "task also have other seeds, only these give the scores."
        )
    return lines


def _unseen(comparison: Comparison) -> list[str]:
    """Return notes on what these seeds and tasks cannot show."""
    lines = []
    seeds = min((len(family.seeds) for family in comparison.families if family.seeds), default=0)
    if seeds:
        # A share p is missed by all n seeds with probability (1 - p)^n.
        odds = math.ceil(1 / (1 - 0.05 ** (1 / seeds)))
        lines.append(
            f"{seeds} seeds can miss a failure that happens in fewer than 1 in {odds} seeds."
        )
    if comparison.families[0].task == OVERALL:
        lines.append(
            "Over all tasks, a seed's score is its mean over these tasks. The result says nothing "
            "about other tasks."
        )
    return lines
