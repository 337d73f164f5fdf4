"""Sweeps: all combinations of several values, in parallel, resumable, ending in a comparison.

A job is known by its config's digest: its folder either holds it finished, or it is still to
do. So the same command runs only what is missing, and more values on an axis only the new.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException

from runner.choices import ConfigError
from runner.composer import Composer, parsed, text_of
from runner.composition import (
    GROUPS,
    choices,
    composed,
    explain,
    extensions_of,
    plain,
    refuse_key,
    refuse_several_experiments,
)
from runner.config import Experiment
from runner.execution import execute, repeat_command
from runner.extensions import load_extensions
from runner.interruption import exit_status
from runner.printable import one_line
from runner.run_folder import holds_whole, make_parent
from runner.whole_files import write_whole
from runner.workers import available_cores, run_jobs

MOST_JOBS = 100_000
"""Beyond this a sweep is taken for a slip of the hand, such as a range that is too fine."""

SWEEPS = Path("outputs/sweeps")


@dataclass(frozen=True)
class Job:
    """One combination: its overrides, its checked config, and the folder it belongs in."""

    overrides: tuple[str, ...]
    config_dir: str | None
    config: dict[str, Any]
    folder: Path

    @property
    def command(self) -> str:
        """The shell line that runs this job alone."""
        words = ["--config-dir", self.config_dir] if self.config_dir else []
        return repeat_command([*words, *self.overrides])

    @property
    def experiment(self) -> Experiment:
        """The experiment, checked when the sweep was planned."""
        return Experiment.from_dict(self.config, check=False)


@dataclass(frozen=True)
class Failure:
    """A job that left no finished run, and why."""

    job: Job
    reason: str

    def __str__(self) -> str:
        return f"{self.job.folder.name}: {self.reason}"


@dataclass(frozen=True)
class Plan:
    """A sweep's jobs, all checked, its folder, and the key that validation data choose."""

    jobs: list[Job]
    folder: Path
    tune: str | None
    launcher: bool


def plan(overrides: Sequence[str], config_dir: str | None = None) -> Plan:
    """Return what a sweep is to do.

    Axes come from the command line and from the ``sweep`` section of an experiment file, the
    former first. The activation named by ``placebo`` runs once more with the seeds after its
    own: what differs between the two is noise. The folder's name stands for what is swept and
    what is fixed, not for the values, so that a sweep may grow.

    Raises ConfigError, one line, if any combination is wrong.
    """
    load_extensions(extensions_of(overrides))
    refuse_several_experiments(overrides)
    refuse_key(overrides, "hydra.run.dir", "is a run's folder; a sweep's is hydra.sweep.dir")
    said = [parsed(word) for word in overrides]
    fixed = [o for o in said if not o.is_sweep_override()]
    axes = [o for o in said if o.is_sweep_override()]
    keys = [o.get_key_element() for o in said]
    config = plain(composed([text_of(o) for o in fixed], config_dir))
    for key, values in _section_of_axes(config).items():
        if key not in keys:
            axes.append(parsed(f"{key}={values}"))
    folder = _sweep_folder(fixed, axes, config_dir)
    own = [o for o in said if not o.get_key_element().startswith("hydra")]
    composer = Composer(config_dir, overrides)
    jobs: dict[Path, Job] = {}
    several = [_values(axis) for axis in axes]
    count = math.prod(map(len, several))
    if count > MOST_JOBS:
        widest = text_of(axes[max(range(len(axes)), key=lambda k: len(several[k]))])
        raise ConfigError(
            f"{widest} makes a sweep of {count:,} jobs or more; the most is {MOST_JOBS:,}"
        )
    for values in itertools.product(*several):
        pairs = zip(axes, values, strict=True)
        chosen = {axis.get_key_element(): value for axis, value in pairs}
        words = [
            f"{key}={chosen.pop(key)}" if (key := o.get_key_element()) in chosen else text_of(o)
            for o in own
        ]
        words += [f"{key}={value}" for key, value in chosen.items()]
        experiment = composer.experiment(words)
        wanted = [(words, experiment)]
        if config.get("placebo") == experiment.activation["name"]:
            words = [word for word in words if not word.startswith("seed=")]
            words.append(f"seed={experiment.seed + experiment.replicates}")
            wanted.append((words, composer.experiment(words)))
        for words, experiment in wanted:
            target = folder / experiment.folder_name
            jobs.setdefault(target, Job(tuple(words), config_dir, experiment.to_dict(), target))
    launcher = "hydra/launcher" in keys
    return Plan(list(jobs.values()), folder, _tuned(config, list(jobs.values())), launcher)


def _section_of_axes(config: dict[str, Any]) -> dict[str, Any]:
    """Return the axes of an experiment file. Raises ConfigError."""
    axes = config.get("sweep") or {}
    if not isinstance(axes, dict):
        raise ConfigError(
            f'sweep must be axes by key, e.g. {{activation: "relu,tanh"}}; got {axes!r}'
        )
    return axes


def _tuned(config: dict[str, Any], jobs: list[Job]) -> str | None:
    """Return the key that validation data choose. Raises ConfigError if no job has it."""
    tune: str | None = config.get("tune")
    if tune is None:
        return None
    from runner.compare.runs import flatten
    from runner.compare.scores import refuse_unknown

    try:
        refuse_unknown(tune, [flatten(job.config) for job in jobs])
    except ValueError as error:
        raise ConfigError(f"tune: {error}") from None
    return tune


def sweep(overrides: Sequence[str], config_dir: str | None = None) -> int:
    """Run what is missing of a sweep, compare all of it; return the exit status.

    One job that fails, diverges or is killed costs only itself; failed jobs are listed at the
    end and make the status 1. Ctrl-C ends at once (130) and still compares what is finished.
    Raises ConfigError if any combination is wrong, before anything is made.
    """
    planned = plan(overrides, config_dir)
    jobs, folder = planned.jobs, planned.folder
    missing = [job for job in jobs if not holds_whole(job.folder, job.experiment)]
    there = len(jobs) - len(missing)
    print(
        f"sweep of {len(jobs)} jobs in {folder}"
        + (f", {there} of them finished already" if there else "")
    )
    if missing:
        make_parent(missing[0].folder)
    if planned.launcher and missing:
        from runner.launch import launch

        failures, stop = launch(missing, overrides, folder), None
    else:
        failures, stop = _run(missing)
    finished = [job.folder for job in jobs if holds_whole(job.folder, job.experiment)]
    _write_failures(folder, failures)
    if finished:
        _compare(finished, folder, failures, planned.tune)
    for failure in failures:
        print(f"failed: {one_line(failure)}", file=sys.stderr)
        print(f"  repeat: {one_line(failure.job.command)}", file=sys.stderr)
    if stop:
        left = len(jobs) - len(finished)
        print(f"interrupted: {left} jobs are left; the same command runs them", file=sys.stderr)
        return exit_status(stop)
    return 1 if failures else 0


def run_job(job: Job) -> str:
    """Carry out one job in whatever process this is; returns how it ended in a few words."""
    load_extensions(job.experiment.extensions)  # a worker process has not seen them
    run, _ = execute(
        job.experiment,
        job.folder,
        command=job.command,
        show_progress=False,
        stops_on_signal=False,  # the sweep ends its workers at once
    )
    final = run.summary["together"]["final"]
    means = [(part, final[f"{part}_accuracy"]["mean"]) for part in ("test", "train")]
    diverged = sum(entry["status"] == "diverged" for entry in run.summary["replicates"])
    words = [f"{part} accuracy {mean:.3f}" for part, mean in means if mean is not None][:1]
    words += [f"{diverged} diverged"] if diverged else []
    return ", ".join(words)


def _run(jobs: list[Job]) -> tuple[list[Failure], KeyboardInterrupt | None]:
    failures: list[Failure] = []
    if not jobs:
        return failures, None
    progress = _Progress(len(jobs))
    ended = run_jobs(run_job, jobs, min(available_cores(), len(jobs)))
    try:
        for index, words, reason in ended:
            job = jobs[index]
            if reason is not None:
                failures.append(Failure(job, reason))
            progress.tell(job.folder.name, reason or words, len(failures))
    except KeyboardInterrupt as stop:
        return failures, stop
    finally:
        ended.close()
        progress.close()
    return failures, None


class _Progress:
    """One moving line on a terminal, one line a job elsewhere."""

    def __init__(self, total: int) -> None:
        from tqdm import tqdm

        self.total, self.done, self.started = total, 0, time.perf_counter()
        self.bar = tqdm(total=total, desc="sweep", unit="job", disable=None, leave=False)

    def tell(self, name: str, words: str, failures: int) -> None:
        self.done += 1
        if self.bar.disable:
            print(f"[{self.done}/{self.total}] {name}: {one_line(words)}", flush=True)
        else:
            self.bar.set_postfix_str(f"{failures} failed" if failures else "")
            self.bar.update()

    def close(self) -> None:
        self.bar.close()


def _compare(finished: list[Path], folder: Path, failures: list[Failure], tune: str | None) -> None:
    from runner.compare import Problem, compare
    from runner.compare.leaderboard import terminal

    problems = [
        Problem(failure.job.folder.name, failure.reason, failure.job.command)
        for failure in failures
    ]
    comparison = compare(finished, folder / "comparison", failures=problems, tune=tune)
    print(terminal(comparison))
    print(f"  report   {folder / 'comparison' / 'index.html'}")


def _write_failures(folder: Path, failures: list[Failure]) -> None:
    path = folder / "failures.txt"
    if not failures:
        path.unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{failure}\n  repeat: {failure.job.command}\n" for failure in failures]
    write_whole(path, "".join(lines))


def _values(axis: Override) -> list[str]:
    if not axis.is_sweep_override():
        return [text_of(axis).partition("=")[2]]
    wanted = axis.value()
    if isinstance(wanted, Glob):
        group = axis.get_key_element()
        if group not in GROUPS:
            raise ConfigError(f"{text_of(axis)}: only choices match; groups: {', '.join(GROUPS)}")
        found = wanted.filter(list(choices(group)))
        if not found:
            raise ConfigError(f"{text_of(axis)} matches none of: {', '.join(choices(group))}")
        return found
    try:
        values = list(itertools.islice(axis.sweep_string_iterator(), MOST_JOBS + 1))
    except HydraException as error:
        raise ConfigError(explain(error, [text_of(axis)])) from None
    except (ValueError, OverflowError) as error:  # such as a range whose step is 0
        raise ConfigError(f"cannot read the values of {text_of(axis)}: {error}") from None
    if not values:
        raise ConfigError(f"{text_of(axis)} has no values")
    return values


def _sweep_folder(fixed: list[Override], axes: list[Override], config_dir: str | None) -> Path:
    for override in fixed:
        if override.get_key_element() == "hydra.sweep.dir":
            return Path(str(override.value()))
    keys = [axis.get_key_element() for axis in axes]
    what = [*sorted(keys), "", *sorted(text_of(o) for o in fixed), config_dir or ""]
    digest = hashlib.sha256("\n".join(what).encode()).hexdigest()[:8]
    name = "-".join(key.rpartition(".")[2] for key in keys)[:80] or "single"
    return SWEEPS / f"{name}_{digest}"
