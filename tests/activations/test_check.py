"""The check reports wrong functions in one line and accepts correct ones."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import activations
from activations import Activation, Elementwise, Learnable, Softmax, Swish, parameter
from activations.check.__main__ import check_gradient, main
from activations.check.digits import measure
from runner.network.fast_gradient import BatchGradient
from runner.network.losses import CrossEntropy
from runner.network.network import Network
from tests.commands import ROOT, python


@pytest.mark.parametrize("name", activations.names())
def test_every_gradient_agrees_with_its_value(name: str) -> None:
    check_gradient(activations.get(name))


class Wiggle(Elementwise):
    def __init__(self, error: float = 0.0) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x + np.sin(x)

    def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 1 + np.cos(x) + self.error * (x > 1)


class KinkedWiggle(Wiggle):
    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.abs(x) + np.sin(x)

    def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.sign(x) + np.cos(x) + self.error


@pytest.mark.parametrize("cls", [Wiggle, KinkedWiggle])
def test_a_wrong_derivative_is_refused_in_one_line(cls: type[Wiggle]) -> None:
    check_gradient(cls())
    with pytest.raises(
        ValueError,
        match=r"^derivative disagrees with forward at x = .*: it gives .* of forward give .*$",
    ) as caught:
        check_gradient(cls(error=1e-4))
    assert "\n" not in str(caught.value)


def test_nan_in_a_derivative_is_refused() -> None:
    with pytest.raises(ValueError, match="it gives nan"):
        check_gradient(Wiggle(error=float("nan")))


def test_a_wrong_product_along_an_axis_is_refused() -> None:
    class Diagonal(Softmax):
        name = ""

        def backward(self, x: np.ndarray, y: np.ndarray, grad: np.ndarray) -> np.ndarray:
            return y * grad

    with pytest.raises(
        ValueError, match=r"^backward disagrees with forward at x = \[.*\]: [^\n]*$"
    ):
        check_gradient(Diagonal())


def test_a_wrong_parameter_gradient_is_refused() -> None:
    class Doubled(Swish):
        name = ""

        def parameter_gradients(
            self, x: np.ndarray, y: np.ndarray, grad: np.ndarray
        ) -> dict[str, np.ndarray]:
            return {"beta": 2 * super().parameter_gradients(x, y, grad)["beta"]}

    with pytest.raises(ValueError, match="gradient of beta disagrees"):
        check_gradient(Doubled(learnable=True))


class Tall(Learnable):
    """height tanh x, height learned; correct."""

    height = parameter(1.0, learned=True)

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self.current("height") * np.tanh(x)

    def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self.current("height") / np.cosh(x) ** 2

    def slopes(self, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        return {"height": np.tanh(x)}


class ForgetsParameter(Tall):
    def slopes(self, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        return {}


class UsesInitialValue(Tall):
    def forward(self, x: np.ndarray) -> np.ndarray:
        return self.height * np.tanh(x)


class NotLearnable(Elementwise):
    height = parameter(1.0, learned=True)

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self.height * np.tanh(x)


class LearnsSoftmax(Softmax):
    name = ""
    height = parameter(1.0, learned=True)


class TakesNoOutput(Tall):
    def derivative(self, x: np.ndarray) -> np.ndarray:  # type: ignore[override]
        return 1 / np.cosh(x) ** 2


@pytest.mark.parametrize(
    ("cls", "says"),
    [
        (ForgetsParameter, "height is learned: write slopes(self, x, y), which returns"),
        (NotLearnable, "height is learned: derive from Learnable and write slopes(self, x, y)"),
        (LearnsSoftmax, "height is learned: write parameter_gradients(self, x, y, grad)"),
        (UsesInitialValue, "forward does not use the learned height: write self.current('height')"),
        (TakesNoOutput, "write derivative(self, x, y), not derivative(self, x)"),
    ],
)
def test_the_message_names_the_method_to_write(cls: type[Activation], says: str) -> None:
    check_gradient(Tall())
    with pytest.raises(ValueError, match=f"^{re.escape(says)}"):
        check_gradient(cls())


class Leaky(Elementwise):
    """max(x, 0.1 x), correct; its subclasses write to arguments or keep state."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.where(x > 0, x, 0.1 * x)

    def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(x > 0, 1, 0.1)


class WritesToOutput(Leaky):
    def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        y[y > 0] = 1
        y[y <= 0] = 0.1
        return y


class WritesToInput(Leaky):
    def forward(self, x: np.ndarray) -> np.ndarray:
        x *= np.where(x > 0, 1, 0.1)
        return x


class WritesToGradient(Softmax):
    name = ""

    def backward(self, x: np.ndarray, y: np.ndarray, grad: np.ndarray) -> np.ndarray:
        grad -= (grad * y).sum(axis=-1, keepdims=True)
        return y * grad


class WritesInFloat32(Leaky):
    def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return super().derivative(x, y) if x.dtype == np.float64 else np.sign(y, out=y)


class RemembersItsInput(Leaky):
    def forward(self, x: np.ndarray) -> np.ndarray:
        self.right = x > 0
        return super().forward(x)

    def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(self.right, 1, 0.1)


class UsesABufferAgain(Leaky):
    def forward(self, x: np.ndarray) -> np.ndarray:
        if getattr(self, "buffer", np.empty(0)).shape != x.shape or self.buffer.dtype != x.dtype:
            self.buffer = np.empty_like(x)
        self.buffer[...] = super().forward(x)
        return self.buffer


class Adapts(Leaky):
    largest = 0.0

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.largest = max(self.largest, float(np.abs(x).max()))
        return super().forward(x) / self.largest


class Draws(Leaky):
    surrogate_derivative = True  # and so is not compared with differences

    def forward(self, x: np.ndarray) -> np.ndarray:
        return super().forward(x) + np.random.standard_normal(x.shape)  # noqa: NPY002


@pytest.mark.parametrize(
    ("cls", "says"),
    [
        (WritesToOutput, "derivative must not write into its arguments"),
        (WritesToInput, "forward must not write into its arguments"),
        (WritesToGradient, "backward must not write into its arguments"),
        (WritesInFloat32, "derivative must not write into its arguments"),
        (RemembersItsInput, "is not the same for the same x after a call with another x"),
        (UsesABufferAgain, "forward is not the same for the same x after"),
        (Adapts, "is not the same for the same x after"),
        (Draws, "is not the same for the same x after"),
    ],
)
def test_a_function_that_writes_or_remembers_is_refused(cls: type, says: str) -> None:
    check_gradient(Leaky())
    with pytest.raises(ValueError, match=says) as caught:
        check_gradient(cls())
    assert "\n" not in str(caught.value)


def test_a_network_gives_read_only_arrays() -> None:
    network = Network(2, (4, 3), 2, WritesToOutput(), 2, np.float32)
    loss, x = CrossEntropy(), np.ones((2, 5, 2), np.float32)
    with pytest.raises(ValueError, match="derivative must not write"):
        network.loss_gradient(x, np.ones((2, 5, 1), np.float32), loss)
    step = BatchGradient(network, loss, 5)
    with pytest.raises(ValueError, match="derivative must not write"):
        step(np.ones((2, 3, 5), np.float32), np.ones((2, 1, 5), np.float32))


def test_report_of_a_known_function(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["silu", "--points", "60"]) == 0
    shown = capsys.readouterr().out
    assert "range        -0.2784645 to inf" in shown
    assert "limits       f: 0, inf; f': 0, 1" in shown
    assert "monotone     no" in shown


def test_a_name_that_is_not_known_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sillu"]) == 2
    assert "did you mean silu" in capsys.readouterr().err


NAIVE = """
import numpy as np
from activations import Elementwise

class Naive(Elementwise):
    def forward(self, x):
        return x - np.tanh(x)
    def derivative(self, x, y):
        return {derivative}
"""


@pytest.mark.parametrize(
    ("derivative", "says"),
    [
        ("np.tanh(x) ** 2", "value has an error of"),  # no digits near 0
        ("1 - np.tanh(x)", "derivative disagrees"),
    ],
)
def test_a_file_whose_bounds_break_fails(tmp_path: Path, derivative: str, says: str) -> None:
    file = tmp_path / "naive.py"
    file.write_text(NAIVE.format(derivative=derivative))
    run = python("-m", "activations.check", str(file), "--points", "60")
    assert run.returncode == 1, run.stderr
    assert says in run.stdout


BRANCHED = """
import numpy as np
from activations import Elementwise

class Branched(Elementwise):
    def forward(self, x):
        return np.where(x > 1, 2.0, np.maximum(x, 0) * np.exp(-np.abs(x)))
    def derivative(self, x, y):
        return np.where((x > 1) | (x < 0), 0, (1 - x) * np.exp(-np.abs(x)))
"""


def test_a_jump_and_a_kink_are_not_counted_as_lost_digits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "branched.py"
    file.write_text(BRANCHED)
    assert main([str(file), "--points", "60"]) == 0, capsys.readouterr().out
    assert "from its own float64" not in capsys.readouterr().out


def test_of_the_readmes_examples_only_the_textbook_form_breaks_the_bounds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (ROOT / "activations" / "README.md").read_text(encoding="utf-8")
    bent_relu, learned, both_tanh = re.findall("```python\n(.*?)```", readme, re.DOTALL)
    file = tmp_path / "example.py"
    for correct in (bent_relu, learned):  # the exponential of bent_relu leaves the floats
        file.write_text(correct)
        assert main([str(file), "--points", "60"]) == 0, capsys.readouterr().out
    file = tmp_path / "my_tanh.py"
    file.write_text(both_tanh)
    capsys.readouterr()
    assert main([str(file), "--points", "60"]) == 1
    textbook, stable = capsys.readouterr().out.split("StableTanh()")
    assert "BROKEN: float64 derivative" in textbook
    assert "BROKEN" not in stable


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def f(:", "SyntaxError: invalid syntax"),
        ("x = 'a\x00'", "cannot be imported: SyntaxError"),
        ("import nothing_there", "ModuleNotFoundError: No module named 'nothing_there'"),
        ("import sys; sys.exit(0)", "SystemExit: 0 (own.py:1)"),
        ("from activations import Elementwise", "defines no subclass of Activation"),
    ],
)
def test_a_file_that_cannot_be_imported_ends_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    file = tmp_path / "own.py"
    file.write_text(text)
    assert main(["relu", str(file)]) == 2
    out, err = capsys.readouterr()
    assert not out and says in err
    assert err.startswith(f"error: {file} ") and err.count("\n") == 1


RAISING = """
import sys
from activations import Elementwise

class Raises(Elementwise):
    def forward(self, x):
        raise KeyError("a\\nb")

class Leaves(Elementwise):
    def forward(self, x):
        sys.exit(0)

class Asks(Elementwise):
    def __init__(self, alpha):
        super().__init__()

class Lists(Elementwise):
    def forward(self, x):
        return [1]

class Fine(Elementwise):
    def forward(self, x):
        return 2 * x
    def derivative(self, x, y):
        return 0 * x + 2
"""


def test_a_function_that_raises_is_broken_and_the_others_are_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.py"
    file.write_text(RAISING)
    assert main([str(file), "--points", "40"]) == 1
    out, err = capsys.readouterr()
    assert not err
    broken = [line for line in out.splitlines() if "BROKEN" in line]
    assert [line.split(": ")[1] for line in broken[:3]] == ["KeyError", "SystemExit", "TypeError"]
    assert broken[0].endswith("(own.py:7)") and broken[1].endswith("(own.py:11)")
    assert "Lists does not define derivative" in broken[3]
    assert len(broken) == 4 and "increasing" in out


FLOATS_ONLY = """
import numpy as np
from activations import Elementwise

class Own(Elementwise):
    def forward(self, x):
        return (x + np.tanh(x.astype(np.float64))).astype(x.dtype)
    def derivative(self, x, y):
        return (2 - np.tanh(x.astype(np.float64)) ** 2).astype(x.dtype)
"""


def test_what_cannot_be_compared_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.py"
    file.write_text(FLOATS_ONLY)
    assert main(["step", "softmax", str(file), "--points", "40"]) == 0
    shown = capsys.readouterr().out
    assert "a surrogate by design: not compared with the value" in shown
    assert "agrees with the value (random projections)" in shown
    assert "its forward takes only floats" in shown and "(from its own float64)" in shown
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["tanh", "--points", "40"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("mpmath is not installed: ") and "pip install mpmath" in shown
    assert "mpmath is not installed: float32 compared with float64\n" in shown


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "sin"])
def test_without_mpmath_no_point_beside_a_root_counts(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terms cancel there: the correct GELU' would have an error of 30 ULP at x = -0.75."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    measured = measure(activations.get(name), 400)
    assert re.search(r"without \d+ points near roots$", measured.note)
    assert [one.what for one in measured.worst] == ["value", "derivative"]
    assert all(one.ulp <= bound for one, bound in zip(measured.worst, (4, 8), strict=True))


@pytest.mark.parametrize("words", [[], ["relu", "--points", "few"], ["--colour"]])
def test_a_wrong_command_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert not out and err.startswith("error: ") and err.count("\n") == 1


def test_the_formula_is_right_at_its_defaults() -> None:
    assert main(["formula"]) == 0


def test_several_names_are_checked_one_after_the_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["relu", "tanh", "--points", "40"]) == 0
    found = capsys.readouterr().out
    assert found.index("ReLU(") < found.index("TanH(")
