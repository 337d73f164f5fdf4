"""NumPy's dispatch paths on this machine, each in its own process.

NumPy has several implementations of exp, tanh, ..., which differ in the last bits, and selects one
by the CPU's features. NPY_DISABLE_CPU_FEATURES selects the others. On a CPU without AVX-512 (or on
ARM) some paths are equal; ``PATHS`` has only different ones, and pytest's header lists them.
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
    """Return float64 and float32 points where the errors may be largest.

    From 40 ``count`` points they are about count / 10 where f or f' has the largest scatter in
    float64, and count / 40 where float32 differs most from float64.
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
    """Return ``count`` of the sorted float64 points x, one from each of ``count`` intervals.

    It is the point where the function scatters most, in ULP, between neighbouring floats. Rounding
    errors are likely to be largest there, and no exact value is needed to find it.
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
