"""The estimate of a run's memory is a floor, and not far below what the run takes."""

import tracemalloc

import pytest

from runner.config.compose import compose
from runner.config.needed_memory import needed
from runner.training.train import train


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("dataset.classes", ["dataset=blobs", "dataset.classes=100", "dataset.samples=6000"]),
        ("dataset.arms", ["dataset=spirals", "dataset.arms=100", "dataset.samples=10000"]),
        ("dataset.samples", ["dataset=blobs", "dataset.features=300", "dataset.samples=3000"]),
        ("model.hidden", ["model.hidden=[500,500]", "dataset.samples=50"]),
        ("model.hidden", ["model.hidden=[99]", "dataset.samples=9000", "training.batch_size=null"]),
        ("replicates", ["model.hidden=[120,120]", "dataset.samples=50", "replicates=20"]),
        (
            "training.snapshots",
            [
                "model.hidden=[120,120]",
                "dataset.samples=50",
                "training.epochs=30",
                "training.snapshots=31",
            ],
        ),
        (
            "training.epochs",
            ["model.hidden=[2,2]", "training.epochs=150", "replicates=2"],
        ),
    ],
    ids=[
        "classes",
        "arms",
        "features",
        "hidden",
        "full batch",
        "replicates",
        "snapshots",
        "epochs",
    ],
)
def test_the_estimate_is_a_floor_and_names_the_key_that_asks_for_most(key, words):
    more = ["dataset.samples=80", "training.epochs=1", "replicates=1", "training.batch_size=8"]
    given = {word.partition("=")[0] for word in words}
    words = [*words, *(word for word in more if word.partition("=")[0] not in given)]
    experiment = compose(words).experiment
    needs = needed(experiment)
    experiment.__dict__.pop("first_split", None)
    tracemalloc.start()
    try:
        train(experiment)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 0.3 * peak < sum(needs.values()) < peak
    assert max(needs, key=needs.__getitem__) == key
