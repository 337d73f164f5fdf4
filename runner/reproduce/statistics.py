"""How two settings are compared, with made-up scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from runner.plots.colours import GREY, INK, PALETTE
from runner.plots.style import Picture
from runner.reproduce.figure import panels
from runner.reproduce.reproduction import Reproduction, Source, between, exact, recomputed
from runner.statistics.estimates import interquartile_mean
from runner.statistics.paired_tests import joint_sign_flip, probability_of_improvement

A = np.array([0.91, 0.88, 0.93, 0.90, 0.92, 0.89, 0.94, 0.90, 0.91, 0.92])
B = np.array([0.90, 0.86, 0.91, 0.91, 0.90, 0.88, 0.90, 0.89, 0.90, 0.90])
SWEEPS, ACTIVATIONS, SEEDS = 400, 10, 10
DIFFERENCE, P = "mean difference", "two-sided p of the sign-flip test"
BETTER = "probability that A is better"
IQM, IQM_OUTLIER = "interquartile mean of 1...8", "interquartile mean of 0, 0, 0, 0, 1, 1, 1, 100"
UNADJUSTED, ADJUSTED = "null sweeps with any p < 0.05", "null sweeps with any adjusted p < 0.05"


def _measure(runs: Path, picture: Picture) -> dict[str, float]:
    left, right = panels(picture, 2)
    for a, b in zip(A, B, strict=True):
        shade = PALETTE[0] if a > b else PALETTE[1]
        left.plot([0, 1], [b, a], "o-", color=shade, ms=5, linewidth=1.2, clip_on=False)
    left.set_xlim(-0.25, 1.25)
    left.set_xticks([0, 1], ["B", "A"])
    left.set_ylabel("accuracy, one line per seed")
    unadjusted, adjusted = _least_p()
    share = np.arange(1, SWEEPS + 1) / SWEEPS
    for values, shade, words, at in (
        (unadjusted, PALETTE[1], "each pair alone", (0.05, 0.72)),
        (adjusted, PALETTE[0], "adjusted", (0.42, 0.33)),
    ):
        right.step(np.sort(values), share, where="post", color=shade)
        right.annotate(words, at, xycoords="data", color=shade, xytext=(6, 0),
                       textcoords="offset points", va="bottom")  # fmt: skip
    right.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (1, 2)))
    right.axvline(0.05, color=INK, linewidth=0.8)
    right.set_xlim(0, 1)
    right.set_ylim(0, 1)
    right.set_xlabel("smallest p of a sweep without any difference")
    right.set_ylabel("share of sweeps")
    return {
        DIFFERENCE: float((A - B).mean()),
        P: float(joint_sign_flip((A - B)[:, None])[0]),
        BETTER: probability_of_improvement(A, B),
        IQM: float(interquartile_mean(np.arange(1, 9))),
        IQM_OUTLIER: float(interquartile_mean([0, 0, 0, 0, 1, 1, 1, 100])),
        UNADJUSTED: float((unadjusted < 0.05).mean()),
        ADJUSTED: float((adjusted < 0.05).mean()),
    }


def _least_p() -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest p of each sweep: of every pair alone, and adjusted for all pairs."""
    rng = np.random.default_rng(0)
    first, second = np.triu_indices(ACTIVATIONS, 1)
    unadjusted, adjusted = np.empty(SWEEPS), np.empty(SWEEPS)
    for k in range(SWEEPS):
        scores = rng.standard_normal((SEEDS, ACTIVATIONS))
        differences = scores[:, first] - scores[:, second]
        adjusted[k] = joint_sign_flip(differences).min()
        unadjusted[k] = min(joint_sign_flip(pair[:, None])[0] for pair in differences.T)
    return unadjusted, adjusted


PAIRED_STATISTICS = Reproduction(
    name="paired_statistics",
    title="Many unadjusted pairwise tests find differences that do not exist",
    sources=(
        Source(
            "Agarwal et al.",
            2021,
            "Deep reinforcement learning at the edge of the statistical precipice",
            "https://arxiv.org/abs/2108.13264",
        ),
        Source(
            "Westfall & Young",
            1993,
            "Resampling-based multiple testing",
            "https://www.wiley.com/en-us/9780471557616",
        ),
    ),
    shown="Two settings with the same seeds are compared seed by seed, which removes the effect of "
    "the seed: only 12 of the 1,024 ways to swap A and B give a mean difference at least as large. "
    "Ten settings make 45 pairs. In two of three sweeps without any difference, at least one pair "
    "has p < 0.05. If p is adjusted for all pairs, this happens in at most one sweep in 20.",
    command="python -m runner -m activation=relu,tanh dataset=moons",
    expected=(
        exact(P, 12 / 1024, "12 of 1,024 sign patterns", within=1e-12),
        exact(DIFFERENCE, 0.015, "the mean", within=1e-12),
        exact(BETTER, 0.73, "pairs won plus half of the ties", within=1e-12),
        exact(IQM, 4.5, "the mean of 3, 4, 5, 6", within=1e-12),
        exact(IQM_OUTLIER, 0.5, "the mean of 0, 0, 1, 1", within=1e-12),
        recomputed(UNADJUSTED, 0.686, "2,000 null sweeps; ours has 400", within=0.07),
        between(ADJUSTED, 0.0, 0.083, "exact", "at most 0.05, plus 3 standard errors of 400"),
    ),
    measure=_measure,
    seconds=3,
)
