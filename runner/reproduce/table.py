"""The table of reproductions, for a terminal and for a README."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from runner.reproduce.outcome import Outcome
from runner.reproduce.reproduction import Reproduction, digits
from runner.system.files import write_whole
from runner.system.terminal import ConfigError

BEGIN, END = "<!-- python -m runner.reproduce --readme: begin -->", "<!-- end -->"


def catalogue_text(reproductions: Iterable[Reproduction]) -> str:
    """Return what ``--list`` prints."""
    return "\n\n".join(map(_story, reproductions))


def _story(one: Reproduction) -> str:
    """Return the name, title, sources, explanation and command of a reproduction."""
    sources = [f"{source.short}: {source.title}" for source in one.sources]
    shown = textwrap.wrap(one.shown, 90)
    return "\n  ".join([f"{one.name}: {one.title}", *sources, *shown, one.command])


def text(outcome: Outcome) -> str:
    """Return the title and status of a reproduction, then one line for each quantity."""
    one = outcome.reproduction
    head = f"{one.name}: {one.title} ({one.sources[0].short}): {outcome.status}"
    rows = [("quantity", "expected", "tolerance", "ours", "", "provenance")]
    for expected in one.expected:
        ours = outcome.values.get(expected.what)
        mark = "" if ours is None else "pass" if outcome.holds(expected) else "FAIL"
        rows.append((
            expected.what,
            expected.text,
            expected.tolerance,
            "" if ours is None else digits(ours),
            mark,
            expected.provenance,
        ))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([head, *lines])


def markdown(outcomes: Sequence[Outcome]) -> str:
    """Return the README's table: each reproduction's first quantity, and how many of all agree."""
    head = (
        *("reproduction", "source", "quantity", "expected", "tolerance", "provenance"),
        *("ours", "all quantities"),
    )
    rows = [head, ("---",) * len(head)]
    for outcome in outcomes:
        one, first = outcome.reproduction, outcome.reproduction.expected[0]
        ours = outcome.values.get(first.what)
        rows.append((
            f"`{one.name}`: {one.title}",
            f"[{one.sources[0].short}]({one.sources[0].link})",
            first.what,
            first.text,
            first.tolerance,
            first.provenance,
            "" if ours is None else digits(ours),
            outcome.status,
        ))  # fmt: skip
    return "\n".join("| " + " | ".join(map(_cell, row)) + " |" for row in rows)


def write_into(readme: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the table between the markers of a README. Raises ConfigError if it has no markers."""
    before, _, after = parts(readme)
    write_whole(readme, f"{before}{BEGIN}\n\n{markdown(outcomes)}\n\n{END}{after}")


def parts(readme: Path) -> tuple[str, str, str]:
    """Return the text before, between and after the markers.

    Raises ConfigError if the file has no markers.
    """
    content = readme.read_text(encoding="utf-8")
    found = re.fullmatch(f"(.*){re.escape(BEGIN)}(.*?){re.escape(END)}(.*)", content, re.DOTALL)
    if not found:
        raise ConfigError(f"{readme} has no line {BEGIN} with {END} after it")
    return found[1], found[2].strip(), found[3]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
