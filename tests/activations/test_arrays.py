"""Every function gives the same bits for the same numbers, whatever the array's layout and dtype.

Each function is compared with itself on a C-ordered float array; other tests check those values.
The sizes are below and above the block size.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import activations
from activations.base import BLOCK_ELEMENTS, Elementwise
from activations.functions.axiswise import AxisWise

WIDTH = 12
BATCHES = (3, BLOCK_ELEMENTS // WIDTH + 3)


def unaligned(x: np.ndarray) -> np.ndarray:
    room = np.empty(x.nbytes + 1, np.uint8)
    odd = room[1:].view(x.dtype).reshape(x.shape)
    odd[...] = x
    return odd


def read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.setflags(write=False)
    return x


INTEGERS: list[Callable[[np.ndarray], object]] = [
    lambda x: x.astype(np.int8),
    lambda x: x.astype(">i4"),
    lambda x: x.astype(int).tolist(),
]
FLOATS: list[Callable[[np.ndarray], object]] = [
    np.asfortranarray,
    lambda x: np.repeat(x, 2, axis=-1)[:, ::2],
    lambda x: x.astype(x.dtype.newbyteorder("S")),
    lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    unaligned,
    read_only,
]


def results(f: activations.Activation, x: object, y: object, grad: object) -> dict[str, np.ndarray]:
    """Return all results of a function for these arrays."""
    with np.errstate(all="ignore"):
        found = {"value": f(x), "gradient": f.gradient(x), "product": f.backward(x, y, grad)}
        found |= f.parameter_gradients(x, y, grad)
        if isinstance(f, Elementwise):
            found["both"] = np.stack(f.value_and_gradient(x))
    return found


def assert_same_bits(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert list(found) == list(expected)
    for key, array in expected.items():
        assert found[key].dtype == array.dtype, key
        assert found[key].tobytes() == array.tobytes(), key


def sample(
    f: activations.Activation, batch: int, dtype: type = np.float64, whole: bool = False
) -> tuple[np.ndarray, ...]:
    """Return x, y and grad; whole numbers repeat and have 0 among them."""
    rng = np.random.default_rng(batch)
    x = 3 * rng.standard_normal((batch, WIDTH)).astype(dtype)
    x = np.rint(x) + 0 if whole else x  # no -0
    with np.errstate(all="ignore"):
        y = f.forward(x)
    grad = rng.standard_normal(y.shape).astype(dtype)
    return x, y, np.rint(3 * grad) + 0 if whole else grad


@pytest.mark.parametrize("name", activations.names())
def test_the_same_numbers_give_the_same_bits(name: str) -> None:
    f = activations.get(name)
    for batch, kinds in zip(BATCHES, (INTEGERS, INTEGERS[:1]), strict=True):
        x, y, grad = sample(f, batch, whole=True)
        expected = results(f, x, y, grad)
        assert {array.dtype for array in expected.values()} == {np.dtype(np.float64)}
        for make in kinds:
            assert_same_bits(results(f, make(x), y, make(grad)), expected)
    for dtype, batch, kinds in (
        (np.float64, BATCHES[0], FLOATS),
        (np.float64, BATCHES[1], FLOATS[:2]),
        (np.float32, BATCHES[0], FLOATS),
    ):
        x, y, grad = sample(f, batch, dtype)
        expected = results(f, x, y, grad)
        for make in kinds:
            assert_same_bits(results(f, make(x), make(y), make(grad)), expected)
    assert {array.dtype for array in expected.values()} == {np.dtype(np.float32)}
    mixed = results(f, x, y.astype(np.float64), grad.astype(np.float64))
    assert_same_bits(mixed, expected)  # the dtype of x decides


@pytest.mark.parametrize("name", activations.names())
def test_grad_broadcasts(name: str) -> None:
    """A number, a row or several gradients give the same as the array broadcast to full shape."""
    f = activations.get(name)
    for batch in BATCHES:
        x, y, grad = sample(f, batch)
        for given in (2, grad[0], grad[:, :1]):
            whole = np.broadcast_to(given, y.shape).astype(np.float64)
            with np.errstate(all="ignore"):
                expected = f.backward(x, y, whole)
                np.testing.assert_array_equal(f.backward(x, y, given), expected)
    several = np.stack([grad, 3 * grad])
    with np.errstate(all="ignore"):
        one_by_one = np.stack([f.backward(x, y, part) for part in several])
        np.testing.assert_array_equal(f.backward(x, y, several), one_by_one)
    for wrong in (grad[:2], np.ones((*y.shape, 1)), np.ones(y.shape[-1] + 1)):
        with pytest.raises(ValueError, match="does not fit y of shape"):
            f.backward(x, y, wrong)
    with pytest.raises(ValueError, match=r"^y must have the shape of f"):
        f.backward(x, y[0], grad)


@pytest.mark.parametrize("name", activations.names())
def test_empty_and_masked_arrays(name: str) -> None:
    f = activations.get(name)
    x = np.empty((0, WIDTH))
    y = f(x)
    assert y.shape == (0, round(WIDTH / f.inputs_per_output))
    assert f.gradient(x).size == 0
    assert f.backward(x, y, np.ones_like(y)).shape == x.shape
    assert f.backward(x, y, 1).shape == x.shape
    if isinstance(f, AxisWise):
        with pytest.raises(
            ValueError, match=r"needs rows of at least 1 number, got shape \(3, 0\)"
        ):
            f(np.empty((3, 0)))
        assert f.jacobian(x).shape == (0, y.shape[-1], WIDTH)
    else:
        assert f(np.empty((3, 0))).shape == f.gradient(np.empty((3, 0))).shape == (3, 0)
    x = np.ones((2, WIDTH))
    y = f.forward(x)
    masked = np.ma.masked_equal(x, 2.0)
    calls = (f, f.gradient, lambda m: f.backward(m, y, y), lambda m: f.backward(x, y, m[:, :1]))
    for call in calls:
        with pytest.raises(TypeError, match=r"got a masked array; give x\.filled"):
            call(masked)


@pytest.mark.parametrize("name", ["log_softmax", "glu", "maxout", "standardize"])
def test_jacobians_of_many_rows(name: str) -> None:
    f = activations.get(name)
    x = np.random.default_rng(1).standard_normal((BLOCK_ELEMENTS // WIDTH + 3, WIDTH))
    matrices = f.jacobian(x)
    for row in (0, len(x) // 2, len(x) - 1):
        np.testing.assert_array_equal(matrices[row], f.jacobian(x[row]))


class WrongDtype(Elementwise):
    def forward(self, x):
        return np.where(x > 0, np.float64(1) * x, 0.0)

    def derivative(self, x, y):
        return (x > 0).astype(int)


@pytest.mark.parametrize("size", [3, BLOCK_ELEMENTS + 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_formula_of_another_dtype_gives_that_of_x(size: int, dtype: type) -> None:
    x = np.linspace(-1, 2, size).astype(dtype)
    f = WrongDtype()
    y = f(x)
    found = [y, f.gradient(x), f.backward(x, y, np.ones(size)), *f.value_and_gradient(x)]
    assert {array.dtype for array in found} == {np.dtype(dtype)}
