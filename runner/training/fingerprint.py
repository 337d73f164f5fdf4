"""What decides the results beside the config: code, what a user's own code gives, NumPy, BLAS
and processor.

Two runs of one config with equal fingerprints have the same bytes. Code is read as it is in
memory, not in its files, so an edit counts from the moment Python executes it: functions by
their bytecode, what they refer to by value. Docstrings, comments and line numbers do not count.
"""

from __future__ import annotations

import copyreg
import hashlib
import importlib
import inspect
import itertools
import marshal
import os
import platform
import sys
import types
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy._core import _multiarray_umath as _build  # type: ignore[attr-defined]

from activations.base import Array
from activations.user_code import error_line, is_users
from runner.config import behaviour
from runner.data.shapes import DATASETS
from runner.system.blas import controller
from runner.system.terminal import ConfigError

if TYPE_CHECKING:
    from runner.config.experiment import Experiment

Fingerprint = dict[str, str | None]

TRAINING = (
    "runner.data",
    "runner.network",
    "runner.system.blas",
    "runner.training.outcome",
    "runner.training.stack",
    "runner.training.train",
)
"""What decides results, beside ``activations``; a package stands for its modules."""
CHECK = "activations.check"
"""What of ``activations`` no training uses."""

MACHINE = ("blas", "processor")
"""What belongs to the machine that trains; the rest travels with the files."""

IN_WORDS = {
    "code": "this laboratory's code",
    "own_code": "your own code",
    "own_results": "what your own code gives",
    "python": "Python",
    "numpy": "NumPy",
    "blas": "BLAS",
    "processor": "processor",
}

SORT_AND_HALF_ONLY = {"AVX512CD", "AVX512_KNL", "AVX512_KNM", "AVX512_CLX", "AVX512_CNL",
                      "AVX512_ICL", "AVX512_SPR"}  # fmt: skip
"""Dispatch targets that NumPy has kernels for which no float32 or float64 result depends on."""


class Unknown(Exception):
    """Code or data whose value cannot be read; the message says what."""


def fingerprint(experiment: Experiment) -> Fingerprint:
    """Return what decides the experiment's results beside its config.

    ``own_code`` and ``own_results`` are empty where only the library's code runs. ``own_code``
    is None where the user's cannot be read completely (a C extension, an open file): such a run
    equals no other.
    """
    return {
        "code": _library(),
        "own_code": own_code(experiment)[0],
        "own_results": own_results(experiment),
        **_environment(),
    }


def own_results(experiment: Experiment) -> str:
    """Return a digest of all replicates' data, if they are of the user's own data set, and of
    what other parts of their own give: code reads files, too.

    Raises ConfigError if one of them is not known or raises an error.
    """
    found: list[Array] = []
    for part in experiment.built_parts():
        if is_users(type(part).__module__):
            try:
                found += behaviour.of(part)
            except (Exception, SystemExit) as error:
                reason = f"{part.registry.kind} {part.name}: {error_line(error, '')}"
                raise ConfigError(reason) from None
    name = experiment.dataset["name"]
    if name not in DATASETS or not DATASETS.is_ours(name):  # which split may refuse
        splits = (experiment.split(seed, standardised=False) for seed in experiment.seeds)
        found += behaviour.of_data(splits)
    return behaviour.digest(found) if found else ""


def own_code(experiment: Experiment) -> tuple[str | None, str]:
    """Return a digest of the user's own classes and functions that the experiment runs, and
    all that they refer to; None, and why, if a part of it cannot be read."""
    chosen = [part for part in experiment.chosen_parts() if is_users(part.__module__)]
    if not chosen:
        return "", ""
    reader = _Reader(is_users)
    try:
        for part in chosen:
            reader.read(part)
    except Unknown as unknown:
        return None, str(unknown)
    except (Exception, RecursionError) as error:  # whatever a user's object raises when read
        return None, f"{type(error).__name__}: {error}"
    return reader.hexdigest(), ""


def same(one: object, other: Fingerprint, *, machine: bool = True) -> bool:
    """Return whether runs with these fingerprints have the same bytes.

    Without ``machine`` BLAS and processor are left out: those of a cluster's nodes are not
    known where its jobs are planned.
    """
    keys = [key for key in other if machine or key not in MACHINE]
    return isinstance(one, dict) and all(
        other[key] is not None and one.get(key) == other[key] for key in keys
    )


def differences(one: object, other: Fingerprint) -> str:
    """Return in words what differs: "NumPy 2.3.1, now 2.4.6"."""
    if not isinstance(one, dict):
        return "an older version, which recorded no fingerprint"
    words = []
    for key, now in other.items():
        before = one.get(key)
        if now is None:
            words.append("code that is not known")
        elif before != now and key in ("code", "own_code"):
            words.append(f"another version of {IN_WORDS[key]}")
        elif before != now and key == "own_results":
            # where the code differs, this follows
            if before is not None and one.get("own_code") == other["own_code"]:
                words.append("other data or settings that your own code reads")
        elif before != now:
            words.append(f"{IN_WORDS[key]} {before}, now {now}")
    return " and ".join(words)


def mixture(settings: Iterable[Iterable[object]]) -> str:
    """Return in words how the fingerprints of runs differ that are compared; empty if they do
    not.

    Takes those of each setting's runs: the user's own code may differ between settings.
    """
    made_with = [[one if isinstance(one, dict) else {} for one in group] for group in settings]
    words = []
    for key, name in IN_WORDS.items():
        if key == "own_results":  # runs of other seeds have other data
            continue
        found = [{str(one.get(key, "unknown")) for one in group} for group in made_with]
        if key == "own_code":
            words += [name] if any(len(values) > 1 for values in found) else []
            continue
        several = sorted(set().union(*found))
        if len(several) > 1:
            words.append(name if key == "code" else f"{name} ({' or '.join(several)})")
    return ", ".join(words)


def _is_librarys(module: str) -> bool:
    places = list(itertools.accumulate(module.split("."), "{}.{}".format))
    if places[0] == "activations":
        return CHECK not in places
    return any(place in TRAINING for place in places)


def _library() -> str:
    """Return a digest of the library's code that decides results."""
    for name in TRAINING:
        importlib.import_module(name)
    names = sorted(name for name in sys.modules if _is_librarys(name))
    # a module that was reloaded has another __spec__
    return _library_of(tuple((name, _Same(sys.modules[name].__spec__)) for name in names))


def _is_a_users(value: object) -> bool:
    return isinstance(value, (type, types.FunctionType)) and is_users(value.__module__ or "")


class _Same:
    """Compares an object by identity, and keeps it alive."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@lru_cache(maxsize=1)
def _library_of(modules: tuple[tuple[str, _Same], ...]) -> str:
    from runner.config.experiment import Experiment

    reader = _Reader(_is_librarys)
    for name, _ in modules:
        reader.read(sys.modules[name])
    reader.read(Experiment.split.__code__)
    return reader.hexdigest()


@lru_cache(maxsize=1)
def _environment() -> Fingerprint:
    found = controller().select(user_api="blas").info()
    blas = [
        " ".join(str(one.get(key) or "") for key in ("internal_api", "version", "architecture"))
        for one in found
        if "numpy" in one["filepath"] or len(found) == 1
    ]
    on = _build.__cpu_features__
    targets = [t for t in _build.__cpu_dispatch__ if on.get(t) and t not in SORT_AND_HALF_ONLY]
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": np.__version__,
        "blas": ", ".join(sorted(blas)) or "unknown",
        # NumPy calls the C library's functions where it has no kernel of its own
        "processor": " ".join([platform.machine(), *targets, _c_library()]).strip(),
    }


def _c_library() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError):  # not on macOS and Windows
        return platform.release()


_SCALARS = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))
_TYPES_ONLY = ("typing", "types", "typing_extensions", "collections.abc", "numpy.typing")
_NOT_CODE = ("__dataclass_fields__", "__dataclass_params__", "_abc_impl")
_HAS_DOCSTRING = 0x4000000  # code flag from Python 3.13 on


class _Reader:
    """Digests objects by value. ``follows`` says of which modules; of others only names and
    versions count. An object is read once, so cycles end."""

    def __init__(self, follows: Any) -> None:
        self.follows = lru_cache(maxsize=None)(follows)
        self.digest = hashlib.sha256()
        self.seen: dict[int, tuple[int, object]] = {}
        self.follows_globals = follows is is_users

    def hexdigest(self) -> str:
        return self.digest.hexdigest()[:32]

    def add(self, *words: Any) -> None:
        # version 2 writes equal values equally, whatever else refers to them
        self.digest.update(marshal.dumps(words, 2))

    def read(self, value: Any) -> None:
        """Digest one object and all that it is made of. Raises Unknown."""
        kind = type(value)
        if kind in _SCALARS:
            return self.add(kind.__name__, value)
        if id(value) in self.seen:
            return self.add("again", self.seen[id(value)][0])
        self.seen[id(value)] = len(self.seen), value
        reader = _READERS.get(kind)
        if reader is None:
            reader = next((r for t, r in _READERS.items() if isinstance(value, t)), None)
        if reader is not None:
            return reader(self, value)
        if kind.__module__ in _TYPES_ONLY:
            return self.add("type", repr(value))
        if hasattr(value, "__wrapped__") and kind.__module__ == "functools":
            return self.read(value.__wrapped__)  # a cache: its content follows from the function
        return self.read_instance(value)

    def read_sequence(self, value: Any) -> None:
        self.add(type(value).__name__, len(value))
        for item in value:
            self.read(item)

    def read_mapping(self, value: Any) -> None:
        self.read_items(value.items())

    def read_set(self, value: Any) -> None:
        self.add("set", sorted(_alone(item, self.follows) for item in value))

    def read_array(self, value: Any) -> None:
        if value.dtype.hasobject:
            return self.read_instance(value)
        self.add("array", value.dtype.str, value.shape)
        self.digest.update(value.tobytes())
        return None

    def read_method(self, value: Any) -> None:
        self.add(type(value).__name__)
        self.read(value.__func__)
        self.read(getattr(value, "__self__", None))

    def read_property(self, value: property) -> None:
        self.read_sequence((value.fget, value.fset, value.fdel))

    def read_items(self, items: Iterable[tuple[Any, Any]]) -> None:
        for key, value in items:
            if key == "_hash":  # kept by an object that is hashed often; texts' are random
                continue
            if not self.follows_globals and _is_a_users(value):
                continue  # a table of the library's, to which an extension has added
            self.read(key)
            self.read(value)
        self.add("end")

    def read_code(self, code: types.CodeType) -> None:
        constants = code.co_consts
        if constants and type(constants[0]) is str and _has_docstring(code):
            constants = (None, *constants[1:])
        plain = [c for c in constants if type(c) in _SCALARS]
        facts = (code.co_name, code.co_code, getattr(code, "co_exceptiontable", b""))
        signature = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
        names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        flags = code.co_flags & ~_HAS_DOCSTRING
        self.add(*facts, *signature, *names, flags, plain)
        for constant in constants:
            if type(constant) not in _SCALARS:
                self.read(constant)

    def read_function(self, function: types.FunctionType) -> None:
        module = function.__globals__.get("__name__") or ""
        wrapped = getattr(function, "__wrapped__", None)
        if self.follows(module):
            self.read_code(function.__code__)
            if function.__defaults__ or function.__kwdefaults__:
                self.read_sequence((function.__defaults__, function.__kwdefaults__))
            if self.follows_globals:
                self.read_globals(function.__code__, function.__globals__)
        else:
            self.add("function", function.__qualname__)
            self.read_name(function.__code__, module)
            if wrapped is not None:
                return self.read(wrapped)
        for cell in function.__closure__ or ():
            try:
                self.read(cell.cell_contents)
            except ValueError:  # not filled yet
                self.add("empty")
        return None

    def read_globals(self, code: types.CodeType, found: dict[str, Any]) -> None:
        for name in code.co_names:
            if name in found:
                self.add("global", name)
                self.read(found[name])
            elif name in sys.modules and self.follows(name):  # imported by the function itself
                self.read(sys.modules[name])
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self.read_globals(constant, found)

    def read_module(self, module: types.ModuleType) -> None:
        if not self.follows(module.__name__):
            return self.read_name(module, module.__name__)
        if not (getattr(module, "__file__", None) or ".py").endswith((".py", ".pyc")):
            raise Unknown(f"{module.__name__} is compiled")
        by_name, own = [], []
        for name, value in sorted(vars(module).items()):
            if name.startswith("__"):
                continue
            home = getattr(value, "__module__", None)
            if isinstance(value, types.ModuleType) and not self.follows(value.__name__):
                continue  # what is taken from it is named where it is used
            if isinstance(value, (types.FunctionType, type)) and home != module.__name__:
                by_name.append((name, home, value.__qualname__))
            else:
                own.append((name, value))
        self.add("module", by_name)
        for name, value in own:
            self.add(name)
            self.read(value)
        return None

    def read_class(self, cls: type) -> None:
        if not self.follows(cls.__module__):
            return self.read_name(cls, cls.__module__)
        self.add("class", cls.__qualname__)
        self.read(cls.__bases__)
        for name, value in vars(cls).items():
            dunder = name.startswith("__") and name.endswith("__")
            if name not in _NOT_CODE and (
                not dunder or isinstance(value, (types.FunctionType, staticmethod, classmethod))
            ):
                self.add(name)
                self.read(value)
        return None

    def read_name(self, value: Any, module: str) -> None:
        """Digest the name of what is not followed, and the version of its package."""
        if module and self.follows(module):
            raise Unknown(f"{getattr(value, '__qualname__', value)} of {module} is compiled")
        top = sys.modules.get(module.partition(".")[0])
        name = getattr(value, "__qualname__", getattr(value, "__name__", type(value).__name__))
        self.add("name", module, name, str(getattr(top, "__version__", "")))

    def read_builtin(self, value: Any) -> None:
        self.read_name(value, getattr(value, "__module__", None) or "")
        owner = getattr(value, "__self__", None)
        if owner is not None and not isinstance(owner, (type, types.ModuleType)):
            self.read(owner)  # as of a table's get

    def read_ufunc(self, value: np.ufunc) -> None:
        for module in ("numpy", "scipy.special"):
            if getattr(sys.modules.get(module), value.__name__, None) is value:
                return self.read_name(value, module)
        raise Unknown(f"what {value.__name__} computes cannot be read")

    def read_instance(self, value: Any) -> None:
        """Digest an object by what pickle would keep of it."""
        reduce = copyreg.dispatch_table.get(type(value))
        parts: Any
        try:
            parts = reduce(value) if reduce else value.__reduce_ex__(4)
        except Exception:
            raise Unknown(f"{type(value).__qualname__} objects have no value to compare") from None
        self.add("object")
        if isinstance(parts, str):
            return self.read_name(value, type(value).__module__)
        for part in parts:
            self.read(list(part) if hasattr(part, "__next__") else part)
        return None


def _has_docstring(code: types.CodeType) -> bool:
    """Return whether the first constant, a text, is a function's docstring."""
    if sys.version_info >= (3, 13):
        return bool(code.co_flags & _HAS_DOCSTRING)
    # neither a class's body, where it is the name, nor a lambda or a comprehension
    return bool(code.co_flags & inspect.CO_NEWLOCALS) and not code.co_name.startswith("<")


def _alone(value: Any, follows: Any) -> str:
    reader = _Reader(follows)
    reader.read(value)
    return reader.hexdigest()


_READERS: dict[type, Any] = {
    types.FunctionType: _Reader.read_function,
    types.CodeType: _Reader.read_code,
    types.ModuleType: _Reader.read_module,
    type: _Reader.read_class,
    tuple: _Reader.read_sequence,
    list: _Reader.read_sequence,
    dict: _Reader.read_mapping,
    types.MappingProxyType: _Reader.read_mapping,
    set: _Reader.read_set,
    frozenset: _Reader.read_set,
    np.ndarray: _Reader.read_array,
    np.generic: _Reader.read_array,
    staticmethod: _Reader.read_method,
    classmethod: _Reader.read_method,
    types.MethodType: _Reader.read_method,
    property: _Reader.read_property,
    cached_property: lambda self, value: self.read(value.func),
    types.BuiltinFunctionType: _Reader.read_builtin,
    types.MethodDescriptorType: _Reader.read_builtin,
    types.WrapperDescriptorType: _Reader.read_builtin,
    types.GetSetDescriptorType: _Reader.read_builtin,
    types.MemberDescriptorType: _Reader.read_builtin,
    np.ufunc: _Reader.read_ufunc,
}
