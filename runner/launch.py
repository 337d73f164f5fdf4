"""A sweep on somebody else's machines: Hydra's launchers (Slurm, joblib, Ray, ...).

    python -m runner -m activation=relu,tanh hydra/launcher=submitit_slurm

The job is the same as at home; only files are shared, so a job leaves either a finished run
or the reason why not.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from runner.choices import ConfigError
from runner.composition import (
    CONFIG_DIR,
    VERSION_BASE,
    experiment_of,
    explain,
    extensions_of,
    plain,
)
from runner.extensions import load_extensions
from runner.formulas import for_hydra_main
from runner.run_folder import holds_whole
from runner.sweep import Failure, Job, run_job
from runner.whole_files import write_whole

REASONS = ".reasons"


def launch(jobs: list[Job], overrides: Sequence[str], folder: Path) -> list[Failure]:
    """Run a sweep through the launcher that its overrides name; return the failed jobs.

    Raises ConfigError if Hydra cannot start it.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"
    words = [for_hydra_main(w) for w in overrides if not w.startswith("hydra.sweep.")]
    places = [f"hydra.sweep.dir={folder.absolute()}", "hydra.sweep.subdir=.launched"]
    config_dir = ["--config-dir", jobs[0].config_dir] if jobs[0].config_dir else []
    sys.argv = ["runner", "--multirun", *config_dir, *words, *places]
    main = hydra.main(config_path=str(CONFIG_DIR), config_name="config", **VERSION_BASE)
    try:
        main(launched_job)()
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error, overrides)) from None
    failures = []
    for job in jobs:
        if not holds_whole(job.folder, job.experiment):
            note = folder / REASONS / job.folder.name
            reason = note.read_text(encoding="utf-8") if note.is_file() else "it never ended"
            failures.append(Failure(job, reason))
    return failures


def launched_job(config: DictConfig) -> None:
    """Carry out one job wherever the launcher has put it; never raises."""
    folder = Path(HydraConfig.get().sweep.dir)
    overrides = list(HydraConfig.get().overrides.task)
    load_extensions(extensions_of(overrides))
    experiment = experiment_of(plain(config), overrides)
    job = Job(tuple(overrides), None, experiment.to_dict(), folder / experiment.folder_name)
    note = folder / REASONS / job.folder.name
    try:
        run_job(job)
        note.unlink(missing_ok=True)
    except Exception as error:
        note.parent.mkdir(exist_ok=True)
        write_whole(note, f"{type(error).__name__}: {error}")
