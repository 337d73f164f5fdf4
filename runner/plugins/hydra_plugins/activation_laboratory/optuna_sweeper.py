"""``hydra/sweeper=optuna``: what has the best objective; settings: conf/hydra/sweeper/optuna.yaml.

The keys are those of Hydra's own Optuna sweeper, which stays for other programs: the release for
Hydra 1.3 takes Optuna 2 only, and neither goes on with a study where it was. The extra ``optuna``
installs Optuna.
"""

from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


class OptunaSweeper(Sweeper):
    """Asks Optuna for trials, runs them through any launcher, and tells it how they ended."""

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
        """Make the launcher that the config names."""
        self.context = hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Run the trials that are missing and judge what they choose; return how all ended.

        Raises ConfigError, before anything is made, if what is searched cannot be.
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
