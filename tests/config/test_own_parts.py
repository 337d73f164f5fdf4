"""Each kind of part that a user's own file may register: chosen, set, checked and told apart like
ours, by the file alone."""

from __future__ import annotations

import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

from activations.registry import Registry
from runner import load_run, run
from runner.__main__ import main
from runner.compare.__main__ import main as compare
from runner.config.build import REGISTRIES, SECTIONS
from runner.config.compose import compose
from runner.data.shapes import DATASETS
from runner.network import Optimizer
from runner.network.optimizers import OPTIMIZERS
from runner.plots.__main__ import main as draw
from runner.system.terminal import ConfigError
from tests.commands import ROOT, python, refusal

QUICK = ["training.epochs=3", "dataset.samples=100", "replicates=2", "plots=none"]
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")

HEAD = """
import pathlib
import numpy as np
from activations import Elementwise
from activations.arguments import number
from runner.data import Dataset, register
from runner.network import Initializer, Loss, Optimizer, Schedule

"""


@dataclass(frozen=True)
class Own:
    """A part in a user's file: its code, the number in it that an edit changes, and what breaks
    it together with the message of each."""

    code: str
    number: str
    broken: tuple[tuple[str, str, str], ...]

    def write(self, *edit: str) -> None:
        assert not edit or edit[0] in self.code
        text = HEAD + textwrap.dedent(self.code)
        Path("mine.py").write_text(text.replace(*edit) if edit else text)


OWN = {
    "activation": Own(
        """
        class Mine(Elementwise):
            name = "mine"

            def __init__(self, scale: float = 0.5) -> None:
                super().__init__()
                self.scale = number("scale", scale, above=0)

            def forward(self, x):
                return 0.75 * self.scale * x

            def derivative(self, x, y):
                return np.full_like(x, 0.75 * self.scale)
        """,
        "0.75",
        (("np.full_like(x, 0.75", "np.full_like(x, 1.75", "derivative disagrees with forward"),),
    ),
    "dataset": Own(
        """
        @register
        def mine(rng, samples=300, scale=1.0):
            number("scale", scale, above=0)
            x = rng.normal(size=(samples, 2))
            return Dataset(x, (0.75 * scale * x[:, 0] > x[:, 1]).astype(int), 2)
        """,
        "0.75",
        (
            ("return Dataset", "return ", "must return a runner.data.Dataset(x, labels, classes)"),
            ("rng, samples", "samples", "must take rng"),
            ("scale=1.0", "**scale", "takes **scale; it must take every parameter by name"),
        ),
    ),
    "optimizer": Own(
        """
        class Mine(Optimizer):
            name = "mine"

            def __init__(self, learning_rate: float = 0.1, scale: float = 0.5) -> None:
                super().__init__(learning_rate)
                self.scale = number("scale", scale, above=0)

            def allocate(self):
                self.velocity = np.zeros_like(self.theta)

            def state(self):
                return [self.velocity]

            def update(self, gradient, learning_rate):
                self.velocity *= 0.75
                self.velocity += self.scale * gradient
                self.theta -= learning_rate * self.velocity
        """,
        "0.75",
        (
            ("return [self.velocity]", "return []", "gives another result after a checkpoint"),
            ("self.velocity += ", "self.velocity += gradient.sum() + ", "differently than alone"),
            ("self.theta -=", "self.theta = self.theta -", "moves nothing"),
            ("learning_rate * self", "learning_rate / 0 * self", "ZeroDivisionError"),
            ("super().__init__(learning_rate)", "pass", "must call super().__init__()"),
            ("def update", "def move", "does not define update"),
        ),
    ),
    "initializer": Own(
        """
        class Mine(Initializer):
            name = "mine"

            def __init__(self, scale: float = 0.5) -> None:
                super().__init__()
                self.scale_ = number("scale", scale, above=0)

            def scale(self, fan_in, fan_out):
                return 0.75 * self.scale_
        """,
        "0.75",
        (
            ("0.75 *", "np.nan *", "gives nan"),
            ("0.75 *", "np.random.rand() *", "another result when it is called again"),
            ("0.75 *", "np.ones((fan_in, 1, 1)) *", "shape (12, 12, 17) where (12, 17) is"),
        ),
    ),
    "schedule": Own(
        """
        class Mine(Schedule):
            name = "mine"

            def __init__(self, scale: float = 0.5, warmup_epochs: int = 0) -> None:
                super().__init__(warmup_epochs)
                self.scale = number("scale", scale, above=0)

            def factors_after_warmup(self, epoch, epochs):
                return 0.75 * self.scale / (1 + epoch)
        """,
        "0.75",
        (
            ("(1 + epoch)", "epoch", "gives inf"),
            ("(1 + epoch)", "1", "gives an array of shape ()"),
        ),
    ),
    "training.loss": Own(
        """
        class Mine(Loss):
            name = "mine"

            def losses(self, logits, targets):
                return 0.75 * ((logits + targets) ** 2).sum(axis=-1)

            def gradient(self, logits, targets):
                return 2 * 0.75 * (logits + targets) / logits.shape[-2]
        """,
        "0.75",
        (("return 2 *", "return 3 *", "gradient disagrees with losses for 2 classes"),),
    ),
}
NAMED = ["extensions=[mine.py]", *QUICK, "hydra.run.dir=it"]
kinds = pytest.mark.parametrize("kind", OWN)
sections = pytest.mark.parametrize("kind", SECTIONS)


@sections
def test_its_parameters_are_set_and_stored(kind):
    OWN[kind].write()
    assert main([*NAMED, f"{kind}=mine", f"{kind}.scale=0.25"]) == 0
    section = getattr(load_run("it").config, kind)
    assert (section["name"], section["scale"]) == ("mine", 0.25)


@sections
def test_a_file_with_its_name_alone_is_the_same_run(kind):
    OWN[kind].write()
    Path(f"cfg/{kind}").mkdir(parents=True)
    Path(f"cfg/{kind}/short.yaml").write_text("name: mine\n")
    where = "hydra.searchpath=[cfg]"
    whole, short = (compose([where, NAMED[0], f"{kind}={one}"]) for one in ("mine", "short"))
    assert whole.experiment.to_dict() == short.experiment.to_dict()
    assert whole.folder == short.folder


def test_a_default_that_no_config_can_hold_stays_in_the_constructor():
    OWN["optimizer"].write("scale: float = 0.5", "scale=np.float64(0.5), found=len, pair=(1, 2)")
    made = compose([NAMED[0], "optimizer=mine"]).experiment.optimizer
    assert (made["scale"], type(made["scale"]), made["pair"]) == (0.5, float, [1, 2])
    assert "found" not in made


@sections
def test_a_wrong_parameter_is_refused_with_the_right_ones(kind, capsys):
    OWN[kind].write()
    line = refusal(capsys, *NAMED, f"{kind}=mine", f"{kind}.scael=1")
    assert line.startswith(f"error: {kind}.scael is unknown: {kind} mine takes ")
    assert "did you mean scale?" in line
    line = refusal(capsys, *NAMED, f"{kind}=mine", f"{kind}.scale=-1")
    assert line.startswith(f"error: {kind}.scale must be a number > 0")
    line = refusal(capsys, *NAMED, f"{kind}=mien")
    assert f"{kind}=mien is unknown; did you mean mine?" in line


@kinds
def test_an_edit_is_trained_anew_and_new_brackets_are_not(kind, capsys):
    number = OWN[kind].number
    losses = []
    for edit, expected in ((number, ""), (f"({number})", ""), ("0.5", "your own code")):
        OWN[kind].write(number, edit)
        assert main([*NAMED, f"{kind}=mine"]) == 0
        assert expected in capsys.readouterr().err
        losses.append(load_run("it").history["train_loss"])
    assert len(list(Path(".old").iterdir())) == 1
    assert np.array_equal(losses[0], losses[1]) and not np.array_equal(losses[1], losses[2])


@kinds
def test_what_it_reads_counts_too(kind, capsys):
    Path("number.txt").write_text("0.75")
    OWN[kind].write(OWN[kind].number, "float(pathlib.Path('number.txt').read_text())")
    for number, expected in (("0.75", ""), ("0.75", ""), ("0.5", "that your own code reads")):
        Path("number.txt").write_text(number)
        assert main([*NAMED, f"{kind}=mine"]) == 0
        assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "edit", "message"),
    [(kind, edit, message) for kind, own in OWN.items() for *edit, message in own.broken],
)
def test_one_that_misleads_is_refused(kind, edit, message, capsys):
    OWN[kind].write(*edit)
    line = refusal(capsys, *NAMED, f"{kind}=mine")
    assert kind in line and message in line


@kinds
def test_a_name_is_taken_once(kind, capsys):
    registry = next(one for one in REGISTRIES if one.kind == kind)
    ours = next(iter(registry))
    OWN[kind].write("mine", ours)
    line = refusal(capsys, *NAMED)
    assert "mine.py cannot be imported" in line
    assert f"{kind} name {ours!r} is taken by {registry[ours].__qualname__} in " in line
    where = re.search(r" in (\S+):(\d+); choose another name \(mine.py:\d+\)", line)
    defined = (ROOT / where[1]).read_text().splitlines()[int(where[2]) - 1 :][:4]
    assert any(registry[ours].__qualname__ in text for text in defined)  # below its decorators


def test_a_name_is_taken_by_another_file_of_the_users(capsys):
    OWN["activation"].write()
    Path("other.py").write_text(Path("mine.py").read_text() + "# another file\n")
    line = refusal(capsys, "extensions=[mine.py,other.py]", "activation=mine")
    assert re.search(r"name 'mine' is taken by \w+ in mine.py:\d+; choose another", line)


@kinds
def test_a_stored_run_asks_for_the_file(kind, capsys):
    OWN[kind].write()
    assert main([*NAMED, f"{kind}=mine"]) == 0
    registry = next(one for one in REGISTRIES if one.kind == kind)
    module = registry["mine"].__module__
    registry.forget(module)
    del sys.modules[module]
    assert load_run("it").history["train_loss"].shape == (2, 4)
    assert draw(["it"]) == 2
    assert "='mine' is unknown; if mine.py defines it" in capsys.readouterr().err
    assert compare(["it", "--no-pictures"]) == 0 and "mine" not in registry
    assert compare(["it", "--no-pictures", "extensions=[mine.py]"]) == 0 and "mine" in registry
    load_run("it").network()


def test_all_of_them_train_together_in_the_pool():
    text = HEAD + "".join(textwrap.dedent(own.code) for own in OWN.values())
    Path("mine.py").write_text(text)
    words = [f"{kind}=mine" for kind in OWN if kind != "optimizer"]
    swept = ["optimizer=mine,sgd", "hydra.sweep.dir=swept"]
    done = python("-m", "runner", "-m", "extensions=[mine.py]", *QUICK, *words, *swept)
    assert done.returncode == 0, done.stderr
    configs = [yaml.safe_load(path.read_text()) for path in Path("swept").glob("*/config.yaml")]
    assert sorted(config["optimizer"]["name"] for config in configs) == ["mine", "sgd"]
    assert all(config["schedule"]["name"] == "mine" for config in configs)


def test_what_a_notebook_registers_can_be_named_and_defined_again():
    for momentum in (0.5, 0.75):

        class Cell(Optimizer):
            name = "cell"

            def __init__(self, learning_rate: float = momentum) -> None:
                super().__init__(learning_rate)

            def update(self, gradient: np.ndarray, learning_rate: float) -> None:
                self.theta -= learning_rate * gradient

        result = run(["optimizer=cell", *QUICK])
        assert result.config.optimizer == {"name": "cell", "learning_rate": momentum}


def test_what_a_notebooks_part_raises_is_told_in_one_line():
    namespace = {"__name__": "a_cell_without_a_file"}
    exec(HEAD + "@register\ndef cell(rng):\n    return 1 / 0", namespace)
    with pytest.raises(ConfigError, match=r"^dataset cell: ZeroDivisionError: division by zero$"):
        run(["dataset=cell", "plots=none"])


def test_only_what_has_a_name_can_be_registered():
    with pytest.raises(ValueError, match="3 is not a valid dataset"):
        DATASETS.register(3)
    with pytest.raises(ValueError, match="dataset name '<lambda>' must be text that begins with"):
        DATASETS.register(lambda rng: None)
    kind: Registry[object] = Registry("kind")
    with pytest.raises(ValueError, match=r"kind 'x' is unknown; there are none"):
        kind["x"]
    assert "sgd" in OPTIMIZERS and "tanh" not in OPTIMIZERS
