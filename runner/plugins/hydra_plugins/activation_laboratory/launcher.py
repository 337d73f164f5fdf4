"""What the launchers here share: each says only where tasks are carried out."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class JobLauncher(Launcher):
    """Launches the jobs of ``python -m runner``."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what the jobs need. Raises ConfigError for settings that cannot be."""
        self.context, self.task_function, self.config = hydra_context, task_function, config
        self.check()

    def check(self) -> None:
        """Raise ConfigError for settings that cannot be, before anything is made."""

    @abstractmethod
    def carry_out(self) -> Any:
        """Return where tasks are carried out, a ``CarryOut`` of runner/sweep/launch.py."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run a job for each list of overrides; return how they ended, in this order.

        A job that fails or is lost is FAILED and raises when its ``return_value`` is read. Raises
        ConfigError where there is no cluster, KeyboardInterrupt after Ctrl-C or SIGTERM, when all
        that was begun has ended.
        """
        from runner.sweep.launch import launch

        return launch(
            job_overrides,
            initial_job_idx,
            context=self.context,
            task_function=self.task_function,
            config=self.config,
            carry_out=self.carry_out(),
        )
