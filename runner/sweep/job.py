"""One job of a sweep, wherever a launcher has put it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from runner.config.compose import checked, plain
from runner.config.experiment import Experiment
from runner.config.extensions import load_extensions
from runner.config.overrides import SEARCHPATH, extensions_of, read
from runner.execute import execute, repeat_command
from runner.results.objective import objective
from runner.results.run import Run
from runner.system.files import write_whole
from runner.system.processes import cause
from runner.system.terminal import one_line

NOTES = ".failures"
"""The folder, in a sweep's, of a note for each job that has failed: only files are shared by all
launchers."""


@dataclass(frozen=True)
class Job:
    """One combination: its overrides, its checked config, and the folder it belongs in."""

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
        """The flat config without what is no part of a setting, such as the seed."""
        from runner.compare.settings import NOT_SETTINGS
        from runner.results.run import flatten

        flat = flatten(self.config).items()
        return {key: value for key, value in flat if key not in NOT_SETTINGS}

    @property
    def experiment(self) -> Experiment:
        """The experiment, checked when the sweep was planned."""
        return Experiment.from_dict(self.config, check=False)


@dataclass(frozen=True)
class Failure:
    """A job that left no finished run: its folder, why, and the shell line that runs it alone."""

    folder: Path
    reason: str
    command: str

    def __str__(self) -> str:
        return f"{self.folder.name}: {self.reason}"


@dataclass
class Ended:
    """How a sweep's jobs have ended.

    Attributes:
        failures: those that have left no finished run.
        stop: the number of the signal that has ended them early.
        trouble: why the sweeper or launcher has given up, empty if it has not.
    """

    failures: list[Failure] = field(default_factory=list)
    stop: int | None = None
    trouble: str = ""


def run_job(job: Job, *, made: bool = False) -> Run:
    """Carry out a job in whatever process this is, and return its run; ``made`` as for
    ``execute``."""
    load_extensions(job.experiment.extensions)  # a worker process has not seen them
    run, _ = execute(
        job.experiment,
        job.folder,
        command=job.command,
        show_progress=False,
        stops_on_signal=False,  # the sweep ends its workers at once
        tell=lambda text: None,  # as the sweep has told it
        made=made,
    )
    return run


def launched_job(config: DictConfig) -> float | None:
    """Carry out the job whose config Hydra has composed, and return its objective.

    The function that any of Hydra's launchers calls, in a process or on a machine of its own. A
    note of a failure is left in the sweep's folder.
    """
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    overrides = [*places_of(hydra.overrides.hydra), *map(str, read(hydra.overrides.task))]
    try:
        words = read(hydra.overrides.task)
        load_extensions(extensions_of(words))
        sections = plain(config)
        experiment = checked(sections, words)
        run = run_job(Job(tuple(overrides), experiment.to_dict(), folder), made=True)
        found = objective(run.summary, sections["objective"])
    except Exception as error:
        note_failure(
            Path(hydra.sweep.dir), Failure(folder, cause(error), repeat_command(overrides))
        )
        raise
    forget_failure(Path(hydra.sweep.dir), folder)
    return found


def note_failure(sweep: Path, failure: Failure) -> None:
    """Leave a note of a failed job in its sweep's folder."""
    place = sweep / NOTES / failure.folder.name
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, f"{one_line(failure.reason)}\n{one_line(failure.command)}\n")


def forget_failure(sweep: Path, folder: Path) -> None:
    """Remove the note, if there is one, of a job that has ended well."""
    (sweep / NOTES / folder.name).unlink(missing_ok=True)


def noted_failures(sweep: Path) -> list[Failure]:
    """Return the failures that jobs have left notes of, by folder."""
    notes = sorted((sweep / NOTES).iterdir()) if (sweep / NOTES).is_dir() else []
    found = []
    for note in notes:
        reason, _, command = note.read_text(encoding="utf-8").partition("\n")
        found.append(Failure(sweep / note.name, reason, command.strip()))
    return found


def places_of(overrides: Sequence[str]) -> list[str]:
    """Return the words among Hydra's own that name folders of YAML files, for a shell line."""
    return [one.replace("checked://", "") for one in overrides if one.startswith(SEARCHPATH)]
