"""Kaplan-Meier estimate: the share of replicates that have solved the task by each epoch."""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from activations.base import Array
from runner.statistics.estimates import CONFIDENCE


class SolvedBy(NamedTuple):
    """Share of replicates that have reached the target by each epoch, with a 95% band."""

    epochs: Array
    share: Array
    low: Array
    high: Array


def solved_by(
    solved_epochs: npt.ArrayLike, last_epochs: npt.ArrayLike, diverged: npt.ArrayLike
) -> SolvedBy:
    """Return the Kaplan-Meier estimate of the share that has solved the task by epoch t.

    1 - S(t), S(t) = product over epochs e <= t of (1 - solved(e) / at risk(e)).

    ``solved_epochs`` is NaN for a replicate that did not reach the target. Such a replicate is
    censored at its last epoch. If it diverged it can never solve the task and stays at risk.
    The band uses Greenwood's variance of log(-log S); where S is 1 or 0, it uses the exact
    binomial limit. All arguments have shape (replicates,).
    Kaplan & Meier 1958; Kalbfleisch & Prentice 1980, section 1.3.
    """
    solved = np.asarray(solved_epochs, dtype=np.float64)
    last = np.asarray(last_epochs, dtype=np.float64)
    happened = np.isfinite(solved)
    until = np.where(happened, solved, np.where(diverged, np.inf, last))
    epochs = np.unique(solved[happened])
    at_risk = (until >= epochs[:, None]).sum(1)
    events = (solved == epochs[:, None]).sum(1)
    survival = np.cumprod(1 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        width = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
        width = width * np.sqrt(greenwood) / np.abs(np.log(survival))
        low, high = survival ** np.exp(width), survival ** np.exp(-width)
    extreme = ((1 - CONFIDENCE) / 2) ** (1 / solved.size)
    ends = survival == 0
    low, high = np.where(ends, 0.0, low), np.where(ends, 1 - extreme, high)

    def curve(start: float, inner: Array) -> Array:
        """Extend the curve to epoch 0 and to the last epoch."""
        return np.concatenate([[start], inner, inner[-1:] if inner.size else [start]])

    x = np.concatenate([[0.0], epochs, [max(last.max(), epochs.max(initial=0))]])
    return SolvedBy(x, 1 - curve(1.0, survival), 1 - curve(1.0, high), 1 - curve(extreme, low))
