"""The same training as scikit-learn's, up to rounding."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from activations import get
from activations.base import Array, Elementwise
from runner.network.fast_gradient import BatchGradient, feature_major, with_ones
from runner.network.losses import CrossEntropy, encode
from runner.network.network import Network
from runner.network.optimizers import SGD
from runner.plots.axes import end_labels
from runner.plots.colours import PALETTE
from runner.plots.style import SMALL, Picture
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, between

SAMPLES, ALPHA, RATE, STEPS = 200, 0.01, 0.1, 100


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    from sklearn.datasets import make_moons

    x, labels = make_moons(SAMPLES, noise=0.2, random_state=0)
    (axes,) = panels(picture, beside=0.8)
    values, ends = {}, []
    functions: dict[str, Any] = {
        "identity": get("identity"),
        "logistic": get("sigmoid"),
        "tanh": get("tanh"),
        "relu": get("relu", derivative_at_zero=0.0),
    }
    for (name, function), shade in zip(functions.items(), PALETTE, strict=False):
        theirs, coefficients, start = _theirs(name, x, labels)
        ours, weights = _ours(function, x, labels, start)
        values[f"{name}: losses"] = float(np.abs(ours - theirs).max())
        values[f"{name}: weights"] = max(
            float(np.abs(w - c).max()) for w, c in zip(weights, coefficients, strict=True)
        )
        steps = np.arange(STEPS)
        axes.plot(steps, theirs, color=shade, linewidth=5, alpha=0.3)
        axes.plot(steps, ours, color=shade, linewidth=1)
        ends.append((STEPS - 1, float(ours[-1]), name, shade))
    axes.set_xlim(0, STEPS - 1)
    axes.set_ylim(0.2, 1.2)
    axes.set_xlabel("step")
    axes.set_ylabel("loss with penalty")
    words = "thick lines: scikit-learn\nthin lines: ours"
    axes.annotate(words, (0.03, 0.03), xycoords="axes fraction", fontsize=SMALL)
    end_labels(axes, ends)
    return values


def _theirs(name: str, x: Array, labels: Array) -> tuple[Array, list[Array], list[Array]]:
    """Return scikit-learn's losses, its final parameters and its initial parameters."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    def fit(**how: Any) -> Any:
        return MLPClassifier(
            hidden_layer_sizes=(8, 5),
            activation=name,
            alpha=ALPHA,
            batch_size=SAMPLES,
            solver="sgd",
            momentum=0,
            nesterovs_momentum=False,
            shuffle=False,
            random_state=0,
            tol=0,
            n_iter_no_change=STEPS + 1,
            **how,
        ).fit(x, labels)

    def parameters(model: Any) -> list[Array]:
        return [*model.coefs_, *model.intercepts_]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = fit(learning_rate_init=RATE, max_iter=STEPS)
        still = fit(learning_rate_init=1e-300, max_iter=1)  # keeps the initial weights
    return np.array(model.loss_curve_), parameters(model), parameters(still)


def _ours(
    function: Elementwise, x: Array, labels: Array, start: list[Array]
) -> tuple[Array, list[Array]]:
    """Return the losses and the final parameters of our network from the same initial ones."""
    network = Network(2, (8, 5), 2, function, 1, np.float64)
    linears = network.linears
    places = [one.weight[0] for one in linears] + [one.bias[0, 0] for one in linears]
    for place, value in zip(places, start, strict=True):
        place[...] = value
    optimizer, l2 = SGD(RATE), ALPHA / SAMPLES
    optimizer.bind(network.theta, network.is_weight())
    loss, targets = CrossEntropy(), encode(labels[None], 2, np.float64)
    step = BatchGradient(network, loss, SAMPLES, l2)
    losses = []
    for _ in range(STEPS):
        data = float(loss.losses(network.logits(x[None]), targets).mean())
        losses.append(data + network.penalty(l2).item())
        step(with_ones(x[None]), feature_major(targets))
        optimizer.step(network.gradient)
    return np.array(losses), places


SCIKIT_LEARN = Reproduction(
    name="scikit_learn",
    title="The same training as scikit-learn's, to 15 digits",
    sources=(
        Source(
            "Pedregosa et al.",
            2011,
            "Scikit-learn: machine learning in Python, MLPClassifier",
            "https://scikit-learn.org/stable/modules/generated/"
            "sklearn.neural_network.MLPClassifier.html",
        ),
    ),
    shown="With the same initial weights, the same batches and plain gradient descent, two "
    "independent programs take the same 100 steps. For a batch of n samples, scikit-learn's loss "
    "is the mean log-loss plus alpha/(2 n) times the sum of squared weights, so its alpha is n "
    "times our training.l2. The remaining differences are rounding errors: the two programs add in "
    "a different order.",
    command="python -m runner dataset=moons dataset.samples=200 'model.hidden=[8,5]' "
    "optimizer=sgd training.l2=5e-5 training.batch_size=null dtype=float64",
    expected=tuple(
        between(f"{name}: {what}", 0.0, 1e-12, "recomputed", "largest difference in 100 steps")
        for what in ("losses", "weights")
        for name in ("identity", "logistic", "tanh", "relu")
    ),
    measure=_measure,
    seconds=2,
    needs=("sklearn", "scikit-learn"),
)
