"""With the quadratic cost, a neuron that is badly wrong learns slowly."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from activations.base import Array
from runner.plots.axes import round_ticks
from runner.plots.colours import PALETTE
from runner.plots.style import SMALL, Picture
from runner.reproduce.experiments import trained
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, published, recomputed


class Neuron(NamedTuple):
    """A neuron's loss, learning rate and initial (w, b); its outputs by epoch; its final (w, b)."""

    loss: str
    rate: float
    start: tuple[float, float]
    outputs: dict[int, float]
    end: tuple[float, float] | None = None

    @property
    def words(self) -> str:
        cost = "quadratic" if self.loss == "squared_error" else "cross-entropy"
        return f"{cost}, from ({self.start[0]:g}, {self.start[1]:g})"


QUADRATIC = Neuron(
    "squared_error", 0.15, (0.6, 0.9), {0: 0.817574, 300: 0.093956}, (-1.283132, -0.983132)
)
SATURATED = Neuron(
    "squared_error", 0.15, (2, 2),
    {0: 0.982014, 50: 0.975933, 150: 0.933417, 200: 0.788736, 300: 0.202848},
)  # fmt: skip
NEURONS = (
    QUADRATIC,
    SATURATED,
    Neuron("cross_entropy", 0.005, (0.6, 0.9), {300: 0.417679}),
    Neuron("cross_entropy", 0.005, (2, 2), {300: 0.779587}),
)
START, END = "start, as printed", "after 300 steps, as printed"
LARGEST = "cross-entropy, from (2, 2): the largest step of w"


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    values: dict[str, float] = {}
    axes = dict(zip(("squared_error", "cross_entropy"), panels(picture, 2), strict=True))
    for neuron in NEURONS:
        run = trained(
            runs,
            "nielsen_slowdown",
            f"training.loss={neuron.loss}",
            f"optimizer.learning_rate={neuron.rate}",
            f"initializer.value={neuron.start[0]}",
            f"initializer.bias_mean={neuron.start[1]}",
        )
        outputs = _outputs(run.history["train_loss"][0], neuron.loss)
        values |= {_at(neuron, step): float(outputs[step]) for step in neuron.outputs}
        if neuron.end:
            values[f"{neuron.words}: w"] = float(run.weights["layer1.weight"].item())
            values[f"{neuron.words}: b"] = float(run.weights["layer1.bias"].item())
        shade = PALETTE[0] if neuron.start[0] < 1 else PALETTE[1]
        words = f"w, b = {neuron.start[0]:g}, {neuron.start[1]:g}"
        axes[neuron.loss].plot(outputs, color=shade, label=words)
    z = np.log(outputs / (1 - outputs))  # w + b of the last neuron
    values[LARGEST] = float(np.abs(np.diff(z)).argmax() + 1)
    values[START], values[END] = values[_at(QUADRATIC, 0)], values[_at(QUADRATIC, 300)]
    axes["cross_entropy"].legend(frameon=False, loc="lower left", fontsize=SMALL)
    for loss, panel in axes.items():
        panel.set_xlim(0, 300)
        panel.set_ylim(0, 1)
        panel.set_xlabel("epoch")
        panel.set_ylabel("output (target: 0)")
        round_ticks(panel.xaxis, 4)
        title = "quadratic cost" if loss == "squared_error" else "cross-entropy"
        panel.annotate(title, (0.98, 0.95), xycoords="axes fraction", ha="right", va="top")
    return values


def _outputs(losses: Array, loss: str) -> Array:
    """Return the outputs p that have these losses, p^2/2 or -ln(1 - p)."""
    return np.sqrt(2 * losses) if loss == "squared_error" else -np.expm1(-losses)


def _at(neuron: Neuron, step: int) -> str:
    return f"{neuron.words}: {f'after {step} steps' if step else 'start'}"


LEARNING_SLOWDOWN = Reproduction(
    name="nielsen_slowdown",
    title="A neuron that is badly wrong learns slowly",
    sources=(
        Source(
            "Nielsen",
            2015,
            "Neural Networks and Deep Learning, chapter 3",
            "http://neuralnetworksanddeeplearning.com/chap3.html",
        ),
    ),
    shown="A sigmoid neuron should output 0 for the input 1. If it starts from w = b = 2, where "
    "its output is 0.98, the first 150 of 300 steps hardly change it: the gradient of the "
    "quadratic cost has the factor s'(z), and the sigmoid s is flat where it is near 1. In the "
    "gradient of the cross-entropy, this factor cancels against the 1/(p (1 - p)) of the "
    "logarithm, so the steps are largest where the output is most wrong.",
    command="python -m runner experiment=nielsen_slowdown",
    expected=(
        published(START, 0.82, "the neuron's first example", within=0.005),
        published(END, 0.09, "the neuron's first example", within=0.005),
        *(
            recomputed(_at(neuron, step), value, "the book's parameters", within=1e-6)
            for neuron in NEURONS
            for step, value in neuron.outputs.items()
        ),
        *(
            recomputed(f"{QUADRATIC.words}: {name}", value, "the book's parameters", within=1e-6)
            for name, value in zip("wb", QUADRATIC.end or (), strict=True)
        ),
        recomputed(LARGEST, 1, "the first steps are the largest"),
    ),
    measure=_measure,
    seconds=2,
)
