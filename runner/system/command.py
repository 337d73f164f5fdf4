"""The frame of every command. Before its work: signals, streams and Matplotlib's backend. After it:
an error in one line on stderr, and the exit status.
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
    escape_what_cannot_be_encoded,
    one_line,
    printable,
)


def prepare() -> None:
    """Make this process a command. Called before anything slow is imported, and from the shell
    only; whoever imports the package keeps their own signals and streams.

    A reader of the output that has gone, as in ``| head``, or a stream that was closed from
    the start costs the words only. Matplotlib gets the one backend that needs nothing, since
    a notebook's, which it exports to every process it starts, may not even be installed.
    """
    end_on_signals()
    keep_streams()
    escape_what_cannot_be_encoded()
    os.environ["MPLBACKEND"] = "agg"


def status_of(work: Callable[[], int], *, bad_input: type[ValueError] = ConfigError) -> int:
    """Return the exit status that ``work`` returns, or that of the error that ended it, after
    a line on stderr: 2 for ``bad_input``, 1 for a failure, the shell's own for a signal."""
    try:
        return work()
    except bad_input as error:
        caret = getattr(error, "caret", "").splitlines()
        return _told(2, f"error: {one_line(error)}", *(f"  {printable(line)}" for line in caret))
    except OSError as error:
        return _told(1, f"error: {one_line(reason(error))}")
    except MemoryError:
        return _told(1, "error: there is not enough memory")
    except WorkFailed as error:
        return _told(1, f"error: {one_line(error)}")
    except KeyboardInterrupt as stop:
        return _told(exit_status(stop), one_line(str(stop) or NOTICE))


def _told(status: int, *lines: str) -> int:
    print(*lines, sep="\n", file=sys.stderr)
    return status


def keep_streams() -> None:
    """Let what is said to a stream that is closed, now or later, be lost without an error."""
    if os.name != "posix":
        return
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # or the next file that is opened would be what is written to
            os.open(os.devnull, os.O_RDWR)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(descriptor, "w", encoding="utf-8", closefd=False))
            continue
        raw = getattr(stream, "buffer", None)
        raw = getattr(raw, "raw", raw)
        if type(raw) is io.FileIO and raw.fileno() == descriptor:  # not yet done
            stream.flush()
            unbreakable: Any = _Unbreakable(descriptor, "wb", closefd=False)
            buffer = io.BufferedWriter(unbreakable)
            encoding, errors = stream.encoding, stream.errors
            setattr(sys, name, io.TextIOWrapper(buffer, encoding, errors, line_buffering=True))


class _Unbreakable(io.FileIO):
    """A stream that discards output once its reader has gone or its disk is full; a full disk is
    reported once."""

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
