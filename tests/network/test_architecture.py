"""Widths: scaled until a network has the number of parameters that is asked for."""

from __future__ import annotations

import pytest

from activations import get
from runner.config.compose import compose
from runner.network.architecture import parameter_count, widths_for
from runner.system.terminal import ConfigError


@pytest.mark.parametrize(
    ("name", "widths"),
    # By hand, two features and two classes: 3h + h^2 + h + h + 1, gated 6g + 2 g^2 + 2g + g + 1.
    [("relu", (16, 16)), ("prelu", (15, 15)), ("swiglu", (11, 11)), ("maxout", (11, 11))],
)
def test_a_gated_unit_gets_the_width_that_costs_as_many_parameters(name, widths):
    assert widths_for(337, 2, (16, 16), 2, get(name)) == widths


@pytest.mark.parametrize("name", ["tanh", "geglu", "crelu", "prelu"])
@pytest.mark.parametrize("hidden", [(1,), (64, 16), (3, 9, 27), (8,) * 5])
@pytest.mark.parametrize("parameters", [2500, 123457])
def test_no_other_factor_comes_nearer(name, hidden, parameters):
    activation = get(name)

    def miss(widths):
        return abs(parameter_count(10, widths, 3, activation) - parameters)

    step = 2 if name == "crelu" else 1
    found = widths_for(parameters, 10, hidden, 3, activation)
    for k in range(1, 2000):
        other = tuple(
            max(1, round(k / 400 * w * found[0] / hidden[0] / step)) * step for w in hidden
        )
        assert miss(found) <= miss(other)


def test_the_config_holds_the_widths_that_were_found():
    words = ["activation=swiglu", "dataset=xor", "model.parameters=337"]
    found = compose(words).experiment
    assert found.model.hidden == (11, 11) and found.model.parameters is None
    direct = compose([*words[:2], "model.hidden=[11,11]"]).experiment
    assert found.digest == direct.digest


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["model.parameters=3"], "model.parameters=3: the nearest number of parameters is 7"),
        (["model.parameters=300", "model.hidden=[]"], "without a hidden layer"),
        (["model.parameters=0"], "model.parameters"),
        (["model.parameters=10000000000"], "memory"),
    ],
)
def test_what_no_width_gives_is_refused(words, says):
    with pytest.raises(ConfigError, match=says):
        compose(words).experiment  # noqa: B018
