"""What goes wrong in a user's own Python file, in one line."""

from __future__ import annotations

import traceback
from pathlib import Path


def error_line(error: BaseException, path: str) -> str:
    """Return an error's type, message and the line of the file at ``path`` where it arose."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, AttributeError) and error.name in ("params", "generators"):
        return text + " (its __init__ must call super().__init__() first)"
    name = Path(path).name
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).name == name]
    if isinstance(error, SyntaxError) or not lines:  # which names its line itself
        return text
    return f"{text} ({name}:{lines[-1]})"
