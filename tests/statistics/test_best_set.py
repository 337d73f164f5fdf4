"""The set of possibly best settings keeps its promises, and agrees with its definition."""

from itertools import pairwise, product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytest import approx

from runner.statistics.best_set import best_set
from tests.benchmarks.best import CASES, errors, normal, power


def by_definition(x, alpha=0.05):
    """Margins c_i s_ij by SciPy's t test of every sign pattern, one at a time."""
    n, k = x.shape
    margin = np.zeros((k, k))
    for i in range(k):
        d = np.delete(x, i, 1) - x[:, [i]]
        flipped = [
            np.abs(scipy.stats.ttest_1samp(np.array(s)[:, None] * (d - d.mean(0)), 0).statistic)
            for s in product((-1, 1), repeat=n)
        ]
        greatest = np.sort(np.max(flipped, axis=1))
        # Each pattern and its opposite give the same |t|.
        c = greatest[-1 - 2 * int(alpha * len(greatest) / 2)]
        margin[i, np.arange(k) != i] = c * scipy.stats.sem(d)
    return margin


def test_margins_and_members_are_those_of_the_definition():
    x = np.random.default_rng(3).normal((0, 2, 2.5), size=(7, 3))
    margin, means = by_definition(x), x.mean(0)
    lead = means[:, None] - means
    expected = [all(lead[i] >= -margin[i]) for i in range(3)]
    found = best_set(x)
    assert found.members.tolist() == expected == [False, True, True]
    inside = np.flatnonzero(expected)
    assert found.high == approx((lead + margin)[inside].max(0))
    assert found.low[0] == approx((lead - margin)[inside, 0].min().clip(0))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES[:5], ids=lambda case: case.name)
def test_at_most_5_percent_of_null_sweeps_shut_out_a_best_setting(case):
    for n in (6, 10):  # 0.07 is 5% and two standard errors of a share of 500
        first, second, holds = errors(case, n, k=4, repeats=500)
        assert first <= 0.07 and second <= 0.07 and holds >= 0.90


@pytest.mark.slow
@pytest.mark.parametrize("step", [0.5, 2.0])
def test_all_intervals_together_hold_the_truth_in_95_percent(step):
    *_, holds = power(step, n=10, k=8, repeats=200)
    assert holds >= 0.93


@pytest.mark.slow
def test_one_more_replicate_loses_nothing():
    found = [power(1.0, n, k=6, repeats=100)[0] for n in (10, 11, 12)]
    assert all(later >= earlier - 0.02 for earlier, later in pairwise(found))


def test_what_loses_on_all_ten_seeds_by_a_lot_is_shut_out_among_ten_settings():
    rng = np.random.default_rng(0)
    x = 0.98 + 0.003 * normal(rng, 10, 10)
    x[:, 9] = rng.normal(0.8, 0.05, 10)
    found = best_set(x)
    assert not found.members[9] and found.members[:9].sum() >= 7
    assert 0.1 < found.low[9] < 0.18 < found.high[9] < 0.3


@given(arrays(float, (8, 4), elements=st.integers(0, 20).map(lambda right: right / 20)))
def test_members_and_intervals_agree(x):
    found = best_set(x)
    assert found.members[np.argmax(x.mean(0))]
    assert (found.low >= 0).all() and not (found.high < found.low).any()
    assert (found.low[found.members] == 0).all()
    order = [2, 0, 3, 1]
    permuted = best_set(x[:, order])
    assert permuted.members.tolist() == found.members[order].tolist()
    assert permuted.high == approx(found.high[order], nan_ok=True)


def test_equal_differences_leave_no_doubt_but_that_of_too_few_blocks():
    x = np.linspace(0.5, 0.9, 6)[:, None] + [0.0, 0.1, 0.1]
    found = best_set(x)
    assert found.members.tolist() == [False, True, True]
    assert (found.low[0], found.high[0]) == approx((0.1, 0.1))
    few = best_set(x[:5])
    assert few.members.all() and np.isnan(few.high).all()
    assert best_set(x[:, :1]).members.tolist() == [True]


@pytest.mark.parametrize("scores", [[], [1.0, 2.0], [[1.0, np.nan]], np.empty((3, 0))])
def test_scores_that_are_none_are_refused(scores):
    with pytest.raises(ValueError, match="finite"):
        best_set(scores)
