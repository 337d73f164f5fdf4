"""The config loader with which launchers compose the config of a sweep's job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from omegaconf import DictConfig

from runner.config.catalogue import AROUND
from runner.config.compose import Composition
from runner.config.experiment import Experiment
from runner.config.extensions import load_extensions
from runner.config.overrides import extensions_of, read
from runner.sweep.job import Job
from runner.sweep.vary import Variations


class JobLoader(ConfigLoaderImpl):
    """A loader for Hydra that derives each job's config from the sweep's composition.

    Every launcher calls ``load_sweep_config`` for every job, in this process or where the job runs.
    Hydra's own loader would parse all YAML files again for each job.

    Attributes:
        composition: the sweep's composition.
        variations: composes the jobs.
        jobs: the checked jobs by their overrides; not pickled.
        show_progress: whether the sweep prints its progress.
    """

    def __init__(self, composition: Composition, *, show_progress: bool) -> None:
        super().__init__(composition.loader.get_search_path())
        self.composition = composition
        self.variations = Variations(composition)
        self.jobs: dict[tuple[str, ...], Job] = {}
        self.show_progress = show_progress

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "jobs": {}}

    def load_sweep_config(
        self, master_config: DictConfig, sweep_overrides: list[str]
    ) -> DictConfig:
        """Return the config that Hydra would compose for these overrides, with the job's folder."""
        words = read(sweep_overrides)
        load_extensions(extensions_of(words))
        sections = self.variations.compose(words)
        config = self.variations.with_hydra(master_config, words, sections)
        own = {key: value for key, value in sections.items() if key not in AROUND}
        experiment = Experiment.from_dict(own, check=False)  # the job checks it
        config.hydra.sweep.subdir = self.variations.subdir(experiment)
        known = self.jobs.get(tuple(sweep_overrides))
        if known is not None:
            sweep = self.composition.sweep_folder
            config.hydra.sweep.subdir = known.folder.relative_to(sweep).as_posix()
        return config

    def job(self, overrides: Sequence[str], number: int) -> Job:
        """Return the checked job for these overrides. Raises ConfigError."""
        known = self.jobs.get(tuple(overrides))
        if known is None:
            words = read(overrides)
            experiment = self.variations.experiment(words)
            folder = self.composition.sweep_folder
            known = self.variations.job(words, experiment, folder, number)
            self.jobs[tuple(overrides)] = known
        return known
