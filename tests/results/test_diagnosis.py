"""What a run says of itself: findings, titles, the time it took."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

import activations
from runner import run
from runner.__main__ import main
from runner.network.measurements import flatness
from runner.plots import artist
from runner.plots.curves import loss
from runner.results.diagnosis import _dead, _overfitted, _underfitted, _vanished
from runner.results.run import load_run
from runner.shell.report import report

QUICK = ["training.epochs=1", "dataset.samples=100"]


@pytest.mark.parametrize(
    ("name", "state"),
    [
        *((name, "saturated") for name in ("tanh", "sigmoid", "softsign", "hardtanh", "gaussian")),
        *((name, "off") for name in ("relu", "gelu", "silu", "elu", "softplus", "exponential")),
        *((name, "on a flat part") for name in ("identity", "sin", "hardshrink", "cubic")),
    ],
)
def test_only_what_is_flat_on_both_sides_saturates(name, state):
    assert flatness(activations.get(name)) == state


def test_dead_layers_share_one_line(tmp_path):
    words = ["activation=relu", f"model.hidden={[4] * 10}".replace(" ", ""), "plots=none"]
    result = run([*QUICK, *words, f"hydra.run.dir={tmp_path / 'it'}"])
    dead = [finding for finding in result.summary["diagnosis"] if finding["code"] == "dead"]
    assert len(dead) == 1
    shares = [
        np.mean([r["dead"][k]["units"] / 4 for r in result.summary["replicates"]])
        for k in range(10)
    ]
    shown = [share for share in shares if share >= 0.1]
    assert len(shown) > 1
    assert dead[0]["text"].startswith(
        f"{min(shown):.0%} to {max(shown):.0%} of the units of layers "
    )
    assert dead[0]["layer"] is None


@pytest.mark.parametrize(("initializer", "costs"), [("he_normal", False), ("constant", True)])
def test_dead_units_are_printed_where_they_cost_something_and_compared_anyway(
    tmp_path, initializer, costs
):
    """With biases of +-3 a third of the units is never on; the others are enough for blobs."""
    words = ["activation=relu", "dataset=blobs", "dataset.noise=0.5", "plots=none", "replicates=2",
             "dataset.samples=100", "training.epochs=20", f"initializer={initializer}",
             *["initializer.bias_std=3"] * (not costs)]  # fmt: skip
    result = run([*words, f"hydra.run.dir={tmp_path / 'it'}"])
    assert (result.summary["together"]["final"]["train_accuracy"]["centre"] == 1) is not costs
    reason = result.summary["diagnosis"][0]["reason"]
    assert reason.endswith(" dead")
    assert (f"note     {reason}" in report(result, False, 1.0)) is costs


@pytest.mark.parametrize(
    ("since", "words", "first"),
    [
        (
            [[0, 30, 22, -1], [40, 25, -1, -1]],
            "62% of the units of layer 1 are dead, the first since epoch 0, half",
            0,
        ),
        (
            [[7, 7, -1, -1], [-1, -1, 7, -1]],
            "38% of the units of layer 1 are dead since epoch 7",
            7,
        ),
    ],
)
def test_the_epoch_of_the_first_dead_unit_is_that_of_the_first(since, words, first):
    outcomes = [SimpleNamespace(dead_since=[np.array(row)]) for row in since]
    experiment = SimpleNamespace(model=SimpleNamespace(hidden=(4,)))
    (found,) = _dead(experiment, SimpleNamespace(outcomes=outcomes))
    assert found["text"].startswith(words) and found["numbers"]["since"] == first
    if first == 0:
        assert found["text"].endswith("by epoch 25")  # 0, 22, 25, 30, 40


NAN = float("nan")


@pytest.mark.parametrize(
    ("ratios", "since"),
    [
        ([[1, 0.5, 1e-3, 1e-7]] * 3, 20),
        ([[1, 1e-7, NAN, NAN], [1, 0.5, 1e-7, 1e-7], [0.1, 0.5, 1e-7, 0]], 20),
        ([[1, 0.5, 0.3, 0.1]] * 3, None),
        ([[1e-3, 1e-3, 1e-5, 1e-7]] * 3, None),
        ([[1, 1e-7, 1e-7, 1]] * 3, None),
        ([[1, 1, 1, 1], [1, 1, 1, 1], [1, 1e-3, 1e-7, 1e-7]], None),
        ([[1, NAN, NAN, NAN]] * 3, None),
        ([[1, 1, 1, 1], [1, 1, 1e-5, 1e-7], [1, 1, 1e-5, 1e-7]], 20),
    ],
)
def test_a_gradient_that_vanishes_while_training_is_told_from_one_that_was_small(ratios, since):
    """Most replicates decide; a small one at the start is a finding of its own."""
    last = np.full((3, 4), 0.2)
    training = SimpleNamespace(
        epochs=np.array([0, 10, 20, 30]),
        history={"layer1_gradient_rms": last * ratios, "layer5_gradient_rms": last},
    )
    experiment = SimpleNamespace(model=SimpleNamespace(hidden=(8,) * 5))
    found = _vanished(experiment, training, np.ones(3, bool))
    assert [finding["numbers"]["since"] for finding in found] == ([since] if since else [])
    assert not _vanished(experiment, training, np.zeros(3, bool))
    if since:
        assert found[0]["text"].startswith("layer 1's gradient vanished during training, to ")
        assert "(since epoch 20)" in found[0]["text"]
        assert "smaller optimizer.learning_rate" in found[0]["text"] and not found[0]["shown"]


@pytest.mark.parametrize("size", [1e-8, 0.05, 1e7, 1e200])
def test_columns_of_the_printed_table_stay_apart_and_small_losses_have_digits(tmp_path, size):
    done = run(
        [*QUICK, "activation=relu", "replicates=2", "plots=none", f"hydra.run.dir={tmp_path}/a"]
    )
    for part in ("train", "test"):
        entry = {"centre": size, "low": size / 1e3, "high": size * 1e9, "n": 2}
        done.summary["together"]["final"][f"{part}_loss"].update(entry)
    head, train, test = report(done, False, 1.0).splitlines()[1:4]
    for line in (train, test):
        _, loss, low, high, accuracy, *_ = line.split()
        assert line.index(accuracy, line.index("]")) == head.index("accuracy")
        shown = [float(text.strip("[],")) for text in (loss, low, high)]
        assert shown == pytest.approx([size, size / 1e3, size * 1e9], rel=0.01)


def made_up(rises, accuracy_after=0.99, train_rises=False):
    """Five replicates, of which so many end with a much higher validation loss."""
    rose = np.arange(5) < rises
    train = np.where(rose & train_rises, 0.5, 0.01)
    return SimpleNamespace(
        outcomes=[SimpleNamespace(best_epoch=20)] * 5,
        best_scores={
            "validation_loss": np.full(5, 0.03),
            "validation_accuracy": np.full(5, 0.99),
            "train_loss": np.full(5, 0.02),
        },
        final_scores={
            "validation_loss": np.where(rose, 0.3, 0.031),
            "validation_accuracy": np.where(rose, accuracy_after, 0.99),
            "train_loss": train,
        },
    )


@pytest.mark.parametrize(
    ("training", "code", "words"),
    [
        (made_up(1), None, ""),
        (made_up(2, 0.8), None, ""),
        (made_up(3, 0.8), "overfitting", "in 3 of 5 replicates"),
        (made_up(5, 0.8), "overfitting", "accuracy fell from 99.0% to 80.0%"),
        (made_up(5), "overconfident", "accuracy stayed at 99.0%"),
        (made_up(5, 0.8, train_rises=True), "unstable", "train loss rose too"),
    ],
)
def test_overfitting_is_what_most_replicates_do_and_what_costs_accuracy(training, code, words):
    found = _overfitted(training)
    assert [finding["code"] for finding in found] == ([code] if code else [])
    assert all(words in finding["text"] for finding in found)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["dataset=moons"], "logistic regression"),
        (["dataset=blobs"], "softmax regression"),
        (["dataset=moons", "training.loss=squared_error"], "linear classifier"),
    ],
)
def test_a_run_without_hidden_layers_is_not_titled_after_its_activation(
    tmp_path, capsys, monkeypatch, words, name
):
    """And the printed time counts the pictures."""
    monkeypatch.setattr(artist, "draw", lambda folder, form: time.sleep(0.3))
    folder = f"hydra.run.dir={tmp_path / 'it'}"
    assert main([*QUICK, "activation=tanh", "model.hidden=[]", "replicates=2", *words, folder]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{name} on {words[0].removeprefix('dataset=')}: ")
    (timing,) = [line.split() for line in rest if line.startswith("  time")]
    assert float(timing[1]) >= 0.3 + float(timing[6])
    picture = loss(load_run(tmp_path / "it"))
    assert any(text.get_text().startswith(f"{name} on ") for text in picture.texts)


@pytest.mark.parametrize(
    ("activation", "hidden", "explained", "advice"),
    [
        ("tanh", (16, 16), False, "; try more epochs, units or layers, or another "),
        ("tanh", (16,) * 30, True, ""),
        ("tanh", (), False, "; the network is linear: add a hidden layer"),
        ("identity", (16, 16), False, "; the network is linear: choose another activation"),
    ],
)
def test_the_advice_against_underfitting_fits_the_network(activation, hidden, explained, advice):
    experiment = SimpleNamespace(
        model=SimpleNamespace(hidden=hidden), activation={"name": activation}
    )
    (found,) = _underfitted(experiment, 0.8, 0.99, explained)
    given = found["text"].removeprefix(f"{found['reason']}: underfitting")
    assert given.startswith(advice) and bool(given) == bool(advice)
