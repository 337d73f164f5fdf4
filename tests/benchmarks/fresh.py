"""How often tuning finds a difference between two equally good activations.

    python -m tests.benchmarks.fresh

Two activations have the same mean accuracy at every learning rate, but the accuracies of their
networks vary by different amounts. Tuning chooses the rate with the best validation accuracy of ten
networks, which is partly luck; more variation means more luck. Test data of the same networks do
not remove this bias, because a lucky network is better on test data too. Networks with fresh seeds
remove it. The table shows the share of comparisons that find a difference, for both methods.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

from runner.compare.pairs import families
from runner.compare.scores import Arm, arms, scored
from runner.compare.settings import Setting
from tests.benchmarks.processes import table

RATE = "optimizer.learning_rate"
NAMES = ("steady", "erratic")
NETWORKS, SAMPLES, ACCURACY = 10, 400, 0.85
SPREADS = ((0.002, 0.002), (0.002, 0.01), (0.002, 0.03))
"""Standard deviations of the true accuracy over the networks of the two activations."""


def null_sweep(
    rng: np.random.Generator, trials: int, spreads: tuple[float, float], fresh: bool
) -> list[Arm]:
    """Return both arms of a sweep over ``trials`` rates that are all equally good."""
    settings = [
        Setting(
            {"dataset.name": "equal", "activation.name": name, RATE: float(trial)},
            replicates=networks(rng, spread, 0),
        )
        for name, spread in zip(NAMES, spreads, strict=True)
        for trial in range(trials)
    ]
    compared = _arms(settings)
    if not fresh:
        return compared
    chosen = [id(arm.setting.config) for arm in compared]
    for setting in settings:
        if id(setting.config) in chosen:
            spread = spreads[NAMES.index(setting.activation)]
            setting.replicates += networks(rng, spread, NETWORKS)
    return _arms(settings)


def networks(rng: np.random.Generator, spread: float, first: int) -> list[dict[str, Any]]:
    """Return replicates with seeds from ``first`` on; true accuracies differ by ``spread``."""
    truth = np.clip(rng.normal(ACCURACY, spread, NETWORKS), 0, 1)
    measured = rng.binomial(SAMPLES, truth, (2, NETWORKS)) / SAMPLES
    return [
        {
            "seed": seed,
            "status": "finished",
            "final": {
                "test_accuracy": test,
                "validation_accuracy": validation,
                "validation_loss": 1 - validation,
            },
        }
        for seed, (test, validation) in enumerate(measured.T.tolist(), first)
    ]


def _arms(settings: list[Setting]) -> list[Arm]:
    return arms(scored(settings, "test_accuracy")[0], [RATE])


def false_differences(
    trials: int, spreads: tuple[float, float], fresh: bool, repeats: int, seed: int = 0
) -> float:
    """Return the share of null sweeps whose comparison calls one of the two worse."""
    rng = np.random.default_rng([seed, trials])
    found = 0
    for _ in range(repeats):
        (family,) = families(null_sweep(rng, trials, spreads, fresh))
        found += bool(family.judged(False))
    return found / repeats


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--repeats", type=int, default=1000, help="number of sweeps of each kind (default: 1000)"
    )
    options = parser.parse_args()
    rows = []
    for trials in (5, 30):
        for spreads in SPREADS:
            shares = (
                false_differences(trials, spreads, fresh, options.repeats)
                for fresh in (False, True)
            )
            rows.append([str(trials), *map(str, spreads), *(f"{share:.3f}" for share in shares)])
    header = ["trials", "steady's sd", "erratic's sd", "same networks", "fresh seeds"]
    print(table(header, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
