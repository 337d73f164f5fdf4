"""The page of reproductions: a table, then for each its explanation, figure and quantities."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from activations.web_page import fill
from runner.reproduce.outcome import Outcome
from runner.reproduce.reproduction import Source, digits

TEMPLATE = Path(__file__).with_name("reproductions.html")
_HEADINGS = ("quantity", "expected", "tolerance", "ours", "", "provenance")


def page(outcomes: Sequence[Outcome]) -> str:
    """Return index.html; the figures are files in the same folder."""
    rows = "".join(_contents_row(outcome) for outcome in outcomes)
    places = {"rows": rows, "reproductions": "".join(map(_section, outcomes))}
    return fill(TEMPLATE, [], places)


def _contents_row(outcome: Outcome) -> str:
    one = outcome.reproduction
    cells = (
        f'<a href="#{one.name}">{escape(one.title)}</a>',
        escape(one.sources[0].short),
        _status(outcome.status, not outcome.fails),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n"


def _section(outcome: Outcome) -> str:
    one = outcome.reproduction
    head = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
    rows = []
    for expected in one.expected:
        ours = outcome.values.get(expected.what)
        holds = outcome.holds(expected)
        cells = (
            escape(expected.what),
            expected.text,
            expected.tolerance,
            "" if ours is None else digits(ours),
            "" if ours is None else _status("pass" if holds else "FAIL", holds),
            escape(expected.provenance),
        )
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n")
    figure = f'<img src="{one.name}.png" alt="{escape(one.title)}" loading="lazy">'
    return (
        f'<section aria-labelledby="{one.name}"><h2 id="{one.name}">{escape(one.title)}</h2>\n'
        f"<p>{escape(one.shown)}</p>\n"
        f"<p><code>{escape(one.command)}</code></p>\n"
        f"{figure if outcome.values else ''}\n"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}'
        f"</tbody></table></div>\n"
        f'<p class="quiet">{escape(outcome.status)}. {" ".join(map(_source, one.sources))}</p>'
        "</section>\n"
    )


def _source(source: Source) -> str:
    link = f'<a href="{escape(source.link)}">{escape(source.title)}</a>'
    return f"{escape(source.short)}, {link}."


def _status(words: str, good: bool) -> str:
    return escape(words) if good else f"<strong>{escape(words)}</strong>"
