"""Two settings over the same seeds: tests, effect size, and how many replicates they need."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from activations.base import Array

EXACT_SIGN_FLIPS_UP_TO = 24
"""Up to this many pairs all 2^n sign patterns are counted; beyond, they are sampled."""
SAMPLED_SIGN_FLIPS = 100_000
SIGN_FLIPS_AT_ONCE = 10_000

POWER = 0.8
"""The chance of showing a real difference that a number of replicates is to give."""


def smallest_sign_flip_p(pairs: int) -> float:
    """Return 2^(1-n), the least two-sided p that n pairs can give: .0625 for 5."""
    return 2.0 ** (1 - pairs)


def sign_flip_resolution(pairs: int) -> float:
    """Return the step between the p values of ``sign_flip_tests``."""
    if pairs <= EXACT_SIGN_FLIPS_UP_TO:
        return smallest_sign_flip_p(pairs)
    return 1 / (SAMPLED_SIGN_FLIPS + 1)


def sign_flip_tests(differences: npt.ArrayLike) -> Array:
    """Return the two-sided p value of each row of differences being symmetric about 0.

    Rows are (tests, n), p values (tests,): p = share of the 2^n sign patterns s with
    |sum s_i d_i| >= |sum d_i|. The sums of both halves are listed and counted against each
    other, which makes 2^n patterns cost 2^(n/2) log(2^(n/2)). Beyond EXACT_SIGN_FLIPS_UP_TO
    pairs, SAMPLED_SIGN_FLIPS seeded random patterns and the observed one are counted, so
    p >= 1 / (SAMPLED_SIGN_FLIPS + 1). Fisher 1935, The Design of Experiments, section 21.

    Raises ValueError for no differences or for values that are not finite.
    """
    d = np.asarray(differences, dtype=np.float64)
    n = d.shape[-1]
    if n == 0 or not np.isfinite(d).all():
        raise ValueError(f"differences must be finite and at least one, got {d.tolist()}")
    # Equal sums reached in another order differ by rounding and must still count.
    threshold = np.abs(d.sum(-1)) - 1e-10 * np.abs(d).sum(-1)
    if n <= EXACT_SIGN_FLIPS_UP_TO:
        return np.array([_exact_p(row, least) for row, least in zip(d, threshold, strict=True)])
    generator = np.random.default_rng(0)
    reached = np.ones(len(d))
    for _ in range(SAMPLED_SIGN_FLIPS // SIGN_FLIPS_AT_ONCE):
        signs = 2.0 * generator.integers(0, 2, (SIGN_FLIPS_AT_ONCE, n)) - 1
        for test, (row, least) in enumerate(zip(d, threshold, strict=True)):
            reached[test] += (np.abs(signs @ row) >= least).sum()
    return reached / (SAMPLED_SIGN_FLIPS + 1)


def _exact_p(d: Array, threshold: float) -> float:
    """Count all patterns: every sum of one half against the sorted sums of the other."""
    if threshold <= 0:
        return 1.0
    left, right = (_signed_sums(half) for half in np.array_split(d, 2))
    right.sort()
    reached = right.size - np.searchsorted(right, threshold - left)
    return float(2 * reached.sum() / 2.0**d.size)


def _signed_sums(d: Array) -> Array:
    """All 2^n values of sum s_i d_i."""
    sums = np.zeros(1)
    for value in d:
        sums = np.concatenate([sums - value, sums + value])
    return sums


def probability_of_improvement(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return P(A > B) + P(A = B) / 2 over all pairs of a sample of each.

    The Mann-Whitney U statistic over its greatest value; Agarwal et al. 2021.
    """
    ordered = np.sort(np.asarray(b, dtype=np.float64))
    a = np.asarray(a, dtype=np.float64)
    below = np.searchsorted(ordered, a, side="left")
    not_above = np.searchsorted(ordered, a, side="right")
    return float((below + not_above).mean() / (2 * ordered.size))


def replicates_to_separate(differences: npt.ArrayLike, alpha: float = 0.05) -> float:
    """Return how many pairs show the mean difference with probability 0.8, if it is real.

    n = (z_{1-alpha/2} + z_0.8)^2 / d^2 + z_{1-alpha/2}^2 / 2, d = mean / standard
    deviation of the differences, rounded up; at least as many as the exact sign-flip
    test needs to reach alpha at all. Infinite for a mean difference of 0; NaN for fewer
    than two differences. Guenther 1981, https://doi.org/10.1080/00031305.1981.10479363
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.size < 2:
        return math.nan
    mean, deviation = abs(float(d.mean())), float(d.std(ddof=1))
    if mean == 0:
        return math.inf
    z, z_power = (NormalDist().inv_cdf(p) for p in (1 - alpha / 2, POWER))
    wanted = ((z + z_power) * deviation / mean) ** 2 + z * z / 2 if deviation else 0.0
    return float(max(fewest_pairs(alpha), math.ceil(wanted))) if wanted < math.inf else math.inf


def fewest_pairs(alpha: float) -> int:
    """Return the least n for which a sign-flip test can give p <= alpha: 6 for .05."""
    return math.ceil(1 - math.log2(alpha))
