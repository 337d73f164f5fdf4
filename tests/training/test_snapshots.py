"""What training.snapshots keeps: the first replicate as it was at several epochs."""

from __future__ import annotations

import numpy as np
import pytest

from runner import load_run
from runner.__main__ import main
from runner.config.compose import compose
from runner.config.experiment import Training
from runner.training.outcome import TrainingResult
from runner.training.train import train

SHORT = ["training.epochs=9", "dataset.samples=90", "plots=none", "replicates=3", "seed=5"]


def trained(*words: str) -> TrainingResult:
    return train(compose([*SHORT, *words]).experiment)


@pytest.mark.parametrize(
    ("snapshots", "epochs"), [(60, 100), (60, 59), (2, 100), (3, 1), (60, 10**6)]
)
def test_epochs_reach_from_the_first_to_the_last_and_are_denser_at_first(snapshots, epochs):
    kept = Training(epochs=epochs, snapshots=snapshots).snapshot_epochs
    gaps = np.diff(kept)
    assert (kept[0], kept[-1], len(kept)) == (0, epochs, min(snapshots, epochs + 1))
    assert gaps.min() >= 1 and sum(gaps[: len(gaps) // 2]) <= sum(gaps[len(gaps) // 2 :])


def test_they_are_what_a_shorter_training_ends_with_whatever_trains_beside(monkeypatch):
    for size in (3, 1):
        monkeypatch.setattr("runner.training.train.group_size", lambda experiment, size=size: size)
        result = trained("training.snapshots=4")
        kept = result.snapshots
        assert kept["epoch"].tolist() == [0, 1, 4, 9]
        for row, epoch in enumerate(kept["epoch"]):
            if epoch:
                alone = trained(f"training.epochs={epoch}", "replicates=1").final
                assert all(kept[name][row].tobytes() == alone[name].tobytes() for name in alone)


def test_they_change_nothing_else():
    with_them, without = trained("training.snapshots=60"), trained()
    assert not without.snapshots["epoch"].size
    for kind in ("history", "final", "best"):
        for name, values in getattr(without, kind).items():
            assert values.tobytes() == getattr(with_them, kind)[name].tobytes(), name


@pytest.mark.parametrize(
    "words",
    [
        ["training.patience=2", "optimizer.learning_rate=0.5", "training.epochs=60"],
        ["optimizer=sgd", "optimizer.learning_rate=1e30", "activation=square"],
    ],
    ids=["stops early", "diverges"],
)
def test_a_replicate_that_ends_early_ends_them(words):
    result = trained("training.snapshots=6", *words)
    end = result.outcomes[0].epochs
    planned = compose([*SHORT, *words, "training.snapshots=6"]).experiment.training.snapshot_epochs
    assert end < planned[-1]
    assert result.snapshots["epoch"].tolist() == [*(e for e in planned if e < end), end]
    for name, values in result.final.items():
        np.testing.assert_array_equal(result.snapshots[name][-1], values[0])


def test_a_run_gives_its_networks_back(tmp_path):
    assert main([*SHORT, "training.snapshots=4", f"hydra.run.dir={tmp_path / 'run'}"]) == 0
    run = load_run(tmp_path / "run")
    epochs, network = run.snapshots()
    x = run.data().test_x[0]
    logits = network.logits(x)
    assert epochs.tolist() == [0, 1, 4, 9]
    np.testing.assert_array_equal(logits[0], run.initial_network().logits(x)[0])
    np.testing.assert_array_equal(logits[-1], run.network().logits(x)[0])


def test_a_run_without_them_says_which_setting_keeps_them(tmp_path):
    assert main([*SHORT, f"hydra.run.dir={tmp_path / 'run'}"]) == 0
    with pytest.raises(ValueError, match=r"keeps no snapshots: training\.snapshots=60 keeps them"):
        load_run(tmp_path / "run").snapshots()
