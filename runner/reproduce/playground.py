"""Which data sets the default network of the TensorFlow Playground solves, and when."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from runner.plots.colours import PALETTE, rgb
from runner.plots.style import SMALL, Picture
from runner.reproduce.experiments import trained
from runner.reproduce.reproduction import Reproduction, Source, between, recomputed

DATA = ("circle", "xor", "gauss", "spiral")
SOLVED = {"circle": 1.0, "xor": 0.95, "gauss": 1.0, "spiral": 0.0}
"""Share of 100 networks of another program that solve the data set."""
EPOCHS = {"circle": (43.3, 35), "xor": (38.5, 45), "gauss": (1.06, 15)}
"""Geometric mean of the epochs of those networks; 3 standard errors of 20 networks, in percent."""
PORT = "an independent program, 100 networks"


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    values: dict[str, float] = {}
    ends = np.array([rgb(PALETTE[1], 0.5), rgb(PALETTE[1], 0), rgb(PALETTE[0], 0.5)])
    colours = LinearSegmentedColormap.from_list("playground", ends)
    side = (picture.right - picture.left - 3 * 0.15) / 4
    for column, name in enumerate(DATA):
        run = trained(runs, "playground", f"dataset=playground_{name}")
        found = [one["solved_epoch"] for one in run.replicates]
        epochs = [max(epoch, 1) for epoch in found if epoch is not None]
        values[_solved(name)] = len(epochs) / len(found)
        if name in EPOCHS:
            values[_epochs(name)] = math.exp(float(np.log(epochs).mean()))
        if name == "spiral":
            values["spiral: test accuracy"] = float(run.history["test_accuracy"][:, -1].mean())
        left = picture.left + column * (side + 0.15)
        axes = picture.place(left, picture.bottom + 0.15, left + side, picture.bottom + 0.15 + side)
        span = np.linspace(-6, 6, 121)
        grid = np.stack(np.meshgrid(span, span), axis=-1).reshape(-1, 2)
        predicted = run.predict_proba(grid, replicate=0)[:, 1].reshape(121, 121)
        axes.imshow(predicted, extent=(-6, 6, -6, 6), origin="lower", cmap=colours, vmin=0, vmax=1,
                    interpolation="bilinear")  # fmt: skip
        data = run.data()
        x, labels = data.train_x[0], data.train_labels[0]
        for label, shade in ((0, PALETTE[1]), (1, PALETTE[0])):
            axes.plot(*x[labels == label].T, "o", ms=2.5, color=shade, mec="white", mew=0.2)
        axes.set_xlim(-6, 6)
        axes.set_ylim(-6, 6)
        axes.set_xticks([])
        axes.set_yticks([])
        share = f"{name}: {len(epochs)} of {len(found)} solve it"
        when = f"epochs: {values[_epochs(name)]:.0f}" if name in EPOCHS else ""
        axes.set_title(f"{share}\n{when}", fontsize=SMALL, loc="left")
    return values


def _solved(name: str) -> str:
    return f"{name}: share that solves it in 500 epochs"


def _epochs(name: str) -> str:
    return f"{name}: epochs to 95%, geometric mean"


PLAYGROUND = Reproduction(
    name="playground",
    title="What the TensorFlow Playground's network solves",
    sources=(
        Source(
            "Smilkov et al.",
            2017,
            "Direct-manipulation visualization of deep networks, its code",
            "https://github.com/tensorflow/playground",
        ),
    ),
    shown="The Playground's default network solves the two Gaussians in one epoch, the circle and "
    "the exclusive or in about 40, and never the spirals. One line separates the Gaussians, and "
    "two lines separate the quadrants of the exclusive or. The circle needs a closed boundary, "
    "which four units can form. The spirals wind 1.75 times around the centre, which takes more "
    "lines than four units provide.",
    command="python -m runner experiment=playground",
    expected=(
        recomputed(_solved("circle"), SOLVED["circle"], PORT, within=0.05),
        recomputed(_solved("xor"), SOLVED["xor"], PORT, within=0.15),
        recomputed(_solved("gauss"), SOLVED["gauss"], PORT, within=0.05),
        recomputed(_solved("spiral"), SOLVED["spiral"], PORT, within=0.05),
        *(
            recomputed(_epochs(name), mean, PORT, percent=errors)
            for name, (mean, errors) in EPOCHS.items()
        ),
        between("spiral: test accuracy", 0.57, 0.65, "recomputed", PORT + ": 0.609"),
    ),
    measure=_measure,
    seconds=6,
    height=3.7,
)
