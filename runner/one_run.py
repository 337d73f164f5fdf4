"""Run the one experiment of a composed config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict, read_write

from runner.config.compose import Composed, Composition, checked, plain
from runner.config.hydra_keys import asks_of_a_job
from runner.execute import execute, prepare_folder
from runner.results.objective import check_objective, objective
from runner.results.run import Run


def carry_out(composition: Composition, **how: Any) -> tuple[Run, bool]:
    """Return the composition's run, and whether it was reused; ``how`` as in ``execute``.

    Hydra runs the job only if a Hydra setting for jobs is given. Without one, Hydra's ``run_job``
    would only make the folder, and take longer. Raises ConfigError.
    """
    experiment, folder = composition.experiment, composition.folder
    check_objective(composition.sections["objective"])
    if not asks_of_a_job(composition.words):
        return execute(experiment, folder, **how)
    prepare_folder(folder, experiment)
    ended = []

    def task(config: DictConfig) -> float | None:
        sections = plain(config)
        place = HydraConfig.get().runtime.output_dir if HydraConfig.get().job.chdir else folder
        ended.append(
            execute(checked(sections, composition.words), Path(place), made_by_hydra=True, **how)
        )
        return objective(ended[0][0].summary, sections["objective"])

    config = composition.config
    with read_write(config.hydra), open_dict(config):
        config.hydra.mode = RunMode.RUN
        config.hydra.run.dir = str(folder)
        config.hydra.overrides.task = [w.typed for w in composition.words if not w.is_hydras]
    Composed(config, composition.loader).run("config", task, [])
    return ended[0]
