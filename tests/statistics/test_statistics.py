"""Statistics against published fixtures, SciPy, brute force and their own promises."""

from itertools import combinations, product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from runner.statistics.best_set import FEWEST_BLOCKS
from runner.statistics.estimates import (
    accuracy_estimate,
    estimate,
    interquartile_mean,
    interquartile_mean_interval,
    loss_estimate,
    t_interval,
    t_quantile,
)
from runner.statistics.paired_tests import joint_sign_flip, probability_of_improvement
from runner.statistics.profiles import expected_best, performance_profile
from runner.statistics.survival import solved_by
from tests.benchmarks.intervals import beta_binomial, coverage, losses

# Checked by hand and with SciPy before this module existed.
A = np.array([0.91, 0.88, 0.93, 0.90, 0.92, 0.89, 0.94, 0.90, 0.91, 0.92])
B = np.array([0.90, 0.86, 0.91, 0.91, 0.90, 0.88, 0.90, 0.89, 0.90, 0.90])


def sign_flip_test(differences):
    return joint_sign_flip(np.reshape(differences, (-1, 1)))[0]


def every_sign_pattern(differences):
    signs = np.array(list(product((-1, 1), repeat=len(differences))))
    sums = np.abs(signs @ differences)
    return np.mean(sums >= abs(differences.sum()) - 1e-9)


def all_pairs(scores):
    """(replicates, settings) -> (replicates, pairs)."""
    first, second = np.triu_indices(scores.shape[1], 1)
    return scores[:, first] - scores[:, second]


@pytest.mark.parametrize("v", [1, 2, 3, 4, 5, 9, 10, 29, 100, 501])
@pytest.mark.parametrize("central", [0.1, 0.6, 0.95, 0.999])
def test_t_quantile_is_scipys(central, v):
    assert t_quantile(v, central) == approx(scipy.stats.t.ppf((1 + central) / 2, v), rel=1e-9)


def test_t_interval_is_scipys():
    mean, low, high = t_interval(A)
    expected = scipy.stats.ttest_1samp(A, 0).confidence_interval(0.95)
    assert (low, high) == approx((expected.low, expected.high), rel=1e-12)
    assert mean == approx(0.91)


def test_t_interval_of_one_replicate_has_no_ends():
    mean, low, high = t_interval([0.5])
    assert mean == 0.5 and np.isnan(low) and np.isnan(high)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_t_interval_covers_95_percent(n):
    samples = np.random.default_rng(n).normal(size=(20_000, n))
    _, low, high = t_interval(samples)
    # Three standard errors of a share of 20,000.
    assert np.mean((low <= 0) & (high >= 0)) == approx(0.95, abs=0.0047)


def test_paired_interval_covers_95_percent():
    generator = np.random.default_rng(1)
    shared = generator.normal(0, 3, (20_000, 6))
    a, b = shared + generator.normal(1, 1, shared.shape), shared
    _, low, high = t_interval(a - b)
    assert np.mean((low <= 1) & (high >= 1)) == approx(0.95, abs=0.0047)


COVERED = [
    *losses(),
    *(beta_binomial(200, mean, s) for mean in (0.97, 0.99, 0.999) for s in (0.0, 0.01, 0.03)),
]


@pytest.mark.parametrize("case", COVERED, ids=lambda case: case.name)
def test_estimates_cover_at_least_93_percent(case):
    for n in (5, 10, 20):
        assert coverage(case, n, repeats=4000)[0] >= 0.93, n


def test_a_loss_estimate_is_scipys_t_interval_of_logarithms():
    x = np.array([0.02, 0.5, 0.03, 0.001])
    expected = scipy.stats.ttest_1samp(np.log(x), 0).confidence_interval(0.95)
    found = loss_estimate(x)
    assert (found.low, found.high) == approx((np.exp(expected.low), np.exp(expected.high)))
    assert found.centre == approx(scipy.stats.gmean(x))


@pytest.mark.parametrize("right", [0, 1, 190, 199, 200])
def test_an_estimate_of_equal_accuracies_is_wilsons_interval_of_all_their_samples(right):
    z = scipy.stats.t.ppf(0.975, 3)  # for a normal deviate, whose level is therefore another
    level = 1 - 2 * scipy.stats.norm.sf(z)
    expected = scipy.stats.binomtest(4 * right, 800).proportion_ci(level, method="wilson")
    found = accuracy_estimate([right / 200] * 4, 200)
    assert (found.low, found.high) == approx((expected.low, expected.high), rel=1e-9, abs=1e-12)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=9))
def test_an_accuracy_estimate_holds_its_mean_has_width_and_stays_between_0_and_1(right):
    values = np.array(right) / 50
    centre, low, high = accuracy_estimate(values, 50)
    assert 0 <= low <= centre <= high <= 1 and high - low > 1e-3
    assert centre == approx(values.mean())


def test_estimates_at_their_ends():
    for metric in ("test_loss", "best.test_accuracy"):
        alone = estimate(metric, [0.5], 200)
        assert alone.centre == approx(0.5) and np.isnan([alone.low, alone.high]).all()
        with pytest.raises(ValueError, match="at least one"):
            estimate(metric, [], 200)
        two = estimate(metric, [0.4, 0.6], 200)
        assert 0 < two.low < two.centre < two.high
    zero = loss_estimate([0.1, 0.0, 0.2])
    assert zero.centre == 0 and np.isnan([zero.low, zero.high]).all()


def test_interquartile_mean_fixtures():
    assert interquartile_mean(np.arange(1, 9)) == 4.5
    assert interquartile_mean([0, 0, 0, 0, 1, 1, 1, 100]) == 0.5
    assert interquartile_mean(A) == approx(scipy.stats.trim_mean(A, 0.25))


def test_bootstrap_interval_from_ten_replicates_up_only():
    with pytest.raises(ValueError, match="at least 10 replicates, got 9"):
        interquartile_mean_interval(A[:9])
    middle, low, high = interquartile_mean_interval(A)
    assert low < middle < high


def test_bootstrap_interval_covers_at_least_90_percent_at_ten():
    samples = np.random.default_rng(2).normal(size=(400, 10))
    low, high = np.transpose([interquartile_mean_interval(sample)[1:] for sample in samples])
    assert 0.89 < np.mean((low <= 0) & (high >= 0)) < 0.96


def test_sign_flip_fixture():
    assert sign_flip_test(A - B) == 12 / 1024
    assert t_interval(A - B).centre == approx(0.015)
    assert probability_of_improvement(A, B) == approx(0.73)
    # The same numbers unpaired can't be told apart: pairing decides.
    assert scipy.stats.ttest_ind(A, B, equal_var=False).pvalue > 0.05


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=9))
def test_sign_flip_counts_every_pattern(values):
    differences = np.array(values) / 10
    expected = every_sign_pattern(differences)
    assert sign_flip_test(differences) == approx(expected, abs=1e-15)
    assert sign_flip_test(-differences) == approx(expected, abs=1e-15)


def test_sign_flip_is_scipys_permutation_test():
    result = scipy.stats.permutation_test(
        (A, B),
        lambda a, b: (a - b).sum(),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert sign_flip_test(A - B) == approx(result.pvalue)


def test_five_pairs_can_never_reach_05_and_six_can():
    assert sign_flip_test(np.arange(1, 6)) == 0.0625
    assert sign_flip_test(np.arange(1, 7)) == 0.03125
    assert FEWEST_BLOCKS == 6


def test_sign_flip_power_is_close_to_the_t_tests():
    d = np.random.default_rng(5).normal(1, 1, (1000, 10))
    ours = np.mean([sign_flip_test(sample) <= 0.05 for sample in d])
    effect = np.sqrt(10)
    critical = scipy.stats.t.ppf(0.975, 9)
    theory = scipy.stats.nct.sf(critical, 9, effect)
    assert ours == approx(theory, abs=0.05)


@pytest.mark.parametrize("bad", [[], [np.nan, 1], [np.inf]])
def test_sign_flip_refuses(bad):
    with pytest.raises(ValueError, match="must be finite"):
        sign_flip_test(bad)


@pytest.mark.parametrize(
    "draw",
    [
        lambda generator: generator.normal(size=(10, 8)),
        lambda generator: (generator.random((10, 8)) < 0.7) * 1.0,
    ],
)
def test_joint_sign_flip_errs_in_at_most_5_percent_of_null_families(draw):
    generator = np.random.default_rng(7)
    found = sum(joint_sign_flip(all_pairs(draw(generator))).min() <= 0.05 for _ in range(600))
    assert found / 600 <= 0.05 + 3 * 0.0089


def test_joint_sign_flip_of_many_replicates_samples_the_patterns():
    d = np.random.default_rng(4).normal(0.4, 1, (20, 1))
    sampled = joint_sign_flip(d)
    signs = 1 - 2 * (np.arange(2**19)[:, None] >> np.arange(20) & 1)
    exact = np.mean(np.abs(signs @ d) >= d.sum() - 1e-9)
    assert sampled == approx(exact, abs=0.006)  # three standard errors
    assert joint_sign_flip(d) == sampled
    assert joint_sign_flip(np.ones((20, 2))) == approx([1e-4, 1e-4])


def test_joint_sign_flip_beats_brute_force_step_down():
    d = np.random.default_rng(9).normal([0, 0.5, 1.5], 1, (7, 3))
    signs = np.array(list(product((-1, 1), repeat=7)))
    t = scipy.stats.ttest_1samp(d, 0).statistic
    flipped = np.abs([scipy.stats.ttest_1samp(s[:, None] * d, 0).statistic for s in signs])
    order, before, expected = np.argsort(-np.abs(t)), 0.0, np.empty(3)
    for position, test in enumerate(order):
        greatest = flipped[:, order[position:]].max(1)
        before = max(before, np.mean(greatest >= abs(t[test]) - 1e-9))
        expected[test] = before
    assert joint_sign_flip(d) == approx(expected)


def test_probability_of_improvement_is_scipys_u():
    u = scipy.stats.mannwhitneyu(A, B).statistic
    assert probability_of_improvement(A, B) == approx(u / 100)


def test_solved_by_worked_by_hand():
    # Solved at 10 and 30; one stopped at 20 unsolved, one diverged: never.
    curve = solved_by([10, np.nan, 30, np.nan], [10, 20, 30, 5], [False, False, False, True])
    assert curve.epochs.tolist() == [0, 10, 30, 30]
    assert curve.share == approx([0, 1 / 4, 1 - 3 / 4 * 1 / 2, 1 - 3 / 8])


def test_solved_by_is_scipys_survival_function():
    solved = np.array([3, 5, np.nan, 5, 8, np.nan, 12.0])
    left = np.array([3, 5, 6, 5, 8, 20, 12.0])
    data = scipy.stats.CensoredData.right_censored(
        np.where(np.isnan(solved), left, solved), np.isnan(solved)
    )
    reference = scipy.stats.ecdf(data)
    interval = reference.sf.confidence_interval(0.95, method="log-log")
    curve = solved_by(solved, left, [False] * 7)
    for x, share, low, high in zip(*(part[1:-1] for part in curve), strict=True):
        assert share == approx(1 - reference.sf.evaluate(x))
        assert low == approx(1 - interval.high.evaluate(x))
        assert high == approx(1 - interval.low.evaluate(x))


def test_solved_by_when_none_and_when_all_solve():
    none = solved_by([np.nan] * 5, [50] * 5, [False] * 5)
    assert none.share.tolist() == [0, 0]
    exact = scipy.stats.binomtest(0, 5).proportion_ci().high
    assert none.high == approx([exact, exact])
    everyone = solved_by([10, 10, 20, 20, 20], [50] * 5, [False] * 5)
    assert everyone.share[-1] == 1
    assert everyone.low[-1] == approx(1 - exact)


def test_expected_best_against_all_subsets():
    scores = np.array([0.3, 0.9, 0.5, 0.5, 0.7])
    validation = np.array([0.1, 0.2, 0.9, 0.8, 0.3])
    for k in range(1, 6):
        subsets = list(combinations(range(5), k))
        best = np.mean([scores[list(s)].max() for s in subsets])
        chosen = np.mean([scores[max(s, key=lambda i: validation[i])] for s in subsets])
        assert expected_best(scores)[k - 1] == approx(best)
        assert expected_best(scores, validation)[k - 1] == approx(chosen)


def test_performance_profile_counts_what_exceeds():
    profile = performance_profile([[0.2, 0.4], [0.6, 0.8]], [0, 0.4, 0.5, 0.8])
    assert profile.tolist() == [1, 0.5, 0.5, 0]
