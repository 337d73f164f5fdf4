"""Which settings could be the best, and by how much each falls short of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FEWEST_BLOCKS = 6
"""With fewer, 2^(1-n) sign patterns are too coarse for 5%."""
EVERY_PATTERN_UP_TO = 14
"""Up to this many blocks all sign patterns are used; beyond, RANDOM_PATTERNS seeded ones."""
RANDOM_PATTERNS = 10_000


class BestSet(NamedTuple):
    """Arrays of one entry a setting.

    Attributes:
        members: whether the setting could be the best.
        low: the least by which it falls short of the best; 0 for members.
        high: the most; NaN where there are too few blocks for an interval.
    """

    members: Array
    low: Array
    high: Array


def best_set(scores: npt.ArrayLike, alpha: float = 0.05, seed: int = 0) -> BestSet:
    """Return the settings that could have the highest mean; scores (blocks, settings).

    A block is what all settings share, such as a seed. With m_i the mean of setting i and s_ij
    the standard error of the paired differences d = x_j - x_i,

        i is a member unless m_j - m_i > c_i s_ij for some j,

    where c_i is the 1 - alpha quantile of max_j |t_ij|, t_ij being Student's t of the
    residuals d - (m_j - m_i) with the signs of whole blocks flipped: in every way, or over 14
    blocks in seeded random ways. If b is the truly best setting,

        |(m_j - m_b) - (mu_j - mu_b)| <= c_b s_bj    for all j together

    in a share 1 - alpha of experiments, whichever b is. Then b is a member, and the lead
    mu_b - mu_i lies between the least of m_j - m_i - c_j s_ij over the members j, or 0, and the
    greatest of m_j - m_i + c_j s_ij. Members and intervals rest on one event and cannot
    contradict one another. Only comparisons with the best are made: k - 1 of k settings, where
    all pairs are k (k - 1) / 2. Below six blocks nothing can be told: all are members.

    Multiple comparisons with the best: Hsu 1984, https://doi.org/10.1214/aos/1176346732; a
    constant for each candidate: Edwards & Hsu 1983,
    https://doi.org/10.1080/01621459.1983.10478001; flipping the signs of residuals: Liu 1988,
    https://doi.org/10.1214/aos/1176351062. Errors, coverage and power in simulations:
    ``python -m tests.benchmarks.best``. What no block shows no test can know:
    where one setting fails in 1 of 4 blocks and is better by as much in the others, 9% of ten
    blocks shut out another one that is as good, where it fails in 1 of 20, 31% to 42%.

    Raises ValueError for scores that are not finite or not (blocks, settings).
    """
    x = np.asarray(scores, dtype=np.float64)
    if x.ndim != 2 or x.size == 0 or not np.isfinite(x).all():
        raise ValueError(f"scores must be finite, (blocks, settings), got shape {x.shape}")
    n, k = x.shape
    signs = sign_patterns(n, seed)
    beyond = int(alpha * len(signs))
    if beyond < 1:
        return BestSet(np.ones(k, bool), np.zeros(k), np.full(k, np.nan))
    lead, margin = np.empty((k, k)), np.empty((k, k))
    for i in range(k):
        d = x - x[:, i : i + 1]
        lead[i] = -d.mean(0)
        residuals = d + lead[i]
        # What is left of equal differences is rounding.
        residuals[:, np.abs(residuals).max(0) <= 1e-12 * np.abs(d).max(0)] = 0
        squares = n * (residuals * residuals).sum(0)
        scale = np.divide(1, squares, out=np.zeros(k), where=squares > 0)
        # r = (sum e)^2 / (n sum e^2) grows with |t| and needs no deviation for each pattern.
        greatest = ((signs @ residuals) ** 2 * scale).max(1)
        r = np.partition(greatest, -1 - beyond)[-1 - beyond]
        c = np.sqrt(r / (1 - r)) if r < 1 else np.inf
        margin[i] = np.multiply(c, np.sqrt(squares) / n, out=np.zeros(k), where=squares > 0)
    members = np.all(lead + margin >= -1e-12, axis=1)
    low = np.where(members, 0, np.maximum((lead - margin)[members].min(0), 0))
    high = (lead + margin)[members].max(0)
    return BestSet(members, low, np.where(np.isfinite(high), high, np.nan))


def sign_patterns(n: int, seed: int = 0) -> Array:
    """Return ways to flip n blocks, (ways, n): all but for a common sign, or random ones."""
    if n > EVERY_PATTERN_UP_TO:
        return 2.0 * np.random.default_rng(seed).integers(0, 2, (RANDOM_PATTERNS, n)) - 1
    bits = np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1
    return 1.0 - 2.0 * bits
