"""Settings at the ends of their ranges: a run ends well or is refused, and no warning is printed.

Every warning is an error in these tests, as pyproject.toml asks.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.__main__ import main
from runner.results.run import load_run

QUICK = ["training.epochs=1", "dataset.samples=60", "replicates=2"]


@pytest.mark.parametrize(
    "words",
    [
        "dtype=float64 activation=relu model.hidden=[8,8,8,8,8,8] initializer.gain=1e30 plots=png",
        "dtype=float64 optimizer.learning_rate=1e30 optimizer=sgd training.loss=squared_error",
        "optimizer.learning_rate=1e-300",
        "training.l2=1e30",
        "optimizer=adamw optimizer.weight_decay=1e30",
        "initializer.gain=1e30",
        "initializer.bias_std=1e30",
        "initializer=normal initializer.std=1e30",
        "activation=leaky_relu activation.alpha=1e30",
        "activation=formula activation.expression=x^1000",
        "dataset.noise=1e30",
        "dataset=spirals dataset.turns=-1e30",
        "dataset=teacher dataset.noise=1e30",
        "dataset=blobs dataset.distance=1e-300 dataset.noise=1e-300",
    ],
)
def test_extreme_settings_run_without_a_warning(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = [*QUICK, "plots=none", *words.split(), f"hydra.run.dir={tmp_path / 'run'}"]
    run = [word for word in run if word != "plots=none" or "plots=png" not in run]
    assert main(run) == 0
    assert not capsys.readouterr().err
    data = load_run(tmp_path / "run").data()
    x = (data.train_x - data.mean[:, None]) / data.scale[:, None]
    assert ((0.9 < x.std(axis=1)) & (x.std(axis=1) < 1.1)).all()


@pytest.mark.parametrize(
    "words",
    [
        "dataset.noise=1e300",
        "dataset.noise=1e31 dataset=teacher",
        "dataset.distance=1e300 dataset=blobs",
        "dataset.margin=1e300 dataset=linearly_separable",
        "dataset.turns=-1e308 dataset=spirals",
    ],
)
def test_features_beyond_all_measure_are_refused(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*QUICK, *words.split(), f"hydra.run.dir={tmp_path / 'run'}"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {words.split('=')[0]} must be ")
    assert "1e+30" in error and error.count("\n") == 1
    assert not (tmp_path / "run").exists()
