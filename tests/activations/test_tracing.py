"""A traced formula gives the same bits as the formula, for all shapes and buffers."""

import numpy as np
import pytest

import activations
from activations.base import Elementwise
from activations.functions.special import where_below
from activations.tracing import BLOCK_ELEMENTS, Untraceable, trace

PLAIN = {"cloglog", "finer", "formula"}  # look values up in a table, or at all values at once
NAMES = [
    name
    for name in activations.names()
    if issubclass(activations.get_class(name), Elementwise)
    and not activations.get_class(name).stochastic
    and not activations.get(name).params
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_every_elementwise_function_is_traced(name, dtype):
    x = (60 * np.random.default_rng(1).standard_normal((2, 3, 9))).astype(dtype)
    x[0, 0] = [0.0, -0.0, 1e-30, -1e-30, -800, 800, -88, -104, -14]
    formula = activations.get(name).value_and_derivative
    if name in PLAIN:
        with pytest.raises(Untraceable):
            trace(formula, x)
        return
    with np.errstate(all="ignore"):
        expected = formula(x)
        found = np.empty((2, *x.shape), dtype)
        for call in trace(formula, x).bind([x], list(found)):
            call()
    assert (found + 0.0).tobytes() == (np.array(expected) + 0.0).tobytes()  # -0 counts as 0


@pytest.mark.parametrize(
    "shape", [(3, 5), (1, 3, BLOCK_ELEMENTS), (1, 7, 4001), (BLOCK_ELEMENTS + 1,), (40, 16, 33)]
)
def test_blocks_cover_all_of_any_shape(shape):
    x = np.random.default_rng(2).standard_normal(shape)
    gap = np.zeros((*shape[:-1], shape[-1] + 1))[..., :-1]  # as a layer's outputs have, for ones
    for call in trace(lambda x: [x * np.exp(x) + 1], x).bind([x], [gap]):
        call()
    assert np.array_equal(gap, x * np.exp(x) + 1)


@pytest.mark.parametrize(
    "formula",
    [
        lambda x: (x, x),
        lambda x: (1 - x, np.exp(x) * (x + (1 - x))),
        lambda x: (np.where(x > 0, 2.0, x), np.where(x > 0, x, 2.0)),
        lambda x: (where_below(x, 0.0, lambda c: c * x, x + 1), x * x),
        lambda x: (x * x, where_below(x, 0.0, lambda c: c * x, x)),
        lambda x: (where_below(x, -9.0, np.exp, x), where_below(x, 0.0, np.abs, x * 1)),
        lambda x: (where_below(x, 1.0, lambda c: where_below(c, 0.0, np.exp, c), x), x + 1),
        lambda x: (np.float64(3) * x**2, x**0.5),
        lambda x: (_in_place(x), x),
    ],
)
def test_an_output_may_overwrite_the_input(formula):
    x = np.random.default_rng(3).standard_normal((4, 50))
    with np.errstate(invalid="ignore"):
        expected = [np.array(result) for result in formula(x)]
        for overwritten in (0, 1):
            own = x.copy()
            outputs = [np.empty_like(x), np.empty_like(x)]
            outputs[overwritten] = own
            for call in trace(formula, own).bind([own], outputs):
                call()
            for found, right in zip(outputs, expected, strict=True):
                assert np.array_equal(found, right, equal_nan=True)


def _in_place(x):
    y = x + 1
    before = y * 2
    y *= x
    y -= before
    return y + before


def test_an_operand_of_length_one_belongs_to_all_blocks():
    x = np.random.default_rng(4).standard_normal((3, 16, BLOCK_ELEMENTS // 4))
    slopes = np.random.default_rng(5).standard_normal((3, 16, 1))
    found = np.empty_like(x)
    formula = trace(lambda x, a: [np.maximum(x, 0) + np.abs(a) * np.minimum(x, 0)], x, slopes)
    calls = formula.bind([x, slopes], [found])
    slopes *= 2  # what is learned changes in place
    for call in calls:
        call()
    assert np.array_equal(found, np.maximum(x, 0) + np.abs(slopes) * np.minimum(x, 0))


@pytest.mark.parametrize(
    "formula",
    [
        lambda x: [x if x > 0 else -x],
        lambda x: [x * x.max()],
        lambda x: [x[1:] + x[:-1]],
        lambda x: [x.clip(0, 1)],
        lambda x: [np.cumsum(x)],
        lambda x: [x + np.asarray(x)],
        lambda x: [np.add.reduce(x)],
        lambda x: [x + np.ones(3)],
    ],
)
def test_what_asks_for_values_is_refused(formula):
    with pytest.raises(Untraceable):
        trace(formula, np.ones(3))


def test_what_nobody_reads_is_not_computed():
    counted = trace(lambda x: [np.exp(x), np.tanh(x)][:1], np.ones(3))
    assert [operation.function for operation in counted.operations] == [np.exp]
    twice = trace(lambda x: [np.exp(x) * np.exp(x)], np.ones(3))
    assert len(twice.operations) == 2


def test_one_trace_serves_buffers_of_any_size():
    formula = trace(lambda x: [x * np.exp(-x), np.maximum(x, 0.5)], np.empty((2, 2, 2)))
    for shape in ((1, 3, 1), (2, 5, 7), (3, 17, BLOCK_ELEMENTS // 16)):
        x = np.random.default_rng(6).standard_normal(shape)
        found = np.empty((2, *shape))
        for call in formula.bind([x], list(found)):
            call()
        assert np.array_equal(found, [x * np.exp(-x), np.maximum(x, 0.5)])


def test_inputs_may_change_places_and_outputs_may_be_smaller():
    x, a = np.random.default_rng(7).standard_normal((2, 2, 3, 4))
    a = a[:, :1]

    def formula(x, a):
        return x * (np.exp(a) + 1), np.exp(a), a, x

    expected = [np.broadcast_to(result, x.shape) for result in formula(x.copy(), a.copy())]
    outputs = [np.empty_like(x), np.empty_like(x), x, np.empty_like(x)]
    for call in trace(formula, x, a).bind([x, a], outputs):
        call()
    for found, right in zip(outputs, expected, strict=True):
        assert np.array_equal(found, right)
    x, y = np.arange(3.0), np.ones(3)
    for call in trace(lambda x, y: (y, x), x, y).bind([x, y], [x, y]):
        call()
    assert (x.tolist(), y.tolist()) == ([1, 1, 1], [0, 1, 2])
