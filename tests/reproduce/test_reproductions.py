"""Fast reproductions hold; ``python -m runner.reproduce`` is the test of all."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.reproduce.catalogue import REPRODUCTIONS
from runner.reproduce.outcome import Outcome, measured_in

FAST = (
    *("initial_loss", "nielsen_slowdown", "gaussian_moments", "rectifier_extremes"),
    *("smooth_correlations", "rounded_derivatives", "scikit_learn"),
)


@pytest.mark.usefixtures("in_an_empty_folder")
@pytest.mark.parametrize("name", FAST)
def test_ours_lies_within_the_tolerance(name):
    reproduction = REPRODUCTIONS[name]
    if reproduction.missing:
        pytest.skip(f"needs {reproduction.missing}")
    outcome = Outcome(reproduction, measured_in(Path(), name))
    wrong = [one for one in reproduction.expected if not outcome.holds(one)]
    assert outcome.passes, (wrong, outcome.values)
