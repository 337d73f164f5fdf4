"""Networks in which the variance converges to a fixed point: SELU and the sine."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from activations import get
from activations.moments import moments
from runner.plots.axes import end_labels, round_ticks
from runner.plots.colours import GREY, layer_colours
from runner.plots.style import SMALL, Picture
from runner.reproduce.experiments import drawn
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, exact
from runner.theory.mean_field import limit

STARTS = {1.5: ((0.04498, 1.37153), (0.03339, 1.27936), (0.00034, 1.00295)),
          3.0: ((0.17500, 2.34906), None, (0.00089, 1.00783))}  # fmt: skip
"""By the variance of the input: the mean and variance after 1, 2 and 20 layers."""
AFTER = (1, 2, 20)
LAMBDA, ALPHA = 1.0507009873554804934, 1.6732632423543772848
LOWEST, RANGE = "left asymptote, -lambda alpha", -1.758099340847377
DEPTH = 20


def _selu_map(variance: float) -> tuple[float, float]:
    """Return mean and variance of selu(z), z ~ N(0, variance)."""
    found = moments(get("selu"), variance)
    return found.mean, found.deviation**2


def _selu(runs: Path, picture: Picture) -> dict[str, float]:
    mean, variance = _selu_map(1.0)
    step = 1e-4
    slopes = (np.subtract(_selu_map(1 + step), _selu_map(1 - step)) / (2 * step)).tolist()
    values = {
        "mean at the fixed point": mean,
        "variance at the fixed point": variance,
        "d mean / d variance": slopes[0],
        "d variance / d variance": slopes[1],
        "spectral norm of the Jacobian": math.hypot(*slopes),
        LOWEST: float(get("selu")(-1e3)),
    }
    left, right = panels(picture, 2, beside=0.1)
    for start, shade in zip(STARTS, layer_colours(len(STARTS)), strict=True):
        sequence = [(0.0, start)]
        for _ in range(DEPTH):
            sequence.append(_selu_map(sequence[-1][1]))
        networks = drawn("selu_fixed_point", f"variance={start}")
        means = networks.output_mean.mean(axis=0)
        squares = networks.output_second_moment.mean(axis=0)
        spread = squares - means**2
        for layers, pair in zip(AFTER, STARTS[start], strict=True):
            if pair is not None:
                mean, variance = sequence[layers]
                values[_name("mean", start, layers)] = mean
                values[_name("variance", start, layers)] = variance
                values[_name("networks' variance", start, layers)] = spread[layers - 1]
        layers_drawn = np.arange(1, DEPTH + 1)
        for axes, line, dots in ((left, 0, means), (right, 1, spread)):
            axes.plot(range(DEPTH + 1), [pair[line] for pair in sequence], color=shade)
            axes.plot(layers_drawn, dots, "o", color=shade, ms=3.5, clip_on=False)
    for axes, words, at in ((left, "mean", 0), (right, "variance", 1)):
        axes.axhline(at, color=GREY, linewidth=0.8, zorder=0)
        axes.set_xlim(0, DEPTH)
        axes.set_xlabel("layer")
        axes.set_ylabel(f"{words} of the outputs")
        round_ticks(axes.xaxis, 5, integer=True)
    right.set_ylim(0.9, 3.1)
    words = "lines: the map, iterated\ndots: networks of 1,000 units"
    right.annotate(words, (0.97, 0.95), xycoords="axes fraction", ha="right", va="top",
                   fontsize=SMALL)  # fmt: skip
    return values


def _name(what: str, start: float, layers: int) -> str:
    return f"{what} from {start:g} after {layers} layer{'s' if layers > 1 else ''}"


KLAMBAUER = Source(
    "Klambauer et al.",
    2017,
    "Self-normalizing neural networks",
    "https://arxiv.org/abs/1706.02515",
)

SELU_FIXED_POINT = Reproduction(
    name="selu_fixed_point",
    title="SELU brings every layer back to mean 0 and variance 1",
    sources=(KLAMBAUER,),
    shown="If the weights have variance 1/fan_in and the input is normal with mean 0 and variance "
    "1, the outputs of a SELU layer have mean 0 and variance 1: the constants lambda and alpha are "
    "the solution of these two equations. At this fixed point the map of mean and variance has a "
    "Jacobian of norm 0.79, so each layer reduces a deviation by at least a fifth. Networks of "
    "1,000 units follow the map within 3%.",
    command="python -m runner.propagate experiment=selu_fixed_point",
    expected=(
        exact("spectral norm of the Jacobian", 0.78767336, "integrals of SELU", within=1e-6),
        exact("d mean / d variance", 0.08883476, "integrals of SELU", within=1e-6),
        exact("d variance / d variance", 0.78264788, "integrals of SELU", within=1e-6),
        exact("mean at the fixed point", 0.0, "definition of lambda and alpha", within=1e-12),
        exact("variance at the fixed point", 1.0, "definition of lambda and alpha", within=1e-12),
        exact(LOWEST, RANGE, "lambda and alpha to 32 digits", within=1e-14),
        *(
            exact(_name(what, start, layers), value, "the map, iterated", within=1e-5)
            for start, pairs in STARTS.items()
            for layers, pair in zip(AFTER, pairs, strict=True)
            if pair is not None
            for what, value in zip(("mean", "variance"), pair, strict=True)
        ),
        *(
            exact(_name("networks' variance", start, layers), pair[1], "the map", percent=3)
            for start, pairs in STARTS.items()
            for layers, pair in zip(AFTER, pairs, strict=True)
            if pair is not None
        ),
    ),
    measure=_selu,
    seconds=12,
)


FIXED, SPREAD = "variance at the fixed point", "standard deviation at the fixed point"

SETTLED = 8
"""The first layer of those over which the networks' deviations are averaged."""


def _sine(runs: Path, picture: Picture) -> dict[str, float]:
    sine = get("sin")
    variance = limit(sine, 1.0, math.sqrt(2))
    (axes,) = panels(picture, beside=0.9)
    starts = (0.1, 1.0, 10.0)
    ends = []
    last = {}
    for start, shade in zip(starts, layer_colours(len(starts)), strict=True):
        deviations = np.sqrt(drawn("sine_network", f"variance={start}").variance)
        for row in deviations:
            axes.plot(np.arange(1, len(row) + 1), row, color=shade, linewidth=1)
        last[start] = float(deviations[:, SETTLED - 1 :].mean())
        ends.append((deviations.shape[1], float(row[-1]), f"from {start:g}", shade))
    axes.axhline(math.sqrt(variance), color=GREY, linewidth=0.8, zorder=0)
    axes.set_xlim(1, deviations.shape[1])
    axes.set_ylim(0, 1.5)
    axes.set_xlabel("layer")
    axes.set_ylabel("standard deviation of z")
    round_ticks(axes.xaxis, 12, integer=True)
    words = "one line per network of 1,000 units; grey: fixed point"
    axes.annotate(words, (0.97, 0.04), xycoords="axes fraction", ha="right", fontsize=SMALL)
    end_labels(axes, ends)
    return {
        FIXED: variance,
        SPREAD: math.sqrt(variance),
        **{_layers(start): value for start, value in last.items()},
    }


def _layers(start: float) -> str:
    return f"networks' standard deviation from layer {SETTLED} on, inputs of variance {start:g}"


SINE_NETWORK = Reproduction(
    name="sine_network",
    title="SIREN's pre-activations converge to a standard deviation of 0.89",
    sources=(
        Source(
            "Sitzmann et al.",
            2020,
            "Implicit neural representations with periodic activation functions",
            "https://arxiv.org/abs/2006.09661",
        ),
    ),
    shown="SIREN draws weights from U(-sqrt(6/n), sqrt(6/n)), so that its pre-activations have "
    "about the same variance in every layer. The sine of a normal z with variance v has the mean "
    "square (1 - e^(-2v))/2, and the weights have variance 2/n; the next layer therefore has "
    "v' = 1 - e^(-2v). This converges to v = 0.797 for any input. The paper gives 1, because it "
    "takes the sines to have an arcsine distribution.",
    command="python -m runner.propagate experiment=sine_network",
    expected=(
        exact(SPREAD, 0.892643, "v = 1 - e^(-2v)", within=1e-6),
        exact(FIXED, 0.796812, "v = 1 - e^(-2v)", within=1e-6),
        *(exact(_layers(v), 0.892643, "v = 1 - e^(-2v)", percent=1.5) for v in (0.1, 1.0, 10.0)),
    ),
    measure=_sine,
    seconds=8,
)
