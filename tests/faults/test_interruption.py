"""A stopped run goes on to the same bytes, and a stopped process says how."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from runner.config.compose import compose
from runner.config.experiment import Experiment
from runner.execute import execute
from runner.plots import PICTURES
from runner.results.run import LAST_PICTURE
from runner.system.terminal import ConfigError
from runner.training.checkpoint import CHECKPOINT, Checkpointer, Interrupted
from runner.training.outcome import TrainingResult
from runner.training.train import train
from tests.commands import environment

SHORT = [
    *("training.epochs=9", "dataset.samples=90", "plots=none", "replicates=3"),
    "training.snapshots=5",
]
ENDLESS = ["training.epochs=2000000", "training.record_every=100000", "plots=none",
           "dataset.samples=40", "training.batch_size=null", "replicates=1"]  # fmt: skip


@pytest.fixture(autouse=True)
def signals_are_not_ignored():
    """They are, SIGINT at least, where the tests themselves run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def experiment_of(*words: str) -> Experiment:
    return compose([*SHORT, *words]).experiment


def stop_at(share: float, number: int = signal.SIGINT):
    """Return a ``progress`` that sends this process a signal once, when that share is done."""
    sent = []

    def progress(done: float) -> None:
        if done >= share and not sent:
            sent.append(done)
            signal.raise_signal(number)

    return progress


def interrupt(experiment: Experiment, folder: Path, share: float) -> Interrupted:
    checkpointer = Checkpointer(folder, experiment)
    with checkpointer.listening(), pytest.raises(Interrupted) as stopped:
        train(experiment, stop_at(share), checkpointer)
    return stopped.value


def same(one: TrainingResult, other: TrainingResult) -> None:
    for kind in ("history", "final", "best", "snapshots"):
        left, right = getattr(one, kind), getattr(other, kind)
        assert list(left) == list(right)
        for name in left:
            assert left[name].tobytes() == right[name].tobytes(), name
    assert one.epochs.tolist() == other.epochs.tolist()
    assert [o.to_json() for o in one.outcomes] == [o.to_json() for o in other.outcomes]


@pytest.mark.parametrize("group", [3, 2, 1], ids=lambda size: f"groups-of-{size}")
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99, 1.0])
def test_a_run_goes_on_to_the_same_bytes(tmp_path, monkeypatch, share, group):
    monkeypatch.setattr("runner.training.train.group_size", lambda experiment: group)
    experiment = experiment_of()
    stopped = interrupt(experiment, tmp_path / "run", share)
    assert str(stopped.place) in str(stopped)
    same(
        train(experiment, checkpointer=Checkpointer(tmp_path / "run", experiment)),
        train(experiment),
    )


@pytest.mark.parametrize(
    "words",
    [
        ["dtype=float64"],
        ["activation=prelu", "optimizer=sgd", "optimizer.momentum=0.9"],
        ["activation=rrelu", "optimizer=rmsprop", "schedule=cosine", "schedule.warmup_epochs=3"],
        ["training.patience=2", "optimizer.learning_rate=0.5"],
        ["optimizer=sgd", "optimizer.learning_rate=1e30", "training.batch_size=7"],
        ["training.record_every=4", "optimizer=adamw", "optimizer.weight_decay=0.1"],
        ["dataset=blobs", "training.batch_size=null"],
    ],
    ids=lambda words: words[0],
)
def test_whatever_a_run_depends_on_is_kept(tmp_path, words):
    experiment = experiment_of(*words)
    whole = train(experiment)
    for share in (0.2, 0.6):  # stopped twice
        checkpointer = Checkpointer(tmp_path / "run", experiment)
        with checkpointer.listening():
            try:
                train(experiment, stop_at(share), checkpointer)
            except Interrupted:
                continue
    same(train(experiment, checkpointer=Checkpointer(tmp_path / "run", experiment)), whole)


def test_a_kill_costs_what_came_after_the_last_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr("runner.training.checkpoint.SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr("runner.training.checkpoint.MOST_TIME_SHARE", math.inf)
    experiment = experiment_of()

    def die(share: float) -> None:
        if share > 0.5:
            raise MemoryError

    with pytest.raises(MemoryError):
        train(experiment, die, Checkpointer(tmp_path / "run", experiment))
    done: list[float] = []
    found = train(experiment, done.append, Checkpointer(tmp_path / "run", experiment))
    assert 0.5 < done[0] < 0.7
    same(found, train(experiment))


def _train_until(
    share: float, experiment: Experiment, _: object, checkpointer: Checkpointer
) -> TrainingResult:
    return train(experiment, stop_at(share), checkpointer)


def test_what_was_reached_can_be_looked_at_and_goes_when_the_run_is_finished(tmp_path, monkeypatch):
    experiment = experiment_of()
    stopped_half_way = partial(_train_until, 0.5)
    monkeypatch.setattr("runner.execute.train", stopped_half_way)
    with pytest.raises(Interrupted) as stopped:
        execute(experiment, tmp_path / "run", command="")
    place = stopped.value.place
    assert place == tmp_path / "run.interrupted" and not (tmp_path / "run").exists()
    assert (place / "config.yaml").is_file()
    history = (place / "history.csv").read_text().splitlines()
    assert len(history) == 1 + 3 * 6  # epochs 0 to 5 of each replicate
    with np.load(place / "weights.npz") as weights:
        assert weights["layer1.weight"].shape == (3, 2, 16)
    monkeypatch.undo()
    run, reused = execute(experiment, tmp_path / "run", command="")
    assert not reused and run.path.is_dir() and not place.exists()


def test_a_damaged_or_older_checkpoint_is_not_used(tmp_path, monkeypatch):
    experiment = experiment_of()
    place = interrupt(experiment, tmp_path / "run", 0.5).place
    whole = (place / CHECKPOINT).read_bytes()
    (place / CHECKPOINT).write_bytes(whole[:-100])
    assert Checkpointer(tmp_path / "run", experiment).load() is None
    (place / CHECKPOINT).write_bytes(whole)
    assert Checkpointer(tmp_path / "run", experiment).load() is not None
    monkeypatch.setattr("runner.training.fingerprint.laboratory_code", lambda: "another")
    notes: list[str] = []
    assert Checkpointer(tmp_path / "run", experiment, notes.append).load() is None
    assert "another version of this laboratory's code: training starts over" in notes[0]


def test_another_interrupted_run_is_not_lost(tmp_path):
    interrupt(experiment_of(), tmp_path / "run", 0.5)
    other = experiment_of("seed=7")
    with pytest.raises(ConfigError, match=r"run\.interrupted holds the checkpoint of another"):
        train(other, checkpointer=Checkpointer(tmp_path / "run", other))


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_a_signal_at_the_shell_ends_in_one_line_and_the_same_command_goes_on(
    tmp_path, number, status
):
    epochs = []
    for _ in range(2):
        before = _modified(tmp_path / "it.interrupted" / CHECKPOINT)
        with subprocess.Popen(
            [sys.executable, "-m", "runner", "activation=tanh", "hydra.run.dir=it", *ENDLESS],
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                while _modified(tmp_path / "it.interrupted" / CHECKPOINT) == before:
                    time.sleep(0.05)
                    assert process.poll() is None
                process.send_signal(number)
                out, err = process.communicate(timeout=60)
            finally:
                process.kill()
        assert process.returncode == status, err
        assert out == "" and len(err.splitlines()) == 1
        assert "it.interrupted; the same command resumes it" in err
        assert _modified(tmp_path / "it.interrupted" / CHECKPOINT) > before
        with np.load(tmp_path / "it.interrupted" / CHECKPOINT) as state:
            epochs.append(int(str(state["json"]).split('"epoch": ')[1].split(",")[0]))
    assert 0 < epochs[0] < epochs[1]
    assert not (tmp_path / "it").exists()


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def test_the_last_picture_stands_for_all():
    assert list(PICTURES)[-1] == LAST_PICTURE
