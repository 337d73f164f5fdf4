"""The picture ``activation``: the function, its derivative, and its inputs in the network."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from activations.base import Activation, Array, Elementwise
from activations.formulas.formula import Formula
from runner.network.network import Network
from runner.plots.axes import asinh_axis, end_labels, round_ticks, short, words_at_ends
from runner.plots.captions import page
from runner.plots.colours import GREY, INK, PALE, colour, layer_colours
from runner.plots.style import NORMAL, SMALL, Picture, cut
from runner.results.run import Run

BEFORE = "before training"
Function = Callable[[Array], tuple[Array, Array]]
"""x -> f(x), f'(x)."""

FARTHEST = 12.0
"""The horizontal axis of f and f' ends here at the latest, even if pre-activations are larger."""

MOST_LAYERS = 5
MOST_SAMPLES = 1000
MOST_LEARNED = 4
"""There is room for the learned values of this many parameters beside a layer."""
MOST_BEYOND = 0.1
"""If a larger share of a layer's inputs lies beyond the function's axis, the inputs get a wider
axis of their own."""
_BINS = 80
_FORMULA_LINE = 0.21
_LABELS = 1.5
"""Inches for the labels right of the axes."""


def activation(run: Run) -> Picture | None:
    """Draw f and f', and below them each hidden layer's pre-activations before and after training.

    Returns None for a network without hidden layers.
    """
    network = run.network()
    if not network.activations:
        return None
    layers = _chosen_layers(len(network.activations))
    x = run.data().train_x[:, :MOST_SAMPLES]
    with np.errstate(all="ignore"):
        before = run.initial_network().preactivations(x)
        after = network.preactivations(x)
        pairs = [(finite(before[layer]), finite(after[layer])) for layer in layers]
        shown = variants(network, layers)
        low, high = input_range(shown[0].function, pairs)
        kinks = network.activations[layers[0]].kinks
        grid = with_kinks(np.linspace(low, high, 801), kinks)
        drawn = []
        for one in shown:
            f, slope = (apart(y, grid, kinks) for y in one.function(grid))
            drawn.append((one.label, f, slope))
    notes = [
        shown[0].note,
        "below: pre-activations of hidden layers before and after training, each scaled to its "
        "maximum",
    ]
    first = network.activations[0]
    written = first.written() if isinstance(first, Formula) else ()
    learned = [one.learned for one in shown if one.learned]
    inputs = _input_limits(pairs, (low, high))
    wide = inputs != (low, high)
    gap = 0.38 if wide else 0.12
    row = {1: 0.7, 2: 0.58, 3: 0.5}.get(len(layers), 0.43)
    rows = len(layers) * max(row, *(0.17 * (1 + len(words)) for words in learned), 0.0)
    height = 4.1 + gap + rows + _FORMULA_LINE * len(written)
    subject = "activation"
    if wide:
        subject += f" of inputs up to {short(float(f'{max(-inputs[0], inputs[1]):.0e}'))}"
        notes.append("grey: the range of the upper panel")
    figure = page(run, subject, notes, height=height)
    shade = colour(run.config.activation["name"])
    for name, text, ink in zip(("f(x) = ", "f'(x) = "), written, (shade, INK), strict=False):
        text = cut(name + text, figure.right - figure.left, NORMAL)
        figure.words(figure.left, figure.top, text, size=NORMAL, color=ink, va="top")
        figure.top -= _FORMULA_LINE
    figure.top -= 0.1 if written else 0.0
    base = figure.bottom + 0.45
    left, right = figure.left + 0.6, figure.right - _LABELS
    below = figure.place(left, base, right, base + rows)
    above = figure.place(left, base + rows + gap, right, figure.top)
    above.set_xlim(low, high)
    ticks = int(2.2 * (right - left))
    if wide:
        round_ticks(above.xaxis, ticks)
        asinh_axis(below, *inputs)
        below.axvspan(low, high, color=PALE, alpha=0.5, linewidth=0, zorder=0)
    else:
        above.set_xticks([])
        below.set_xlim(low, high)
        round_ticks(below.xaxis, ticks)
    shades = layer_colours(len(layers)) if learned else [shade] * len(layers)
    _functions(above, drawn, grid, shades)
    names = [
        "\n".join([f"layer {layer + 1}{_outside(after, inputs)}", *words])
        for layer, (_, after), words in zip(
            layers, pairs, learned or [()] * len(layers), strict=True
        )
    ]
    _histograms(below, names, pairs, inputs, shades)
    below.set_xlabel("pre-activation x")
    return figure


@dataclass
class Variant:
    """One curve to draw: x -> (f, f'), its label, a note on how it is computed, and the layer's
    learned parameters as texts."""

    function: Function
    label: str = ""
    note: str = ""
    learned: tuple[str, ...] = ()


def variants(network: Network, layers: list[int]) -> list[Variant]:
    """Return the curves to draw: one, or one per layer or input if they differ."""
    first = network.activations[layers[0]]
    if isinstance(first, Elementwise) and not first.params:
        return [Variant(_elementwise(first))]
    if isinstance(first, Elementwise):
        start = copy.deepcopy(first)
        start.params = dict(type(first)(**first.hyperparameters).params)
        begun = ", ".join(f"{name} {value:.3g}" for name, value in start.params.items())
        note = f"learned parameters: mean over units and seeds (± sd); before training {begun}"
        return [
            *(_learned(network.activations[k], note) for k in layers),
            Variant(_elementwise(start), BEFORE),
        ]
    units = round(network.hidden[layers[0]] * first.inputs_per_output)
    first = _averaged(first)
    mates = _inputs_of_first_output(first, units)
    if first.inputs_per_output == 2 and len(mates) == 2:
        note = "an output of two inputs: one varies, the other is 1"
        a, b = mates
        return [
            Variant(_swept(first, units, a, {b: 1.0}), "1st input", note),
            Variant(_swept(first, units, b, {a: 1.0}), "2nd input", note),
        ]
    note = f"first of {units} units: its own input varies, the others are 0"
    return [Variant(_swept(first, units, 0, {}), "", note)]


def _learned(activation: Activation, note: str) -> Variant:
    values = [(name, finite(value)) for name, value in activation.params.items()]
    texts = [
        f"{name} {value.mean():.2g} ± {value.std():.1g}" if value.size else f"{name} not finite"
        for name, value in values[:MOST_LEARNED]
    ]
    if len(values) > MOST_LEARNED:
        texts[-1] = f"and {len(values) - MOST_LEARNED + 1} others"
    return Variant(_elementwise(_averaged(activation)), "", note, tuple(texts))


def _averaged(activation: Activation) -> Activation:
    """Return the activation with each learnable parameter at its mean."""
    plain = copy.copy(activation)
    plain.params = {
        name: float(np.nanmean(value)) if np.isfinite(value).any() else float("nan")
        for name, value in activation.params.items()
    }
    return plain


def _elementwise(activation: Activation) -> Function:
    return lambda x: (activation(x), activation.gradient(x))


def _swept(activation: Activation, units: int, index: int, fixed: dict[int, float]) -> Function:
    """Return x -> (y_1, dy_1/dx) where x is one input and the others are fixed (0 by default)."""

    def function(x: Array) -> tuple[Array, Array]:
        rows = np.zeros((len(x), units))
        for other, value in fixed.items():
            rows[:, other] = value
        rows[:, index] = x
        y = activation.forward(rows)
        grad = np.zeros_like(y)
        grad[:, 0] = 1
        return y[:, 0], activation.backward(rows, y, grad)[:, index]

    return function


def _inputs_of_first_output(activation: Activation, units: int) -> list[int]:
    """Return the inputs on which the first output depends, found at random points."""
    x = np.random.default_rng(0).uniform(0.5, 1.5, (8, units))
    y = activation.forward(x)
    grad = np.zeros_like(y)
    grad[:, 0] = 1
    return np.flatnonzero(activation.backward(x, y, grad).any(axis=0)).tolist()


def input_range(function: Function, pairs: list[tuple[Array, Array]]) -> tuple[float, float]:
    """Return limits that contain the function's bends and 98% of its inputs in each layer.

    The bends end where the derivative comes within 2% of its value at the end of the grid.
    """
    grid = np.linspace(-FARTHEST, FARTHEST, 1201)
    slope = function(grid)[1]
    ends = [-2.5, 2.5]
    inner = np.abs(grid) <= 8
    span = np.ptp(slope[inner]) if np.isfinite(slope[inner]).all() else np.nan
    if span > 0:
        left = grid[np.abs(slope - slope[0]) > 0.02 * span]
        right = grid[np.abs(slope - slope[-1]) > 0.02 * span]
        ends += [max(-6.0, left.min()) - 0.5] if left.size else []
        ends += [min(6.0, right.max()) + 0.5] if right.size else []
    for pair in pairs:
        for values in pair:
            if values.size:
                ends += np.quantile(values, [0.01, 0.99]).tolist()
    low, high = max(min(ends), -FARTHEST), min(max(ends), FARTHEST)
    return float(low), float(high)


def with_kinks(grid: Array, kinks: Iterable[float]) -> Array:
    """Return the grid with each kink inside it and the neighbouring floats on both sides."""
    inside = [kink for kink in kinks if grid[0] < kink < grid[-1]]
    beside = [np.nextafter(kink, end) for kink in inside for end in (-np.inf, np.inf)]
    return np.union1d(grid, [*inside, *beside])


def apart(y: Array, grid: Array, kinks: Iterable[float]) -> Array:
    """Return y with NaN where it jumps at a kink, so that no line is drawn across the jump."""
    y = np.array(y, np.float64)
    for at in np.flatnonzero(np.isin(grid[1:-1], list(kinks))) + 1:
        if not np.isclose(y[at - 1], y[at + 1]):
            y[at] = np.nan
    return y


def _functions(
    axes: Axes, drawn: list[tuple[str, Array, Array]], grid: Array, shades: list[str]
) -> None:
    """Draw f as a solid and f' as a dashed line, with labels at their ends.

    Learned functions have their layer's colour; the function before training is grey.
    """
    reach = max(abs(grid[0]), abs(grid[-1]))
    values = finite(np.concatenate([curve for _, *both in drawn for curve in both]))
    low, high = (values.min(), values.max()) if values.size else (-1.0, 1.0)
    low, high = max(low, -1.2 * reach), min(high, 1.2 * reach)
    room = 0.06 * (high - low) or 1.0
    axes.set_ylim(low - room, high + room)
    axes.axhline(0, color=PALE, linewidth=0.8, zorder=0)
    axes.axvline(0, color=PALE, linewidth=0.8, zorder=0)
    labels = []
    learned = len(drawn) > 2
    for order, (label, f, slope) in enumerate(drawn):
        beginning = label == BEFORE
        shade = GREY if beginning else shades[min(order, len(shades) - 1)]
        alpha = 0.55 if order and not learned else 1.0
        second = shade if learned or beginning else INK
        wide = 1.0 if beginning else 2.2 if order == 0 and not learned else 1.4
        axes.plot(grid, f, color=shade, lw=wide, alpha=alpha, zorder=4)
        axes.plot(grid, slope, color=second, lw=wide * 0.7, ls=(0, (5, 2)), alpha=alpha)
        if order == 0 or label:
            of = f", {label}" if label else ""
            for curve, name, ink in ((f, "f", shade), (slope, "f'", second)):
                y = np.clip(curve[-1], *axes.get_ylim())
                labels.append((grid[-1], y, name + of, INK if learned and not label else ink))
    end_labels(axes, labels)
    axes.set_ylabel("f(x) and f'(x)")
    round_ticks(axes.yaxis, 9)


def _histograms(
    axes: Axes,
    names: list[str],
    pairs: list[tuple[Array, Array]],
    limits: tuple[float, float],
    shades: list[str],
) -> None:
    """Draw one row per layer: pre-activations after training filled, before training as a line."""
    scale = axes.xaxis.get_transform()
    ends = np.asarray(scale.transform(np.array(limits)))
    edges = scale.inverted().transform(np.linspace(ends[0], ends[1], _BINS + 1))
    axes.set_ylim(-0.05, len(names))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=PALE, linewidth=0.8, zorder=0)
    beside: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": SMALL}
    for row, (name, pair, shade) in enumerate(zip(names, pairs, shades, strict=True)):
        base = len(names) - 1 - row
        counts = [np.histogram(values, edges)[0] for values in pair]
        before, after = (base + 0.85 * count / max(count.max(), 1) for count in counts)
        axes.stairs(after, edges, baseline=base, fill=True, color=shade, alpha=0.45, zorder=2)
        axes.stairs(before, edges, baseline=base, color=INK, linewidth=1.0, zorder=3)
        axes.axhline(base, color=GREY, linewidth=0.6)
        ink = INK if len(set(shades)) == 1 else shade
        axes.text(1.015, base + 0.42, name, color=ink, va="center", linespacing=1.1, **beside)
    ink = shades[0] if len(set(shades)) == 1 else GREY
    words_at_ends(axes, [("line: before", INK), ("filled: after", ink)], (0, -32))


def _input_limits(
    pairs: list[tuple[Array, Array]], drawn: tuple[float, float]
) -> tuple[float, float]:
    """Return the limits of the axis of the inputs.

    They are those of the function's axis or, if many inputs lie beyond it, wider ones that contain
    99% of each layer's inputs.
    """
    every = [values for pair in pairs for values in pair if values.size]
    low, high = drawn
    beyond = [np.mean((values < low) | (values > high)) for values in every]
    if max(beyond, default=0) <= MOST_BEYOND:
        return drawn
    ends = np.concatenate([np.quantile(values, [0.005, 0.995]) for values in every])
    return min(low, float(ends.min())), max(high, float(ends.max()))


def _outside(values: Array, limits: tuple[float, float]) -> str:
    if not values.size:
        return ", not finite"
    share = np.mean((values < limits[0]) | (values > limits[1]))
    return f", {share:.0%} beyond" if share >= 0.015 else ""


def _chosen_layers(count: int) -> list[int]:
    """Return all layers or, of many, evenly spaced ones including the first and the last."""
    return (
        np.unique(np.linspace(0, count - 1, min(count, MOST_LAYERS)).round()).astype(int).tolist()
    )


def finite(values: Array) -> Array:
    """Return the finite values as one dimension."""
    flat = values.ravel()
    return flat[np.isfinite(flat)]
