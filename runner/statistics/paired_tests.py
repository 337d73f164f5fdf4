"""Two settings over the same seeds: tests, effect size, and how many replicates they need."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

EXACT_SIGN_FLIPS_UP_TO = 24
"""Up to this many pairs all 2^n sign patterns are counted; beyond, they are sampled."""
SAMPLED_SIGN_FLIPS = 100_000


def smallest_sign_flip_p(pairs: int) -> float:
    """Return 2^(1-n), the least two-sided p that n pairs can give: .0625 for 5."""
    return 2.0 ** (1 - pairs)


def sign_flip_resolution(pairs: int) -> float:
    """Return the step between the p values of ``sign_flip_test``."""
    if pairs <= EXACT_SIGN_FLIPS_UP_TO:
        return smallest_sign_flip_p(pairs)
    return 1 / (SAMPLED_SIGN_FLIPS + 1)


def sign_flip_test(differences: npt.ArrayLike, seed: int = 0) -> float:
    """Return the two-sided p value of paired differences being symmetric about 0.

    p = share of the 2^n sign patterns s with |sum s_i d_i| >= |sum d_i|. The sums of
    both halves are listed and counted against each other, which makes 2^n patterns cost
    2^(n/2) log(2^(n/2)). Beyond EXACT_SIGN_FLIPS_UP_TO pairs, SAMPLED_SIGN_FLIPS seeded
    random patterns and the observed one are counted, so p >= 1 / (SAMPLED_SIGN_FLIPS +
    1). Fisher 1935, The Design of Experiments, section 21.

    Raises ValueError for no differences or for values that are not finite.
    """
    d = np.asarray(differences, dtype=np.float64).ravel()
    return float(sign_flip_tests(d[None], seed)[0])


def _signed_sums(d: Array) -> Array:
    """All 2^n values of sum s_i d_i."""
    sums = np.zeros(1)
    for value in d:
        sums = np.concatenate([sums - value, sums + value])
    return sums


def sign_flip_tests(differences: npt.ArrayLike, seed: int = 0) -> Array:
    """Return ``sign_flip_test`` of every row; (tests, n) gives (tests,).

    All rows share one list of sign patterns where that list is short or sampled, which
    is what makes the thousands of tests of a large comparison affordable.

    Raises ValueError for no differences or for values that are not finite.
    """
    d = np.asarray(differences, dtype=np.float64)
    n = d.shape[-1]
    if n == 0 or not np.isfinite(d).all():
        raise ValueError(f"differences must be finite and at least one, got {d.tolist()}")
    # Equal sums reached in another order differ by rounding and must still count.
    threshold = np.abs(d.sum(-1)) - 1e-10 * np.abs(d).sum(-1)
    if n <= 12:
        return _reached(d, half_sign_patterns(n), threshold) / 2.0 ** (n - 1)
    if n <= EXACT_SIGN_FLIPS_UP_TO:
        return np.array([_exact(row, t) for row, t in zip(d, threshold, strict=True)])
    generator = np.random.default_rng(seed)
    reached = np.ones(len(d))
    for _ in range(SAMPLED_SIGN_FLIPS // 10_000):
        signs = 2.0 * generator.integers(0, 2, (10_000, n)) - 1
        reached += _reached(d, signs, threshold)
    return reached / (SAMPLED_SIGN_FLIPS + 1)


def _reached(d: Array, signs: Array, threshold: Array) -> Array:
    """Count for every row the patterns whose |sum| reaches its threshold."""
    counts = np.empty(len(d))
    rows = max(1, 4_000_000 // len(signs))
    for start in range(0, len(d), rows):
        part = slice(start, start + rows)
        sums = np.abs(d[part] @ signs.T)
        counts[part] = (sums >= threshold[part, None]).sum(-1)
    return counts


def _exact(d: Array, threshold: float) -> float:
    """Count all patterns: every sum of one half against the sorted sums of the
    other."""
    if threshold <= 0:
        return 1.0
    half = d.size // 2
    right = np.sort(_signed_sums(d[half:]))
    missing = right.size - np.searchsorted(right, threshold - _signed_sums(d[:half]))
    return float(2 * missing.sum() / 2.0**d.size)


def half_sign_patterns(n: int) -> Array:
    """All sign patterns of n numbers that keep the first one's sign, (2^(n-1), n)."""
    bits = np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1
    return np.roll(1.0 - 2.0 * bits, 1, axis=1)


def probability_of_improvement(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return P(A > B) + P(A = B) / 2 over all pairs of a sample of each.

    The Mann-Whitney U statistic over its greatest value; Agarwal et al. 2021.
    """
    ordered = np.sort(np.asarray(b, dtype=np.float64))
    a = np.asarray(a, dtype=np.float64)
    below = np.searchsorted(ordered, a, side="left")
    not_above = np.searchsorted(ordered, a, side="right")
    return float((below + not_above).mean() / (2 * ordered.size))


def replicates_to_separate(
    differences: npt.ArrayLike, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Return how many pairs a two-sided test needs if the mean difference is real.

    n = (z_{1-alpha/2} + z_power)^2 / d^2 + z_{1-alpha/2}^2 / 2, d = mean / standard
    deviation of the differences, rounded up; at least as many as the exact sign-flip
    test needs to reach alpha at all. Infinite for a mean difference of 0; NaN for fewer
    than two differences. Guenther 1981, https://doi.org/10.1080/00031305.1981.10479363
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.size < 2:
        return math.nan
    least = fewest_pairs(alpha)
    mean, deviation = abs(float(d.mean())), float(d.std(ddof=1))
    if mean == 0:
        return math.inf
    if deviation == 0:
        return float(least)
    z = NormalDist().inv_cdf(1 - alpha / 2)
    wanted = ((z + NormalDist().inv_cdf(power)) * deviation / mean) ** 2 + z * z / 2
    return float(max(least, math.ceil(wanted))) if math.isfinite(wanted) else math.inf


def fewest_pairs(alpha: float) -> int:
    """Return the least n for which a sign-flip test can give p <= alpha: 6 for .05."""
    return math.ceil(1 - math.log2(alpha))
