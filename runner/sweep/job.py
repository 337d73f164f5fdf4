"""One job of a sweep."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.config.experiment import Experiment
from runner.execute import ensure_run, repeat_command
from runner.results.run import flatten, read_summary


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
    def setting(self) -> dict[str, Any]:
        """The flat config without what is no part of a setting, such as the seed."""
        from runner.compare.settings import NOT_SETTINGS

        flat = flatten(self.config).items()
        return {key: value for key, value in flat if key not in NOT_SETTINGS}

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


def run_job(job: Job) -> str:
    """Carry out one job in whatever process this is; returns how it ended in a few words."""
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
        tell=lambda text: None,  # as the sweep has told it
    )
    summary = read_summary(folder)
    final = summary["together"]["final"]
    means = [(part, final[f"{part}_accuracy"]["centre"]) for part in ("test", "train")]
    diverged = sum(entry["status"] == "diverged" for entry in summary["replicates"])
    words = [f"{part} accuracy {mean:.3f}" for part, mean in means if mean is not None][:1]
    words += [f"{diverged} diverged"] if diverged else []
    return ", ".join(words)
