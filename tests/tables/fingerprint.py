"""A digest of code that ignores comments, docstrings and layout."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from typing import Any

from tests.benchmarks.processes import REPOSITORY

IGNORED = {"ctx", "kind", "type_comment", "type_ignores"}
"""Fields of a node that do not affect what the code does, or that follow from others."""


def fingerprint(parts: Iterable[str]) -> str:
    """Return a digest of these parts of the repository's code.

    A part is a file, "runner/network/network.py", or some of its classes and functions,
    "runner/network/losses.py:Loss,CrossEntropy". Raises ValueError if a part does not exist.
    """
    texts = [text for part in parts for text in _statements(part)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _statements(part: str) -> list[str]:
    path, _, names = part.partition(":")
    try:
        body = ast.parse((REPOSITORY / path).read_text(encoding="utf-8")).body
    except FileNotFoundError:
        raise ValueError(f"{path} does not exist") from None
    if not names:
        return [str(_plain(body))]
    found = {getattr(node, "name", ""): node for node in body}
    if missing := [name for name in names.split(",") if name not in found]:
        raise ValueError(f"{path} has no {', '.join(missing)}")
    return [str(_plain(found[name])) for name in names.split(",")]


def _plain(node: Any) -> Any:
    """Return a node as nested lists that are the same in all versions of Python.

    ``ast.dump`` and ``ast.unparse`` differ between versions: newer ones add empty fields.
    """
    if isinstance(node, list):
        return [_plain(item) for item in node if not _is_text(item)]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((key, value) for key, value in ast.iter_fields(node) if key not in IGNORED)
    kept = [[key, _plain(value)] for key, value in fields if value not in (None, [])]
    return [type(node).__name__, *kept]


def _is_text(node: Any) -> bool:
    """Return whether a statement is only a string, and so a docstring."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
        return False
    return isinstance(node.value.value, str)
