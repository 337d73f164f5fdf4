"""NumPy's dispatch paths on this machine, each in a process of its own.

NumPy picks one implementation of exp, tanh, ... by what the CPU has; their last bits differ.
NPY_DISABLE_CPU_FEATURES makes it take the others. Where a CPU has no AVX-512 (or, on ARM, no
such step at all) the paths that would be the same as another are left out of ``PATHS``, and
pytest's header lists those that remain.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import activations
from activations.check.accuracy import Exact, points, ulp_errors

try:
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
except ImportError:  # pragma: no cover
    __cpu_dispatch__, __cpu_features__ = [], {}

HAS = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
WIDEST = [name for name in HAS if "512" in name or name == "X86_V4"]


def _paths() -> dict[str, list[str]]:
    found = {"all features": []}
    if WIDEST:
        found["without AVX-512"] = WIDEST
    if HAS and HAS != WIDEST:
        found["baseline only"] = HAS
    return found


PATHS = _paths()


def evaluate(name: str, parameters: dict[str, Any], x: np.ndarray) -> tuple[Any, Any, str]:
    """Return f(x), f'(x) and the first floating-point warning, "" if there is none."""
    activation = activations.get(name, **parameters)
    try:
        with np.errstate(all="raise", under="ignore"):
            return activation(x), activation.gradient(x), ""
    except FloatingPointError as problem:
        with np.errstate(all="ignore"):
            return activation(x), activation.gradient(x), str(problem)


def suspects(
    name: str, parameters: dict[str, Any], reach: float, special: Any, count: int
) -> list[np.ndarray]:
    """Return points in float64 and in float32 at which errors may be the largest.

    Out of 40 ``count`` points these are some count / 10 where f or f' is roughest in float64, and
    count / 40 where float32 is farthest from it.
    """
    activation = activations.get(name, **parameters)
    wide = points(np.float64, 40 * count, special)
    wide = wide[np.abs(wide) <= reach]
    narrow = points(np.float32, 40 * count, special)
    narrow = narrow[np.abs(narrow.astype(np.float64)) <= reach]
    found: list[list[Any]] = [[], []]
    with np.errstate(all="ignore"):
        for function in (activation, activation.gradient):
            found[0].append(roughest(function, wide, count // 20))
            truth = Exact.of(np.asarray(function(narrow.astype(np.float64))))
            errors = ulp_errors(np.asarray(function(narrow)), truth)
            found[1].append(narrow[np.argsort(errors)[-count // 80 :]])
    return [np.unique(np.concatenate(parts)) for parts in found]


def roughest(function: Callable[[Any], Any], x: np.ndarray, count: int) -> np.ndarray:
    """Return ``count`` of the sorted float64 points x: from each stretch of them the one where
    the function scatters most, in ULP, from one float to the next.

    Rounding errors are largest there, which costs no exact value to find out.
    """
    patterns = x.view(np.int64)
    with np.errstate(all="ignore"):
        y = function(x)
        scatter = np.zeros(x.shape)
        for step in (1, 2, 3):
            pair = function((patterns + step).view(np.float64)) + function(
                (patterns - step).view(np.float64)
            )
            scatter = np.fmax(scatter, np.abs(pair - 2 * y) / np.spacing(np.abs(y)))
    scatter[~np.isfinite(scatter)] = 0
    stretches = np.array_split(np.arange(x.size), count)
    return x[[part[scatter[part].argmax()] for part in stretches]]


def call_on(path: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Return ``function(*arguments)`` of this module as computed on a dispatch path."""
    if not PATHS[path]:
        return function(*arguments)
    worker = _worker(path)
    pickle.dump((function.__name__, arguments), worker.stdin)
    worker.stdin.flush()
    return pickle.load(worker.stdout)


@cache
def _worker(path: str) -> subprocess.Popen:
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(PATHS[path])}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.activations.dispatch"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


if __name__ == "__main__":
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            break
        pickle.dump(globals()[request[0]](*request[1]), sys.stdout.buffer)
        sys.stdout.buffer.flush()
