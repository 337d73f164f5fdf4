"""However a command ends, its user gets one line and the status that a shell expects."""

from __future__ import annotations

import errno

import pytest

from runner.system.command import status_of
from runner.system.signals import Terminated
from runner.system.terminal import ConfigError, WorkFailed

ENDINGS = {
    "bad input": (ConfigError("seed must be\n0"), 2, "error: seed must be\\n0"),
    "full disk": (
        OSError(errno.ENOSPC, "No space left", "run/x"),
        1,
        "error: run/x: No space left",
    ),
    "no memory": (MemoryError(), 1, "error: there is not enough memory"),
    "no picture": (WorkFailed("it cannot be drawn"), 1, "error: it cannot be drawn"),
    "Ctrl-C": (KeyboardInterrupt(), 130, "interrupted; the same command resumes the work"),
    "SIGTERM": (Terminated("kept in x"), 143, "kept in x"),
}


def raise_(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending_is_told_in_one_line(ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    error, status, line = ENDINGS[ending]
    assert status_of(lambda: raise_(error)) == status
    assert capsys.readouterr() == ("", line + "\n")


def test_an_error_of_ours_is_no_bad_input() -> None:
    with pytest.raises(ValueError, match="a bug"):
        status_of(lambda: raise_(ValueError("a bug")))
