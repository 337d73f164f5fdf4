"""How deep information propagates in a tanh network."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from activations import get
from runner.plots.axes import log_ticks
from runner.plots.colours import GREY, INK, PALETTE
from runner.plots.style import SMALL, Picture
from runner.reproduce.edge_of_chaos import SCHOENHOLZ
from runner.reproduce.experiments import drawn
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, exact
from runner.theory.mean_field import CorrelationMap, depth_scale, limit, variance_slope

BIASES = math.sqrt(0.05)
SCALES = {1.0: 3.627, 1.3: 7.834, 1.5: 15.79, 1.7: 74.92, 1.8: 125.8, 2.0: 25.21, 2.5: 11.80,
          3.0: 9.05, 4.0: 6.98}  # fmt: skip
"""xi_c in layers, by the variance of the weights times fan_in."""
OF_Q = {1.0: 1.748, 1.3: 1.785, 1.5: 1.683}
CORRELATIONS = {2.0: 0.744, 2.5: 0.447, 3.0: 0.299, 4.0: 0.165}
"""The correlation to which chaotic networks converge, by the variance of the weights."""
DRAWN = (1.0, 1.3)
FIRST, LAST = 10, 30
"""The first and the last layer of the fit of the networks' correlations."""


def _scale(square: float) -> tuple[float, float, float]:
    """Return xi_c, xi_q and the fixed point of the correlation; ``square`` is weight_std^2."""
    tanh, weights = get("tanh"), math.sqrt(square)
    q = limit(tanh, 1.0, weights, BIASES)
    step = CorrelationMap(tanh, q, weights, BIASES)
    c = step.fixed_point()
    return depth_scale(float(step.slope(c))), depth_scale(variance_slope(tanh, q, weights)), c


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    found = {square: _scale(square) for square in (*SCALES, 1.76)}
    values = {_xi(square): found[square][0] for square in SCALES}
    values |= {_xi_q(square): found[square][1] for square in OF_Q}
    values |= {_end(square): found[square][2] for square in CORRELATIONS}
    left, right = panels(picture, 2, beside=0.1)
    squares = np.concatenate([np.linspace(1, 1.74, 38), [1.76], np.linspace(1.78, 4, 38)])
    left.plot(squares, [_scale(one)[0] for one in squares.tolist()], color=PALETTE[0])
    left.plot(list(SCALES), [values[_xi(one)] for one in SCALES], "o", color=PALETTE[0], ms=4)
    left.axvline(1.76095, color=GREY, linewidth=0.8)
    left.set_yscale("log")
    left.set_ylim(2, 1000)
    log_ticks(left.yaxis, 2, 1000)
    left.set_xlim(1, 4)
    left.set_xlabel("variance of weights times fan_in")
    left.set_ylabel("depth scale $\\xi_c$ (layers)")
    for square, shade in zip(DRAWN, (PALETTE[0], PALETTE[1]), strict=True):
        networks = drawn("depth_scales_tanh", f"initializer.gain={math.sqrt(square)}")
        apart = 1 - networks.correlation.mean(axis=0)
        layers = np.arange(len(apart))
        slope = np.polyfit(layers[FIRST : LAST + 1], np.log(apart[FIRST : LAST + 1]), 1)[0]
        values[_drawn(square)] = -1 / float(slope)
        right.plot(layers, apart, "o", color=shade, ms=3)
        start = apart[FIRST] * np.exp((FIRST - layers) / found[square][0])
        right.plot(layers[FIRST:], start[FIRST:], color=shade)
        right.annotate(f"weights {square:g}", (20, apart[20]), (8, 4), color=shade,
                       textcoords="offset points", fontsize=SMALL)  # fmt: skip
    right.set_yscale("log")
    right.set_ylim(1e-5, 1.5)
    log_ticks(right.yaxis, 1e-5, 1.5)
    right.set_xlim(0, LAST)
    right.set_xlabel("layer")
    right.set_ylabel("1 - correlation")
    words = "dots: networks of 1,000 units\nlines: e^(-l / xi_c)"
    right.annotate(words, (0.03, 0.04), xycoords="axes fraction", fontsize=SMALL, color=INK)
    return values


def _xi(square: float) -> str:
    return f"xi_c, weights {square:g}"


def _xi_q(square: float) -> str:
    return f"xi_q, weights {square:g}"


def _end(square: float) -> str:
    return f"limit of the correlation, weights {square:g}"


def _drawn(square: float) -> str:
    return f"networks' xi_c, weights {square:g}"


DEPTH_SCALES = Reproduction(
    name="depth_scales_tanh",
    title="The depth scale predicts how deep information propagates",
    sources=(SCHOENHOLZ,),
    shown="From layer to layer, the correlation of two inputs approaches its fixed point as "
    "e^(-l / xi_c). At the fixed point the network no longer distinguishes the inputs. With s the "
    "slope of the correlation map there, xi_c is -1/ln(s); it is infinite at the edge of chaos, "
    "where s is 1. Random networks lose their inputs at this rate. Networks are trainable up to a "
    "depth of about 6 xi_c.",
    command="python -m runner.propagate experiment=depth_scales_tanh",
    expected=(
        *(
            exact(_drawn(square), SCALES[square], "xi_c; fit of layers 10 to 30", percent=10)
            for square in DRAWN
        ),
        *(exact(_xi(square), xi, "quadrature", percent=0.05) for square, xi in SCALES.items()),
        *(exact(_xi_q(square), xi, "quadrature", percent=0.05) for square, xi in OF_Q.items()),
        *(exact(_end(square), c, "quadrature", within=1e-3) for square, c in CORRELATIONS.items()),
    ),
    measure=_measure,
    seconds=15,
)
