"""``--help NAME``: what a choice is, which parameters it has, and what they may be."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from runner.__main__ import main
from runner.config.catalogue import GROUPS, choices, known_values
from runner.config.compose import compose
from runner.shell.choice import described
from runner.shell.help import help_text
from tests.commands import refusal

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")
OWN = '''
from activations import Elementwise, parameter
class Slope(Elementwise):
    """steep x.

    f' = steep. Nobody 2026.
    """
    name = "slope"
    steep = parameter(2.0, above=0, maximum=9)
    def forward(self, x):
        return self.steep * x
    def derivative(self, x, y):
        return self.steep + 0 * x
'''


def one_line(text):
    return " ".join(text.split())


@pytest.mark.parametrize("word", ["swish", "activation.swish", "activation=swish"])
def test_an_activation(capsys, word):
    assert main(["--help", word]) == 0
    text = one_line(capsys.readouterr().out)
    for part in (
        f"activation=swish: {choices('activation')['swish']} formula x sigmoid(beta x)",
        "derivative s (1 + beta x (1 - s)) with s = sigmoid(beta x)",
        "source Ramachandran, Zoph & Le 2017, https://arxiv.org/abs/1710.05941",
        "activation.beta=1.0 from -1e+06 to 1e+06; 0 ",
        "activation.learnable=false true or false; true: ",
        "python -m runner activation=swish activation.beta=1.0",
        "python -m activations.passport swish",
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("gelu", ["It takes no parameters."]),
        ("hardtanh", ["activation.low=-1.0 any number", "activation.high=1.0 > -1"]),
        ("adam", ["optimizer.beta1=0.9 >= 0 and < 1", "optimizer.clip_norm=null null or > 0"]),
        ("sgd", ["    v <- momentum v + g,  theta <- theta - lr v\n"]),
        ("spirals", ["dataset.noise=0.2 >= 0; ", "test_fraction=0.2 >= 0 "]),
        ("schedule.step", ["schedule.every=30 a whole number from 1 "]),
        ("mlp", ["model.hidden=[16,16] a list of widths"]),
        ("step", ["activation=step: ", "schedule=step: "]),
        ("fair", ["experiment=fair: Which activation", "  python -m runner experiment=fair\n"]),
    ],
)
def test_any_other_choice(word, expected):
    text = help_text([word])
    assert "Raises" not in text
    for part in expected:
        assert part in text or part in one_line(text), part


def test_the_files_of_the_user(capsys):
    Path("own.py").write_text(OWN)
    assert main(["--help", "slope", "extensions=[own.py]"]) == 0
    text = one_line(capsys.readouterr().out)
    assert "formula steep x derivative steep source Nobody 2026" in text
    assert "activation.steep=2.0 > 0 and <= 9" in text
    assert "python -m runner 'extensions=[own.py]' activation=slope activation.steep=2.0" in text
    assert "python -m activations.passport own.py" in text


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("swsh", ["swsh", "did you mean swish?"]),
        ("activation.swsh", ["did you mean swish?"]),
        ("optimzer", ["did you mean optimizer?"]),
        ("losses", ["dataset", "e.g. --help swish"]),
        ("trainng.epochs", ["trainng.epochs", "did you mean training.epochs?"]),
        ("optimizer.name", ["optimizer.name"]),
        ("steep", ["steep", "--help"]),
        ("optimizer.swish", ["optimizer.swish"]),
        ("trainng.epochs=3", ["trainng.epochs", "did you mean training.epochs?"]),
    ],
)
def test_an_unknown_name_gets_one_line(capsys, word, expected):
    line = refusal(capsys, "--help", word)
    assert all(part in line for part in expected), line


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("training.target_accuracy", ["0.95 > 0 and <= 1; validation accuracy at which a"]),
        ("seed", ["seed=0 a whole number from 0; replicate k uses seed + k"]),
        ("tune", ["tune=null a key whose value is chosen", "trained again on fresh seeds"]),
        ("extensions", ["extensions=[] Python files with your own activations"]),
        ("model.hidden", ["model.hidden=[16,16] a list of widths"]),
        (
            "learning_rate",
            [
                "optimizer.learning_rate=0.01 > 0 with optimizer=adam, adamw, rmsprop",
                "optimizer.learning_rate=0.1 > 0 with optimizer=sgd",
                "experiment=learning_rate: ",
            ],
        ),
        ("activation.derivative_at_zero", ["with activation=", "leaky_relu"]),
    ],
)
def test_a_setting_has_its_default_its_allowed_values_and_its_meaning(word, expected):
    text = one_line(help_text([word]))
    for part in expected:
        assert part in text, text


@pytest.mark.slow
def test_every_setting_has_help():
    for key in known_values():
        if key not in (*GROUPS, "experiment") and not key.endswith(".name"):
            assert help_text([key]).startswith(f"{key}="), key


def test_each_experiment_shows_its_commands():
    for name in choices("experiment"):
        text = help_text([f"experiment.{name}"])
        assert re.search(rf"^  python -m runner(.propagate)? .*experiment={name}", text, re.M), name


SOME = ["activation=formula", "activation=softmax", "dataset=blobs", "optimizer=sgd"]
ALL = [f"{group}={name}" for group in GROUPS for name in choices(group)]


@pytest.mark.parametrize(
    "chosen", [*SOME, *(pytest.param(one, marks=pytest.mark.slow) for one in ALL)]
)
def test_each_parameter_is_listed_and_each_command_works(chosen):
    group, _, name = chosen.partition("=")
    text = described(group, name, [], 80)
    composed = compose([chosen])
    assert all(f"\n  {group}.{key}=" in text for key in composed.sections[group] if key != "name")
    for command in re.findall(r"^  python -m runner (.*)$", text, re.M):
        again = compose(shlex.split(command))
        written = [str(one.sections[group]).replace("'nan'", "nan") for one in (again, composed)]
        assert written[0] == written[1]
        if "refused" not in text:
            assert again.experiment
    assert ("refused" in text) is (chosen == "dataset=single_sample")
    assert all(
        len(line) <= 80 for line in text.splitlines() if not re.search("https?:|python", line)
    )
