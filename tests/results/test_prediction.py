"""What theory predicts of a run before training, and what the diagnosis makes of it."""

import numpy as np
import pytest

from runner import run
from runner.config.compose import compose
from runner.results.diagnosis import diagnose
from runner.results.prediction import predicted_gradients
from runner.training.stack import Group
from runner.training.train import train


def experiment(*words, width=16, hidden=10):
    model = f"model.hidden={[width] * hidden}".replace(" ", "")
    return compose(["plots=none", "dataset.samples=300", model, *words]).experiment


def test_ten_sigmoid_layers_with_glorot_keep_5e_7_of_the_gradient():
    """0.23605 a layer at the fixed point (checked by quadrature), and so 5.4e-7 in ten."""
    found = predicted_gradients(
        experiment("activation=sigmoid", "initializer=glorot_normal", width=500, hidden=30)
    )
    assert found[5:-12] / found[6:-11] == pytest.approx(0.23605, rel=2e-4)
    assert found[5] / found[15] == pytest.approx(5.4e-7, rel=0.01)


@pytest.mark.parametrize(
    "words",
    [
        "activation=sigmoid initializer=glorot_uniform",
        "activation=relu initializer=lecun_normal",
        "activation=gelu initializer=he_normal",
        "activation=tanh initializer=orthogonal initializer.gain=1.3",
        "activation=sigmoid",
        "activation=glu initializer=he_normal",
        "activation=softmax initializer=he_normal",
    ],
)
def test_the_prediction_is_what_wide_networks_measure(words):
    chosen = experiment(*words.split(), "replicates=4", width=100, hidden=5)
    group = Group(chosen, chosen.seeds)
    gradient_rms = np.array(group.layer_evaluator.evaluate_layers().gradient_rms)
    measured = np.exp(np.log(gradient_rms).mean(axis=1))
    np.testing.assert_allclose(predicted_gradients(chosen), measured / measured[-1], rtol=0.3)


def test_data_of_another_size_are_taken_as_they_are():
    words = "activation=tanh", "dataset=blobs", "initializer=he_normal"
    standardised = predicted_gradients(experiment(*words))
    own = predicted_gradients(experiment(*words, "dataset.standardize=false"))
    assert own[0] < standardised[0]


def test_theory_says_why_it_is_silent():
    with pytest.raises(ValueError, match="needs weights with mean 0"):
        predicted_gradients(experiment("initializer=constant", "initializer.value=0.1"))


PROMISE = "initializer=auto would give about 1 in wide layers"


def gravest(*words, **how):
    chosen = experiment(*words, "replicates=2", "training.epochs=1", **how)
    with np.errstate(all="ignore"):
        return diagnose(chosen, train(chosen))[0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("activation=sigmoid initializer=glorot_normal", PROMISE),
        ("activation=tanh initializer=normal", PROMISE),
        ("activation=tanh initializer.gain=0.2", "for this initializer"),
    ],
)
def test_vanishing_is_said_with_what_theory_predicts(words, says):
    """auto is not promised where it is used already."""
    found = gravest(*words.split())
    assert found["code"] == "vanishing" and found["text"].endswith(says)
    assert found["numbers"]["predicted"] == pytest.approx(found["numbers"]["ratio"], rel=0.9)


def test_auto_is_not_promised_where_it_would_explode():
    words = "activation=reglu", "initializer=normal", "initializer.std=0.25", "dtype=float64"
    found = gravest(*words, hidden=9)
    assert found["code"] == "vanishing" and found["text"].endswith("for this initializer")


def test_signals_that_explode_without_their_gradients_are_said():
    found = gravest(
        "activation=identity", "initializer=lecun_normal", "initializer.gain=3", hidden=4
    )
    assert found["code"] == "exploding" and "times the inputs" in found["text"]


def test_narrow_relu_layers_are_called_dead_where_theory_predicts_no_loss():
    found = gravest("activation=relu", "initializer=he_normal", width=4, hidden=20)
    assert found["code"] == "dead" and found["numbers"]["since"] == 0


def test_gradients_beyond_the_normal_floats_are_drawn(tmp_path):
    """From 1e-313 to 1: their ratio is no float."""
    words = ["activation=swiglu_clamped", "initializer=lecun_normal", "initializer.gain=30"]
    words += ["initializer.bias_mean=2", "dataset.standardize=false", "dtype=float64"]
    words += ["model.hidden=[8,6,8,6]", "dataset.samples=100", "training.epochs=1", "replicates=2"]
    found = run([*words, "plots=none", f"hydra.run.dir={tmp_path / 'run'}"])
    assert found.history["layer1_gradient_rms"][:, 0].min() < 1e-300
    assert found.figures()["flow"].encode("png")
