"""Tests of paired differences: two settings on the same seeds, or all pairs of many settings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from activations.base import Array
from runner.statistics.best_set import sign_patterns


def joint_sign_flip(differences: npt.ArrayLike) -> Array:
    """Return step-down max-t adjusted p values, (tests,), of differences d, (n, tests).

    The statistic is (sum d)^2 / (n sum d^2), which increases with |t| of the paired t test. Each
    sign pattern flips whole replicates in all tests at once. The p value of a test is the share of
    patterns whose largest statistic, among the tests not yet rejected, is at least the observed
    one. The smallest p is 2^(1-n) for any number of tests. The method assumes that the joint noise
    of all settings is symmetric. For n > 14, random patterns from a seed replace all patterns.

    Westfall & Young 1993, algorithm 4.1; Winkler et al. 2014,
    https://doi.org/10.1016/j.neuroimage.2014.01.060

    Raises ValueError if differences are not finite or not (n, tests).
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 2 or d.size == 0 or not np.isfinite(d).all():
        raise ValueError(f"differences must be finite, (replicates, tests), got {d.shape}")
    n = len(d)
    squares = n * (d * d).sum(0)
    scale = np.divide(1, squares, out=np.zeros_like(squares), where=squares > 0)
    observed = d.sum(0) ** 2 * scale
    order = np.argsort(-observed, kind="stable")
    d, scale, observed = d[:, order], scale[order], observed[order] - 1e-10
    signs = sign_patterns(n)
    signs[0] = 1  # the observed signs, also among random patterns
    exceeding = np.zeros(d.shape[1])
    batch = max(1, 4_000_000 // d.shape[1])
    for start in range(0, len(signs), batch):
        statistics = (signs[start : start + batch] @ d) ** 2 * scale
        greatest = np.maximum.accumulate(statistics[:, ::-1], axis=1)[:, ::-1]
        exceeding += (greatest >= observed).sum(0)
    p = np.empty_like(observed)
    p[order] = np.maximum.accumulate(exceeding / len(signs))
    return p


def probability_of_improvement(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return P(A > B) + P(A = B) / 2 over all pairs of a sample of A and a sample of B.

    It is the Mann-Whitney U statistic divided by its largest value. Agarwal et al. 2021,
    https://arxiv.org/abs/2108.13264
    """
    ordered = np.sort(np.asarray(b, dtype=np.float64))
    a = np.asarray(a, dtype=np.float64)
    below = np.searchsorted(ordered, a, side="left")
    not_above = np.searchsorted(ordered, a, side="right")
    return float((below + not_above).mean() / (2 * ordered.size))
