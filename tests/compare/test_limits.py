"""What a comparison must bear: names of any length, many panels, folders from strangers, pictures
that cannot be drawn. Whatever goes wrong costs itself and is named."""

import copy
import itertools
import json
import os
import shutil
from pathlib import Path

import pytest
import yaml

from runner.__main__ import main as run
from runner.compare import build, compare, pictures
from runner.compare.__main__ import main
from runner.compare.outputs import markdown, terminal
from runner.compare.table import records
from runner.plots.style import cut, style, text_width
from tests.run_folders import resign, write_run, write_summary

pytestmark = pytest.mark.slow


def write_grid(folder, names, tasks):
    for (i, name), (j, task) in itertools.product(enumerate(names), enumerate(tasks)):
        write_run(folder / f"{i}_{j}", name, task, (0.9 - 0.01 * i, 0.8, 0.7), epochs=2)
    return folder


# ---- layout

LONG = "a_long_name_that_somebody_gave_an_activation_of_their_own_"


@pytest.mark.parametrize(
    ("names", "tasks"),
    [
        ([LONG + "1", LONG + "2"], [LONG + str(k) for k in range(9)]),
        ([f"{k}{LONG}" for k in range(4)], ["a", "b", "c", "d"]),
        (["$x^{$\\frac", "</b>\n2", "W" * 5000, "한국어" * 40], ["$_$", "#"]),
        ([f"f{k}" for k in range(9)], ["noise-1", "noise=1", "noise 1"]),
    ],
    ids=["nine tasks", "four tasks", "odd letters", "a picture for each task"],
)
@pytest.mark.filterwarnings("ignore:Glyph")
def test_every_picture_can_be_drawn_whatever_the_names(tmp_path, names, tasks):
    comparison = build([write_grid(tmp_path, names, tasks)])
    with style():
        drawn = [draw(comparison) for draw in pictures.DRAWN]
        for figure in (figure for part in drawn for figure in part.values()):
            figure.draw_without_rendering()
    curves = [name for part in drawn for name in part if name.startswith("curves")]
    assert len(curves) == (1 if len(names) <= 8 else len(tasks))


def test_a_swept_keys_picture_stays_in_the_folder_whatever_the_key(tmp_path):
    keys = ("optimizer__/../../evil", "initializer__x", "schedule__x")
    for number, key in enumerate(keys):
        for value in (1, 2, 3):
            change = {**dict.fromkeys(keys, 1), key: value}
            write_run(tmp_path / "runs" / f"{number}{value}", **change)
    assert not compare([tmp_path / "runs"], tmp_path / "out").undrawn
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "out"}
    made = {path.name for path in (tmp_path / "out").glob("*.png")}
    assert {"evil.png", "initializer.x.png", "schedule.x.png"} <= made


@pytest.mark.parametrize("letters", [5, 60, 1000, 300_000])
@pytest.mark.parametrize("letter", ["i", "W"])
def test_a_text_is_cut_to_the_room_and_no_shorter(letters, letter):
    with style():
        text = cut(letter * letters, 1.0)
        assert text_width(text, 9) <= 1.0 or len(text) <= 4
        if text != letter * letters:
            assert text_width(letter + text, 9) > 1.0 - text_width(letter, 9)


# ---- pictures that cannot be drawn, and their format


def explodes(comparison):
    raise ZeroDivisionError("no\nroom")


def test_a_picture_that_cannot_be_drawn_costs_itself_only(tmp_path, monkeypatch, capsys):
    write_grid(tmp_path / "runs", ["tanh", "relu"], ["moons"])
    monkeypatch.setattr(pictures, "DRAWN", (explodes, *pictures.DRAWN[1:3]))
    assert main([str(tmp_path / "runs")]) == 1
    shown = capsys.readouterr()
    line = "error: the picture explodes could not be drawn: ZeroDivisionError: no\\nroom\n"
    assert shown.err == line and "index.html" in shown.out
    made = tmp_path / "runs" / "comparison"
    assert (made / "leaderboard.png").is_file() and (made / "leaderboard.csv").is_file()
    for name in ("index.html", "leaderboard.md"):
        assert "ZeroDivisionError" in (made / name).read_text()


def test_the_format_of_the_pictures_is_the_one_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pictures, "DRAWN", pictures.DRAWN[1:2])
    write_grid(tmp_path / "runs", ["tanh", "relu"], ["moons"])
    signs = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    for form, sign in signs.items():
        assert main(["runs", "--format", form, "--output", form]) == 0
        (made,) = [path for path in Path(form).iterdir() if path.stem == "leaderboard"
                   and path.suffix[1:] in signs]  # fmt: skip
        assert made.suffix[1:] == form and made.read_bytes().startswith(sign)
        assert f'href="leaderboard.{form}"' in (Path(form) / "index.html").read_text()
    assert main(["runs", "--format", "gif"]) == 2
    assert main(["runs", "--format", "png", "--no-pictures"]) == 2
    quick = ["-m", "activation=relu,tanh", "replicates=1", "training.epochs=1"]
    for form in ("svg", "none"):
        assert run([*quick, f"plots={form}", f"hydra.sweep.dir=sweep_{form}"]) == 0
        made = {path.suffix for path in Path(f"sweep_{form}").rglob("*") if path.is_file()}
        assert made & {".png", ".svg", ".pdf"} == ({".svg"} if form == "svg" else set())
    capsys.readouterr()
    assert run([*quick, "plots=svg,none"]) == 2
    assert capsys.readouterr().err.startswith("error: plots")


# ---- where it goes


def test_a_comparison_overwrites_no_other_unasked(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for place in ("runs/a", "runs/b", "runs/c", "sweeps/d"):
        write_run(tmp_path / place, f"{place[-1]}elu")

    def output(*words):
        assert main([*words, "--no-pictures"]) == 0
        return Path(capsys.readouterr().out.splitlines()[-1]).parent

    assert output("runs") == Path("runs/comparison")
    assert output("runs", "--metric", "test_accuracy") == Path("runs/comparison")
    pair = output("runs/a", "runs/b")
    assert str(pair).startswith("runs/comparison_aelu-belu_")
    assert output("runs/b", "runs/a") == pair == output("runs/a", "runs/b", str(pair))
    others = {
        output("runs/a"),
        output("runs/b"),
        output("runs/b", "runs/c"),
        output("runs/a", "sweeps/d"),
        output("runs", "--metric", "test_loss"),
        output("runs/a", "runs/b", "--metric", "test_loss"),
        output("runs/a", "runs/b", "--tune", "activation"),
    }
    assert len(others | {pair, Path("runs/comparison")}) == 9


# ---- folders from strangers

VALUES = (None, True, -1, 0.5, 10**400, 1e308, -1e308, float("nan"), float("inf"), "x", [], {})


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:1])
    for key, item in items if isinstance(value, (dict, list)) else ():
        yield from places(item, (*path, key)) if isinstance(item, (dict, list)) else [(*path, key)]


def test_a_forged_summary_is_read_or_left_out(tmp_path):
    write_run(tmp_path / "honest", "tanh", scores=[0.9] * 7)
    forged = write_run(tmp_path / "forged", "relu", scores=[0.8] * 7)
    summary = json.loads((forged / "summary.json").read_text())
    aside = ("checksum", "diagnosis", "files", "initializer", "together")
    kept = [path for path in places(summary) if path and path[0] not in aside]
    for path, value in itertools.product(kept, VALUES):
        changed = copy.deepcopy(summary)
        within = changed
        for key in path[:-1]:
            within = within[key]
        within[path[-1]] = value
        write_summary(forged, changed)
        for metric in ("test_accuracy", "test_loss"):
            comparison = build([tmp_path], metric=metric)
            assert records(comparison) and terminal(comparison)
            assert any(arm.activation == "tanh" for arm in comparison.arms)
            assert len(comparison.runs) + len(comparison.unusable) == 2, (path, value)


def forge(folder, source, **changes):
    shutil.copytree(source, folder)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    for key, value in changes.items():
        section, _, name = key.partition("__")
        config.setdefault(section, {})[name] = value
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    resign(folder)


def test_a_forged_config_costs_its_own_boundaries_or_itself(tmp_path):
    """Each would take minutes, or more memory than there is, if it were made."""
    runs = tmp_path / "runs"
    quick = ["replicates=2", "training.epochs=1", "dataset.samples=60", "plots=none"]
    for name in ("tanh", "relu"):
        assert run([f"activation={name}", *quick, f"hydra.run.dir={runs / name}"]) == 0
    forge(runs / "wide", runs / "tanh", model__hidden=[2**20, 2**20])
    forge(runs / "deep", runs / "tanh", model__hidden=[1] * 5000)
    forge(runs / "large", runs / "tanh", dataset__samples=100_000_000)
    forge(runs / "keys", runs / "tanh", dataset=dict.fromkeys(map(str, range(2000))))
    comparison = compare([runs], tmp_path / "out")
    assert (tmp_path / "out" / "boundaries.png").is_file() and not comparison.undrawn
    reasons = {Path(problem.path).name: problem.reason for problem in comparison.problems}
    assert set(reasons) == {"wide", "deep", "large", "keys"}
    assert (
        "does not fit its config" in reasons["wide"]
        and "does not fit its config" in reasons["deep"]
    )
    assert "100,000" not in reasons["large"] and "samples" in reasons["large"]
    assert "settings" in reasons["keys"] and len(comparison.runs) == 5


def test_what_cannot_be_read_is_mentioned(tmp_path, monkeypatch):
    write_run(tmp_path / "runs" / "a", "tanh")
    write_run(tmp_path / "elsewhere" / "b", "relu")
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "runs" / "latest").symlink_to(tmp_path / "runs" / "a")
    for name in ("runs/locked", "empty", "old/comparison"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "old" / "comparison" / "leaderboard.csv").touch()
    (tmp_path / "failures.txt").touch()
    scandir, is_file = os.scandir, Path.is_file

    def refusing(path):  # whoever runs the tests may be allowed everything
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    def refused(path):
        if path.parent.name == "locked":
            raise PermissionError(13, "Permission denied", path)
        return is_file(path)

    monkeypatch.setattr(os, "scandir", refusing)
    monkeypatch.setattr(Path, "is_file", refused)
    folders = [tmp_path / name for name in ("failures.txt", "runs", "empty", "old/comparison")]
    reasons = {Path(p.path).name: p.reason for p in build(folders).problems}
    assert reasons == {
        "locked": "cannot be read: Permission denied",
        "link": "is a link; name the folder it points to",
        "empty": "holds no run",
        "failures.txt": "is a file",
    }
    with pytest.raises(ValueError, match="is not a folder"):
        build([tmp_path / "failures.txt"])
    with pytest.raises(ValueError, match="Permission denied"):
        build([tmp_path / "runs" / "locked"])


def test_a_name_of_any_length_is_cut_on_the_terminal(tmp_path):
    for number, name in enumerate(("a" * 4000, "b " * 2000)):
        for task in ("c" * 4000, "moons"):
            write_run(tmp_path / f"{number}{task[:9]}", name, task, diverged=(1,))
    comparison = build([tmp_path])
    assert max(map(len, terminal(comparison).splitlines())) < 1000  # six names of 120
    assert "a" * 4000 in markdown(comparison)


def test_names_are_no_markdown_wherever_they_stand(tmp_path):
    """By the rules of CommonMark and of GitHub's additions to it."""
    hostile = "# *a* _b_ ~~c~~ `d` [e](f) <g> |h| &amp; $i$ http://j www.k.l \\"
    for number, name in enumerate((hostile, "tanh")):
        change = {"optimizer__*a*|b": number, "dataset__name": hostile}
        write_run(tmp_path / str(number), name, **change)
    comparison = build([tmp_path])
    comparison.command = "compare 'a`b``c'"
    text = markdown(comparison)
    escaped = (
        "\\# \\*a\\* \\_b\\_ \\~\\~c\\~\\~ \\`d\\` \\[e\\](f) \\<g\\> \\|h\\| "
        "\\&amp; \\$i\\$ http\\://j www\\.k.l \\\\"
    )
    heading = next(line for line in text.splitlines() if line.startswith("## "))
    table = next(line for line in text.splitlines() if "test accuracy |" in line)
    row = next(line for line in text.splitlines() if "%" in line)
    assert escaped in heading and escaped in row and "| \\*a\\*\\|b |" in table
    assert text.endswith("\n``` compare 'a`b``c' ```\n")
