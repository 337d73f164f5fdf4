"""``python -m runner.reproduce``: what it prints, writes, refuses, and when it fails."""

from __future__ import annotations

import dataclasses
import json
from html import escape
from pathlib import Path

import pytest

from runner.reproduce import table
from runner.reproduce.__main__ import OUTPUT, main
from runner.reproduce.catalogue import REPRODUCTIONS
from runner.reproduce.outcome import Outcome
from runner.reproduce.reproduction import between, exact
from tests.commands import ROOT, only_line

README = ROOT / "runner" / "reproduce" / "README.md"
FAST = ("paired_statistics",)


@pytest.mark.usefixtures("in_an_empty_folder")
def test_writes_a_page_results_and_a_figure(capsys):
    assert main(list(FAST)) == 0
    out = capsys.readouterr().out
    page = (OUTPUT / "index.html").read_text(encoding="utf-8")
    results = json.loads((OUTPUT / "results.json").read_text())
    for name in FAST:
        assert (OUTPUT / f"{name}.png").stat().st_size > 5000
        assert results[name]["status"].startswith("pass")
        for expected in REPRODUCTIONS[name].expected:
            assert expected.what in out and expected.provenance in out
            assert escape(expected.what) in page


@pytest.mark.usefixtures("in_an_empty_folder")
def test_a_value_outside_its_tolerance_ends_in_status_1(capsys, monkeypatch):
    def measured(chosen, folder, progress):
        first, second = (REPRODUCTIONS[name] for name in ("initial_loss", "paired_statistics"))
        wrong = {one.what: one.high + 1 for one in first.expected}
        right = {one.what: (one.low + one.high) / 2 for one in second.expected}
        return [Outcome(first, wrong), Outcome(second, right)]

    monkeypatch.setattr("runner.reproduce.__main__.reproduce", measured)
    assert main(["initial_loss", "paired_statistics"]) == 1
    out = capsys.readouterr().out
    assert "FAIL, 0 of" in out and "1 of 2 reproduced" in out


def test_what_fails_and_what_is_skipped():
    reproduction = dataclasses.replace(
        REPRODUCTIONS["paired_statistics"],
        expected=(exact("a", 1.0, "", within=0.5), between("b", 0.0, 1.0, "exact", "")),
    )
    assert Outcome(reproduction, {"a": 1.5, "b": 0.0}).passes
    for values in ({"a": 1.6, "b": 0.5}, {"a": 1.0}, {"a": float("nan"), "b": 0.5}, {}):
        assert Outcome(reproduction, values).fails
    assert Outcome(reproduction, problem="killed").status == "FAIL: killed"
    skipped = Outcome(dataclasses.replace(reproduction, needs=("no_such_module", "a-package")))
    assert skipped.status == "skipped: needs a-package"
    assert not skipped.passes and not skipped.fails


@pytest.mark.usefixtures("in_an_empty_folder")
@pytest.mark.parametrize(
    "words, what",
    [
        (["nielsen_slowdwn"], "nielsen_slowdwn is unknown; did you mean nielsen_slowdown?"),
        (["no_such_thing"], "no_such_thing is unknown; --list names them all"),
        (["--readme", "a.md", "initial_loss"], "--readme writes the table of all"),
        (["--readme", "b.md"], "b.md has no line <!-- "),
        (["--no-such-option"], "unrecognized arguments"),
    ],
)
def test_refuses_in_one_line(words, what, capsys):
    Path("b.md").write_text("# No table here\n")
    assert main(words) == 2
    assert what in only_line(capsys)
    assert not OUTPUT.exists()


def test_lists_names_and_commands(capsys):
    assert main(["--list"]) == 0
    out = capsys.readouterr().out
    for one in REPRODUCTIONS.values():
        assert one.name in out and one.command in out


def test_writes_its_table_between_the_markers(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{table.BEGIN}\nFORMER\n{table.END}\nafter\n")
    outcomes = [Outcome(one) for one in REPRODUCTIONS.values()]
    table.write_into(readme, outcomes)
    before, between, after = table.parts(readme)
    assert (before, after) == ("before\n", "\nafter\n") and "FORMER" not in between
    assert len(between.splitlines()) == 2 + len(REPRODUCTIONS)


def test_the_readme_has_the_values_of_the_code():
    _, written, _ = table.parts(README)
    made = table.markdown([Outcome(one) for one in REPRODUCTIONS.values()])
    columns = slice(0, 6)  # the others are ours
    assert [row.split(" | ")[columns] for row in written.splitlines()] == [
        row.split(" | ")[columns] for row in made.splitlines()
    ]
