"""``hydra/sweeper=grid``: runs all combinations; checks them before the first starts; resumes."""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class GridConf:
    """params: the values of each key, as on the command line: {activation: "relu,tanh"}."""

    _target_: str = "hydra_plugins.activation_laboratory.grid_sweeper.GridSweeper"
    params: dict[str, str] = field(default_factory=dict)


ConfigStore.instance().store(
    group="hydra/sweeper", name="grid", node=GridConf, provider="activation_laboratory"
)


class GridSweeper(Sweeper):
    """Runs the missing jobs of all combinations of the values, through any launcher."""

    def __init__(self, params: dict[str, str] | None = None) -> None:
        self.params = params or {}

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Create the launcher that the config names."""
        self.context = hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Run the sweep's missing jobs, and with tuned keys the chosen settings on fresh seeds.

        Returns a ``Grid``. Raises ConfigError for an invalid combination, before anything is
        written.
        """
        from runner.sweep.grid import sweep

        assert self.launcher is not None
        return sweep(self.launcher, self.context)
