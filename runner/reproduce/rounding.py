"""Derivatives that a naive formula rounds to 0."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from activations import get
from activations.base import Array
from runner.plots.axes import log_ticks
from runner.plots.colours import DIVERGED, colour
from runner.plots.style import SMALL, Picture
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, exact

POINTS = (
    ("sigmoid", np.float32, 17.0, 4.1399e-8, 0.0),
    ("tanh", np.float32, 9.5, 2.2411e-8, 1.19e-7),
    ("sigmoid", np.float64, 37.0, 8.533e-17, 0.0),
)
"""Function, dtype, x, the derivative at x, and the value of the formula in y."""


def _through_y(name: str, x: Array) -> Array:
    """Return y (1 - y) for the sigmoid y, 1 - y^2 for tanh."""
    y = get(name)(x)
    return np.asarray(y * (1 - y) if name == "sigmoid" else 1 - y * y)


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    values = {}
    for name, kind, at, *_ in POINTS:
        x = np.array([at], kind)
        values[_ours(name, kind, at)] = float(get(name).gradient(x)[0])
        values[_naive(name, kind, at)] = float(_through_y(name, x)[0])
    for axes, name in zip(panels(picture, 2), ("sigmoid", "tanh"), strict=True):
        x = np.linspace(0, 20 if name == "sigmoid" else 10, 400).astype(np.float32)
        axes.plot(x, get(name).gradient(x), color=colour(name), linewidth=4, alpha=0.4)
        naive = _through_y(name, x)
        axes.plot(x[naive > 0], naive[naive > 0], color=DIVERGED, linewidth=1)
        axes.set_yscale("log")
        axes.set_ylim(1e-9, 3)
        log_ticks(axes.yaxis, 1e-9, 3)
        axes.set_xlim(0, x[-1])
        axes.set_xlabel("x (float32)")
        axes.set_ylabel(f"derivative of {name}")
        formula = "y (1 - y)" if name == "sigmoid" else "1 - y^2"
        words = f"thick: ours\nthin: {formula}, until it is 0"
        axes.annotate(words, (0.04, 0.05), xycoords="axes fraction", fontsize=SMALL)
    return values


def _ours(name: str, kind: type, at: float) -> str:
    return f"{name}'({at:g}) in {np.dtype(kind).name}"


def _naive(name: str, kind: type, at: float) -> str:
    return f"{_ours(name, kind, at)}, through y"


ROUNDED_DERIVATIVES = Reproduction(
    name="rounded_derivatives",
    title="Rounding must not turn derivatives into 0",
    sources=(
        Source(
            "Goldberg",
            1991,
            "What every computer scientist should know about floating-point arithmetic",
            "https://doi.org/10.1145/103162.103163",
        ),
    ),
    shown="Textbooks write the derivative of the sigmoid y as y (1 - y), and that of tanh as "
    "1 - y^2. In float32, 1 - y is a multiple of 6e-8 for y near 1. From x = 17 on, y is 1 and the "
    "product is 0, so a unit there gets no gradient and cannot recover. Written as "
    "e^-|x| / (1 + e^-|x|)^2, the derivative keeps all digits, because nothing cancels.",
    command="python -m activations.check sigmoid",
    expected=tuple(
        expected
        for name, kind, at, truth, naive in POINTS
        for expected in (
            exact(_ours(name, kind, at), truth, "to 50 digits", percent=0.01),
            exact(_naive(name, kind, at), naive, "IEEE 754", within=0.01 * naive),
        )
    ),
    measure=_measure,
)
