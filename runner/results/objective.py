"""The objective: the number that a job returns to a sweeper that optimizes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from activations.arguments import one_of
from runner.results.summary import METRICS
from runner.system.terminal import ConfigError

OBJECTIVES = tuple(
    f"{which}{metric}"
    for which in ("", "best.")
    for metric in METRICS
    if not metric.startswith("test_")
)
"""No metric of the test data: a sweeper must not choose settings by them."""


def check_objective(name: object) -> None:
    """Raise ConfigError if the name is no objective."""
    try:
        one_of("objective", name, OBJECTIVES)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def higher_is_better(name: str) -> bool:
    """Return whether a sweeper maximises this objective (an accuracy) or minimises it (a loss)."""
    return not name.endswith("_loss")


def objective(summary: Mapping[str, Any], name: str) -> float | None:
    """Return the mean of a metric over the replicates, or None without validation data.

    The metric is that of the last epoch or, with ``best.``, of the epoch with the lowest validation
    loss. A diverged replicate counts as the worst value: infinity for a loss, 0 for an accuracy.
    """
    which, _, metric = name.rpartition(".")
    worst = 0.0 if higher_is_better(metric) else math.inf
    values = []
    for replicate in summary["replicates"]:
        value = replicate[which or "final"].get(metric)
        if replicate["status"] == "diverged":
            value = worst
        if value is None:
            return None
        values.append(float(value))
    return math.fsum(values) / len(values)
