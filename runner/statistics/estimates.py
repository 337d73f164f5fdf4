"""Estimates of the scores of replicates, with confidence intervals.

Samples are arrays whose ``axis`` (by default the last one) is the replicate.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from activations.base import Array

CONFIDENCE = 0.95
"""Confidence level of all intervals."""

FEWEST_FOR_BOOTSTRAP = 10
"""With fewer replicates, the 95% interval of a percentile bootstrap covers only 82 to 90%."""

RESAMPLES = 2000
MOST_AT_ONCE = 2**20
"""Most numbers drawn at once: enough for 2,000 resamples of 500 replicates."""


class Estimate(NamedTuple):
    """A centre and the ends of its interval, each an array or a float.

    ``low`` and ``high`` are NaN if the data give no interval.
    """

    centre: Any
    low: Any
    high: Any


@lru_cache(maxsize=1024)
def t_quantile(degrees_of_freedom: int, central: float = CONFIDENCE) -> float:
    """Return t with P(|T| <= t) = central for Student's t distribution, by bisection.

    For a whole number v of degrees of freedom, P is a finite sum of powers of cos(theta), where
    theta = arctan(t / sqrt(v)) (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4).
    """
    low, high = 0.0, 1.0
    while _central_t_probability(high, degrees_of_freedom) < central:
        low, high = high, 2 * high
    while low < (t := (low + high) / 2) < high:
        below = _central_t_probability(t, degrees_of_freedom) < central
        low, high = (t, high) if below else (low, t)
    return t


def _central_t_probability(t: float, v: int) -> float:
    """Return P(|T| <= t) for t >= 0 and v degrees of freedom."""
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


def t_interval(samples: npt.ArrayLike, axis: int = -1) -> Estimate:
    """Return the mean and its t interval, mean +- t_{n-1} s / sqrt(n). Student 1908.

    s is the sample standard deviation (divisor n - 1). With one sample the ends are NaN.

    Raises ValueError for an empty sample.
    """
    x, n, mean = _mean(samples, axis)
    if n == 1:
        return _without_interval(mean)
    half = t_quantile(n - 1) * x.std(axis=axis, ddof=1) / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half)


def estimate_description(metric: str) -> str:
    """Return the description of ``estimate`` for a metric, for captions."""
    if metric.endswith("accuracy"):
        return "mean, 95% score interval"
    return "geometric mean, 95% t interval of the logarithm"


def estimate(metric: str, values: npt.ArrayLike, samples: float, axis: int = -1) -> Estimate:
    """Return ``accuracy_estimate`` for a metric that ends in "accuracy", else ``loss_estimate``."""
    if metric.endswith("accuracy"):
        return accuracy_estimate(values, samples, axis)
    return loss_estimate(values, axis)


def loss_estimate(values: npt.ArrayLike, axis: int = -1) -> Estimate:
    """Return the geometric mean of losses and its interval, exp(mean(log x) +- t s / sqrt(n)).

    s is the standard deviation of log x. The distribution of losses is skewed, about lognormal. In
    samples of five, the t interval of the arithmetic mean covers that mean in 72 to 80%, and this
    interval covers the geometric mean in 93 to 96% (``python -m tests.benchmarks.intervals``). If a
    loss is exactly 0, the mean is 0 and there is no interval; nor is there one for one replicate.

    Raises ValueError for an empty sample.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return Estimate(*map(np.exp, t_interval(np.log(values), axis)))


def accuracy_estimate(values: npt.ArrayLike, samples: float, axis: int = -1) -> Estimate:
    """Return the mean of n accuracies and a score interval that stays within [0, 1].

    Each accuracy is a share of m = ``samples`` samples. The ends of the interval solve

        |p - mean| = t_{n-1} sqrt(p (1 - p) k / n)
        k = s^2 / (q (1 - q)) + 1 / m,   q = (n m mean + 1/2) / (n m + 1)

    This is Wilson's interval with k in place of 1 / m. The first term of k is the spread between
    replicates, the second the resolution of m samples. Because of the second term, the interval has
    a width above 0 even if all accuracies are 1, and it allows for a few bad replicates that were
    not drawn. If replicates are alike, the interval is a third wider than necessary.

    For simulated accuracies of 200 samples with means up to 0.999, it covers the mean in 92 to
    99.9% of samples of 5 to 20; the t interval does in 28 to 95%
    (``python -m tests.benchmarks.intervals``). One replicate has no interval. Wilson 1927,
    https://doi.org/10.1080/01621459.1927.10502953

    Raises ValueError for an empty sample.
    """
    x, n, mean = _mean(values, axis)
    if n == 1:
        return _without_interval(mean)
    total = n * samples
    q = (total * mean + 0.5) / (total + 1)
    k = x.var(axis=axis, ddof=1) / (q * (1 - q)) + 1 / samples
    k = t_quantile(n - 1) ** 2 * k / n
    # The ends are the roots of p^2 (1 + k) - p (2 mean + k) + mean^2 = 0, in forms without
    # cancellation; the upper root is computed as 1 minus its distance from 1.
    with np.errstate(invalid="ignore"):  # a damaged file may hold values outside [0, 1]
        root = np.sqrt(k * k / 4 + k * mean * (1 - mean))
    low = mean * mean / (mean + k / 2 + root)
    high = 1 - (1 - mean) * (1 - mean) / (1 - mean + k / 2 + root)
    return Estimate(mean, low, high)


def _mean(samples: npt.ArrayLike, axis: int) -> tuple[Array, int, Array]:
    """Return the samples as float64, their number along the axis, and their mean."""
    x = np.atleast_1d(np.asarray(samples, dtype=np.float64))
    if x.shape[axis] == 0:
        raise ValueError("an estimate needs at least one sample, got none")
    return x, x.shape[axis], x.mean(axis=axis)


def _without_interval(mean: Array) -> Estimate:
    nothing = np.full_like(mean, np.nan)[()]
    return Estimate(mean, nothing, nothing)


def interquartile_mean(samples: npt.ArrayLike) -> Any:
    """Return the mean over the last axis without its floor(n / 4) lowest and highest samples.

    scipy.stats.trim_mean(x, 0.25) trims in the same way: for n = 10 it drops 2 at each end and
    keeps 60%, not 50%. Agarwal et al. 2021, https://arxiv.org/abs/2108.13264
    """
    x = np.sort(np.asarray(samples, dtype=np.float64), axis=-1)
    n = x.shape[-1]
    return x[..., n // 4 : n - n // 4].mean(axis=-1)


def interquartile_mean_interval(samples: npt.ArrayLike) -> Estimate:
    """Return the interquartile mean of samples (n,) and its percentile-bootstrap interval.

    Efron 1979; Agarwal et al. 2021. Raises ValueError for fewer than FEWEST_FOR_BOOTSTRAP samples,
    because the interval would be too narrow.
    """
    x = np.asarray(samples, dtype=np.float64)
    if len(x) < FEWEST_FOR_BOOTSTRAP:
        raise ValueError(
            f"a bootstrap interval needs at least {FEWEST_FOR_BOOTSTRAP} replicates, got {len(x)}"
        )
    rng, at_once = np.random.default_rng(0), max(1, MOST_AT_ONCE // len(x))
    means = [
        interquartile_mean(x[rng.integers(0, len(x), (min(at_once, RESAMPLES - done), len(x)))])
        for done in range(0, RESAMPLES, at_once)
    ]
    tails = (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
    return Estimate(interquartile_mean(x), *np.quantile(np.concatenate(means), tails))
