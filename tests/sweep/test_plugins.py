"""Any sweeper works with any launcher, and what ours add is there with each."""

import math
import os
import signal
import sys
from pathlib import Path
from types import ModuleType

import hydra_plugins
import pytest
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.plugins.sweeper import Sweeper

from runner import sweep as sweep_in_python
from runner.__main__ import main
from runner.config.compose import compose
from runner.results.objective import OBJECTIVES, objective
from runner.results.run import load_run
from runner.sweep.launch import launch
from runner.sweep.pool import in_processes
from runner.sweep.sweep import carry_out

QUICK = ["replicates=2", "training.epochs=2", "dataset.samples=80", "plots=none"]
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


class Search(Sweeper):
    """A sweeper that goes where the objective was lower, as those that optimize do."""

    returned: list = []  # noqa: RUF012

    def __init__(self, params):
        self.params = params

    def setup(self, *, hydra_context, task_function, config):
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments):
        (key,) = self.params
        first = [f"{key}={value}" for value in self.params[key].split(",")]
        found = self.launcher.launch([[*arguments, word] for word in first], 0)
        values = {one: one_of(found, k) for k, one in enumerate(first)}
        best = min(values, key=values.get)
        again = self.launcher.launch([[*arguments, best, "training.epochs=3"]], len(first))
        type(self).returned[:] = [*found, *again]


def one_of(found, k):
    return found[k].return_value if found[k].status is JobStatus.COMPLETED else math.inf


@pytest.fixture
def search(monkeypatch):
    """A plugin, as Hydra 1.3 takes it: of a module in its package of plugins."""
    Search.__module__ = "hydra_plugins.search"
    module = ModuleType(Search.__module__)
    module.Search = Search
    monkeypatch.setitem(sys.modules, Search.__module__, module)
    monkeypatch.setattr(hydra_plugins, "search", module, raising=False)
    Search.returned.clear()
    Plugins.instance().register(Search)
    node = {"_target_": "hydra_plugins.search.Search", "params": {}}
    ConfigStore.instance().store(group="hydra/sweeper", name="search", node=node)
    yield Search
    del Plugins.instance().class_name_to_class["hydra_plugins.search.Search"]
    for plugins in Plugins.instance().plugin_type_to_subclass_list.values():
        if Search in plugins:
            plugins.remove(Search)
    ConfigStore.instance().repo["hydra"]["sweeper"].pop("search.yaml")


RATES = "hydra.sweeper.params={optimizer.learning_rate: '0.0001,0.1'}"


@pytest.mark.parametrize("launcher", ["pool", "basic"])
def test_a_sweeper_that_optimizes_gets_each_jobs_objective(search, capsys, launcher):
    words = ["hydra/sweeper=search", RATES, f"hydra/launcher={launcher}", "hydra.sweep.dir=it"]
    assert main(["-m", *QUICK, *words, "objective=best.validation_accuracy"]) == 0
    returned = [one.return_value for one in search.returned]
    runs = sorted((load_run(path.parent) for path in Path("it").glob("*/summary.json")),
                  key=lambda run: run.config.training.epochs)  # fmt: skip
    assert len(runs) == 3
    assert sorted(returned[:2]) == sorted(
        objective(run.summary, "best.validation_accuracy") for run in runs[:2]
    )
    assert runs[2].config.optimizer["learning_rate"] == [0.0001, 0.1][returned[1] < returned[0]]
    assert Path("it/comparison/index.html").is_file()
    assert "hydra/sweeper=search" in capsys.readouterr().out


def test_what_a_sweeper_draws_may_be_no_experiment(search, capsys):
    rates = "hydra.sweeper.params={optimizer.learning_rate: '-1,0.1'}"
    assert main(["-m", *QUICK, "hydra/sweeper=search", rates, "hydra.sweep.dir=it"]) == 1
    assert [one.status for one in search.returned] == [
        JobStatus.FAILED, JobStatus.COMPLETED, JobStatus.COMPLETED
    ]  # fmt: skip
    err = capsys.readouterr().err
    assert "failed: job_0: optimizer.learning_rate must be a number" in err
    assert "repeat: python -m runner" in err and "optimizer.learning_rate=-1" in err
    assert Path("it/comparison/index.html").is_file()


def test_hydras_own_sweeper_stops_at_a_failure_and_all_is_compared(capsys):
    words = [*QUICK, "seed=1,2", "hydra.sweep.dir=it", "hydra/sweeper=basic"]
    Path("it").mkdir()
    Path("it/one").write_text("in the way")
    assert main(["-m", *words, "hydra.sweep.subdir=${oc.decode:'{1: one, 2: two}'}"]) != 0
    capsys.readouterr()
    names = "hydra.sweep.subdir='${seed}'"
    Path("it/1").write_text("in the way")
    assert main(["-m", *words, names]) == 1
    out, err = capsys.readouterr()
    assert "failed: 1: it/1 is a file" in err and "repeat: python -m runner" in err
    assert "hydra/sweeper=basic failed" in err
    assert Path("it/2/summary.json").is_file() and "comparison/index.html" in out


def interrupted(launcher, job_overrides, initial_job_idx):
    """A launch that is interrupted after its first job, as by scancel."""
    launch(
        job_overrides[:1],
        initial_job_idx,
        context=launcher.hydra_context,
        task_function=launcher.task_function,
        config=launcher.config,
        carry_out=in_processes(1),
    )
    os.kill(os.getpid(), signal.SIGINT)
    raise AssertionError("nothing goes on after a signal")


@pytest.mark.parametrize("sweeper", [[], ["hydra/sweeper=basic"]])
def test_after_ctrl_c_what_is_finished_is_compared(capsys, monkeypatch, sweeper):
    name = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
    monkeypatch.setattr(Plugins.instance().class_name_to_class[name], "launch", interrupted)
    words = ["-m", *QUICK, "seed=1,2", "hydra/launcher=basic", "hydra.sweep.dir=it", *sweeper]
    assert main(words) == 130
    out, err = capsys.readouterr()
    assert "comparison/index.html" in out and "the same command continues" in err
    assert len(list(Path("it").glob("*/summary.json"))) == 1


def test_the_pool_is_for_this_programs_jobs():
    class Context:
        config_loader = None

    how = {"context": Context(), "task_function": print, "config": None}
    with pytest.raises(ValueError, match="python -m runner only"):
        launch([["seed=1"]], 0, **how, carry_out=in_processes(1))


def test_a_setting_of_the_pool_is_its_processes():
    swept = carry_out(compose([*QUICK, "seed=1,2", "hydra.launcher.processes=1"]),
                      show_progress=False)  # fmt: skip
    assert len(swept.comparison.runs) == 2 and swept.failures == []
    assert sweep_in_python([*QUICK, "seed=1,2", "hydra.launcher.processes=1"]).runs


def replicate(status, **final):
    return {"status": status, "final": final, "best": {k: v / 2 for k, v in final.items() if v}}


def test_the_objective_is_a_mean_in_which_divergence_is_the_worst():
    two = [replicate("finished", validation_loss=1.0), replicate("finished", validation_loss=2.0)]
    assert objective({"replicates": two}, "validation_loss") == 1.5
    assert objective({"replicates": two}, "best.validation_loss") == 0.75
    lost = replicate("diverged", validation_loss=None, validation_accuracy=None)
    assert objective({"replicates": [*two, lost]}, "validation_loss") == math.inf
    right = replicate("finished", validation_accuracy=1.0)
    assert objective({"replicates": [right, lost]}, "validation_accuracy") == 0.5
    none = replicate("finished", validation_loss=None)
    assert objective({"replicates": [none]}, "validation_loss") is None
    assert not [name for name in OBJECTIVES if "test" in name]
