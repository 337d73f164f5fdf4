"""Launchers of clusters, as far as one machine shows them; tests/cluster/ starts real ones."""

import pytest

from runner.__main__ import main
from runner.config import hydra_keys
from runner.config.compose import compose
from tests.commands import python, refusal
from tests.sweep.test_sweep import QUICK, results

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")
SWEEP = ["-m", "activation=relu,tanh", "seed=0,2,4", *QUICK]
LOCAL = ["hydra/launcher=slurm", "hydra.launcher.cluster=local"]


@pytest.mark.parametrize("word", ["hydra/launcher=slurm", "hydra/launcher=ray",
                                  "hydra/sweeper=optuna"])  # fmt: skip
def test_a_choice_whose_extra_is_not_installed_names_it(capsys, monkeypatch, word):
    monkeypatch.setattr(hydra_keys, "find_spec", lambda name: None)
    line = refusal(capsys, "-m", "seed=1,2", word)
    assert f"[{word.partition('=')[2]}]" in line


def test_the_folder_of_a_sweep_does_not_depend_on_where_it_runs():
    words = ["activation=relu,tanh", "seed=0,2"]
    elsewhere = ["hydra/launcher=basic"]
    assert compose([*words, *elsewhere]).sweep_folder == compose(words).sweep_folder


@pytest.mark.slow
def test_tasks_of_submitit_leave_the_bytes_of_the_pool():
    pytest.importorskip("submitit")
    words = [*LOCAL, "hydra.sweep.dir=tasks", "hydra.launcher.jobs_per_task=4"]
    assert main([*SWEEP, "hydra.sweep.dir=pool"]) == 0
    for there in ("", ", 6 of them finished already"):
        done = python("-m", "runner", *SWEEP, *words)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"sweep of 6 jobs in tasks{there}\n")
        assert results("tasks") == results("pool")


def test_settings_that_submitit_does_not_know_are_told_in_one_line(capsys):
    pytest.importorskip("submitit")
    assert main([*SWEEP, *LOCAL, "+hydra.launcher.colour=red"]) != 0
    err = capsys.readouterr().err
    assert "colour" in err and "Traceback" not in err


def test_a_machine_without_slurm_is_told_so(capsys, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "")
    assert main([*SWEEP, "hydra/launcher=slurm"]) != 0
    err = capsys.readouterr().err
    assert err.startswith("error: hydra/launcher=slurm failed: Slurm refuses the sweep: ")
    assert "srun" in err and err.count("\n") == 1
