"""``hydra/launcher=pool``: runs jobs in parallel processes on this machine."""

from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore

from .launcher import JobLauncher


@dataclass
class PoolConf:
    """processes: the number of jobs that run at a time; None for one per core."""

    _target_: str = "hydra_plugins.activation_laboratory.pool_launcher.PoolLauncher"
    processes: int | None = None


ConfigStore.instance().store(
    group="hydra/launcher", name="pool", node=PoolConf, provider="activation_laboratory"
)


class PoolLauncher(JobLauncher):
    """Runs each job in one of several processes. If a process dies, only its job fails."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes

    def check(self) -> None:
        from runner.sweep.pool import check_processes

        check_processes(self.processes)

    def carry_out(self) -> Any:
        from runner.sweep.pool import in_processes

        return in_processes(self.processes)
