"""``hydra/launcher=slurm``: jobs on a Slurm cluster; settings: conf/hydra/launcher/slurm.yaml.

The extra ``slurm`` installs submitit.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


class SlurmLauncher(Launcher):
    """Runs the jobs in groups, each a task of one Slurm array."""

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

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what the jobs need."""
        self.context, self.task_function, self.config = hydra_context, task_function, config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs; return how they ended, in this order.

        A job that fails, or that the cluster loses, is FAILED and raises when its
        ``return_value`` is read. Raises ConfigError if Slurm does not take the sweep,
        KeyboardInterrupt after Ctrl-C or SIGTERM, when all tasks are cancelled.
        """
        from runner.sweep.launch import launch
        from runner.sweep.slurm import in_slurm

        return launch(
            job_overrides,
            initial_job_idx,
            context=self.context,
            task_function=self.task_function,
            config=self.config,
            carry_out=in_slurm(self.folder, self.cluster, self.jobs_per_task, self.settings),
        )
