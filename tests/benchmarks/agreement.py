"""Our values and gradients compared with PyTorch's, in float64, for moderate inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import activations
from activations.check.accuracy import exact, ulp_errors
from tests.benchmarks.peers import ELEMENTWISE, ROWS, Peer, Shared
from tests.benchmarks.processes import table

CLOSE = 64 * 2.0**-52
"""Relative differences up to this, 1.4e-14, count as rounding errors."""

WHY = {
    "hardsigmoid'": "PyTorch's slope is 1/6 rounded to float32",
    "gelu": "PyTorch takes 1 + erf(x / sqrt 2), which cancels for x < 0",
    "gelu'": "the same sum, and its product with x",
    "gelu_tanh": "PyTorch takes 1 + tanh(u), which cancels for x < 0",
    "gelu_tanh'": "1 + tanh(u) and 1 - tanh(u)^2 cancel",
    "sigmoid'": "PyTorch takes s (1 - s) from the output, which cancels for x > 0",
    "tanh'": "PyTorch takes 1 - y^2 from the output",
    "tanhshrink": "PyTorch subtracts tanh(x) from x, which cancels near 0",
    "tanhshrink'": "PyTorch's is 1 - (1 - y^2)",
    "silu'": "beside the root at -1.28, where its terms cancel",
    "mish'": "beside the root at -1.19, where its terms cancel",
    "normal_cdf": "PyTorch takes 1 + erf(x / sqrt 2), as in its GELU",
    "normal_cdf'": "PyTorch rounds x^2 before e^(-x^2 / 2) magnifies it",
    "softmax'": "PyTorch's p (g - sum(g p)) cancels for a dominant entry",
    "softmin'": "as softmax'",
    "softmax2d'": "as softmax'",
}
"""Reasons by function; a prime marks the derivative."""


def grid() -> Any:
    """Return the multiples of 1/128 in [-10, 10], which include the kinks."""
    return np.arange(-1280, 1281) / 128


def comparisons(pytorch: Peer, only: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return for each function, and for its derivative as NAME', how far the two differ.

    ``relative`` is the largest relative difference, found at ``x`` (None for functions of a row),
    where ``ours`` and ``pytorch`` are that many ULP off; ``points`` counts those beyond CLOSE.
    """
    found = []
    for shared in [*ELEMENTWISE, *ROWS]:
        if shared.name not in pytorch.functions or (only and shared.name not in only):
            continue
        one = shared in ELEMENTWISE
        x, grad = _inputs(shared, one)
        function = activations.get(shared.name, **shared.parameters)
        with np.errstate(all="ignore"):
            y = function(x)
            ours = y, function.backward(x, y, grad)
        theirs = pytorch.pair(shared.name, x, grad)
        for what, mine, other in zip(("", "'"), ours, theirs, strict=True):
            other = np.asarray(other)
            scale = np.maximum(np.abs(mine), np.abs(other))
            if not one:  # sums cancel, so compare relative to the largest value of the row
                scale = np.broadcast_to(scale.max(axis=-1, keepdims=True), scale.shape)
            with np.errstate(invalid="ignore", divide="ignore"):
                off = np.where(mine == other, 0.0, np.abs(mine - other) / scale)
            off = np.where(np.isnan(off), np.inf, off)
            worst = np.unravel_index(int(off.argmax()), off.shape)
            row = {"function": shared.name + what, "relative": float(off[worst])}
            if off[worst] > CLOSE:
                row["points"] = int((off > CLOSE).sum())
                row["x"], row["ours"], row["pytorch"] = None, None, None
                if one:
                    row["x"] = float(x[worst])
                    row["ours"], row["pytorch"] = _blame(shared, what, x, mine, other, worst)
                row["why"] = WHY.get(shared.name + what, "not explained")
            found.append(row)
    return found


def apart(found: list[dict[str, Any]]) -> str:
    """Return the functions that agree, and a table of the differences with their causes."""
    rows = [row for row in found if "why" in row]
    close = [row for row in found if "why" not in row]
    names = {row["function"].removesuffix("'") for row in found}
    agree = sorted(names - {row["function"].removesuffix("'") for row in rows})
    largest = max((row["relative"] for row in close), default=0.0)
    text = f"Within {largest:.1e} in value and gradient ({len(agree)}): {', '.join(agree)}."
    if not rows:
        return text
    header = ["differs", "relative", "at x", "points", "ULP there: ours", "PyTorch", "why"]
    lines = [
        [
            row["function"],
            f"{row['relative']:.1e}",
            *("" if row["x"] is None else f"{row['x']:g}", str(row["points"])),
            *(
                "" if row[system] is None else f"{row[system]:.2g}"
                for system in ("ours", "pytorch")
            ),
            row["why"],
        ]
        for row in rows
    ]
    return f"{text}\n\n{table(header, lines)}"


def agreement(pytorch: Peer, only: list[str]) -> str:
    return f"{apart(comparisons(pytorch, only))}\n\n{conventions(pytorch, only)}"


def _inputs(shared: Shared, one: bool) -> tuple[Any, Any]:
    if one:
        return grid(), np.ones(grid().shape)
    rng = np.random.default_rng(3)
    x = 3 * rng.standard_normal((200, 8))
    function = activations.get(shared.name, **shared.parameters)
    return x, rng.standard_normal(function(x).shape)


def _blame(shared: Shared, what: str, x: Any, mine: Any, other: Any, worst: Any) -> list[float]:
    from tests.benchmarks.accuracy import definition

    entry = definition(shared)
    right = exact(entry.derivative_at if what else entry.value_at, x[worst].reshape(1))
    return [float(ulp_errors(value[worst].reshape(1), right)[0]) for value in (mine, other)]


def conventions(pytorch: Peer, only: list[str]) -> str:
    """Return where our defaults' derivatives differ from PyTorch's by choice."""
    lines = []
    x = grid()
    for shared in ELEMENTWISE:
        if shared.name not in pytorch.functions or (only and shared.name not in only):
            continue
        parameters = {k: v for k, v in shared.parameters.items() if k != "derivative_at_zero"}
        default = activations.get(shared.name, **parameters).gradient(x)
        theirs = pytorch.pair(shared.name, x, np.ones_like(x))[1]
        for k in np.flatnonzero(np.abs(default - theirs) > 1e-3):
            lines.append(f"{shared.name}'({x[k]:g}) is {default[k]:g}, PyTorch's {theirs[k]:g}")
    if not lines:
        return "At every kink ours is PyTorch's convention."
    return (
        "By choice, at kinks: "
        + "; ".join(lines)
        + " (`derivative_at_zero` gives PyTorch's, and has been used above)."
    )
