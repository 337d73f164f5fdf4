"""A digest of a user's own code in memory: the code may be a notebook cell, without a file."""

from __future__ import annotations

import hashlib
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from activations.user_code import is_users

_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))
_MEMBERS = (types.FunctionType, staticmethod, classmethod)
_EMPTY = types.CellType()


def code_digest(parts: Iterable[Any]) -> str:
    """Return a digest of a user's classes and functions, and of all user code that they refer to.

    Functions count by their bytecode, other objects by the state that pickle would store, and the
    contents of libraries by name and version. An object that pickle refuses, for instance a lock,
    counts by its name.
    """
    digest = hashlib.sha256()
    seen: dict[int, tuple[int, object]] = {}  # references each value, so no other can get its id
    waiting = list(parts)
    while waiting:
        value = waiting.pop()
        if type(value) in _PLAIN:
            digest.update(f"{value!r};".encode())
        elif id(value) in seen:
            digest.update(f"again {seen[id(value)][0]};".encode())
        else:
            seen[id(value)] = len(seen), value
            itself, inside = _decomposed(value)
            digest.update(f"{itself!r} {len(inside)};".encode())
            waiting += inside
    return digest.hexdigest()[:32]


def _decomposed(value: Any) -> tuple[Any, list[Any]]:
    """Return what distinguishes a value from others of its type, and the values inside it."""
    kind = type(value).__name__
    module = getattr(value, "__module__", None) or type(value).__module__
    if isinstance(value, types.CodeType):
        names = (value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars)
        arguments = (value.co_argcount, value.co_kwonlyargcount, value.co_flags)
        return (value.co_code, names, arguments), list(value.co_consts)
    if isinstance(value, types.FunctionType):
        closure = [cell.cell_contents for cell in value.__closure__ or () if cell != _EMPTY]
        known = value.__globals__
        home = known.get("__name__") or ""  # not __module__, which functools.wraps overwrites
        if is_users(home):
            mentioned = sorted(_names(value.__code__))
            used = [known[name] for name in mentioned if name in known]
            imported = [name for name in mentioned if name in sys.modules and is_users(name)]
            used += [sys.modules[name] for name in imported]  # imported inside the function
            own = [value.__code__, value.__defaults__, value.__kwdefaults__]
            return kind, [*own, *closure, *used]
        return _named(value, home), closure
    if isinstance(value, type) and is_users(module):
        entries = vars(value).items()
        members = [(k, v) for k, v in entries if not _is_dunder(k) or isinstance(v, _MEMBERS)]
        return value.__qualname__, [value.__bases__, members]
    if isinstance(value, types.ModuleType) and is_users(value.__name__):
        members = [(k, v) for k, v in vars(value).items() if not _is_dunder(k)]
        return _named(value, value.__name__), members
    if isinstance(value, (type, types.ModuleType)):
        return _named(value, module), []
    if isinstance(value, (tuple, list)):
        return kind, list(value)
    if isinstance(value, (set, frozenset)):
        return kind, sorted(value, key=repr)
    if isinstance(value, property):
        return kind, [value.fget, value.fset, value.fdel]
    if hasattr(value, "__wrapped__"):  # for instance a static method or a cached function
        return kind, [value.__wrapped__]
    try:
        kept = value.__reduce_ex__(4)
    except Exception:
        kept = ""
    if isinstance(kept, str):
        return _named(value, module), []
    return kind, [list(part) if hasattr(part, "__next__") else part for part in kept]


def _names(code: types.CodeType) -> set[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _named(value: Any, module: str) -> tuple[str, str, str]:
    """Return a value's module, its name and the version of its package.

    For a compiled module of the user, a digest of the file replaces the version.
    """
    file = Path(getattr(sys.modules.get(module), "__file__", None) or "")
    version = getattr(sys.modules.get(module.partition(".")[0]), "__version__", "")
    if is_users(module) and file.is_file() and file.suffix != ".py":
        version = hashlib.sha256(file.read_bytes()).hexdigest()
    name = getattr(value, "__qualname__", getattr(value, "__name__", type(value).__name__))
    return module, str(name), str(version)
