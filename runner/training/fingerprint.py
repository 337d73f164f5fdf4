"""The fingerprint: everything besides the config that determines the results.

It covers the code, the results of a user's own code, NumPy, the BLAS and the processor. Two runs of
one config with equal fingerprints are byte-identical.

For this laboratory's code, the fingerprint hashes the text of the files. A user's own code may be a
notebook cell or one class of a large file. For it, the fingerprint hashes the bytecode of the
classes and functions that the config names, the bytecode of the user's code that they refer to, and
the values that they return.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import os
import platform
import sys
from collections.abc import Iterable
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy._core import _multiarray_umath as _build  # type: ignore[attr-defined]

from activations.base import Array
from activations.user_code import error_line, is_users
from runner.config import behaviour
from runner.data.shapes import DATASETS
from runner.system.blas import controller
from runner.system.terminal import ConfigError
from runner.training.own_code import code_digest

if TYPE_CHECKING:
    from runner.config.experiment import Experiment

Fingerprint = dict[str, str]

DECIDES = (
    "activations.arguments",
    "activations.base",
    "activations.formulas",
    "activations.functions",
    "activations.moments",
    "activations.registry",
    "activations.tracing",
    "activations.user_code",
    "runner.config.build",
    "runner.config.experiment",
    "runner.data",
    "runner.network",
    "runner.system.blas",
    "runner.theory.layers",
    "runner.training.outcome",
    "runner.training.stack",
    "runner.training.train",
)
"""The modules of this laboratory that determine results; a package stands for all of its modules.
Modules that only draw or print help are left out, because not every process imports them."""

MACHINE = ("blas", "processor")
"""The entries that depend on the machine; the others depend on the installed files."""

IN_WORDS = {
    "code": "this laboratory's code",
    "own_code": "your own code",
    "python": "Python",
    "numpy": "NumPy",
    "blas": "BLAS",
    "processor": "processor",
}

SORT_AND_HALF_ONLY = {"AVX512CD", "AVX512_KNL", "AVX512_KNM", "AVX512_CLX", "AVX512_CNL",
                      "AVX512_ICL", "AVX512_SPR"}  # fmt: skip
"""NumPy dispatch targets whose kernels do not affect float32 or float64 results."""


def fingerprint(experiment: Experiment) -> Fingerprint:
    """Return the fingerprint of an experiment.

    ``own_code`` and ``own_results`` are empty if only this laboratory's code runs. Raises
    ConfigError as ``own_results`` does.
    """
    chosen = [registry[name] for registry, name in experiment.names if name in registry]
    own = [part for part in chosen if is_users(part.__module__)]
    return {
        "code": laboratory_code(),
        "own_code": code_digest(own) if own else "",
        "own_results": own_results(experiment),
        **_environment(),
    }


def own_results(experiment: Experiment) -> str:
    """Return a digest of the values that a user's own data set and other own parts return.

    The bytecode alone is not enough, because such code can read files. The data of all replicates
    count. Raises ConfigError if a part is unknown or raises an error.
    """
    found: list[Array] = []
    for part in experiment.parts():
        if is_users(type(part).__module__):
            try:
                found += behaviour.of(part)
            except (Exception, SystemExit) as error:
                reason = f"{part.registry.kind} {part.name}: {error_line(error, '')}"
                raise ConfigError(reason) from None
    name = experiment.dataset["name"]
    if name not in DATASETS or not DATASETS.is_ours(name):  # split() reports an unknown name
        splits = (experiment.split(seed, standardised=False) for seed in experiment.seeds)
        found += behaviour.of_data(splits)
    return behaviour.digest(found) if found else ""


def same(one: Fingerprint, other: Fingerprint, *, machine: bool = True) -> bool:
    """Return whether runs with these fingerprints are byte-identical.

    With ``machine=False``, BLAS and processor are ignored: a machine that plans jobs for a cluster
    does not know those of the cluster's nodes.
    """
    return all(one.get(key) == other[key] for key in other if machine or key not in MACHINE)


def differences(one: Fingerprint, other: Fingerprint) -> str:
    """Return the differences in words, for instance "NumPy 2.3.1, now 2.4.6"."""
    changed = [key for key in other if one.get(key) != other[key]]
    if "own_code" in changed and "own_results" in changed:
        changed.remove("own_results")  # follows from own_code
    words = []
    for key in changed:
        if key in ("code", "own_code"):
            words.append(f"another version of {IN_WORDS[key]}")
        elif key == "own_results":
            words.append("other data or settings that your own code reads")
        else:
            words.append(f"{IN_WORDS[key]} {one.get(key)}, now {other[key]}")
    return " and ".join(words)


def mixture(settings: Iterable[Iterable[Fingerprint]]) -> str:
    """Return in words how the fingerprints of compared runs differ, or "" if they do not.

    ``settings`` has the fingerprints of each setting's runs. Different settings may use different
    code of the user, so own code is compared only within a setting.
    """
    by_setting = [list(group) for group in settings]
    words = []
    for key, name in IN_WORDS.items():
        values = [{str(one.get(key)) for one in group} for group in by_setting]
        several = sorted(set().union(*values))
        if key == "own_code":
            words += [name] if any(len(group) > 1 for group in values) else []
        elif len(several) > 1:
            words.append(name if key == "code" else f"{name} ({' or '.join(several)})")
    return ", ".join(words)


def decides(module: str) -> bool:
    """Return whether a module of this laboratory determines results."""
    places = set(itertools.accumulate(module.split("."), "{}.{}".format))
    return not places.isdisjoint(DECIDES)


def laboratory_code() -> str:
    """Return a digest of this laboratory's code that determines results."""
    importlib.import_module("runner.training.train")  # imports every module that trains
    texts = [(name, _text_digest(name)) for name in sorted(filter(decides, sys.modules))]
    return hashlib.sha256(repr(texts).encode()).hexdigest()[:32]


_TEXTS: dict[str, tuple[ModuleSpec, str]] = {}
"""By module name: its spec at the last import, and the digest of its file soon after."""


def _text_digest(name: str) -> str:
    spec = sys.modules[name].__spec__
    assert spec and spec.origin
    if name not in _TEXTS or _TEXTS[name][0] is not spec:  # a reloaded module has a new spec
        _TEXTS[name] = spec, hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()
    return _TEXTS[name][1]


@cache
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
        # NumPy calls the C library for functions without a kernel of its own.
        "processor": " ".join([platform.machine(), *targets, _c_library()]).strip(),
    }


def _c_library() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError):  # macOS and Windows do not have it
        return platform.release()
