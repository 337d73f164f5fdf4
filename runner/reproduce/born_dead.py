"""Networks that are dead before training."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from activations.base import Array
from runner.plots.axes import draw_band, end_labels, percent, round_ticks
from runner.plots.colours import layer_colours
from runner.plots.style import SMALL, Picture
from runner.reproduce.experiments import drawn, trained
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, between, exact, recomputed
from runner.theory.born_dead import least_share_of_interval, share_of_one_input

REPLICATES, DEPTH = 4000, 9
WIDTHS = (2, 3, 4, 5)
ONE_INPUT = {(2, 2): 0.4375, (2, 9): 0.924915, (3, 9): 0.699342, (4, 9): 0.440575, (5, 9): 0.248541}
"""By width and number of layers, the share of networks that are dead for a given input."""
TWO_LAYERS, NINE_LAYERS = "dead, 2 layers of 2 units", "dead, 9 layers of 2 units"


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    layers = np.arange(1, DEPTH + 1)
    share = {}
    for width in WIDTHS:
        run = trained(runs, "born_dead", f"model.hidden=[{','.join(DEPTH * [str(width)])}]")
        dead = np.array([run.history[f"layer{layer}_dead"][:, 0] == 1 for layer in layers])
        share[width] = np.logical_or.accumulate(dead, axis=0).mean(axis=1)  # by number of layers
    _draw(picture, layers, share)
    values = {TWO_LAYERS: share[2][1], NINE_LAYERS: share[2][-1]}
    for width, depth in ONE_INPUT:
        words = f"width={width}", f"depth={depth}"
        values[_of_one(width, depth)] = drawn("one_input", *words).dead_nets.mean()
    return values | {_bounded(width): share[width][-1] for width in WIDTHS}


def _draw(picture: Picture, layers: Array, share: dict[int, Array]) -> None:
    (axes,) = panels(picture, beside=0.8)
    ends = []
    for width, shade in zip(WIDTHS, layer_colours(len(WIDTHS)), strict=True):
        least, most = np.array([_bounds(width, depth) for depth in layers.tolist()]).T
        draw_band(axes, layers, least, most, shade)
        axes.plot(layers, share[width], "o", color=shade, ms=5, mew=0, clip_on=False, zorder=3)
        ends.append((DEPTH, float(share[width][-1]), f"{width} units", shade))
    axes.set_ylim(0, 1)
    axes.set_xlim(1, DEPTH)
    percent(axes.yaxis)
    round_ticks(axes.xaxis, 9, integer=True)
    axes.set_xlabel("hidden layers")
    axes.set_ylabel(f"dead networks (of {REPLICATES})")
    end_labels(axes, ends)
    words = "dots: measured\nbands: between the paper's bounds"
    axes.annotate(words, (0.02, 0.98), xycoords="axes fraction", va="top", fontsize=SMALL)


def _of_one(width: int, depth: int) -> str:
    return f"dead for one input, {depth} layers of {width} units"


def _bounds(width: int, depth: int) -> tuple[float, float]:
    """Return the paper's bounds for one-dimensional inputs of both signs.

    The upper bound is the value for a single input.
    """
    return least_share_of_interval(width, depth), share_of_one_input([width] * depth)


def _bounded(width: int) -> str:
    return f"dead, {DEPTH} layers of {width} units, bounds"


def _three_errors(share: float) -> float:
    return round(3 * math.sqrt(share * (1 - share) / REPLICATES), 4)


BORN_DEAD = Reproduction(
    name="born_dead",
    title="Narrow and deep ReLU networks are born dead",
    sources=(
        Source(
            "Lu et al.",
            2020,
            "Dying ReLU and initialization: theory and numerical examples",
            "https://arxiv.org/abs/1903.06733",
        ),
    ),
    shown="If all units of a hidden layer output 0 for every sample, the network is a constant "
    "function, and no gradient can change it. A unit with random weights and no bias outputs 0 for "
    "a given input with probability 1/2. All N units of a layer do so with probability 2^-N, and "
    "each further layer adds to the risk. Of networks with nine layers of two units, 88% are dead "
    "before training; with five units per layer, one in eight.",
    command="python -m runner experiment=born_dead",
    expected=(
        recomputed(NINE_LAYERS, 0.8797, "another simulation", within=_three_errors(0.8797)),
        exact(TWO_LAYERS, 5 / 32, "1/8 + 1/32, counting signs", within=_three_errors(5 / 32)),
        *(
            exact(_of_one(*net), share, "1 - (1 - 2^-N)^layers", within=_three_errors(share))
            for net, share in ONE_INPUT.items()
        ),
        *(
            between(
                _bounded(width),
                *_bounds(width, DEPTH),
                "exact",
                "between the paper's bounds",
            )
            for width in WIDTHS
        ),
    ),
    measure=_measure,
    seconds=20,
)
