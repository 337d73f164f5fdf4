"""Run a sweep's jobs in processes on this machine: ``hydra/launcher=pool``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runner.sweep.launch import Batch, CarryOut, TaskResult
from runner.system.processes import available_cores, run_jobs
from runner.system.terminal import ConfigError


def check_processes(processes: int | None) -> None:
    """Raise ConfigError unless this is a valid number of processes."""
    if processes is not None and processes < 1:
        raise ConfigError(
            f"hydra.launcher.processes={processes} must be at least 1, or null for one a core"
        )


def in_processes(processes: int | None) -> CarryOut:
    """Return a function that runs tasks in this many processes at a time; None is one per core."""

    def carry_out(batch: Batch, stopped: Callable[[], bool]) -> Iterator[TaskResult]:
        return run_jobs(batch.work, batch.tasks, processes or available_cores(), stopped=stopped)

    return carry_out
