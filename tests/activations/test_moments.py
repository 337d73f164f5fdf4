"""Moments under N(0, q) against published tables, closed forms and an independent quadrature."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

import activations
from activations.base import Elementwise
from activations.functions.gated import Gated
from activations.moments import Covariance, gaussian_mean, moments

# E f, E f^2, gain, E f'^2, slope of the variance map with that gain: published.md E2, recomputed
# there by an independent quadrature.
TABLE = {
    "relu": (0.398942280, 0.5, 1.41421356, 0.5, 1),
    "leaky_relu": (0.319153824, 0.52, 1.38675049, 0.52, 1),
    "elu": (0.160520572, 0.644945417, 1.24519830, 0.668102001, 0.89097),
    "selu": (0, 1, 1, 1.071574992, 0.78265),
    "sigmoid": (0.5, 0.293379036, 1.84622855, 0.044836241, 0.10634),
    "tanh": (0, 0.394294490, 1.59253742, 0.464402902, 0.46107),
    "softsign": (0, 0.183014021, 2.33753336, 0.227671340, 0.47671),
    "softplus": (0.806059183, 0.921245909, 1.04186684, 0.293379036, 0.49205),
    "gelu": (0.282094792, 0.425221483, 1.53353044, 0.455850866, 1.14406),
    "silu": (0.206620964, 0.355775520, 1.67653247, 0.379482352, 1.17259),
    "mish": (0.240403888, 0.452342192, 1.48684758, 0.479083758, 1.07634),
    "sin": (0, 0.432332358, 1.52086662, 0.567667642, 0.31304),
    "arctan": (0, 0.449700916, 1.49120762, 0.5, 0.56082),
    "scaled_tanh": (0, 0.750430276, 1.15436945, 0.803989113, None),
    "hardtanh": (0, 0.516058551, 1.39203614, 0.682689492, None),
}

# 1/sd that DeepMind's NFNets and timm's _nonlin_gamma list, found there by simulation.
SIMULATED = {
    "relu": 1.71395886,
    "gelu": 1.70150435,
    "silu": 1.78812933,
    "tanh": 1.59391177,
    "sigmoid": 4.80383539,
    "elu": 1.27160048,
    "selu": 1.00085151,
    "softplus": 1.92033231,
    "softsign": 2.33885312,
    "relu6": 1.71314847,
}


def activation(name):
    return activations.get(name, **({"alpha": 0.2} if name == "leaky_relu" else {}))


@pytest.mark.parametrize("name", TABLE)
def test_table(name):
    mean, second, gain, slopes, growth = TABLE[name]
    found = moments(activation(name))
    assert found.mean == pytest.approx(mean, abs=1e-9)
    assert found.second_moment == pytest.approx(second, abs=1e-9)
    assert found.gain == pytest.approx(gain, abs=1e-8)
    assert found.slope_second_moment == pytest.approx(slopes, abs=1e-9)
    if growth is not None:
        assert found.gain**2 * found.growth == pytest.approx(growth, abs=1e-5)


@pytest.mark.parametrize("name", SIMULATED)
def test_deviation_is_what_others_simulate(name):
    assert 1 / moments(activations.get(name)).deviation == pytest.approx(SIMULATED[name], rel=1e-3)


def test_closed_forms():
    def of(name):
        return moments(activations.get(name))

    assert of("relu").mean == pytest.approx(1 / math.sqrt(2 * math.pi), rel=1e-13)
    assert of("gelu").mean == pytest.approx(1 / (2 * math.sqrt(math.pi)), rel=1e-13)
    assert of("sin").second_moment == pytest.approx((1 - math.exp(-2)) / 2, rel=1e-13)
    assert of("softplus").slope_second_moment == pytest.approx(of("sigmoid").second_moment, 1e-13)
    for variance in (1e-8, 1.0, 20.0):
        found = moments(activations.get("exponential"), variance)
        assert found.second_moment == pytest.approx(math.exp(2 * variance), rel=1e-12)
        assert moments(activations.get("cubic"), variance).second_moment == pytest.approx(
            15 * variance**3, rel=1e-12
        )


@pytest.mark.parametrize("name", activations.names())
def test_all_have_finite_moments_or_are_refused(name):
    function = activations.get(name)
    if not isinstance(function, (Elementwise, Gated)):
        with pytest.raises(TypeError, match="whole row"):
            moments(function)
        return
    for variance in (1e-6, 1.0, 100.0):
        try:
            found = moments(function, variance)
        except ValueError as error:
            assert name in ("exponential", "finer")
            assert "mean" in str(error)
        else:
            values = (found.mean, found.second_moment, found.slope_second_moment, found.growth)
            assert np.isfinite(values).all()


@pytest.mark.parametrize(
    ("expression", "kinks"),
    [
        ("max(x, 0.3)", [0.3]),
        ("where(x > 0.7, 1, tanh(x))", [0.7]),
        ("tanh(500 * x)", [0.0]),
        ("exp(-(1000 * x)**2)", [0.0]),
    ],
)
def test_nobody_need_declare_kinks_jumps_or_steepness(expression, kinks):
    function = activations.Formula(expression=expression)
    for variance in (0.01, 1.0, 400.0):
        scale = math.sqrt(variance)

        def density(z, scale=scale):
            value = float(function(z) ** 2)
            return value * math.exp(-((z / scale) ** 2) / 2) / (scale * math.sqrt(2 * math.pi))

        far = 12 * scale
        ends = sorted({-far, far, *kinks, *(k + s * w for k in kinks for s in (-1, 1)
                       for w in (1e-3, 1e-2, 0.1, 1) if w < far)})  # fmt: skip
        expected = sum(quad(density, *pair, epsabs=1e-13, limit=200)[0] for pair in pairwise(ends))
        found = gaussian_mean(lambda z: function(z) ** 2, variance)
        assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("log(x)", "not finite"),
        ("exp(x * x)", "mean"),
        ("exp(x * x / 4)", "mean"),
        ("1 / x", "mean"),
    ],
)
def test_what_has_no_second_moment_is_refused(expression, message):
    with pytest.raises(ValueError, match=message):
        moments(activations.Formula(expression=expression))


def test_gated_units_multiply_the_means_of_independent_halves():
    """Moments of silu(a) b and of its two derivatives equal those of two million samples."""
    function = activations.get("swiglu")
    z = np.sqrt(0.7) * np.random.default_rng(0).standard_normal((1_000_000, 2))
    y, slopes = function(z), function.gradient(z)
    found = moments(function, 0.7)
    assert found.second_moment == pytest.approx(np.mean(y * y), rel=0.02)
    assert found.slope_second_moment == pytest.approx(2 * np.mean(slopes**2), rel=0.02)
    above, below = (moments(function, 0.7 + step).second_moment for step in (1e-4, -1e-4))
    assert found.growth == pytest.approx((above - below) / 2e-4, rel=1e-6)


def test_rows_are_sampled():
    """Maxout's pairs are independent, so E max(a, b)^2 = 1 for one Gaussian pair."""
    found = moments(activations.get("maxout"), 1.0, units=50)
    assert found.mean == pytest.approx(1 / math.sqrt(math.pi), rel=0.01)
    assert found.second_moment == pytest.approx(1, rel=0.01)
    assert found.slope_second_moment == pytest.approx(1, rel=1e-12)
    assert found.growth == pytest.approx(1, rel=0.01)


def arc_cosine(c):
    """E relu(z1) relu(z2) / E relu(z)^2 for correlation c. Cho & Saul 2009."""
    return (math.sqrt(1 - c * c) + c * (math.pi - math.acos(c))) / math.pi


def test_covariance_of_relu_is_the_arc_cosine_kernel():
    covariance = Covariance(activations.ReLU(), 3.0)
    for c in (-1, -0.9, 0, 0.5, 0.98):
        assert covariance(c) / 1.5 == pytest.approx(arc_cosine(c), abs=1e-10)
    for distance in (1e-3, 1e-4, 1e-6, 1e-8):  # beyond the terms of the series
        lost = 1 - arc_cosine(1 - distance)
        assert 1 - covariance(1 - distance) / 1.5 == pytest.approx(lost, rel=1e-5)
    assert covariance(1) == pytest.approx(1.5, rel=1e-12)
    assert covariance.slope(1) == pytest.approx(1.5, rel=1e-12)
    assert covariance.slope(0.3) / 1.5 == pytest.approx(1 - math.acos(0.3) / math.pi, rel=1e-9)


def test_covariance_of_erf_and_of_a_jump_are_arc_sines():
    """erf: 2/pi asin(2 q c / (1 + 2 q)), Williams 1997; step: 1/4 + asin(c) / 2 pi."""
    erf, step = Covariance(activations.get("erf"), 2.0), Covariance(activations.get("step"))
    for c in (-0.7, 0.0, 0.4, 0.95, 1.0):
        expected = 2 / math.pi * math.asin(4 * c / 5)
        assert erf(c) == pytest.approx(expected, abs=1e-12)
        assert step(c) == pytest.approx(0.25 + math.asin(c) / (2 * math.pi), abs=1e-9)
    assert step(0.9999) == pytest.approx(0.25 + math.asin(0.9999) / (2 * math.pi), abs=1e-6)
    assert step.slope(1) == math.inf
    undeclared = Covariance(activations.Formula(expression="where(x > 0.3, 1, 0)"))
    assert undeclared.slope(1) == math.inf


def test_covariance_of_a_gated_unit_is_a_product():
    both = Covariance(activations.get("glu"), 1.3)
    assert both(0.6) == pytest.approx(
        Covariance(activations.get("sigmoid"), 1.3)(0.6) * 1.3 * 0.6, rel=1e-12
    )
    step = 1e-5
    slope = (both(0.6 + step) - both(0.6 - step)) / (2 * step)
    assert both.slope(0.6) == pytest.approx(slope, rel=1e-8)
