"""Error rate, power and coverage of the set of settings that could be the best.

    python -m tests.benchmarks.best                two minutes
    python -m tests.benchmarks.best --repeats 200  shorter

The scores are simulated, with paired seeds. Error rate: all settings have the same mean, so each is
best; the table shows the share of sweeps that exclude the first setting, whose distribution
differs, and the second. Power: the means rise by a step from setting to setting; the table shows
the share of inferior settings that are excluded, and in brackets the share that the test of all
pairs (step-down max t with the same sign flips) finds worse. Coverage: how often the intervals of
all settings contain the truth at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from activations.base import Array
from runner.statistics.best_set import best_set
from runner.statistics.paired_tests import joint_sign_flip
from tests.benchmarks.processes import table

SIZES = (6, 10, 11, 20)
STEPS = (0.5, 1.0, 2.0)


class Case(NamedTuple):
    """``draw(generator, blocks, settings)`` returns scores whose expectations are all equal.

    In most cases, as the name says, the distribution of the first setting differs.
    """

    name: str
    draw: Callable[[np.random.Generator, int, int], Array]


def normal(rng: np.random.Generator, n: int, k: int) -> Array:
    return rng.normal(size=(n, k)) + rng.normal(size=(n, 1))


def wide(rng: np.random.Generator, n: int, k: int) -> Array:
    return rng.normal(size=(n, k)) * np.r_[5, np.ones(k - 1)]


def lognormal(rng: np.random.Generator, n: int, k: int) -> Array:
    return -rng.lognormal(size=(n, k))


def skewed(rng: np.random.Generator, n: int, k: int) -> Array:
    scale = np.r_[2, np.ones(k - 1)]
    return scale * (1 - rng.exponential(size=(n, k)))


def near_one(rng: np.random.Generator, n: int, k: int) -> Array:
    return rng.binomial(200, 0.99, (n, k)) / 200


def failures(rng: np.random.Generator, n: int, k: int, share: float = 0.25) -> Array:
    """The first setting fails in a share of seeds; a lead in the others makes its mean equal."""
    x = rng.normal(0.9, 0.01, (n, k))
    x[:, 0] += 0.3 * (share - (rng.random(n) < share))
    return x


def rare_failures(rng: np.random.Generator, n: int, k: int) -> Array:
    return failures(rng, n, k, 0.05)


CASES = (
    Case("normal", normal),
    Case("the first five times as wide", wide),
    Case("lognormal", lognormal),
    Case("exponential, the first twice as wide", skewed),
    Case("shares of 200 near 1", near_one),
    Case("the first fails in 25% of seeds", failures),
    Case("the first fails in 5% of seeds", rare_failures),
)


def errors(case: Case, n: int, k: int, repeats: int, seed: int = 0) -> tuple[float, float, float]:
    """Return three shares of sweeps, when all settings have the same mean.

    They are the sweeps that exclude the first setting, those that exclude the second (both are
    errors), and those in which all intervals contain the truth, 0.
    """
    rng = np.random.default_rng([seed, n, k])
    found = [best_set(case.draw(rng, n, k)) for _ in range(repeats)]
    out = ~np.array([result.members for result in found])
    holds = np.mean([(result.low <= 0).all() for result in found])
    return float(out[:, 0].mean()), float(out[:, 1].mean()), float(holds)


def power(step: float, n: int, k: int, repeats: int, seed: int = 0) -> tuple[float, float, float]:
    """Return three shares, when the means rise by ``step`` from setting to setting.

    They are the inferior settings that the set excludes, those that the test of all pairs finds
    worse, and the sweeps in which all intervals contain the truth.
    """
    rng = np.random.default_rng([seed, n, k, int(100 * step)])
    truth = step * np.arange(k)
    first, second = np.triu_indices(k, 1)
    ours, pairs, holds = 0.0, 0.0, 0.0
    for _ in range(repeats):
        x = rng.normal(size=(n, k)) + rng.normal(size=(n, 1)) + truth
        result = best_set(x)
        ours += (~result.members[:-1]).mean()
        short = truth[-1] - truth
        holds += bool(((result.low <= short + 1e-12) & (short <= result.high)).all())
        shown = joint_sign_flip(x[:, second] - x[:, first]) <= 0.05
        pairs += np.unique(first[shown]).size / (k - 1)
    return ours / repeats, pairs / repeats, holds / repeats


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=1000, help="sweeps of each kind")
    repeats = parser.parse_args().repeats
    rows = []
    for case in CASES:
        for k in (4, 10):
            cells = [errors(case, n, k, repeats) for n in SIZES]
            rows.append([case.name, str(k), *(f"{a:.3f} / {b:.3f}" for a, b, _ in cells)])
    print("Share of sweeps that exclude the first setting / the second; all means are equal:\n")
    print(table(["scores", "settings", *(f"n = {n}" for n in SIZES)], rows))
    rows = []
    for step in STEPS:
        for k in (4, 10):
            cells = [power(step, n, k, max(1, repeats // 4)) for n in SIZES]
            texts = [f"{a:.2f} ({b:.2f}), {c:.3f}" for a, b, c in cells]
            rows.append([f"{step:g}", str(k), *texts])
    print("\nInferior settings excluded (found worse by the test of all pairs), coverage:\n")
    header = ["step between means, in standard deviations", "settings"]
    print(table([*header, *(f"n = {n}" for n in SIZES)], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
