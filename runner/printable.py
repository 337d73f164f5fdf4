"""What strangers named, on a terminal: shown, never obeyed."""

from __future__ import annotations

import io
import sys


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


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message that is not blank, else its type's name."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def escape_what_cannot_be_encoded() -> None:
    """Print letters that the terminal's encoding lacks as escapes, where Python would raise."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
