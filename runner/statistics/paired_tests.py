"""All pairs of many settings at once: error control and groups of ties."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SAMPLED_JOINT_FLIPS = 10_000


def joint_sign_flip(differences: npt.ArrayLike, seed: int = 0) -> Array:
    """Return step-down max-t adjusted p values; differences (n, tests) -> (tests,).

    Every sign pattern flips whole replicates, all tests together; a test's p is the
    share of patterns in which the greatest statistic among the tests not yet rejected
    reaches its own. The statistic (sum d)^2 / (n sum d^2) orders like |t| of the paired
    t test. The least p is 2^(1-n) however many tests there are, where Holm's is that
    times their number; the price is an assumption Holm does not make: that the noise of
    all settings together is symmetric. Over 14 replicates seeded random patterns take
    the place of all. Westfall & Young 1993, algorithm 4.1; Winkler et al. 2014,
    https://doi.org/10.1016/j.neuroimage.2014.01.060

    Raises ValueError for differences that are not finite or not (n, tests).
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
    if n <= 14:
        signs = half_sign_patterns(n)
    else:
        generator = np.random.default_rng(seed)
        signs = 2.0 * generator.integers(0, 2, (SAMPLED_JOINT_FLIPS, n)) - 1
        signs[0] = 1
    reached = np.zeros(d.shape[1])
    batch = max(1, 4_000_000 // d.shape[1])
    for start in range(0, len(signs), batch):
        statistics = (signs[start : start + batch] @ d) ** 2 * scale
        greatest = np.maximum.accumulate(statistics[:, ::-1], axis=1)[:, ::-1]
        reached += (greatest >= observed).sum(0)
    p = np.empty_like(observed)
    p[order] = np.maximum.accumulate(reached / len(signs))
    return p


def tie_letters(separated: npt.ArrayLike) -> list[str]:
    """Return letters such that two settings share one if and only if they tie.

    ``separated`` is a symmetric (k, k) matrix with the settings in the order in which
    the letters shall appear. Insert-and-absorb algorithm; Piepho 2004,
    https://doi.org/10.1198/1061860043515
    """
    matrix = np.asarray(separated, bool)
    groups: list[frozenset[int]] = [frozenset(range(len(matrix)))]
    for i, j in np.argwhere(np.triu(matrix, 1)).tolist():
        split: list[frozenset[int]] = []
        for group in groups:
            split += [group - {i}, group - {j}] if {i, j} <= group else [group]
        unique = sorted(set(split), key=lambda group: (-len(group), sorted(group)))
        groups = []
        for group in unique:
            if group and not any(group <= kept for kept in groups):
                groups.append(group)
    groups.sort(key=sorted)
    return [
        "".join(_letter(g) for g, group in enumerate(groups) if i in group)
        for i in range(len(matrix))
    ]


def _letter(index: int) -> str:
    """a, b, ... z, then a2, b2, ..."""
    turn, place = divmod(index, 26)
    return chr(ord("a") + place) + (str(turn + 1) if turn else "")


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


def holm(p_values: npt.ArrayLike) -> Array:
    """Return p values adjusted for their number: max over j <= i of (m - j + 1) p_(j).

    Rejecting where the adjusted value is <= .05 errs anywhere in at most 5% of all
    families of tests, whatever their dependence. Holm 1979.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    factors = np.arange(p.size, 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * p[order]), 1)
    return adjusted


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
