"""One job of a sweep. This module does not import Hydra, so that workers start fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.config.experiment import Experiment
from runner.execute import ensure_run, repeat_command
from runner.results.objective import objective
from runner.results.run import flatten, read_summary
from runner.system.files import write_whole
from runner.system.terminal import one_line

NOTES = ".failures"
"""The folder, in a sweep's folder, with a file for each failed job; works with every launcher."""


@dataclass(frozen=True)
class Job:
    """One job: its overrides, its checked config, and its folder."""

    overrides: tuple[str, ...]
    config: dict[str, Any]
    folder: Path

    @property
    def launched(self) -> tuple[str, ...]:
        """The overrides for a launcher: without those of Hydra settings."""
        return tuple(word for word in self.overrides if not word.startswith("hydra."))

    @property
    def command(self) -> str:
        """The shell line that runs this job alone."""
        return repeat_command(self.overrides)

    @property
    def setting(self) -> dict[str, Any]:
        """The config by dotted keys, without the seed and other keys outside the setting."""
        from runner.compare.settings import NOT_SETTINGS

        flat = flatten(self.config).items()
        return {key: value for key, value in flat if key not in NOT_SETTINGS}

    @property
    def experiment(self) -> Experiment:
        """The experiment, checked when the sweep was planned."""
        return Experiment.from_dict(self.config, check=False)


@dataclass(frozen=True)
class Failure:
    """A failed job: its folder, the reason, and the shell line that runs it alone."""

    folder: Path
    reason: str
    command: str

    def __str__(self) -> str:
        return f"{self.folder.name}: {self.reason}"


@dataclass
class SweepOutcome:
    """How a sweep's jobs ended.

    Attributes:
        failures: the jobs without a finished run.
        stop: the number of the signal that ended them early.
        error: why the sweeper or launcher failed; empty if it did not.
    """

    failures: list[Failure] = field(default_factory=list)
    stop: int | None = None
    error: str = ""


def run_job(job: Job, *, made_by_hydra: bool = False) -> dict[str, Any]:
    """Run a job in this process, and return its run's summary.

    ``made_by_hydra`` as for ``ensure_run``.
    """
    experiment = job.experiment
    if experiment.extensions:  # a worker process has not imported them
        from runner.config.extensions import load_extensions  # imports Hydra

        load_extensions(experiment.extensions)
    folder, _ = ensure_run(
        experiment,
        job.folder,
        command=job.command,
        show_progress=False,
        stops_on_signal=False,  # on a signal the sweep kills its workers
        notify=lambda text: None,  # the sweep prints stale runs itself
        made_by_hydra=made_by_hydra,
    )
    return read_summary(folder)


def work(task: tuple[Job, str]) -> tuple[str, float | None]:
    """Run a job in a worker; return its result as a short text, and its objective."""
    job, name = task
    summary = run_job(job)
    return result_text(summary), objective(summary, name)


def result_text(summary: Mapping[str, Any]) -> str:
    """Return a run's result as a short text: "test accuracy 98.5%, 1 diverged"."""
    final = summary["together"]["final"]
    means = [(part, final[f"{part}_accuracy"]["centre"]) for part in ("test", "train")]
    diverged = sum(entry["status"] == "diverged" for entry in summary["replicates"])
    words = [f"{part} accuracy {100 * mean:.1f}%" for part, mean in means if mean is not None][:1]
    words += [f"{diverged} diverged"] if diverged else []
    return ", ".join(words)


def note_failure(sweep: Path, failure: Failure) -> None:
    """Write a failed job's reason and command into its sweep's folder."""
    place = sweep / NOTES / failure.folder.name
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, f"{one_line(failure.reason)}\n{one_line(failure.command)}\n")


def forget_failure(sweep: Path, folder: Path) -> None:
    """Remove the note on a failure of this job, if there is one."""
    (sweep / NOTES / folder.name).unlink(missing_ok=True)


def noted_failures(sweep: Path) -> list[Failure]:
    """Return the failures noted in a sweep's folder, sorted by name."""
    notes = sorted((sweep / NOTES).iterdir()) if (sweep / NOTES).is_dir() else []
    found = []
    for note in notes:
        reason, _, command = note.read_text(encoding="utf-8").partition("\n")
        found.append(Failure(sweep / note.name, reason, command.strip()))
    return found
