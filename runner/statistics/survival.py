"""Kaplan-Meier: the share of replicates that has solved by each epoch."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class SolvedBy(NamedTuple):
    """Share of replicates that had reached the target by each epoch, with its band."""

    epochs: Array
    share: Array
    low: Array
    high: Array


def solved_by(
    solved_epochs: npt.ArrayLike,
    last_epochs: npt.ArrayLike,
    diverged: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> SolvedBy:
    """Return the Kaplan-Meier estimate of the share that has solved by epoch t.

    1 - S(t), S(t) = product over epochs e <= t of (1 - solved(e) / still running(e)).
    ``solved_epochs`` holds NaN for a replicate that never reached the target; it leaves
    the count at its last epoch (censoring), unless it diverged: then it never will, and
    stays in the count for good. The band is Greenwood's variance on the scale of
    log(-log S); where S is still 1 or has become 0, the exact binomial limit.
    Kaplan & Meier 1958; Kalbfleisch & Prentice 1980, section 1.3.

    Raises ValueError for no replicates or arrays of different lengths.
    """
    solved = np.asarray(solved_epochs, dtype=np.float64)
    left = np.asarray(last_epochs, dtype=np.float64)
    never = np.zeros(solved.size, bool) if diverged is None else np.asarray(diverged, bool)
    if solved.size == 0 or not solved.shape == left.shape == never.shape:
        raise ValueError(
            "solved epochs, last epochs and diverged must be equally long and not empty, "
            f"got {solved.shape}, {left.shape}, {never.shape}"
        )
    happened = np.isfinite(solved)
    until = np.where(happened, solved, np.where(never, np.inf, left))
    epochs = np.unique(solved[happened])
    at_risk = (until >= epochs[:, None]).sum(1)
    events = ((solved == epochs[:, None]) & happened).sum(1)
    survival = np.cumprod(1 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        width = NormalDist().inv_cdf((1 + confidence) / 2)
        width = width * np.sqrt(greenwood) / np.abs(np.log(survival))
        low, high = survival ** np.exp(width), survival ** np.exp(-width)
    extreme = ((1 - confidence) / 2) ** (1 / solved.size)
    low = np.where(survival == 0, 0.0, low)
    high = np.where(survival == 0, 1 - extreme, high)
    end = max(left.max(), epochs[-1] if epochs.size else 0)
    x = np.concatenate([[0.0], epochs, [end]])
    s = np.concatenate([[1.0], survival, survival[-1:] if epochs.size else [1.0]])
    s_low = np.concatenate([[extreme], low, low[-1:] if epochs.size else [extreme]])
    s_high = np.concatenate([[1.0], high, high[-1:] if epochs.size else [1.0]])
    return SolvedBy(x, 1 - s, 1 - s_high, 1 - s_low)
