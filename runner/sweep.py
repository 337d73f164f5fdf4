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
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from runner.composer import Composer
from runner.config.catalogue import GROUPS, SEARCHPATH, choices
from runner.config.compose import composed, folder_in, plain
from runner.config.experiment import Experiment
from runner.config.extensions import load_extensions
from runner.config.overrides import Word, read
from runner.config.words import check_keys, extensions_of, refuse_as_axis, refuse_hydra_settings
from runner.execution import execute, refuse_long_names, repeat_command
from runner.plots import artist
from runner.results.find import find, holds_whole
from runner.results.write import OLD, make_parent, put_aside
from runner.system.files import write_whole
from runner.system.processes import available_cores, run_jobs
from runner.system.signals import Listener
from runner.system.terminal import ConfigError, note, one_line
from runner.training.fingerprint import fingerprint

MOST_JOBS = 100_000
"""Beyond this a sweep is taken for a slip of the hand, such as a range that is too fine."""

SWEEPS = Path("outputs/sweeps")


@dataclass(frozen=True)
class Job:
    """One combination: its overrides, its checked config, and the folder it belongs in."""

    overrides: tuple[str, ...]
    config: dict[str, Any]
    folder: Path

    @property
    def command(self) -> str:
        """The shell line that runs this job alone."""
        return repeat_command(self.overrides)

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
    """A sweep's jobs, all checked, its folder, and the key that validation data choose.

    ``remarks`` say what of an experiment file has nothing to do in this sweep.
    """

    jobs: list[Job]
    folder: Path
    tune: str | None
    launcher: bool
    remarks: list[str]


def plan(overrides: Sequence[str]) -> Plan:
    """Return what a sweep is to do.

    Axes come from the command line and from the ``sweep`` section of an experiment file, the
    former first. The activation named by ``placebo`` runs once more with the seeds after its
    own: what differs between the two is noise. The folder's name stands for what is swept and
    what is fixed, not for the values, so that a sweep may grow.

    Raises ConfigError, one line, if any combination is wrong.
    """
    words = read(overrides)
    refuse_hydra_settings(words, sweeps=True)
    load_extensions(extensions_of(overrides))
    fixed = [word for word in words if not word.is_axis]
    axes = [word for word in words if word.is_axis]
    composition = composed([word.typed for word in fixed])
    config = plain(composition)
    in_file = read([f"{key}={values}" for key, values in _section_of_axes(config).items()])
    said = [word.key for word in words]
    axes += [axis for axis in in_file if axis.key not in said]
    check_keys([*words, *in_file])
    for axis in axes:
        _refuse_as_axis(axis, words)
    folder = _sweep_folder(fixed, axes, composition)
    composer = Composer(overrides)
    several = [_values(axis) for axis in axes]
    count = math.prod(map(len, several))
    if count > MOST_JOBS:
        widest = axes[max(range(len(axes)), key=lambda k: len(several[k]))]
        raise ConfigError(
            f"{widest} makes a sweep of {count:,} jobs or more; the most is {MOST_JOBS:,}"
        )
    own = {word.key: word.text for word in words if not word.is_hydras}
    places = [str(word) for word in words if word.key == SEARCHPATH]
    jobs: dict[str, Job] = {}
    folders: set[Path] = set()
    placebo, met = config.get("placebo"), False
    for values in itertools.product(*several):
        chosen = {**own, **{axis.key: value for axis, value in zip(axes, values, strict=True)}}
        experiment = composer.experiment(_job(places, chosen))
        wanted = [(chosen, experiment)]
        if placebo == experiment.activation["name"]:
            met = True
            others = {**chosen, "seed": str(experiment.seed + experiment.replicates)}
            wanted.append((others, composer.experiment(_job(places, others))))
        for setting, experiment in wanted:
            if experiment.digest in jobs:
                continue
            target = folder / experiment.folder_name
            while target in folders:  # of another config with the same first digits
                target = target.with_name(f"{target.name}_2")
            folders.add(target)
            job = Job(tuple(_job(places, setting)), experiment.to_dict(), target)
            jobs[experiment.digest] = job
    remarks = []
    if placebo is not None and not met:
        remarks.append(f"placebo={placebo} is in no job; name one of the sweep's activations")
        if "placebo" in said:
            raise ConfigError(remarks[-1])
    tune, idle = _tuned(config, list(jobs.values()), axes)
    for key in idle:
        remarks.append(f"tune={key}: no axis has it; add one, e.g. {key}=VALUE,VALUE")
        if "tune" in said:
            raise ConfigError(remarks[-1])
    return Plan(list(jobs.values()), folder, tune, "hydra/launcher" in said, remarks)


def _job(places: list[str], chosen: dict[str, str]) -> list[str]:
    return [*places, *(f"{key}={text}" for key, text in chosen.items())]


def _refuse_as_axis(axis: Word, words: Sequence[Word]) -> None:
    """Raise ConfigError if an axis cannot be one, or if another word decides the same key."""
    refuse_as_axis(axis)
    for word in words:
        whole = isinstance(word.value, dict) and axis.key.startswith(f"{word.key}.")
        if word is not axis and (word.key == axis.key or whole):
            raise ConfigError(f"{axis} and {word} contradict each other; leave one of them out")


def _section_of_axes(config: dict[str, Any]) -> dict[str, Any]:
    """Return the axes of an experiment file. Raises ConfigError."""
    axes = config.get("sweep") or {}
    if not isinstance(axes, dict):
        raise ConfigError(
            f'sweep must be axes by key, e.g. {{activation: "relu,tanh"}}; got {axes!r}'
        )
    return axes


def _tuned(
    config: dict[str, Any], jobs: list[Job], axes: Sequence[Word]
) -> tuple[str | None, list[str]]:
    """Return the keys that validation data choose, and those of them that do not vary.

    Raises ConfigError if no job has one of them.
    """
    tune: str | None = config.get("tune")
    if tune is None:
        return None, []
    from runner.compare.runs import flatten
    from runner.compare.scores import refuse_unknown
    from runner.compare.settings import NOT_SETTINGS, differing_keys

    for key in tune.split(","):
        if key in NOT_SETTINGS:
            raise ConfigError(f"tune={key}: it does not tell one setting from another")
    configs = [
        {key: value for key, value in flatten(job.config).items() if key not in NOT_SETTINGS}
        for job in jobs
    ]
    try:
        keys = refuse_unknown(tune, configs)
    except ValueError as error:
        raise ConfigError(f"tune: {error}") from None
    varied = {*differing_keys(configs), *(axis.key for axis in axes)}
    idle = [key for key in keys if not any(f"{one}.".startswith(f"{key}.") for one in varied)]
    return tune, idle


def sweep(overrides: Sequence[str]) -> int:
    """Run what is missing of a sweep, compare all of it; return the exit status.

    One job that fails, diverges or is killed costs only itself; failed jobs are listed at the
    end and make the status 1. Ctrl-C ends at once (130) and still compares what is finished.
    Raises ConfigError if any combination is wrong, before anything is made.
    """
    planned = plan(overrides)
    jobs, folder = planned.jobs, planned.folder
    refuse_long_names(max((job.folder for job in jobs), key=lambda path: len(path.name)))
    missing, stale = [], {}
    for job in jobs:
        experiment = job.experiment
        # which machines a launcher uses is not known here
        found = find(job.folder, experiment, fingerprint(experiment), machine=not planned.launcher)
        if found.state != "finished":
            missing.append(job)
        if found.state == "stale":
            stale[job.folder] = found.reason
    there = len(jobs) - len(missing)
    print(
        f"sweep of {len(jobs)} jobs in {folder}"
        + (f", {there} of them finished already" if there else "")
        + (f", {len(stale)} to be trained anew" if stale else "")
    )
    for remark in planned.remarks:
        print(f"  note: {one_line(remark)}")
    if missing:
        make_parent(missing[0].folder)
    if stale:
        for path in stale:
            put_aside(path)
        first, reason = next(iter(stale.items()))
        note(
            f"trained anew: {len(stale)} of the jobs, the first because {first} {reason}; the "
            f"former runs are in {folder / OLD}"
        )
    if planned.launcher and missing:
        from runner.launch import launch

        failures, stop = launch(missing, overrides, folder), None
    else:
        failures, stop = _run(missing)
    finished = [job.folder for job in jobs if holds_whole(job.folder, job.experiment)]
    if stop is None:
        known = {*finished, *(failure.job.folder for failure in failures)}
        lost = [job for job in jobs if job.folder not in known]
        failures += [Failure(job, "it had ended well; now its folder is gone") for job in lost]
    _write_failures(folder, failures)
    undrawn = bool(finished) and _compare(finished, folder, failures, planned)
    for failure in failures:
        print(f"failed: {one_line(failure)}", file=sys.stderr)
        print(f"  repeat: {one_line(failure.job.command)}", file=sys.stderr)
    if stop:
        left = len(jobs) - len(finished)
        print(f"interrupted: {left} jobs are left; the same command runs them", file=sys.stderr)
        return 128 + stop
    return 1 if failures or undrawn else 0


def run_job(job: Job) -> str:
    """Carry out one job in whatever process this is; returns how it ended in a few words."""
    load_extensions(job.experiment.extensions)  # a worker process has not seen them
    run, _ = execute(
        job.experiment,
        job.folder,
        command=job.command,
        show_progress=False,
        stops_on_signal=False,  # the sweep ends its workers at once
        tell=lambda text: None,  # as the sweep has told it
        draw=artist.draw,
    )
    final = run.summary["together"]["final"]
    means = [(part, final[f"{part}_accuracy"]["centre"]) for part in ("test", "train")]
    diverged = sum(entry["status"] == "diverged" for entry in run.summary["replicates"])
    words = [f"{part} accuracy {mean:.3f}" for part, mean in means if mean is not None][:1]
    words += [f"{diverged} diverged"] if diverged else []
    return ", ".join(words)


def _run(jobs: list[Job]) -> tuple[list[Failure], int | None]:
    """Return the jobs that failed, and the number of the signal that has ended the others."""
    failures: list[Failure] = []
    if not jobs:
        return failures, None
    progress, listener = _Progress(len(jobs)), Listener()
    with listener.listening(), closing(progress):
        ended = run_jobs(
            run_job,
            jobs,
            min(available_cores(), len(jobs)),
            stopped=lambda: listener.received is not None,
        )
        for index, words, reason in ended:
            if reason is not None:
                failures.append(Failure(jobs[index], reason))
            progress.tell(jobs[index].folder.name, reason or words, len(failures))
    return failures, listener.received


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


def _compare(finished: list[Path], folder: Path, failures: list[Failure], planned: Plan) -> bool:
    """Compare what is finished; return whether a picture could not be drawn."""
    from runner.compare import Problem, compare
    from runner.compare.leaderboard import tell_undrawn, terminal

    problems = [
        Problem(failure.job.folder.name, failure.reason, failure.job.command)
        for failure in failures
    ]
    plots = planned.jobs[0].experiment.plots
    comparison = compare(
        finished, folder / "comparison", failures=problems, tune=planned.tune, plots=plots
    )
    print(terminal(comparison))
    print(f"  report   {folder / 'comparison' / 'index.html'}")
    return tell_undrawn(comparison)


def _write_failures(folder: Path, failures: list[Failure]) -> None:
    path = folder / "failures.txt"
    if not failures:
        path.unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{failure}\n  repeat: {failure.job.command}\n" for failure in failures]
    write_whole(path, "".join(lines))


def _values(axis: Word) -> list[str]:
    if axis.pattern is None:
        return axis.values(MOST_JOBS + 1)
    if axis.key not in GROUPS:
        raise ConfigError(f"{axis}: only choices match; groups: {', '.join(GROUPS)}")
    found = axis.pattern.filter(list(choices(axis.key)))
    if not found:
        raise ConfigError(f"{axis} matches none of: {', '.join(choices(axis.key))}")
    return found


def _sweep_folder(fixed: list[Word], axes: list[Word], config: DictConfig) -> Path:
    if any(word.key == "hydra.sweep.dir" for word in fixed):
        folder = Path(folder_in(config, "hydra.sweep.dir"))
        if folder.name in ("", ".."):
            raise ConfigError(f"hydra.sweep.dir={folder} must name a folder")
        return folder
    keys = [axis.key for axis in axes]
    what = [*sorted(keys), "", *sorted(map(str, fixed)), ""]
    digest = hashlib.sha256("\n".join(what).encode()).hexdigest()[:8]
    name = "-".join(key.rpartition(".")[2] for key in keys)[:80] or "single"
    return SWEEPS / f"{name}_{digest}"
