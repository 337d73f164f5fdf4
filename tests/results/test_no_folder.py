"""A folder that does not exist is refused with similar ones beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner import load_run
from runner.compare.runs import collect


@pytest.mark.parametrize(
    ("folder", "hint"),
    [
        ("runs/tanh_moons", "; did you mean runs/tanh_moons_0a or runs/tanh_moons_1b?"),
        ("runs/tahn_moons_1b", "; did you mean runs/tanh_moons_1b or runs/tanh_moons_0a?"),
        ("rums", "; did you mean runs?"),
        ("runs/old", ""),
        ("nowhere/tanh", ""),
    ],
)
def test_similar_folders_are_named(tmp_path, monkeypatch, folder, hint):
    monkeypatch.chdir(tmp_path)
    for name in ("tanh_moons_0a", "tanh_moons_1b", ".old"):
        Path("runs", name).mkdir(parents=True)
    for refused in (lambda: load_run(folder), lambda: collect([folder])):
        with pytest.raises(ValueError) as raised:
            refused()
        assert str(raised.value) == f"{folder} is not a folder{hint}"
