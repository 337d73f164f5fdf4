"""The share of saturated outputs of tanh and sigmoid."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from activations import get
from runner.plots.colours import GREY, PALETTE, colour
from runner.plots.style import SMALL, Picture
from runner.reproduce.experiments import drawn
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, exact

SHARES = {
    "tanh": {1: 0.0364121, 2: 0.139013, 4: 0.295493, 25: 0.675611},
    "sigmoid": {1: 0.00323541, 2: 0.0373395, 4: 0.140962, 25: 0.555937},
}
"""By the variance of z."""
SLOPES = {"tanh": 1 - 0.97**2, "sigmoid": 0.05 * 0.95}
"""An output is saturated if f'(z) is below this: |tanh| > 0.97, sigmoid outside (0.05, 0.95)."""
FORMULA = {"tanh": "erfc(2.092296 / sqrt(2 q))", "sigmoid": "erfc(2.944439 / sqrt(2 q))"}
WORDS = {"tanh": "|tanh| > 0.97", "sigmoid": "sigmoid outside (0.05, 0.95)"}
PLACES = {"tanh": (3.0, 0.62), "sigmoid": (9.5, 0.22)}
"""Positions of the labels in the figure."""


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    values = {}
    for name, shares in SHARES.items():
        words = f"activation={name}", f"saturated={SLOPES[name]}"
        for q in shares:
            values[_share(name, q)] = float(
                drawn("saturation", *words, f"variance={q}").saturated.mean()
            )
    left, right = panels(picture, 2)
    z = np.linspace(-30, 30, 60_001)
    edges = np.linspace(-1, 1, 41)
    outputs = get("tanh")(z)
    for q, shade in zip((1, 4, 25), PALETTE, strict=False):
        density = np.exp(-z * z / (2 * q)) / math.sqrt(2 * math.pi * q) * (z[1] - z[0])
        share, _ = np.histogram(outputs, edges, weights=density)
        left.stairs(share, edges, color=shade, linewidth=1.5, label=f"variance of z: {q}")
    left.legend(frameon=False, loc="upper center", fontsize=SMALL)
    left.axvspan(-1, -0.97, color=GREY, alpha=0.2, linewidth=0)
    left.axvspan(0.97, 1, color=GREY, alpha=0.2, linewidth=0)
    left.set_ylim(0, 0.2)
    left.set_xlim(-1, 1)
    left.set_xlabel("tanh(z)")
    left.set_ylabel("share of outputs in each of 40 bins")
    grid = np.linspace(0.1, 25, 300)
    for name, shares in SHARES.items():
        edge = float(FORMULA[name].split("(")[1].split(" ")[0])
        exact_share = [math.erfc(edge / math.sqrt(2 * q)) for q in grid]
        right.plot(grid, exact_share, color=colour(name))
        right.plot(list(shares), [values[_share(name, q)] for q in shares], "o", ms=5,
                   color=colour(name), clip_on=False)  # fmt: skip
        right.annotate(WORDS[name], PLACES[name], color=colour(name), fontsize=SMALL)
    right.set_xlim(0, 25)
    right.set_ylim(0, 0.75)
    right.set_xlabel("variance of z")
    right.set_ylabel("saturated outputs")
    return values


def _share(name: str, q: float) -> str:
    return f"{WORDS[name]}, variance {q}"


def _three_errors(share: float) -> float:
    """Return three standard errors of a share of 20 networks of 1,000 units.

    Each unit counts once, because its outputs for several inputs are not independent.
    """
    return round(3 * math.sqrt(share * (1 - share) / 20_000), 4)


SATURATION = Reproduction(
    name="saturation",
    title="How many outputs saturate at a given variance",
    sources=(
        Source(
            "Karpathy",
            2022,
            "Building makemore part 3: activations and gradients, BatchNorm",
            "https://github.com/karpathy/nn-zero-to-hero",
        ),
    ),
    shown="If |tanh(z)| > 0.97, the slope is below 0.0591, and almost no gradient passes. This is "
    "the case for |z| > 2.09. If z is normal with variance q, a share of erfc(2.09 / sqrt(2 q)) of "
    "the outputs is saturated: one in 28 for q = 1, two in three for q = 25. A network whose "
    "weights are too large by a factor of 5 therefore starts with most of its units saturated.",
    command="python -m runner.propagate experiment=saturation",
    expected=tuple(
        exact(_share(name, q), share, FORMULA[name], within=_three_errors(share))
        for name, shares in SHARES.items()
        for q, share in shares.items()
    ),
    measure=_measure,
    seconds=6,
)
