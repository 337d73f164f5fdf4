"""A passport as text for the terminal."""

from __future__ import annotations

import textwrap

from activations.passport.facts import Passport
from activations.passport.wording import plain

WIDTH = 100
LABEL = 19


def as_text(passport: Passport) -> str:
    """Return the text: the title, then the rows of each section, with labels on the left."""
    lines = [plain(passport.title)]
    for title, rows in passport.sections.items():
        lines += ["", title]
        last = None
        for label, text in rows:
            shown = "" if label == last else label
            lines += textwrap.wrap(
                plain(text),
                WIDTH,
                initial_indent=f"  {shown:<{LABEL - 2}}",
                subsequent_indent=" " * LABEL,
                break_on_hyphens=False,
            )
            last = label
    return "\n".join(lines)
