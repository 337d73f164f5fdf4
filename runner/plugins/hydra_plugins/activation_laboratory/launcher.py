"""The base class of the launchers; a subclass defines only where tasks run."""

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
        """Store Hydra's arguments. Raises ConfigError for invalid settings."""
        self.context, self.task_function, self.config = hydra_context, task_function, config
        self.check()

    def check(self) -> None:
        """Raise ConfigError for invalid settings, before anything is written."""

    @abstractmethod
    def carry_out(self) -> Any:
        """Return the function that runs tasks, a ``CarryOut`` of runner/sweep/launch.py."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run a job for each list of overrides; return their results in this order.

        A job that fails or is lost has the status FAILED, and its ``return_value`` raises. Raises
        ConfigError if no cluster can be reached. Raises KeyboardInterrupt after Ctrl-C or SIGTERM,
        when all started jobs have ended.
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
