"""A config, a YAML folder or a run folder from a stranger runs nothing and writes nowhere else.

Every attack tries to make a folder named "owned", by whatever would call what it names; the
test fails if it is there afterwards.
"""

from __future__ import annotations

import base64
import io
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from activations.formulas.formula import Formula
from runner import load_run, plots
from runner.__main__ import main
from runner.compare.__main__ import main as compare
from runner.plots.__main__ import main as redraw
from runner.results.run import checksum
from tests.commands import environment
from tests.run_folders import resign, write_run, write_summary

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
    "+hydra.job_logging.handlers.x={class:logging.os.mkdir,path:owned}",
    "+hydra.launcher.x={_target_:hydra._internal.utils.os.mkdir,path:owned}",
    "hydra.job_logging.handlers.console.stream=${seed}xt://antigravity.fly",
]


def swept(params):
    """A stranger's experiment that sweeps over something."""
    return f"# @package _global_\nhydra: {{sweeper: {{params: {{{params}}}}}}}\n"


WAYS = [[], ["-m", "seed=1,2"], ["-m", "seed=1,2", "hydra/launcher=basic"]]


@pytest.mark.parametrize("way", WAYS, ids=["a run", "a sweep", "a launcher"])
@pytest.mark.parametrize("section", HYDRA_SECTIONS)
def test_hydras_own_section_in_a_strangers_file_names_no_code(capsys, section, way):
    words = stranger(f"# @package _global_\nhydra:\n  {section}\n")
    refused(capsys, *words, *way, says="hydra.")


@pytest.mark.parametrize("way", WAYS, ids=["a run", "a sweep", "a launcher"])
@pytest.mark.parametrize("word", FROM_THE_SHELL)
def test_nor_does_the_command_line(capsys, word, way):
    refused(capsys, word, *way, says="is refused")


def test_a_choice_in_an_axis_of_a_sweep_is_looked_at_too(capsys):
    words = stranger(f"# @package _global_\nhydra:\n  callbacks: {{x: {CALL}}}\n", "dataset")
    refused(capsys, *words[:2], "-m", "dataset=moons,trap", "hydra/launcher=basic", says="hydra.")


@pytest.mark.parametrize("name", ["cluster", "basic"])
def test_a_launcher_from_a_strangers_folder_is_not_taken(capsys, name):
    """submitit's ``setup`` is a list of shell commands, and "basic" stands for Hydra's own."""
    launcher = "_target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher\n"
    stranger(launcher + "setup: [mkdir owned]\n", "hydra/launcher", name)
    words = stranger("# @package _global_\nseed: 3\n")
    refused(capsys, *words, "-m", "seed=1,2", f"hydra/launcher={name}", says="launcher")


# What Hydra's own parts do for a setting: open a file, add an override, set a variable
HYDRA_SETTINGS = [
    "job_logging: {handlers: {file: {class: logging.FileHandler, filename: ../../owned.log}}}",
    "job_logging: {handlers: {a: {class: logging.os.mkdir, path: owned}}}",
    "output_subdir: ../../../../../owned",
    "job: {env_set: {PYTHONPATH: theirs}}",
    "job: {chdir: true}",
]


@pytest.mark.parametrize("setting", HYDRA_SETTINGS)
def test_a_launched_job_takes_no_setting_of_hydras_from_a_file(capsys, setting):
    Path("mischief.py").write_text("import os\nos.mkdir('owned')\n")
    words = stranger(f"# @package _global_\nhydra: {{{setting}}}\n")
    refused(capsys, *words, *WAYS[2], says=f"sets hydra.{setting.partition(':')[0]}")


# Every way in which a file can reach Hydra's settings, with what the error names
LINE = "# @package _global_\n"
REACHES_HYDRA = [
    *(
        (f"{LINE}defaults: [{entry}]\n", says)
        for entry, says in [
            ("override /hydra/launcher: basic", "write hydra/launcher=basic"),
            ("override hydra/sweeper: basic", "'override hydra/sweeper: basic'"),
            ("override /hydra/job_logging: [default]", "write hydra/job_logging=default"),
            ("override /hydra/launcher@hydra.launcher: basic", "write hydra/launcher=basic"),
            ("optional /hydra/callbacks: nosuch", "'optional /hydra/callbacks: nosuch'"),
            ("/hydra/launcher: basic", "write hydra/launcher=basic"),
            ("/hydra/launcher/basic", "hydra/launcher: basic"),
            ("{/hydra/launcher@model: basic}", "write hydra/launcher=basic"),
            ("{/schedule@hydra.launcher: step}", "@hydra.launcher: step"),
            ("{/schedule@_global_.hydra.job: step}", "hydra.job: step"),
            ("/schedule/step@hydra", "step@hydra"),
        ]
    ),
    ("# @package hydra.launcher\nprocesses: 2\n", "sets hydra.launcher"),
    ("# @package hydra\njob: {chdir: true}\n", "sets hydra.job"),
    ("# @package _global_.hydra\nmode: MULTIRUN\n", "sets hydra.mode"),
    (f"{LINE}hydra: {{overrides: {{hydra: [hydra.mode=RUN]}}}}\n", "sets hydra.overrides"),
    (f"{LINE}hydra: {{overrides: {{task: ['extensions=[x.py]']}}}}\n", "sets hydra.overrides"),
    (f"{LINE}hydra: {{runtime: {{choices: {{hydra/launcher: basic}}}}}}\n", "sets hydra.runtime"),
    (f"{LINE}hydra: {{job: {{config_name: x}}}}\n", "sets hydra.job"),
    (f"{LINE}hydra: {{searchpath: [mischief]}}\n", "sets hydra.searchpath"),
    (f"{LINE}hydra: {{sweeper: {{n_trials: 3, params: {{seed: '1,2'}}}}}}\n", "hydra.sweeper.n_t"),
    (f"{LINE}hydra: null\n", "sets hydra;"),
    (f"{LINE}hydra: ${{model}}\n", "sets hydra;"),
    (swept("hydra/launcher: basic"), "takes one value"),
    (swept("hydra.launcher.processes: 2"), "takes one value"),
]


@pytest.mark.parametrize(("text", "says"), REACHES_HYDRA)
def test_a_file_cannot_choose_or_change_a_setting_of_hydra(capsys, text, says):
    refused(capsys, *stranger(text), says=says)


@pytest.mark.parametrize(
    "way", [["-m", "activation=elu,trap"], ["--cfg", "hydra"], ["experiment=a"]]
)
def test_nor_can_a_file_that_is_loaded_later(capsys, way):
    words = stranger("defaults: [override /hydra/launcher: basic]\nname: elu\n", "activation")
    stranger(f"{LINE}defaults: [override /activation: trap]\n", name="a")
    words = words[:2] if "-m" in way else words
    refused(capsys, *words, *way, says="write hydra/launcher=basic")


@pytest.mark.parametrize(
    "text", [swept("seed: '0,10'"), "# @package hydra.sweeper.params\nseed: 0,10\n"]
)
def test_a_file_may_name_the_axes_of_a_sweep(capsys, text):
    assert main([*BARE, *stranger(text)]) == 0
    assert "sweep of 2 jobs" in capsys.readouterr().out


def test_a_sweeper_that_stands_for_hydras_own_is_not_taken(capsys):
    Path("mischief.py").write_text("import os\nos.mkdir('owned')\n")
    basic = "_target_: hydra._internal.core_plugins.basic_sweeper.BasicSweeper\n"
    for name in ("basic", "grid"):
        stranger(basic + "params: {extensions: '[mischief.py]'}\n", "hydra/sweeper", name)
    words = stranger("# @package _global_\nseed: 3\n")
    refused(capsys, *words, *WAYS[2], says="hydra.sweeper")
    refused(capsys, *words, *WAYS[2], "hydra/sweeper=basic")


def test_a_primary_config_in_a_strangers_folder_is_not_read(capsys):
    Path("mischief").mkdir()
    Path("mischief/__init__.py").write_text("import os\nos.mkdir('owned')\n")
    words = stranger("name: elu\n", "activation")
    Path("theirs/config.yaml").write_text("hydra: {searchpath: ['pkg://mischief']}\n")
    assert main([*BARE, *words]) == 0


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
    says = "command line only" if "extensions" in text else ""
    refused(capsys, *stranger(text, group), says=says)


def test_a_sweep_hidden_in_a_strangers_file_stays_in_its_folder(capsys):
    words = stranger(
        "# @package _global_\nhydra: {sweep: {dir: ../../owned, subdir: ../owned}}\nseed: 1\n"
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


def chain(count, reference):
    """Values of which each stands ten times for the one before."""
    return "".join(f"a{k}: {reference(k - 1)}\n" for k in range(1, count))


BOMBS = {
    "texts": "a0: xxxxxxxxxx\n" + chain(10, lambda k: f"${{activation.a{k}}}" * 10),
    "lists": "a0: [x]\n" + chain(10, lambda k: str([f"${{activation.a{k}}}"] * 10)),
    "brackets": f"a: {'[' * 100_000}{']' * 100_000}\n",
    "dashes": "a:\n" + "- " * 50_000 + "x\n",
    "a chain of aliases": "a0: &a0 [x]\n"
    + "".join(f"a{k}: &a{k} [*a{k - 1}]\n" for k in range(1, 5000)),
}


@pytest.mark.parametrize("reader", ["as installed", "in Python"])
def test_bombs_without_many_aliases_are_refused_too(reader):
    """References grow like aliases; depth ends the reader, or libyaml refuses it in its words."""
    for number, text in enumerate(BOMBS.values()):
        stranger(f"name: elu\n{text}", "activation")
        Path("theirs").rename(f"theirs{number}")
    hide = "sys.modules['yaml._yaml'] = None;" if reader == "in Python" else ""
    script = (
        f"import sys; {hide} from runner.__main__ import main;"
        "sys.exit({main(['activation=trap', '-cd', d]) for d in sys.argv[1:]} != {2})"
    )
    done = shell("-c", script, *(f"theirs{number}" for number in range(len(BOMBS))))
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == len(BOMBS)
    for line in lines:
        assert line.startswith("error: ")
        assert any(why in line for why in ("levels deep", "nesting depth", "references"))


def test_an_honest_reference_is_resolved(capsys):
    words = stranger("name: elu\nalpha: ${optimizer.learning_rate}\n", "activation")
    assert main([*BARE, *words, "hydra.run.dir=it"]) == 0
    assert load_run("it").config.activation["alpha"] == 0.01


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]\n" for k in range(1, 12)
)


WAYS_IN = [
    ["--cfg", "job", "--config-dir", "theirs"],
    ["--info", "config", "-cd", "theirs"],
    ["hydra.searchpath=[file://theirs]"],
    ["hydra.searchpath=[theirs]"],
    ["-m", "seed=1,2", "--config-dir", "theirs"],
    ["--config-dir", "linked"],
]


def test_an_alias_bomb_is_found_on_every_way_in():
    """In another process: where one is not found, it takes all memory and time there is."""
    stranger(f"name: elu\n{BOMB}", "activation")
    Path("linked").mkdir()
    Path("linked/activation").symlink_to(Path("theirs/activation").absolute())
    Path("theirs/activation/loop").symlink_to(Path("linked").absolute())
    script = (
        "import json, sys; from runner.__main__ import main;"
        "sys.exit({main([*way[:2], 'activation=trap', *way[2:]])"
        " for way in json.loads(sys.argv[1])} != {2})"
    )
    done = shell("-c", script, json.dumps(WAYS_IN))
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == len(WAYS_IN)
    for line in lines:
        assert line.startswith("error: ") and "trap.yaml: its aliases expand to" in line


def test_a_pipe_for_a_config_is_not_waited_for():
    words = stranger("name: elu\n", "activation")
    os.mkfifo("theirs/activation/other.yaml")
    done = shell("-m", "runner", *BARE, *words[:2], "activation=other")
    assert done.returncode == 2 and "other.yaml: it is not a regular file" in done.stderr
    assert shell("-m", "runner", *BARE, *words).returncode == 0  # nobody reads the pipe


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: elu\ndefaults: [/../bomb]\n", "defaults name '/../bomb'"),
        ("name: elu\ndefaults: [/activation: ../../bomb]\n", "'/activation/../../bomb'"),
        ("name: elu\ndefaults: [/activation: [relu, ../../bomb]]\n", "../../bomb'"),
        ("name: elu\ndefaults: ['//etc/bomb']\n", "'//etc/bomb'"),
        ("name: elu\ndefaults: ['/${seed}/bomb']\n", "'/${seed}/bomb'"),
        ("name: elu\n" + "# all work and no play\n" * 20_000, "more than 250,000 bytes"),
    ],
)
def test_a_file_leads_out_of_its_folder_as_little_as_it_fills_the_memory(capsys, text, says):
    Path("bomb.yaml").write_text(f"name: elu\n{BOMB}")
    refused(capsys, *stranger(text, "activation"), says=f"trap.yaml: {says}"[-len(says) :])
    refused(capsys, *stranger("name: elu\n", "activation", "../bomb"), says="not a path")


def test_folders_behind_a_link_are_left_alone(capsys):
    """Only files that a config names are read, so a link to / is as good as none."""
    words = stranger("name: elu\n", "activation")
    Path("theirs/everything").symlink_to("/")
    assert main([*BARE, *words]) == 0


@pytest.mark.parametrize(
    ("group", "text"),
    [
        ("activation", 'name: elu\n"\\e[2Jx": 1\n'),
        ("activation", 'name: elu\n"\\u009b2Jx\\nerror: all is well": 1\n'),
        ("activation", 'name: "\\e[2J\\u202e\\0"\n'),
        ("experiment", '# @package _global_\n"\\e[2Jx": 1\n'),
        ("experiment", swept('"\\e[2Jx": "1,2"')),
        ("experiment", swept('seed: "1,2"') + 'tune: "\\e[2J"\n'),
        ("experiment", "# @package _global_\nhydra: {sweeper: {params: text}}\n"),
        ("experiment", swept("seed: 'range(0,1000000000000)'")),
        ("experiment", swept("seed: '1,2'") + "tune: optimizer.momentum\n"),
        ("experiment", swept("extensions: '[mischief.py]'")),
        ("experiment", swept("+extensions: '[mischief.py]'")),
        ("experiment", swept("+hydra.output_subdir: owned")),
        ("experiment", swept(f"+hydra.callbacks.x: '{CALL}'")),
        ("experiment", swept("hydra.searchpath: '[pkg://mischief]'")),
        ("experiment", swept("'a/../../../owned': '1,2'")),
        ("experiment", swept("'seed=1 extensions': '[mischief.py]'")),
    ],
)
def test_a_strangers_words_cannot_steer_the_terminal_or_the_sweep(group, text, capsys):
    Path("mischief.py").write_text("import os\nos.mkdir('owned')\n")
    words = stranger(text, group)
    before = sorted(Path().rglob("*"))
    assert main([*BARE, *words]) == 2
    (line,) = capsys.readouterr().err[:-1].split("\n")
    assert line.startswith("error: ") and line.isprintable()
    assert sorted(Path().rglob("*")) == before


class Mine:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("owned",)


@pytest.fixture
def finished(capsys):
    assert main([*BARE, "activation=tanh"]) == 0
    capsys.readouterr()
    return next(Path("outputs/runs").iterdir())


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


CHANGES = [
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
]


def changed(folder, change):
    """Change a stored config as a stranger would."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, **change}))
    resign(folder)


def looked_at(capsys, command):
    """Look at a stranger's folders; expect nothing but words, and nothing made elsewhere."""
    Path("mischief.py").write_text("import os\nos.mkdir('owned')\n")
    before = set(Path().iterdir())
    command()
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    assert (shown.out + shown.err).replace("\n", "").isprintable()
    assert set(Path().iterdir()) <= {*before, Path("comparison")}


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_folder_from_a_stranger_is_data(capsys, finished, change):
    changed(finished, change)
    looked_at(capsys, lambda: redraw([str(finished)]))


def test_a_comparison_of_run_folders_from_strangers_reads_data(capsys, finished):
    for number, change in enumerate(CHANGES):
        shutil.copytree(finished, Path("runs", str(number)))
        changed(Path("runs", str(number)), change)
    write_run(Path("runs/honest"), "relu")
    looked_at(capsys, lambda: compare(["runs", "--no-pictures", "--output", "comparison"]))
    few = [f"runs/{number}" for number in (2, 5, 8)]  # of each section one
    looked_at(capsys, lambda: compare([*few, "runs/honest", "--output", "comparison"]))
    assert Path("comparison/index.html").is_file()


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
    signal.alarm(60)  # ends this process, and so the test
    try:
        Formula(FORMULAS[kind])
    except ValueError:
        pass
    finally:
        signal.alarm(0)


def test_a_huge_formula_at_the_shell_ends_in_a_line():
    done = shell("-m", "runner", *BARE, "activation=formula",
                 f"activation.expression={'tanh(' * 2000}x{')' * 2000}")  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) <= 3
    assert max(map(len, done.stderr.splitlines())) < 300


def shell(*words):
    """Run Python as a user would; a hang, or more memory than is fair, is an error."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -v 4000000; exec "$0" "$@"', sys.executable, *words],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(PYTHONWARNINGS="default"),
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


def test_weights_that_grow_when_unpacked_are_refused(capsys, finished):
    """Zeros of the right type and name: a megabyte that would become a gigabyte."""
    with zipfile.ZipFile(finished / "weights.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("layer1.weight.npy", bytes(2**22))
    resign(finished)
    with pytest.raises(ValueError, match="it is compressed"):
        _ = load_run(finished).weights


def test_a_pipe_or_device_in_a_run_folder_is_not_waited_for(finished):
    names = ("config.yaml", "history.csv", "weights.npz", "summary.json")
    for name in names:
        for device in ("pipe", "/dev/zero"):
            folder = Path("traps") / f"{name}_{device.strip('/').replace('/', '_')}"
            shutil.copytree(finished, folder)
            (folder / name).unlink()
            if device == "pipe":
                os.mkfifo(folder / name)
            else:
                (folder / name).symlink_to(device)
    script = (
        "import sys; from runner.compare.__main__ import main as compare;"
        "from runner.plots.__main__ import main as redraw;"
        "compare(['traps', '--no-pictures']); sys.exit(redraw(sys.argv[1:]))"
    )
    folders = sorted(map(str, Path("traps").iterdir()))
    done = shell("-c", script, *folders)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == len(folders) == 8
    for folder, line in zip(folders, lines, strict=True):
        assert folder in line and "not a regular file" in line


def test_a_picture_that_is_a_link_is_not_embedded(finished):
    """Who sends the report on would send a file of their own with it."""
    Path("secret").write_bytes(b"TOP SECRET" * 9)
    (finished / "loss.png").symlink_to(Path("secret").absolute())
    (finished / "own.png").write_bytes(b"A PICTURE!" * 9)
    assert compare([str(finished), "--output", "report", "--embed", "--no-pictures"]) == 0
    page = Path("report/index.html").read_text()
    assert base64.b64encode(b"A PICTURE!" * 9).decode() in page
    assert base64.b64encode(b"TOP SECRET" * 9).decode() not in page


def test_names_of_folders_and_pictures_cannot_steer_the_terminal_or_the_page(capsys, finished):
    trap = Path("runs\x1b[2J\x9b\u202e\n* all is well")
    shutil.copytree(finished, trap / "whole")
    shutil.copytree(finished, trap / "broken")
    (trap / "broken" / "summary.json").unlink()
    (trap / "whole" / '"><img src=x onerror=alert(1)>.png').write_bytes(b"x")
    assert compare([str(trap), "--output", "report"]) == 0
    assert redraw([str(trap / "broken"), str(trap / "whole")]) == 2
    shown = capsys.readouterr()
    for line in (shown.out + shown.err).split("\n"):
        assert line.isprintable() and not line.startswith("* all is well")
    assert "<img src=x" not in Path("report/index.html").read_text()


@pytest.mark.parametrize("column", [MARKUP.replace(",", ";"), "layer9_</script><img src=x>"])
def test_a_column_of_a_history_is_a_name(finished, column):
    path = finished / "history.csv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},{column}", *(f"{row},1" for row in rows)]))
    resign(finished)
    assert compare([str(finished), "--output", "report", "--no-pictures"]) == 0
    page = Path("report/index.html").read_text()
    assert "<img src=x" not in page and "<script>alert" not in page


def test_a_history_without_its_columns_is_told(capsys, finished):
    (finished / "history.csv").write_text("replicate,seed,epoch\n0,0,0\n1,1,0\n")
    resign(finished)
    assert redraw([str(finished)]) == 2
    assert "history.csv has no column train_loss" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        {"replicates": [{}]},
        {"replicates": [[]]},
        {"replicates": "text"},
        {"seconds": {"total": []}},
        {"versions": None},
        {"versions": {"numpy": {}}},
        {"command": ["\ud800"]},
        {"command": "\ud800"},
        {"command": "\x9b2J"},
        *(
            {"replicates": {key: value}}
            for key in ("seed", "status", "solved_epoch", "final", "dead")
            for value in ([[]], {"a": {}}, "text" if key != "status" else 1)
        ),
    ],
)
def test_a_summary_of_other_types_is_told_and_left_out(capsys, finished, change):
    """Signed again, as a stranger would; one such folder costs the honest ones nothing."""
    summary = json.loads((finished / "summary.json").read_text())
    for key, value in change.items():
        if key == "replicates" and isinstance(value, dict):
            summary[key][0].update(value)
        else:
            summary[key] = value
    if change.get("command") == "\x9b2J":  # as the character itself
        own = json.dumps({**summary, "checksum": checksum(summary)}, ensure_ascii=False)
        (finished / "summary.json").write_text(own)
    else:
        write_summary(finished, summary)
    assert redraw([str(finished)]) == 2
    write_run(Path("honest"), "relu")
    assert compare([str(finished), "honest", "--output", "report", "--no-pictures"]) == 0
    shown = capsys.readouterr()
    assert "summary.json" in shown.out and "summary.json" in shown.err
    assert (shown.out + shown.err).replace("\n", "").isprintable()


def test_a_config_without_its_sections_is_told(capsys, finished):
    config = yaml.safe_load((finished / "config.yaml").read_text())
    for wrong in (None, [1], "tanh", {}, {"name": 1}):
        (finished / "config.yaml").write_text(yaml.safe_dump({**config, "activation": wrong}))
        resign(finished)
        assert redraw([str(finished)]) == 2
        assert "activation must be a section with a name" in capsys.readouterr().err


def test_a_run_without_test_data_is_no_attack():
    assert main([*BARE, "dataset.test_fraction=0", "hydra.run.dir=it"]) == 0
    assert load_run("it").summary["replicates"][0]["final"]["test_accuracy"] is None
