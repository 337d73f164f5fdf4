"""A network's name, its allowed widths, and the shapes of its parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from activations.base import Activation, Elementwise

LARGEST_WIDTH = 2**20
MOST_OFF = 0.1
"""Largest allowed relative deviation from the requested number of parameters."""


def model_name(activation: str, hidden: Sequence[int], classes: int, loss: str) -> str:
    """Return the activation's name; without hidden layers, the name of the linear model."""
    if hidden:
        return activation
    if loss != "cross_entropy":
        return "linear classifier"
    return "logistic regression" if classes == 2 else "softmax regression"


def check_hidden_widths(hidden: tuple[int, ...], activation: Activation) -> None:
    """Raise ValueError if the activation does not fit a layer's width or could never learn.

    A constant output, such as softmax of a single unit, has gradient 0.
    """
    for units in hidden:
        inputs = units * activation.inputs_per_output
        if math.isnan(inputs):
            raise ValueError(
                f"activation.pieces: {activation.name} of the whole row has one output and cannot "
                "be a hidden layer; set a number of pieces"
            )
        if inputs != int(inputs):
            raise ValueError(
                f"model.hidden: {units} outputs of {activation.name} need {inputs} "
                "inputs, which is not a whole number; choose an even width"
            )
        if inputs == 1 and not isinstance(activation, Elementwise):
            low, high = activation(np.array([[0.5], [2.0]]))
            if np.array_equal(low, high):
                raise ValueError(
                    f"model.hidden: {activation.name} of a single unit is always {low[0]:g}, so "
                    "the network cannot learn; choose a width of at least 2"
                )


def parameter_shapes(
    features: int, hidden: tuple[int, ...], classes: int, activation: Activation
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the name and shape of each parameter of one replicate of a Network."""
    fan_in = features
    for number, units in enumerate(hidden, start=1):
        fan_out = int(units * activation.inputs_per_output)
        yield f"layer{number}.weight", (fan_in, fan_out)
        yield f"layer{number}.bias", (1, fan_out)
        for name in activation.params:
            shared = not activation.parameters_per_unit
            yield f"layer{number}.{name}", (1, 1 if shared else fan_out)
        fan_in = units
    outputs = 1 if classes == 2 else classes
    yield f"layer{len(hidden) + 1}.weight", (fan_in, outputs)
    yield f"layer{len(hidden) + 1}.bias", (1, outputs)


def parameter_count(
    features: int, hidden: tuple[int, ...], classes: int, activation: Activation
) -> int:
    """Return the number of parameters of one replicate of a Network."""
    shapes = parameter_shapes(features, hidden, classes, activation)
    return sum(rows * columns for _, (rows, columns) in shapes)


def widths_for(
    parameters: int, features: int, hidden: tuple[int, ...], classes: int, activation: Activation
) -> tuple[int, ...]:
    """Return ``hidden`` scaled by one factor, so that the network has about ``parameters``.

    Widths are rounded; if two choices are equally close, the smaller widths are returned. A gated
    layer becomes narrower than an ordinary one, because it needs two inputs per output.

    Raises ValueError if there is no hidden layer, or if the nearest number of parameters is off by
    more than MOST_OFF.
    """
    if not hidden:
        raise ValueError("without a hidden layer there is no width to choose")
    step = Fraction(activation.inputs_per_output).denominator  # maxout takes pairs of units

    def scaled(factor: float) -> tuple[int, ...]:
        return tuple(max(1, round(factor * width / step)) * step for width in hidden)

    def count(widths: tuple[int, ...]) -> int:
        return parameter_count(features, widths, classes, activation)

    low, high = 0.0, LARGEST_WIDTH / max(hidden)
    while low < (middle := (low + high) / 2) < high:
        if count(scaled(middle)) <= parameters:
            low = middle
        else:
            high = middle
    nearest = min(scaled(low), scaled(high), key=lambda widths: abs(count(widths) - parameters))
    if abs(count(nearest) - parameters) > MOST_OFF * parameters:
        raise ValueError(
            f"the nearest number of parameters is {count(nearest)}, with the hidden widths "
            f"[{','.join(map(str, nearest))}]"
        )
    return nearest
