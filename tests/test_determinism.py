"""The same config and seed give the same bytes, whatever the process, its hash seed, its number
of BLAS threads, its launcher and its neighbours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETTINGS = {
    "small": ["activation=gelu", "training.epochs=5"],
    "float64": ["activation=softmax", "dataset=blobs", "training.epochs=5", "dtype=float64"],
    "noisy": ["activation=rrelu", "dataset=spirals", "training.epochs=5", "optimizer=rmsprop"],
    "wide": ["activation=relu", "model.hidden=[256,256]", "training.batch_size=256",
             "training.epochs=2", "replicates=2"],
}  # fmt: skip
ENVIRONMENTS = [
    {"PYTHONHASHSEED": "1", "OPENBLAS_NUM_THREADS": "1"},
    {"PYTHONHASHSEED": "2", "OPENBLAS_NUM_THREADS": "2"},
    {"PYTHONHASHSEED": "random", "OPENBLAS_NUM_THREADS": "4", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
]


def shell(*words: str, folder: Path, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runner", *words, "plots=none"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    names = ("config.yaml", "history.csv", "weights.npz")
    return {name: (folder / name).read_bytes() for name in names}


@pytest.mark.parametrize("setting", SETTINGS)
def test_same_bytes_in_every_environment(tmp_path, setting):
    found = []
    for number, environment in enumerate(ENVIRONMENTS):
        shell(*SETTINGS[setting], f"hydra.run.dir={number}", folder=tmp_path, **environment)
        found.append(contents(tmp_path / str(number)))
    assert found[1:] == found[:-1]


def test_same_bytes_alone_and_in_a_sweep(tmp_path):
    words = ["training.epochs=3", "dataset.samples=200"]
    shell("-m", "activation=tanh,relu", "seed=0,5", *words, folder=tmp_path)
    jobs = sorted(path.parent for path in tmp_path.glob("outputs/sweeps/*/*/summary.json"))
    assert len(jobs) == 4
    for activation in ("tanh", "relu"):
        for seed in ("0", "5"):
            shell(f"activation={activation}", f"seed={seed}", *words, folder=tmp_path)
    for job in jobs:
        assert contents(tmp_path / "outputs/runs" / job.name) == contents(job)
