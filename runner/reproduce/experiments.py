"""The experiments in conf/experiment, as ``python -m runner`` trains them and
``python -m runner.propagate`` draws them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner import run
from runner.propagate.settings import compose
from runner.propagate.simulation import Measured, simulate

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


def drawn(experiment: str, *words: str) -> Measured:
    """Return what networks of an experiment show that are drawn and not trained."""
    return simulate(compose([f"experiment={experiment}", *words]))
