"""One job of a sweep. A worker that imports this needs no Hydra, whose import takes long."""

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
"""The folder, in a sweep's, with a note for each failed job: all launchers share only files."""


@dataclass(frozen=True)
class Job:
    """One combination: its overrides, its checked config, and its folder."""

    overrides: tuple[str, ...]
    config: dict[str, Any]
    folder: Path

    @property
    def launched(self) -> tuple[str, ...]:
        """The overrides without Hydra's own, as launchers take them."""
        return tuple(word for word in self.overrides if not word.startswith("hydra."))

    @property
    def command(self) -> str:
        """The shell line that runs this job alone."""
        return repeat_command(self.overrides)

    @property
    def setting(self) -> dict[str, Any]:
        """The flat config without keys outside the setting, such as the seed."""
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
class Ended:
    """How a sweep's jobs ended.

    Attributes:
        failures: the jobs without a finished run.
        stop: the number of the signal that ended them early.
        trouble: why the sweeper or launcher gave up; empty if it did not.
    """

    failures: list[Failure] = field(default_factory=list)
    stop: int | None = None
    trouble: str = ""


def run_job(job: Job, *, made: bool = False) -> dict[str, Any]:
    """Run a job in this process, and return its run's summary; ``made`` as for ``ensure_run``."""
    experiment = job.experiment
    if experiment.extensions:  # a worker process has not seen them
        from runner.config.extensions import load_extensions  # imports Hydra

        load_extensions(experiment.extensions)
    folder, _ = ensure_run(
        experiment,
        job.folder,
        command=job.command,
        show_progress=False,
        stops_on_signal=False,  # the sweep ends its workers at once
        tell=lambda text: None,  # the sweep has already printed it
        made=made,
    )
    return read_summary(folder)


def work(task: tuple[Job, str]) -> tuple[str, float | None]:
    """Run a job in a worker; return how it ended in a few words, and its objective."""
    job, name = task
    summary = run_job(job)
    return told(summary), objective(summary, name)


def told(summary: Mapping[str, Any]) -> str:
    """Return how a run ended in a few words."""
    final = summary["together"]["final"]
    means = [(part, final[f"{part}_accuracy"]["centre"]) for part in ("test", "train")]
    diverged = sum(entry["status"] == "diverged" for entry in summary["replicates"])
    words = [f"{part} accuracy {mean:.3f}" for part, mean in means if mean is not None][:1]
    words += [f"{diverged} diverged"] if diverged else []
    return ", ".join(words)


def note_failure(sweep: Path, failure: Failure) -> None:
    """Leave a note of a failed job in its sweep's folder."""
    place = sweep / NOTES / failure.folder.name
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, f"{one_line(failure.reason)}\n{one_line(failure.command)}\n")


def forget_failure(sweep: Path, folder: Path) -> None:
    """Remove the note, if any, of a job that succeeded."""
    (sweep / NOTES / folder.name).unlink(missing_ok=True)


def noted_failures(sweep: Path) -> list[Failure]:
    """Return the noted failures by folder."""
    notes = sorted((sweep / NOTES).iterdir()) if (sweep / NOTES).is_dir() else []
    found = []
    for note in notes:
        reason, _, command = note.read_text(encoding="utf-8").partition("\n")
        found.append(Failure(sweep / note.name, reason, command.strip()))
    return found
