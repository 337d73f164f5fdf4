"""Run a sweep's jobs on a Ray cluster: ``hydra/launcher=ray``."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray

from runner.sweep.groups import Group, grouped
from runner.sweep.launch import Batch, CarryOut, TaskResult
from runner.system.signals import SIGNALS
from runner.system.terminal import ConfigError, first_line

SCHEDULING_SECONDS = 0.005
"""An upper bound of the seconds that Ray adds to a task; tests/cluster/overhead.py measures it."""
POLL_SECONDS = 0.2


def in_ray(
    jobs_per_task: int | None, init: Mapping[str, Any], remote: Mapping[str, Any]
) -> CarryOut:
    """Return a function that runs tasks on a Ray cluster.

    Args:
        jobs_per_task: ``size`` in ``groups.grouped``.
        init: arguments of ``ray.init``. Without ``address``, Ray uses a cluster on this machine or
            starts a new one.
        remote: arguments of ``ray.remote``, for instance ``num_cpus`` and ``max_retries``.
    """

    def carry_out(batch: Batch, stopped: Callable[[], bool]) -> Iterator[TaskResult]:
        groups = grouped(batch, SCHEDULING_SECONDS, size=jobs_per_task)
        with connected(init):
            try:
                run = ray.remote(**remote)(carry_out_group)
            except (ValueError, TypeError) as error:
                raise ConfigError(f"hydra.launcher.remote: {first_line(error)}") from None
            waiting = {run.remote(group): group for group in groups}
            while waiting and not stopped():
                ready, _ = ray.wait(list(waiting), timeout=POLL_SECONDS)
                for reference in ready:
                    yield from ended(reference, waiting.pop(reference))
            for reference in waiting:
                ray.cancel(reference, force=True)

    return carry_out


def carry_out_group(group: Group) -> list[TaskResult]:
    """Run a group in a worker of Ray."""
    return group()


def ended(reference: Any, group: Group) -> list[TaskResult]:
    """Return the results of a group's tasks."""
    try:
        return list(ray.get(reference))
    except ray.exceptions.RayError as error:  # a worker or node died more than max_retries times
        return list(group.lost(f"lost with its task: {type(error).__name__}"))


@contextmanager
def connected(init: Mapping[str, Any]) -> Iterator[None]:
    """Use the cluster that this process is connected to, or connect to one within the block.

    Restores the signal handlers that Ray replaces. Raises ConfigError if it cannot connect.
    """
    if ray.is_initialized():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        ray.init(**init)
    except (ConnectionError, ValueError, TypeError, RuntimeError) as error:
        raise ConfigError(f"Ray cannot be reached: {first_line(error)}") from None
    try:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        yield
    finally:
        ray.shutdown()
