"""Centre and band of many replicates' curves."""

from __future__ import annotations

import warnings

import numpy as np

from activations.base import Array
from runner.statistics import t_interval


def centre_and_band(values: Array, geometric: bool) -> tuple[Array, Array, Array]:
    """Return mean and 95% t interval over replicates (rows), as far as any is left.

    Losses are averaged on the log scale. Replicates that diverged are given as NaN
    rows.
    """
    rows = values[np.isfinite(values).all(axis=1)]
    nothing = np.full(values.shape[1], np.nan)
    if not len(rows):
        # Nobody reached the end: show what there was, without a claim about its spread.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return np.nanmedian(values, axis=0), nothing, nothing
    if geometric:
        tiny = np.finfo(np.float64).tiny
        interval = t_interval(np.log(np.maximum(rows, tiny)), axis=0)
        centre, low, high = (np.exp(part) for part in interval)
    else:
        centre, low, high = t_interval(rows, axis=0)
    return centre, low, high
