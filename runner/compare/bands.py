"""Centre and band of many replicates' curves."""

from __future__ import annotations

import warnings

import numpy as np

from activations.base import Array
from runner.compare.settings import Setting
from runner.statistics.estimates import Estimate, how


def centre_and_band(setting: Setting, column: str, values: Array) -> Estimate:
    """Return the estimate of a history column, epoch by epoch, over replicates (rows).

    Replicates that diverged are given as NaN rows and left out.
    """
    rows = values[np.isfinite(values).all(axis=1)]
    if len(rows):
        return setting.estimate(column, rows, axis=0)
    # Nobody reached the end: show what there was, without a claim about its spread.
    nothing = np.full(values.shape[1], np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return Estimate(np.nanmedian(values, axis=0), nothing, nothing, 0, how(column))
