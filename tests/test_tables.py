"""The tables of ``tests/README.md`` are those of their data, and the data those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tables import __main__ as command
from tests.tables import catalogue, fingerprint, readme
from tests.tables import table as tables
from tests.tables.table import AVX2, AVX512, Table, side_by_side

CODE = '''"""A module."""

LIMIT = 3
"""Of something."""


def doubled(x):
    """Return 2 x."""
    return 2 * x  # no sum


def halved(x):
    return x / 2
'''


def test_the_tables_are_those_of_their_data_and_of_the_code():
    assert readme.faults(readme.README.read_text(encoding="utf-8")) == []


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one module, code.py."""
    (tmp_path / "code.py").write_text(CODE)
    monkeypatch.setattr(fingerprint, "REPOSITORY", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A module.", "Another text."),
        ("Of something.", "Of something else."),
        ("Return 2 x.", "Return it twice."),
        ("  # no sum", ""),
        ("return 2 * x", "return (2\n            * x)"),
    ],
)
def test_a_rewording_keeps_the_fingerprint(repository: Path, old: str, new: str):
    before = fingerprint.fingerprint(["code.py"])
    (repository / "code.py").write_text(CODE.replace(old, new))
    assert fingerprint.fingerprint(["code.py"]) == before


@pytest.mark.parametrize(
    ("old", "new"), [("LIMIT = 3", "LIMIT = 4"), ("2 * x", "2 + x"), ("(x):", "(x, y=()):")]
)
def test_other_code_has_another_fingerprint(repository: Path, old: str, new: str):
    before = fingerprint.fingerprint(["code.py"])
    (repository / "code.py").write_text(CODE.replace(old, new))
    assert fingerprint.fingerprint(["code.py"]) != before


def test_only_the_named_functions_count(repository: Path):
    before = fingerprint.fingerprint(["code.py:doubled"])
    (repository / "code.py").write_text(CODE.replace("x / 2", "x / 3"))
    assert fingerprint.fingerprint(["code.py:doubled"]) == before
    assert fingerprint.fingerprint(["code.py:halved"]) != before


@pytest.mark.parametrize(
    ("part", "says"),
    [("gone.py", "gone.py does not exist"), ("code.py:doubled,gone", "code.py has no gone")],
)
def test_code_that_is_gone_is_named(repository: Path, part: str, says: str):
    with pytest.raises(ValueError, match=says):
        fingerprint.fingerprint([part])


@pytest.fixture
def timing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    """The only table there is, with its README."""
    found = Table(
        "timing",
        "Time",
        "By function.",
        ("code.py:doubled",),
        lambda: [],
        side_by_side(("function",), {"ms": "{:.1f}"}),
        (AVX512, AVX2),
    )
    monkeypatch.setattr(tables, "DATA", repository)
    about = {
        "date": "2020-02-02",
        "machine": "a machine",
        "processors": {AVX512: "fast", AVX2: "slow"},
        "fingerprint": fingerprint.fingerprint(found.code),
    }
    rows = {kind: [{"function": "doubled", "ms": ms}] for kind, ms in ((AVX512, 1), (AVX2, 2.5))}
    found.save(about, rows)
    for module in (readme, catalogue):
        monkeypatch.setattr(module, "TABLES", {"timing": found})
    monkeypatch.setattr(readme, "SECTIONS", (("Speed", "", (found,)),))
    path = repository / "README.md"
    path.write_text(f"By hand.\n\n{readme.MARKER}")
    for module in (readme, command):
        monkeypatch.setattr(module, "README", path)
    return found


def test_data_become_a_table(timing: Table, repository: Path, capsys: pytest.CaptureFixture[str]):
    assert command.main([]) == 0
    text = (repository / "README.md").read_text()
    assert text.startswith("By hand.\n")
    assert "| function | AVX-512: ms | AVX2: ms |" in text
    assert "| doubled  | 1.0         | 2.5      |" in text
    assert command.main(["--check"]) == 0
    assert capsys.readouterr().err == ""


def test_a_table_edited_by_hand_is_found(
    timing: Table, repository: Path, capsys: pytest.CaptureFixture[str]
):
    command.main([])
    path = repository / "README.md"
    path.write_text(path.read_text().replace("2.5 ", "0.5 "))
    assert command.main(["--check"]) == 1
    assert capsys.readouterr().err == (
        "table timing of tests/README.md is not that of its data; write it by "
        "python -m tests.tables\n"
    )


def test_a_stale_table_is_found(
    timing: Table, repository: Path, capsys: pytest.CaptureFixture[str]
):
    command.main([])
    (repository / "code.py").write_text(CODE.replace("2 * x", "x + x"))
    assert command.main(["--check"]) == 1
    assert capsys.readouterr().err == (
        "table timing is stale: what it measures has changed; renew it by "
        "python -m tests.tables --measure timing\n"
    )


def test_a_table_without_data_is_found(
    timing: Table, repository: Path, capsys: pytest.CaptureFixture[str]
):
    timing.path.unlink()
    assert command.main(["--check"]) == 1
    assert "table timing was never measured; renew it by" in capsys.readouterr().err


def test_an_unknown_table_is_refused(timing: Table, capsys: pytest.CaptureFixture[str]):
    assert command.main(["--measure", "timings"]) == 2
    assert "error: table timings is unknown; known: " in capsys.readouterr().err
