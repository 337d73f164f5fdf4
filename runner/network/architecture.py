"""What a network is called, which widths it may have, and the shapes of its parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from activations.base import Activation, Elementwise


def model_name(activation: str, hidden: Sequence[int], classes: int, loss: str) -> str:
    """Return what to call a network: its activation's name, where it has one to apply."""
    if hidden:
        return activation
    if loss != "cross_entropy":
        return "linear classifier"
    return "logistic regression" if classes == 2 else "softmax regression"


def check_hidden_widths(hidden: tuple[int, ...], activation: Activation) -> None:
    """Raise ValueError where a layer of that width cannot have the activation, or never learns."""
    for units in hidden:
        inputs = units * activation.inputs_per_output
        if math.isnan(inputs):
            raise ValueError(
                f"activation.pieces: {activation.name} of the whole row makes one output and "
                "cannot be a hidden layer; give a number of pieces"
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
                    f"model.hidden: {activation.name} of a single unit is always {low[0]:g}, from "
                    "which nothing is learned; choose a width of at least 2"
                )


def parameter_shapes(
    features: int, hidden: tuple[int, ...], classes: int, activation: Activation
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the name and the shape, for one replicate, of each parameter of a Network."""
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
