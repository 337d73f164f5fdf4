"""Predict a run's gradients before training by mean-field theory, from its config."""

from __future__ import annotations

import numpy as np

from activations.base import Array
from runner.config.experiment import Experiment
from runner.network.initializers import INITIALIZERS, initial_layers
from runner.theory.layers import predict, relative_gradients


def predicted_gradients(
    experiment: Experiment, *, auto: bool = False, input_factor: float = 1.0
) -> Array:
    """Return the predicted RMS of dL/dz of each linear layer, divided by the output layer's.

    ``auto`` predicts for the initializer ``auto`` instead of the run's own. ``input_factor``
    multiplies the mean square of the data. Raises ValueError if the theory does not apply.
    """
    parts = experiment.parts()
    initializer = INITIALIZERS["auto"]() if auto else parts.initializer
    outputs = 1 if experiment.classes == 2 else experiment.classes
    units = (experiment.features, *experiment.model.hidden, outputs)
    layers = initial_layers(parts.activation, initializer, units)
    square = float(np.mean(np.square(experiment.first_split.train_x, dtype=np.float64)))
    with np.errstate(all="ignore"):
        predicted = predict(parts.activation, layers, input_factor * square)
        found = np.array(relative_gradients(predicted))
    if not np.isfinite(found).all():
        raise ValueError("signals of this size are beyond float64")
    return found
