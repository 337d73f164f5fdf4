"""``hydra/launcher=ray``: runs jobs on a Ray cluster.

Its settings are in conf/hydra/launcher/ray.yaml. The extra ``ray`` installs Ray.
"""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from .launcher import JobLauncher


class RayLauncher(JobLauncher):
    """Runs the jobs in groups; each group is a Ray task."""

    def __init__(
        self, init: DictConfig, remote: DictConfig, jobs_per_task: int | None = None
    ) -> None:
        self.init: Any = OmegaConf.to_container(init)
        self.remote: Any = OmegaConf.to_container(remote)
        self.jobs_per_task = jobs_per_task

    def check(self) -> None:
        from runner.sweep.groups import check_jobs_per_task

        check_jobs_per_task(self.jobs_per_task)

    def carry_out(self) -> Any:
        from runner.sweep.ray import in_ray

        return in_ray(self.jobs_per_task, self.init, self.remote)
