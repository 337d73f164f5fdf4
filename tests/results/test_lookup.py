"""Mappings of a result name the wrong key and the right ones."""

from __future__ import annotations

import pickle

import pytest

from runner import compare, load_run, propagate
from runner.compare import build
from runner.results.lookup import MOST_SHOWN, Lookup
from tests.run_folders import write_run


def missing(mapping: dict[str, object], key: object) -> str:
    with pytest.raises(KeyError) as raised:
        mapping[key]  # type: ignore[index]
    (line,) = raised.value.args
    assert "\n" not in line
    return str(line)


def test_a_wrong_key_is_named_with_the_right_ones() -> None:
    found = Lookup("history", {"test_loss": 1, "epoch": 2})
    assert missing(found, "tset_loss") == "history has no 'tset_loss'; did you mean test_loss?"
    assert missing(found, "foo") == "history has no 'foo'; it has test_loss, epoch"
    assert missing(found, 0) == "history has no 0; it has test_loss, epoch"
    many = Lookup("history", {f"x{n}": n for n in range(MOST_SHOWN + 3)})
    assert missing(many, "foo").endswith(f", x{MOST_SHOWN - 1} and 3 more")
    assert missing(Lookup("figures()"), "foo") == "figures() has no 'foo'; it has nothing"


def test_it_is_a_dict_otherwise() -> None:
    found = Lookup("history", {"a": 1})
    assert found == {"a": 1} and found.get("b") is None and "b" not in found
    again = pickle.loads(pickle.dumps(found))
    assert again == found and again.what == "history"


def test_the_mappings_of_runs_and_comparisons_say_so(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("tanh", "relu"):
        write_run(tmp_path / "runs" / name, name, weights=True)
    run = load_run("runs/tanh")
    for mapping in (run.history, run.weights, run.settings, run.summary, run.figures()):
        assert " has no 'foo'; it has " in missing(mapping, "foo")
    (held, _) = build(["runs"]).runs
    assert "did you mean test_loss?" in missing(held.history, "tset_loss")
    compared = compare(["runs"])
    assert "it has" in missing(compared.table[0], "foo")
    assert "it has leaderboard" in missing(compared.figures(), "foo")
    assert "it has propagate" in missing(propagate(["depth=2", "nets=2"]).figures(), "foo")
