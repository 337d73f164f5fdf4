"""Lookup by name: complete, documented, and extensible by one class and one YAML file."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import activations
from activations.arguments import close_names
from activations.chosen import classes_named
from tests.benchmarks import coverage
from tests.commands import ROOT, python

NAMES = activations.names()


@pytest.mark.parametrize(
    ("listed", "library"),
    [
        (coverage.PYTORCH, ""),
        (coverage.FUNCTIONAL, ""),
        (coverage.JAX, ""),
        (coverage.KERAS, "keras"),
        (coverage.KERAS_LAYERS, "keras"),
        (coverage.ONNX, ""),
        (coverage.ONNX_RECURRENT, ""),
    ],
)
def test_what_other_libraries_name_is_here_or_has_a_reason(listed: str, library: str) -> None:
    for name in listed.split():
        ours = coverage.our_name(name, library)
        assert (ours is None) == (name in coverage.NOT_HERE), name
        assert ours is None or ours in NAMES


def test_every_class_is_exported() -> None:
    for name in NAMES:
        cls = activations.get_class(name)
        assert getattr(activations, cls.__name__) is cls
        assert getattr(activations, cls.__name__) is cls


@pytest.mark.parametrize("name", NAMES)
def test_docstring_says_what_it_is(name: str) -> None:
    text = inspect.getdoc(activations.get_class(name))
    assert text is not None
    assert len(text.splitlines()[0]) <= 100
    for parameter in inspect.signature(activations.get_class(name)).parameters:
        assert parameter in text or parameter in ("learnable",), parameter


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_kept_and_build_the_same_again(name: str) -> None:
    activation = activations.get(name)
    again = activations.get(name, **activation.hyperparameters)
    assert repr(again) == repr(activation)
    assert repr(activation).startswith(type(activation).__name__ + "(")


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_value_is_refused_in_one_line_that_names_it(name: str) -> None:
    for parameter in inspect.signature(activations.get_class(name)).parameters:
        for wrong in ("a lot", [1]):
            with pytest.raises(ValueError, match=parameter) as problem:
                activations.get(name, **{parameter: wrong})
            assert "\n" not in str(problem.value)


def test_unknown_names_get_the_right_ones() -> None:
    for name in ("RELU", "Re-LU", "ReLU"):
        with pytest.raises(ValueError, match=rf"'{name}' is unknown; did you mean relu\?"):
            activations.get(name)
    with pytest.raises(ValueError, match="activation 'rleu' is unknown; did you mean relu"):
        activations.get("rleu")
    with pytest.raises(ValueError, match=r"activation 'zzz' is unknown; known: relu, .* more"):
        activations.get("zzz")
    with pytest.raises(ValueError, match="beta is unknown: activation leaky_relu takes alpha, d"):
        activations.get("leaky_relu", beta=1)
    with pytest.raises(ValueError, match="a is unknown: activation tanh takes no parameters"):
        activations.get("tanh", a=1)
    with pytest.raises(ValueError, match=r"tanh takes no parameters; formula takes expression$"):
        activations.get("tanh", expression="x")
    with pytest.raises(ValueError, match=r"; acon_c, .*, swish, xielu take beta$"):
        activations.get("tanh", beta=1)


def test_a_command_that_takes_files_says_so_for_an_unknown_name() -> None:
    with pytest.raises(ValueError, match=r"'wavelet' is unknown; .*FILE\.py"):
        classes_named("wavelet")


def test_names_that_begin_with_the_word_are_close_if_they_are_few() -> None:
    known = ["vanishing_gradient", "softmax", "softmin", "softplus", "softsign"]
    assert close_names("vanish", known) == ["vanishing_gradient"]
    assert close_names("soft", known) == close_names("", known) == []
    assert close_names("gradient", known) == ["vanishing_gradient"]
    assert close_names("softmin", known)[0] == "softmin"


def test_a_name_can_be_taken_once() -> None:
    with pytest.raises(ValueError, match="activation name 'relu' is taken by ReLU"):
        type("Other", (activations.Elementwise,), {"name": "relu"})


ONE_CLASS = '''
import numpy as np
from activations import Elementwise

class Wiggle(Elementwise):
    """x + sin(w x) / w."""

    name = "wiggle"

    def __init__(self, w: float = 2.0) -> None:
        super().__init__()
        self.w = w

    def forward(self, x):
        return x + np.sin(self.w * x) / self.w

    def derivative(self, x, y):
        return 1 + np.cos(self.w * x)
'''


def test_one_class_and_one_yaml_file_make_an_activation(tmp_path: Path) -> None:
    """In a copy of the repository with a new class and YAML file, the shell trains it."""
    for folder in ("activations", "runner", "conf"):
        copy_tree(ROOT / folder, tmp_path / folder)
    with (tmp_path / "activations" / "functions" / "rectified.py").open("a") as file:
        file.write(ONE_CLASS.replace("from activations import Elementwise\n", ""))
    (tmp_path / "conf" / "activation" / "wiggle.yaml").write_text(
        "# Climbs in waves\nname: wiggle\nw: 2.0\n"
    )
    small = ["training.epochs=2", "replicates=2", "plots=none", f"hydra.run.dir={tmp_path}/run"]
    words = ["-m", "runner", "activation=wiggle", "activation.w=3", *small]
    done = python(*words, cwd=tmp_path, PYTHONPATH="")
    assert done.returncode == 0, done.stderr
    assert "w: 3" in (tmp_path / "run" / "config.yaml").read_text()


def copy_tree(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.suffix in (".py", ".yaml"):
            into = target / path.relative_to(source)
            into.parent.mkdir(parents=True, exist_ok=True)
            into.write_bytes(path.read_bytes())
