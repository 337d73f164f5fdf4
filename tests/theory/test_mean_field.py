"""Mean-field theory against the published numbers that were recomputed independently
(published.md E4 to E8, E17), and against networks that are drawn here."""

from __future__ import annotations

import math

import numpy as np
import pytest

import activations
from activations.base import Elementwise
from activations.functions.gated import Gated
from activations.moments import moments
from runner.theory import mean_field as theory
from runner.theory.layers import Layer, predict, predict_correlations, relative_gradients

SMALL_BIAS = math.sqrt(0.05)


@pytest.mark.parametrize(
    ("name", "weight_variance", "bias_std", "q", "factor"),
    [
        ("sigmoid", 1, 0, 0.264687, 0.23605),
        ("sigmoid", 2, 0, 0.555290, 0.31777),
        ("sigmoid", 1, 1, 1.302134, 0.20484),
        ("sigmoid", 1 / 3, 0, 0.085034, 0.14145),
        ("tanh", 2, 0, 0.617965, 1.05144),
        ("tanh", 1, SMALL_BIAS, 0.19359, 0.87122),
        ("tanh", 4, SMALL_BIAS, 2.19549, 1.15862),
        ("selu", 1, 0, 1, 1.03517),
        ("softplus", 1, 0, 0.856305, 0.53733),
    ],
)
def test_stable_variance_and_gradient_factor(name, weight_variance, bias_std, q, factor):
    """E4."""
    activation, weight_std = activations.get(name), math.sqrt(weight_variance)
    points = theory.variance_fixed_points(activation, weight_std, bias_std)
    (stable,) = [one.q for one in points if one.stability == "stable"]
    assert stable == pytest.approx(q, rel=2e-5)
    assert theory.limit(activation, 1.5, weight_std, bias_std) == pytest.approx(stable, rel=1e-7)
    assert math.sqrt(theory.chi(activation, stable, weight_std)) == pytest.approx(factor, abs=6e-6)


@pytest.mark.parametrize(("name", "factor"), [("relu", 0.5), ("gelu", 0.5), ("mish", 0.72)])
def test_what_dies_out(name, factor):
    """E4: LeCun for ReLU, He for GELU, SiLU and Mish lead to q = 0."""
    activation, weight_std = activations.get(name), 1 if name == "relu" else math.sqrt(2)
    first, *others = theory.variance_fixed_points(activation, weight_std)
    assert (first.q, first.stability, others) == (0, "stable", [])
    assert first.slope == pytest.approx(factor, rel=1e-4)
    assert theory.limit(activation, 1.0, weight_std) == 0


def test_a_step_from_0_leaves_only_one_variance():
    (only,) = theory.variance_fixed_points(activations.get("step"), math.sqrt(2))
    assert (only.q, only.stability) == (pytest.approx(1), "stable")


def test_every_variance_is_kept_by_he_for_relu():
    (only,) = theory.variance_fixed_points(activations.ReLU(), math.sqrt(2))
    assert (only.low, only.high, only.stability) == (0, math.inf, "neutral")
    assert theory.limit(activations.ReLU(), 0.3, math.sqrt(2)) == pytest.approx(0.3)
    assert theory.chi(activations.ReLU(), 0.3, math.sqrt(2)) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(("name", "slope"), [("gelu", 1.14406), ("silu", 1.17259)])
def test_smooth_rectifiers_leave_the_gain_that_keeps_their_variance(name, slope):
    """E2: the fixed point repels, so the signal dies out from just below it, grows above."""
    activation = activations.get(name)
    gain = moments(activation).gain
    points = theory.variance_fixed_points(activation, gain)
    (at_1,) = [one for one in points if one.q == pytest.approx(1)]
    assert at_1.slope == pytest.approx(slope, abs=1e-5)
    assert at_1.stability == "unstable"
    assert theory.limit(activation, 0.95, gain) == 0
    assert theory.variance_map(activation, 1.05, gain) > 1.05


EDGES = [
    ("tanh", 0.05, 1.12254, 0.15369),
    ("tanh", 0.1, 1.19340, 0.27330),
    ("tanh", SMALL_BIAS, math.sqrt(1.76095), 0.57005),
    ("tanh", 0.3, 1.39558, 0.76347),
    ("tanh", 0.5, 1.54967, 1.31794),
    ("relu", 0.0, math.sqrt(2), 1.0),
    ("elu", 0.2, 1.22925, 1.10693),
    ("selu", 0.2, 0.93748, None),
    ("arctan", 0.2, 1.30830, None),
    ("softsign", 0.2, 1.72963, None),
    ("gelu", 0.5, 1.39987, 6.4341),
]


@pytest.mark.parametrize(("name", "bias_std", "weight_std", "q"), EDGES)
def test_edge_of_chaos(name, bias_std, weight_std, q):
    """E5."""
    point = theory.edge_of_chaos(activations.get(name), bias_std)[0]
    assert point.weight_std == pytest.approx(weight_std, abs=6e-6)
    assert q is None or point.q == pytest.approx(q, rel=2e-5)
    assert point.holds


@pytest.mark.parametrize(
    ("name", "weight_std", "slope"),
    [("silu", 1.67953, 1.099), ("gelu", 1.54701, 1.095), ("mish", 1.46344, 1.025)],
)
def test_the_edge_of_smooth_rectifiers_repels(name, weight_std, slope):
    """E5, the trap: chi is 1 at a variance that a network runs away from."""
    point = theory.edge_of_chaos(activations.get(name), 0.2)[0]
    assert point.weight_std == pytest.approx(weight_std, abs=6e-6)
    assert point.slope == pytest.approx(slope, abs=6e-4)
    assert not point.holds


def test_edge_at_no_bias_and_where_there_is_none():
    (start,) = theory.edge_of_chaos(activations.get("tanh"), 0.0)
    assert (start.weight_std, start.q) == (pytest.approx(1, abs=1e-6), 0)
    assert theory.edge_of_chaos(activations.ReLU(), 0.1) == []
    assert theory.edge_of_chaos(activations.get("step"), 0.1) == []
    assert theory.recommended(activations.get("step")) is None


@pytest.mark.parametrize("name", ["tanh", "relu", "selu", "softsign"])
def test_the_recommended_point_is_on_the_edge_and_holds(name):
    activation = activations.get(name)
    point = theory.recommended(activation)
    settled = theory.limit(activation, point.q * 1.05, point.weight_std, point.bias_std)
    assert settled == pytest.approx(point.q, rel=0.06)
    assert theory.chi(activation, point.q, point.weight_std) == pytest.approx(1, rel=1e-9)


def test_ordered_and_chaotic_examples():
    """E5, Poole's: sigma_b = 0.3."""
    for weight_std, q, chi in ((1.3, 0.60705, 0.93981), (2.5, 4.07912, 1.58522)):
        found = theory.limit(activations.TanH(), 1.0, weight_std, 0.3)
        assert found == pytest.approx(q, abs=6e-6)
        assert theory.chi(activations.TanH(), found, weight_std) == pytest.approx(chi, abs=6e-6)


@pytest.mark.parametrize(
    ("weight_variance", "xi_c", "xi_q", "c"),
    [
        (1.0, 3.627, 1.748, 1),
        (1.3, 7.834, 1.785, 1),
        (1.76, 4912, None, 1),
        (1.8, 125.8, None, None),
        (2.0, 25.21, None, 0.744),
        (4.0, 6.98, None, 0.165),
    ],
)
def test_depth_scales_of_tanh(weight_variance, xi_c, xi_q, c):
    """E6."""
    activation, weight_std = activations.TanH(), math.sqrt(weight_variance)
    q = theory.limit(activation, 1.0, weight_std, SMALL_BIAS)
    correlations = theory.CorrelationMap(activation, q, weight_std, SMALL_BIAS)
    fixed = correlations.fixed_point()
    assert theory.depth_scale(float(correlations.slope(fixed))) == pytest.approx(xi_c, rel=5e-4)
    if xi_q is not None:
        slope = theory.variance_slope(activation, q, weight_std)
        assert theory.depth_scale(slope) == pytest.approx(xi_q, rel=5e-4)
    if c is not None:
        assert fixed == pytest.approx(c, abs=6e-4)


def test_correlations_of_relu():
    """E7."""
    correlations = theory.CorrelationMap(activations.ReLU(), 1.0, math.sqrt(2))
    assert float(correlations(0.5)) == pytest.approx(0.608997781, abs=1e-9)
    expected = {1: 0.318309886, 2: 0.493731090, 3: 0.604825720, 5: 0.735946351,
                10: 0.871535516, 20: 0.948428479, 50: 0.987861945}  # fmt: skip
    c = 0.0
    for layer in range(1, 101):
        c = float(correlations(c))
        if layer in expected:
            assert c == pytest.approx(expected[layer], abs=1e-9)
    assert (1 - c) * 100**2 / 44.4132 == pytest.approx(0.805, abs=5e-4)


@pytest.mark.parametrize(
    ("bias_std", "beta", "at_2000"), [(0.2, 7.0837, 7.136), (SMALL_BIAS, 6.1711, 6.216)]
)
def test_smooth_functions_decorrelate_slowly(bias_std, beta, at_2000):
    """E8."""
    point = theory.edge_of_chaos(activations.TanH(), bias_std)[0]
    assert theory.decorrelation(activations.TanH(), point.q) == pytest.approx(beta, abs=1e-3)
    correlations = theory.CorrelationMap(activations.TanH(), point.q, point.weight_std, bias_std)
    c = 0.0
    for _ in range(2000):
        c = float(correlations(c))
    assert 2000 * (1 - c) == pytest.approx(at_2000, rel=1e-3)
    assert math.isnan(theory.decorrelation(activations.ReLU(), 1.0))


@pytest.mark.parametrize("name", ["arctan", "erf", "tanh", "softsign"])
def test_at_the_edge_of_chaos_inputs_become_one_without_a_depth_scale(name):
    activation = activations.get(name)
    edge = theory.edge_point(activation, 1.0)
    step = theory.CorrelationMap(activation, 1.0, edge.weight_std, edge.bias_std)
    assert step.fixed_point() == 1
    assert theory.depth_scale(float(step.slope(1.0))) == math.inf


def test_sine():
    """E17: U(-sqrt(6/n), sqrt(6/n)) has v = 1 - e^(-2v)."""
    points = theory.variance_fixed_points(activations.get("sin"), math.sqrt(2))
    assert [one.q for one in points if one.stability == "stable"] == pytest.approx([0.796812], 1e-6)


def square_layers(width, depth, weight_variance, bias_variance=0.0):
    return [Layer(width, width, weight_variance / width, bias_variance)] * depth


def test_sigmoid_layers_lose_the_gradient():
    """E4: ten sigmoid layers multiply it by 5.4e-7, fifty by 4.5e-32, from q* on."""
    activation = activations.Sigmoid()
    q = theory.limit(activation, 1.0, 1.0)
    second = moments(activation, q).second_moment
    for depth, expected in ((10, 5.4e-7), (50, 4.5e-32)):
        predicted = predict(activation, square_layers(500, depth + 1, 1.0), second)
        assert relative_gradients(predicted)[0] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("name", ["tanh", "relu", "gtu", "maxout", "softmax"])
def test_prediction_layer_by_layer_is_what_a_drawn_network_has(name):
    """Widths that differ, variances on their way, one pass forward and one backward."""
    activation = activations.get(name)
    rng = np.random.default_rng(0)
    outputs = [200, 400, 200, 300]
    inputs = [round(units * activation.inputs_per_output) for units in outputs[1:]]
    layers = [Layer(a, b, 1.5 / a, 0.02) for a, b in zip(outputs, inputs, strict=False)]
    predicted = predict(activation, layers)
    first = rng.standard_normal((60, outputs[0]))
    other = 0.6 * first + 0.8 * rng.standard_normal((60, outputs[0]))
    a, weights, z, y = np.concatenate([first, other]), [], [], []
    for layer in layers:
        weights.append(rng.normal(0, math.sqrt(layer.weight_variance), layer[:2]))
        z.append(a @ weights[-1] + rng.normal(0, math.sqrt(layer.bias_variance), layer.fan_out))
        y.append(a := activation(z[-1]))
    gradient = rng.standard_normal(z[-1].shape)
    size = [np.sqrt(np.mean(gradient**2))]
    for k in range(len(layers) - 2, -1, -1):
        gradient = activation.backward(z[k], y[k], gradient @ weights[k + 1].T)
        size.append(np.sqrt(np.mean(gradient**2)))
    for found, one in zip(z, predicted, strict=True):
        assert np.mean(found**2) == pytest.approx(one.variance, rel=0.12)
    np.testing.assert_allclose(np.divide(size[::-1], size[0]), relative_gradients(predicted), 0.12)
    if isinstance(activation, Elementwise | Gated):
        products = [np.mean(one[:60] * one[60:]) / np.mean(one**2) for one in z]
        correlations = predict_correlations(activation, layers, predicted, 0.6)
        np.testing.assert_allclose(products, correlations, atol=0.06)
