"""Run the experiments in conf/experiment.

``trained`` does what ``python -m runner`` does, ``drawn`` what ``python -m runner.propagate`` does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner import run
from runner.propagate.settings import compose
from runner.propagate.simulation import Measured, simulate

if TYPE_CHECKING:
    from runner.notebook import Result


def trained(runs: Path, experiment: str, *words: str) -> Result:
    """Return a run of an experiment with its folder in ``runs``; an existing run is reused."""
    return run([
        f"experiment={experiment}",
        "hydra.mode=RUN",  # one run, also if the experiment is a sweep
        "plots=none",
        f"hydra.run.dir='{runs}/{{name}}'",
        *words,
    ])  # fmt: skip


def drawn(experiment: str, *words: str) -> Measured:
    """Return the measurements of an experiment's random networks, which are not trained."""
    return simulate(compose([f"experiment={experiment}", *words]))
