"""Determinism: replicate k is bit-identical to a run alone with seed + k, whatever trains
beside it; and the same seed pairs the runs of different activations."""

import dataclasses

import numpy as np
import pytest

from runner import run
from runner.config.compose import compose
from runner.results.write import history_text
from runner.training.stack import Group, build_network, load_data
from runner.training.train import train

SHORT = ["training.epochs=3", "dataset.samples=200", "plots=none"]


def trained(*overrides):
    return train(compose([*SHORT, *overrides]).experiment)


def assert_same_replicate(stack, k, alone):
    assert stack.outcomes[k].status == alone.outcomes[0].status
    for name, values in alone.history.items():
        np.testing.assert_array_equal(stack.history[name][k], values[0], err_msg=name)
    for which in ("final", "best"):
        for name, value in getattr(alone, which).items():
            found = getattr(stack, which)[name][k]
            assert found.tobytes() == value[0].tobytes(), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "softmax", "leaky_relu"])
def test_replicate_is_the_run_alone(activation, dtype):
    common = [f"activation={activation}", f"dtype={dtype}"]
    stack = trained(*common, "replicates=5", "seed=7")
    for k in (0, 2, 4):
        alone = trained(*common, "replicates=1", f"seed={7 + k}")
        assert_same_replicate(stack, k, alone)


@pytest.mark.parametrize(
    "overrides",
    [
        ["dataset=spirals"],
        ["dataset=blobs", "dataset.features=7"],
        ["training.batch_size=null"],
        ["training.batch_size=17"],
        ["training.loss=squared_error"],
        ["model.hidden=[]"],
        ["model.hidden=[33,1,5]"],
        ["optimizer=sgd", "optimizer.momentum=0.9", "optimizer.clip_norm=0.1"],
        ["optimizer=adamw"],
        ["optimizer=rmsprop", "schedule=cosine", "schedule.warmup_epochs=1"],
        ["initializer=orthogonal"],
        ["training.patience=1", "training.epochs=8"],
    ],
    ids=lambda overrides: "+".join(overrides),
)
def test_replicate_is_the_run_alone_with_every_part(overrides):
    stack = trained(*overrides, "replicates=3")
    assert_same_replicate(stack, 2, trained(*overrides, "replicates=1", "seed=2"))


@pytest.mark.parametrize("replicates_in_a_group", [1, 2, 5])
@pytest.mark.parametrize("more", [[], ["training.patience=1", "training.epochs=20"]])
def test_grouping_changes_nothing(monkeypatch, replicates_in_a_group, more):
    whole = trained("replicates=5", *more)
    monkeypatch.setattr(
        "runner.training.train.group_size", lambda experiment: replicates_in_a_group
    )
    grouped = trained("replicates=5", *more)
    for name, values in whole.history.items():
        np.testing.assert_array_equal(values, grouped.history[name])
    for name, value in whole.final.items():
        assert value.tobytes() == grouped.final[name].tobytes()


def test_a_diverging_replicate_is_recorded_and_disturbs_no_other():
    experiment = compose([*SHORT, "activation=relu", "replicates=3", "optimizer=sgd"]).experiment
    group = Group(experiment, experiment.seeds)
    group.network.theta[1] = 1e25  # a relu network's logits overflow at this
    found = group.train(lambda share, state: None)
    healthy = train(experiment)
    assert found.outcomes[1].status == "diverged"
    assert found.outcomes[1].diverged_epoch == found.outcomes[1].epochs
    for k in (0, 2):
        assert found.outcomes[k].status == "finished"
        for name, value in healthy.final.items():
            assert found.final[name][k].tobytes() == value[k].tobytes()


@pytest.mark.parametrize("hidden", ["[8]", "[8,8]"])
def test_a_loss_that_is_never_finite_is_a_divergence_at_epoch_0(tmp_path, hidden):
    words = ["activation=formula", "activation.expression=log(x)", f"model.hidden={hidden}"]
    result = run([*words, "replicates=2", "training.epochs=2", f"hydra.run.dir={tmp_path / 'it'}"])
    for entry in result.summary["replicates"]:
        assert (entry["status"], entry["diverged_epoch"], entry["epochs"]) == ("diverged", 0, 0)
        assert [layer["units"] for layer in entry["dead"]] == [0] * hidden.count("8")
    assert "before training" in result.summary["diagnosis"][0]["text"]


def test_a_loss_that_rises_in_training_too_is_not_called_overfitting(tmp_path):
    words = ["optimizer=sgd", "optimizer.learning_rate=1e30", "replicates=2"]
    result = run([*words, "training.epochs=3", f"hydra.run.dir={tmp_path / 'it'}"])
    codes = [finding["code"] for finding in result.summary["diagnosis"]]
    assert "unstable" in codes and "overfitting" not in codes


def test_divergence_by_learning_rate_ends_in_a_record_not_a_crash():
    found = trained("activation=relu", "optimizer=sgd", "optimizer.learning_rate=1e30")
    assert {outcome.status for outcome in found.outcomes} == {"diverged"}


def test_early_stopping_keeps_the_best_epoch():
    found = trained("training.patience=2", "training.epochs=60", "optimizer.learning_rate=0.3")
    stopped = [o for o in found.outcomes if o.status == "stopped_early"]
    assert stopped
    for k, outcome in enumerate(found.outcomes):
        losses = found.history["validation_loss"][k]
        assert outcome.best_epoch == int(found.epochs[np.nanargmin(losses)])
        if outcome.status == "stopped_early":
            assert outcome.epochs - outcome.best_epoch == 2
            assert np.isnan(losses[outcome.epochs + 1 :]).all()


def test_same_seed_gives_every_activation_the_same_data_and_normals():
    first = compose([*SHORT, "activation=tanh"]).experiment
    other = compose([*SHORT, "activation=relu"]).experiment
    ours, theirs = (load_data(e, e.seeds) for e in (first, other))
    for field in dataclasses.fields(ours):
        a, b = (np.asarray(getattr(data, field.name)) for data in (ours, theirs))
        assert a.tobytes() == b.tobytes()
    (net_a, gains_a), (net_b, gains_b) = (build_network(e, e.seeds) for e in (first, other))
    for a, b, gain_a, gain_b in zip(net_a.linears, net_b.linears, gains_a, gains_b, strict=True):
        np.testing.assert_allclose(a.weight / gain_a, b.weight / gain_b, rtol=1e-6)


@pytest.mark.parametrize(
    "words",
    [
        ["training.epochs=7"],
        ["training.epochs=60", "training.patience=4", "optimizer.learning_rate=0.3"],
        ["training.epochs=30", "dataset.validation_fraction=0"],
        ["training.epochs=20", "activation=square", "optimizer=sgd", "optimizer.learning_rate=0.5"],
    ],
    ids=["finishes", "stops early", "no validation", "diverges"],
)
def test_record_every_thins_the_history_and_changes_nothing_else(monkeypatch, words):
    """Whatever an epoch settles (best, solved, stopped, diverged) is settled in that epoch."""
    every = trained(*words)
    for each, size in ((3, 5), (7, 2), (1000, 1)):
        monkeypatch.setattr("runner.training.train.group_size", lambda experiment, size=size: size)
        thinned = trained(*words, f"training.record_every={each}")
        for one, other in zip(every.outcomes, thinned.outcomes, strict=True):
            assert {**vars(one), "dead_since": 0} == {**vars(other), "dead_since": 0}
        for kind in ("final", "best"):
            for name, value in getattr(every, kind).items():
                assert value.tobytes() == getattr(thinned, kind)[name].tobytes(), name
        np.testing.assert_equal(every.final_scores, thinned.final_scores)
        np.testing.assert_equal(every.best_scores, thinned.best_scores)
        rows = [line.split(",", 3) for line in history_text(every).splitlines()[1:]]
        ends = [outcome.epochs for outcome in every.outcomes]
        kept = [row for row in rows if int(row[2]) % each == 0 or int(row[2]) == ends[int(row[0])]]
        found = [line.split(",", 3) for line in history_text(thinned).splitlines()[1:]]
        assert found == kept


def test_global_random_state_is_neither_read_nor_written():
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    first = trained()
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    second = trained()
    for name, value in first.final.items():
        assert value.tobytes() == second.final[name].tobytes()
