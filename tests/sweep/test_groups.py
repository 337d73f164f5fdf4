"""Groups of jobs: the rule for their size, and what is known of those that a cluster loses."""

from pathlib import Path

import pytest

from runner.config.compose import compose
from runner.sweep.groups import SHARE, grouped, least_seconds
from runner.sweep.job import run_job, work
from runner.sweep.launch import Batch
from runner.sweep.plan import plan

QUICK = ["replicates=2", "training.epochs=2", "dataset.samples=80", "plots=none"]
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def batch():
    """Three short and three long jobs, in turns."""
    jobs = plan(compose(["seed=0,1,2", "training.epochs=2,200", *QUICK[:1], *QUICK[2:]])).jobs
    return Batch(work, "validation_loss", [(job, "validation_loss") for job in jobs], jobs)


@pytest.mark.parametrize("scheduling", [1e-4, 2e-3, 1.0])
def test_scheduling_costs_at_most_its_share_of_every_group_but_the_last(scheduling):
    found = grouped(batch(), scheduling)
    assert [place for group in found for place in group.places] == list(range(6))
    for group in found[:-1]:
        work = sum(least_seconds(job.experiment) for job in group.batch.jobs)
        assert scheduling <= SHARE * work


def test_groups_are_as_large_as_is_asked_for_and_not_more_than_there_may_be():
    assert [len(group.places) for group in grouped(batch(), 1.0, size=4)] == [4, 2]
    assert len(grouped(batch(), 1e-9, most=4)) <= 4
    assert len(grouped(batch(), 1e-9, size=1, most=4)) <= 4


def test_of_a_lost_group_what_is_finished_has_ended_well():
    group = grouped(batch(), 1.0, size=2)[0]
    run_job(group.batch.jobs[0])
    (first, result, none), (second, nothing, reason) = group.lost("its node died")
    assert (first, none, second, nothing, reason) == (0, None, 1, None, "its node died")
    assert result[0].startswith("test accuracy") and result[1] > 0


def test_one_that_fails_costs_only_itself():
    group = grouped(batch(), 1.0, size=3)[0]
    group.batch.jobs[0].folder.parent.mkdir(parents=True)
    Path(group.batch.jobs[0].folder).write_text("in the way")
    assert [reason is None for _, _, reason in group()] == [False, True, True]
