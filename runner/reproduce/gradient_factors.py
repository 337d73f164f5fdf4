"""The factor by which a layer multiplies the gradient that goes back through it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from activations import get
from activations.base import Array
from runner.plots.axes import end_labels, log_ticks, round_ticks
from runner.plots.colours import distinct_styles
from runner.plots.style import SMALL, Picture
from runner.reproduce.edge_of_chaos import SCHOENHOLZ
from runner.reproduce.experiments import drawn
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, exact
from runner.theory.mean_field import chi, limit


class Start(NamedTuple):
    """An activation with initial weights, and the gradient factor that follows.

    ``weights`` is Var W fan_in, ``biases`` is Var b, ``q`` is the fixed point of the variance of
    the pre-activations, and ``factor`` is sqrt(chi) at q.
    """

    activation: str
    weights: float
    biases: float
    q: float
    factor: float

    @property
    def words(self) -> str:
        return f"{self.activation}, weights {self.weights:.3g}, biases {self.biases:g}"


MEASURED = (
    Start("sigmoid", 1, 0, 0.264687, 0.23605),
    Start("sigmoid", 2, 0, 0.555290, 0.31777),
    Start("sigmoid", 1, 1, 1.302134, 0.20484),
    Start("relu", 2, 0, 2.0, 1.0),
    Start("relu", 1, 0, 1.0, math.sqrt(0.5)),
    Start("tanh", 2, 0, 0.617965, 1.05144),
    Start("tanh", 1, 0.05, 0.19359, 0.87122),
    Start("tanh", 4, 0.05, 2.19549, 1.15862),
    Start("selu", 1, 0, 1.0, 1.03517),
)
PREDICTED = (
    Start("sigmoid", 1 / 3, 0, 0.085034, 0.14145),
    Start("softplus", 1, 0, 0.856305, 0.53733),
)
TEN, FIFTY = (f"{count} sigmoid layers with Glorot's weights" for count in ("ten", "fifty"))


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    values: dict[str, float] = {}
    curves: dict[Start, Array] = {}
    for start in (*MEASURED, *PREDICTED):
        activation, weight = get(start.activation), math.sqrt(start.weights)
        q = limit(activation, start.q, weight, math.sqrt(start.biases))
        if start.activation != "relu":  # for ReLU, chi is the same for all q
            values[_q(start)] = q
        values[_predicted(start)] = math.sqrt(chi(activation, start.q, weight))
    for start in MEASURED:
        networks = drawn(
            "gradient_factors",
            f"activation={start.activation}",
            f"initializer.gain={math.sqrt(start.weights)}",
            f"initializer.bias_std={math.sqrt(start.biases)}",
            f"variance={(start.q - start.biases) / start.weights}",  # gives q in the first layer
        )
        logs = networks.log_gradient()
        values[_measured(start)] = math.exp(logs[:, 0].mean() / (logs.shape[1] - 1))
        curves[start] = np.exp(logs.mean(axis=0))
    glorot = values[_predicted(MEASURED[0])]
    values[TEN], values[FIFTY] = glorot**10, glorot**50
    _draw(picture, curves)
    return values


def _draw(picture: Picture, curves: dict[Start, Array]) -> None:
    (axes,) = panels(picture, beside=2.1)
    axes.set_yscale("log")
    axes.set_ylim(1e-8, 20)
    log_ticks(axes.yaxis, 1e-8, 20)
    depth = len(next(iter(curves.values())))
    axes.set_xlim(depth, 1)
    ends = []
    looks = distinct_styles(start.activation for start in curves)
    for start, curve in curves.items():
        back = np.arange(depth)
        layers = depth - back
        shade = looks[start.activation]["color"]
        axes.plot(layers, start.factor**back, color=shade, linewidth=1)
        axes.plot(layers, curve[::-1], "o", color=shade, ms=3.5, clip_on=False)
        ends.append((1, float(start.factor ** (depth - 1)), start.words, shade))
    end_labels(axes, ends)
    axes.set_xlabel("layer")
    axes.set_ylabel("gradient, relative to the last layer's")
    round_ticks(axes.xaxis, 8, integer=True)
    words = "line: sqrt(chi) per layer\ndots: 20 networks of 500 units"
    axes.annotate(words, (0.03, 0.04), xycoords="axes fraction", fontsize=SMALL)


def _q(start: Start) -> str:
    return f"{start.words}: q"


def _predicted(start: Start) -> str:
    return f"{start.words}: sqrt(chi)"


def _measured(start: Start) -> str:
    return f"{start.words}: measured"


GRADIENT_FACTORS = Reproduction(
    name="gradient_factors",
    title="Theory predicts how each layer changes the gradient",
    sources=(SCHOENHOLZ,),
    shown="Each layer of a wide random network multiplies the root mean square of the gradient "
    "going back by sqrt(chi), chi = s^2 E f'(z)^2, for any data. s^2 / fan_in is the variance of "
    "the weights, and z has the variance q of the fixed point. Ten sigmoid layers with Glorot's "
    "weights leave 5e-7 of a gradient; He's weights for ReLU and LeCun's for SELU preserve it.",
    command="python -m runner.propagate experiment=gradient_factors",
    expected=(
        *(
            exact(_measured(one), one.factor, "sqrt(chi), quadrature", percent=1.5)
            for one in MEASURED
        ),
        *(
            exact(_predicted(one), one.factor, "quadrature", within=1e-5)
            for one in (*MEASURED, *PREDICTED)
        ),
        *(
            exact(_q(one), one.q, "fixed point of the variance map", within=1e-5)
            for one in (*MEASURED, *PREDICTED)
            if one.activation != "relu"
        ),
        exact(TEN, 5.4e-7, "0.23605^10", percent=1),
        exact(FIFTY, 4.5e-32, "0.23605^50", percent=1),
    ),
    measure=_measure,
    seconds=20,
)
