"""A finished run for a picture, written and read as any other."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.results.run import Run, load_run
from tests.run_folders import write_run


@pytest.fixture
def finished_run(tmp_path: Path) -> Callable[..., Run]:
    """A function that makes a run of small networks; its arguments are ``write_run``'s."""
    numbers = itertools.count()

    def make(replicates: int = 3, hidden: tuple[int, ...] = (8, 8), **changes: Any) -> Run:
        changes.setdefault("scores", np.linspace(0.8, 0.95, replicates).tolist())
        changes = {"seed": 7, "epochs": 5, "samples": 150, **changes}
        folder = tmp_path / f"run{next(numbers)}"
        return load_run(write_run(folder, model={"hidden": list(hidden)}, weights=True, **changes))

    return make
