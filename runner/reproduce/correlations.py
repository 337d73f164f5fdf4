"""How a deep network makes two different inputs alike."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from activations import get
from activations.base import Array
from runner.plots.axes import end_labels, log_ticks
from runner.plots.colours import GREY, colour
from runner.plots.style import SMALL, Picture
from runner.reproduce.edge_of_chaos import HAYOU
from runner.reproduce.experiments import drawn
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, exact
from runner.theory.mean_field import CorrelationMap, decorrelation, edge_of_chaos

KERNEL = {1: 1 / math.pi, 2: 0.493731090, 3: 0.604825720, 5: 0.735946351, 10: 0.871535516,
          20: 0.948428479, 50: 0.987861945}  # fmt: skip
"""By number of ReLU layers, the correlation of two inputs with correlation 0."""
HALF = "correlation after 1 layer, from 0.5"
MEASURED = (1, 2, 5, 10)
ASYMPTOTE = {100: 0.805, 1000: 0.971}
"""By layer l, (1 - c) / (9 pi^2 / (2 l^2))."""
KEPT = "networks: variance of z in layer 11 / in layer 1"


def _iterated(step: CorrelationMap, layers: int) -> Array:
    """Return 1 - c after 0, 1, ... layers, from a correlation of 0."""
    c = np.zeros(layers + 1)
    for layer in range(layers):
        c[layer + 1] = step(c[layer])
    return 1 - c


def _relu(runs: Path, picture: Picture) -> dict[str, float]:
    step = CorrelationMap(get("relu"), 1.0, math.sqrt(2))
    apart = _iterated(step, max(ASYMPTOTE))
    measured = drawn("relu_correlations")
    networks = measured.correlation.mean(axis=0)
    left, right = panels(picture, 2)
    grid = np.linspace(0, 1, 201)
    left.plot(grid, step(grid), color=colour("relu"))
    left.plot(grid, grid, color=GREY, linewidth=0.8)
    left.set_xlabel("correlation of two inputs")
    left.set_ylabel("after one layer")
    left.set_xlim(0, 1)
    left.set_ylim(0, 1)
    layers = np.arange(len(networks))
    right.plot(layers, 1 - apart[layers], color=colour("relu"))
    right.plot(layers, networks, "o", color=colour("relu"), ms=4, clip_on=False)
    right.set_xlabel("layer")
    right.set_ylabel("correlation")
    right.set_xlim(0, layers[-1])
    right.set_ylim(0, 1)
    words = "line: the map, iterated\ndots: networks of 1,000 units"
    right.annotate(words, (0.97, 0.05), xycoords="axes fraction", ha="right", fontsize=SMALL)
    return {
        **{_after(layers): 1 - apart[layers] for layers in KERNEL},
        HALF: float(step(0.5)),
        **{_drawn(layers): networks[layers] for layers in MEASURED},
        **{_ratio(layer): apart[layer] / (4.5 * (math.pi / layer) ** 2) for layer in ASYMPTOTE},
        KEPT: float(np.mean(measured.variance[:, -1] / measured.variance[:, 0])),
    }


def _after(layers: int) -> str:
    return f"correlation after {layers} layer{'s' if layers > 1 else ''}, from 0"


def _drawn(layers: int) -> str:
    return f"networks: after {layers} layer{'s' if layers > 1 else ''}"


def _ratio(layer: int) -> str:
    return f"(1 - c) / (9 pi^2/(2 l^2)), l = {layer}"


RELU_CORRELATIONS = Reproduction(
    name="relu_correlations",
    title="Layer by layer, ReLU makes all inputs alike",
    sources=(
        Source(
            "Cho & Saul",
            2009,
            "Kernel methods for deep learning",
            "https://papers.nips.cc/paper/3628-kernel-methods-for-deep-learning",
        ),
        HAYOU,
    ),
    shown="Two uncorrelated inputs have the correlation 1/pi after one random ReLU layer and 0.87 "
    "after ten. With He's weights each layer maps the correlation by the arc-cosine kernel, "
    "c' = (sqrt(1 - c^2) + c (pi - arccos c)) / pi, whose only fixed point is 1. Its slope there "
    "is 1, so 1 - c does not decay exponentially with the layer l, but as 44/l^2.",
    command="python -m runner.propagate experiment=relu_correlations",
    expected=(
        *(
            exact(_after(n), c, "arc-cosine kernel, iterated", within=1e-6)
            for n, c in KERNEL.items()
        ),
        exact(HALF, 0.608997781, "arc-cosine kernel", within=1e-6),
        *(exact(_drawn(n), KERNEL[n], "arc-cosine kernel", within=0.01) for n in MEASURED),
        *(
            exact(_ratio(n), share, "arc-cosine kernel", within=5e-4)
            for n, share in ASYMPTOTE.items()
        ),
        exact(KEPT, 1.0, "He's weights; 3 standard errors of 10 networks", percent=22),
    ),
    measure=_relu,
    seconds=5,
)


SMOOTH = {0.04: (7.0837, 7.141012), 0.05: (6.1711, 6.219303)}
"""For tanh at the edge of chaos, by Var b: beta, and l (1 - c) at l = 2000, starting at c = 0."""
FIFTY = {"relu": 0.012138055, "tanh": 0.12811881}
"""1 - c after 50 layers, starting at c = 0; the biases of tanh have variance 0.05."""


def _smooth(runs: Path, picture: Picture) -> dict[str, float]:
    values, curves = {}, {}
    for variance in SMOOTH:
        bias = math.sqrt(variance)
        point = edge_of_chaos(get("tanh"), bias)[0]
        step = CorrelationMap(get("tanh"), point.q, point.weight_std, bias)
        curves["tanh"] = _iterated(step, 2000)
        values[_beta(variance)] = decorrelation(get("tanh"), point.q)
        values[_product(variance)] = 2000 * curves["tanh"][-1]
    curves["relu"] = _iterated(CorrelationMap(get("relu"), 1.0, math.sqrt(2)), 300)
    values.update({f"{name}: 1 - c after 50 layers": curves[name][50] for name in FIFTY})
    (axes,) = panels(picture, beside=0.8)
    ends = []
    for name, curve in curves.items():
        shown = curve[:301]
        axes.plot(np.arange(1, 301), shown[1:], color=colour(name))
        ends.append((300, float(shown[-1]), name, colour(name)))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(1, 300)
    axes.set_ylim(3e-4, 1)
    log_ticks(axes.xaxis, 1, 300)
    log_ticks(axes.yaxis, 3e-4, 1)
    axes.set_xlabel("layer l")
    axes.set_ylabel("1 - correlation")
    layers = np.array([20.0, 300.0])
    for line, words in ((7.0837 / layers, "as 1/l"), (4.5 * (np.pi / layers) ** 2, "as 1/l^2")):
        axes.plot(layers, line, color=GREY, linewidth=0.8, linestyle=(0, (5, 3)))
        at = (70.0, float(np.exp(np.interp(np.log(70), np.log(layers), np.log(line)))))
        axes.annotate(words, at, (3, 3), textcoords="offset points", color=GREY, fontsize=SMALL)
    end_labels(axes, ends)
    return values


def _beta(variance: float) -> str:
    return f"tanh, biases of variance {variance:g}: beta"


def _product(variance: float) -> str:
    return f"tanh, biases of variance {variance:g}: l (1 - c), l = 2000"


SMOOTH_CORRELATIONS = Reproduction(
    name="smooth_correlations",
    title="Smooth functions keep inputs different for longer than ReLU",
    sources=(HAYOU,),
    shown="At the edge of chaos, the correlation c of two inputs approaches 1 for every function, "
    "but 1 - c falls as beta/l for tanh and as 1/l^2 for ReLU. For a smooth function, the "
    "correlation map touches the diagonal at c = 1 like a parabola, and beta = 2 E f'^2 / "
    "(q E f''^2). The kink of ReLU adds a larger term, in (1 - c)^(3/2). After 50 layers, 1 - c is "
    "0.13 for tanh and 0.012 for ReLU: a deep tanh network still distinguishes inputs.",
    command="python -m runner.propagate experiment=smooth_correlations",
    expected=(
        *(
            exact(_beta(v), beta, "2 E f'^2 / (q E f''^2)", percent=0.01)
            for v, (beta, _) in SMOOTH.items()
        ),
        *(
            exact(_product(v), end, "the map, iterated from 0", percent=1e-4)
            for v, (_, end) in SMOOTH.items()
        ),
        *(
            exact(f"{name}: 1 - c after 50 layers", c, "the map, iterated from 0", percent=1e-4)
            for name, c in FIFTY.items()
        ),
    ),
    measure=_smooth,
    seconds=5,
)
