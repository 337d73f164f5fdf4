"""Mean-field prediction layer by layer, for the widths and weights of a given network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from activations.base import Activation
from activations.moments import Covariance, Moments, moments

SAME = 1e-10
"""If the variance changes by a smaller share than this, the next layer reuses the moments: in a
deep network the variance converges."""
EXPLODED = 1e100
FLOW = 32.0
"""A gradient or signal may shrink or grow by this factor. The slope of sigmoid is at most 1/4. Two
layers leave 1/16 of a gradient, and such networks still train; three layers leave 1/64."""


class Layer(NamedTuple):
    """A linear layer with initial weights: z = W (a - input_mean) + b with ``fan_out`` outputs.

    ``weight_variance`` is Var W_ij, ``bias_variance`` is Var b_i.
    """

    fan_in: int
    fan_out: int
    weight_variance: float
    bias_variance: float
    input_mean: float = 0.0


class Predicted(NamedTuple):
    """What mean-field theory predicts for the output z of one linear layer.

    Attributes:
        variance: q = E z^2.
        second_moment: E f(z)^2 of the activation that follows; NaN for the last layer.
        gradient_factor: root mean square of dL/dz divided by that of the next linear layer;
            1 for the last layer. The product of the factors from this layer on is its gradient
            relative to the last layer's.
    """

    variance: float
    second_moment: float
    gradient_factor: float


def predict(
    activation: Activation, layers: Sequence[Layer], input_second_moment: float = 1.0
) -> list[Predicted]:
    """Return a prediction for each linear layer; ``activation`` follows each but the last.

        q_(l+1) = fan_in Var(W) E (a_l - input_mean)^2 + Var b
        E (dL/da_l)^2 = fan_out Var(W) E (dL/dz_(l+1))^2
        E (dL/dz_l)^2 = E |dy/dz|^2 / k E (dL/da_l)^2, where an output y has k inputs z

    ``input_second_moment`` is E x^2 of the features, 1 if they are standardised. For a function of
    a whole row, expectations are means over sampled rows. A layer without a signal has variance 0.
    If the variance exceeds EXPLODED, it is returned as infinity and gradients as NaN.

    Raises ValueError if an expectation is infinite.
    """
    found = []
    signal, mean = input_second_moment, 0.0
    here: Moments | None = None
    units = 0
    for layer, following in zip(layers, [*layers[1:], None], strict=True):
        centred = signal + layer.input_mean * (layer.input_mean - 2 * mean)
        q = layer.fan_in * layer.weight_variance * centred + layer.bias_variance
        if following is None:
            found.append(Predicted(q, math.nan, 1.0))
            break
        if q > EXPLODED:
            found += [Predicted(math.inf, math.nan, math.nan)] * (len(layers) - len(found))
            break
        if here is None or abs(q - here.variance) > SAME * q or units != following.fan_in:
            units = following.fan_in
            here = moments(activation, max(q, 1e-300), units)
        inputs = layer.fan_out / following.fan_in
        square = following.fan_out * following.weight_variance * here.slope_second_moment / inputs
        found.append(Predicted(q, here.second_moment, math.sqrt(square)))
        signal, mean = here.second_moment, here.mean
    return found


def relative_gradients(predicted: Sequence[Predicted]) -> list[float]:
    """Return the root mean square of dL/dz of each layer divided by that of the last layer."""
    found, product = [], 1.0
    for one in reversed(predicted):
        product *= one.gradient_factor
        found.append(product)
    return found[::-1]


def predict_correlations(
    activation: Activation,
    layers: Sequence[Layer],
    predicted: Sequence[Predicted],
    correlation: float,
) -> list[float]:
    """Return the correlation of z for two inputs in each layer, given that of the inputs.

    It is NaN in layers whose variance is 0 or infinite.

    Raises TypeError for a function of a whole row.
    """
    first = layers[0]
    if predicted[0].variance <= 0:
        return [math.nan] * len(layers)
    signal = predicted[0].variance - first.bias_variance
    found = [(correlation * signal + first.bias_variance) / predicted[0].variance]
    covariance: Covariance | None = None
    q = mean = math.nan
    for layer, before, here in zip(layers[1:], predicted, predicted[1:], strict=False):
        if not (0 < here.variance < math.inf and 0 < before.variance < math.inf):
            found.append(math.nan)
            continue
        if covariance is None or abs(before.variance - q) > SAME * q:
            q = before.variance
            covariance, mean = Covariance(activation, q), moments(activation, q).mean
        weight = layer.fan_in * layer.weight_variance
        product = float(covariance(min(found[-1], 1.0)))
        centred = product + layer.input_mean * (layer.input_mean - 2 * mean)
        found.append((weight * centred + layer.bias_variance) / here.variance)
    return found
