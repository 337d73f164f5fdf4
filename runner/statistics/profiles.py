"""Curves of sorted scores: the expected best of k trials; the share above each threshold."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from activations.base import Array


def expected_best(scores: npt.ArrayLike, chosen_by: npt.ArrayLike | None = None) -> Array:
    """Return the expected score of the best of k = 1 ... n trials, shape (n,).

    sum_i C(i-1, k-1) / C(n, k) x_(i), where x_(1) <= ... <= x_(n): the k trials are drawn without
    replacement, and higher is better. With ``chosen_by``, the best trial is chosen by those values,
    for instance validation accuracy, and its score is the one in ``scores``. Tang et al. 2020,
    https://aclanthology.org/2020.acl-main.246. The estimate of Dodge et al. 2019, who draw with
    replacement, is biased.
    """
    x = np.asarray(scores, dtype=np.float64)
    order = np.argsort(x if chosen_by is None else np.asarray(chosen_by), kind="stable")
    x, n = x[order], x.size
    weights = [[math.comb(i, k - 1) / math.comb(n, k) for i in range(n)] for k in range(1, n + 1)]
    return np.asarray(weights) @ x


def performance_profile(scores: npt.ArrayLike, thresholds: npt.ArrayLike) -> Array:
    """Return the share of scores that exceed each threshold, P(score > tau).

    Dolan & More 2002; for replicates, Agarwal et al. 2021, section 4.2,
    https://arxiv.org/abs/2108.13264
    """
    x = np.sort(np.asarray(scores, dtype=np.float64).ravel())
    return 1 - np.searchsorted(x, np.asarray(thresholds), side="right") / x.size
