"""Moments of activations for normal inputs, the gains that follow, and which are stable."""

from __future__ import annotations

import math
from pathlib import Path

from activations import Activation, get
from activations.moments import Moments, moments
from runner.plots.colours import GREY, INK, PALETTE
from runner.plots.style import SMALL, Picture
from runner.reproduce.reproduction import Reproduction, Source, exact, published
from runner.theory.mean_field import variance_slope

NFNETS = {
    "relu": 1.71395886,
    "relu6": 1.71314847,
    "leaky_relu": 1.70590341,
    "elu": 1.27160048,
    "selu": 1.00085151,
    "gelu": 1.70150435,
    "silu": 1.78812933,
    "tanh": 1.59391177,
    "sigmoid": 4.80383539,
    "softplus": 1.92033231,
    "softsign": 2.33885312,
}
"""1 / deviation of f(z), z ~ N(0, 1): NFNets multiply f by it."""

GAINS = {
    "relu": math.sqrt(2),
    "elu": 1.24519830,
    "selu": 1.0,
    "sigmoid": 1.84622855,
    "tanh": 1.59253742,
    "scaled_tanh": 1.15436945,
    "hardtanh": 1.39203614,
    "softsign": 2.33753336,
    "softplus": 1.04186684,
    "gelu": 1.53353044,
    "silu": 1.67653247,
    "mish": 1.48684758,
    "sin": 1.52086662,
    "arctan": 1.49120762,
}
"""1 / sqrt(E f(z)^2), z ~ N(0, 1)."""

SLOPES = {
    "relu": 1.0,
    "elu": 0.89097,
    "selu": 0.78265,
    "sigmoid": 0.10634,
    "tanh": 0.46107,
    "softsign": 0.47671,
    "softplus": 0.49205,
    "gelu": 1.14406,
    "silu": 1.17259,
    "mish": 1.07634,
    "sin": 0.31304,
    "arctan": 0.56082,
}
"""Slope dq'/dq of the variance map at q = 1, with the gain 1 / sqrt(E f(z)^2)."""


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    found = {name: moments(_activation(name)) for name in {**NFNETS, **GAINS}}
    slopes = {name: variance_slope(_activation(name), 1.0, found[name].gain) for name in SLOPES}
    _draw(picture, found, slopes)
    softplus, sigmoid = found["softplus"], found["sigmoid"]
    return {
        **{_nfnet(name): 1 / found[name].deviation for name in NFNETS},
        **{_gain(name): found[name].gain for name in GAINS},
        **{_slope(name): slopes[name] for name in SLOPES},
        "relu: E f": found["relu"].mean,
        "gelu: E f": found["gelu"].mean,
        "sin: E f^2": found["sin"].second_moment,
        "softplus: E f'^2 - E sigmoid^2": softplus.slope_second_moment - sigmoid.second_moment,
    }


def _activation(name: str) -> Activation:
    return get(name, alpha=0.01) if name == "leaky_relu" else get(name)


def _nfnet(name: str) -> str:
    return f"{name}: 1/deviation, as in NFNets"


def _gain(name: str) -> str:
    return f"{name}: 1/sqrt(E f^2)"


def _slope(name: str) -> str:
    return f"{name}: slope of the variance map"


def _draw(picture: Picture, found: dict[str, Moments], slopes: dict[str, float]) -> None:
    middle = (picture.left + picture.right) / 2
    bottom, top = picture.bottom + 0.5, picture.top - 0.3
    left = picture.place(picture.left + 0.9, bottom, middle - 0.2, top)
    right = picture.place(middle + 1.0, bottom, picture.right - 0.1, top)
    names = sorted(NFNETS, key=lambda name: found[name].deviation)
    rows = range(len(names))
    left.plot([NFNETS[name] for name in names], rows, "o", ms=9, mfc="none", mec=GREY)
    left.plot([1 / found[name].deviation for name in names], rows, "o", ms=4, color=PALETTE[0])
    left.set_yticks(rows, names)
    left.set_xlabel("1/deviation of f(z)")
    left.set_xlim(0.8, 5)
    left.annotate("ring: NFNets, simulated\ndot: ours", (0.98, 0.97), xycoords="axes fraction",
                  ha="right", va="top", fontsize=SMALL)  # fmt: skip
    names = sorted(slopes, key=lambda name: slopes[name])
    for row, name in enumerate(names):
        shade = PALETTE[1] if slopes[name] > 1 + 1e-9 else PALETTE[0]
        right.plot([1, slopes[name]], [row, row], color=shade, linewidth=1.2)
        right.plot([slopes[name]], [row], "o", ms=5, color=shade)
    right.axvline(1, color=INK, linewidth=0.8)
    right.set_yticks(range(len(names)), names)
    right.set_xlim(0, 1.3)
    right.set_xlabel("slope of the variance map at 1")
    right.annotate("stable", (0.03, 0.62), xycoords="axes fraction", va="top",
                   color=PALETTE[0], fontsize=SMALL)  # fmt: skip
    right.annotate("unstable", (0.98, 0.62), xycoords="axes fraction", ha="right",
                   color=PALETTE[1], fontsize=SMALL)  # fmt: skip
    for axes in (left, right):
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(-0.6, len(axes.get_yticks()) - 0.4)


GAUSSIAN_MOMENTS = Reproduction(
    name="gaussian_moments",
    title="Which gain preserves the variance, and whether it is stable",
    sources=(
        Source(
            "Brock et al.",
            2021,
            "High-performance large-scale image recognition without normalization, code",
            "https://github.com/google-deepmind/deepmind-research/blob/master/nfnets/base.py",
        ),
        Source(
            "He et al.",
            2015,
            "Delving deep into rectifiers",
            "https://arxiv.org/abs/1502.01852",
        ),
    ),
    shown="A layer preserves the variance of its signals if its weights are scaled by the gain "
    "1/sqrt(E f(z)^2), z ~ N(0, 1), which is sqrt(2) for ReLU. NFNets scale f by 1/deviation "
    "instead, with a simulated deviation; quadrature agrees to 0.1%. For GELU, SiLU and Mish, the "
    "slope of the variance map at this point is above 1: a small deviation grows from layer to "
    "layer, so this gain suits only shallow networks.",
    command="python -m activations.passport gelu",
    expected=(
        *(
            published(_nfnet(name), value, "the table of gammas, simulated", percent=0.1)
            for name, value in NFNETS.items()
        ),
        *(exact(_gain(name), value, "quadrature", within=1e-8) for name, value in GAINS.items()),
        *(exact(_slope(name), value, "quadrature", within=1e-5) for name, value in SLOPES.items()),
        exact("relu: E f", 1 / math.sqrt(2 * math.pi), "1/sqrt(2 pi)", within=1e-12),
        exact("gelu: E f", 1 / (2 * math.sqrt(math.pi)), "1/(2 sqrt(pi))", within=1e-12),
        exact("sin: E f^2", (1 - math.exp(-2)) / 2, "(1 - e^-2)/2", within=1e-12),
        exact("softplus: E f'^2 - E sigmoid^2", 0.0, "softplus' is the sigmoid", within=1e-12),
    ),
    measure=_measure,
)
