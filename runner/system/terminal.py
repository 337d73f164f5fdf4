"""Untrusted text on a terminal: control codes are shown, not executed."""

from __future__ import annotations

import argparse
import difflib
import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn


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
    """Return ``printable(text)`` with line ends as escapes too, so that it stays one line."""
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


Progress = Callable[[float], None]


class ConfigError(ValueError):
    """A setting is wrong; the message is one line that names its key and what is allowed.

    Attributes:
        caret: where a formula is wrong, its text and a caret under the place; else empty.
    """

    caret: str = ""


class WorkFailed(Exception):
    """Valid settings, but the work failed; the message is one line."""


PROGRESS_AFTER_SECONDS = 2.0


def note(text: str) -> None:
    """Print a note, which is not an error, in one line on stderr."""
    if sys.stderr is not None:
        print(f"note: {one_line(text)}", file=sys.stderr)


@contextmanager
def progress_bar(label: str, show: bool) -> Iterator[Progress]:
    """Yield a function that takes the share done and draws a bar from two seconds on.

    The bar's library is imported only then; it stays silent where stderr is no terminal.
    """
    if not show:
        yield lambda share: None
        return
    started = time.perf_counter()
    bar = None

    def tell(share: float) -> None:
        nonlocal bar
        if bar is None:
            if time.perf_counter() - started < PROGRESS_AFTER_SECONDS:
                return
            from runner.system.bar import Bar

            bar = Bar(
                total=100,
                desc=label,
                disable=None,
                leave=False,
                bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
            )
        bar.update(100 * share - bar.n)

    try:
        yield tell
    finally:
        if bar is not None:
            bar.close()


class OneLineParser(argparse.ArgumentParser):
    """A parser that raises ConfigError, one line, where argparse prints its usage and exits."""

    def error(self, message: str) -> NoReturn:
        _, _, words = message.partition("unrecognized arguments: ")
        option = words.split(" ")[0].partition("=")[0]
        close = difflib.get_close_matches(option, self._option_string_actions, 1, 0.75)
        hint = f"did you mean {close[0]}?" if close else f"see {self.prog} --help"
        raise ConfigError(f"{message}; {hint}")
