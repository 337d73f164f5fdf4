"""The function that Hydra's ``run_job`` calls for a job, with any launcher."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import run_job as run_job_of_hydra
from hydra.core.utils import setup_globals
from hydra.types import HydraContext
from hydra.version import setbase
from omegaconf import DictConfig, open_dict

from runner.config.catalogue import VERSION_BASE
from runner.config.compose import checked, plain
from runner.config.extensions import load_extensions
from runner.config.overrides import SEARCHPATH, extensions_of, read
from runner.execute import repeat_command
from runner.results.objective import objective
from runner.results.run import read_summary
from runner.sweep.job import Failure, Job, forget_failure, note_failure, result_text, run_job
from runner.system.processes import cause


def launched_job(config: DictConfig) -> float | None:
    """Run the job of a config composed by Hydra, and return its objective.

    Launchers pass this function to Hydra, in another process or on another machine. A failure is
    noted in the sweep's folder.
    """
    hydra = HydraConfig.get()
    sweep, folder = Path(hydra.sweep.dir), Path(hydra.runtime.output_dir)
    overrides = [*_places(hydra.overrides.hydra), *map(str, read(hydra.overrides.task))]
    try:
        words = read(hydra.overrides.task)
        load_extensions(extensions_of(words))
        sections = plain(config)
        experiment = checked(sections, words)
        summary = run_job(Job(tuple(overrides), experiment.to_dict(), folder), made_by_hydra=True)
        found = objective(summary, sections["objective"])
    except Exception as error:
        note_failure(sweep, Failure(folder, cause(error), repeat_command(overrides)))
        raise
    forget_failure(sweep, folder)
    return found


@dataclass(frozen=True)
class Task:
    """A job that a worker runs through Hydra, because a Hydra setting for jobs is given."""

    job: Job
    number: int
    context: HydraContext
    config: DictConfig


def work(task: Task) -> tuple[str, float | None]:
    """Let Hydra run a job in a worker; return its result as a short text, and its objective."""
    setup_globals()
    for base in VERSION_BASE.values():  # other launchers copy it with Hydra's global state
        setbase(base)
    loader = task.context.config_loader
    job = loader.load_sweep_config(task.config, list(task.job.launched))
    with open_dict(job):
        job.hydra.job.id = str(task.number)
        job.hydra.job.num = task.number
    ended = run_job_of_hydra(
        hydra_context=task.context,
        task_function=launched_job,
        config=job,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )
    with redirect_stderr(io.StringIO()):  # Hydra prints a failure's overrides; so does the sweep
        value: float | None = ended.return_value
    return result_text(read_summary(task.job.folder)), value


def _places(overrides: Sequence[str]) -> list[str]:
    """Return the overrides that set ``hydra.searchpath``, as words of a shell line."""
    return [one.replace("checked://", "") for one in overrides if one.startswith(SEARCHPATH)]
