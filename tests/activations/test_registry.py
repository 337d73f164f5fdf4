"""The look-up by name: complete, described, and open to one class and one YAML file more."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import yaml

import activations
from tests.benchmarks import coverage
from tests.commands import ROOT, python

CONF = ROOT / "conf" / "activation"
BUILT_IN = [
    name
    for name in activations.names()
    if activations.get_class(name).__module__.startswith("activations.")
]

# The names of the field's libraries and papers (PyTorch, JAX, Keras, ONNX, timm, ...), by the
# tiers in which one meets them, and where each lives here.
HOMES = {
    # the article's five
    "relu": "relu", "leaky_relu": "leaky_relu", "sigmoid": "sigmoid", "tanh": "tanh",
    "softmax": "softmax",
    # PyTorch, JAX, Keras and ONNX
    "identity": "identity", "relu6": "relu6", "prelu": "prelu", "rrelu": "rrelu",
    "hardtanh": "hardtanh", "threshold": "threshold", "hardsigmoid": "hardsigmoid",
    "hardswish": "hardswish", "hardshrink": "hardshrink", "softshrink": "softshrink",
    "onnx_shrink": "shrink", "tanhshrink": "tanhshrink", "log_sigmoid": "log_sigmoid",
    "softplus": "softplus", "softsign": "softsign", "elu": "elu", "selu": "selu",
    "celu": "celu", "gelu": "gelu", "gelu_tanh": "gelu_tanh", "silu": "silu",
    "swish_beta": "swish", "quick_gelu": "quick_gelu", "mish": "mish",
    "squareplus": "squareplus", "sparse_plus": "sparse_plus",
    "sparse_sigmoid": "sparse_sigmoid", "exponential": "exponential",
    "thresholded_relu": "thresholded_relu", "keras_relu_general": "keras_relu",
    "clip": "clip", "abs": "abs", "sin": "sin", "erf": "erf", "arctan": "arctan",
    # literature and model codes
    "hard_mish": "hard_mish", "scaled_tanh": "scaled_tanh",
    "lecun_tanh_linear": "lecun_tanh_linear", "elliott": "elliott", "isru": "isru",
    "isrlu": "isrlu", "pelu": "pelu", "relu_squared": "relu_squared",
    "star_relu": "star_relu", "nlrelu": "nlrelu", "symlog": "symlog", "asinh": "asinh",
    "bent_identity": "bent_identity", "gaussian": "gaussian", "laplace_cdf": "laplace_cdf",
    "normal_cdf": "normal_cdf", "logcosh": "logcosh", "shifted_softplus": "shifted_softplus",
    "smelu": "smelu", "serf": "serf", "telu": "telu", "logish": "logish", "smish": "smish",
    "phish": "phish", "lisht": "lisht", "elish": "elish", "hard_elish": "hard_elish",
    "dsilu": "dsilu", "gcu": "gcu", "snake": "snake", "sinc": "sinc",
    "softexponential": "softexponential", "xielu": "xielu", "dyt": "dyt", "derf": "derf",
    "acon_c": "acon_c", "smu": "smu", "erfact": "erfact", "pau": "pau", "square": "square",
    "cubic": "cubic", "sqnl": "sqnl", "softclip": "softclip", "cloglog": "cloglog",
    "step": "step", "sign_ste": "sign_ste", "mlx_gelu_approx": "gelu_approx",
    "clipped_gelu": "clipped_gelu", "hard_gaussian_hat": "hard_gaussian_hat",
    "relu_sin": "relu_sin", "sinusoid_siren_finer": "finer", "gabor_wire": "wire",
    # along an axis
    "log_softmax": "log_softmax", "softmin": "softmin", "softmax2d": "softmax2d",
    "gumbel_softmax": "gumbel_softmax", "hardmax": "hardmax", "sparsemax": "sparsemax",
    "entmax15": "entmax15", "entmax_alpha": "entmax", "taylor_softmax": "taylor_softmax",
    "softmax_one": "softmax_one", "squash": "squash", "l2_normalize": "l2_normalize",
    "logsumexp / logmeanexp": "logsumexp", "standardize": "standardize", "maxout": "maxout",
    "crelu": "crelu",
    # gated
    "glu": "glu", "swiglu": "swiglu", "geglu": "geglu", "reglu": "reglu",
    "bilinear_glu": "bilinear_glu", "gtu": "gtu", "seglu": "seglu",
    "swiglu_clamped": "swiglu_clamped",
}  # fmt: skip


def test_everything_that_has_a_name_in_the_field_has_a_home() -> None:
    assert len(HOMES) == 116
    assert set(HOMES.values()) <= set(BUILT_IN)
    # logmeanexp shares a line with logsumexp; formula is whatever its user writes.
    assert set(BUILT_IN) - set(HOMES.values()) == {"logmeanexp", "formula"}


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
        assert ours is None or ours in BUILT_IN


def test_every_class_is_exported() -> None:
    for name in BUILT_IN:
        cls = activations.get_class(name)
        assert getattr(activations, cls.__name__) is cls
        assert cls.__name__ in activations.__all__


@pytest.mark.parametrize("name", BUILT_IN)
def test_docstring_says_what_it_is(name: str) -> None:
    text = inspect.getdoc(activations.get_class(name))
    assert text is not None
    assert len(text.splitlines()[0]) <= 100
    for parameter in inspect.signature(activations.get_class(name)).parameters:
        assert parameter in text or parameter in ("learnable",), parameter


def test_every_yaml_file_is_an_activation() -> None:
    assert {path.stem for path in CONF.glob("*.yaml")} == set(BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_yaml_describes_it_and_holds_its_defaults(name: str) -> None:
    text = (CONF / f"{name}.yaml").read_text()
    first = text.splitlines()[0]
    assert first.startswith("# ")
    assert 10 < len(first) <= 100
    assert not first.endswith(".")
    node = {key: None if value == {} else value for key, value in yaml.safe_load(text).items()}
    parameters = inspect.signature(activations.get_class(name)).parameters
    defaults = {key: parameter.default for key, parameter in parameters.items()}
    assert node == {"name": name, **defaults}
    for key, value in defaults.items():  # 1 and 1.0 are equal but read differently
        assert type(node[key]) is type(value), key


@pytest.mark.parametrize("name", BUILT_IN)
def test_arguments_are_kept_and_build_the_same_again(name: str) -> None:
    activation = activations.get(name)
    again = activations.get(name, **activation.hyperparameters)
    assert repr(again) == repr(activation)
    assert repr(activation).startswith(type(activation).__name__ + "(")


@pytest.mark.parametrize("name", BUILT_IN)
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
    """In a copy of the tree with one class and one file added, the shell trains it."""
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
