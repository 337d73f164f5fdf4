"""The version of this laboratory, and the git commit of its code."""

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
    """Return ``commit``, ``dirty`` and ``platform``, which a run's summary stores.

    ``dirty`` is whether tracked files have uncommitted changes. Both ``commit`` and ``dirty`` are
    None outside a git checkout.
    """
    commit, dirty = None, None
    if (_CHECKOUT / ".git").exists():  # an installed copy could be inside a user's repository
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
        except (OSError, subprocess.SubprocessError):  # git is missing or distrusts the folder
            pass
    return {"commit": commit, "dirty": dirty, "platform": platform.platform()}
