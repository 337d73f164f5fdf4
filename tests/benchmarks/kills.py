"""Kills and Ctrl-Cs at random moments: the same command afterwards gives the same bytes.

    python -m tests.benchmarks.kills                 200 disturbances: half an hour
    python -m tests.benchmarks.kills --kills=60      fewer

A run, a sweep and a comparison take turns. Each is disturbed by a signal to its first process
(SIGKILL, SIGTERM), to all of its processes as from a terminal (one Ctrl-C or two), or to a child
process (SIGKILL). Then the command must end in time without a traceback, all of its processes must
end within five seconds, and the same command must produce files that are byte-identical to those of
an undisturbed command. Linux only, because it reads /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.processes import environment, machine, table

SECONDS_TO_END, SECONDS_AFTER_TWO, SECONDS_FOR_ORPHANS = 120.0, 10.0, 5.0
QUICK = ["dataset.samples=200", "replicates=2"]
RUN = ["runner", "activation=tanh", "training.epochs=700", "hydra.run.dir=it", *QUICK]
SWEEP = ["runner", "-m", "activation=relu,tanh", "dataset=moons,xor"]
SWEEP += ["training.epochs=150", "plots=none", *QUICK]
COMPARE = ["runner.compare", "runs", "--output", "made"]
TAKES_TIMES = ("summary.json", "leaderboard.csv", "leaderboard.md", "leaderboard.tex", "index.html")
"""Files that contain the training time, which differs between two runs."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--kills", type=int, default=200, metavar="N", help="disturbances (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the random moments (default: 0)"
    )
    options = parser.parse_args()
    print(machine())
    tried, faults = disturb(options.kills, options.seed)
    stages = dict.fromkeys((name, stage) for name, stage, _ in sorted(tried))
    rows = [[*place, *(str(tried[(*place, how)]) for how in SIGNALS)] for place in stages]
    print(table(["command", "stage", *SIGNALS], rows))
    print(f"{sum(tried.values())} disturbances, {len(faults)} faults")
    sys.exit(1 if faults else 0)


def disturb(kills: int, seed: int = 0) -> tuple[Counter[tuple[str, str, str]], list[str]]:
    """Return the number of disturbances by (command, stage, signal), and all faults."""
    tried: Counter[tuple[str, str, str]] = Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        commands = _undisturbed(Path(scratch))
        for number in range(kills):
            moments = random.Random(f"{seed} {number}")
            command = commands[number % len(commands)]
            how = list(SIGNALS)[number // len(commands) % len(SIGNALS)]
            stage, found = command.disturbed(how, moments, Path(scratch) / f"trial{number}")
            tried[command.name, stage, how] += 1
            print(f"{number}: {command.name}, {stage}, {how}", *found, sep="\n  ", flush=True)
            faults += found
    return tried, faults


class Command:
    """A command, the files that it writes when undisturbed, and its time."""

    def __init__(self, name: str, words: list[str], runs: Path | None = None) -> None:
        self.name, self.words, self.runs = name, words, runs

    def start(self, folder: Path) -> subprocess.Popen[bytes]:
        folder.mkdir(exist_ok=True)
        if self.runs and not (folder / "runs").exists():
            (folder / "runs").symlink_to(self.runs)
        with open(folder / ".output", "ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", *self.words],
                cwd=folder,
                env=environment("all"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def measure(self, folder: Path) -> None:
        """Run the command undisturbed."""
        started = time.time()
        if self.start(folder).wait(SECONDS_TO_END) != 0:
            raise SystemExit((folder / ".output").read_text())
        self.seconds = time.time() - started
        if self.name == "run":
            summary = folder / "it/summary.json"
            training = json.loads(summary.read_text())["seconds"]["training"]
            self.start_seconds = summary.stat().st_mtime - started - training
        self.bytes = self.left_in(folder)

    def left_in(self, folder: Path) -> dict[str, bytes]:
        timed = () if self.runs else TAKES_TIMES
        return {
            str(path.relative_to(folder)): b"" if path.name in timed else path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name != ".output"
        }

    def stage(self, pid: int, folder: Path, elapsed: float) -> str:
        """Return the stage of the process, inferred from its folder, its children and the time."""
        if self.name == "run":
            if (folder / "it").exists():
                return "drawing"
            return "training" if elapsed > self.start_seconds else "start"
        if self.name == "compare":
            return "comparison" if _children(pid) else "start"
        if len(list(folder.glob("outputs/sweeps/*/*_*/summary.json"))) == 4:
            return "comparison"
        return "training" if (folder / "outputs").exists() else "start"

    def disturbed(self, how: str, moments: random.Random, folder: Path) -> tuple[str, list[str]]:
        """Return the stage in which the signal arrived, and the faults afterwards."""
        process, faults = self.start(folder), []
        started = time.perf_counter()
        until = started + moments.uniform(0, self.seconds)
        while process.poll() is None and not _handles_signals(process.pid):
            time.sleep(0.001)  # Python is still starting
        while process.poll() is None and time.perf_counter() < until:
            time.sleep(0.001)
        elapsed = time.perf_counter() - started
        running = process.poll() is None
        if not running:  # faster than when its time was measured
            self.seconds = elapsed
        stage = self.stage(process.pid, folder, elapsed) if running else "ended"
        SIGNALS[how](process.pid, moments)
        limit = SECONDS_AFTER_TWO if how == "two Ctrl-C" else SECONDS_TO_END
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            faults.append(f"has not ended after {limit:.0f} s")
        until = time.perf_counter() + SECONDS_FOR_ORPHANS
        while (left := list(_group(process.pid))) and time.perf_counter() < until:
            time.sleep(0.01)
        if left:
            faults.append(f"left {len(left)} processes behind")
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if self.start(folder).wait(SECONDS_TO_END) != 0:
            faults.append("the same command did not end well")
        output = (folder / ".output").read_text()
        if "Traceback" in output or "Exception ignored" in output:
            faults.append(output)
        after = self.left_in(folder)
        after = {name: content for name, content in after.items() if "/." not in name}
        wrong = sorted(n for n in {*after, *self.bytes} if after.get(n) != self.bytes.get(n))
        if wrong:
            faults.append(f"other bytes in {', '.join(wrong)}")
        return stage, faults


def _undisturbed(scratch: Path) -> list[Command]:
    sweep = Command("sweep", SWEEP)
    sweep.measure(scratch / "sweep")
    (runs,) = (scratch / "sweep/outputs/sweeps").iterdir()
    commands = [Command("run", RUN), sweep, Command("compare", COMPARE, runs)]
    for command in commands:
        if command is not sweep:
            command.measure(scratch / command.name)
    for command in commands:
        print(f"{command.name}: {command.seconds:.1f} s undisturbed")
    return commands


def _two(pid: int, moments: random.Random) -> None:
    _to_group(pid, signal.SIGINT)
    time.sleep(moments.choice([0.0, 0.05, 0.5]))
    _to_group(pid, signal.SIGINT)


def _to_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:  # it has ended
        pass


def _to_first(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _to_child(pid: int, moments: random.Random) -> None:
    children = _children(pid)
    if children:
        _to_first(moments.choice(children), signal.SIGKILL)


SIGNALS: dict[str, Callable[[int, random.Random], None]] = {
    "SIGKILL": lambda pid, moments: _to_first(pid, signal.SIGKILL),
    "Ctrl-C": lambda pid, moments: _to_group(pid, signal.SIGINT),
    "two Ctrl-C": _two,
    "SIGTERM": lambda pid, moments: _to_first(pid, signal.SIGTERM),
    "a child's SIGKILL": _to_child,
}


def _children(pid: int) -> list[int]:
    """Return the child processes, except multiprocessing's resource tracker."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        words = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in found}
    except OSError:
        return []
    return sorted(child for child, command in words.items() if b"resource_tracker" not in command)


def _handles_signals(pid: int) -> bool:
    """Return whether the process handles SIGTERM, which Python itself does not."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt")), 0)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def _group(pid: int) -> Iterator[int]:
    """Yield the living processes of a process group."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                state, _, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            except (OSError, ValueError):
                continue
            if int(group) == pid and state not in "ZX":
                yield int(entry.name)


if __name__ == "__main__":
    main()
