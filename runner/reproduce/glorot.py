"""Why deep sigmoid networks did not train, and how a layer's weights scale a signal."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from runner.plots.axes import end_labels
from runner.plots.colours import distinct_styles
from runner.plots.style import Picture
from runner.reproduce.experiments import drawn, trained
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, between, exact

QUARTER = 8 / (3 * math.pi)
"""Mean of the quarter-circle law of singular values, whose largest value is 2."""
NORMALISED = "mean singular value, U(-sqrt(3/n), sqrt(3/n))"
STANDARD = "mean singular value, U(-1/sqrt(n), 1/sqrt(n))"
FUNCTIONS = ("sigmoid", "tanh", "softsign")
TOP = "layer4_activation_rms"


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    standard = ("initializer=lecun_uniform", f"initializer.gain={math.sqrt(1 / 3)}")
    values = {
        NORMALISED: _mean_singular_value(),
        STANDARD: _mean_singular_value(*standard),
    }
    (axes,) = panels(picture, beside=0.8)
    ends, looks = [], distinct_styles(FUNCTIONS)
    for name in FUNCTIONS:
        run = trained(runs, "glorot_saturation", f"activation={name}")
        sizes = run.history[TOP].mean(axis=0)
        epochs = run.history["epoch"][0]
        axes.plot(epochs, sizes, color=looks[name]["color"])
        ends.append((float(epochs[-1]), float(sizes[-1]), name, looks[name]["color"]))
        values[f"{name}: top layer after 10 epochs"] = sizes[10]
        if name == "sigmoid":
            values["sigmoid: top layer at the start"] = sizes[0]
            values["sigmoid: epochs with the top layer below 0.1"] = float((sizes < 0.1).sum())
    axes.set_xlim(0, epochs[-1])
    axes.set_ylim(0, 1)
    axes.set_xlabel("epoch")
    axes.set_ylabel("root mean square of layer 4's outputs")
    end_labels(axes, ends)
    return values


def _mean_singular_value(*words: str) -> float:
    return float(np.mean(drawn("singular_values", *words).singular_values))


GLOROT_SATURATION = Reproduction(
    name="glorot_saturation",
    title="The top layer of a deep sigmoid network saturates at 0",
    sources=(
        Source(
            "Glorot & Bengio",
            2010,
            "Understanding the difficulty of training deep feedforward neural networks",
            "https://proceedings.mlr.press/v9/glorot10a.html",
        ),
    ),
    shown="With weights from U(-1/sqrt(n), 1/sqrt(n)), the outputs of the top sigmoid layer fall "
    "from 0.5 to nearly 0 in the first epochs and stay there for tens of epochs. At first only the "
    "biases of the output layer are useful; the signal from below is noise, and training "
    "suppresses it by moving these outputs to 0. There the sigmoid is flat and passes almost no "
    "gradient, whereas tanh and softsign are steepest at 0. Such weights also halve a signal in "
    "each layer: their mean singular value is 0.49; with Glorot's normalised weights it is 0.85.",
    command="python -m runner experiment=glorot_saturation",
    expected=(
        exact(NORMALISED, QUARTER, "8/(3 pi)", percent=0.5),
        exact(STANDARD, math.sqrt(1 / 3) * QUARTER, "sqrt(1/3) 8/(3 pi)", percent=0.5),
        between("sigmoid: top layer at the start", 0.45, 0.55, "exact", "sigmoid(0) = 0.5"),
        *(
            between(f"sigmoid: {what}", low, high, "published", "figure 2; the bounds are ours")
            for what, low, high in (
                ("top layer after 10 epochs", 0.0, 0.1),
                ("epochs with the top layer below 0.1", 20, 100),
            )
        ),
        *(
            between(
                f"{name}: top layer after 10 epochs",
                0.2,
                1.0,
                "published",
                "text: no plateau; the bounds are ours",
            )
            for name in ("tanh", "softsign")
        ),
    ),
    measure=_measure,
    seconds=16,
)
