"""``hydra/launcher=pool``: jobs in parallel on this machine's cores."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class PoolConf:
    """processes: how many jobs run at a time; None for one a core."""

    _target_: str = "hydra_plugins.activation_laboratory.pool_launcher.PoolLauncher"
    processes: int | None = None


ConfigStore.instance().store(
    group="hydra/launcher", name="pool", node=PoolConf, provider="activation_laboratory"
)


class PoolLauncher(Launcher):
    """Runs each job in one of several processes; one that dies costs only its job."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep what the jobs need. Raises ConfigError for no processes."""
        from runner.sweep.pool import check_processes

        check_processes(self.processes)
        self.context, self.task_function, self.config = hydra_context, task_function, config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run a job for each list of overrides; return how they ended, in this order.

        A job that fails, or whose process dies, is FAILED and raises when its ``return_value`` is
        read. Raises KeyboardInterrupt after Ctrl-C or SIGTERM, when all processes have ended.
        """
        from runner.sweep.launch import launch
        from runner.sweep.pool import in_processes

        return launch(
            job_overrides,
            initial_job_idx,
            context=self.context,
            task_function=self.task_function,
            config=self.config,
            carry_out=in_processes(self.processes),
        )
