"""The derivative at a kink is a convention: ours is PyTorch's, except for ReLU and LeakyReLU.

ReLU and LeakyReLU have 1 by default, as in the article that this project started from; a parameter
sets PyTorch's value. The table also has JAX's value where it differs.
"""

from __future__ import annotations

import numpy as np
import pytest

import activations

SELU_LEFT = 1.6732632423543772 * 1.0507009873554805

# name, parameters, x, f'(x) here, what JAX (or another library) takes where it differs
KINKS = [
    ("relu", {}, 0.0, 1.0, 0.0),
    ("relu", {"derivative_at_zero": 0.0}, 0.0, 0.0, None),
    ("relu", {"derivative_at_zero": 0.5}, 0.0, 0.5, None),
    ("leaky_relu", {}, 0.0, 1.0, None),
    ("leaky_relu", {"alpha": 0.01, "derivative_at_zero": 0.01}, 0.0, 0.01, 1.0),
    ("keras_relu", {"negative_slope": 0.5}, 0.0, 0.5, 1.0),
    ("keras_relu", {"max_value": 6.0}, 6.0, 0.0, None),
    ("prelu", {}, 0.0, 0.25, None),
    ("rrelu", {}, 0.0, (1 / 8 + 1 / 3) / 2, None),
    ("relu6", {}, 0.0, 0.0, None),
    ("relu6", {}, 6.0, 0.0, None),
    ("hardtanh", {}, -1.0, 0.0, 1.0),
    ("hardtanh", {}, 1.0, 0.0, 1.0),
    ("clip", {}, 0.0, 0.0, 0.5),
    ("clip", {}, 1.0, 0.0, 0.5),
    ("hardsigmoid", {}, -3.0, 0.0, None),
    ("hardsigmoid", {}, 3.0, 0.0, None),
    ("hardsigmoid", {"slope": 0.2}, -2.5, 0.0, None),
    ("hardsigmoid", {"slope": 0.2}, 2.5, 0.0, None),
    ("hardswish", {}, -3.0, 0.0, None),
    ("hardswish", {}, 3.0, 1.0, None),
    ("elu", {"alpha": 2.0}, 0.0, 2.0, None),
    ("selu", {}, 0.0, SELU_LEFT, None),
    ("celu", {"alpha": 2.0}, 0.0, 1.0, None),
    ("hardshrink", {}, 0.5, 0.0, None),
    ("hardshrink", {}, -0.5, 0.0, None),
    ("softshrink", {}, 0.5, 0.0, None),
    ("softshrink", {}, -0.5, 0.0, None),
    ("shrink", {"bias": 0.25}, 0.5, 0.0, None),
    ("threshold", {"threshold": 0.5, "value": 20.0}, 0.5, 0.0, None),
    ("thresholded_relu", {}, 1.0, 0.0, None),
    ("sparse_sigmoid", {}, -1.0, 0.0, 0.25),
    ("sparse_sigmoid", {}, 1.0, 0.0, 0.25),
    ("sparse_plus", {}, -1.0, 0.0, None),
    ("sparse_plus", {}, 1.0, 1.0, None),
    ("smelu", {"beta": 2.0}, -2.0, 0.0, None),
    ("smelu", {"beta": 2.0}, 2.0, 1.0, None),
    ("abs", {}, 0.0, 0.0, 1.0),
    ("hard_mish", {}, -2.0, 0.0, None),
    ("hard_mish", {}, 0.0, 1.0, None),
    ("hard_elish", {}, -1.0, 0.0, None),
    ("hard_elish", {}, 0.0, 0.5, None),
    ("hard_elish", {}, 1.0, 1.0, None),
    ("relu_squared", {}, 0.0, 0.0, None),
    ("star_relu", {}, 0.0, 0.0, None),
    ("nlrelu", {}, 0.0, 0.0, None),
    ("sqnl", {}, -2.0, 0.0, None),
    ("sqnl", {}, 0.0, 1.0, None),
    ("sqnl", {}, 2.0, 0.0, None),
    ("hard_gaussian_hat", {}, -1.0, 0.0, None),
    ("hard_gaussian_hat", {}, 0.0, 0.0, None),
    ("hard_gaussian_hat", {}, 1.0, 0.0, None),
    ("step", {}, 0.0, 0.0, None),
    ("sign_ste", {}, 0.0, 1.0, None),
    ("sign_ste", {}, 1.0, 1.0, None),
    ("sign_ste", {}, -1.0, 1.0, None),
    ("sign_ste", {"window": 0.0}, 0.0, 0.0, None),
    ("pelu", {}, 0.0, 1.0, None),
    ("xielu", {}, 0.0, 0.5, None),
    ("clipped_gelu", {}, 10.0, 0.0, None),
    ("relu_sin", {}, 0.0, 0.0, None),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "parameters", "x", "slope", "elsewhere"), KINKS)
def test_derivative_at_the_kink(name, parameters, x, slope, elsewhere, dtype) -> None:
    activation = activations.get(name, **parameters)
    assert x in activation.kinks
    expected = dtype(slope)
    for size in (1, 2, 3, 17, 64):  # a kink may not depend on the lane of the vector unit
        found = activation.gradient(np.full(size, x, dtype))
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=2 * np.finfo(dtype).eps)
    if x == 0:
        negative_zero = activation.gradient(np.array([-0.0], dtype))
        np.testing.assert_allclose(negative_zero, expected, rtol=2 * np.finfo(dtype).eps)
    assert elsewhere is None or elsewhere != slope


def test_kinks_of_a_clipped_gelu_are_where_it_reaches_its_bounds() -> None:
    for low, high, count in ((-0.1, 2.0, 3), (-0.1, 50.0, 3), (0.5, 0.7, 2), (-1.0, -0.05, 2)):
        kinks = activations.get("clipped_gelu", low=low, high=high).kinks
        reached = activations.get("gelu")(np.array(kinks))
        assert len(kinks) == count
        assert np.isclose(reached[:, None], [low, high], rtol=1e-15).any(axis=1).all()


def test_axis_wise_and_gated_kinks() -> None:
    np.testing.assert_array_equal(activations.get("crelu").gradient([0.0, 0.0]), 0)
    np.testing.assert_array_equal(activations.get("reglu").gradient([0.0, 2.0]), [0, 0])
    np.testing.assert_array_equal(activations.get("maxout").gradient([1.0, 1.0]), [1, 0])
    clamps = activations.get("swiglu_clamped").gradient([[7.0, 0.5], [1.0, 7.0], [1.0, -7.0]])
    assert clamps[0, 0] == clamps[1, 1] == clamps[2, 1] == 0
    np.testing.assert_array_equal(activations.get("sparsemax").gradient([1.0, 0.0]), [0, 0])


def test_parameter_gradients_at_the_kink_are_the_smallest() -> None:
    prelu = activations.get("prelu")
    zero = np.zeros((1, 2))
    assert prelu.parameter_gradients(zero, zero, np.ones_like(zero))["alpha"] == 0


# keras.activations.relu of Keras 3.15.1 on PyTorch 2.13.0, at these x
KERAS_X = [-6.0, -5.0, -2.0, -1.0, -0.5, 0.0, 1.0, 5.0, 6.0, 8.0, 9.0]
KERAS_RELU = [
    ({"threshold": 5.0}, [0, 0, 0, 0, 0, 0, 0, 0, 6, 8, 9]),
    (
        {"threshold": 5.0, "negative_slope": 0.5},
        [-5.5, -5, -3.5, -3, -2.75, -2.5, -2, 0, 6, 8, 9],
    ),
    (
        {"threshold": 5.0, "negative_slope": 0.25, "max_value": 8.0},
        [-2.75, -2.5, -1.75, -1.5, -1.375, -1.25, -1, 0, 6, 8, 8],
    ),
    ({"threshold": -1.0}, [0, 0, 0, 0, -0.5, 0, 1, 5, 6, 8, 9]),
    ({"threshold": -1.0, "max_value": 4.0}, [0, 0, 0, 0, 0, 0, 1, 4, 4, 4, 4]),
    (
        {"threshold": -1.0, "negative_slope": 0.5, "max_value": 4.0},
        [-2.5, -2, -0.5, 0, 0, 0, 1, 4, 4, 4, 4],
    ),
    ({"threshold": -5.0, "negative_slope": 0.5}, [-0.5, 0, -2, -1, -0.5, 0, 1, 5, 6, 8, 9]),
    ({"negative_slope": 0.5}, [-3, -2.5, -1, -0.5, -0.25, 0, 1, 5, 6, 8, 9]),
]


@pytest.mark.parametrize(("parameters", "expected"), KERAS_RELU)
def test_keras_relu_is_what_keras_computes(
    parameters: dict[str, float], expected: list[float]
) -> None:
    found = activations.get("keras_relu", **parameters)(np.array(KERAS_X))
    np.testing.assert_array_equal(found, expected)
