"""A passport as a web page, and the index of all passports.

A page is one file that opens from disk without a network. A user's texts (formula, docstring) are
escaped; ``web_page`` has the other protections against scripts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from activations.families import FAMILIES
from activations.passport.drawing import Drawing, draw
from activations.passport.facts import Passport
from activations.passport.svg import PLOT, picture, portrait
from activations.passport.wording import plain
from activations.web_page import as_json, fill

TEMPLATES = Path(__file__).parent / "page"
SORTS = {
    "lipschitz": "Lipschitz constant",
    "second_moment": "E f\N{SUPERSCRIPT TWO} under N(0, 1)",
    "mean": "E f under N(0, 1)",
    "slope_second_moment": "E f'\N{SUPERSCRIPT TWO} under N(0, 1)",
    "stability": "slope of the variance map",
    "time": "time relative to ReLU",
    "ulp": "largest error of a value, ULP",
    "kinks": "number of kinks",
}
"""The orders of the index besides family and name."""
PROPERTIES = (
    *("increasing", "decreasing", "constant", "odd", "even", "bounded", "smooth", "mean 0"),
    *("learnable", "gated", "of a row"),
)
SIGNS = {
    "-&gt;": "\N{RIGHTWARDS ARROW}",
    "&lt;=": "\N{LESS-THAN OR EQUAL TO}",
    "&gt;=": "\N{GREATER-THAN OR EQUAL TO}",
    "+-": "\N{PLUS-MINUS SIGN}",
}
POWER = r"\^(-?\w*\|x\||-?\w+|\([^()&^]*\))"
"""Exponents that become superscripts: in e^-|x|, x^2, e^(beta x); nested ones in a second pass."""
POINTS = 401
"""Points per curve for the readout under the cursor."""


def as_html(passport: Passport, before: str = "", after: str = "", index: str = "") -> str:
    """Return the page; before, after and index are file names to link to, empty for none."""
    drawing = draw(passport)
    title = plain(passport.title)
    links = [
        f'<a {rel} href="{escape(name)}">{text}</a>'
        for rel, name, text in (
            ('rel="prev"', before, "\N{LEFTWARDS ARROW} previous"),
            ('rel="index"', index, "all passports"),
            ('rel="next"', after, "next \N{RIGHTWARDS ARROW}"),
        )
        if name
    ]
    places = {
        "title": escape(title),
        "family": escape(FAMILIES[passport.family].title),
        "links": "\n".join(links),
        "note": escape(drawing.note),
        "picture": picture(drawing, title),
        "sections": "\n".join(_section(name, rows) for name, rows in passport.sections.items()),
        "data": as_json(_values(drawing)),
    }
    return fill(TEMPLATES / "passport.html", ["passport.js"], places)


def _section(title: str, rows: Sequence[tuple[str, str]]) -> str:
    lines, last = [], None
    for label, text in rows:
        if not label:
            lines.append(f'<dd class="sentence">{_linked(text)}</dd>')
        else:
            name = "" if label == last else f"<dt>{_superscripts(escape(label))}</dt>"
            lines.append(f"{name}<dd>{_linked(text)}</dd>")
        last = label
    heading = escape(title)
    return f"<section><h2>{heading}</h2><dl>{''.join(lines)}</dl></section>"


def _linked(text: str) -> str:
    """Return text as HTML: addresses as links, simple powers as superscripts."""
    parts = re.split(r"(https?://[^\s<>\"']*[^\s<>\"'.,;)])", plain(text))
    return "".join(
        f'<a href="{escape(part)}">{escape(part)}</a>' if k % 2 else _superscripts(escape(part))
        for k, part in enumerate(parts)
    )


def _superscripts(text: str) -> str:
    for _ in range(2):  # e^(-x^2)
        text = re.sub(POWER, r"<sup>\1</sup>", text)
    for typed, sign in SIGNS.items():
        text = text.replace(typed, sign)
    return re.sub(r"(?<!\w)inf(?!\w)", "\N{INFINITY}", text)


def _values(drawing: Drawing) -> dict[str, object]:
    """Return the darkest curve at equally spaced x, and the edges of the plot."""
    x = np.linspace(*drawing.x, POINTS)
    curve = drawing.curves[-1]
    near = np.abs(curve.x[:, None] - x[None, :]).argmin(axis=0)
    parts = {"f": curve.value, "slope": curve.slope}
    values = {key: [_short(v) for v in part[near]] for key, part in parts.items()}
    return {"x": drawing.x, **values, **PLOT}


def _short(value: float) -> float | None:
    return float(f"{value:.5g}") if np.isfinite(value) else None


def index_page(entries: Sequence[tuple[Passport, str]]) -> str:
    """Return the index page; entries are passports and their file names."""
    cards: list[str] = []
    rows: list[dict[str, object]] = []
    for family in FAMILIES:
        members = [entry for entry in entries if entry[0].family == family]
        if members:
            heading = escape(FAMILIES[family].title)
            cards.append(f'<h2 class="family" data-family="{family}">{heading}</h2>')
        for passport, name in members:
            cards.append(_card(passport, name, len(rows)))
            rows.append(_row(passport))
    sorts = "".join(f'<option value="{key}">{escape(text)}</option>' for key, text in SORTS.items())
    families = "".join(
        f'<option value="{key}">{escape(one.title)}</option>'
        for key, one in FAMILIES.items()
        if any(passport.family == key for passport, _ in entries)
    )
    known = {word for passport, _ in entries for word in passport.properties}
    boxes = "".join(
        f'<label><input type="checkbox" name="property" value="{word}"> {word}</label>'
        for word in PROPERTIES
        if word in known
    )
    places = {
        "count": str(len(rows)),
        "sorts": sorts,
        "families": families,
        "properties": boxes,
        "cards": "\n".join(cards),
        "data": as_json({"rows": rows}),
    }
    return fill(TEMPLATES / "index.html", ["index.js"], places)


def _card(passport: Passport, name: str, number: int) -> str:
    title = escape(plain(passport.title))
    return (
        f'<a class="card" data-row="{number}" href="{escape(name)}">'
        f"{portrait(draw(passport), plain(passport.title))}"
        f'<b>{title}</b><span class="value"></span></a>'
    )


def _row(passport: Passport) -> dict[str, object]:
    numbers = {key: value for key, value in passport.numbers.items() if not np.isnan(value)}
    return {
        "title": passport.title,
        "family": passport.family,
        "formula": passport.sections["What it is"][0][1],
        "properties": passport.properties,
        "numbers": {k: "inf" if np.isinf(v) else float(f"{v:.6g}") for k, v in numbers.items()},
    }
