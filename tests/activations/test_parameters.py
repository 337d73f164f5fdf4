"""Declared constructor arguments: signature, order, range, and which ones are learnable."""

from __future__ import annotations

import inspect

import pytest

from activations import Elementwise
from activations.arguments import parameter, true_or_false
from activations.functions.learnable import Learnable


class Ramp(Elementwise):
    low = parameter(0.0)
    high = parameter(1.0, above="low")


class Fixed(Ramp):
    low = -1.0


class Shifted(Ramp):
    shift = parameter(0.5)

    def __init__(self, high: float) -> None:
        super().__init__(high=high)


class Inner(Shifted):
    pass


class Trained(Learnable):
    gain = parameter(2.0, learned=True)
    power = parameter(3.0)
    learnable = parameter(True, check=true_or_false)


@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        (Ramp, ["low", "high"]),
        (Fixed, ["high"]),
        (Shifted, ["high"]),
        (Inner, ["high"]),
        (Trained, ["gain", "power", "learnable"]),
    ],
)
def test_the_signature_is_what_is_declared_or_the_constructor_of_its_own(
    cls: type, arguments: list[str]
) -> None:
    assert list(inspect.signature(cls).parameters) == arguments


def test_values_are_kept_by_name_and_position() -> None:
    assert Ramp(2, high=3).hyperparameters == {"low": 2.0, "high": 3.0}
    assert (Fixed().low, Fixed(0).high, Shifted(4).shift, Inner(4).high) == (-1, 0, 0.5, 4)
    assert repr(Fixed()) == "Fixed(high=1.0)"
    with pytest.raises(TypeError, match="low"):
        Fixed(low=0.0)


def test_a_bound_may_be_a_parameter_declared_before() -> None:
    with pytest.raises(ValueError, match=r"^high must be a number > 2 and "):
        Ramp(2.0)
    with pytest.raises(ValueError, match=r"^learnable must be true or false"):
        Trained(learnable=1)


def test_learned_parameters_are_params_unless_they_are_not_to_be_learnt() -> None:
    assert Trained().params == {"gain": 2.0}
    assert Trained(learnable=False).params == {}
