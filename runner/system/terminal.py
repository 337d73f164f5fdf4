"""Output on a terminal: control codes in untrusted text are printed as escapes; progress bars."""

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
    """Return text with escapes in place of control codes and of marks that reverse its direction.

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
    """Return ``printable(text)`` as one line: line ends become escapes too."""
    return printable(text).replace("\n", "\\n")


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message that is not blank, or the name of its type."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def escape_unencodable() -> None:
    """Print characters that the terminal's encoding lacks as escapes; by default Python raises."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


Progress = Callable[[float], None]


class ConfigError(ValueError):
    """A setting is invalid; the message is one line with its key and the allowed values.

    Attributes:
        caret: for an invalid formula, two lines: its text, and a caret under the error. Else "".
    """

    caret: str = ""


class WorkFailed(Exception):
    """The settings are valid, but the work failed; the message is one line."""


PROGRESS_AFTER_SECONDS = 2.0


def note(text: str) -> None:
    """Print a note on stderr, in one line. A note is not an error."""
    if sys.stderr is not None:
        print(f"note: {one_line(text)}", file=sys.stderr)


@contextmanager
def progress_bar(label: str, show: bool) -> Iterator[Progress]:
    """Yield a function of the share done that draws a progress bar after two seconds.

    The bar's library is imported only then. Nothing is drawn if stderr is not a terminal.
    """
    if not show:
        yield lambda share: None
        return
    started = time.perf_counter()
    bar = None

    def update(share: float) -> None:
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
        yield update
    finally:
        if bar is not None:
            bar.close()


class OneLineParser(argparse.ArgumentParser):
    """A parser that raises ConfigError with one line; argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        _, _, words = message.partition("unrecognized arguments: ")
        option = words.split(" ")[0].partition("=")[0]
        close = difflib.get_close_matches(option, self._option_string_actions, 1, 0.75)
        hint = f"did you mean {close[0]}?" if close else f"see {self.prog} --help"
        raise ConfigError(f"{message}; {hint}")
