"""Stanford's case study: a linear classifier and a small network on three spiral arms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from runner.plots.colours import class_colours
from runner.plots.style import SMALL, Picture
from runner.reproduce.experiments import trained
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, between, published, recomputed

if TYPE_CHECKING:
    from runner.notebook import Result

LINEAR = ("model.hidden=[]", "training.epochs=200", "training.record_every=10")
ONE_DRAW = "one draw of the data; ours: mean of 10"
RANGE = "range of other seeds"
WIDENED = "8 other seeds: {}, with a margin"


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    linear = trained(runs, "cs231n_spiral", *LINEAR)
    network = trained(runs, "cs231n_spiral")
    losses = {
        "linear": _by_epoch(linear, "train_loss"),
        "ReLU": _by_epoch(network, "train_loss"),
    }
    accuracy = {
        "linear": _by_epoch(linear, "train_accuracy")[200],
        "ReLU": _by_epoch(network, "train_accuracy")[9000],
    }
    for axes, (name, run) in zip(
        panels(picture, 2, beside=0.05), (("linear", linear), ("ReLU", network)), strict=True
    ):
        _field(axes, run)
        words = "linear classifier" if name == "linear" else "100 ReLU units"
        axes.set_title(f"{words}: {accuracy[name]:.0%}", fontsize=SMALL + 1, loc="left")
    return {
        "linear: loss at the start": losses["linear"][0],
        "linear: loss after 190 steps": losses["linear"][190],
        "linear: loss after 190 steps, band": losses["linear"][190],
        "linear: accuracy": accuracy["linear"],
        "linear: accuracy, band": accuracy["linear"],
        "ReLU: loss at the start": losses["ReLU"][0],
        "ReLU: loss after 1000 steps": losses["ReLU"][1000],
        "ReLU: loss after 1000 steps, band": losses["ReLU"][1000],
        "ReLU: loss after 9000 steps": losses["ReLU"][9000],
        "ReLU: loss after 9000 steps, band": losses["ReLU"][9000],
        "ReLU: accuracy": accuracy["ReLU"],
        "ReLU: accuracy, band": accuracy["ReLU"],
    }


def _by_epoch(run: Result, column: str) -> dict[int, float]:
    """Return the mean over the replicates by epoch."""
    history = run.history
    means = history[column].mean(axis=0).tolist()
    return dict(zip(history["epoch"][0].astype(int).tolist(), means, strict=True))


def _field(axes: Axes, run: Result) -> None:
    """Draw the class that the first replicate predicts at each point, and its training data."""
    span = np.linspace(-1.25, 1.25, 301)
    grid = np.stack(np.meshgrid(span, span), axis=-1)
    predicted = run.predict(grid.reshape(-1, 2), replicate=0).reshape(301, 301)
    colours = class_colours(3)
    shades = 1 - 0.35 * (1 - colours[predicted])
    axes.imshow(shades, extent=(-1.25, 1.25, -1.25, 1.25), origin="lower",
                interpolation="nearest", aspect="equal")  # fmt: skip
    data = run.data()
    x, labels = data.train_x[0], data.train_labels[0]
    axes.scatter(x[:, 0], x[:, 1], c=colours[labels], s=9, edgecolors="white", linewidths=0.3)
    axes.set_xticks([-1, 0, 1])
    axes.set_yticks([-1, 0, 1])


CS231N_SPIRAL = Reproduction(
    name="cs231n_spiral",
    title="One hidden layer solves what no linear classifier can",
    sources=(
        Source(
            "Karpathy",
            2015,
            "CS231n notes, Minimal neural network case study",
            "https://cs231n.github.io/neural-networks-case-study/",
        ),
    ),
    shown="Straight lines cannot separate three spiral arms: a linear classifier gets about half "
    "of the points right, however long it trains. 100 ReLU units fold the plane along 100 lines, "
    "and on the folded plane straight lines suffice: 98% are right. The loss does not go to 0, "
    "because a large part of its 0.25 is the penalty on the weights. The course's numbers come "
    "from one draw of the data.",
    command="python -m runner experiment=cs231n_spiral",
    expected=(
        published("ReLU: loss after 9000 steps", 0.245292, ONE_DRAW, within=0.01),
        published("ReLU: loss after 1000 steps", 0.294946, ONE_DRAW, within=0.04),
        published("ReLU: loss at the start", 1.098744, ONE_DRAW, within=0.005),
        published("ReLU: accuracy", 0.98, ONE_DRAW, within=0.015),
        published("linear: loss at the start", 1.096956, ONE_DRAW, within=0.005),
        published("linear: loss after 190 steps", 0.786302, ONE_DRAW, within=0.065),
        published("linear: accuracy", 0.49, ONE_DRAW, within=0.075),
        recomputed("linear: loss after 190 steps, band", 0.757, "mean of 200 seeds", within=0.02),
        between("linear: accuracy, band", 0.473, 0.563, "recomputed", RANGE + ", 200"),
        between("ReLU: loss after 1000 steps, band", 0.283, 0.336, "recomputed", RANGE + ", 8"),
        between(
            "ReLU: loss after 9000 steps, band",
            0.235,
            0.255,
            "recomputed",
            WIDENED.format("0.2388 to 0.2466"),
        ),
        between("ReLU: accuracy, band", 0.97, 1.0, "recomputed", WIDENED.format("0.983 to 0.990")),
    ),
    measure=_measure,
    seconds=18,
    height=4.9,
)
