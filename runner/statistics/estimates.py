"""Estimates, intervals and tests for the scores of replicates; NumPy only.

Samples are arrays whose ``axis`` (the last one by default) runs over replicates. Paired
samples hold the same seeds in the same order. Nothing here knows of runs or folders.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FEWEST_FOR_BOOTSTRAP = 10
"""Below this many replicates a percentile bootstrap's 95% interval covers 82 to 90%."""


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
