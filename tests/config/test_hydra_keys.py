"""Everything that Hydra lets one set does what Hydra documents, or is refused with its reason."""

import os
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from hydra._internal.utils import get_args_parser
from hydra.conf import HydraConf
from hydra.experimental.callback import Callback
from omegaconf import OmegaConf

from runner.__main__ import main
from runner.config.compose import compose
from runner.config.hydra_keys import GROUPS_OF_HYDRA, REFUSED, WORKS
from runner.results.run import load_run
from runner.shell import arguments
from runner.sweep.plan import plan
from runner.system.terminal import ConfigError
from tests.commands import ROOT, python, refusal

QUICK = ["replicates=2", "training.epochs=2", "dataset.samples=80", "plots=none"]
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def table(heading):
    """The rows of a table of conf/README.md: what is set, works or refused, and the remark."""
    text = (ROOT / "conf" / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return {
        name: (here, remark)
        for name, here, remark in re.findall(r"^\| `(.+?)` \| (\w+) \| (.*?) ?\|$", section, re.M)
    }


def keys(schema, prefix="hydra"):
    """All keys of Hydra's schema, and the groups that its defaults list names."""
    for field in fields(schema):
        value = getattr(schema, field.name)
        if field.name == "defaults":
            yield from (f"hydra/{group}" for entry in value for group in entry)
        elif is_dataclass(value):
            yield from keys(value, f"{prefix}.{field.name}")
        else:
            yield f"{prefix}.{field.name}"


def test_every_key_of_hydras_schema_has_its_line_in_the_table():
    documented = table("Hydra's settings")
    for key in keys(HydraConf()):
        assert any(key == one or key.startswith(f"{one}.") for one in documented), key


def test_the_table_of_settings_is_what_the_code_does():
    documented = table("Hydra's settings")
    assert [key for key in documented if documented[key][0] == "works"] != []
    assert {k for k in documented if documented[k][0] == "works"} == {*WORKS, *GROUPS_OF_HYDRA}
    assert {k: documented[k][1] for k in documented if documented[k][0] == "refused"} == REFUSED


def test_every_option_of_hydras_has_its_line_and_is_known(capsys):
    documented = table("Hydra's options")
    options = {
        next(one for one in action.option_strings if one.startswith("--")): action
        for action in get_args_parser()._actions
        if action.option_strings
    }
    assert documented.keys() == options.keys()
    refused = {option: reason for option, (here, reason) in documented.items() if here == "refused"}
    assert refused == arguments.REFUSED
    information = next(a for a in get_args_parser()._actions if a.dest == "info").choices
    assert set(information) <= set(arguments.INFORMATION)
    for option, action in options.items():
        words = [option] if action.nargs == 0 else [option, "job"]
        try:
            arguments.parse([*words, *action.option_strings[1:1]])
        except ValueError as error:
            assert "unrecognized" not in str(error)


@pytest.mark.parametrize(("word", "row"), table("Override grammar").items())
def test_the_grammar_of_overrides_is_as_its_table_has_it(word, row):
    here, remark = row
    if here == "refused":
        with pytest.raises(ConfigError, match=f"^{re.escape(word)}.* (must|cannot|has no) "):
            assert compose([word]).axes
        return
    key, _, typed = word.lstrip("+").partition("=")
    composition = compose([word, "replicates=1"])
    if composition.axes:
        configs = [job.config for job in plan(composition).jobs]
        expected = re.findall("^`(.+?)`", remark) or ["1,2,3"]
    else:
        configs, expected = [composition.experiment.to_dict()], [typed]
    found = [OmegaConf.select(OmegaConf.create(config), key) for config in configs]
    names = [str(one.name if OmegaConf.is_dict(one) else one) for one in found]
    assert ",".join(sorted(names)) == expected[0]


@pytest.mark.parametrize("key", [key for key in REFUSED if "/" not in key])
def test_what_is_refused_says_why(capsys, key):
    assert f": {REFUSED[key]}" in refusal(capsys, f"+{key}=1")


@pytest.mark.parametrize("way", [[], ["-m"], ["-m", "hydra/launcher=basic"]])
def test_hydras_files_are_written_beside_the_results(capsys, way):
    words = ["hydra.output_subdir=.hydra", "hydra/job_logging=default", "hydra.job.name=mine"]
    place = "hydra.sweep.dir=it" if way else "hydra.run.dir=it/run"
    command = [*way, *QUICK, *words, place, "seed=3"]
    assert main(command) == 0
    (folder,) = (path.parent for path in Path("it").glob("*/summary.json"))
    assert load_run(folder).config.seed == 3
    assert "seed=3" in OmegaConf.load(folder / ".hydra" / "overrides.yaml")
    assert OmegaConf.load(folder / ".hydra" / "config.yaml").activation.name == "tanh"
    hydra = OmegaConf.load(folder / ".hydra" / "hydra.yaml").hydra
    assert hydra.job.name == "mine" and Path(hydra.runtime.output_dir) == folder.absolute()
    assert "tanh on moons is in" in (folder / "mine.log").read_text()
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "already done" in out or "1 of them finished already" in out


def test_a_run_that_was_killed_beside_hydras_files_is_run_again():
    Path("it/.hydra").mkdir(parents=True)
    Path("it/.hydra/hydra.yaml").write_text("hydra: {}\n")
    Path("it/runner.log").write_text("killed\n")
    assert main([*QUICK, "hydra.run.dir=it"]) == 0
    assert sorted(os.listdir("it"))[0] == ".hydra" and Path("it/summary.json").is_file()


@pytest.mark.parametrize("way", [[], ["-m"]])
def test_a_job_may_have_its_folder_and_variables(way):
    """Extensions are the user's code, which may look at both."""
    Path("mine.py").write_text(
        "import os\nfrom activations import Elementwise\n"
        "class Mine(Elementwise):\n"
        "    name = 'mine'\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        if 'WHERE' in os.environ: open('seen.txt', 'w').write(os.environ['WHERE'])\n"
        "    def forward(self, x): return x * 1\n"
        "    def derivative(self, x, y): return 1 + 0 * x\n"
    )
    words = [f"extensions=['{Path('mine.py').absolute()}']", "activation=mine"]
    words += ["hydra.job.chdir=true", "+hydra.job.env_set.WHERE=here"]
    words += ["hydra.sweep.dir=it" if way else "hydra.run.dir=it/run"]
    done = python("-m", "runner", *way, *QUICK, *words)
    assert done.returncode == 0, done.stderr
    (folder,) = (path.parent for path in Path("it").glob("*/summary.json"))
    assert (folder / "seen.txt").read_text() == "here"
    assert not Path("seen.txt").exists()


class Recorder(Callback):
    """Records which of its methods Hydra calls, and with what result."""

    calls: list[str] = []  # noqa: RUF012

    def __getattribute__(self, name):
        if name.startswith("on_"):
            type(self).calls.append(name)
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    ("way", "calls"),
    [
        ([], ["on_run_start", "on_job_start", "on_job_end", "on_run_end"]),
        (["-m"], ["on_multirun_start", "on_multirun_end"]),  # the jobs' are called in workers
        (
            ["-m", "hydra/launcher=basic"],
            ["on_multirun_start", "on_job_start", "on_job_end", "on_multirun_end"],
        ),
    ],
)
def test_callbacks_are_called(way, calls, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from tests.config.test_hydra_keys import Recorder as imported  # as Hydra imports it

    imported.calls.clear()
    target = f"{imported.__module__}.Recorder"
    word = f"+hydra.callbacks.it={{_target_: {target}}}"
    assert main([*way, *QUICK, word]) == 0
    assert imported.calls == calls


def test_verbose_tells_more(capsys):
    assert main([*QUICK, "hydra.verbose=[runner]"]) == 0
    assert "tanh on moons: training 2 replicates\n" in capsys.readouterr().out
    assert main([*QUICK, "seed=1"]) == 0


def test_run_carries_out_one_run_of_an_experiment_that_sweeps(capsys):
    assert main(["--run", "experiment=noise", *QUICK]) == 0
    assert "tanh on moons" in capsys.readouterr().out


@pytest.mark.parametrize(
    "word",
    [
        "hydra.verbose=3",
        "hydra.verbose={a: 1}",
        "hydra.job_logging.root.level=FOO",
        "hydra.output_subdir=config.yaml",
        "hydra.output_subdir=../x",
        "hydra.output_subdir=/x",
        "hydra.output_subdir=a/b",
    ],
)
def test_values_that_would_fail_in_a_job_are_refused_before(capsys, word):
    assert main(["plots=none", word]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"error: {word.split('=')[0]}") and message.count("\n") == 1


@pytest.mark.parametrize("processes", [0, -3])
def test_a_sweep_needs_a_process(capsys, processes):
    words = ["-m", "activation=relu,tanh", f"hydra.launcher.processes={processes}"]
    assert main(words) == 2
    assert "must be at least 1" in capsys.readouterr().err
    assert not Path("outputs").exists()


@pytest.mark.parametrize("jobs", [0, -1])
def test_a_task_of_a_cluster_needs_a_job(capsys, jobs):
    words = ["-m", "activation=relu,tanh", "hydra/launcher=slurm"]
    assert main([*words, f"hydra.launcher.jobs_per_task={jobs}"]) == 2
    assert "must be a whole number >= 1" in capsys.readouterr().err
    assert not list(Path(".").rglob("*.slurm*"))
