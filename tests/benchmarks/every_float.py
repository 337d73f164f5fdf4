"""The largest float32 errors of value and derivative over all float32 inputs.

    python -m tests.benchmarks.every_float gelu silu       all 2^32 inputs: minutes per function
    python -m tests.benchmarks.every_float swish:beta=1.7  with parameters
    python -m tests.benchmarks.every_float gelu --every 97    one input in 97: seconds
    NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL" python -m tests.benchmarks.every_float gelu

Each float32 result is compared with the float64 result of the same function, which the accuracy
tests keep within 4 ULP of float64. Errors are defined as in activations/check/accuracy.py, except
that near a root the largest value in its neighbourhood replaces the largest term of the definition.
The largest error is then computed again from the definition in arbitrary precision. The results of
NumPy's exp and log depend on the CPU, so measure with AVX-512 switched off too (the last command;
numpy.show_runtime() lists the features).
"""

from __future__ import annotations

import argparse
import heapq
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import activations
from activations.base import Array, Elementwise
from activations.check.accuracy import exact, ulp_errors
from activations.check.definitions import REFERENCES, Reference
from runner.system.terminal import progress_bar
from tests.activations.dispatch import HAS
from tests.benchmarks.processes import machine, table, versions

BOUNDS = {"value": 4, "derivative": 8}
CHUNK = 2**18  # elements: some MiB of temporaries
INFINITY = 0x7F800000  # the bits of float32's infinity; larger ones are NaN
MANTISSA, SMALLEST = 2.0**-23, 2.0**-149
EXPONENT_BITS = 0x7FF0000000000000


class Root(NamedTuple):
    """A neighbourhood [low, high] of a root, in which errors are counted in ``unit``."""

    low: float
    high: float
    unit: float


class Worst(NamedTuple):
    """The largest error of one chunk of inputs, in ULP, and the input."""

    error: float
    x: float


def inputs(every: int) -> Iterator[tuple[float, Array]]:
    """Yield the share done and the next float32 numbers, of both signs, including infinities."""
    for start in range(0, INFINITY + 1, CHUNK * every):
        bits = np.arange(start, min(start + CHUNK * every, INFINITY + 1), every, np.uint32)
        x = bits.view(np.float32)
        yield start / INFINITY, x
        yield start / INFINITY, -x


def units(truth: Array) -> Array:
    """Return the float32 unit in the last place at the float64 numbers ``truth``."""
    powers = (truth.view(np.int64) & EXPONENT_BITS).view(np.float64)
    return np.maximum(powers * MANTISSA, SMALLEST)


def roots(function: Callable[[Array], Array]) -> list[Root]:
    """Return the neighbourhoods of a function's roots, except x = 0: digits are not lost there."""
    sizes = np.geomspace(1e-3, 1e3, 100_001)
    x = np.concatenate([-sizes[::-1], sizes])
    with np.errstate(all="ignore"):
        y = function(x)
    sign, side = np.sign(y), np.sign(x)
    found = []
    for root in x[np.flatnonzero((sign[1:] * sign[:-1] < 0) & (side[1:] == side[:-1]))]:
        low, high = sorted((root / 2, root * 1.5))
        unit = float(units(np.abs(y[(x >= low) & (x <= high)])).max())
        found.append(Root(low, high, unit))
    return found


def errors(x: Array, computed: Array, truth: Array, near: list[Root]) -> Array:
    """Return |computed - truth| in ULP of float32, as activations.check.accuracy defines them."""
    unit = units(truth)
    for low, high, least in near:
        inside = (x >= low) & (x <= high)
        if inside.any():
            unit = np.where(inside, np.maximum(unit, least), unit)
    wide = computed.astype(np.float64)
    beyond = np.isinf(wide)
    if beyond.any():  # count infinity as 2^128, the first number beyond the largest float
        limit = np.copysign(2.0**128, wide)
        right = (truth == wide) | (np.abs(truth) >= 2.0**128) & (truth * limit > 0)
        wide = np.where(beyond, np.where(right, truth, limit), wide)
        unit = np.where(np.isinf(unit), 1.0, unit)
    error = np.abs(wide - truth) / unit
    error = np.where(wide == truth, 0.0, error)
    return np.where(np.isnan(error) & ~(np.isnan(wide) & np.isnan(truth)), np.inf, error)


def confirmed(function: Elementwise, what: str, worst: list[Worst]) -> Worst:
    """Return the largest error compared with the definition, or with float64 if there is none."""
    entry = reference(function)
    ranked = sorted(worst, reverse=True)
    if entry is None or not np.isfinite(ranked[0].error):
        return ranked[0]
    formula = entry.value_at if what == "value" else entry.derivative_at
    best = Worst(-1.0, np.nan)
    for error, x in ranked:
        if error <= best.error:  # no later one can be larger
            break
        if not np.isfinite(x):
            continue
        point = np.array([x], np.float32)
        with np.errstate(all="ignore"):
            computed = function(point) if what == "value" else function.gradient(point)
        truth = exact(formula, point.astype(np.float64))
        best = max(best, Worst(float(ulp_errors(computed, truth)[0]), x))
    return best


def reference(function: Elementwise) -> Reference | None:
    """Return the definition of a function with its parameters, or None."""
    for entry in REFERENCES:
        if entry.name == function.name:
            numbers = {key: getattr(function, key) for key in entry.definition.ranges}
            return Reference(entry.definition, numbers)
    return None


def measure(function: Elementwise, every: int, bar: Callable[[float], None]) -> dict[str, Worst]:
    """Return the largest errors of value and derivative."""
    near = {"value": roots(function), "derivative": roots(function.gradient)}
    found: dict[str, list[Worst]] = {what: [] for what in BOUNDS}
    for share, x in inputs(every):
        bar(share)
        with np.errstate(all="ignore"):
            got = function.value_and_gradient(x)
            truths = function.value_and_gradient(x.astype(np.float64))
            for what, computed, truth in zip(BOUNDS, got, truths, strict=True):
                off = errors(x, computed, truth, near[what])
                at = int(off.argmax())
                heap = found[what]
                heapq.heappush(heap, Worst(float(off[at]), float(x[at])))
                if len(heap) > 1000:
                    heapq.heappop(heap)
    return {what: confirmed(function, what, worst) for what, worst in found.items()}


def chosen(text: str) -> Elementwise:
    """Return the activation for NAME or NAME:KEY=NUMBER,... Raises ValueError if invalid."""
    name, _, rest = text.partition(":")
    try:
        pairs = [item.split("=") for item in rest.split(",") if rest]
        parameters: dict[str, Any] = {key: float(value) for key, value in pairs}
    except ValueError:
        raise ValueError(f"expected NAME or NAME:KEY=NUMBER,..., got {text!r}") from None
    function = activations.get(name, **parameters)
    if not isinstance(function, Elementwise):
        raise ValueError(f"{name} is not elementwise; every_float takes functions of one number")
    return function


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return 1 if a bound is broken."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.every_float",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "functions",
        nargs="+",
        metavar="NAME[:KEY=NUMBER,...]",
        help="an elementwise activation, with parameters",
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only one float in N")
    options = parser.parse_args(arguments)
    try:
        if options.every < 1:
            raise ValueError(f"--every must be 1 or more, got {options.every}")
        functions = [(text, chosen(text)) for text in options.functions]
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    features = ", ".join(HAS) or "baseline only"
    print(f"{machine()}\n{versions(['numpy'])}, CPU features: {features}\n")
    rows, broken = [], False
    for text, function in functions:
        started = time.perf_counter()
        with progress_bar(text, True) as bar:
            worst = measure(function, options.every, bar)
        cells = []
        for what, (error, x) in worst.items():
            broken |= error > BOUNDS[what]
            mark = f" > {BOUNDS[what]}" if error > BOUNDS[what] else ""
            cells.append(f"{error:.3g} at {x:.9g}{mark}")
        rows.append([text, *cells, f"{time.perf_counter() - started:.0f} s"])
    floats = "all floats" if options.every == 1 else f"one float in {options.every}"
    print(table(["ULP", "value", "derivative", floats], rows))
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
