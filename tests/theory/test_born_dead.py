"""Shares born dead: published.md E12, exact and simulated there."""

from __future__ import annotations

import pytest

import activations
from runner.theory.born_dead import (
    can_be_born_dead,
    least_share_of_interval,
    share_of_one_input,
)


@pytest.mark.parametrize(
    ("width", "hidden", "share"),
    [(2, 2, 0.4375), (2, 9, 0.924915), (3, 9, 0.699342), (4, 9, 0.440575), (5, 9, 0.248541)],
)
def test_share_of_one_input(width, hidden, share):
    assert share_of_one_input([width] * hidden) == pytest.approx(share, abs=1e-6)


def test_least_share_of_an_interval():
    assert least_share_of_interval(2, 2) == pytest.approx(1 / 8 + 1 / 32, abs=1e-15)  # exact there
    assert least_share_of_interval(2, 9) == pytest.approx(0.87026, abs=1e-5)
    assert least_share_of_interval(2, 9) < 0.8797 < share_of_one_input([2] * 9)


def test_a_wide_network_is_hardly_born_dead():
    assert share_of_one_input([64] * 10) == pytest.approx(10 * 2.0**-64, rel=1e-12)


def test_which_can_be_born_dead():
    dead = [name for name in activations.names() if can_be_born_dead(activations.get(name))]
    assert {"relu", "relu6", "relu_squared", "reglu", "thresholded_relu"} <= {*dead}
    assert not {"tanh", "gelu", "leaky_relu", "elu", "hardshrink", "identity"} & {*dead}
    assert can_be_born_dead(activations.Formula(expression="max(x, 0)"))
