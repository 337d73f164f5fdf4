"""The start and the end of every command.

At the start: signals, streams and Matplotlib's backend. At the end: an error in one line on stderr,
and the exit status.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any

from runner.system.files import reason
from runner.system.signals import NOTICE, end_on_signals, exit_status
from runner.system.terminal import (
    ConfigError,
    WorkFailed,
    escape_unencodable,
    one_line,
    printable,
)


def prepare() -> None:
    """Set up signals, streams and Matplotlib's backend for a command from the shell.

    Call it before slow imports. It is not called on import, so a program that imports the package
    keeps its own signals and streams.

    If stdout or stderr is closed, at the start or later as with ``| head``, the command still runs
    and its output is discarded. Matplotlib uses the backend agg, because a notebook exports its own
    backend to every process that it starts, and that one may not be installed.
    """
    end_on_signals()
    tolerate_closed_streams()
    escape_unencodable()
    os.environ["MPLBACKEND"] = "agg"


def status_of(work: Callable[[], int], *, bad_input: type[ValueError] = ConfigError) -> int:
    """Return the exit status that ``work`` returns.

    If it raises, print one line on stderr and return 2 for ``bad_input``, 1 for OSError,
    MemoryError and WorkFailed, or 128 + the number of the signal that stopped it.
    """
    try:
        return work()
    except bad_input as error:
        caret = getattr(error, "caret", "").splitlines()
        return _report(2, f"error: {one_line(error)}", *(f"  {printable(line)}" for line in caret))
    except OSError as error:
        return _report(1, f"error: {one_line(reason(error))}")
    except MemoryError:
        return _report(1, "error: there is not enough memory")
    except WorkFailed as error:
        return _report(1, f"error: {one_line(error)}")
    except KeyboardInterrupt as stop:
        return _report(exit_status(stop), one_line(str(stop) or NOTICE))


def _report(status: int, *lines: str) -> int:
    print(*lines, sep="\n", file=sys.stderr)
    return status


def tolerate_closed_streams() -> None:
    """Make output to a closed stream, closed now or later, disappear without an error."""
    if os.name != "posix":
        return
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # if it stayed closed, the next opened file would get this number
            os.open(os.devnull, os.O_RDWR)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(descriptor, "w", encoding="utf-8", closefd=False))
            continue
        raw = getattr(stream, "buffer", None)
        raw = getattr(raw, "raw", raw)
        if type(raw) is io.FileIO and raw.fileno() == descriptor:  # not replaced yet
            stream.flush()
            tolerant: Any = _TolerantStream(descriptor, "wb", closefd=False)
            buffer = io.BufferedWriter(tolerant)
            encoding, errors = stream.encoding, stream.errors
            setattr(sys, name, io.TextIOWrapper(buffer, encoding, errors, line_buffering=True))


class _TolerantStream(io.FileIO):
    """A stream that discards output after its reader has closed or its disk is full.

    A full disk raises OSError once.
    """

    def write(self, data: bytes) -> int:  # type: ignore[override]
        try:
            return super().write(data) or 0
        except OSError as error:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self.fileno())
            os.close(nothing)
            if not isinstance(error, BrokenPipeError):
                raise
            return len(data)
