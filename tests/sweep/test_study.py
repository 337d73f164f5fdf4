"""Searches: what is searched, that a stopped one goes on, and what its comparison says."""

import csv
from pathlib import Path

import pytest

from runner.__main__ import main
from runner.config.overrides import read
from runner.sweep import grid
from runner.system.terminal import ConfigError
from tests.commands import refusal

optuna = pytest.importorskip("optuna")
from runner.sweep.space import as_words, corners, space_of  # noqa: E402

QUICK = ["replicates=2", "training.epochs=2", "dataset.samples=80", "plots=none"]
RATE = "optimizer.learning_rate=tag(log, interval(1e-3, 1))"
SEARCH = ["-m", "hydra/sweeper=optuna", "hydra/launcher=basic", *QUICK]
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def trials(folder="."):
    """The rows of the one study's table, below a folder."""
    (path,) = Path(folder).rglob("study.csv")
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "text, distribution",
    [
        ("a.b=interval(0.5, 2)", optuna.distributions.FloatDistribution(0.5, 2)),
        ("a.b=int(interval(1, 8))", optuna.distributions.IntDistribution(1, 8)),
        (RATE, optuna.distributions.FloatDistribution(1e-3, 1, log=True)),
        ("a=relu,tanh", optuna.distributions.CategoricalDistribution(["relu", "tanh"])),
        ("a.b=choice(1, 2.5)", optuna.distributions.CategoricalDistribution([1, 2.5])),
        ("a.b=[8],[16,16]", optuna.distributions.CategoricalDistribution(["[8]", "[16,16]"])),
        ("a.b=range(2, 9, 3)", optuna.distributions.IntDistribution(2, 8, step=3)),
        ("a.b=range(9, 2, -3)", optuna.distributions.IntDistribution(3, 9, step=3)),
        ("a.b=range(0, 1, 0.25)", optuna.distributions.FloatDistribution(0, 0.75, step=0.25)),
    ],
)
def test_hydras_ways_to_name_several_values_are_distributions(text, distribution):
    (word,) = read([text])
    assert space_of([word, *read(["seed=3"])]) == {word.key: distribution}


@pytest.mark.parametrize("text", ["a.b=interval(2, 1)", "a.b=range(3, 3)", "a=glob(*)"])
def test_what_is_no_space_is_refused(text):
    with pytest.raises(ConfigError, match=r"^a.*cannot be searched"):
        space_of(read([text]))


def test_a_trials_words_are_inside_the_space_and_short_and_corners_have_every_end():
    space = space_of(read([RATE, "a.b=interval(0.12346, 0.12347)", "c=x,y"]))
    words = as_words(space, {"optimizer.learning_rate": 0.0123456, "a.b": 0.12346001, "c": "y"})
    assert list(map(str, words)) == ["optimizer.learning_rate=0.01235", "a.b=0.12346001", "c=y"]
    for key, ends in {"optimizer.learning_rate": {1e-3, 1}, "c": {"x", "y"}}.items():
        assert {corner[key] for corner in corners(space)} == ends


def test_a_search_lowers_the_validation_loss_and_is_judged_on_fresh_seeds(capsys):
    words = [*SEARCH, "activation=elu,tanh", RATE, "hydra.sweeper.n_trials=12"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "study of 12 trials" in out and "with fresh seeds" in out
    assert "the learning_rate that is best on validation data, out of" in out
    found = trials()
    assert len(found) == 12
    best = min(found, key=lambda row: float(row["validation_loss"]))
    rate = float(best["optimizer.learning_rate"])
    assert f"with activation={best['activation']}, optimizer.learning_rate={rate:.4g}" in out
    assert main(words) == 0
    assert "12 of them finished already" in capsys.readouterr().out
    assert trials() == found


def test_a_stopped_study_goes_on_to_the_same_trials(capsys, monkeypatch):
    words = [*SEARCH, RATE, "activation=leaky_relu", "activation.alpha=interval(0.01, 0.5)"]
    words += ["hydra.sweeper.n_trials=14", "hydra.sweeper.n_jobs=3"]
    assert main([*words, "hydra.sweep.dir=whole"]) == 0
    launch = grid.launch_all

    def stopping(ended, missing, *rest):
        ended.stop = 2
        return launch(ended, missing[:1], *rest)

    with monkeypatch.context() as patch:
        patch.setattr(grid, "launch_all", stopping)
        for _ in range(3):
            assert main([*words, "hydra.sweep.dir=stopped"]) == 130
    assert main([*words, "hydra.sweep.dir=stopped"]) == 0
    assert trials("stopped") == trials("whole")


def test_an_accuracy_can_be_maximised_over_the_parameter_of_a_formula(capsys):
    words = ["activation=formula", "activation.expression=x * sigmoid(beta * x)"]
    words += ["activation.parameters.beta=interval(0.5, 2)", "objective=validation_accuracy"]
    words += ["hydra.sweeper.n_trials=3", "hydra.sweeper.sampler.name=RandomSampler"]
    assert main([*SEARCH, *words]) == 0
    assert "test accuracy" in capsys.readouterr().out
    assert all(0.5 <= float(row["activation.parameters.beta"]) <= 2 for row in trials())


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "nothing to search"),
        (["dataset.noise=interval(0.1, 0.3)"], "losses on other data are not comparable"),
        (["seed=0,1"], "losses on other data are not comparable"),
        (["optimizer.learning_rate=interval(-1, 1)"], "optimizer.learning_rate"),
        ([RATE, "hydra.sweeper.n_trials=0"], "hydra.sweeper.n_trials=0"),
        ([RATE, "hydra.sweeper.sampler={name: QMCSampler, seeds: 3}"], "hydra.sweeper.sampler"),
        ([RATE, "hydra.sweeper.sampler.name=os"], "a class in optuna.samplers"),
        ([RATE, "hydra.sweeper.sampler.seeds=3"], "hydra.sweeper.sampler"),
        ([RATE, "hydra.sweeper.storage=nowhere"], "hydra.sweeper.storage"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_made(capsys, words, message):
    assert message in refusal(capsys, *SEARCH, *words)
