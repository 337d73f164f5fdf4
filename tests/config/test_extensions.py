"""A user's own class, from a file or from Python: trained, swept, checked, told apart."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml

from activations import Elementwise, LeakyReLU
from runner import load_run, run
from runner.__main__ import main
from runner.data import Dataset, register
from runner.data.shapes import make
from runner.plots.__main__ import main as draw
from runner.system.terminal import ConfigError
from tests.commands import python, refusal

QUICK = ["training.epochs=2", "dataset.samples=100", "replicates=2", "plots=none"]
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")

WIGGLE = '''
import numpy as np
from activations import Elementwise
from activations.arguments import number


class Wiggle(Elementwise):
    """x + alpha sin(x)."""

    name = "wiggle"

    def __init__(self, alpha: float = 0.5) -> None:
        super().__init__()
        self.alpha = number("alpha", alpha, minimum=0)

    def forward(self, x):
        return x + self.alpha * np.sin(x)

    def derivative(self, x, y):
        return 1 + self.alpha * np.cos(x)
'''
OWN = ["extensions=[my_activations.py]", "activation=wiggle"]
"""The words that take it."""


def write(text: str = WIGGLE) -> None:
    """Write a file that defines one activation."""
    Path("my_activations.py").write_text(text)


def test_a_class_in_a_file_trains(capsys):
    write()
    assert main([*OWN, "activation.alpha=0.25", "hydra.run.dir=it", *QUICK]) == 0
    assert "wiggle on moons" in capsys.readouterr().out
    stored = load_run("it")
    assert stored.config.activation == {"name": "wiggle", "alpha": 0.25}
    x = np.linspace(-2, 2, 9)
    found = stored.network().activations[0]
    np.testing.assert_array_equal(found(x), x + 0.25 * np.sin(x))


def test_its_defaults_need_no_yaml_file(capsys):
    write()
    assert main([*OWN, *QUICK, "hydra.run.dir=it"]) == 0
    assert load_run("it").config.activation == {"name": "wiggle", "alpha": 0.5}


def test_a_yaml_file_of_the_users_own_wins_without_a_warning(capsys):
    write()
    Path("conf/activation").mkdir(parents=True)
    Path("conf/activation/wiggle.yaml").write_text("# Wiggles\nname: wiggle\nalpha: 0.125\n")
    assert main([*OWN, *QUICK, "-cd", "conf", "hydra.run.dir=it"]) == 0  # warnings are errors here
    assert load_run("it").config.activation["alpha"] == 0.125


def test_hyper_parameters_can_be_swept_in_other_processes(tmp_path):
    """The workers of a sweep import the file themselves."""
    write()
    done = _shell("-m", OWN[0], "activation=wiggle,tanh", *QUICK)
    assert done.returncode == 0, done.stderr
    done = _shell("-m", *OWN, *QUICK, "activation.alpha=0.1,2")
    assert done.returncode == 0, done.stderr
    configs = [yaml.safe_load(path.read_text()) for path in tmp_path.rglob("config.yaml")]
    found = [config["activation"] for config in configs]
    assert len(found) == 4
    for alpha in (0.1, 0.5, 2):
        assert {"name": "wiggle", "alpha": alpha} in found


DATA = """
import numpy as np
from runner.data import Dataset, register

@register
def halves(samples, noise, rng):
    x = rng.normal(size=(samples, 2))
    return Dataset(x, (x[:, 0] > 0).astype(int), 2)
"""
DATA_YAML = "name: halves\nsamples: 100\nnoise: 0\ntest_fraction: 0.2\nvalidation_fraction: 0.2\n"


def test_data_of_the_users_own_train_as_the_refusal_of_a_file_says():
    Path("data.py").write_text(DATA)
    Path("conf/dataset").mkdir(parents=True)
    Path("conf/dataset/halves.yaml").write_text(DATA_YAML)
    done = _shell("extensions=[data.py]", "-cd", "conf", "dataset=halves", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "tanh on halves" in done.stdout


BAD_DATA = {
    "(x, labels)": "must return a runner.data.Dataset(x, labels, classes), got a tuple",
    "None": "got a NoneType",
    "Dataset(x[:, 0], labels, 2)": "x must have the shape (samples, features), got (100,)",
    "Dataset([*x.tolist()[1:], [1.0]], labels, 2)": "inhomogeneous",
    "Dataset(x[1:], labels, 2)": "labels must have the shape (99,)",
    "Dataset(x, labels + 1, 2)": "labels must be whole numbers from 0 to 1",
    "Dataset(x, labels / 2, 2)": "whole numbers from 0 to 1, as classes is 2; got 0.5",
    "Dataset(x, labels, 2.0)": "classes must be a whole number",
    "Dataset(np.where(x > 0, np.nan, x), labels, 2)": "x must be finite",
    "Dataset(x.astype(str), labels, 2)": "must be numbers",
    "Dataset(x + np.random.rand(), labels, 2)": "is not the same for the same seed",
    "int('boo')": "dataset halves: invalid literal for int() with base 10: 'boo'",
    "open('nowhere.csv')": "FileNotFoundError: [Errno 2] No such file or directory",
    "exit(0)": "SystemExit: 0 (data.py:9)",
}


@pytest.mark.parametrize("returned", BAD_DATA)
def test_wrong_data_of_the_users_own_get_one_line(returned, capsys):
    text = DATA.replace("    return", "    labels = (x[:, 0] > 0).astype(int)\n    return")
    head, _, _ = text.rpartition("return")
    Path("data.py").write_text(f"{head}return {returned}\n")
    Path("conf/dataset").mkdir(parents=True)
    Path("conf/dataset/halves.yaml").write_text(DATA_YAML)
    line = refusal(capsys, "extensions=[data.py]", "-cd", "conf", "dataset=halves")
    assert line.startswith("error: dataset halves") and BAD_DATA[returned] in line


def test_lists_and_whole_floats_are_data_too():
    @register
    def lists(samples, noise, rng):
        x = rng.normal(size=(samples, 1))
        return Dataset(x.tolist(), (x[:, 0] > 0).astype(float).tolist(), np.int64(2))

    found = make("lists", 0, {"samples": 9, "noise": 0})
    assert (found.x.dtype, found.labels.dtype, type(found.classes)) == (np.float64, np.int64, int)


def test_the_process_that_draws_imports_the_file_too():
    write()
    done = _shell(*OWN, *QUICK[:-1], "hydra.run.dir=it")
    assert done.returncode == 0, done.stderr
    assert Path("it/activation.png").is_file()


def test_hydras_own_options_know_the_class():
    write()
    done = _shell("--cfg", "job", *OWN)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["activation"] == {"name": "wiggle", "alpha": 0.5}


def test_a_stored_run_is_drawn_again_if_the_file_is_named(capsys):
    write()
    words = [*OWN, "hydra.run.dir=it", *QUICK]
    assert _shell(*words).returncode == 0
    assert draw(["it"]) == 2  # this process has not seen the class
    line = capsys.readouterr().err
    assert "add 'extensions=[my_activations.py]' to the command" in line
    assert "in Python, import my_activations.py first" in line
    assert draw(["it", "extensions=[my_activations.py]"]) == 0
    assert Path("it/activation.png").is_file()
    assert draw(["it", "extensions=[nowhere.py]"]) == 2
    assert draw(["extensions=[my_activations.py]"]) == 2
    assert "required: FOLDER" in capsys.readouterr().err


def test_a_wrong_gradient_is_refused_with_place_and_both_numbers(capsys):
    write(WIGGLE.replace("1 + self.alpha * np.cos(x)", "1 + self.alpha * np.sin(x)"))
    line = refusal(capsys, *OWN)
    for word in ("wiggle", "my_activations.py", "derivative disagrees with forward at x = "):
        assert word in line
    x, claimed, found = (
        float(line.split(before)[1].split()[0].strip(",:"))
        for before in ("at x = ", "it gives ", "of forward give ")
    )
    assert claimed == pytest.approx(1 + 0.5 * np.sin(x), rel=1e-4)
    assert found == pytest.approx(1 + 0.5 * np.cos(x), rel=1e-4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def oops(:\n", ["SyntaxError", "line 1"]),
        ("import nothing_of_that_name\n", ["ModuleNotFoundError", "nothing_of_that_name"]),
        ("1 / 0\n", ["ZeroDivisionError"]),
        ("raise SystemExit(7)\n", ["SystemExit"]),
        ("raise ValueError('two\\nlines')\n", ["ValueError", "two"]),
        ("\x00", ["null bytes"]),
        (WIGGLE.replace("wiggle", "relu"), ["relu", "taken"]),
        (WIGGLE.replace('"wiggle"', "123"), ["name 123", "begins with a letter"]),
        (WIGGLE.replace("wiggle", "123"), ["name '123'", "begins with a letter"]),
        (WIGGLE.replace("return x +", "return x[:0] +"), ["shape"]),
        (WIGGLE.replace("return x +", "return x[:1] #"), ["forward returns shape (1, 3, 12)"]),
        (WIGGLE.replace("return x +", "return list(x) #"), ["forward returns a list"]),
        (WIGGLE.replace("return x +", "raise SystemExit(0) #"), ["SystemExit: 0"]),
        (WIGGLE.replace("np.sin", "np.sine"), ["sine", "my_activations.py:17"]),
        (WIGGLE.replace(": float = 0.5", ""), ["alpha"]),
        (WIGGLE.replace("self.alpha = number", "alpha = number"), ["alpha"]),
        (WIGGLE.replace("super().__init__()", "pass"), ["super().__init__()"]),
        (WIGGLE.replace("derivative", "slope"), ["derivative"]),
    ],
)
def test_a_broken_file_gets_one_line(capsys, text, words):
    write(text)
    line = refusal(capsys, *OWN)
    assert line.startswith("error: extensions: my_activations.py")
    for word in words:
        assert word in line, line


def test_a_missing_file_or_module_gets_one_line(capsys):
    assert "file nowhere.py does not exist" in refusal(capsys, "extensions=[nowhere.py]")
    assert "nowhere_at_all" in refusal(capsys, "extensions=[nowhere_at_all]")
    Path("folder.py").mkdir()
    assert "file folder.py does not exist" in refusal(capsys, "extensions=[folder.py]")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import numpy as np\n", "my_activations.py defines nothing to choose"),
        ("from activations import GELU\n", "my_activations.py defines nothing to choose"),
        (WIGGLE.replace('name = "wiggle"', ""), "my_activations.py: class Wiggle has no name"),
        (WIGGLE + "class Other(Wiggle):\n    pass\n", "class Other has no name"),
    ],
)
def test_a_file_that_gives_nothing_to_choose_is_refused(capsys, text, says):
    write(text)
    for _ in range(2):  # the second time it is imported already
        assert says in refusal(capsys, OWN[0], "activation=tanh")


def test_a_folder_is_refused(capsys, monkeypatch):
    Path("parts_of_mine").mkdir()
    monkeypatch.syspath_prepend(".")  # as python -m does
    message = refusal(capsys, "extensions=[parts_of_mine]")
    assert "parts_of_mine is a folder; name a Python file in it" in message


def test_a_class_without_a_name_may_be_the_base_of_others():
    write(WIGGLE.replace('name = "wiggle"', "") + 'class A(Wiggle):\n    name = "wiggle"\n')
    for _ in range(2):
        assert run([*OWN, *QUICK]).config.activation["name"] == "wiggle"


def test_a_parameter_that_the_class_refuses_gets_its_message(capsys):
    write()
    assert "activation.alpha must be" in refusal(capsys, *OWN, "activation.alpha=-1")
    assert "takes alpha" in refusal(capsys, *OWN, "activation.gamma=1")


def test_an_edited_file_is_trained_anew_in_its_folder(capsys):
    """In a process of its own each time: a remark is no edit, a number is one."""
    write()
    words = [*OWN, *QUICK]
    path = Path("my_activations.py")
    for edit, there in ((("", ""), False), (("import", "# a remark\nimport"), True),
                        (("1 + self.alpha", "1.0 + self.alpha"), False)):  # fmt: skip
        path.write_text(path.read_text().replace(*edit, 1))
        done = _shell(*words)
        assert done.returncode == 0, done.stderr
        assert ("already done" in done.stdout) == there
    assert "another version of your own code: it is trained again" in done.stderr
    assert len(list(Path("outputs/runs").glob("wiggle*"))) == 1


def test_in_one_process_an_edited_file_takes_the_place_of_its_former_self():
    """As in a notebook: refused, asked for again, mended, improved."""
    write(WIGGLE.replace("1 + self.alpha", "2 + self.alpha"))
    words = [*QUICK, *OWN]
    for _ in range(2):
        with pytest.raises(ConfigError, match="derivative disagrees"):
            run(words)
    path = Path("my_activations.py")
    path.write_text(path.read_text().replace("2 + self.alpha", "1 + self.alpha"))
    first = run(words)
    path.write_text(path.read_text().replace("alpha: float = 0.5", "alpha: float = 0.25"))
    second = run(words)
    found = [result.config.activation["alpha"] for result in (first, second)]
    assert found == [0.5, 0.25]


class Nameless(Elementwise):
    """x - beta cos(x), with a gradient that can be made wrong."""

    def __init__(self, beta: float = 0.5, error: float = 0.0) -> None:
        super().__init__()
        self.beta = beta
        self.error = error

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x - self.beta * np.cos(x)

    def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 1 + self.beta * np.sin(x) + self.error


@pytest.fixture
def squiggle():
    """The class with a name."""

    class Squiggle(Nameless):
        name = "squiggle"

    return Squiggle


def test_an_instance_from_python_trains(squiggle):
    result = run(QUICK, activation=squiggle(beta=0.25))
    assert result.config.activation == {"name": "squiggle", "beta": 0.25, "error": 0.0}
    assert np.isfinite(result.history["train_loss"]).all()


def test_an_instance_of_the_librarys_own_class_trains():
    result = run(QUICK, activation=LeakyReLU(alpha=0.3))
    assert result.config.activation["alpha"] == 0.3


def test_an_instance_with_a_wrong_gradient_is_refused(squiggle):
    with pytest.raises(ConfigError, match=r"^Squiggle: derivative disagrees .* x = ") as refused:
        run(QUICK, activation=squiggle(error=0.01))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("given", [LeakyReLU, "relu", np.tanh], ids=str)
def test_what_is_no_instance_is_refused(given):
    with pytest.raises(ConfigError, match="must be an instance"):
        run(QUICK, activation=given)


def test_an_instance_that_was_changed_beside_its_arguments_is_refused(squiggle):
    class Held(squiggle):
        name = "held"

        def __init__(self) -> None:
            super().__init__()
            self.table = [0.5]

        def forward(self, x: np.ndarray) -> np.ndarray:
            return self.table[0] * x

        def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
            return np.full_like(x, self.table[0])

    changed = Held()
    run(QUICK, activation=changed)
    changed.table[0] = 0.75
    with pytest.raises(ConfigError, match="Held must be the same when training builds it again"):
        run(QUICK, activation=changed)


def test_an_instance_without_a_name_is_refused():
    with pytest.raises(ConfigError, match="Nameless needs a class attribute name"):
        run(QUICK, activation=Nameless())


def test_an_instance_that_forgets_its_arguments_is_refused(squiggle):
    class Forgetful(squiggle):
        name = "forgetful"

        def __init__(self, gamma: float = 1.0) -> None:
            super().__init__()

    with pytest.raises(ConfigError, match="Forgetful must keep its constructor's arguments"):
        run(QUICK, activation=Forgetful())


def _shell(*words: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "runner", *words)


@pytest.mark.parametrize(
    "words", [["experiment=depth"], ["activation=tanh,relu"], "activation=tanh", ["seed=1", 3]]
)
def test_python_runs_one_experiment_and_refuses_anything_else(words):
    with pytest.raises(ConfigError):
        run(words)
    assert not Path("outputs").exists()
