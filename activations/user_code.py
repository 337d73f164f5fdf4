"""Import of a user's own Python file, and one-line descriptions of errors in it."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

OURS = ("activations", "runner")
SET_BY_INIT = ("params", "generators", "learning_rate", "weight_decay", "clip_norm", "gain",
               "bias_mean", "bias_std", "warmup_epochs")  # fmt: skip
"""Attributes set by ``__init__`` of our base classes, which a subclass's ``__init__`` must call."""


def is_ours(module: str) -> bool:
    """Return whether a module belongs to this project."""
    return module.partition(".")[0] in OURS


def is_users(module: str) -> bool:
    """Return whether a module is a user's own: not ours, not Python's, not an installed package."""
    if is_ours(module) or module.partition(".")[0] in sys.stdlib_module_names:
        return False
    place = getattr(sys.modules.get(module), "__file__", None) or ""
    return not re.search(r"[\\/](site|dist)-packages[\\/]", place)


def file_of(thing: Any) -> str:
    """Return the path of the file that defines a class or function; empty for a notebook."""
    return getattr(sys.modules.get(thing.__module__), "__file__", None) or ""


def source(thing: Any) -> str:
    """Return the file and line that define a class or function: "my_activations.py:5".

    The path of one of our files begins with its package. A path in the current folder is relative
    to it.
    """
    if is_ours(thing.__module__):
        file = thing.__module__.replace(".", "/") + ".py"
    else:
        file = file_of(thing).removeprefix(f"{Path.cwd()}{os.sep}") or "this session"
    try:
        return f"{file}:{inspect.getsourcelines(thing)[1]}"
    except (OSError, TypeError):  # defined interactively, not in a file
        return file


def import_file(path: str) -> ModuleType:
    """Import a file and return the module; the same content is imported only once.

    The module's name has a hash of the content. Raises ValueError with a one-line message if the
    file does not exist or cannot be imported.
    """
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"file {path} does not exist")
    content = file.read_bytes()
    name = f"own_{file.stem}_{hashlib.sha256(content).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file.absolute())
    assert spec is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        # not spec.loader: it might load an outdated .pyc
        exec(compile(content, str(file.absolute()), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ValueError(f"{path} cannot be imported: {error_line(error, path)}") from None
    return module


def error_line(error: BaseException, path: str) -> str:
    """Return an error's type, its message, and the line in the file ``path`` that raised it."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, AttributeError) and error.name in SET_BY_INIT:
        return text + " (its __init__ must call super().__init__() first)"
    name = Path(path).name
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).name == name]
    if isinstance(error, SyntaxError) or not lines:  # a SyntaxError's message has its line
        return text
    return f"{text} ({name}:{lines[-1]})"
