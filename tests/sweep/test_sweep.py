"""Sweeps: every job costs only itself, the same command runs only what is missing, and a
killed sweep ends in the same bytes as an undisturbed one."""

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import hydra
import pytest
from hydra.core.plugins import Plugins

from runner.__main__ import main
from runner.compare.__main__ import main as compare_main
from runner.config.catalogue import GROUPS, choices
from runner.config.compose import compose
from runner.config.experiment import LARGEST_SEED
from runner.config.overrides import read
from runner.results.run import load_run
from runner.shell.arguments import parse
from runner.sweep import launch as launching
from runner.sweep.grid import repeated_seeds
from runner.sweep.job import run_job
from runner.sweep.plan import plan
from runner.sweep.vary import Variations
from runner.system.processes import run_jobs
from runner.system.terminal import ConfigError
from tests.commands import ROOT, environment, python

QUICK = ["replicates=2", "training.epochs=2", "dataset.samples=80", "plots=none"]
RESULTS = ("history.csv", "weights.npz", "config.yaml")
RATES = "optimizer.learning_rate=" + ",".join(f"{n / 1000}" for n in range(1, 202))
pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def results(folder="."):
    """The bytes that training decides, by job and file."""
    return {
        (path.parent.name, path.name): path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.name in RESULTS
    }


def test_a_sweep_runs_every_combination_and_compares_them(capsys):
    assert main(["-m", "activation=relu,tanh", "dataset=moons,xor", *QUICK]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("note: 2 replicates will not show which setting is best: it takes 6")
    assert "sweep of 4 jobs" in out
    assert "it needs settings with 6 common seeds, better 10" in out
    (sweep,) = Path("outputs/sweeps").iterdir()
    assert sum((sweep / d / "summary.json").is_file() for d in os.listdir(sweep)) == 4
    for name in ("index.html", "leaderboard.csv", "leaderboard.md"):
        assert (sweep / "comparison" / name).is_file()


@pytest.mark.parametrize(
    ("words", "warning"),
    [
        (["activation=relu,tanh", "replicates=5"], "5 replicates will not show which setting"),
        (["activation=relu,tanh", "seed=0,1", "replicates=1"], "2 replicates will not show"),
        (["activation=relu,tanh", "seed=0,3", "replicates=3"], ""),
        (["activation=relu,tanh", "placebo=tanh", "replicates=3"], "3 replicates will not show"),
        (["dataset=moons,xor", "replicates=1"], ""),
        ([RATES], "201 settings are too many to judge"),
        ([RATES, "activation=relu,tanh", "replicates=6"], ""),
    ],
)
def test_what_no_verdict_will_come_of_is_said_before_it_starts(words, warning):
    found = plan(compose(words)).warning
    assert found.startswith(warning) and bool(found) == bool(warning)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["seed=0,1,2", "replicates=10"],
            ["30 networks, but only 12", "seed=0 replicates=12 ", "seed=0,10,20 trains 30"],
        ),
        (["seed=4,6", "replicates=3", "activation=relu,tanh"], ["seed=4 replicates=5 ", "=4,7 "]),
        (["seed=range(9)", "replicates=2"], ["seed=0 replicates=10 ", "seed=0,2,4,... trains 18"]),
        (["replicates=5,10"], ["15 networks, but only 10", "seed=0 replicates=10 "]),
        (["seed=0,1,100", "replicates=2"], ["6 networks, but only 5", "seed=0,2,4 "]),
        (["seed=0,10,20", "replicates=10"], []),
        (["seed=0,1,2", "replicates=1"], []),
        (["activation=relu,tanh", "replicates=10"], []),
        (["activation=relu,tanh", "placebo=relu"], []),
    ],
)
def test_seeds_that_jobs_share_are_reported_before_training(words, says):
    remarks = repeated_seeds(plan(compose(words)).jobs)
    assert len(remarks) == bool(says)
    assert all(text in remarks[0] for text in says)


def test_the_remark_on_shared_seeds_is_printed_with_the_plan(capsys):
    assert main(["-m", "seed=0,1", *QUICK]) == 0
    out = capsys.readouterr().out
    assert "note: 2 jobs of the same setting train 4 networks, but only 3 different ones" in out
    assert out.index("note: 2 jobs") < out.index("test accuracy")


def test_a_job_is_the_run_alone_to_the_last_byte():
    main(["-m", "activation=relu,tanh", "optimizer.learning_rate=0.01,0.1", *QUICK])
    swept = results("outputs/sweeps")
    for activation in ("relu", "tanh"):
        for rate in ("0.01", "0.1"):
            main([f"activation={activation}", f"optimizer.learning_rate={rate}", *QUICK])
    assert results("outputs/runs") == swept


def test_the_same_command_runs_only_what_is_missing(capsys):
    command = ["-m", "activation=relu,tanh,sigmoid", *QUICK]
    main(command)
    (sweep,) = Path("outputs/sweeps").iterdir()
    times = {p: p.stat().st_mtime_ns for p in sweep.glob("*/summary.json")}
    lost = next(iter(times))
    for path in lost.parent.iterdir():
        path.unlink()
    lost.parent.rmdir()
    capsys.readouterr()
    assert main(command) == 0
    assert "2 of them finished already" in capsys.readouterr().out
    now = {p: p.stat().st_mtime_ns for p in sweep.glob("*/summary.json")}
    assert now.keys() == times.keys()
    assert {p for p in now if now[p] != times[p]} == {lost}


def test_more_values_on_an_axis_run_only_the_new_jobs(capsys):
    main(["-m", "activation=relu,tanh", *QUICK])
    capsys.readouterr()
    main(["-m", "activation=relu,tanh,sigmoid", *QUICK])
    out = capsys.readouterr().out
    assert "sweep of 3 jobs" in out and "2 of them finished already" in out
    assert len(list(Path("outputs/sweeps").iterdir())) == 1


def test_a_wrong_value_anywhere_stops_the_sweep_before_it_starts(capsys):
    assert main(["-m", "activation=relu,tahn", *QUICK]) == 2
    assert "did you mean tanh" in capsys.readouterr().err
    assert main(["-m", "training.epochs=2,0", *QUICK[:1]]) == 2
    assert os.listdir() == []


def test_setting_a_value_is_what_hydra_composes():
    """The shortcut past Hydra's composition gives Hydra's result."""
    words = ["activation=leaky_relu", "activation.alpha=0.1", "model.hidden=[4,4]"]
    words += ["optimizer=sgd", "optimizer.momentum=0.9", "training.batch_size=null", "seed=3"]
    (job,) = plan(compose(words)).jobs
    assert job.experiment == compose(words).experiment


@pytest.mark.slow
def test_experiments_that_ship_are_valid_and_need_no_m(capsys):
    kinds = Counter()
    for path in (ROOT / "conf" / "experiment").glob("*.yaml"):
        if f"python -m runner experiment={path.stem}" not in path.read_text(encoding="utf-8"):
            with pytest.raises(ConfigError, match=r"python -m runner\.propagate experiment="):
                compose([f"experiment={path.stem}"])
            continue
        composition = compose([f"experiment={path.stem}"])
        kinds[composition.sweeps] += 1
        if composition.sweeps:
            assert len(plan(composition).jobs) > 1
        else:
            assert composition.experiment.replicates > 0
    assert kinds[True] > 10 and kinds[False] > 0
    assert main(["experiment=noise", "activation=relu", "dataset.noise=0,0.1", *QUICK]) == 0
    assert "sweep of 2 jobs" in capsys.readouterr().out


def test_a_placebo_enters_once_more_with_seeds_of_its_own():
    planned = plan(compose(["activation=relu,tanh", "placebo=tanh", "seed=3", "replicates=4"]))
    entered = [(job.config["activation"]["name"], job.config["seed"]) for job in planned.jobs]
    assert sorted(entered) == [("relu", 3), ("tanh", 3), ("tanh", 7)]


def test_a_placebo_is_one_setting_where_an_activation_has_several():
    words = ["activation=elu", "activation.alpha=0.5,1", "dataset=moons,xor", *RATES]
    planned = plan(compose([*words, "placebo=elu", "replicates=4"]))
    entered = {
        (job.config["dataset"]["name"], job.config["activation"]["alpha"])
        for job in planned.jobs
        if job.config["seed"] == 4
    }
    assert entered == {("moons", 0.5), ("xor", 0.5)} and len(planned.jobs) == 8 + 4


RATES = ["optimizer.learning_rate=0.01,0.1", "tune=optimizer.learning_rate"]


def leaderboard(folder):
    with open(Path(folder) / "comparison" / "leaderboard.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_tuned_is_judged_by_networks_that_no_choice_has_seen(capsys):
    command = ["-m", "activation=relu,tanh", *RATES, "placebo=tanh", "seed=5", *QUICK]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "sweep of 6 jobs" in out and "3 more with fresh seeds" in out
    assert "the scores are those of networks trained again with fresh seeds" in out
    assert "Placebo: tanh on moons differs from itself with 2 other seeds" in out
    (sweep,) = Path("outputs/sweeps").iterdir()
    seeds = {}
    for path in sweep.glob("*/summary.json"):
        experiment = load_run(path.parent).config
        place = experiment.activation["name"], experiment.optimizer["learning_rate"]
        seeds.setdefault(place, set()).update(experiment.seeds)
    for row in leaderboard(sweep):
        name, rate = row["activation"], float(row["learning_rate"])
        judging = {"relu": {9, 10}, "tanh": {9, 10, 11, 12}}[name]
        trials = {"relu": {5, 6}, "tanh": {5, 6, 7, 8}}[name]
        assert seeds.pop((name, rate)) == trials | judging
        (folder,) = {load_run(row["folder"]).config.seed}
        assert folder == 9 and row["n"] == "2" and row["trials"] == "2"
        (other,) = (place for place in seeds if place[0] == name)
        assert seeds.pop(other) == trials
    before = leaderboard(sweep)
    assert main(command) == 0
    assert "6 of them finished already" in (out := capsys.readouterr().out)
    assert "3 of them finished already" in out
    assert compare_main([str(sweep), "--tune", "optimizer.learning_rate", "--no-pictures"]) == 0
    assert leaderboard(sweep) == before


def test_another_choice_is_judged_on_the_same_seeds(capsys):
    """A sweep that grows leaves runs behind that judged what is no longer chosen."""
    command = ["-m", "activation=relu,tanh", *RATES, *QUICK]
    main(command)
    command[2] = "optimizer.learning_rate=0.001,0.01,0.1,1"
    main(command)
    (sweep,) = Path("outputs/sweeps").iterdir()
    before = leaderboard(sweep)
    assert [row["n"] for row in before] == ["2", "2"]
    assert {load_run(row["folder"]).config.seed for row in before} == {2}
    compare_main([str(sweep), "--no-pictures"])
    assert leaderboard(sweep) == before


def test_an_interrupted_sweep_judges_at_its_next_start(capsys, monkeypatch):
    command = ["-m", "activation=relu,tanh", *RATES, *QUICK]
    launch = launching.launch

    def interrupted(jobs, first, **how):
        launch(jobs[:1], first, **how)
        raise KeyboardInterrupt

    calls = iter([launch, interrupted, launch])
    monkeypatch.setattr(launching, "launch", lambda *jobs, **how: next(calls)(*jobs, **how))
    assert main(command) == 130
    output = capsys.readouterr()
    assert "interrupted: 1 job left" in output.err
    assert "the same networks are judged, which exaggerates differences" in output.out
    assert main(command) == 0
    output = capsys.readouterr()
    assert "2 more with fresh seeds, for the settings chosen on validation data, 1 of" in output.out
    assert "those of networks trained again" in output.out


def test_seeds_that_cannot_judge_are_refused_before_anything_is_made(capsys):
    command = ["-m", "activation=relu,tanh", *RATES, *QUICK, f"seed={LARGEST_SEED}"]
    assert main(command) == 2
    assert "which judges what is tuned" in capsys.readouterr().err
    assert os.listdir() == []


def test_hydras_launchers_run_the_same_jobs(capsys):
    command = ["-m", "activation=relu,tanh", *RATES, *QUICK]
    main(command)
    own = results("outputs/sweeps")
    os.mkdir("other")
    done = python("-m", "runner", *command, "hydra/launcher=basic", cwd="other")
    assert done.returncode == 0, done.stderr
    assert results("other") == own


def test_a_launcher_gets_an_experiments_axes_and_placebo_and_only_what_is_missing(capsys):
    words = stored_experiment(f"{AXES}placebo: tanh\nseed: 3\n")
    words += [*QUICK, "hydra/launcher=basic"]
    first, *_ = plan(compose(parse(words).overrides)).jobs
    run_job(first)
    finished = (first.folder / "summary.json").stat().st_mtime_ns
    assert main(words) == 0
    assert "sweep of 3 jobs" in capsys.readouterr().out
    runs = sorted(path.parent.name.partition("_")[0] for path in Path().rglob("summary.json"))
    assert runs == ["relu", "tanh", "tanh"]
    assert not Path("outputs/runs").exists()
    assert (first.folder / "summary.json").stat().st_mtime_ns == finished


def test_a_launcher_that_refuses_its_settings_is_told_in_one_line(capsys, monkeypatch):
    """As joblib's does for n_jobs=0."""

    def refuse(*_, **__):
        raise ValueError("n_jobs == 0 in Parallel has no meaning")

    name = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
    monkeypatch.setattr(Plugins.instance().class_name_to_class[name], "launch", refuse)
    assert main(["-m", "seed=1,2", *QUICK, "hydra/launcher=basic"]) == 2
    assert capsys.readouterr().err == (
        "error: hydra/launcher=basic failed: ValueError: n_jobs == 0 in Parallel has no meaning\n"
    )


AXES = "hydra: {sweeper: {params: {activation: 'relu,tanh'}}}\n"


def stored_experiment(text):
    """Write an experiment file of the user's own; return the words that take it."""
    path = Path("conf/experiment/mine.yaml")
    path.parent.mkdir(parents=True)
    path.write_text(f"# @package _global_\n{text}")
    return ["--config-dir", "conf", "experiment=mine"]


@pytest.mark.parametrize(
    ("words", "remarks"),
    [
        (["activation=relu,elu"], ["placebo=tanh is in no job"]),
        (["activation=relu"], ["placebo=tanh is in no job", "tune=activation: no axis has it"]),
    ],
)
def test_an_experiments_tuning_and_placebo_need_not_be_in_a_narrowed_sweep(words, remarks):
    text = f"{AXES}placebo: tanh\ntune: activation\n"
    planned = plan(compose(parse([*stored_experiment(text), *words, *QUICK]).overrides))
    assert [remark.partition(";")[0] for remark in planned.remarks] == remarks


def _behave(job):
    if job == "raise":
        raise ValueError("on purpose")
    if job == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if job == "exit":
        os._exit(3)
    return job * 2


def test_a_failing_or_killed_worker_costs_only_its_job():
    jobs = [1, "raise", 2, "die", 3, "exit", 4]
    ended = {index: (result, reason) for index, result, reason in run_jobs(_behave, jobs, 2)}
    assert [ended[i][0] for i in (0, 2, 4, 6)] == [2, 4, 6, 8]
    assert "ValueError: on purpose" in ended[1][1]
    assert "SIGKILL" in ended[3][1]
    assert "status 3" in ended[5][1]


@pytest.mark.parametrize("launcher", [[], ["hydra/launcher=basic"]], ids=["own", "Hydra's"])
def test_a_failing_job_is_listed_and_the_others_are_kept(capsys, launcher):
    """A job's folder taken by a file makes that job fail and no other."""
    words = ["activation=relu,tanh", *QUICK, *launcher]
    planned = plan(compose(words))
    planned.folder.mkdir(parents=True)
    planned.jobs[0].folder.write_text("in the way")
    assert main(["-m", *words]) == 1
    captured = capsys.readouterr()
    assert planned.jobs[0].folder.name in captured.err
    assert "repeat: python -m runner activation=relu" in captured.err
    assert (planned.jobs[1].folder / "summary.json").is_file()
    assert planned.jobs[0].folder.read_text() == "in the way"
    assert "repeat" in (planned.folder / "failures.txt").read_text()


@pytest.mark.parametrize("name", ["config.yaml", "history.csv", "weights.npz", "summary.json"])
def test_a_job_that_has_lost_a_file_is_not_called_finished(capsys, name):
    words = ["-m", "activation=relu,tanh", *QUICK]
    assert main(words) == 0
    lost = next(Path("outputs").rglob("tanh_*"))
    (lost / name).unlink()
    capsys.readouterr()
    assert main(words) == 0
    output = capsys.readouterr()
    assert "1 of them finished already, 1 to be trained again" in output.out
    assert name in output.err and str(lost) in output.err
    assert (lost / name).is_file() and (lost.parent / ".old" / lost.name).is_dir()


@pytest.mark.slow
def test_a_sweep_killed_at_random_moments_ends_in_the_same_bytes(request):
    """--kills=N kills of the whole tree in mid-sweep; a sweep that got through starts afresh."""
    command = ["-m", "activation=relu,tanh,sigmoid", "dataset=moons,xor", *QUICK]
    main(command)
    undisturbed = results("outputs/sweeps")
    os.mkdir("killed")
    moments = random.Random(0)
    kills = 0
    while kills < request.config.getoption("--kills"):
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", *command],
            cwd="killed",
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(moments.uniform(0.5, 2.5))
        finished = process.poll() == 0
        if not finished:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
        for path in Path("killed").rglob("summary.json"):
            key = (path.parent.name, "weights.npz")
            assert (path.parent / "weights.npz").read_bytes() == undisturbed[key]
        if finished:
            assert whole("killed") == undisturbed
            shutil.rmtree("killed/outputs")
    assert python("-m", "runner", *command, cwd="killed").returncode == 0
    assert whole("killed") == undisturbed
    request.node.user_properties.append(("kills in mid-sweep", kills))


def whole(folder):
    return {key: value for key, value in results(folder).items() if key[0][0] != "."}


CHOICES = [
    f"{group}={name}"
    for group in GROUPS
    for name in list(choices(group))[:: 7 if group == "activation" else 1]
]
CHOICES += ["optimizer={name: adam, beta1: 0.8}"]  # a section written out


def varied_experiment(fixed, varied):
    variations = Variations(compose(fixed))
    return variations.experiment(variations.words_of(read(varied)))


@pytest.mark.parametrize("choice", CHOICES)
def test_a_job_put_together_is_what_hydra_composes(choice):
    fixed = ["model.hidden=[3]", "training.batch_size=null"]  # single_sample has no more
    varied = [choice, "optimizer.learning_rate=0.5", "seed=2"]
    found = varied_experiment(fixed, varied)
    assert found.to_dict() == compose([*fixed, *varied]).experiment.to_dict()


def test_an_axis_may_have_sections_written_out():
    words = ["activation=relu,{name: swish, learnable: true}", "optimizer=sgd,{name: adam}"]
    assert compose(words).sweep_folder.name.startswith("activation-optimizer_")


REFERENCE = "name: elu\nalpha: ${optimizer.learning_rate}\n"
GLOBAL = "# @package _global_\nactivation: {name: elu, alpha: 0.3}\ntraining: {epochs: 7}\n"


@pytest.mark.parametrize("activation", ["name: elu\nalpha: 0.7\n", REFERENCE, GLOBAL])
def test_so_it_is_with_files_of_the_users_own(activation):
    words = stored_experiment("optimizer: {learning_rate: 0.5}\nmodel: {hidden: [3]}\n")
    Path("conf/activation").mkdir()
    Path("conf/activation/mine.yaml").write_text(activation)
    fixed = parse(words).overrides
    varied = ["activation=mine", "optimizer=sgd", "optimizer.learning_rate=0.2", "seed=2"]
    for axes in (varied, varied[:2]):
        found = varied_experiment(fixed, axes)
        assert found.to_dict() == compose([*fixed, *axes]).experiment.to_dict()


@pytest.mark.parametrize("words", [["experiment=fair"], ["activation=relu,elu", "seed=range(9)"]])
def test_a_sweep_is_composed_once(monkeypatch, words):
    times = []
    composed = hydra.compose
    monkeypatch.setattr(hydra, "compose", lambda *a, **k: times.append(a) or composed(*a, **k))
    plan(compose(words))
    assert len(times) == 1


def test_a_pattern_sweeps_over_the_choices_that_match(capsys):
    assert main(["-m", "activation=glob(relu*)", *QUICK]) == 0
    assert "sweep of 4 jobs" in capsys.readouterr().out
    assert main(["-m", "activation=glob(nosuch*)", *QUICK]) == 2
    assert "matches no choice; known: relu, " in capsys.readouterr().err
    assert main(["-m", "seed=glob(*)", *QUICK]) == 2
    assert "only choices match" in capsys.readouterr().err


def test_no_thread_is_left_that_would_keep_a_sweep_from_forking_its_pictures():
    script = (
        "import sys, threading, runner.__main__; from runner.compare import pictures;"
        "pictures.draw_all = lambda *_: (print('threads', threading.active_count()), ({}, []))[1];"
        "sys.exit(runner.__main__.main(sys.argv[1:]))"
    )
    words = ["-m", "seed=1,2", "training.epochs=1", "replicates=1"]
    done = python("-c", script, *words)
    assert done.returncode == 0 and "threads 1\n" in done.stdout, done.stderr
