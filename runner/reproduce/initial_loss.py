"""The loss before training."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from runner.plots.axes import round_ticks
from runner.plots.colours import GREY, PALETTE
from runner.plots.style import SMALL, Picture
from runner.reproduce.experiments import trained
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, exact, published

CLASSES = (2, 3, 10)


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    values, dots = {}, {}
    for initializer, weights in (("constant", "zero"), ("normal", "0.01")):
        for classes in CLASSES:
            words = f"dataset.classes={classes}", f"initializer={initializer}"
            run = trained(runs, "initial_loss", "dataset=blobs", *words)
            losses = run.history["train_loss"][:, 0]
            values[f"{classes} classes, {weights} weights"] = float(
                losses[np.abs(losses - math.log(classes)).argmax()]
            )
            dots[initializer, classes] = losses
    values["10 classes, zero weights, as printed"] = values["10 classes, zero weights"]
    (axes,) = panels(picture)
    grid = np.linspace(1.5, 11, 100)
    axes.plot(grid, np.log(grid), color=GREY, linewidth=1, zorder=1)
    axes.annotate("ln C", (10.6, math.log(10.6)), (0, -14), textcoords="offset points", color=GREY)
    marks = (("constant", "o", PALETTE[0], -0.12), ("normal", "s", PALETTE[1], 0.12))
    for initializer, marker, shade, shift in marks:
        label = "all weights zero" if initializer == "constant" else "weights of 0.01, each seed"
        for classes in CLASSES:
            losses = dots[initializer, classes]
            x = np.full(len(losses), classes + shift)
            axes.plot(x, losses, marker, color=shade, ms=5, mew=0, alpha=0.8, label=label)
            label = ""
    axes.legend(frameon=False, loc="lower right", fontsize=SMALL)
    axes.set_xlabel("classes C")
    axes.set_ylabel("cross-entropy before training (nats)")
    axes.set_xlim(1.5, 11)
    round_ticks(axes.yaxis, 6)
    return values


INITIAL_LOSS = Reproduction(
    name="initial_loss",
    title="Before training the loss is ln C for C classes",
    sources=(
        Source(
            "Karpathy",
            2015,
            "CS231n notes, Learning and evaluation, sanity checks",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    shown="A network whose weights are zero gives each of C classes the probability 1/C, so its "
    "cross-entropy is -ln(1/C) = ln C. Weights with standard deviation 0.01 change it by at most "
    "0.01. If the first loss is far above ln C, the network is confidently wrong before it has "
    "learned anything, and the first epochs only undo that.",
    command="python -m runner experiment=initial_loss",
    expected=(
        published("10 classes, zero weights, as printed", 2.302, "ten classes", within=1e-3),
        *(
            exact(f"{classes} classes, zero weights", math.log(classes), "ln C", within=1e-6)
            for classes in CLASSES
        ),
        *(
            exact(f"{classes} classes, 0.01 weights", math.log(classes), "ln C", within=0.01)
            for classes in CLASSES
        ),
    ),
    measure=_measure,
)
