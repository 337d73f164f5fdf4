"""The errors of our activations compared with those of PyTorch and JAX.

    python -m tests.benchmarks.accuracy                  everything
    python -m tests.benchmarks.accuracy --only gelu tanh
    python -m tests.benchmarks.accuracy --points 4000    per function and dtype (default: 1500)

It prints as Markdown: (1) the largest errors of values and derivatives in units in the last place
(ULP), compared with activations/check/definitions evaluated by mpmath; (2) where our float64 values
and gradients differ from PyTorch's, and why; (3) which activations of the libraries are here. The
derivatives of PyTorch and JAX come from their automatic differentiation. A library that is not
installed is skipped.

The points cover the whole range of floats, as in the accuracy tests, except where a library may
differ by intention: next to a kink (derivatives only), and for subnormal inputs and results, which
JAX flushes to 0. Near a root, the unit of the error is a ULP of the largest term of the definition,
as everywhere (activations/check/accuracy.py).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import Any

import mpmath
import numpy as np

import activations
from activations.check.accuracy import Exact, exact, points, ulp_errors
from activations.check.definitions import REFERENCES, Reference
from activations.check.definitions.rows import references, truth
from tests.benchmarks.agreement import agreement
from tests.benchmarks.coverage import report
from tests.benchmarks.peers import ELEMENTWISE, ROWS, Peer, Shared, peers
from tests.benchmarks.processes import machine, table, versions

DTYPES = (np.float32, np.float64)
VALUE_ULP, DERIVATIVE_ULP = 4, 8
READABLE = 1e6
Worst = tuple[float, float]
"""The largest error, and the x where it occurs."""


def definition(shared: Shared) -> Reference:
    """Return the definition of a function with its parameters. Raises ValueError if none exists."""
    wanted = activations.get(shared.name, **shared.parameters).hyperparameters
    for entry in REFERENCES:
        if entry.name == shared.name:
            if entry.activation.hyperparameters == wanted:
                return entry
    raise ValueError(f"activations/check/definitions has no entry for {shared.name} with {wanted}")


def our_pair(shared: Shared, x: Any) -> tuple[Any, Any]:
    function = activations.get(shared.name, **shared.parameters)
    with np.errstate(all="ignore"):
        return function(x), function.gradient(x)


def elementwise_errors(
    shared: Shared, others: dict[str, Peer], count: int
) -> dict[tuple[str, str, str], Worst]:
    """Return the worst errors by (library, dtype, "f" or "f'")."""
    entry = definition(shared)
    everywhere = np.union1d(
        *(points(dtype, count, entry.special).astype(float) for dtype in DTYPES)
    )
    everywhere = everywhere[~np.isin(everywhere, list(entry.activation.kinks))]
    exactly = {"f": exact(entry.value_at, everywhere), "f'": exact(entry.derivative_at, everywhere)}
    found = {}
    for dtype in DTYPES:
        info = np.finfo(dtype)
        with np.errstate(over="ignore"):
            kept = everywhere == everywhere.astype(dtype)
        kept &= (np.abs(everywhere) >= info.tiny) | (everywhere == 0)
        x = everywhere[kept].astype(dtype)
        beside = np.zeros(x.shape, bool)
        for kink in entry.activation.kinks:
            beside |= np.abs(x - kink) <= 8 * info.eps * max(1, abs(kink))
        pairs = {"ours": our_pair(shared, x)}
        for library, peer in others.items():
            if shared.name in peer.functions:
                pairs[library] = peer.pair(shared.name, x, np.ones_like(x))
        for library, pair in pairs.items():
            for what, computed in zip(("f", "f'"), pair, strict=True):
                of_points = exactly[what][kept]
                normal = (of_points.high == 0) | (of_points.exponent > info.minexp)
                if what == "f'":
                    normal &= ~beside
                got = np.asarray(computed)[normal]
                errors = ulp_errors(got, of_points[normal])
                errors[~np.isfinite(got) & (errors > 0.5)] = np.inf
                at = int(errors.argmax())
                found[library, dtype.__name__, what] = errors[at], float(x[normal][at])
    return found


def row_errors(shared: Shared, others: dict[str, Peer]) -> dict[tuple[str, str, str], Worst]:
    """Return the worst errors of a function of a row and of its Jacobian's diagonal."""
    rng = np.random.default_rng(7)
    found: dict[tuple[str, str, str], Worst] = {}
    for dtype in DTYPES:
        for spread in (1.0, 10.0, 100.0):
            for size in (3, 10, 100):
                x = (spread * rng.standard_normal(size)).astype(dtype)
                with mpmath.workprec(250):
                    parts = references(x)
                    exactly = [truth(parts[shared.name]), truth(parts[shared.name + "'"])]
                pairs = {"ours": our_pair(shared, x)}
                for library, peer in others.items():
                    if shared.name in peer.functions:
                        rows, unit = np.tile(x, (size, 1)), np.eye(size, dtype=dtype)
                        y, slopes = peer.pair(shared.name, rows, unit)
                        pairs[library] = y[0], np.diagonal(slopes)
                _keep_worst(found, pairs, exactly, dtype, spread)
    return found


def _keep_worst(found: Any, pairs: Any, exactly: list[Exact], dtype: Any, spread: float) -> None:
    smallest = np.finfo(dtype).minexp
    for library, pair in pairs.items():
        for what, computed, right in zip(("f", "f'"), pair, exactly, strict=True):
            normal = right.exponent > smallest
            worst = float(ulp_errors(np.asarray(computed), right)[normal].max(initial=0))
            key = library, dtype.__name__, what
            found[key] = max(found.get(key, (0.0, 0.0)), (worst, spread))


def cell(worst: Worst | None, dtype: str, bound: float, where: str = "") -> str:
    """Return an error as "1.9"; beyond the bound, also its x or that all digits are lost."""
    if worst is None:
        return ""
    error, x = worst
    place = f" at {where or f'{x:.3g}'}"
    if not np.isfinite(error):
        return f"NaN or infinite{place}"
    if error >= 2.0 ** (np.finfo(dtype).nmant - 1):
        return f"all digits{place}"
    if error >= READABLE:
        return f"{error:.0e}{place}"
    return f"{error:.2g}" if error < 9.95 else f"{error:.0f}{place if error > bound else ''}"


def ulp_table(only: list[str], others: dict[str, Peer], count: int) -> str:
    """Return the first table, and a line with the number of results within the bounds."""
    libraries = ["ours", *others]
    header = ["ULP", *(f"{library} f{dtype[5:]}" for dtype in _names() for library in libraries)]
    rows, kept, measured = [], dict.fromkeys(libraries, 0), dict.fromkeys(libraries, 0)
    measures: list[tuple[Shared, Callable[[], dict[tuple[str, str, str], Worst]], str]] = [
        (shared, lambda s=shared: elementwise_errors(s, others, count), "")
        for shared in ELEMENTWISE
    ]
    measures += [(shared, lambda s=shared: row_errors(s, others), "row") for shared in ROWS[:2]]
    for shared, measure, kind in measures:
        if only and shared.name not in only:
            continue
        found = measure()
        for what, bound in (("f", VALUE_ULP), ("f'", DERIVATIVE_ULP)):
            bound += kind == "row" and what == "f"  # 5 for softmax and log-softmax
            row = [shared.name + what[1:]]
            for dtype in _names():
                for library in libraries:
                    worst = found.get((library, dtype, what))
                    where = f"spread {worst[1]:.0f}" if worst and kind else ""
                    row.append(cell(worst, dtype, bound, where))
                    measured[library] += worst is not None
                    kept[library] += worst is not None and worst[0] <= bound
            rows.append(row)
    counts = ", ".join(f"{library} {kept[library]} of {measured[library]}" for library in libraries)
    bounds = "Within 4 ULP (softmax 5) for values, 8 for derivatives"
    return f"{table(header, rows)}\n\n{bounds}: {counts}."


def _names() -> Iterable[str]:
    return [dtype.__name__ for dtype in DTYPES]


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.accuracy")
    parser.description = (__doc__ or "").split("\n")[0]
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="only these functions"
    )
    parser.add_argument("--points", type=int, default=1500, help="points per function and dtype")
    options = parser.parse_args(arguments)
    others = peers()
    print(f"{machine()}\n{versions(['numpy', 'torch', 'jax', 'mpmath'])}\n")
    for library in {"PyTorch", "JAX"} - set(others):
        print(f"{library} is not installed and left out.\n")
    print(f"### Largest errors\n\n{ulp_table(options.only, others, options.points)}\n")
    if pytorch := others.get("PyTorch"):
        print(f"### Agreement with PyTorch in float64\n\n{agreement(pytorch, options.only)}\n")
    if not options.only:
        print(f"### Coverage\n\n{report()}")


if __name__ == "__main__":
    main()
