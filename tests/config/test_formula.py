"""A formula on the command line: typed as it is, shown with its derivative, refused in place."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from activations import Formula
from runner import load_run, run
from runner.__main__ import main
from runner.config.compose import compose
from runner.config.overrides import quoted

QUICK = ["training.epochs=2", "dataset.samples=100", "replicates=2"]
SWISH = ["activation=formula", "activation.expression=x * sigmoid(beta * x)"]
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words, *QUICK, "plots=none"]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_the_run_prints_the_formula_and_its_derivative(capsys):
    out = shown(capsys, "activation=formula", "activation.expression=x*tanh( softplus(x) )")
    assert "  f(x)     x * tanh(softplus(x))\n" in out
    assert "  f'(x)    tanh(softplus(x)) + x * tanh'(softplus(x)) * sigmoid(x)\n" in out
    assert "'activation.expression=x*tanh( softplus(x) )'" in out  # the line that repeats it


def test_the_default_trains_like_mish(capsys):
    histories = []
    for name in ("formula", "mish"):
        shown(capsys, f"activation={name}", f"hydra.run.dir={name}", "dtype=float64")
        histories.append(load_run(name).history["train_loss"])
    np.testing.assert_allclose(histories[0], histories[1], rtol=1e-9)


@pytest.mark.parametrize(
    "expression",
    ["maximum(x, 0.1*x)", "where(x <= 0, 0, x)", "x**2/(1+x^2)", "-x", "'x * tanh(x)'", "x", '"x"',
     "  x * sin(x)", "where(x == 1, 0, x)", "x * gelu(x)"],
)  # fmt: skip
def test_any_formula_survives_hydras_grammar(expression: str) -> None:
    experiment = compose(
        ["activation=formula", quoted(f"activation.expression={expression}")]
    ).experiment
    assert experiment.activation["expression"] == expression.strip("'\"").strip()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("activation.expression=x*y", "activation.expression='x*y'"),
        ("+activation.expression=x*y", "+activation.expression='x*y'"),
        ("activation.expression=max(x, 0),x^2", "activation.expression='max(x, 0)','x^2'"),
        ("activation.expression='x*y'", "activation.expression='x*y'"),
        ("activation.expression='x','-x'", "activation.expression='x','-x'"),
        ("activation.expression=choice('x','-x')", "activation.expression=choice('x','-x')"),
        ("activation.expression=gelu'(x)", "activation.expression='gelu\\'(x)'"),
        ("activation.parameters={beta: 1}", "activation.parameters={beta: 1}"),
        ("activation=relu", "activation=relu"),
        ("--multirun", "--multirun"),
    ],
)
def test_only_formulas_are_quoted_and_only_once(word: str, expected: str) -> None:
    assert quoted(word) == expected
    assert quoted(expected) == expected


@pytest.mark.parametrize(
    "parameters",
    [["activation.parameters={beta: 1.5}"], ["activation.parameters.beta=1.5"],
     ["+activation.parameters.beta=1.5"], ["activation.parameters={beta:1.5}"]],
)  # fmt: skip
def test_parameters_by_name(capsys, parameters: list[str]) -> None:
    shown(capsys, *SWISH, *parameters, "hydra.run.dir=it")
    assert load_run("it").config.activation["parameters"] == {"beta": 1.5}


def test_learnable_parameters_are_trained_and_recorded(capsys):
    shown(capsys, *SWISH, "activation.parameters={beta: 1.5}", "activation.learnable=true",
          "hydra.run.dir=it")  # fmt: skip
    beta = load_run("it").history["layer1_beta"]
    assert (beta[:, 0] == 1.5).all()
    assert (beta[:, -1] != 1.5).all() and np.isfinite(beta).all()
    assert load_run("it").weights["layer2.beta"].shape == (2, 1, 16)


def test_another_formula_is_another_experiment() -> None:
    def digest(*words: str) -> str:
        return compose(["activation=formula", *map(quoted, words)]).experiment.digest

    same = digest("activation.expression=x * tanh(softplus(x))")
    assert digest() == same
    assert digest("activation.expression=x * tanh(softplus(x)) + 0 * x") != same
    with_parameter = "activation.expression=x * tanh(beta * x)"
    one, two = (digest(with_parameter, f"activation.parameters.beta={b}") for b in (1, 2))
    assert one != two


def test_formulas_and_their_parameters_can_be_swept(capsys):
    formulas = "activation.expression=maximum(x, 0),x * tanh(x)"
    assert main(["-m", "activation=formula", formulas, *QUICK, "plots=none"]) == 0
    assert "sweep of 2 jobs" in capsys.readouterr().out
    configs = [yaml.safe_load(p.read_text()) for p in Path().rglob("config.yaml")]
    found = {config["activation"]["expression"] for config in configs}
    assert found == {"maximum(x, 0)", "x * tanh(x)"}
    words = ["-m", *SWISH, "activation.parameters.beta=1,2,3", *QUICK, "plots=none"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "sweep of 3 jobs" in out and re.search(r"^  beta +test", out, re.M)


def test_hydras_own_options_take_formulas_too(capsys, monkeypatch):
    words = ["--cfg", "job", *SWISH, "activation.parameters={beta: 1.5}"]
    assert main(words) == 0
    out = yaml.safe_load(capsys.readouterr().out)
    assert out["activation"]["expression"] == "x * sigmoid(beta * x)"
    assert out["activation"]["parameters"] == {"beta": 1.5}


def test_a_refusal_has_a_caret_under_the_place(capsys, tmp_path):
    assert main(["activation=formula", "activation.expression=x + tanhh(x)"]) == 2
    first, text, caret = capsys.readouterr().err.splitlines()
    assert first.startswith("error: activation.expression: tanhh is not a known function")
    assert first.endswith("did you mean tanh or tan? (column 5)")
    assert text == "  x + tanhh(x)"
    assert caret == "      ^"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["activation.expression=__import__('os').system('touch owned')"],
        ["activation.expression=9**9**9**9"],
        ["activation.expression=" + "(" * 3000],
        ["activation.expression=" + "x*" * 100_000 + "x"],
        ["activation.expression="],
        ["activation.expression=x, x,"],
        ["activation.expression=[x]"],
        ["activation.expression=${oc.env:HOME}"],
        ["activation.expression=x\ny"],
        ["activation.expression=\u0445"],
        ["activation.expression='x"],
        ["activation.parameters=3"],
        ["activation.parameters={beta: hello}"],
        ["activation.parameters={beta: 1.0}"],
        ["activation.parameters=[1]"],
        ["activation.learnable=yes"],
        ["activation.formula=x"],
    ],
    ids=lambda words: words[0][:45],
)
def test_nonsense_gets_at_most_three_lines(capsys, tmp_path, words):
    assert main(["activation=formula", *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 3
    assert lines[0].startswith("error: ") and "activation" in lines[0]
    assert all(len(line) < 400 for line in lines)
    assert list(tmp_path.iterdir()) == []


def test_an_instance_from_python():
    formula = Formula("x * sigmoid(beta * x)", {"beta": 2.0}, learnable=True)
    result = run([*QUICK, "plots=none"], activation=formula)
    assert result.config.activation == {"name": "formula", **formula.hyperparameters}


def test_the_picture_shows_formula_and_derivative():
    result = run([*QUICK, "plots=none", "activation=formula"])
    texts = [text.get_text() for text in result.figures()["activation"].texts]
    assert "f(x) = x * tanh(softplus(x))" in texts
    assert "f'(x) = tanh(softplus(x)) + x * tanh'(softplus(x)) * sigmoid(x)" in texts
    assert not any(text.startswith("f(x)") for text in _texts_of("activation=relu"))


def _texts_of(word: str) -> list[str]:
    figure = run([*QUICK, "plots=none", word]).figures()["activation"]
    return [text.get_text() for text in figure.texts]
