"""A sweep on somebody else's machines: Hydra's launchers (Slurm, joblib, Ray, ...).

    python -m runner -m activation=relu,tanh hydra/launcher=submitit_slurm

The job is the same as at home; only files are shared, so a job leaves either a finished run
or the reason why not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig

from runner.config.catalogue import CONFIG_DIR, VERSION_BASE
from runner.config.compose import checked, for_hydra, plain
from runner.config.extensions import load_extensions
from runner.config.overrides import Word, as_text, extensions_of, read
from runner.config.refusals import LAUNCHER, SWEEP_DIR
from runner.results.find import find
from runner.sweep.job import Failure, Job, run_job
from runner.system.files import write_whole
from runner.system.signals import raising
from runner.system.terminal import ConfigError, first_line

REASONS = ".reasons"


def launch(jobs: list[Job], words: Sequence[Word], folder: Path) -> list[Failure]:
    """Run these jobs through the launcher that the words name; return the failed ones.

    Hydra's sweeper is left out: it knows neither an experiment's axes nor its placebo, nor
    what is finished already. Raises ConfigError if the launcher cannot start.
    """
    ours = [word for word in words if word.is_hydras and word.key != SWEEP_DIR]
    place = as_text(str(folder.absolute()))
    places = [f"{SWEEP_DIR}={place}", "hydra.sweep.subdir=.launched"]
    tasks = [for_hydra(read(job.overrides)) for job in jobs]
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(CONFIG_DIR), job_name="runner", **VERSION_BASE):
            loader = GlobalHydra.instance().config_loader()
            config = loader.load_configuration(
                "config", [*for_hydra(ours), *places], RunMode.MULTIRUN
            )
            launcher = Plugins.instance().instantiate_launcher(
                hydra_context=HydraContext(config_loader=loader, callbacks=Callbacks()),
                task_function=launched_job,
                config=config,
            )
            with raising():  # plugins end their processes then
                launcher.launch(tasks, initial_job_idx=0)
    except Exception as error:  # whatever a plugin raises for its settings
        named = next(word for word in words if word.key == LAUNCHER)
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise ConfigError(f"{named} failed: {reason}") from None
    failures = []
    for job in jobs:
        if find(job.folder, job.experiment).state != "finished":
            note = folder / REASONS / job.folder.name
            reason = note.read_text(encoding="utf-8") if note.is_file() else "it never ended"
            failures.append(Failure(job, reason))
    return failures


def launched_job(config: DictConfig) -> None:
    """Carry out one job wherever the launcher has put it; never raises."""
    folder = Path(HydraConfig.get().sweep.dir)
    overrides = list(HydraConfig.get().overrides.task)
    words = read(overrides)
    load_extensions(extensions_of(words))
    experiment = checked(plain(config), words)
    job = Job(tuple(overrides), experiment.to_dict(), folder / experiment.folder_name)
    note = folder / REASONS / job.folder.name
    try:
        run_job(job)
        note.unlink(missing_ok=True)
    except Exception as error:
        note.parent.mkdir(exist_ok=True)
        write_whole(note, f"{type(error).__name__}: {error}")
