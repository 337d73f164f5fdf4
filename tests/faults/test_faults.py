"""Disks that fill up, processes that die at any write, files that rot: nothing is lost or
taken for whole, and one line says which file and what to do."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner import load_run, plots
from runner.__main__ import main
from runner.compare.__main__ import main as compare
from runner.results.run import LAST_PICTURE
from tests.commands import only_line, python, refusal

QUICK = ["training.snapshots=2", "dataset.samples=60", "replicates=2", "training.epochs=2"]
BARE = [*QUICK, "plots=none"]
FILES = ("config.yaml", "history.csv", "weights.npz", "snapshots.npz")
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def disk_full(path: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), *([path] if path else []))


def killed(path: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


FAULTS = {"disk full": disk_full, "killed": killed}


def with_fault_at(write: int, fault: Callable[[object], None], work: Callable[[], int]) -> int:
    """Do ``work`` in a forked process in which that write fails; return its exit status.

    -9 is a kill, 77 that there are fewer writes than that. A failing write of a file leaves
    half of it.
    """
    with warnings.catch_warnings():  # Python 3.12: pytest's own threads are no part of this
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    status = 1
    try:
        count = 0

        def faulty(function: Callable[..., object]) -> Callable[..., object]:
            def call(*arguments: object, **options: object) -> object:
                nonlocal count
                count += 1
                if count == write:
                    if function is Path.write_bytes:
                        content: bytes = arguments[1]  # type: ignore[assignment]
                        function(arguments[0], content[: len(content) // 2])
                        fault(None)  # a full disk does not name the file
                    fault(arguments[0])
                return function(*arguments, **options)

            return call

        for owner, name in ((Path, "mkdir"), (Path, "rename"), (os, "replace"),
                            (Path, "write_bytes")):  # fmt: skip
            setattr(owner, name, faulty(getattr(owner, name)))
        sys.stderr = open("stderr.txt", "w")
        status = work()
        sys.stderr.close()
        if count < write:
            status = 77
    finally:
        os._exit(status)


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(BARE, id="alone"),
        pytest.param(QUICK, id="with pictures", marks=pytest.mark.slow),
    ],
)
def test_a_fault_at_any_write_of_a_run_costs_nothing_but_time(
    tmp_path, monkeypatch, capsys, record_property, words, fault
):
    monkeypatch.setattr("runner.training.checkpoint.SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr("runner.training.checkpoint.MOST_TIME_SHARE", math.inf)
    two = {name: plots.PICTURES[name] for name in ("accuracy", LAST_PICTURE)}
    monkeypatch.setattr(plots, "PICTURES", two)  # as good as all, and sooner drawn
    for name, seed in (("earlier", 1), ("undisturbed", 0)):
        assert main([*words, f"seed={seed}", f"hydra.run.dir={name}"]) == 0
    earlier, whole = contents(Path("earlier")), contents(Path("undisturbed"))
    capsys.readouterr()
    for write in range(1, 200):
        status = with_fault_at(
            write, FAULTS[fault], lambda: main([*words, "hydra.run.dir=it", "seed=0"])
        )
        if status == 77:
            break
        message = Path("stderr.txt").read_text().splitlines()
        if fault == "killed":
            assert status == -signal.SIGKILL
        elif status:  # a checkpoint that cannot be written costs nothing
            assert status == 1 and len(message) == 1, message
            assert "No space left on device" in message[0] and message[0].startswith("error: ")
        if Path("it").exists():
            assert contents(load_run("it").path) == whole
        assert contents(Path("earlier")) == earlier
        assert main([*words, "hydra.run.dir=it", "seed=0"]) == 0
        assert contents(Path("it")) == whole
        if words is QUICK:
            assert {path.stem for path in Path("it").glob("*.png")} == set(two)
        shutil.rmtree("it")
        assert not Path("it.interrupted").exists()
        for left in Path().glob(".unfinished-*"):
            shutil.rmtree(left)
    record_property("faults", write - 1)
    assert write > 10


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_write_of_a_comparison_leaves_whole_files(
    tmp_path, capsys, record_property, fault
):
    for activation in ("tanh", "relu"):
        assert main([*BARE, f"activation={activation}"]) == 0
    words = ["outputs/runs", "--output", "made", "--no-pictures"]
    assert compare(words) == 0
    whole = {path.name: path.read_bytes() for path in Path("made").iterdir()}
    for write in range(1, 50):
        status = with_fault_at(write, FAULTS[fault], lambda: compare(words))
        if status == 77:
            break
        assert status == (1 if fault == "disk full" else -signal.SIGKILL)
        for path in Path("made").iterdir():
            assert path.name.startswith(".") or path.read_bytes() == whole[path.name]
    record_property("faults", write - 1)
    assert write > 8


def test_a_file_where_a_folder_should_be(capsys):
    Path("taken").write_text("mine")
    assert "taken is a file" in refusal(capsys, *BARE, "hydra.run.dir=taken")
    message = refusal(capsys, *BARE, "hydra.run.dir=taken/it", status=1)
    assert "taken: it or a folder above it is a file" in message
    Path("outputs").write_text("mine")
    message = refusal(capsys, *BARE, status=1)
    assert "outputs/runs: it or a folder above it is a file" in message
    assert main(["-m", *BARE, "activation=relu,tanh"]) == 1
    assert "outputs" in capsys.readouterr().err.splitlines()[-1]
    assert Path("taken").read_text() == Path("outputs").read_text() == "mine"


def test_a_place_that_nothing_can_be_written_to_is_told_before_training(capsys, monkeypatch):
    monkeypatch.setattr("runner.execute.train", None)
    message = refusal(capsys, *BARE, "hydra.run.dir=/proc/nowhere/it", status=1)
    assert "/proc/nowhere" in message and "kept" not in message  # there is nothing
    monkeypatch.setattr(os, "access", lambda *arguments: False)  # root may write anywhere
    assert main([*BARE, "hydra.run.dir=read_only/it"]) == 1
    assert only_line(capsys).startswith("error: read_only: Permission denied")


def test_an_output_folder_that_vanishes_is_made_again(monkeypatch):
    from runner.execute import train

    def vanishing(*arguments: object) -> object:
        training = train(*arguments)  # type: ignore[arg-type]
        shutil.rmtree("outputs")
        return training

    monkeypatch.setattr("runner.execute.train", vanishing)
    assert main(BARE) == 0
    assert len(list(Path("outputs/runs").iterdir())) == 1


def test_two_processes_on_one_folder_end_in_one_whole_run(tmp_path):
    words = ["-m", "runner", *QUICK[:-1], "plots=none", "training.epochs=300", "hydra.run.dir=it"]
    with ThreadPoolExecutor() as both:
        for done in both.map(lambda _: python(*words), range(2)):
            assert done.returncode == 0, done.stderr
    assert load_run("it").summary["status"] == "complete"
    assert [path.name for path in Path().iterdir()] == ["it"]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "one bit": lambda content: content[:100] + bytes([content[100] ^ 1]) + content[101:],
    "zeros": lambda content: bytes(len(content)),
    "another's": lambda content: b"PK\x03\x04" + content,
}


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    """A folder with two runs, to be copied."""
    runs = tmp_path_factory.mktemp("two") / "runs"
    for activation in ("tanh", "relu"):
        assert main([*BARE, f"activation={activation}", f"hydra.run.dir={runs / activation}"]) == 0
    return runs


@pytest.mark.parametrize("name", [*FILES, "summary.json"])
@pytest.mark.parametrize("damage", [*DAMAGES, "removed"])
def test_a_damaged_file_is_named_wherever_its_run_is_used(
    two_runs, capsys, record_property, name, damage
):
    record_property("damaged files", 1)
    shutil.copytree(two_runs, "runs")
    path = Path("runs/tanh") / name
    if damage == "removed":
        path.unlink()
    else:
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    capsys.readouterr()
    with pytest.raises(ValueError, match=name):
        load_run("runs/tanh")
    assert compare(["runs", "--no-pictures"]) == 0
    out = capsys.readouterr().out
    assert name in out and "runs/tanh" in out
    rows = Path("runs/comparison/leaderboard.csv").read_text().splitlines()
    counted = name in (
        "history.csv",
        "weights.npz",
        "snapshots.npz",
    )  # the scores are in the summary
    assert len(rows) == 1 + (2 if counted else 1)


def test_a_run_of_an_older_format_is_told_apart(capsys):
    assert main([*BARE, "hydra.run.dir=runs/it"]) == 0
    path = Path("runs/it/summary.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 0}))
    capsys.readouterr()
    with pytest.raises(ValueError, match="format_version 0, this version reads 3; run it again"):
        load_run("runs/it")
    assert compare(["runs"]) == 2
    assert "format_version 0" in only_line(capsys)


def test_what_a_killed_process_has_left_goes_after_an_hour(tmp_path):
    for name, age in ((".unfinished-new", 60), (".unfinished-old", 7200)):
        Path(name).mkdir()
        os.utime(name, (Path(name).stat().st_atime, Path(name).stat().st_mtime - age))
    assert main([*BARE, "hydra.run.dir=it"]) == 0
    assert sorted(path.name for path in Path().iterdir()) == [".unfinished-new", "it"]
