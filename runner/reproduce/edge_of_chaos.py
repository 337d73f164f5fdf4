"""Order and chaos in untrained networks: where signals and gradients neither vanish nor explode."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from activations import get
from runner.plots.axes import round_ticks
from runner.plots.colours import INK, PALETTE
from runner.plots.style import SMALL, Picture
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, exact, published
from runner.theory.mean_field import chi, edge_curve, edge_of_chaos, limit

POOLE = Source(
    "Poole et al.",
    2016,
    "Exponential expressivity in deep neural networks through transient chaos",
    "https://arxiv.org/abs/1606.05340",
)
SCHOENHOLZ = Source(
    "Schoenholz et al.", 2017, "Deep information propagation", "https://arxiv.org/abs/1611.01232"
)
HAYOU = Source(
    "Hayou, Doucet & Rousseau",
    2019,
    "On the impact of the activation function on deep neural networks training",
    "https://arxiv.org/abs/1902.06853",
)

TANH = {0.05: (1.12254, 0.15369), 0.1: (1.19340, 0.27330), 0.2: (1.30415, 0.51208),
        0.3: (1.39558, 0.76347), 0.5: (1.54967, 1.31794)}  # fmt: skip
"""By bias_std: weight_std at the edge of chaos, and q there."""
AT_02 = {"elu": 1.22925, "selu": 0.93748, "erf": 1.15280, "arctan": 1.30830, "softsign": 1.72963,
         "sin": 1.21233}  # fmt: skip
"""weight_std at the edge of chaos, for bias_std = 0.2."""
POINTS = {1.3: (0.60705, 0.93981), 2.5: (4.07912, 1.58522), 4.0: (12.60415, 2.36726)}
"""By weight_std: q and chi of tanh, for bias_std = 0.3."""
SQUARE = "tanh: variance of weights, biases of variance 0.05"
PRINTED = f"{SQUARE}, as printed"


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    tanh = get("tanh")
    values: dict[str, float] = {}
    for bias in TANH:
        point = edge_of_chaos(tanh, bias)[0]
        values[_at(bias)], values[_q(bias)] = point.weight_std, point.q
    values[SQUARE] = edge_of_chaos(tanh, math.sqrt(0.05))[0].weight_std ** 2
    values[PRINTED] = values[SQUARE]
    for name in AT_02:
        values[_of(name)] = edge_of_chaos(get(name), 0.2)[0].weight_std
    values["relu: weights for biases 0"] = edge_of_chaos(get("relu"), 0.0)[0].weight_std
    gelu = edge_of_chaos(get("gelu"), 0.5)[0]
    values["gelu: weights for biases 0.5"] = gelu.weight_std
    values["gelu: slope of the variance map there"] = gelu.slope
    for weight in POINTS:
        q = limit(tanh, 1.0, weight, 0.3)
        values[f"tanh {weight}, 0.3: q"] = q
        values[f"tanh {weight}, 0.3: chi"] = chi(tanh, q, weight)
    _draw(picture, values)
    return values


def _draw(picture: Picture, values: Mapping[str, float]) -> None:
    (axes,) = panels(picture, beside=0.3)
    curve = [(1.0, 0.0), *((point.weight_std, point.bias_std) for point in edge_curve(get("tanh")))]
    weight, bias = np.array(curve).T
    order = np.argsort(bias)
    axes.fill_betweenx(bias[order], 0, weight[order], color=PALETTE[5], alpha=0.2, linewidth=0)
    axes.fill_betweenx(bias[order], weight[order], 9, color=PALETTE[1], alpha=0.15, linewidth=0)
    axes.plot(weight[order], bias[order], color=INK)
    axes.plot([values[_at(one)] for one in TANH], list(TANH), "o", color=INK, ms=5)
    for at in POINTS:
        axes.plot(at, 0.3, "o", mfc="white", mec=INK, ms=6)
        words = f"$\\chi$ = {values[f'tanh {at}, 0.3: chi']:.2f}"
        axes.annotate(words, (at, 0.3), (-8, 0), textcoords="offset points", ha="right",
                      va="center", fontsize=SMALL)  # fmt: skip
    axes.set_xlim(0.5, 4.5)
    axes.set_ylim(0, 1)
    axes.annotate("order: gradients vanish,\ninputs become alike", (0.6, 0.8))
    axes.annotate("chaos: gradients explode,\nsimilar inputs diverge", (2.9, 0.8))
    axes.set_xlabel("standard deviation of weights times sqrt(fan_in)")
    axes.set_ylabel("standard deviation of biases")
    round_ticks(axes.xaxis, 8)


def _at(bias: float) -> str:
    return f"tanh: weights for biases {bias:g}"


def _q(bias: float) -> str:
    return f"tanh: q for biases {bias:g}"


def _of(name: str) -> str:
    return f"{name}: weights for biases 0.2"


EDGE_OF_CHAOS = Reproduction(
    name="edge_of_chaos_tanh",
    title="The edge of chaos of tanh",
    sources=(SCHOENHOLZ, POOLE, HAYOU),
    shown="In a wide random network, the variance of the pre-activations converges to a fixed "
    "point q. Each layer multiplies the mean square of the gradient by chi = s^2 E f'(z)^2, where "
    "s^2 is the variance of the weights times fan_in. With small weights chi < 1: gradients vanish "
    "and all inputs become alike. With large weights chi > 1: gradients explode and similar inputs "
    "become different. Deep networks are trainable near the line chi = 1; for tanh with biases of "
    "variance 0.05 it is at s^2 = 1.76.",
    command="python -m runner.propagate experiment=edge_of_chaos_tanh",
    expected=(
        exact(SQUARE, 1.76095, "chi = 1 at the fixed point, quadrature", within=1e-5),
        published(PRINTED, 1.76, "used for its figures", within=0.005),
        *(
            exact(_at(bias), weight, "quadrature", within=1e-5)
            for bias, (weight, _) in TANH.items()
        ),
        *(exact(_q(bias), q, "quadrature", within=1e-5) for bias, (_, q) in TANH.items()),
        exact("relu: weights for biases 0", math.sqrt(2), "sqrt(2), the only point", within=1e-12),
        *(exact(_of(name), weight, "quadrature", within=1e-5) for name, weight in AT_02.items()),
        exact("gelu: weights for biases 0.5", 1.39987, "quadrature", within=1e-5),
        exact("gelu: slope of the variance map there", 0.986, "quadrature", within=5e-4),
        *(
            exact(f"tanh {weight}, 0.3: {what}", value, "quadrature", within=1e-5)
            for weight, pair in POINTS.items()
            for what, value in zip(("q", "chi"), pair, strict=True)
        ),
    ),
    measure=_measure,
    seconds=5,
)
