"""Commands as a user gives them: run in a process of their own, or refused in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.__main__ import main

ROOT = Path(__file__).parents[1]


def environment(**variables: str) -> dict[str, str]:
    """Return this process's variables and these, for a Python that finds the checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **variables}


def python(
    *words: str, cwd: Path | str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run Python with these words, in that folder, with these environment variables."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def refusal(capsys: pytest.CaptureFixture[str], *words: str, status: int = 2) -> str:
    """Return the line that refuses a run; nothing may be printed beside it, or made."""
    before = sorted(Path().rglob("*"))
    assert main(list(words)) == status
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ")
    assert sorted(Path().rglob("*")) == before
    (line,) = err.splitlines()
    return line


def only_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line on stderr."""
    (line,) = capsys.readouterr().err.splitlines()
    return line
