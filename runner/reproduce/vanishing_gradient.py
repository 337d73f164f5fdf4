"""How the gradient shrinks from layer to layer of a sigmoid network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from activations import get
from activations.base import Array
from runner.plots.axes import end_labels, log_ticks
from runner.plots.colours import layer_colours
from runner.plots.style import Picture
from runner.reproduce.experiments import trained
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, between, exact, published

RATIO = "ratio of gradients, layers 2 to 4"
LEAST, GREATEST = "smallest of the three ratios", "largest of the three ratios"
WIDEST, WEIGHT = "widest interval with |w s'(wa + b)| >= 1", "weight of the widest interval"
PRINTED = "widest interval, as printed"
NIELSEN = Source(
    "Nielsen",
    2015,
    "Neural Networks and Deep Learning, chapter 5",
    "http://neuralnetworksanddeeplearning.com/chap5.html",
)


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    run = trained(runs, "vanishing_gradient")
    layers = range(1, len(run.config.model.hidden) + 1)
    gradient = np.array([run.history[f"layer{layer}_gradient_rms"] for layer in layers])
    squares = (gradient**2).mean(axis=1)  # over the networks, (layers, epochs)
    ratios = np.sqrt(squares[1:, 0] / squares[:-1, 0])
    width, weight = _widest_interval()
    (axes,) = panels(picture, beside=0.8)
    epochs = run.history["epoch"][0]
    shades = layer_colours(len(layers))
    for row, shade in zip(np.sqrt(squares), shades, strict=True):
        axes.plot(epochs, row, color=shade)
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    log_ticks(axes.yaxis, low, high)
    axes.set_xlabel("epoch")
    axes.set_ylabel("gradient, root mean square")
    ends = zip(layers, np.sqrt(squares[:, -1]), shades, strict=True)
    end_labels(axes, [(epochs[-1], y, f"layer {layer}", shade) for layer, y, shade in ends])
    return {
        RATIO: float(np.exp(np.log(ratios[1:]).mean())),
        LEAST: float(ratios.min()),
        GREATEST: float(ratios.max()),
        WIDEST: width,
        PRINTED: width,
        WEIGHT: weight,
    }


def _widest_interval() -> tuple[float, float]:
    """Return the largest length of the interval of inputs a with |w s'(w a + b)| >= 1, and its w.

    The condition is s'(z) >= 1/|w|, which holds for |z| <= z0. The length is therefore 2 z0 / |w|.
    """
    sigmoid = get("sigmoid")

    def lengths(w: Array) -> Array:
        low, high = np.zeros_like(w), np.full_like(w, 50.0)
        for _ in range(60):  # bisection: s' decreases for z > 0
            middle = (low + high) / 2
            steep = sigmoid.gradient(middle) >= 1 / w
            low, high = np.where(steep, middle, low), np.where(steep, high, middle)
        return 2 * low / w

    w = np.linspace(4.0, 20.0, 1601)
    for _ in range(4):  # refine the grid around the maximum
        best = w[lengths(w).argmax()]
        step = w[1] - w[0]
        w = np.linspace(best - step, best + step, 201)
    return float(lengths(w).max()), float(best)


VANISHING_GRADIENT = Reproduction(
    name="vanishing_gradient",
    title="Every sigmoid layer divides the gradient by about 5",
    sources=(NIELSEN,),
    shown="At the start of training, each layer of a sigmoid network receives about a fifth of the "
    "gradient of the layer after it. Going back through a layer multiplies the gradient by the "
    "weights and by the slope of the sigmoid, which is at most 1/4. With weights of variance "
    "1/fan_in and biases of variance 1, the root mean square is multiplied by sqrt(E s'(z)^2) = "
    "1/4.882. A single weight compensates for the slope only if it is at least 4, and even then "
    "only in an interval of inputs that is at most 0.45 wide.",
    command="python -m runner experiment=vanishing_gradient",
    expected=(
        exact(RATIO, 4.882, "1/sqrt(E s'(z)^2) at the fixed point, quadrature", percent=3),
        between(LEAST, 4.0, 5.7, "published", "ratios of the printed speeds, MNIST, 30 units"),
        between(GREATEST, 4.0, 5.7, "published", "ratios of the printed speeds, MNIST, 30 units"),
        published(PRINTED, 0.45, "an exercise", within=0.005),
        exact(WIDEST, 0.447743, "(2/w) ln(w (1 + sqrt(1 - 4/w))/2 - 1)", within=1e-6),
        exact(WEIGHT, 6.894151, "the w of the largest length", within=1e-4),
    ),
    measure=_measure,
    seconds=10,
)
