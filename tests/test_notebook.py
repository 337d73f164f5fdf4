"""The laboratory from Python: the README's cells in a real kernel, predictions, comparisons; and
nothing of the caller's is changed."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import warnings
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from nbclient import NotebookClient

from activations import Elementwise
from runner import compare, load_run, run, sweep
from runner.network.losses import probabilities
from runner.notebook import ComparisonResult, Result
from runner.system.terminal import ConfigError, WorkFailed
from tests.commands import ROOT, python

QUICK = ["training.epochs=3", "dataset.samples=100", "plots=none"]
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


HEART = """
heart = run(["extensions=[my_data.py]", "dataset=heart"])
heart.predict([[130.0, 110.0, 120.0]])
compare([spirals, heart])
"""


def cells(heading: str) -> list[str]:
    """Return the Python blocks of a section of the README, but for sessions with a prompt."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"```python\n(?!>>>)(.*?)```", section, re.S)
    assert found
    return found


@pytest.mark.slow
def test_the_readmes_notebook_in_a_kernel(tmp_path, monkeypatch):
    for name in ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    data, table = np.random.default_rng(0), Path("heart.csv")
    x = data.normal(120, 15, (300, 3))
    np.savetxt(table, np.c_[x, x[:, 0] > x[:, 1]], delimiter=",", header="a,b,c,ill", comments="")
    (own,) = (text for text in cells("Add your own activation or data") if "@register" in text)
    Path("my_data.py").write_text(own)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in [*cells("Use it in a notebook"), HEART]]
    )
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [
        output["data"]
        for cell in notebook.cells
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]
    first, *_, last = shown
    assert len(first["text/plain"].splitlines()) == 5
    assert "<table>" in first["text/html"] and "data:image/png;base64," in first["text/html"]
    assert "<table>" in last["text/html"]
    assert any("image/png" in data for data in shown)


def caller() -> dict[str, object]:
    """Return what belongs to whoever calls."""
    root = logging.getLogger()
    return {
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "logging": (root.level, list(root.handlers), logging.root.manager.disable),
        "hydra": (GlobalHydra.instance().hydra, HydraConfig.instance().cfg),
        "backend": matplotlib.rcParams._get_backend_or_none(),
        "matplotlib": {k: matplotlib.rcParams[k] for k in matplotlib.rcParams if k != "backend"},
        "numpy": (np.geterr(), np.get_printoptions()),
        "random": np.random.get_state()[1].tolist(),  # noqa: NPY002
        "streams": (sys.stdout, sys.stderr),
        "warnings": list(warnings.filters),
        "main": sys.modules["__main__"],
    }


def test_the_callers_state_stays_as_it_was(capsys):
    GlobalHydra.instance().hydra = state = object()
    try:
        before = caller()
        result = run(["dataset=spirals", "replicates=2", *QUICK[:-1]])
        swept = sweep(["activation=relu,tanh", "replicates=6", *QUICK])
        compare([result, *swept.runs]).figures()
        repr(result), result._repr_html_(), swept._repr_html_()
        after = caller()
        assert GlobalHydra.instance().hydra is state
    finally:
        GlobalHydra.instance().hydra = None
    assert before == after
    assert capsys.readouterr() == ("", "")


HYDRAS_PROGRAM = """
import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobRuntime
from hydra._internal.sources_registry import SourcesRegistry
from hydra.version import getbase
from activations import Elementwise
from runner import run, sweep
from runner.config.catalogue import VERSION_BASE

class Mine(Elementwise):
    name = "mine"
    def forward(self, x): return x * 1
    def derivative(self, x, y): return 1 + 0 * x

def state():
    loader = GlobalHydra.instance().hydra.config_loader
    return {
        "config": (HydraConfig.instance().cfg, HydraConfig.get().job.name),
        "search path": [repr(one) for one in loader.get_search_path().get_path()],
        "plugins": {str(k): list(v)
                    for k, v in Plugins.instance().plugin_type_to_subclass_list.items()},
        "sources": dict(SourcesRegistry.instance().types),
        "stored": {group: repr(nodes) for group, nodes in ConfigStore.instance().repo.items()},
        "name": JobRuntime.instance().get("name"),
        "base": getbase(),
        "ours": (id(GlobalHydra.instance().hydra), id(HydraConfig.instance())),
    }

@hydra.main(config_path=None, **VERSION_BASE)
def main(config):
    before = state()
    words = ["training.epochs=1", "dataset.samples=80", "replicates=2", "plots=none"]
    run([*words, "hydra.searchpath=[theirs]"], activation=Mine())
    run([*words, "seed=5", "hydra.job.name=other", "hydra/job_logging=default"])
    sweep([*words, "seed=1,2", "hydra/launcher=basic"])
    assert state() == before
    print("kept", HydraConfig.get().job.name)

if __name__ == "__main__":
    main()
"""


def test_a_program_of_hydras_keeps_its_hydra(tmp_path):
    (tmp_path / "theirs" / "activation").mkdir(parents=True)
    (tmp_path / "program.py").write_text(HYDRAS_PROGRAM)
    done = python("program.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "kept program" in done.stdout


def test_a_launcher_leaves_the_callers_logging_as_it_was():
    before = caller()
    assert sweep(["activation=relu", "hydra/launcher=basic", *QUICK]).table
    assert caller() == before


def test_a_network_predicts_in_the_datas_own_units():
    result = run(["dataset=blobs", "dataset.classes=4", "replicates=3", *QUICK])
    x = result.data().test_x[1]
    p = result.predict_proba(x)
    assert p.shape == (20, 4) and p.dtype == np.float64
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    of_each = [result.predict_proba(x, replicate=k) for k in range(3)]
    np.testing.assert_allclose(p, np.mean(of_each, axis=0), rtol=1e-6)
    for which in ("final", "best"):
        expected = probabilities(result.network(which).logits(x))[1]
        found = result.predict_proba(x.tolist(), which=which, replicate=1)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    labels = result.predict(x, replicate=1)
    assert labels.shape == (20,) and labels.dtype.kind == "i"
    accuracy = (labels == result.data().test_labels[1]).mean()
    assert accuracy == pytest.approx(result.replicates[1]["final"]["test_accuracy"])
    assert load_run(result.path).predict(x).tolist() == result.predict(x).tolist()


def test_two_classes_have_two_probabilities():
    result = run(["replicates=2", *QUICK])
    x = np.random.default_rng(0).normal(size=(3000, 2))  # more than fit a block
    p = result.predict_proba(x)
    assert p.shape == (3000, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(result.predict(x), p[:, 1] > p[:, 0])
    np.testing.assert_allclose(result.predict_proba(x[-1:]), p[-1:], rtol=1e-5)


def test_replicates_that_diverged_predict_nothing():
    words = ["replicates=2", "optimizer=sgd", "activation=cubic", *QUICK]
    result = run([*words, "optimizer.learning_rate=1e6"])
    assert {one["status"] for one in result.replicates} == {"diverged"}
    with pytest.raises(ValueError, match="every replicate diverged"):
        result.predict([[0.0, 0.0]])
    with pytest.raises(ValueError, match="replicate 1 diverged"):
        result.predict([[0.0, 0.0]], replicate=1)
    assert "2 of 2 replicates diverged" in repr(result)


@pytest.mark.parametrize(
    ("x", "how", "message"),
    [
        ([0.0, 1.0], {}, r"x must be \(samples, 2\), got shape \(2,\)"),
        ([[0.0]], {}, r"x must be \(samples, 2\), got shape \(1, 1\)"),
        ([[0.0, np.nan]], {}, "x must be finite"),
        ([[0.0, 0.0]], {"which": "last"}, "which must be one of final, best"),
        ([[0.0, 0.0]], {"replicate": 2}, "replicate must be a whole number from 0 to 1"),
    ],
)
def test_what_cannot_be_predicted_is_told_in_a_line(x, how, message):
    result = run(["replicates=2", *QUICK])
    with pytest.raises(ValueError, match=message):
        result.predict_proba(x, **how)


def test_a_sweep_and_a_comparison_give_verdict_table_and_figures(capsys):
    swept = sweep(["activation=relu,tanh", "replicates=2", *QUICK], show_progress=True)
    out = capsys.readouterr().out
    assert "sweep of 2 jobs" in out and "[2/2]" in out
    (folder,) = Path("outputs/sweeps").iterdir()
    assert (folder / "comparison" / "index.html").is_file()
    again = compare([folder])
    of_runs = compare([load_run(run.path) for run in swept.runs])
    for one in (swept, again, of_runs):
        assert isinstance(one, ComparisonResult)
        assert all(isinstance(sentence, str) for sentence in one.verdict) and one.verdict
        assert sorted(line["activation"] for line in one.table) == ["relu", "tanh"]
        assert one.verdict[0] in repr(one)
    assert swept.table == again.table == of_runs.table
    assert "leaderboard" in again.figures()
    assert sweep(["activation=relu,tanh", "replicates=2", *QUICK]).table == swept.table


def test_names_in_what_a_notebook_shows_are_no_markup():
    class Cell(Elementwise):
        name = "cell"

        def __init__(self, label: str = "<script>") -> None:
            super().__init__()
            self.label = label

        def forward(self, x: np.ndarray) -> np.ndarray:
            return x

        def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
            return np.ones_like(x)

    results = [run([*QUICK], activation=Cell(label)) for label in ("<script>", "<b>")]
    html = compare(results)._repr_html_() + "".join(one._repr_html_() for one in results)
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_jobs_that_fail_are_listed_and_where_all_fail_it_is_raised():
    Path("fails.py").write_text(
        "import multiprocessing\nimport numpy as np\nfrom runner.data import Dataset, register\n"
        "@register\ndef fails(rng, samples=100):\n"
        "    assert not multiprocessing.parent_process(), 'no child'\n"
        "    return Dataset(rng.normal(size=(samples, 2)), np.arange(samples) % 2, 2)\n"
    )
    words = ["extensions=[fails.py]", "replicates=2", *QUICK]
    swept = sweep(["dataset=fails,moons", *words])
    assert [line["task"] for line in swept.table] == ["moons"]
    assert len(swept.failures) == 1 and "no child" in swept.failures[0].reason
    with pytest.raises(WorkFailed, match=r"no job succeeded; the first: tanh_fails_.*no child"):
        sweep(["dataset=fails", *words])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: run(["activation=tahn"]), "activation=tahn is unknown; did you mean tanh"),
        (lambda: run("activation=tanh"), "overrides must be a list of texts"),
        (lambda: run(["activation=relu,tanh"]), r"use sweep\(\) for several"),
        (lambda: run(["experiment=fair"]), r"use sweep\(\) for several"),
        (lambda: sweep(["activation=relu,tahn"]), "activation=tahn is unknown"),
        (lambda: sweep("activation=relu,tanh"), "overrides must be a list of texts"),
        (lambda: compare("runs"), "runs must be a list of runs or folders, got 'runs'"),
        (lambda: compare(["nowhere"]), "nowhere is not a folder"),
        (lambda: compare([]), "at least one run or folder, got an empty list"),
        (lambda: load_run("nowhere"), "nowhere is not a folder"),
    ],
)
def test_a_mistake_is_raised_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as raised:
        call()
    assert "\n" not in str(raised.value)
    assert not os.listdir()


def test_what_only_a_notebook_knows_cannot_be_swept():
    class Cell(Elementwise):
        name = "cell"

        def forward(self, x: np.ndarray) -> np.ndarray:
            return x

        def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
            return np.ones_like(x)

    assert isinstance(run(["activation=cell", *QUICK]), Result)
    with pytest.raises(ConfigError, match=r"activation cell .* move it to a file: 'extensions="):
        sweep(["activation=cell,tanh", *QUICK])
    assert not Path("outputs/sweeps").exists()


@pytest.mark.slow
def test_a_script_without_a_guard_can_sweep():
    words = ["activation=relu,tanh", "replicates=6", *QUICK]
    Path("script.py").write_text(
        f"from runner import sweep\nprint(len(sweep({words!r}).table), 'rows')\n"
    )
    done = python("script.py")
    assert (done.stdout, done.stderr, done.returncode) == ("2 rows\n", "", 0)
