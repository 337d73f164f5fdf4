"""The version of this laboratory, kept in one place, and where its code comes from."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

VERSION = "0.2.0"
_CHECKOUT = Path(__file__).resolve().parents[2]


@cache
def origin() -> dict[str, Any]:
    """Return what a summary says of the code and the machine: ``commit`` and whether tracked
    files are ``dirty``, both None outside of a git checkout, and the ``platform``."""
    commit, dirty = None, None
    if (_CHECKOUT / ".git").exists():  # not a repository of yours around an installed copy
        command = ["git", "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        try:
            done = subprocess.run(
                command,
                cwd=_CHECKOUT,
                env={**clean, "GIT_OPTIONAL_LOCKS": "0"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=5,
                check=True,
            )
            commit, _, mark = done.stdout.strip().partition("-")
            dirty = bool(mark)
        except (OSError, subprocess.SubprocessError):  # no git, or it does not trust the folder
            pass
    return {"commit": commit, "dirty": dirty, "platform": platform.platform()}
