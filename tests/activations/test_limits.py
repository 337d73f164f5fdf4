"""Infinities, NaN and unusual arrays, for every activation.

test_accuracy.py has the limits of the elementwise functions. Here are those of functions of a row,
and properties of all functions.
"""

from __future__ import annotations

import numpy as np
import pytest

import activations
from activations import Elementwise
from activations.functions.axiswise import AxisWise

NAMES = activations.names()
ELEMENTWISE = [n for n in NAMES if issubclass(activations.get_class(n), Elementwise)]
ROWS = [n for n in NAMES if issubclass(activations.get_class(n), AxisWise)]
INF, NAN = np.inf, np.nan


def row(name: str, dtype: type, scale: float = 1.0) -> np.ndarray:
    width = round(6 * activations.get_class(name)().inputs_per_output)
    return (scale * np.random.default_rng(1).standard_normal((5, width))).astype(dtype)


def test_every_activation_is_of_a_known_kind() -> None:
    assert set(ELEMENTWISE) | set(ROWS) == set(NAMES)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ROWS)
def test_nan_stays_in_its_row_and_fills_it(name: str, dtype: type) -> None:
    """A row with a NaN gives a row of NaN; the other rows do not change."""
    activation = activations.get(name)
    x = row(name, dtype)
    clean = activation(x)
    for lane in range(x.shape[1]):
        dirty = x.copy()
        dirty[2, lane] = np.nan
        with np.errstate(all="raise", under="ignore"):
            y = activation(dirty)
            slopes = activation.gradient(dirty)
        np.testing.assert_array_equal(np.delete(y, 2, axis=0), np.delete(clean, 2, axis=0))
        assert np.isnan(y[2]).any()
        assert np.isnan(slopes[2]).any()
        assert not np.isnan(np.delete(slopes, 2, axis=0)).any()
        if activation.inputs_per_output == 1:
            assert np.isnan(y[2]).all()
            assert np.isnan(slopes[2]).all()


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1.0, 1e4, 1e30, 1e300])
@pytest.mark.parametrize("name", ROWS)
def test_rows_of_any_size_give_no_nan_and_no_warning(name: str, scale: float) -> None:
    activation = activations.get(name)
    x = row(name, np.float64, scale)
    x[0] = 0
    x[1] = np.abs(x[1]).max()
    with np.errstate(all="raise", under="ignore"):
        y = activation(x)
        slopes = activation.gradient(x)
        back = activation.backward(x, y, np.ones_like(y))
    assert not np.isnan(y).any()
    assert not np.isnan(slopes).any()
    if scale < 1e100:
        assert np.isfinite(y).all()
        assert np.isfinite(back).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_no_float_gives_a_warning(name: str, dtype: type) -> None:
    """This includes infinities, NaN, huge and subnormal numbers, alone and mixed in a row."""
    info = np.finfo(dtype)
    sizes = [0, info.smallest_subnormal, info.tiny, 1e-3, 1, 88, 89, 709, 710, 1e10, 1e30]
    sizes += [info.max**0.5, info.max / 2, info.max, INF]
    values = np.array([*sizes, *(-size for size in sizes), NAN], dtype)
    activation = activations.get(name)
    x = values
    if name in ROWS:
        width = round(4 * activation.inputs_per_output)
        rng = np.random.default_rng(0)
        alone = np.zeros((len(values), width), dtype)
        alone[:, 0] = values
        equal = np.repeat(values[:, None], width, axis=1)
        mixed = [rng.choice(some, (500, width)) for some in (values, values[np.isfinite(values)])]
        x = np.concatenate([alone, equal, *mixed])
    with np.errstate(all="raise", under="ignore"):
        y = activation(x)
        slopes = activation.gradient(x)
        back = activation.backward(x, y, np.ones_like(y))
    assert y.dtype == slopes.dtype == back.dtype == dtype


LIMITS = [
    ("softmax", [0.0, -INF], [1, 0]),
    ("softmax", [-INF, -INF], [NAN, NAN]),
    ("softmax", [0.0, INF], [NAN, NAN]),
    ("softmin", [0.0, INF], [1, 0]),
    ("softmin", [INF, INF], [NAN, NAN]),
    ("softmax_one", [-INF, -INF], [0, 0]),
    ("log_softmax", [0.0, -INF], [0, -INF]),
    ("log_softmax", [-INF, -INF], [NAN, NAN]),
    ("hardmax", [-INF, 3.0, 3.0], [0, 1, 0]),
    ("sparsemax", [0.5, -INF, 0.5], [0.5, 0, 0.5]),
    ("sparsemax", [-INF, -INF], [NAN, NAN]),
    ("sparsemax", [1e300, 1e300], [0.5, 0.5]),
    ("entmax15", [0.5, -INF, 0.5], [0.5, 0, 0.5]),
    ("entmax", [0.5, -INF, 0.5], [0.5, 0, 0.5]),
    ("logsumexp", [-INF, -INF], [-INF]),
    ("logsumexp", [0.0, INF], [INF]),
    ("logmeanexp", [-INF, -INF], [-INF]),
    ("maxout", [-INF, INF], [INF]),
    ("crelu", [-INF, INF], [0, INF, INF, 0]),
    ("l2_normalize", [0.0, 0.0], [0, 0]),
    ("squash", [0.0, 0.0], [0, 0]),
    ("squash", [1e300, 0.0], [1, 0]),
    ("standardize", [1e300, -1e300], [1, -1]),
    ("taylor_softmax", [1e300, -1e300], [0.5, 0.5]),
    ("glu", [2.0, -INF], [0]),
    ("glu", [2.0, INF], [2]),
    ("gtu", [INF, INF], [1]),
    ("swiglu_clamped", [INF, INF], [8 * 7 / (1 + np.exp(-1.702 * 7))]),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "x", "expected"), LIMITS)
def test_limits_of_rows(name: str, x: list[float], expected: list[float], dtype: type) -> None:
    if dtype is np.float32 and max(np.abs(x)) == 1e300:
        x = [value / 1e265 for value in x]
    with np.errstate(all="raise", under="ignore"):
        found = activations.get(name)(np.array(x, dtype))
    np.testing.assert_allclose(found, np.array(expected, dtype), rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", ["softmax", "sparsemax", "entmax15", "entmax"])
def test_masked_rows_may_give_zeros(name: str) -> None:
    activation = activations.get(name, masked_rows="zeros")
    x = np.array([[-INF, -INF], [0.0, 0.0], [NAN, -INF]])
    y = activation(x)
    np.testing.assert_allclose(y, [[0, 0], [0.5, 0.5], [NAN, NAN]], rtol=1e-15)
    np.testing.assert_array_equal(activation.backward(x, y, np.ones_like(x))[0], 0)
    logarithm = activations.get("log_softmax", masked_rows="zeros")
    np.testing.assert_array_equal(logarithm(x)[0], -INF)
    softmin = activations.get("softmin", masked_rows="zeros")
    np.testing.assert_allclose(softmin(-x), y, rtol=1e-15)
    with pytest.raises(ValueError, match="masked_rows must be one of nan, zeros; got 'one'"):
        activations.get(name, masked_rows="one")


@pytest.mark.parametrize("name", ROWS)
def test_one_number_is_refused_in_a_line(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} needs a row of numbers, got a single one"):
        activations.get(name)(1.0)


@pytest.mark.parametrize("name", NAMES)
def test_integers_and_lists_are_taken_as_float64(name: str) -> None:
    activation = activations.get(name)
    x = [[1, 0, -2, 3]]
    found = activation(x)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, activation(np.array(x, float)))
    with pytest.raises(TypeError, match="expected float32, float64 or integer input"):
        activation(np.array([1j, 2j]))


@pytest.mark.parametrize("name", ROWS)
def test_leading_axes_and_memory_order_do_not_matter(name: str) -> None:
    activation = activations.get(name)
    x = row(name, np.float64)
    y = activation(x)
    stacked = np.stack([x, x])
    np.testing.assert_allclose(activation(stacked), np.stack([y, y]), rtol=1e-15)
    turned = np.asfortranarray(x)
    np.testing.assert_allclose(activation(turned), y, rtol=1e-14)
    np.testing.assert_allclose(activation(x[0]), y[0], rtol=1e-15)
