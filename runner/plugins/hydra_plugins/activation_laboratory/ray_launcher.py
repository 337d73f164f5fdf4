"""``hydra/launcher=ray``: jobs on a Ray cluster; its settings are conf/hydra/launcher/ray.yaml.

The extra ``ray`` installs Ray.
"""

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


class RayLauncher(Launcher):
    """Runs the jobs in groups, each a task of Ray's."""

    def __init__(
        self, init: DictConfig, remote: DictConfig, jobs_per_task: int | None = None
    ) -> None:
        self.init: Any = OmegaConf.to_container(init)
        self.remote: Any = OmegaConf.to_container(remote)
        self.jobs_per_task = jobs_per_task

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what the jobs need."""
        self.context, self.task_function, self.config = hydra_context, task_function, config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs; return how they ended, in this order.

        A job that fails, or that the cluster loses more often than ``max_retries``, is FAILED and
        raises when its ``return_value`` is read. Raises ConfigError if there is no cluster,
        KeyboardInterrupt after Ctrl-C or SIGTERM, when all tasks are cancelled.
        """
        from runner.sweep.launch import launch
        from runner.sweep.ray import in_ray

        return launch(
            job_overrides,
            initial_job_idx,
            context=self.context,
            task_function=self.task_function,
            config=self.config,
            carry_out=in_ray(self.jobs_per_task, self.init, self.remote),
        )
