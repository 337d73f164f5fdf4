"""Processes: children end with their parent, signals end a command at once and in one line,
and neither a closed stream nor a Matplotlib that cannot be loaded costs work."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

import runner
from runner.__main__ import main
from runner.compare import pictures
from runner.compare.pictures import draw_all
from runner.config.catalogue import CONFIG_DIR, VERSION_BASE
from runner.plots.__main__ import main as redraw
from runner.plots.artist import Artist, DrawingError
from runner.sweep import pool
from runner.system.processes import run_jobs
from tests.commands import environment

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_an_empty_folder")]

QUICK = ["training.epochs=1", "dataset.samples=60", "replicates=1"]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, forks")


def start(*words: str, **how) -> subprocess.Popen[str]:
    """Start Python in a process group of its own, as a shell does."""
    how.setdefault("stdout", subprocess.PIPE)
    return subprocess.Popen(
        [sys.executable, *words],
        env=environment(**how.pop("env", {})),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        **how,
    )


def wait_until(true, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


def catches(pid: int, number: int) -> bool:
    """Return whether a process handles a signal (SIGTERM: which Python itself does not)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (caught,) = (int(line.split()[1], 16) for line in lines if line.startswith("SigCgt"))
    return bool(caught >> (number - 1) & 1)


def group(leader: int) -> list[str]:
    """Return the living processes of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                state, _, number = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if number == str(leader) and state not in "ZX":
                found.append(entry.name)
    return found


BUSY = """
import sys, time
from runner.plots.artist import Artist
from runner.system.processes import run_jobs
def work(job):
    print(job, flush=True)
    while True:
        time.sleep(1)
if __name__ == "__main__":
    sys.modules["busy"] = sys.modules["__main__"]
    drawer = Artist.start()
    list(run_jobs(work, [1, 2], 2, start=sys.argv[1]))
"""


@on_linux
@pytest.mark.parametrize("how", ["spawn", "fork"])
def test_children_of_a_killed_parent_end(how):
    Path("busy.py").write_text(BUSY)
    with start("busy.py", how) as process:
        assert {process.stdout.readline(), process.stdout.readline()} == {"1\n", "2\n"}
        assert len(group(process.pid)) > 2
        process.kill()
        process.wait()
        wait_until(lambda: not group(process.pid), 5)
        assert "Traceback" not in process.stderr.read()


def _die(job):
    os.kill(os.getpid(), signal.SIGKILL if job else signal.SIGTERM)


@on_linux
def test_a_forked_worker_that_dies_is_told():
    handler = signal.signal(signal.SIGTERM, lambda *received: None)
    try:  # which a child must not inherit
        ended = dict((k, why) for k, _, why in run_jobs(_die, [0, 1, 0], 2, start="fork"))
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert [ended[k].split()[-1] for k in range(3)] == ["SIGTERM", "memory", "SIGTERM"]


def dies(comparison):
    _die(1)


def fine(comparison):
    return {"fine": SimpleNamespace(encode=str.encode)}


@on_linux
def test_a_killed_drawing_process_costs_its_picture_only(monkeypatch):
    monkeypatch.setattr(pictures, "DRAWN", (dies, fine))
    monkeypatch.setattr(pictures, "available_cores", lambda: 2)
    # The tests' own threads, which a command does not have, would keep it from forking.
    monkeypatch.setattr(pictures.threading, "active_count", lambda: 1)
    drawn, undrawn = draw_all(SimpleNamespace(runs=[]), "svg")
    assert drawn == {"fine.svg": b"svg"}
    assert [(p.path, p.reason.split(",")[0]) for p in undrawn] == [
        ("dies", "its process was killed by SIGKILL")
    ]


@on_linux
@pytest.mark.parametrize(
    ("module", "word"),
    [("runner", "activation=tanh"), ("runner", "-m"), ("runner.compare", "."),
     ("runner.plots", "."), ("runner.plots.gallery", "tanh")],
)  # fmt: skip
def test_two_ctrl_c_while_a_command_starts_end_it_in_a_line(module, word):
    with start("-m", module, word) as process:
        wait_until(lambda: catches(process.pid, signal.SIGTERM))
        for _ in range(2):
            os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 128 + signal.SIGINT
        assert out == "" and err == "interrupted; the same command resumes the work\n"
        wait_until(lambda: not group(process.pid), 5)


@on_linux
@pytest.mark.parametrize(
    ("words", "drawn"),
    [(["runner", "hydra.run.dir=it", *QUICK], 6),
     (["runner.plots.gallery", "--output=it", "tanh"], 1)],
)  # fmt: skip
@pytest.mark.parametrize("backend", ["module://not_installed.backend_inline", "unknown"])
def test_no_backend_reaches_a_command(words, drawn, backend):
    with start("-m", *words, env={"MPLBACKEND": backend}) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == ""
    assert len(list(Path("it").glob("*.png"))) == drawn


@on_linux
@pytest.mark.parametrize("drawn", ["here", "by the artist", "in a sweep"])
def test_a_matplotlib_that_cannot_be_loaded_costs_the_pictures_only(capsys, monkeypatch, drawn):
    def fail():
        raise ImportError("no module named kiwisolver")

    monkeypatch.setattr("runner.plots.load", fail)
    reason = "it: the pictures cannot be drawn: ImportError: no module named kiwisolver ("
    if drawn == "in a sweep":
        monkeypatch.setattr(pool, "run_jobs", _here)
        assert main(["-m", *QUICK, "seed=1,2"]) == 1
        assert capsys.readouterr().err.count("the pictures cannot be drawn") == 2
        assert len(list(Path("outputs/sweeps").glob("*/*/weights.npz"))) == 2
        return
    assert main([*QUICK, "hydra.run.dir=it"]) == 1
    if drawn == "by the artist":
        artist = Artist.start()
        with pytest.raises(DrawingError, match=re.escape(reason)):
            artist.draw([], Path("it"), "png")
        artist.close()
    assert capsys.readouterr().err.startswith(f"error: {reason}")
    assert redraw(["it"]) == 1
    assert reason in capsys.readouterr().err
    assert runner.load_run("it").history["train_loss"].size


def _here(work, jobs, processes, **how):
    for index, job in enumerate(jobs):
        try:
            yield index, work(job), None
        except Exception as error:
            yield index, None, str(error)


@on_linux
def test_an_artist_that_has_died_is_no_closed_stdout(tmp_path):
    artist = Artist.start()
    os.kill(artist.worker.process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, artist.worker.process.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(DrawingError, match="it: the pictures cannot be drawn: its process"):
        artist.draw([], tmp_path / "it", "png")
    artist.close()


def test_a_job_whose_folder_goes_in_mid_sweep_is_told(capsys, monkeypatch):
    def losing(*arguments, **how):
        yield from _here(*arguments, **how)
        shutil.rmtree(next(Path("outputs").rglob("tanh_*")))

    words = ["-m", "activation=relu,tanh", "plots=none", *QUICK]
    with monkeypatch.context() as patch:
        patch.setattr(pool, "run_jobs", losing)
        assert main(words) == 1
    failed, repeat = capsys.readouterr().err.splitlines()[-2:]
    assert failed.startswith("failed: tanh_moons_") and "its folder is gone" in failed
    assert main([word.strip("'") for word in repeat.split()[4:]]) == 0


CHATTER = """
import sys
from runner.system.command import prepare
prepare()
from tqdm import tqdm
for number in tqdm(range(1000), file=sys.stderr):
    print("a line" * 100)
    print("a line", file=sys.stderr)
with open("done", "w") as done:
    done.write("all")
"""


@on_linux
@pytest.mark.parametrize("redirection", ["| head -1", ">&-", "2>&-", ">&- 2>&- <&-", "2>&1 | true"])
def test_work_goes_on_when_nobody_listens(redirection):
    Path("chatter.py").write_text(CHATTER)
    line = f"set -o pipefail; {sys.executable} chatter.py {redirection}"
    done = subprocess.run(["bash", "-c", line], env=environment(), capture_output=True, timeout=60)
    assert done.returncode == 0 and b"Error" not in done.stderr
    assert Path("done").read_text() == "all"


@on_linux
def test_what_cannot_be_said_for_a_full_disk_is_an_error_told_once():
    with open("/dev/full", "w") as full, start("-m", "runner", "--version", stdout=full) as it:
        assert it.stderr.read() == "error: No space left on device\n"
    assert it.returncode == 1


def test_a_program_of_hydras_keeps_its_state():
    with initialize_config_dir(str(CONFIG_DIR), **VERSION_BASE):
        HydraConfig.instance().set_config(compose("config", return_hydra_config=True))
        before = HydraConfig.get()
        runner.run([*QUICK, "plots=none"])
        assert HydraConfig.get() is before
        assert compose("config", ["seed=7"]).seed == 7
