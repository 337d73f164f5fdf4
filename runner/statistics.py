"""Estimates, intervals and tests for the scores of replicates; NumPy only.

Samples are arrays whose ``axis`` (the last one by default) runs over replicates. Paired
samples hold the same seeds in the same order. Nothing here knows of runs or folders.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FEWEST_FOR_BOOTSTRAP = 10
"""Below this many replicates a percentile bootstrap's 95% interval covers 82 to 90%."""

EXACT_SIGN_FLIPS_UP_TO = 24
"""Up to this many pairs all 2^n sign patterns are counted; beyond, they are sampled."""

SAMPLED_SIGN_FLIPS = 100_000


CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A metric over replicates: centre and ends (arrays or floats), their number, and how.

    ``low`` and ``high`` are NaN where the data give no interval.
    """

    centre: Any
    low: Any
    high: Any
    n: int
    how: str


class Interval(NamedTuple):
    """An estimate with the ends of its interval, each an array or a float."""

    estimate: Any
    low: Any
    high: Any


@lru_cache(maxsize=1024)
def t_quantile(probability: float, degrees_of_freedom: int) -> float:
    """Return t with P(T <= t) = probability for Student's t distribution.

    With theta = arctan(t / sqrt(v)), P(|T| <= t) is a finite sum of powers of
    cos(theta) for integer v (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4); Newton's
    method inverts it, safeguarded by bisection. Relative error below 1e-9 for 1e-6 <
    probability < 1 - 1e-6.

    Raises ValueError for a probability outside (0, 1) or degrees of freedom below 1.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability must be between 0 and 1, got {probability!r}")
    if degrees_of_freedom != int(degrees_of_freedom) or degrees_of_freedom < 1:
        raise ValueError(
            f"degrees of freedom must be a whole number >= 1, got {degrees_of_freedom!r}"
        )
    if probability == 0.5:
        return 0.0
    if probability < 0.5:
        return -t_quantile(1 - probability, degrees_of_freedom)
    v = int(degrees_of_freedom)
    wanted = 2 * probability - 1
    log_constant = math.lgamma((v + 1) / 2) - math.lgamma(v / 2)
    constant = math.exp(log_constant) / math.sqrt(v * math.pi)
    low, high = 0.0, 1.0
    while _central_t_probability(high, v) < wanted:
        low, high = high, 2 * high
    t = (low + high) / 2
    for _ in range(200):
        excess = _central_t_probability(t, v) - wanted
        low, high = (low, t) if excess > 0 else (t, high)
        slope = 2 * constant * (1 + t * t / v) ** (-(v + 1) / 2)
        step = t - excess / slope
        new = step if low < step < high else (low + high) / 2
        if abs(new - t) <= 1e-15 * t:
            return new
        t = new
    return t


def _central_t_probability(t: float, v: int) -> float:
    """P(|T| <= t) for t >= 0 and v degrees of freedom."""
    theta = math.atan(t / math.sqrt(v))
    sine, squared_cosine = math.sin(theta), math.cos(theta) ** 2
    first = 1 if v % 2 else 0
    term, total = 1.0, 1.0 if v > 1 else 0.0
    for k in range(first + 2, v - 1, 2):
        term *= squared_cosine * (k - 1) / k
        total += term
    if v % 2:
        return (theta + sine * math.cos(theta) * total) * 2 / math.pi
    return sine * total


def t_interval(samples: npt.ArrayLike, confidence: float = 0.95, axis: int = -1) -> Interval:
    """Return the mean and its t interval, mean +- t_{n-1} s / sqrt(n).

    s is the sample standard deviation (divisor n - 1). With one sample the ends are
    NaN: one replicate says nothing about spread. Student 1908.

    Raises ValueError for an empty sample or a confidence outside (0, 1).
    """
    x = np.asarray(samples, dtype=np.float64)
    n = x.shape[axis] if x.ndim else 0
    if n == 0:
        raise ValueError("a t interval needs at least one sample, got none")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence!r}")
    mean = x.mean(axis=axis)
    if n == 1:
        nothing = np.full_like(mean, np.nan)[()]
        return Interval(mean[()], nothing, nothing)
    half = t_quantile((1 + confidence) / 2, n - 1) * x.std(axis=axis, ddof=1)
    half = half / math.sqrt(n)
    return Interval(mean, mean - half, mean + half)


HOW_LOSS = "geometric mean, 95% t interval of the logarithm"
HOW_ACCURACY = "mean, 95% score interval"


def how(metric: str) -> str:
    """Return what ``estimate`` gives for a metric, in words."""
    return HOW_ACCURACY if metric.endswith("accuracy") else HOW_LOSS


def estimate(metric: str, values: npt.ArrayLike, samples: float, axis: int = -1) -> Estimate:
    """Return ``accuracy_estimate`` or ``loss_estimate``, by how the metric's name ends."""
    if metric.endswith("accuracy"):
        return accuracy_estimate(values, samples, axis)
    return loss_estimate(values, axis)


def loss_estimate(values: npt.ArrayLike, axis: int = -1) -> Estimate:
    """Return the geometric mean of losses and its interval, exp(mean(log x) +- t s / sqrt(n)).

    s is the standard deviation of log x. Losses are skewed, about lognormal: the t interval
    of their arithmetic mean covers it in 72 to 80% of samples of five, this one covers the
    geometric mean in 93 to 96% (``python -m tests.benchmarks.intervals``). A loss of exactly
    0 makes the mean 0 and leaves no interval; one replicate has none either.

    Raises ValueError for no values.
    """
    x = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, low, high = (np.exp(end) for end in t_interval(np.log(x), CONFIDENCE, axis))
    return Estimate(mean, low, high, x.shape[axis], HOW_LOSS)


def accuracy_estimate(values: npt.ArrayLike, samples: float, axis: int = -1) -> Estimate:
    """Return the mean of accuracies and a score interval that stays within [0, 1].

    ``samples`` is the number m of samples that each of the n accuracies is a share of. The
    ends solve |p - mean| = t_{n-1} sqrt(p (1 - p) k / n), Wilson's interval with

        k = s^2 / (q (1 - q)) + 1 / m,   q = (n m mean + 1/2) / (n m + 1)

    for 1 / m: the spread between replicates, and beside it what m samples cannot tell apart.
    The second term keeps the interval open where all accuracies are 1, and wide enough where
    a few bad replicates among many perfect ones have not been met; where replicates are alike
    the interval is a third wider than need be. Of made-up accuracies of 200 samples with means
    up to 0.999 it covers the mean in 92 to 99.9% of samples of 5 to 20, the t interval in 28 to
    95% (``python -m tests.benchmarks.intervals``). One replicate has no interval. Wilson 1927,
    https://doi.org/10.1080/01621459.1927.10502953

    Raises ValueError for no values.
    """
    x = np.asarray(values, dtype=np.float64)
    n = x.shape[axis] if x.ndim else 0
    if n == 0:
        raise ValueError("an estimate needs at least one accuracy, got none")
    mean = x.mean(axis=axis)
    if n == 1:
        nothing = np.full_like(mean, np.nan)[()]
        return Estimate(mean[()], nothing, nothing, n, HOW_ACCURACY)
    total = n * samples
    q = (total * mean + 0.5) / (total + 1)
    k = x.var(axis=axis, ddof=1) / (q * (1 - q)) + 1 / samples
    k = t_quantile((1 + CONFIDENCE) / 2, n - 1) ** 2 * k / n
    # Of p^2 (1 + k) - p (2 mean + k) + mean^2 = 0, each root in the form that cannot cancel,
    # the upper one by its distance from 1.
    with np.errstate(invalid="ignore"):  # a damaged file may hold what is no accuracy
        root = np.sqrt(k * k / 4 + k * mean * (1 - mean))
    low = mean * mean / (mean + k / 2 + root)
    high = 1 - (1 - mean) * (1 - mean) / (1 - mean + k / 2 + root)
    return Estimate(mean[()], low, high, n, HOW_ACCURACY)


def interquartile_mean(samples: npt.ArrayLike, axis: int = -1) -> Any:
    """Return the mean without the floor(n / 4) lowest and as many highest samples.

    The trimming of scipy.stats.trim_mean(x, 0.25): for n = 10 it drops 2 at each end
    and keeps 60%, not 50%. Agarwal et al. 2021, https://arxiv.org/abs/2108.13264
    """
    x = np.sort(np.asarray(samples, dtype=np.float64), axis=axis)
    n = x.shape[axis]
    if n == 0:
        raise ValueError("an interquartile mean needs at least one sample, got none")
    kept = np.arange(n // 4, n - n // 4)
    return np.take(x, kept, axis=axis).mean(axis=axis)


def interquartile_mean_interval(
    samples: npt.ArrayLike,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the last axis's interquartile mean and its percentile-bootstrap interval.

    All leading entries share the resampled indices, so the answer does not depend on
    how many are given at once. Efron 1979; Agarwal et al. 2021.

    Raises ValueError below FEWEST_FOR_BOOTSTRAP samples, where the interval is too
    narrow.
    """
    x = np.asarray(samples, dtype=np.float64)
    n = x.shape[-1]
    if n < FEWEST_FOR_BOOTSTRAP:
        raise ValueError(
            f"a bootstrap interval needs at least {FEWEST_FOR_BOOTSTRAP} replicates, got {n}"
        )
    chosen = np.random.default_rng(seed).integers(0, n, (resamples, n))
    tail = (1 - confidence) / 2
    rows = [
        np.quantile(interquartile_mean(row[chosen]), (tail, 1 - tail)) for row in x.reshape(-1, n)
    ]
    ends = np.asarray(rows).reshape((*x.shape[:-1], 2))
    return Interval(interquartile_mean(x), ends[..., 0], ends[..., 1])


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
