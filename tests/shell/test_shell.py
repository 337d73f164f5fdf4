"""The command line as a user meets it: output, exit status, files, errors."""

import os
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from runner import run
from runner.__main__ import main
from runner.config.catalogue import GROUPS, choices, known_values
from runner.config.compose import compose
from runner.plots.__main__ import main as draw
from runner.shell.arguments import parse
from runner.sweep.plan import plan
from runner.system.terminal import ConfigError
from tests.commands import python, refusal

QUICK = ["training.epochs=2", "dataset.samples=100", "replicates=2", "plots=none"]
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def test_a_run_prints_its_result_and_the_line_that_repeats_it(capsys):
    assert main(["activation=relu", *QUICK]) == 0
    out = capsys.readouterr().out
    assert "relu on moons" in out
    assert re.search(r"test +\d\.\d{4} \[", out)
    assert "n=2" in out
    folder = re.search(r"folder +(\S+)", out).group(1)
    assert sorted(os.listdir(folder)) == [
        "config.yaml",
        "history.csv",
        "summary.json",
        "weights.npz",
    ]
    repeated = re.search(r"repeat +(.*)", out).group(1)
    assert repeated == "python -m runner activation=relu " + " ".join(QUICK)


def test_the_same_command_again_reads_the_finished_run(capsys):
    main(QUICK)
    first = {p: p.stat().st_mtime_ns for p in _files()}
    assert main(QUICK) == 0
    assert "already done" in capsys.readouterr().out
    assert {p: p.stat().st_mtime_ns for p in _files()} == first


def test_pictures_in_every_format(capsys):
    for form in ("png", "svg", "pdf"):
        arguments = [*QUICK[:-1], f"plots={form}", f"hydra.run.dir=run_{form}"]
        assert main(arguments) == 0
        names = {p.stem for p in _files() if p.suffix == f".{form}"}
        assert names == {"loss", "accuracy", "activation", "boundary", "flow", "units"}


def test_without_pictures_matplotlib_is_not_imported():
    code = (
        "import sys; from runner.__main__ import main; "
        f"status = main({QUICK!r}); "
        "assert status == 0; assert 'matplotlib' not in sys.modules"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["seed=1", "--help"]])
@pytest.mark.parametrize("columns", [80, 120])
def test_help_names_every_choice_and_commands_that_exist(capsys, monkeypatch, words, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(words) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= columns
    for group in (*GROUPS, "experiment"):
        assert f"{group}=" in out and set(choices(group)) <= set(out.split())
    commands = set(re.findall(r"python -m ([\w.]+)", out))
    assert commands >= {"runner", "runner.compare", "runner.plots", "activations.check"}
    assert all(find_spec(command) for command in commands)


COMMANDS = ["runner.compare", "runner.plots", "runner.plots.gallery", "runner.propagate"]
COMMANDS += ["runner.reproduce", "activations.check", "activations.passport"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_the_other_commands_fits_80_columns(capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        import_module(f"{command}.__main__").main(["--help"])
    assert ended.value.code == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize("group", [*GROUPS, "experiment"])
def test_help_for_a_group_describes_each_choice(capsys, monkeypatch, group):
    monkeypatch.setenv("COLUMNS", "300")
    assert main(["--help", group]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for name, text in choices(group).items():
        assert f" {name} {' '.join(text.split())}" in out


def test_help_for_what_is_no_group_is_refused(capsys):
    message = refusal(capsys, "--help", "losses")
    assert "losses" in message and "dataset" in message


def test_config_is_printed_by_hydras_own_option():
    done = python("-m", "runner", "--cfg", "job", "activation=relu")
    assert done.returncode == 0 and "name: relu" in done.stdout
    assert os.listdir() == []


@pytest.mark.parametrize(
    "override, words",
    [
        ("activation=rleu", ["activation=rleu", "did you mean relu"]),
        ("activation=zzz", ["activation=zzz", "tanh", "--help", "add extensions=[FILE.py]"]),
        ("activation=wavelet", ["activation=wavelet is unknown", "add extensions=[FILE.py]"]),
        ("optimizer=lion", ["optimizer=lion", "adam, adamw", "add extensions=[FILE.py]"]),
        ("dataset=my_moons", ["did you mean moons?", "add extensions=[FILE.py]"]),
        ("initializer=glorot", ["did you mean glorot_normal or glorot_uniform?"]),
        ("layers=3", ["layers is unknown; did you mean model.hidden?"]),
        ("nets=3", ["nets is unknown; did you mean replicates?"]),
        ("activation=Relu", ["did you mean relu?"]),
        ("activation=RELU", ["did you mean relu?"]),
        ("activation=Leaky-ReLU", ["did you mean leaky_relu?"]),
        ("activation.name=ReLU6", ["did you mean relu6?"]),
        ("activation=[relu,tanh]", ["activation=[relu,tanh]", "-m activation=relu,tanh"]),
        ("dataset=[moons,xor]", ["-m dataset=moons,xor"]),
        ("seed=[1,2]", ["-m seed=1,2"]),
        (
            "dataset=my.csv",
            ["my.csv", "synthetic", "@register", "[FILE.py] dataset=NAME"],
        ),
        ("seed=interval(0.001,0.1)", ["interval", "-m seed=", "range("]),
        ("lr=0.1", ["did you mean optimizer.learning_rate?"]),
        ("activation.alpha=tanh(2)", ["activation.alpha=tanh(2)", ": Unknown function 'tanh'"]),
        ("extensions=[é.py]", ["extensions=[é.py]", "need quotes"]),
        ("~training.epochs", ["~training.epochs", "cannot be removed"]),
        ("~dataset.noise", ["~dataset.noise", "cannot be removed"]),
        ("activation@model=relu", ["activation@model=relu", "@"]),
        ("tune=optimizer.learning_rate", ["tune=", "add -m"]),
        ("placebo=tanh", ["placebo=tanh", "add -m"]),
        ("hydra/launcher=basic", ["hydra/launcher", "add -m"]),
        ("hydra.run.dir=${oc.env:NOPE}", ["hydra.run.dir", "NOPE"]),
        ("hydra.run.dir=${nosuch}", ["hydra.run.dir", "nosuch"]),
        ("hydra.run.dir=???", ["hydra.run.dir", "Missing"]),
        ("hydra.run.dir=null", ["hydra.run.dir"]),
        ("hydra.run={dri: x}", ["hydra.run.dri", "hydra.run.dir"]),
        ("hydra.job.num=3", ["hydra.job.num", "Hydra fills it"]),
        ("hydra.help.header=x", ["hydra.help.header", "--help"]),
        ("hydra/sweeper=nosuch", ["hydra/sweeper=nosuch", "basic, grid"]),
        ("hydra/job_logging=nosuch", ["nosuch", "default, disabled, none, stdout"]),
        ("hydra.launcher.processes=2", ["hydra.launcher.processes", "add -m"]),
        ("+hydra.callbacks.x={a: 1}", ["hydra.callbacks.x", "MODULE.CLASS"]),
        ("+hydra.callbacks.x={_target_: nosuch.X}", ["hydra.callbacks.x", "nosuch"]),
        ("objective=test_loss", ["objective", "validation_loss"]),
        ("hydra.searchpath=[nowhere]", ["nowhere", "no such folder"]),
        ("hydra.run.dir=a\udcffb", ["a\\udcffb", "not valid UTF-8"]),
        ("seed=" + "9" * 5000, ["seed=9", "too many digits"]),
        ("optimizer.learning_rate=" + "9" * 400, ["optimizer.learning_rate", "<= 1e+30"]),
        ("dataset=moon", ["dataset=moon", "moons"]),
        ("optimiser=adam", ["optimiser", "optimizer"]),
        ("actvation=tanh", ["actvation is unknown; did you mean activation?"]),
        ("trainng.epochs=3", ["trainng.epochs", "training.epochs"]),
        ("training.epoch=3", ["training.epoch", "training.epochs"]),
        ("activation.alpha=0.1", ["activation.alpha", "takes no"]),
        ("+activation.alpha=0.1", ["activation.alpha", "takes no"]),
        ("+new.key=1", ["new", "unknown"]),
        ("+new=1", ["new", "unknown"]),
        ("training.epochs=0", ["training.epochs", "from 1"]),
        ("training.epochs=ten", ["training.epochs", "'ten'"]),
        ("training.epochs=1.5", ["training.epochs", "1.5"]),
        ("training.epochs=true", ["training.epochs", "true"]),
        ("training.epochs=null", ["training.epochs", "null"]),
        ("training.snapshots=1", ["training.snapshots", "0", "at least 2"]),
        ("training.batch_size=100000", ["training.batch_size", "training samples", "null"]),
        ("optimizer.learning_rate=-1", ["optimizer.learning_rate", "> 0"]),
        ("optimizer.learning_rate=nan", ["optimizer.learning_rate", "nan"]),
        ("optimizer.learning_rate=0,01", ["several values", "-m", "a decimal has a point"]),
        ("optimizer.learning_rate='1e-3'", ["optimizer.learning_rate", "'1e-3'"]),
        ("optimizer.beta1=1", ["optimizer.beta1", "< 1"]),
        ("dataset.samples=-5", ["dataset.samples"]),
        ("dataset.noise=-0.1", ["dataset.noise"]),
        ("dataset.test_fraction=1", ["dataset.test_fraction"]),
        ("experiment=depth,width", ["experiment=depth,width", "one after the other"]),
        ("hydra/launcher=nosuch", ["hydra/launcher=nosuch", "installed: basic", "pool"]),
        ("activation=", ["activation=", "tanh"]),
        ("hydra.sweep.dir=there", ["hydra.sweep.dir", "hydra.run.dir"]),
        ("hydra.launcher=foo", ["hydra.launcher", "hydra/launcher=NAME"]),
        ("hydra.foo=3", ["hydra.foo"]),
        ("extensions=[.]", ["extensions", "my_activations.py"]),
        ("dataset.samples=3", ["dataset"]),
        ("model.hidden=16", ["model.hidden", "list"]),
        ("model.hidden[0]=1", ["model.hidden[0]"]),
        ("model.hidden=[16,0]", ["model.hidden", "from 1"]),
        ("model.hidden=[a]", ["model.hidden", "'a'"]),
        ("dtype=float16", ["dtype", "float32, float64"]),
        ("plots=jpg", ["plots", "png, svg, pdf, none"]),
        ("seed=-1", ["seed"]),
        ("replicates=0", ["replicates", "from 1"]),
        ("training.loss=mse", ["training.loss", "cross_entropy", "add extensions=[FILE.py]"]),
        ("schedule.warmup_epochs=100", ["schedule.warmup_epochs", "training.epochs"]),
        ("extensions=[nowhere.py]", ["extensions", "nowhere.py"]),
        ("extensions=nowhere.py", ["extensions", "list"]),
        ("activation={a:1}", ["activation"]),
        ("training=3", ["training"]),
        ("activation", ["activation", "key=value"]),
        ("activation=[relu", ["activation=[relu"]),
        ("=3", ["=3"]),
        ("--nope", ["--nope", "--help"]),
        ("dataset.validation_fraction=0.9", ["dataset", "fraction"]),
    ],
)
def test_a_mistake_gets_one_line_that_names_it(capsys, override, words):
    line = refusal(capsys, override)
    for word in words:
        assert word in line, line


@pytest.mark.parametrize(
    "words, expected",
    [
        (["activation", "=", "tanh"], ["no spaces around =", "write activation=tanh"]),
        (["activation", "=tanh"], ["write activation=tanh"]),
        (["activation=", "tanh"], ["write activation=tanh"]),
        (["seed=1", "activation", "="], ["write activation=VALUE"]),
        (["-m", "activation", "=", "tanh,relu"], ["write activation=tanh,relu"]),
        (["activation.expression=x", "*", "exp(x)"], ["'*'", "quote a value that has spaces"]),
        (["-m", "activation=relu,wavelet"], ["activation=wavelet is unknown", "extensions=[FILE"]),
        (["--mutlirun"], ["--mutlirun; did you mean --multirun?"]),
        (["-m", "seed=1,2", "seed=5"], ["seed=1,2 and seed=5"]),
        (["activation=relu", "activation=gelu"], ["by activation=relu and activation=gelu"]),
        (["-m", "activation=relu", "activation=gelu"], ["by activation=relu and activation=gelu"]),
        (["seed=1", "+seed=1"], ["seed is set twice, by seed=1 and +seed=1; leave one"]),
        (["experiment=depth", "experiment=width"], ["experiment is set twice"]),
        (["--cfg", "job", "model.hidden=[8]", "model.hidden=[9]"], ["model.hidden is set twice"]),
        (["-m", "training.epochs=1,2", "training={epochs: 3}"], ["training.epochs=1,2 and"]),
        (["-m", "seed=1,2", "tune=seed"], ["tune=seed"]),
        (["-m", "seed=1,2", "tune=optimizer.learning_rate"], ["tune=", "no axis"]),
        (["-m", "seed=1,2", "tune=a,b"], ["tune", "'a'"]),
        (["-m", "activation=relu,elu", "placebo=tanh"], ["placebo=tanh", "no job"]),
        (["-m", "activation=relu,elu", "placebo=tanh,elu"], ["placebo takes one value"]),
        (["-m", "plots=png,svg"], ["plots takes one value"]),
        (["-m", "hydra.sweep.dir=a,b"], ["hydra.sweep.dir=a,b", "one"]),
        (["-m", "seed=1,2", "hydra.sweep={dri: zz}"], ["hydra.sweep.dri", "hydra.sweep.dir"]),
        (["-m", "seed=1,2", "hydra.launcher.nosuch=1"], ["hydra.launcher.nosuch"]),
        (["-m", "seed=1,2", "hydra.sweep.subdir=x"], ["hydra.sweep.subdir", "two jobs"]),
        (["-m", "seed=1,2", "hydra.sweep.subdir=${hydra.job.num}"], ["hydra.job.num"]),
        (["--config-name", "mine"], ["--config-name", "experiment=NAME"]),
        (["-cp", "mine"], ["--config-path", "--config-dir"]),
        (["-r", "-m", "seed=1,2"], ["--run", "--multirun", "not allowed"]),
        (["-m", "seed=1,2", "hydra.sweep.dir=${oc.env:NOPE}/zz"], ["hydra.sweep.dir", "NOPE"]),
        (["-m", "seed=1,2", "--config-dir", "a\udcffb"], ["a\\udcffb", "UTF-8"]),
        (["-m", "optimizer.learning_rate=interval(0.001,0.1)"], ["interval", "range("]),
        (["--cfg", "job", "--config-dir", "nowhere"], ["nowhere"]),
        (["--cfg", "job", "-m"], ["--cfg", "--multirun", "not allowed"]),
        (["--cfg", "job", "--info"], ["--cfg", "--info", "not allowed"]),
        (["--cfg", "job", "--run"], ["--run"]),
        (["--cfg", "job", "epochs=3"], ["training.epochs"]),
        (["--cfg", "job", "seed=" + "9" * 5000], ["digits"]),
        (["--resolve"], ["--resolve", "--cfg"]),
        (["--cfg"], ["--cfg"]),
        (["--info", "nosuch"], ["nosuch"]),
        (["--shell-completion"], ["install=bash"]),
        (["-sc", "install=tcsh"], ["install=bash"]),
        (["--experimental-rerun", "x.pickle"], ["--experimental-rerun", "pickle"]),
        (["--cfg", "job", "--experimental-rerun", "x.pickle"], ["--experimental-rerun"]),
    ],
)
def test_words_that_contradict_each_other_or_mean_nothing_are_refused(capsys, words, expected):
    line = refusal(capsys, *words)
    for word in expected:
        assert word in line, line


def test_the_last_part_of_a_key_finds_the_key():
    """What PyTorch or scikit-learn call it: epochs=10, learning_rate=0.1, hidden=[8]."""
    for key in known_values():
        section, _, last = key.rpartition(".")
        if section and last not in known_values():
            with pytest.raises(ConfigError, match=r"did you mean") as refused:
                compose([f"{last}=1"])
            asked = str(refused.value).split("did you mean ")[1].rstrip("?").split(" or ")
            assert all(found.rpartition(".")[2] == last for found in asked)
            assert key in asked or len(asked) == 3


def test_a_choice_may_be_called_by_its_file():
    assert compose(["activation=relu.yaml"]).experiment.activation["name"] == "relu"


def test_hydras_own_options_in_short(capsys):
    assert main(["-c", "job", "activation=relu", "-p", "training"]) == 0
    assert "epochs: 100" in capsys.readouterr().out


def test_every_folder_of_configs_is_searched(capsys):
    """Both options may be given, more than once; a generator of words will do."""
    for name in ("one", "two", "three"):
        Path(name, "activation").mkdir(parents=True)
        Path(name, "activation", f"{name}.yaml").write_text("name: elu\n")
    words = parse(["--config-dir", "one", "--config-dir", "two", "hydra.searchpath=[three]"])
    for name in ("one", "two", "three"):
        experiment = compose([*words.overrides, f"activation={name}"]).experiment
        assert experiment.activation["name"] == "elu"
    with pytest.raises(ConfigError, match="did you mean tanh"):
        run(word for word in ["activation=tahn"])


def test_the_folder_of_a_sweep_may_be_an_interpolation(monkeypatch):
    monkeypatch.setenv("PLACE", "there")
    words = ["++hydra.sweep.dir=first", "++hydra.sweep.dir=${oc.env:PLACE}/sweep", "seed=1,2"]
    assert plan(compose(words)).folder == Path("there/sweep")


def test_letters_beyond_the_terminals_encoding_are_shown_as_escapes():
    words = [*QUICK, "hydra.run.dir='é'"]
    done = python("-m", "runner", *words, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "folder   \\xe9\n" in done.stdout and os.listdir() == ["é"]


def test_the_folder_of_a_run_is_not_that_of_a_sweep(capsys):
    line = refusal(capsys, "-m", "seed=1,2", "hydra.run.dir=there")
    assert "hydra.run.dir" in line and "hydra.sweep.dir" in line


def test_pictures_are_drawn_of_all_folders_or_of_none(capsys):
    assert main([*QUICK, "hydra.run.dir=run"]) == 0
    assert draw(["run", "nope", "run"]) == 2
    assert "nope" in capsys.readouterr().err
    assert not list(Path("run").glob("*.png"))


def test_early_stopping_without_validation_data_is_refused(capsys):
    line = refusal(capsys, "training.patience=5", "dataset.validation_fraction=0")
    assert "training.patience" in line and "dataset.validation_fraction" in line


def test_a_folder_with_other_files_is_left_alone(capsys, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert main([*QUICK, "hydra.run.dir=mine"]) == 2
    assert "mine holds other files already" in capsys.readouterr().err
    assert [p.name for p in _files()] == ["thesis.txt"]


@pytest.mark.parametrize("folder", ["", ".", ".."])
def test_a_run_needs_a_folder_of_its_own(capsys, folder):
    assert "hydra.run.dir" in refusal(capsys, *QUICK, f"hydra.run.dir={folder}")


def test_a_folder_of_the_users_own_configs(capsys, tmp_path):
    (tmp_path / "conf" / "dataset").mkdir(parents=True)
    (tmp_path / "conf" / "dataset" / "mine.yaml").write_text(
        "name: moons\nsamples: 60\nnoise: 0.0\ntest_fraction: 0.2\nvalidation_fraction: 0.2\n"
    )
    overrides = [word for word in QUICK if not word.startswith("dataset")]
    assert main([*overrides, "--config-dir", "conf", "dataset=mine"]) == 0
    assert "tanh on moons" in capsys.readouterr().out
    assert main([*overrides, "--config-dir", "nowhere"]) == 2


def test_the_version_is_told(capsys):
    assert main(["--version"]) == 0
    assert re.fullmatch(r"runner \d+\.\d+\.\d+\n", capsys.readouterr().out)


def _files():
    return [p for p in Path().rglob("*") if p.is_file()]
