"""Runs of the experiments in conf/experiment, as ``python -m runner`` carries them out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner import run

if TYPE_CHECKING:
    from runner.notebook import Result


def trained(runs: Path, experiment: str, *words: str) -> Result:
    """Return one run of an experiment, in its folder in ``runs``: trained, or read if it is there
    already."""
    return run([
        f"experiment={experiment}",
        "hydra.mode=RUN",  # one run, of an experiment that sweeps too
        "plots=none",
        f"hydra.run.dir='{runs}/{{name}}'",
        *words,
    ])  # fmt: skip
