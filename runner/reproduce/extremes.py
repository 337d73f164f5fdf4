"""The minima and slopes of smooth rectifiers, and the errors of their approximations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from activations import get
from activations.base import Elementwise
from activations.passport.shape import shape_of
from runner.plots.colours import GREY, colour
from runner.plots.style import SMALL, Picture
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Expected, Reproduction, Source, exact, published

VALUES = {
    "gelu": (-0.16997120747990, -0.75179152469356, -0.1289041452, 1.1289041452),
    "silu": (-0.2784645427610738, -1.2784645428, -0.0998393201, 1.0998393201),
    "mish": (-0.3088434130173, -1.19243121451550, -0.1125261224, 1.0884981613),
}
"""The minimum, its x, the smallest slope and the largest slope."""
WORDS = ("minimum", "x of the minimum", "smallest slope", "largest slope")
ERRORS = {"gelu_tanh": (4.7324e-4, 2.69894), "quick_gelu": (0.0203349, 2.2704)}
"""For approximations of GELU: the largest error, and its x > 0."""
PRINTED = {"minimum": -0.30884, "x of the minimum": -1.1924}


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    left, right = panels(picture, 2, beside=0.1)
    values: dict[str, float] = {}
    x = np.linspace(-5, 2, 701)
    for name in VALUES:
        function = get(name)
        assert isinstance(function, Elementwise)
        shape = shape_of(function)
        found = (
            *(shape.lowest.value, shape.lowest.low),
            *(-abs(shape.flattest.value), shape.steepest.value),
        )
        values |= {f"{name}: {word}": value for word, value in zip(WORDS, found, strict=True)}
        left.plot(x, function(x), color=colour(name), label=name)
        left.plot(found[1], found[0], "o", color=colour(name), ms=4)
    values |= {f"mish: {word}, as printed": values[f"mish: {word}"] for word in PRINTED}
    left.axhline(0, color=GREY, linewidth=0.8, zorder=0)
    left.set_xlim(-5, 2)
    left.set_ylim(-0.35, 0.5)
    left.set_xlabel("x")
    left.set_ylabel("f(x)")
    left.legend(frameon=False, loc="upper left", fontsize=SMALL)
    x = np.linspace(0, 6, 600_001)
    for name in ERRORS:
        error = np.abs(get(name)(x) - get("gelu")(x))
        values[f"{name}: largest error"] = float(error.max())
        values[f"{name}: x of the largest error"] = float(x[error.argmax()])
        right.plot(x[::200], error[::200], color=colour(name), label=name)
    right.set_yscale("log")
    right.set_ylim(1e-6, 0.1)
    right.minorticks_off()
    right.set_xlim(0, 6)
    right.set_xlabel("x")
    right.set_ylabel("distance from GELU")
    right.legend(frameon=False, loc="upper right", fontsize=SMALL)
    values["1.7159 tanh(2/3)"] = float(get("scaled_tanh")(1.0))
    return values


def _of(name: str) -> tuple[Expected, ...]:
    return tuple(
        exact(f"{name}: {word}", value, "f' or f'' is 0, to 30 digits", within=2e-10)
        for word, value in zip(WORDS, VALUES[name], strict=True)
    )


EXTREMES = Reproduction(
    name="rectifier_extremes",
    title="Smooth rectifiers dip below 0, and their slope exceeds 1",
    sources=(
        Source(
            "Misra",
            2019,
            "Mish, README of its repository",
            "https://github.com/digantamisra98/Mish",
        ),
        Source(
            "Hendrycks & Gimpel",
            2016,
            "Gaussian error linear units",
            "https://arxiv.org/abs/1606.08415",
        ),
    ),
    shown="GELU, SiLU and Mish have a minimum below 0 and slopes from about -0.1 to 1.1. Each is "
    "x g(x), and g rises from 0 to 1. At moderate negative x, g is still above 0, so x g(x) is "
    "below 0. The slope g(x) + x g'(x) exceeds 1 at positive x. The tanh form of GELU differs from "
    "it by at most 5e-4, x sigmoid(1.702 x) by at most 0.02.",
    command="python -m activations.passport gelu",
    expected=(
        *(
            published(f"mish: {word}, as printed", value, "README", within=5e-5)
            for word, value in PRINTED.items()
        ),
        *(expected for name in VALUES for expected in _of(name)),
        *(
            exact(f"{name}: largest error", error, "against erf", percent=0.01)
            for name, (error, _) in ERRORS.items()
        ),
        *(
            exact(f"{name}: x of the largest error", place, "against erf", within=1e-3)
            for name, (_, place) in ERRORS.items()
        ),
        exact("1.7159 tanh(2/3)", 0.9999972559, "tanh", within=1e-10),
    ),
    measure=_measure,
    seconds=2,
)
