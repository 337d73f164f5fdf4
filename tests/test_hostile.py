"""A config, a YAML folder or a run folder from a stranger runs nothing and writes nowhere else.

Every attack tries to make a folder named "owned", by whatever would call what it names; the
test fails if it is there afterwards.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from activations.formula import Formula
from runner import load_run, plots
from runner.__main__ import main
from runner.compare.__main__ import main as compare
from runner.plots.__main__ import main as redraw
from tests.run_folders import write_run, write_summary

ROOT = Path(__file__).parent.parent
BARE = ["training.epochs=2", "dataset.samples=60", "replicates=2", "plots=none"]
CALL = "{_target_: os.mkdir, path: owned}"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch, record_property):
    """Work three folders deep, so that what climbs out of the folder is found."""
    inner = tmp_path / "a" / "b" / "c"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    record_property("attacks", 1)
    yield
    assert not list(tmp_path.rglob("*owned*")), "the attack has come through"


def refused(capsys, *words, says=""):
    """Run, and expect one line, status 2 and nothing made."""
    before = sorted(Path().rglob("*"))
    assert main([*BARE, *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ") and shown.err.count("\n") <= 3, shown.err
    assert says in shown.err
    assert sorted(Path().rglob("*")) == before


def stranger(text, group="experiment", name="trap"):
    """Write a YAML file as a stranger would hand it over; return the words that take it."""
    path = Path("theirs") / group / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return ["--config-dir", "theirs", f"{group}={name}"]


# Hydra 1.3 calls what callbacks name; logging what "()" names; launchers are made by _target_
HYDRA_SECTIONS = [
    f"callbacks: {{x: {CALL}}}",
    "launcher: {_target_: os.mkdir, path: owned}",
    "sweeper: {_target_: os.mkdir, path: owned}",
    "job_logging: {version: 1, formatters: {a: {'()': os.mkdir, path: owned}}}",
    "job_logging: {version: 1, filters: {a: {'()': os.mkdir, path: owned}}}",
    "job_logging: {version: 1, handlers: {a: {class: os.mkdir, path: owned}}}",
    "hydra_logging: {version: 1, handlers: {a: {'()': os.mkdir, path: owned}}}",
    "job_logging: {handlers: {console: {stream: 'ext://antigravity.fly'}}}",
]
FROM_THE_SHELL = [
    f"+hydra.callbacks.x={CALL}",
    "hydra.launcher._target_=os.mkdir",
    "hydra.sweeper._target_=os.mkdir",
    "+hydra.job_logging.handlers.x={class:os.mkdir,path:owned}",
    "+hydra.hydra_logging.formatters.x={class:os.mkdir,path:owned}",
]
WAYS = [[], ["-m", "seed=1,2"], ["-m", "seed=1,2", "hydra/launcher=basic"]]


@pytest.mark.parametrize("way", WAYS, ids=["a run", "a sweep", "a launcher"])
@pytest.mark.parametrize("section", HYDRA_SECTIONS)
def test_hydras_own_section_in_a_strangers_file_names_no_code(capsys, section, way):
    words = stranger(f"# @package _global_\nhydra:\n  {section}\n")
    refused(capsys, *words, *way, says="hydra.")


@pytest.mark.parametrize("way", WAYS, ids=["a run", "a sweep", "a launcher"])
@pytest.mark.parametrize("word", FROM_THE_SHELL)
def test_nor_does_the_command_line(capsys, word, way):
    refused(capsys, word, *way, says="is not taken")


def test_a_choice_in_an_axis_of_a_sweep_is_looked_at_too(capsys):
    words = stranger(f"# @package _global_\nhydra:\n  callbacks: {{x: {CALL}}}\n", "dataset")
    refused(capsys, *words[:2], "-m", "dataset=moons,trap", "hydra/launcher=basic", says="hydra.")


def test_a_launchers_settings_come_from_its_own_file_or_the_shell(capsys):
    """submitit's ``setup`` is a list of shell commands."""
    launcher = "_target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher\nsetup: []\n"
    stranger(launcher, "hydra/launcher", "cluster")
    words = stranger("# @package _global_\nhydra: {launcher: {setup: [mkdir owned]}}\n")
    sweep = ["-m", "seed=1,2", "hydra/launcher=cluster"]
    refused(capsys, *words, *sweep, says="hydra.launcher is changed by a YAML file")


@pytest.mark.parametrize("option", [["--cfg", "job"], ["--cfg", "all"], ["--info", "config"]])
def test_looking_at_a_config_runs_nothing(option):
    words = stranger(f"# @package _global_\nhydra:\n  callbacks: {{x: {CALL}}}\n")
    shell("-m", "runner", *option, *words)


@pytest.mark.parametrize(
    ("group", "text"),
    [
        ("experiment", f"# @package _global_\nactivation: {CALL}\n"),
        ("experiment", f"# @package _global_\ntraining: {CALL}\n"),
        ("activation", "_target_: os.mkdir\npath: owned\n"),
        ("dataset", "name: moons\n_target_: os.mkdir\npath: owned\n"),
        ("optimizer", "name: !!python/object/apply:os.mkdir [owned]\n"),
        ("activation", "name: !!python/name:os.mkdir\n"),
        ("activation", "name: elu\nalpha: !!python/object/apply:os.mkdir ['owned']\n"),
        ("experiment", "# @package _global_\nextensions: [mischief.py]\n"),
        ("experiment", "# @package _global_\nhydra: {run: {dir: ../../owned}}\n"),
        ("experiment", "# @package _global_\nhydra: {run: {dir: /tmp/owned}}\n"),
        ("activation", "defaults: [/hydra/callbacks: nosuch]\nname: elu\n"),
        ("activation", "name: formula\nexpression: __import__('os').mkdir('owned')\n"),
        ("activation", "name: formula\nexpression: x\nparameters: {a: '${oc.env:HOME}'}\n"),
    ],
)
def test_a_strangers_file_runs_nothing_and_writes_nowhere(capsys, group, text):
    Path("mischief.py").write_text("import os\nos.mkdir('owned')\n")
    refused(capsys, *stranger(text, group))


def test_a_sweep_hidden_in_a_strangers_file_stays_in_its_folder(capsys):
    words = stranger(
        "# @package _global_\nhydra: {sweep: {dir: ../../owned, subdir: ../owned}}\n"
        "sweep: {seed: '1,2'}\n"
    )
    assert main([*BARE, *words]) in (0, 2)
    assert {p.name for p in Path().iterdir()} <= {"theirs", "outputs"}


def test_an_alias_bomb_is_refused_at_once():
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 12)]
    words = stranger("name: elu\n" + "\n".join(bomb) + "\n", "activation")
    done = shell("-m", "runner", *BARE, *words)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) <= 3
    assert "trap.yaml" in done.stderr


class Mine:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("owned",)


@pytest.fixture
def finished(capsys):
    assert main([*BARE, "activation=tanh"]) == 0
    capsys.readouterr()
    return next(Path("outputs/runs").iterdir())


def resign(folder):
    """Make the checksums fit what a stranger has changed, as a stranger would."""
    import hashlib

    summary = json.loads((folder / "summary.json").read_text())
    for name in summary["files"]:
        summary["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    write_summary(folder, summary)


def pickled_archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        array = io.BytesIO()
        np.lib.format.write_array(array, np.array([Mine()], object), allow_pickle=True)
        archive.writestr("layer1.weight.npy", array.getvalue())
    return content.getvalue()


@pytest.mark.parametrize(
    "content", [pickle.dumps(Mine()), pickled_archive()], ids=["a pickle", "an archive"]
)
def test_pickled_weights_are_refused(capsys, finished, content):
    (finished / "weights.npz").write_bytes(content)
    resign(finished)
    assert redraw([str(finished)]) == 2
    assert "weights.npz" in capsys.readouterr().err
    compare([str(finished)])
    with pytest.raises(ValueError, match=r"weights\.npz"):
        _ = load_run(finished).weights


@pytest.mark.parametrize(
    "change",
    [
        {"extensions": ["mischief.py"]},
        {"extensions": ["antigravity"]},
        {"activation": {"name": "tanh", "_target_": "os.mkdir", "path": "owned"}},
        {"activation": {"name": "formula", "expression": "__import__('os').mkdir('owned')"}},
        {"activation": {"name": "../../../owned"}},
        {"dataset": {"name": "/../../../owned", "samples": 60}},
        {"dataset": {"name": "moons\x00owned", "samples": 10**15}},
        {"dataset": {"name": "\x1b]0;title\x07\x1b[2J", "samples": 60}},
        {"optimizer": {"name": "adam", "learning_rate": {"../../owned": 1}}},
        {"plots": "../../owned"},
        {"seed": "../../owned"},
    ],
)
def test_a_run_folder_from_a_stranger_is_data(capsys, finished, change):
    Path("mischief.py").write_text("import os\nos.mkdir('owned')\n")
    config = yaml.safe_load((finished / "config.yaml").read_text())
    (finished / "config.yaml").write_text(yaml.safe_dump({**config, **change}))
    resign(finished)
    honest = write_run(Path("honest"), "relu")
    inside = {Path("honest"), Path("outputs"), Path("mischief.py")}
    for command in (lambda: redraw([str(finished)]), lambda: compare([str(finished), str(honest)])):
        command()
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        assert "\x1b" not in shown.out + shown.err and "\x07" not in shown.out + shown.err
    assert set(Path().iterdir()) <= {*inside, Path("comparison")}


def test_python_tags_in_a_stored_config_make_nothing(capsys, finished):
    text = (finished / "config.yaml").read_text()
    tag = "!!python/object/apply:os.mkdir [owned]"
    (finished / "config.yaml").write_text(text.replace("name: tanh", f"name: {tag}"))
    resign(finished)
    assert redraw([str(finished)]) == 2
    assert "config.yaml" in capsys.readouterr().err
    compare([str(finished)])


def test_a_summary_cannot_speak_to_the_terminal(capsys, finished):
    summary = json.loads((finished / "summary.json").read_text())
    summary["command"] = "\x1b[2J\x1b]0;owned\x07"
    write_summary(finished, summary)
    for command in (redraw, compare):
        assert command([str(finished)]) == 2
        shown = capsys.readouterr()
        assert "control characters" in shown.err and "\x1b" not in shown.out + shown.err


def test_links_out_of_a_run_folder_are_not_followed_for_writing(capsys, finished):
    """A stranger's picture may be a link to a file of yours; redrawing replaces the link."""
    mine = Path("precious.txt")
    mine.write_text("precious")
    (finished / "loss.png").symlink_to(mine.absolute())
    assert redraw([str(finished)]) == 0
    assert mine.read_text() == "precious"


MARKUP = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\u2028\"'`&{{data}}"


@pytest.mark.parametrize(
    "where", ["activation", "dataset", "command", "diagnosis", "seed", "folder"]
)
def test_the_report_escapes_what_it_shows(where):
    changes = {}
    folder = Path("runs") / ("1" if where != "folder" else "<img src=x onerror=alert(1)>")
    if where in ("activation", "dataset"):
        changes[where] = MARKUP
    write_run(folder, **changes)
    write_run(Path("runs/2"), "relu")
    summary = json.loads((folder / "summary.json").read_text())
    if where == "command":
        summary["command"] = MARKUP
    if where == "diagnosis":
        summary["diagnosis"] = [MARKUP]
    if where == "seed":
        summary["versions"] = {"runner": MARKUP, MARKUP: "1"}
    write_summary(folder, summary)
    assert compare(["runs", "--no-pictures", "--output", "report"]) == 0
    page = Path("report/index.html").read_text()
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert page.count("</script>") == page.count("<script")


FORMULAS = {
    "deep nesting": "tanh(" * 5000 + "x" + ")" * 5000,
    "deep parentheses": "(" * 50_000 + "x" + ")" * 50_000,
    "a chain of signs": "-" * 100_000 + "x",
    "a chain of powers": "x" + "**x" * 2000,
    "a huge power": "9**9**9**9",
    "a huge number": "1" * 100_000,
    "a long sum": "+".join(["x"] * 20_000),
    "a product to differentiate": "*".join(["tanh(x)"] * 3000),
    "quotients to differentiate": "x" + "/(1+exp(x))" * 400,
    "nested functions to differentiate": "sin(x*" * 150 + "x" + ")" * 150,
    "attributes": "x" + ".__class__" * 1000,
    "text": "'a' * 10**9",
    "a list": "[x] * 10**9",
    "a comprehension": "sum(x for _ in range(10**12))",
    "a lambda": "(lambda: x)()",
    "wide characters": "\u2460" * 10_000,
    "blanks": " " * 1_000_000 + "x",
}


@pytest.mark.parametrize("kind", FORMULAS)
def test_a_formula_cannot_hang_the_program(kind):
    started = time.process_time()
    try:
        Formula(FORMULAS[kind])
    except ValueError:
        pass
    assert time.process_time() - started < 5, "a second's work at most was expected"


def test_a_huge_formula_at_the_shell_ends_in_a_line():
    done = shell("-m", "runner", *BARE, "activation=formula",
                 f"activation.expression={'tanh(' * 2000}x{')' * 2000}")  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) <= 3
    assert max(map(len, done.stderr.splitlines())) < 300


def shell(*words):
    """Run Python as a user would; a hang is an error."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=60, env=environment
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_weight_archive_that_would_fill_the_memory_is_refused(capsys, finished):
    """A few kilobytes that say they are a terabyte."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (2**37,)}
    )
    with zipfile.ZipFile(finished / "weights.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("layer1.weight.npy", header.getvalue() + bytes(2**20))
    resign(finished)
    assert redraw([str(finished)]) == 2
    assert "weights.npz" in capsys.readouterr().err


def test_a_picture_that_is_named_like_an_attack_is_not_embedded(finished):
    """Only pictures of the run's own folder and of our own names are shown."""
    secret = Path("secret.png")
    shutil.copy(next(Path(plots.__file__).parent.glob("*.py")), secret)
    summary = json.loads((finished / "summary.json").read_text())
    summary["pictures"] = ["../../../secret.png"]
    write_summary(finished, summary)
    compare([str(finished), "--output", "report", "--embed"])
    assert "secret.png" not in Path("report/index.html").read_text()
