"""A stored run is reused where its bytes would be the same, and nowhere else; what has to make
room for a new run is kept."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from runner import load_run, run
from runner.__main__ import main
from runner.compare.__main__ import main as compare
from runner.config.compose import compose
from runner.data import shapes, streams
from runner.execute import execute
from runner.plots.__main__ import main as draw
from runner.sweep import grid, pool, sweep
from runner.sweep.plan import plan
from runner.system import version
from runner.training import checkpoint, fingerprint
from runner.training.checkpoint import CHECKPOINT
from runner.training.own_code import code_digest
from tests.commands import ROOT, only_line, python

QUICK = ["training.epochs=2", "dataset.samples=60", "replicates=2", "plots=none"]


@pytest.fixture(autouse=True)
def in_an_empty_folder(forgetting, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def sweeps_in_this_process(monkeypatch):
    """Jobs one after another and no comparison: what is swept is what matters here."""
    monkeypatch.setattr(
        pool,
        "run_jobs",
        lambda work, jobs, processes, **options: (
            (k, work(job), None) for k, job in enumerate(jobs)
        ),
    )
    monkeypatch.setattr(sweep, "_compare", lambda *arguments: None)


def contents(folder: str | Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}


# What the fingerprint holds


def test_an_edit_of_the_laboratorys_code_counts_once_python_executes_it(tmp_path, monkeypatch):
    experiment = compose([]).experiment
    name, file = "runner.network.extra", tmp_path / "extra.py"

    def code(text: str, reload: bool) -> str | None:
        file.write_text(text)
        if reload:
            spec = importlib.util.spec_from_file_location(name, file)
            monkeypatch.setitem(sys.modules, name, importlib.util.module_from_spec(spec))
        return fingerprint.fingerprint(experiment)["code"]

    before = code("SCALE = 0.5", reload=True)
    assert code("SCALE = 0.7", reload=False) == before
    assert code("SCALE = 0.7", reload=True) != before
    assert code("SCALE = 0.5", reload=True) == before


def test_two_processes_agree_whatever_their_hashes_of_texts():
    Path("own_sets.py").write_text(
        textwrap.dedent("""
        import numpy as np
        from activations import Elementwise

        KNOWN = {"a", "b", "c", "d"}

        class Sets(Elementwise):
            name = "own_sets"
            def forward(self, x):
                return np.sin(x) * ("a" in KNOWN)
            def derivative(self, x, y):
                return np.cos(x) * ("e" in {"e", "f", "g", "h"})
    """)
    )
    words = "from runner.config.compose import compose;"
    words += "from runner.training.fingerprint import fingerprint;"
    words += "e = compose(['extensions=[own_sets.py]', 'activation=own_sets']).experiment;"
    found = [
        python("-c", f"{words} print(fingerprint(e))", PYTHONHASHSEED=seed).stdout
        for seed in ("1", "2")
    ]
    assert found[0] == found[1] and "own_code" in found[0]


def test_all_that_training_imports_counts_or_is_known_not_to():
    code = "import runner.training.train, sys; print(*sys.modules)"
    loaded = python("-c", code).stdout.split()
    ours = {name for name in loaded if name.partition(".")[0] in ("runner", "activations")}
    counted = {name for name in ours if fingerprint.decides(name)}
    packages = {name.rpartition(".")[0] for name in ours} | {"runner"}
    checks_and_writes = "runner.config.", "runner.system.", "runner.training."
    rest = ours - counted - packages
    assert all(name.startswith(checks_and_writes) for name in rest)
    own = {name for name in rest if name.startswith("runner.training.")}
    assert own == {f"runner.training.{name}" for name in ("checkpoint", "fingerprint", "own_code")}
    assert set(fingerprint.DECIDES) <= counted | packages


def test_what_a_process_imports_besides_does_not_count():
    words = "from runner.training.fingerprint import laboratory_code as digest; print(digest())"
    besides = "import runner.shell.help, runner.compare, runner.plots.gallery.portraits"
    assert python("-c", words).stdout == python("-c", f"{besides}; {words}").stdout != ""


def test_the_summary_says_what_made_the_run(monkeypatch, tmp_path):
    summary = run(QUICK).summary
    assert summary["fingerprint"]["numpy"] == np.__version__
    assert set(summary["fingerprint"]) == {*fingerprint.IN_WORDS, "own_results"}
    assert set(summary["origin"]) == {"commit", "dirty", "platform"}
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        asked = [git, "rev-parse", "HEAD"]
        head = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True).stdout.strip()
        assert summary["origin"]["commit"] == (head or None)  # git may not trust the folder
    monkeypatch.setattr(version, "_CHECKOUT", tmp_path)
    version.origin.cache_clear()
    assert version.origin()["commit"] is None  # outside of git
    if git:
        for words in (["init", "-q"], ["add", "a"], ["commit", "-qm", "a"]):
            Path("a").write_text("")
            name = ["-c", "user.name=a", "-c", "user.email=a"]
            subprocess.run([git, *name, *words], check=True)
        head = subprocess.check_output([git, "rev-parse", "HEAD"], text=True).strip()
        for text, dirty in (("", False), ("edited", True)):
            Path("a").write_text(text)
            version.origin.cache_clear()
            assert (version.origin()["commit"], version.origin()["dirty"]) == (head, dirty)
    version.origin.cache_clear()


# What is done about it


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("code", "0", "another version of this laboratory's code"),
        ("numpy", "1.0", f"NumPy 1.0, now {np.__version__}"),
        ("blas", "b", "BLAS b, now "),
        ("processor", "p", "processor p, now "),
        ("python", "2.7", "Python 2.7, now 3."),
    ],
)
def test_a_run_made_with_anything_else_is_trained_anew_and_kept(
    monkeypatch, capsys, part, value, words
):
    real = fingerprint.fingerprint
    with monkeypatch.context() as past:
        past.setattr("runner.training.checkpoint.fingerprint", lambda e: {**real(e), part: value})
        assert main([*QUICK, "hydra.run.dir=runs/it"]) == 0
    former = contents("runs/it")
    capsys.readouterr()
    assert main([*QUICK, "hydra.run.dir=runs/it"]) == 0
    line = only_line(capsys)
    assert line.startswith("note: runs/it was made with ") and words in line
    assert "runs/.old/it" in line and contents("runs/.old/it") == former
    assert main([*QUICK, "hydra.run.dir=runs/it"]) == 0
    assert capsys.readouterr().err == ""  # reused
    assert sorted(os.listdir("runs")) == [".old", "it"]


def test_a_comparison_of_runs_made_with_different_things_says_so(monkeypatch, capsys):
    real = fingerprint.fingerprint
    for name, past in (("tanh", {}), ("relu", {"own_code": "0"}), ("elu", {"numpy": "1.0"})):
        monkeypatch.setattr(
            "runner.training.checkpoint.fingerprint", lambda e, p=past: {**real(e), **p}
        )
        assert main([*QUICK, f"activation={name}"]) == 0
    for name, is_noted in (("relu", False), ("elu", True)):
        folders = [str(path) for path in Path("outputs/runs").iterdir() if "_" in path.name]
        folders = [path for path in folders if "tanh" in path or f"/{name}" in path]
        capsys.readouterr()
        assert compare([*folders, "--no-pictures", "--output", "made"]) == 0
        sentence = f"differ in NumPy (1.0 or {np.__version__}),"
        assert (sentence in capsys.readouterr().out) == is_noted


def test_a_sweep_says_how_many_jobs_are_finished_and_how_many_trained_anew(
    monkeypatch, capsys, sweeps_in_this_process
):
    real = fingerprint.fingerprint
    words = ["-m", "activation=relu,tanh", *QUICK]
    with monkeypatch.context() as past:
        for place in (checkpoint, grid):
            past.setattr(place, "fingerprint", lambda e: {**real(e), "numpy": "1.0"})
        assert main(words) == 0
    words[1] += ",elu"
    elu = plan(compose([words[1], *QUICK])).jobs[2]
    execute(elu.experiment, elu.folder, command="")
    capsys.readouterr()
    assert main(words) == 0
    output = capsys.readouterr()
    assert "sweep of 3 jobs" in output.out and "1 of them finished already, 2 to be" in output.out
    assert (
        "trained again: 2 of the jobs, the first because" in output.err
        and "NumPy 1.0" in output.err
    )
    (swept,) = Path("outputs/sweeps").iterdir()
    assert len(list((swept / ".old").iterdir())) == 2
    assert main(words) == 0
    assert "3 of them finished already\n" in capsys.readouterr().out


# The user's own code

WIGGLE = """
import numpy as np
from activations import Elementwise
HEAD
SCALE = 0.5

def scaled(z, by=0.5):
    return by * z

held = {1: 0.5}.get
named = lambda: float(['0.5' for _ in "x"][0])

def maker(by):
    class Wiggle(Elementwise):
        '''A gentle staircase.'''
        name = "NAME"
        def forward(self, x):
            return x + FORMULA
        def derivative(self, x, y):
            return 1 + FORMULA - FORMULA + SLOPE
    return Wiggle

Wiggle = maker(0.5)
"""


def own_class(name: str, formula: str, slope: str, *edit: str, head: str = "") -> type:
    """Define the class as a notebook does: in a namespace, with no source file."""
    text = WIGGLE.replace("FORMULA", formula).replace("SLOPE", slope).replace("NAME", name)
    text = text.replace("HEAD", head)
    if edit:
        assert edit[0] in text
        text = text.replace(*edit)
    module = ModuleType("notebook")
    exec(compile(text, "<cell>", "exec"), vars(module))
    sys.modules["notebook"] = module
    found: type = module.Wiggle
    return found


SINE, COSINE = "{} * np.sin(x)", "{} * np.cos(x)"
EDITS = {
    "the method": ("0.5 * np.sin(x)", "0.5 * np.cos(x)", "0.5 *", "0.7 *"),
    "a constant": ("SCALE * np.sin(x)", "SCALE * np.cos(x)", "SCALE = 0.5", "SCALE = 0.7"),
    "a function": ("scaled(np.sin(x))", "scaled(np.cos(x))", "return by", "return 1.4 * by"),
    "a default": ("scaled(np.sin(x))", "scaled(np.cos(x))", "by=0.5", "by=0.7"),
    "a closure": ("by * np.sin(x)", "by * np.cos(x)", "maker(0.5)", "maker(0.7)"),
    "a table": ("held(1) * np.sin(x)", "held(1) * np.cos(x)", "1: 0.5", "1: 0.7"),
    "a text": ("named() * np.sin(x)", "named() * np.cos(x)", "['0.5'", "['0.7'"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_what_a_users_class_refers_to_is_other_code(edit):
    formula, slope, before, after = EDITS[edit]
    same, reworded, edited = (
        code_digest([own_class("own_edited", formula, slope, *change)])
        for change in ((), ("gentle", "steep"), (before, after))
    )
    assert same == reworded != edited


def test_what_a_users_class_computes_decides_whether_its_run_is_reused(capsys):
    formula, slope, before, after = EDITS["a closure"]
    words = [*QUICK, "hydra.run.dir=it"]
    first = run(words, activation=own_class("own_cell", formula, slope)())
    again = run(words, activation=own_class("own_cell", formula, slope)())
    assert again.summary == first.summary and capsys.readouterr().err == ""
    edited = own_class("own_cell", formula, slope, before, after)
    new = run(words, activation=edited())
    assert "another version of your own code" in only_line(capsys)
    fresh = run([*QUICK, "hydra.run.dir=fresh"], activation=edited())
    assert (new.path / "history.csv").read_bytes() == (fresh.path / "history.csv").read_bytes()
    assert not np.array_equal(new.history["train_loss"], first.history["train_loss"])


def test_what_code_that_cannot_be_looked_into_gives_decides(capsys):
    head = (
        "import threading; lock = threading.Lock()\nhalf = np.frompyfunc(lambda x: 0.5 * x, 1, 1)"
    )
    formula = "(half(np.sin(x)).astype(np.float64) + lock.locked()).astype(x.dtype)"
    for edit, expected in (((), ""), ((), ""), (("0.5 * x", "0.7 * x"), "your own code")):
        slope = "0.7 * np.cos(x)" if edit else "0.5 * np.cos(x)"
        cls = own_class("own_opaque", formula, slope, *edit, head=head)
        run([*QUICK, "hydra.run.dir=it"], activation=cls())
        assert expected in capsys.readouterr().err and Path(".old/it").is_dir() == bool(expected)


MODULES = {
    "extensions=[own_file.py]": {
        "own_file.py": "from own_helper import scaled",
        "own_helper.py": "def scaled(z):\n    return 0.5 * z",
    },
    "extensions=[own_late.py]": {
        "own_late.py": "def scaled(z):\n    import own_late_f\n    return own_late_f.f(z)",
        "own_late_f.py": "def f(z):\n    return 0.5 * z",
    },
    "extensions=[own_module]": {
        "own_module.py": "import own_package.inner",
        "own_package/inner.py": "SCALE = 0.5\ndef scaled(z):\n    return SCALE * z",
    },
}


@pytest.mark.parametrize("extension", MODULES)
def test_an_edited_module_that_an_extension_imports_counts_at_once(extension, capsys):
    files = MODULES[extension]
    (main_file, head), (helper, text) = files.items()
    call = "own_package.inner.scaled" if "package" in helper else "scaled"
    name = main_file.removesuffix(".py")
    body = WIGGLE[: WIGGLE.index("SCALE")] + WIGGLE[WIGGLE.index("def maker") :]
    body = body.replace("HEAD", head).replace("NAME", name)
    body = body.replace("FORMULA", f"{call}(np.sin(x))").replace("SLOPE", f"{call}(np.cos(x))")
    Path(helper).parent.mkdir(exist_ok=True)
    Path(main_file).write_text(body)
    words = [*QUICK, extension, f"activation={name}", "hydra.run.dir=it"]
    losses = []
    for factor in ("0.5", "0.5", "0.75"):
        Path(helper).write_text(text.replace("0.5", factor))
        Path(main_file).write_text(f"{body}\nclass Another:\n    pass\n")
        losses.append(run(words).history["train_loss"])
        err = capsys.readouterr().err
        assert ("your own code" in err) == (factor == "0.75")
    assert np.array_equal(losses[0], losses[1]) and not np.array_equal(losses[1], losses[2])


def test_a_users_own_data_set_counts(capsys):
    Path("conf/dataset").mkdir(parents=True)
    Path("conf/dataset/stripes.yaml").write_text(
        "name: stripes\nsamples: 60\nnoise: 0\ntest_fraction: 0.2\nvalidation_fraction: 0.2\n"
    )
    text = textwrap.dedent("""
        import numpy as np
        from runner.data import Dataset, register

        @register
        def stripes(samples, noise, rng):
            x = rng.random((samples, 2))
            return Dataset(x, (x[:, 0] * 4).astype(int) % 2, 2)
    """)
    words = ["-cd", "conf", "extensions=[own_data.py]", "dataset=stripes", *QUICK]
    for factor in ("4", "4", "6"):
        Path("own_data.py").write_text(text.replace("4", factor))
        assert main([*words, "hydra.run.dir=it"]) == 0
        assert ("your own code" in capsys.readouterr().err) == (factor == "6")


READS = {
    "a file": "float(pathlib.Path('scale.txt').read_text())",
    "an environment variable": "float(os.environ['SCALE'])",
    "a global by its name": "globals()['Z' + 'Z']",
    "a default changed in place": "scaled.__defaults__[0]",
}


def set_what_is_read(cls: type, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("scale.txt").write_text(str(value))
    monkeypatch.setenv("SCALE", str(value))
    vars(sys.modules["notebook"])["ZZ"] = value
    sys.modules["notebook"].scaled.__defaults__ = (value,)


@pytest.mark.parametrize("read", READS)
def test_what_a_users_class_reads_while_it_computes_counts(read, capsys, monkeypatch):
    """It is reused, and its network given, where it computes what it did when it was trained."""
    name, scale = f"own_reading_{list(READS).index(read)}", READS[read]
    cls = own_class(name, f"{scale} * np.sin(x)", f"{scale} * np.cos(x)", head="import os, pathlib")
    words, losses = [*QUICK, "hydra.run.dir=it"], []
    for value, expected in ((0.5, ""), (0.5, ""), (0.75, "your own code")):
        set_what_is_read(cls, value, monkeypatch)
        losses.append(run(words, activation=cls()).history["train_loss"])
        assert expected in capsys.readouterr().err
    assert np.array_equal(losses[0], losses[1]) and not np.array_equal(losses[1], losses[2])
    stored = load_run("it")
    stored.network()
    set_what_is_read(cls, 0.5, monkeypatch)
    for network in (stored.network, stored.initial_network):
        with pytest.raises(ValueError, match=r"another version of your own code, .*; run it again"):
            network()
    assert draw(["it"]) == 2 and "run it again" in only_line(capsys)
    assert not list(Path("it").glob("*.png"))


def test_the_table_that_a_users_data_set_reads_counts(capsys):
    """A change of one number that only the second seed's samples hold, too."""
    Path("conf/dataset").mkdir(parents=True)
    Path("conf/dataset/table.yaml").write_text(
        "name: table\nsamples: 60\nnoise: 0\ntest_fraction: 0.2\nvalidation_fraction: 0.2\n"
    )
    Path("own_table.py").write_text(
        textwrap.dedent("""
        import numpy as np
        from runner.data import Dataset, register

        @register
        def table(samples, noise, rng):
            rows = np.loadtxt("my.csv")[rng.permutation(90)[:samples]]
            return Dataset(rows[:, :2], rows[:, 2], 2)
    """)
    )
    rows = np.random.default_rng(0).random((90, 3)).round(6)
    rows[:, 2] = np.arange(90) % 2
    drawn = [np.random.default_rng([k, streams.DATA_STREAM]).permutation(90)[:60] for k in (0, 1)]
    words = ["-cd", "conf", "extensions=[own_table.py]", "dataset=table", *QUICK]
    try:
        for change, expected in ((0, ""), (0, ""), (1e-6, "other data or settings that your own")):
            rows[np.setdiff1d(drawn[1], drawn[0])[0], 0] += change
            np.savetxt("my.csv", rows)
            assert main([*words, "hydra.run.dir=it"]) == 0
            assert (expected in capsys.readouterr().err) and (
                not expected or len(os.listdir(".old")) == 1
            )
        stored = load_run("it")
        assert stored.data().train_x.shape == (2, 36, 2)
        np.savetxt("my.csv", rows[::-1])
        for read in (stored.data, stored.network):
            with pytest.raises(ValueError, match="of your own code, or of files it reads"):
                read()
    finally:
        shapes.DATASETS.forget(shapes.DATASETS["table"].__module__)
    with pytest.raises(ValueError, match=r"'table' is unknown; if own_table.py defines it"):
        load_run("it").network()


# Configs whose names collide


def test_two_configs_with_one_name_are_told_apart(capsys, monkeypatch, sweeps_in_this_process):
    """These seeds' digests share their first 32 bits, which were all that was compared."""
    seeds = ("3581", "58370")
    assert main(["-m", f"seed={','.join(seeds)}", *QUICK]) == 0
    assert "sweep of 2 jobs" in capsys.readouterr().out
    monkeypatch.setattr("runner.config.experiment.DIGITS_IN_NAMES", 0)
    assert main([*QUICK, f"seed={seeds[0]}"]) == 0
    before = contents("outputs/runs/tanh_moons_")
    capsys.readouterr()
    assert main([*QUICK, f"seed={seeds[1]}"]) == 2
    assert "outputs/runs/tanh_moons_ holds another run already" in only_line(capsys)
    assert contents("outputs/runs/tanh_moons_") == before
    for count in ("sweep of 2 jobs", "2 of them finished already"):
        assert main(["-m", f"seed={','.join(seeds)}", *QUICK, "hydra.sweep.dir=s"]) == 0
        assert count in capsys.readouterr().out
    assert {load_run(path.parent).config.seed for path in Path("s").glob("*/summary.json")} == {
        int(seed) for seed in seeds
    }


# The user's own folders


def test_only_our_own_files_are_ever_removed():
    mine = [".git.backup/a", ".it.backup/a", ".unfinished-mine/a", "other.interrupted/a",
            ".unfinished-b/summary.json/a"]  # fmt: skip
    for name in mine:
        Path(name).parent.mkdir(parents=True)
        Path(name).write_text("mine")
        os.utime(Path(name).parent, (0, 0))
    os.utime(".unfinished-b", (0, 0))
    for name in (".it.link", ".unfinished-link", "it.link"):
        Path(name).symlink_to("nowhere")
    left = Path(".unfinished-x")
    left.mkdir()
    for name in ("config.yaml", ".weights.npz.123"):
        (left / name).write_text("")
    os.utime(left, (0, 0))
    for name in ("it", "git", "it.interrupted"):
        assert main([*QUICK, f"hydra.run.dir={name}", f"seed={len(name)}"]) == 0
    assert [Path(name).read_text() for name in mine] == ["mine"] * len(mine)
    assert not left.exists() and os.path.islink(".it.link")
    assert load_run("it.interrupted").summary["status"] == "complete"


def test_a_folder_of_yours_where_a_run_would_be_kept_is_refused_and_left_alone(capsys):
    Path("notes.interrupted").mkdir()
    Path("notes.interrupted/a").write_text("mine")
    assert main([*QUICK, "hydra.run.dir=notes"]) == 2
    assert "notes.interrupted holds other files" in only_line(capsys)
    assert os.listdir() == ["notes.interrupted"] and os.listdir("notes.interrupted") == ["a"]


def test_files_of_yours_beside_a_checkpoint_stay(monkeypatch):
    monkeypatch.setattr("runner.training.checkpoint.SECONDS_BETWEEN", 0.0)
    from runner import execute

    def noted(*arguments: object) -> object:
        training = train(*arguments)  # type: ignore[arg-type]
        assert Path("it.interrupted", CHECKPOINT).is_file()
        Path("it.interrupted/a").write_text("mine")
        return training

    train = execute.train
    monkeypatch.setattr("runner.execute.train", noted)
    assert main([*QUICK, "hydra.run.dir=it"]) == 0
    assert os.listdir("it.interrupted") == ["a"]


# Checked before anything is written


@pytest.mark.parametrize("length", [243, 244, 254, 256])
def test_a_name_that_is_too_long_is_refused_before_training(monkeypatch, capsys, length):
    if length == 243:
        assert main([*QUICK, "hydra.run.dir=" + "x" * length]) == 0
        assert main([*QUICK, "hydra.run.dir=" + "x" * length]) == 0
        return
    monkeypatch.setattr("runner.execute.train", None)
    for words in (["hydra.run.dir=" + "x" * length], ["hydra.run.dir=" + "x/" * 2100 + "it"]):
        assert main([*QUICK, *words]) == 2
        assert "too long" in only_line(capsys) and not os.listdir()
    if length > 255:
        assert main(["-m", "activation=relu", *QUICK, "hydra.sweep.dir=" + "x" * length]) == 2
        assert "too long" in only_line(capsys) and not os.listdir()


@pytest.mark.parametrize("seed", [0, 1])
def test_the_split_of_every_seed_is_checked_before_anything_is_written(capsys, seed):
    """A seed whose validation samples are all of one class is found by counting."""
    base = ["dataset.samples=14", "training.batch_size=1", "training.epochs=1", "plots=none"]
    one = compose([*base, "replicates=1", "seed=20"]).experiment
    own = {k: v for k, v in one.dataset.items() if k != "name"}
    for wrong in range(20, 400):
        labels = shapes.make("moons", wrong, own).labels
        order = np.random.default_rng([wrong, streams.SPLIT_STREAM]).permutation(14)
        if any(len(set(labels[part])) < 2 for part in np.split(order, [3, 6])):
            break
    first = wrong - 7 - seed
    assert main([*base, f"replicates={9 + seed}", f"seed={first}"]) == 2
    assert f"(seed {wrong})" in only_line(capsys) and not os.listdir()
    assert main(["-m", *base, "activation=relu,tanh", "replicates=20", f"seed={first}"]) == 2
    assert f"(seed {wrong})" in capsys.readouterr().err and not os.listdir()


# Damage


@pytest.mark.parametrize("name", ["config.yaml", "history.csv", "weights.npz", "summary.json"])
def test_a_damaged_run_is_trained_anew_and_kept(capsys, name):
    assert main([*QUICK, "hydra.run.dir=it"]) == 0
    whole = contents("it")
    for damage in (b"", whole[name][:-1] + b"?", None):
        path = Path("it", name)
        path.write_bytes(damage) if damage is not None else path.unlink()
        damaged = contents("it")
        capsys.readouterr()
        assert main([*QUICK, "hydra.run.dir=it"]) == 0
        line = only_line(capsys)
        assert line.startswith("note: it cannot be used (") and name in line
        assert contents("it")["weights.npz"] == whole["weights.npz"]
        assert contents(sorted(Path(".old").iterdir())[-1]) == damaged


def test_a_power_cut_that_emptied_all_files_does_not_block_the_command():
    assert main([*QUICK, "hydra.run.dir=it"]) == 0
    for path in Path("it").iterdir():
        path.write_bytes(b"")
    assert main([*QUICK, "hydra.run.dir=it"]) == 0
    assert load_run("it").summary["status"] == "complete"


def test_a_checkpoint_with_any_flipped_bit_is_told_and_not_used(monkeypatch):
    from runner.training.checkpoint import Checkpointer
    from runner.training.train import train

    monkeypatch.setattr("runner.training.checkpoint.SECONDS_BETWEEN", 0.0)
    experiment = compose(QUICK).experiment
    whole = train(experiment, checkpointer=Checkpointer(Path("it"), experiment))
    path = Path("it.interrupted", CHECKPOINT)
    content = path.read_bytes()
    random = np.random.default_rng(0)
    headers = [k + 6 for k in range(len(content)) if content[k : k + 2] == b"PK"]
    for place in [*headers, *random.integers(0, len(content), 30).tolist()]:
        notes: list[str] = []
        flipped = content[place] ^ (1 << int(random.integers(8)))
        path.write_bytes(content[:place] + bytes([flipped]) + content[place + 1 :])
        assert Checkpointer(Path("it"), experiment, notes.append).load() is None
        assert len(notes) == 1 and "checkpoint.npz is damaged" in notes[0]
    found = train(experiment, checkpointer=Checkpointer(Path("it"), experiment))
    assert all(found.final[k].tobytes() == whole.final[k].tobytes() for k in whole.final)


def test_weights_with_any_flipped_bit_are_read_or_refused_in_a_line():
    """Of somebody who made the checksums fit."""
    whole = run([*QUICK, "hydra.run.dir=it"])
    content = Path("it/weights.npz").read_bytes()
    random = np.random.default_rng(0)
    headers = [k + 6 for k in range(len(content)) if content[k : k + 2] == b"PK"]
    refused = 0
    for place in [*headers, *random.integers(0, len(content), 30).tolist()]:
        stored = dataclasses.replace(whole)  # which has not read its weights yet
        flipped = content[place] ^ (1 << int(random.integers(8)))
        Path("it/weights.npz").write_bytes(
            content[:place] + bytes([flipped]) + content[place + 1 :]
        )
        try:
            assert all(name.split(".")[-2].startswith("layer") for name in stored.weights)
        except ValueError as error:
            refused += 1
            assert "weights.npz" in str(error)
        Path("it/weights.npz").write_bytes(content)
    assert refused > 20


# Units


@pytest.mark.parametrize("dataset", ["moons", "blobs"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_runs_network_takes_what_its_data_are_in(dataset, dtype):
    words = [f"dataset={dataset}", f"dtype={dtype}", "replicates=2", "plots=none"]
    result = run([*words, "dataset.samples=200", "training.epochs=20"])
    data, network = result.data(), result.network()
    entries = result.summary["replicates"]
    logits = network.logits(data.test_x)
    classes = logits.argmax(axis=-1) if dataset == "blobs" else logits[..., 0] > 0
    found = (classes == data.test_labels).mean(axis=1)
    np.testing.assert_allclose(found, [e["final"]["test_accuracy"] for e in entries], rtol=1e-8)
    own = {k: v for k, v in result.config.dataset.items() if k != "name"}
    points = shapes.make(dataset, 1, own).x  # as anybody would make them, in no part's order
    with np.load(result.path / "weights.npz") as stored:
        w = {name: stored[name][1].astype(np.float64) for name in stored.files}
    train = data.train_x[1]
    y = (points - train.mean(axis=0)) / train.std(axis=0)
    for layer in (1, 2):
        y = np.tanh(y @ w[f"layer{layer}.weight"] + w[f"layer{layer}.bias"])
    z = y @ w["layer3.weight"] + w["layer3.bias"]
    if dataset == "moons":
        expected = 1 / (1 + np.exp(-z))
    else:
        expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network.probabilities(points)[1], expected, atol=1e-5)
    assert {tuple(row) for row in data.train_x[1]} < {tuple(row) for row in points}
    with pytest.raises(ValueError, match=r"x must be \(batch, 2\) or"):
        network.probabilities(points[:, :1])
    with pytest.raises(ValueError, match=r"x must be \(batch, 2\) or"):
        network.probabilities(points[0])
