"""A formula among the overrides: quoted, so that Hydra takes it for text.

Hydra's grammar gives parentheses, commas, = and * meanings of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_KEY = re.compile(r"(?P<key>\s*\+{0,2}activation\.expression\s*=)(?P<value>.*)", re.DOTALL)
# What is quoted already, and Hydra's own ways to name several values.
_TEXT = re.compile(r"""\s*(['"]|(choice|shuffle|sort)\()""")


def quoted(word: str) -> str:
    """Return an override with the formula in it quoted; any other word as it is.

    Formulas separated by commas, the values of a sweep, are quoted one by one.

    >>> quoted("activation.expression=x * tanh(x)")
    "activation.expression='x * tanh(x)'"
    >>> quoted("activation.expression=maximum(x, 0),x * tanh(x)")
    "activation.expression='maximum(x, 0)','x * tanh(x)'"
    """
    found = _KEY.fullmatch(word)
    if found is None or _TEXT.match(found["value"]):
        return word
    return found["key"] + ",".join(map(as_text, _formulas(found["value"])))


def as_text(value: str) -> str:
    """Return text quoted in Hydra's way."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _formulas(value: str) -> Iterator[str]:
    """Yield the formulas that commas outside of all parentheses separate."""
    depth = start = 0
    for place, character in enumerate(value):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            yield value[start:place].strip()
            start = place + 1
    yield value[start:].strip()
