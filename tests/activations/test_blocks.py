"""Evaluation block by block gives the same bytes and needs little memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import activations
from activations import base
from activations.functions import axiswise
from tests.activations.test_vjp import learnable

pytestmark = pytest.mark.slow

REPLICATES, BATCH, UNITS = 2, 400, 240


def prepared(name: str, bound: bool) -> tuple[activations.Activation, np.ndarray]:
    """Return the activation, learnable if it can be, and an input of many blocks."""
    activation = learnable(name)
    rng = np.random.default_rng(3)
    if bound:
        shape = (REPLICATES, 1, UNITS if activation.parameters_per_unit else 1)
        for key, value in activation.params.items():
            activation.params[key] = value + 0.1 * rng.random(shape)
    return activation, 3 * rng.standard_normal((REPLICATES, BATCH, UNITS))


def results(activation: activations.Activation, x: np.ndarray) -> dict[str, Callable[[], Any]]:
    y = activation(x)
    grad = np.random.default_rng(4).standard_normal(y.shape).astype(x.dtype)
    found: dict[str, Callable[[], Any]] = {
        "value": lambda: activation(x),
        "backward": lambda: activation.backward(x, y, grad),
        "parameters": lambda: list(activation.parameter_gradients(x, y, grad).values()),
    }
    if isinstance(activation, activations.Elementwise):
        found["gradient"] = lambda: activation.gradient(x)
    return found


def peak(function: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("bound", [False, True], ids=["numbers", "arrays"])
@pytest.mark.parametrize("name", activations.names())
def test_memory_is_a_few_times_the_input(name: str, bound: bool) -> None:
    activation, x = prepared(name, bound)
    if bound and not activation.params:
        return
    for what, function in results(activation, x).items():
        most = 8 + 3 * len(activation.params) * (what == "parameters")
        assert peak(function) <= most * x.nbytes, what


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bound", [False, True], ids=["numbers", "arrays"])
@pytest.mark.parametrize("name", [name for name in activations.names() if learnable(name).params])
def test_blocks_give_the_same_bytes(
    name: str, bound: bool, dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    activation, x = prepared(name, bound)
    x = x[:, :90].astype(dtype)
    found = {what: function() for what, function in results(activation, x).items()}
    for module in (base, axiswise):
        monkeypatch.setattr(module, "BLOCK_ELEMENTS", x.size)
    for what, function in results(activation, x).items():
        for part, whole in zip(np.atleast_1d(found[what]), np.atleast_1d(function()), strict=True):
            assert part.tobytes() == whole.tobytes(), what


@pytest.mark.parametrize("name", [name for name in activations.names() if learnable(name).params])
def test_blocks_sum_parameter_gradients_in_the_order_that_training_has(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In training the units axis precedes the samples axis; many replicates are cut into blocks."""
    activation, x = prepared(name, bound=True)
    x = np.ascontiguousarray(x[:, :90].swapaxes(-1, -2).astype(np.float32)).swapaxes(-1, -2)
    y = activation.forward(x)
    found = activation.unchecked_parameter_gradients(x, y, x)
    monkeypatch.setattr(base, "BLOCK_ELEMENTS", x.size // 7)
    cut = activation.unchecked_parameter_gradients(x, y, x)
    monkeypatch.setattr(base, "BLOCK_ELEMENTS", x.size)
    whole = activation.unchecked_parameter_gradients(x, y, x)
    for key in activation.params:
        assert found[key].tobytes() == cut[key].tobytes() == whole[key].tobytes(), key
