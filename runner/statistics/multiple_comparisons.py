"""All pairs of many settings at once: error control and groups of ties."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from activations.base import Array

SAMPLED_JOINT_FLIPS = 10_000


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


def joint_sign_flip(differences: npt.ArrayLike) -> Array:
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
        signs = _half_sign_patterns(n)
    else:
        generator = np.random.default_rng(0)
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


def _half_sign_patterns(n: int) -> Array:
    """All sign patterns of n numbers that keep the first one's sign, (2^(n-1), n)."""
    bits = np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1
    return np.roll(1.0 - 2.0 * bits, 1, axis=1)


def tie_letters(separated: npt.ArrayLike) -> list[str]:
    """Return letters such that two settings share one if and only if they tie.

    ``separated`` is a symmetric (k, k) matrix with the settings in the order in which
    the letters shall appear. Insert-and-absorb algorithm; Piepho 2004,
    https://doi.org/10.1198/1061860043515
    """
    matrix = np.asarray(separated, bool)
    groups: list[frozenset[int]] = [frozenset(range(len(matrix)))]
    for i, j in np.argwhere(np.triu(matrix, 1)).tolist():
        whole = [group for group in groups if not {i, j} <= group]
        parts = {group - {one} for group in groups if {i, j} <= group for one in (i, j)}
        groups = whole + [
            part
            for part in parts
            if not any(part <= group for group in whole) and not any(part < q for q in parts)
        ]
    groups.sort(key=sorted)
    return [
        "".join(_letter(g) for g, group in enumerate(groups) if i in group)
        for i in range(len(matrix))
    ]


def _letter(index: int) -> str:
    """a, b, ... z, then a2, b2, ..."""
    turn, place = divmod(index, 26)
    return chr(ord("a") + place) + (str(turn + 1) if turn else "")
