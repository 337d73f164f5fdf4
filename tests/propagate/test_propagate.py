"""python -m runner.propagate: what it draws agrees with published numbers and with theory, its
files repeat, and wrong input is refused in one line."""

from __future__ import annotations

import json
import math
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import runner
from activations import SiLU
from activations.base import Elementwise
from runner.config.catalogue import choices, refuse_other_commands
from runner.propagate import simulation
from runner.propagate.__main__ import main
from runner.propagate.prediction import prediction
from runner.propagate.result import propagate
from runner.propagate.settings import compose
from runner.propagate.simulation import simulate
from runner.system.terminal import ConfigError
from tests import commands


def drawn(*overrides):
    return simulate(compose(["plots=none", *overrides]))


@pytest.mark.parametrize(
    ("words", "factor"),
    [
        (["activation=sigmoid", "initializer=lecun_normal", "variance=.264687"], 0.23605),
        (["activation=tanh", "initializer=he_normal", "variance=.309"], 1.05144),
        (["activation=relu", "initializer=he_normal", "variance=.5"], 1.0),
    ],
)
def test_gradient_factor(words, factor):
    """published.md E4, by its protocol: z of the first layer has the variance q*; 1.5%."""
    found = drawn(*words, "width=200", "depth=12", "nets=20", "inputs=5")
    factors = np.exp(found.log_gradient()[:, 0] / 11)
    assert factors.mean() == pytest.approx(factor, rel=0.015)


def test_networks_born_dead():
    """published.md E12: 2 hidden layers of 2 units, one input, 4,000 networks, 3 sigma."""
    words = ["activation=relu", "width=2", "depth=2", "nets=4000", "inputs=1"]
    share = drawn(*words, "features=1").dead_nets.mean()
    assert share == pytest.approx(0.4375, abs=3 * math.sqrt(0.4375 * 0.5625 / 4000))


def test_networks_born_dead_for_an_interval():
    """With inputs of both signs of one feature: 1/8 + 1/32."""
    words = ["activation=relu", "width=2", "depth=2", "nets=4000", "inputs=12", "correlation=0"]
    share = drawn(*words, "features=1").dead_nets.mean()
    assert share == pytest.approx(0.15625, abs=3 * math.sqrt(0.15625 * 0.84375 / 4000))


@pytest.mark.parametrize("q, share", [(1, 0.0364121), (4, 0.295493)])
def test_saturated_share(q, share):
    """published.md E14: |tanh z| > 0.97 is f' < 1 - 0.97^2 = 0.0591."""
    words = ["initializer=lecun_normal", f"variance={q}", "saturated=0.0591", "depth=1"]
    settings = compose(["plots=none", *words, "width=300", "nets=20"])
    assert prediction(settings).saturated[0] == pytest.approx(share, rel=1e-5)
    assert simulate(settings).saturated.mean() == pytest.approx(share, rel=0.05)


def test_correlations_of_relu():
    """published.md E7, from 0 on: .3183, .4937, .6048."""
    words = ["activation=relu", "initializer=he_normal", "correlation=0"]
    found = drawn(*words, "width=400", "nets=10", "depth=4").correlation.mean(axis=0)
    np.testing.assert_allclose(found, [0, 0.318310, 0.493731, 0.604826], atol=0.02)


def test_singular_values_of_square_matrices():
    """published.md E11: mean singular value 8/(3 pi) of N(0, 1/n), that of orthogonal ones is 1."""
    words = ["activation=identity", "depth=1", "width=300", "nets=2"]
    gaussian = drawn(*words, "initializer=lecun_normal").singular_values[0]
    assert gaussian.mean() == pytest.approx(8 / (3 * math.pi), rel=0.01)
    orthogonal = drawn(*words, "initializer=orthogonal").singular_values[0]
    np.testing.assert_allclose(orthogonal, 1, rtol=1e-12)


@pytest.mark.parametrize("name", ["gtu", "maxout", "crelu"])
def test_layers_agree_with_the_prediction(name):
    found = propagate(compose([f"activation={name}", "depth=4", "width=200", "nets=10"]))
    variances = np.median(found.measured.variance, axis=0)
    np.testing.assert_allclose(variances, [one.variance for one in found.predicted.predicted], 0.25)
    gradients = np.exp(np.median(found.measured.log_gradient(), axis=0))
    np.testing.assert_allclose(gradients, found.predicted.gradients, 0.25)
    for number, values in zip(
        found.measured.decomposed, found.measured.singular_values, strict=True
    ):
        size = math.sqrt(np.mean(values**2))
        assert size == pytest.approx(found.predicted.singular_rms[number], rel=0.15)


def test_a_network_is_the_same_in_any_company(monkeypatch):
    words = ["activation=gelu", "depth=3", "width=20", "inputs=4"]
    many = drawn(*words, "nets=7")
    monkeypatch.setattr(simulation, "GROUP_BYTES", 1)
    for nets in (7, 2):
        few = drawn(*words, f"nets={nets}")
        np.testing.assert_array_equal(few.variance, many.variance[:nets])
        np.testing.assert_array_equal(few.gradient_factor, many.gradient_factor[:nets])
    other = drawn(*words, "nets=7", "seed=1")
    assert not np.isclose(other.variance, many.variance).any()


EXTREMES = [
    ["activation=exponential", "depth=9"],
    ["activation=square", "depth=30", "initializer=he_normal"],
    ["activation=sigmoid", "depth=400", "initializer=lecun_normal"],
    ["activation=step", "depth=3"],
    ["initializer=constant", "depth=3"],
    ["activation=formula", "activation.expression=log(x)", "depth=3"],
    ["activation=swiglu", "depth=25"],
    ["activation=relu", "depth=1", "inputs=1", "nets=1", "width=1"],
    ["activation=softmax", "depth=2", "width=2"],
]


@pytest.mark.slow
@pytest.mark.parametrize("words", EXTREMES, ids=" ".join)
def test_dying_exploding_and_overflowing_signals_are_shown(words):
    found = propagate(compose(["nets=4", "width=8", "inputs=3", "plots=none", *words]))
    assert not re.search(r"\bnan\b", repr(found))
    json.dumps(found.to_dict(), allow_nan=False)
    found.figures()["propagate"].encode("png")


@pytest.mark.parametrize(
    ("initializer", "used"),
    [("lecun_normal initializer.gain=1.8462331", True), ("lecun_normal", False)],
)
def test_the_report_says_whether_a_gain_is_used_and_that_it_is_about_the_start(initializer, used):
    """1.84623 keeps the variance of a sigmoid's inputs at 1."""
    words = ["activation=sigmoid", f"initializer={initializer}", "depth=3", "width=8", "nets=2"]
    text = " ".join(repr(propagate(compose(" ".join(words).split()))).split())
    assert ("used here" in text and "not used here" not in text) is used
    assert "about the start of training" in text and "optimizer.learning_rate=0.001" in text


def test_why_there_is_no_theory():
    words = ["nets=2", "depth=2", "width=8"]
    assert "whole row" in repr(propagate(compose(["activation=softmax", *words])))
    biased = ["initializer=he_normal", "initializer.bias_mean=1"]
    assert "needs biases with mean 0" in repr(propagate(compose([*biased, *words])))


@pytest.mark.usefixtures("in_an_empty_folder")
def test_command_writes_the_same_bytes_again(capsys):
    words = ["activation=relu", "depth=4", "width=8", "nets=5"]
    assert main(words) == 0
    first = capsys.readouterr().out
    assert "gradient, factor per layer (backwards)" in first and "edge of chaos" in first
    (folder,) = Path("outputs/propagate").iterdir()
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert files.keys() == {"propagate.json", "propagate.png"}
    values = json.loads(files["propagate.json"])
    assert values["predicted"]["maps"]["chi"] == pytest.approx(1)
    assert len(values["measured"]["layers"]["variance"][1]) == 4
    assert main([*words, "hydra.run.dir=again"]) == 0
    assert {path.name: path.read_bytes() for path in Path("again").iterdir()} == files


WRONG = [
    (["dpeth=3"], ["dpeth is unknown", "depth"]),
    (["activation=tanhh"], ["activation=tanhh is unknown", "tanh"]),
    (["activation.alpha=2"], ["activation.alpha"]),
    (["initializer.gain=-1"], ["initializer.gain"]),
    (["depth=0"], ["depth"]),
    (["depth=2.5"], ["depth"]),
    (["nets=many"], ["nets"]),
    (["correlation=2"], ["correlation"]),
    (["variance=0"], ["variance"]),
    (["depth=3,5"], ["several values"]),
    (["-m", "depth=3,5"], ["--multirun"]),
    (["dataset=moons"], ["dataset is unknown"]),
    (["optimizer.learning_rate=1"], ["optimizer.learning_rate is unknown"]),
    (["hydra.sweep.dir=x"], ["hydra.sweep.dir", "hydra.run.dir"]),
    (["tanh"], ["'tanh' is not key=value"]),
    (["activation", "=", "tanh"], ["no spaces around =", "write activation=tanh"]),
    (["activation=wavelet"], ["activation=wavelet is unknown", "add extensions=[FILE.py]"]),
    (["layers=30"], ["layers is unknown; did you mean depth?"]),
    (["units=30"], ["did you mean width?"]),
    (["model.hidden=[3]"], ["did you mean depth or width?"]),
    (["learning_rate=1"], ["known: activation, initializer, depth"]),
    (["activation=bilinear_glu", "activation.pieces=3"], ["activation.pieces"]),
    (["activation=crelu", "width=3"], ["width", "even"]),
    (["experiment=depth"], ["python -m runner experiment=depth"]),
    (["experiment=none_such"], ["experiment=none_such is unknown"]),
    (["width=30000", "depth=10000"], ["MiB"]),
    (["plots=gif"], ["plots"]),
    (["extensions=[missing.py]"], ["missing.py"]),
]


@pytest.mark.parametrize(("words", "expected"), WRONG)
@pytest.mark.usefixtures("in_an_empty_folder")
def test_wrong_input_is_refused_in_a_line(words, expected, capsys):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1, err
    assert all(part in err for part in expected), err
    assert not list(Path().iterdir())


@pytest.mark.usefixtures("in_an_empty_folder")
def test_each_command_names_the_one_that_an_experiment_is_for(capsys):
    line = commands.refusal(capsys, "experiment=smooth_rectifiers")
    assert "python -m runner.propagate experiment=smooth_rectifiers" in line
    for name in choices("experiment"):
        fits = 0
        for command in ("runner", "runner.propagate"):
            try:
                refuse_other_commands(name, command)
                fits += 1
            except ConfigError:
                pass
        assert fits == 1, name


def test_the_command_in_the_footer_means_the_same():
    words = ["activation=formula", "activation.expression=a * x * tanh(x)"]
    words += ["activation.parameters.a=0.5", "initializer=he_normal", "initializer.bias_std=0.1"]
    settings = compose([*words, "depth=3", "features=2"])
    _, _, _, *again = shlex.split(settings.command)
    assert compose(again).to_dict() == settings.to_dict()


def test_shares_of_a_step_that_is_dead_on_either_side():
    found = propagate(compose(["activation=step", "depth=3", "nets=40", "inputs=3", "width=100"]))
    np.testing.assert_allclose(found.measured.dead.mean(axis=0), found.predicted.dead, atol=0.03)
    assert math.isnan(found.predicted.born_dead)  # which is of layers that are all 0


def test_no_bound_on_dead_networks_where_biases_lean_to_one_side():
    words = ["activation=relu", "initializer=he_normal", "initializer.bias_mean=-3", "depth=2"]
    found = propagate(compose([*words, "nets=5", "width=3"]))
    assert found.measured.dead_nets.mean() > 0.5 and math.isnan(found.predicted.born_dead)


def test_a_function_that_jumps_trains_no_deeper_than_its_gradients_reach():
    """There two inputs stay apart, and xi_c is long, where gradients vanish."""
    maps = prediction(compose(["activation=step", "initializer=he_normal"])).maps
    assert maps.xi_c > 1 and maps.trainable_depth == 0


@pytest.mark.parametrize(
    "words",
    [
        *(["activation=hardshrink"], ["activation=glu"], ["activation=gtu"]),
        ["activation=tanh", "initializer.std=1e-155"],
    ],
)
def test_signals_that_all_but_vanish_have_a_prediction(words):
    found = propagate(compose(["initializer=normal", "depth=3", "width=8", "nets=2", *words]))
    assert found.predicted.gradients[0] < 1e-3 and "predicted" in repr(found)


def test_experiment_is_composed():
    settings = compose(["experiment=smooth_rectifiers", "depth=3"])
    assert (settings.activation["name"], settings.initializer["name"]) == ("gelu", "he_normal")
    assert settings.depth == 3


@pytest.mark.usefixtures("forgetting")
def test_from_python_with_a_function_of_ones_own():
    """A class that is SiLU under another name has SiLU's numbers."""

    class Own(Elementwise):
        name = "own_silu"

        def forward(self, x):
            return SiLU().forward(x)

        def derivative(self, x, y):
            return SiLU().derivative(x, y)

    words = ["depth=3", "width=16", "nets=3", "initializer=lecun_normal"]
    own = runner.propagate(words, activation=Own())
    known = runner.propagate(["activation=silu", *words])
    assert own.predicted.maps.chi == pytest.approx(known.predicted.maps.chi, rel=1e-12)
    np.testing.assert_allclose(own.measured.variance, known.measured.variance, rtol=1e-12)
    assert own.figures()["propagate"]._repr_png_()[:4] == b"\x89PNG"
