"""``hydra/sweeper=optuna``: searches for the best objective with Optuna.

Its settings are in conf/hydra/sweeper/optuna.yaml; the keys are those of Hydra's own Optuna
sweeper. That sweeper does not resume an interrupted study, and its release for Hydra 1.3 needs
Optuna 2. The extra ``optuna`` installs Optuna.
"""

from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


class OptunaSweeper(Sweeper):
    """Draws trials with Optuna, runs them through any launcher, and reports their objectives."""

    def __init__(
        self,
        sampler: DictConfig,
        n_trials: int,
        n_jobs: int,
        seed: int,
        storage: str,
        study_name: str | None = None,
        params: DictConfig | None = None,
    ) -> None:
        self.sampler: Any = OmegaConf.to_container(sampler)
        self.seed = seed
        self.n_trials, self.n_jobs = n_trials, n_jobs
        self.storage, self.study_name = storage, study_name

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Create the launcher that the config names."""
        self.context = hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Run the missing trials, and the chosen one again on fresh seeds.

        Returns a ``Grid``. Raises ConfigError for an invalid search space, before anything is
        written.
        """
        from runner.sweep.study import Search, sweep

        search = Search(
            self.sampler,
            self.n_trials,
            self.n_jobs,
            self.seed,
            self.storage,
            self.study_name,
        )
        assert self.launcher is not None
        return sweep(search, self.launcher, self.context)
