"""How often the intervals of losses and accuracies over replicates cover the true value.

    python -m tests.benchmarks.intervals                 simulated and trained scores: a minute
    python -m tests.benchmarks.intervals --replicates 0  simulated scores only

Simulated losses are lognormal or exponential; the true value is the geometric mean. Simulated
accuracies are shares of 200 or 500 samples. The probability of a correct answer differs between
replicates and has a beta distribution; "between" is the share of an answer's variance that lies
between replicates. Trained scores: n are drawn from the scores of many trained replicates, whose
mean is the true value. The table shows our interval and, in brackets, the usual t interval.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from activations.base import Array
from runner.statistics.estimates import Estimate, estimate, t_interval
from tests.benchmarks.processes import table

SIZES = (3, 5, 10, 20)
TRAINED = {
    "tanh spirals": ["dataset=spirals"],
    "tanh moons": ["dataset=moons"],
    "relu 8-8 spirals": ["dataset=spirals", "activation=relu", "model.hidden=[8,8]"],
    "relu 8-8 checkerboard": ["dataset=checkerboard", "activation=relu", "model.hidden=[8,8]"],
}


class Case(NamedTuple):
    """A distribution of scores, ``draw(generator, shape)``, and the ``truth`` to cover.

    ``mean`` is the arithmetic mean; each accuracy is a share of ``samples`` samples.
    """

    name: str
    metric: str
    draw: Callable[[np.random.Generator, tuple[int, int]], Array]
    truth: float
    mean: float
    samples: int = 1


def losses() -> Iterator[Case]:
    for sigma in (0.5, 1.0, 1.5):
        yield Case(
            f"lognormal, sigma {sigma}",
            "loss",
            lambda rng, shape, sigma=sigma: rng.lognormal(-3, sigma, shape),
            float(np.exp(-3)),
            float(np.exp(-3 + sigma**2 / 2)),
        )
    # E log x of the exponential distribution is minus Euler's constant.
    truth = float(np.exp(-np.euler_gamma))
    yield Case("exponential", "loss", lambda rng, shape: rng.exponential(1, shape), truth, 1.0)


def accuracies() -> Iterator[Case]:
    for samples in (200, 500):
        for mean in (0.9, 0.97, 0.99, 0.995, 0.999):
            for between in (0.0, 0.002, 0.01, 0.03):
                yield beta_binomial(samples, mean, between)


def beta_binomial(samples: int, mean: float, between: float) -> Case:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        if not between:
            return rng.binomial(samples, mean, shape) / samples
        size = 1 / between - 1
        return rng.binomial(samples, rng.beta(mean * size, (1 - mean) * size, shape)) / samples

    name = f"{samples} samples, mean {mean}, between {between}"
    return Case(name, "accuracy", draw, mean, mean, samples)


def trained(replicates: int) -> Iterator[Case]:
    from runner.config.compose import compose
    from runner.config.experiment import Experiment
    from runner.training.train import train

    for name, words in TRAINED.items():
        more = [f"replicates={replicates}", "training.record_every=1000", "plots=none"]
        experiment: Experiment = compose([*words, *more]).experiment
        scores = train(experiment).final_scores
        data = experiment.first_split
        for part in ("train", "test"):
            for metric in ("loss", "accuracy"):
                values = scores[f"{part}_{metric}"]
                values = values[np.isfinite(values)]
                geometric = metric == "loss" and (values > 0).all()
                yield Case(
                    f"{name}, {part}",
                    metric,
                    lambda rng, shape, values=values: rng.choice(values, shape),
                    float(np.exp(np.log(values).mean()) if geometric else values.mean()),
                    float(values.mean()),
                    len(getattr(data, f"{part}_labels")),
                )


def coverage(case: Case, n: int, repeats: int, seed: int = 0) -> tuple[float, float, float]:
    """Return the coverage of our intervals, that of the t intervals, and the ratio of widths.

    Ours should cover ``case.truth``, the t intervals the arithmetic mean. The ratio is the median
    width of ours divided by that of the t intervals.
    """
    drawn = case.draw(np.random.default_rng([seed, n]), (repeats, n))
    ours, plain = estimate(case.metric, drawn, case.samples), t_interval(drawn)
    narrow = np.median(plain.high - plain.low)
    width = np.median(ours.high - ours.low) / narrow if narrow else np.inf
    return (
        _covers(ours, case.truth),
        _covers(plain, case.mean),
        float(width),
    )


def _covers(interval: Estimate, truth: float) -> float:
    return float(np.mean((interval.low <= truth) & (truth <= interval.high)))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--replicates", type=int, default=1000, help="replicates to train of each setting"
    )
    parser.add_argument("--repeats", type=int, default=10_000, help="intervals for each n")
    options = parser.parse_args()
    cases = [*losses(), *accuracies(), *(trained(options.replicates) if options.replicates else ())]
    for metric in ("loss", "accuracy"):
        rows = []
        for case in cases:
            if case.metric == metric:
                found = [coverage(case, n, options.repeats) for n in SIZES]
                cells = [f"{ours:.3f} ({plain:.3f})" for ours, plain, _ in found]
                rows.append([case.name, *cells, f"{found[1][2]:.2f}"])
        header = [metric, *(f"n = {n}, ours (t)" for n in SIZES), "width over t's, n = 5"]
        print("\n" + table(header, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
