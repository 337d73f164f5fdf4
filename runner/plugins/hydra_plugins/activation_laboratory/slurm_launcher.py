"""``hydra/launcher=slurm``: runs jobs on a Slurm cluster, through submitit.

Its settings are in conf/hydra/launcher/slurm.yaml. The extra ``slurm`` installs submitit.
"""

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from .launcher import JobLauncher


class SlurmLauncher(JobLauncher):
    """Runs the jobs in groups; each group is a task of one Slurm job array."""

    def __init__(
        self,
        folder: str,
        cluster: str = "slurm",
        jobs_per_task: int | None = None,
        **settings: Any,
    ) -> None:
        self.folder, self.cluster, self.jobs_per_task = Path(folder), cluster, jobs_per_task
        plain: Any = OmegaConf.to_container(OmegaConf.create(settings))
        self.settings = {key: value for key, value in plain.items() if value is not None}

    def check(self) -> None:
        from runner.sweep.groups import check_jobs_per_task

        check_jobs_per_task(self.jobs_per_task)

    def carry_out(self) -> Any:
        from runner.sweep.slurm import in_slurm

        return in_slurm(self.folder, self.cluster, self.jobs_per_task, self.settings)
