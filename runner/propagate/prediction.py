"""The prediction of mean-field theory for some settings."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from activations.base import Activation, Array, Elementwise
from activations.moments import Moments, gaussian_mean, moments
from runner.network.initializers import initial_layers
from runner.propagate.settings import Settings
from runner.propagate.simulation import decomposed
from runner.theory import mean_field as theory
from runner.theory.born_dead import can_be_born_dead, share_of_one_input
from runner.theory.layers import (
    Layer,
    Predicted,
    predict,
    predict_correlations,
    relative_gradients,
)

Found = TypeVar("Found")

MAP_POINTS = 60


@dataclass
class Maps:
    """The maps of hidden layers of one width, for an elementwise or gated activation.

    Attributes:
        weight_std, bias_std: sigma_w and sigma_b of hidden layers.
        input_mean: the mean that a layer's biases subtract from its inputs. The maps are those of
            f minus this mean.
        at_1: the moments of f itself under N(0, 1).
        fixed_points: the fixed points of the variance map.
        settled: the limit of the variances of the layers; may be 0, infinity or NaN.
        q: the variance at which the correlation map is taken: ``settled``; if the signal explodes,
            the variance of the first layer; if it dies out, the variance of the last.
        slope, chi: at q, the slope of the variance map and the factor of mean square gradients.
        correlation: the correlation map at q.
        c: the stable fixed point of the correlation map.
        xi_q, xi_c, xi_gradient: depth scales in layers, of the variance, of correlations, and of
            gradients (1 / |ln chi|). xi_c is NaN if the signal dies out or explodes.
        edge: the curve of the edge of chaos.
        edge_here: its points with this bias_std.
        recommended: the point of the edge to choose; None if it has no stable point.
        known: the moments at increasing q from which the rest is computed.
    """

    weight_std: float
    bias_std: float
    input_mean: float
    at_1: Moments
    fixed_points: list[theory.FixedPoint]
    settled: float
    q: float
    slope: float
    chi: float
    correlation: theory.CorrelationMap
    c: float
    xi_q: float
    xi_c: float
    xi_gradient: float
    edge: list[theory.EdgePoint]
    edge_here: list[theory.EdgePoint]
    recommended: theory.EdgePoint | None
    known: list[Moments] = field(repr=False)

    @property
    def holds(self) -> bool:
        """Whether the variance settles at a positive number."""
        return 0 < self.settled < math.inf

    @property
    def repels(self) -> bool:
        """Whether ``settled`` is an unstable fixed point; finite networks leave it."""
        return self.holds and abs(self.slope) > 1 + 1e-6

    @property
    def trainable_depth(self) -> float:
        """The depth to which networks train: six depth scales of correlations; of gradients if
        they vanish, or if the signal dies out or explodes; NaN if ``repels``."""
        if self.repels:
            return math.nan
        if not self.holds or self.chi < 1:  # if f jumps, gradients vanish first
            return theory.TRAINABLE * self.xi_gradient
        return theory.TRAINABLE * self.xi_c

    def variance_curve(self, q: Array) -> Array:
        """Return the variance map, interpolated between the known variances."""
        x = np.log([one.variance for one in self.known])
        y = np.log([max(one.second_moment, 1e-300) for one in self.known])
        second = np.exp(np.interp(np.log(q), x, y))
        return self.weight_std**2 * second + self.bias_std**2


@dataclass
class Prediction:
    """The prediction, or the reason why there is none.

    Attributes:
        layers: (depth,); empty if there is no theory, for the reason in ``silent``.
        predicted: one prediction per layer.
        gradients: root mean square of each layer's dL/dz relative to the last layer's.
        correlations, saturated, dead: one number per layer; NaN without a prediction.
        singular_rms: root mean square of the singular values of a layer's Jacobian dy/dy', for
            the layers ``decomposed``.
        born_dead: share of networks with a layer that is 0 for one given input, an upper bound of
            the share for several inputs. NaN for an activation that cannot be born dead, and for
            several inputs of a step, whose layers may also be 1 for all inputs.
        maps: None for a function of a whole row, because its maps depend on the row's length.
        silent: the reason why there is no theory, or no maps; else empty.
    """

    layers: list[Layer]
    predicted: list[Predicted]
    gradients: list[float]
    correlations: list[float]
    saturated: list[float]
    dead: list[float]
    singular_rms: dict[int, float]
    born_dead: float
    maps: Maps | None
    silent: str


def prediction(settings: Settings) -> Prediction:
    """Return the prediction for the settings."""
    activation = settings.activation_object()
    off, either = can_be_born_dead(activation), _is_flat_above(activation)
    born_dead = math.nan
    if off and (settings.inputs == 1 or not either):
        born_dead = share_of_one_input([settings.width] * settings.depth)
    nothing = [math.nan] * settings.depth
    try:
        outputs = [*settings.outputs, settings.width]  # one more, for the layer after the last
        every = initial_layers(activation, settings.initializer_object, outputs)
        layers = every[:-1]
        with np.errstate(all="ignore"):
            predicted = predict(activation, layers, settings.variance)
    except (ValueError, OverflowError) as error:
        return Prediction(
            [], [], nothing, nothing, nothing, nothing, {}, math.nan, None, str(error)
        )
    maps, silent = None, ""
    try:
        maps = _maps(activation, every[1], predicted)
    except (TypeError, ValueError) as error:
        silent = str(error)
    correlations = _or(
        nothing, lambda: predict_correlations(activation, layers, predicted, settings.correlation)
    )
    return Prediction(
        layers,
        predicted,
        relative_gradients(predicted),
        correlations,
        _each(
            [one.variance for one in predicted],
            lambda q: _saturated(activation, q, settings.saturated),
        ),
        _each(correlations, lambda c: _dead(c, settings.inputs, either)) if off else nothing,
        {
            number: _singular_rms(activation, layers[number - 1], predicted[number - 1], settings)
            for number in decomposed(settings.depth)
        },
        born_dead,
        maps,
        silent,
    )


class _Centred(Elementwise):
    """f(x) - mean: the input of the next layer if its biases subtract the mean."""

    def __init__(self, activation: Elementwise, mean: float) -> None:
        super().__init__()
        self.activation, self.mean = activation, mean

    @property
    def kinks(self) -> tuple[float, ...]:
        return self.activation.kinks

    def value_and_derivative(self, x: Array) -> tuple[Array, Array]:
        y, slope = self.activation.value_and_derivative(x)
        return y - self.mean, slope

    def forward(self, x: Array) -> Array:
        return self.activation.forward(x) - self.mean

    def derivative(self, x: Array, y: Array) -> Array:
        return self.value_and_derivative(x)[1]


def _maps(activation: Activation, layer: Layer, predicted: Sequence[Predicted]) -> Maps:
    at_1 = moments(activation)
    centred = abs(layer.input_mean) > 1e-12  # not the rounding error of an odd function
    if centred:
        if not isinstance(activation, Elementwise):
            raise ValueError("maps of a gated unit need outputs whose mean is not subtracted")
        activation = _Centred(activation, layer.input_mean)
    known = theory.scan(activation)
    if not known:
        raise ValueError("E f(z)^2 does not exist")
    weight_std = math.sqrt(layer.fan_in * layer.weight_variance)
    bias_std = math.sqrt(layer.bias_variance)
    if weight_std == 0:
        raise ValueError("weights that are all 0 carry no signal")
    settled = theory.limit(activation, predicted[0].variance, weight_std, bias_std)
    q = settled
    if not 0 < q < math.inf:
        q = predicted[0].variance if q == math.inf else max(predicted[-1].variance, 1e-100)
    here = moments(activation, q)
    correlation = theory.CorrelationMap(activation, q, weight_std, bias_std)
    c = correlation.fixed_point()
    slope, chi = weight_std**2 * here.growth, weight_std**2 * here.slope_second_moment
    return Maps(
        weight_std,
        bias_std,
        layer.input_mean if centred else 0.0,
        at_1,
        theory.variance_fixed_points(activation, weight_std, bias_std, known),
        settled,
        q,
        slope,
        chi,
        correlation,
        c,
        theory.depth_scale(slope),
        theory.depth_scale(float(correlation.slope(c))) if 0 < settled < math.inf else math.nan,
        theory.depth_scale(min(chi, 1 / chi) if chi > 0 else 0.0),
        theory.edge_curve(activation, known),
        theory.edge_of_chaos(activation, bias_std, known),
        theory.recommended(activation, known),
        known,
    )


def _each(values: Sequence[float], work: Callable[[float], float]) -> list[float]:
    """Return ``work(value)`` for each value; values that agree to ten digits share a result."""
    known: dict[str, float] = {}
    for value in values:
        key = f"{value:.9e}"
        if key not in known:
            known[key] = work(value)
    return [known[f"{value:.9e}"] for value in values]


def _or(otherwise: Found, work: Callable[[], Found]) -> Found:
    """Return the result of ``work``, or ``otherwise`` if it raises TypeError or ValueError."""
    try:
        return work()
    except (TypeError, ValueError):
        return otherwise


def _saturated(activation: Activation, q: float, threshold: float) -> float:
    """Return P(|f'(z)| < threshold) for z ~ N(0, q)."""
    if not isinstance(activation, Elementwise) or not 0 < q < math.inf:
        return math.nan
    return _or(
        math.nan,
        lambda: gaussian_mean(
            lambda z: 1.0 * (np.abs(activation.gradient(z)) < threshold), q, activation.kinks
        ),
    )


def _singular_rms(
    activation: Activation, layer: Layer, predicted: Predicted, settings: Settings
) -> float:
    """Return sqrt(|J|^2 / m) of J = dy/dy' with m singular values: |J|^2 has the mean
    fan_in units Var(w) E |dy/dz|^2."""
    if not 0 < predicted.variance < math.inf:
        return math.nan
    larger = max(layer.fan_in, settings.width)

    def root() -> float:
        here = moments(activation, predicted.variance, settings.width)
        return math.sqrt(larger * layer.weight_variance * here.slope_second_moment)

    return _or(math.nan, root)


def _is_flat_above(activation: Activation) -> bool:
    """Return whether f is constant for z > 0, as a step is."""
    y = activation(np.geomspace(1e-6, 1e3, 91)) if isinstance(activation, Elementwise) else [0, 1]
    return bool(np.ptp(y) == 0)


def _dead(c: float, inputs: int, either: bool) -> float:
    """Return the share of units that are off for all inputs or, if ``either``, off or on for all.

    c is the correlation of each two inputs: z_k = sqrt(q) (sqrt(c) g + sqrt(1 - c) g_k). Given g,
    z_k is below 0 with probability Phi(-g sqrt(c / (1 - c))).
    """
    c = min(max(c, 0.0), 1.0) if not math.isnan(c) else c
    if inputs == 1:  # with one input, only units that are off count
        return 0.5
    if math.isnan(c):
        return math.nan
    if c == 1:
        return 0.5 * (1 + either)
    odds = math.sqrt(c / (1 - c))
    below = np.vectorize(lambda g: 0.5 * math.erfc(g * odds / math.sqrt(2)))
    return (1 + either) * float(gaussian_mean(lambda g: below(g) ** inputs))
