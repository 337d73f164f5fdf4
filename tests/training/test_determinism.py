"""The same config and seed give the same bytes, whatever the process, its hash seed, its number
of BLAS threads, its launcher and its neighbours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.benchmarks.identity import CONFIGURATIONS, measured
from tests.commands import python

SETTINGS = {
    "small": ["activation=gelu", "training.epochs=5"],
    "float64": ["activation=softmax", "dataset=blobs", "training.epochs=5", "dtype=float64"],
    "noisy": ["activation=rrelu", "dataset=spirals", "training.epochs=5", "optimizer=rmsprop"],
}
ENVIRONMENTS = [
    {"PYTHONHASHSEED": "1", "OPENBLAS_NUM_THREADS": "1"},
    {"PYTHONHASHSEED": "2", "OPENBLAS_NUM_THREADS": "2"},
    {"PYTHONHASHSEED": "random", "OPENBLAS_NUM_THREADS": "4", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
]


def shell(*words: str, folder: Path, **environment: str) -> None:
    done = python("-m", "runner", *words, "plots=none", cwd=folder, **environment)
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


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["", "Haswell", "Prescott"])
def test_same_bytes_with_any_number_of_blas_threads_and_replicates_in_a_group(kernel):
    """With OpenBLAS's kernels of three kinds of processor: each sums in an order of its own."""
    wide = [words for words in CONFIGURATIONS if re.search(r"\[(1|2|3|5)\d\d", words)]
    assert len(wide) >= 7
    found = [measured(kernel, threads, group, 0, wide) for threads, group in ((1, 0), (4, 1))]
    assert found[0] == found[1]


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
