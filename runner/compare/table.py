"""The columns of the leaderboard, listed once for leaderboard.csv, the tables and the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Flag, auto
from typing import Any

import numpy as np

from runner.compare.comparison import Comparison
from runner.compare.pairs import OVERALL, Family, Standing
from runner.compare.scores import higher_is_better, median_solved_epoch
from runner.compare.settings import key_names, show, show_value
from runner.compare.wording import metric_name, shortfall, with_interval
from runner.statistics.estimates import estimate_description

BEST = (
    '"Could be": the data do not exclude that the setting is the best of its task. "Short by up to '
    '3 points": it is worse than the best, by 0 to 3 points. What the table says about a task is '
    "right in 95% of experiments, unless failures are too rare to show in its seeds."
)
FINDING = (
    '"Finding": a problem that the setting\'s run reports and no run that could be the best does. '
    "It is shown only if one of these differs in nothing but the activation, and may not be the "
    "cause."
)


_SCORE_COLUMNS = ("task", "setting", "metric", "seed", "score", "chosen", "judged", "placebo")


class Place(Flag):
    """Where a column is shown."""

    CSV = auto()
    TABLES = auto()  # on the terminal, in leaderboard.md, over all tasks in the report
    PAGE = auto()  # in the report's table that can be sorted
    PEOPLE = TABLES | PAGE
    EVERYWHERE = CSV | PEOPLE


@dataclass(frozen=True)
class Column:
    """A column of the leaderboard.

    Attributes:
        name: the heading in leaderboard.csv.
        value: the entry for a standing there: a number, a text, or None.
        places: where the column is shown.
        heading: the heading elsewhere; if empty, the name without underscores.
        text: the entry elsewhere; if None, the value.
        order: what the page sorts by; if None, the value.
        down: whether the page's first click sorts downwards.
        key: the config key that it shows, if it shows one.
    """

    name: str
    value: Callable[[Standing], Any]
    places: Place = Place.CSV
    heading: str = ""
    text: Callable[[Standing], str] | None = None
    order: Callable[[Standing], Any] | None = None
    down: bool = False
    key: str = ""

    @property
    def title(self) -> str:
        return self.heading or self.name.replace("_", " ")

    def cell(self, standing: Standing) -> str:
        """Return the text shown."""
        if self.text:
            return self.text(standing)
        value = self.value(standing)
        return "" if value is None else str(value)

    def sort_key(self, standing: Standing) -> Any:
        """Return the value that the page sorts by."""
        return (self.order or self.value)(standing)


def columns(comparison: Comparison, place: Place) -> list[Column]:
    """Return the columns that a place shows, from left to right."""
    return [column for column in _columns(comparison) if column.places & place]


def _columns(comparison: Comparison) -> list[Column]:
    metric = comparison.metric
    first = [
        Column("task", lambda s: s.task),
        Column("name", lambda s: s.name, Place.CSV | Place.TABLES, heading="setting"),
    ]
    finding = Column(
        "finding", lambda s: s.reason, Place.PAGE if _reasons(comparison) else Place(0)
    )
    rest = [
        Column(
            "score",
            lambda s: s.score.centre,
            Place.EVERYWHERE,
            heading=metric_name(metric),
            text=lambda s: with_interval(s.score, metric),
            down=higher_is_better(metric),
        ),
        Column("best", _best, Place.EVERYWHERE, text=_best_text, order=lambda s: s.short[1]),
        finding,
        Column("short_low", lambda s: s.short[0]),
        Column("short_high", lambda s: s.short[1]),
        Column("low", lambda s: s.score.low),
        Column("high", lambda s: s.score.high),
        Column("iqm", lambda s: s.interquartile_mean.centre),
        Column("iqm_low", lambda s: s.interquartile_mean.low),
        Column("iqm_high", lambda s: s.interquartile_mean.high),
        Column("metric", lambda s: metric),
        Column("n", lambda s: s.scores.size, Place.EVERYWHERE, down=True),
        Column("replicates", _replicates),
        Column(
            "solved",
            _solved,
            Place.EVERYWHERE,
            text=lambda s: f"{_solved(s)}/{_replicates(s)}",
            order=lambda s: _solved(s) / _replicates(s),
            down=True,
        ),
        Column(
            "diverged",
            _diverged,
            Place.EVERYWHERE,
            text=lambda s: f"{_diverged(s)}/{_replicates(s)}" if _diverged(s) else "0",
            order=lambda s: _diverged(s) / _replicates(s),
            down=True,
        ),
        Column(
            "median_solved_epoch",
            lambda s: median_solved_epoch(s.settings),
            Place.CSV | Place.PAGE,
            heading="median epoch solved",
            text=lambda s: _unless_nan(median_solved_epoch(s.settings), "g"),
        ),
        Column(
            "dead_units",
            _dead_share,
            Place.CSV | Place.PAGE,
            text=lambda s: _unless_nan(_dead_share(s), ".0%"),
            down=True,
        ),
        Column(
            "chosen",
            _chosen,
            Place.CSV | Place.TABLES,
            text=lambda s: _chosen(s) + (" (edge)" if _chosen(s) and s.arms[0].on_edge else ""),
        ),
        Column("trials", lambda s: sum(len(arm.trials) for arm in s.arms)),
        Column("on_edge", lambda s: any(arm.on_edge for arm in s.arms)),
        Column("parameters", _parameters),
        Column(
            "seconds",
            lambda s: round(_seconds(s), 3),
            Place.EVERYWHERE,
            text=lambda s: f"{_seconds(s):.1f}",
            down=True,
        ),
        replace(finding, places=Place.CSV | Place.TABLES),  # its long text last
        Column("folder", lambda s: "" if s.task == OVERALL else str(s.settings[0].runs[0].path)),
    ]
    tuned = {key for arm in comparison.arms for key in arm.chosen}
    named = key_names(comparison.keys, [column.name for column in (*first, *rest)])
    keys = [
        _of_key(comparison, key, name, key not in tuned and not key.startswith("dataset."))
        for key, name in named.items()
    ]
    return [*first, *keys, *rest]


def _of_key(comparison: Comparison, key: str, name: str, in_tables: bool) -> Column:
    """Return the column of a config key; "various" if the arms of the tasks differ in it."""

    def text(standing: Standing) -> str:
        values = {show(setting.config.get(key)) for setting in standing.settings}
        return values.pop() if len(values) == 1 else "various"

    def marked(standing: Standing) -> str:
        shown = {show_value(s.config, key, comparison.keys) for s in standing.settings}
        edge = " (edge)" if key in standing.arms[0].on_edge else ""
        return (shown.pop() if len(shown) == 1 else "various") + edge

    def order(standing: Standing) -> Any:
        value = standing.arms[0].setting.config.get(key)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return value if number else show(value)

    places = Place.EVERYWHERE if in_tables else Place.CSV | Place.PAGE
    return Column(name, text, places, text=marked, order=order, key=key)


def _best(standing: Standing) -> str:
    return {True: "could be", False: "no", None: ""}[standing.could_be_best]


def _best_text(standing: Standing) -> str:
    if standing.could_be_best is False:
        return f"short by {shortfall(standing.short, standing.metric)}"
    return _best(standing)


def _replicates(standing: Standing) -> int:
    return sum(len(setting.replicates) for setting in standing.settings)


def _solved(standing: Standing) -> int:
    return sum(setting.solved for setting in standing.settings)


def _diverged(standing: Standing) -> int:
    return sum(int(setting.diverged.sum()) for setting in standing.settings)


def _seconds(standing: Standing) -> float:
    return sum(setting.seconds for setting in standing.settings)


def _dead_share(standing: Standing) -> float:
    """Return the share of hidden units that are dead at the end, the mean over tasks; NaN if
    not recorded."""
    shares = []
    for setting in standing.settings:
        layers = [layer for entry in setting.replicates for layer in entry["dead"]]
        units = sum(layer["of"] for layer in layers)
        if units:
            shares.append(sum(layer["units"] for layer in layers) / units)
    return float(np.mean(shares)) if shares else math.nan


def _chosen(standing: Standing) -> str:
    return "" if standing.task == OVERALL else standing.arms[0].chosen_text


def _parameters(standing: Standing) -> str:
    found = {str(s.runs[0].summary["parameters"]) for s in standing.settings}
    return ", ".join(sorted(found))


def _unless_nan(value: float, form: str) -> str:
    return "" if math.isnan(value) else f"{value:{form}}"


def trials(family: Family) -> Iterator[Standing]:
    """Return the trials that were not chosen in a task, each as a standing that is not judged."""
    for arm in (arm for standing in family.standings for arm in standing.arms):
        for trial in arm.trials:
            if trial is not arm.choice:
                as_if = replace(arm, setting=trial, chosen={}, on_edge=[])
                yield Standing(family.task, [as_if])


def table(comparison: Comparison, family: Family) -> list[list[str]]:
    """Return a family's table as lines of text, the headings first, without empty columns.

    Of the config only the activation and what differs within the family is shown; if nothing is,
    the setting's name.
    """
    shown, keys = [], 0
    for column in columns(comparison, Place.TABLES):
        cells = [column.cell(standing) for standing in family.standings]
        if column.key not in ("", "activation.name") and len(set(cells)) == 1:
            continue
        keys += bool(column.key)
        if any(cells):
            shown.append([column.title, *cells])
    if keys:
        del shown[0]  # the name
    return [list(line) for line in zip(*shown, strict=True)]


def records(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the lines of leaderboard.csv by column name: over all tasks, then task by task."""
    shown = columns(comparison, Place.CSV)
    return [
        {column.name: column.value(standing) for column in shown}
        for family in comparison.families
        for standing in family.standings
    ]


def pair_records(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the lines of pairs.csv. A difference, on the scale of ``comparable``, is positive if
    the first is better."""
    return [
        {
            "task": family.task,
            "first": family.names[pair.first],
            "second": family.names[pair.second],
            "n": pair.n,
            "difference": pair.difference,
            "probability_of_improvement": pair.better,
            "p": pair.p,
        }
        for family in comparison.families
        for pair in family.pairs
    ]


def score_records(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the lines of scores.csv, one for each replicate of each setting, trials too.

    ``judged`` marks those whose mean is the leaderboard's score.
    """
    whole = {setting.label: setting for setting in comparison.settings}
    names = key_names(comparison.keys, _SCORE_COLUMNS)
    lines = []
    for arm in comparison.arms:
        has_placebo = arm.placebo.size > 0
        for trial in arm.trials:
            setting, chosen = whole[trial.label], trial is arm.choice
            judging, choosing = set(arm.setting.seeds), set(trial.seeds)
            of_all = {"task": arm.task, "setting": setting.label}
            of_all |= {name: show(setting.config.get(key)) for key, name in names.items()}
            for seed, score in zip(setting.seeds, setting.scores.tolist(), strict=True):
                judged = chosen and seed in judging
                unused = chosen and seed not in judging | choosing
                values = comparison.metric, seed, score, chosen, judged, unused and has_placebo
                lines.append(of_all | dict(zip(_SCORE_COLUMNS[2:], values, strict=True)))
    return lines


def legend(comparison: Comparison) -> str:
    """Return the note that explains the leaderboard's scores and marks."""
    metric = comparison.metric
    score = f"{metric_name(metric).capitalize()}: {estimate_description(metric)}, over replicates."
    notes = [score, "Rows are sorted by it.", BEST, *([FINDING] if _reasons(comparison) else [])]
    return " ".join(notes)


def _reasons(comparison: Comparison) -> bool:
    return any(one.reason for family in comparison.families for one in family.standings)
