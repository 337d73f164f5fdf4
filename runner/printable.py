"""What strangers named, on a terminal: shown, never obeyed."""

from __future__ import annotations


def printable(text: object) -> str:
    """Return text with what would steer a terminal, or turn its words around, as escapes.

    >>> printable("tanh\\x1b[2J")
    'tanh\\\\x1b[2J'
    """
    whole = str(text)
    if whole.replace("\n", "").isprintable():
        return whole
    return "".join(
        c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in whole
    )


def one_line(text: object) -> str:
    """Return ``printable(text)`` with line ends as escapes too: nobody adds a line of his own."""
    return printable(text).replace("\n", "\\n")
