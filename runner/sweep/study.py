"""Search for the best objective: ``hydra/sweeper=optuna``.

Optuna draws the trials and stores its study in a file in the sweep's folder. As in any sweep, the
runs' folders show which jobs are finished. The trials of a batch run in parallel through any
launcher; the next batch is drawn when all of them have ended. Each trial is drawn with its own
seed, so an interrupted study resumes with the same trials.
"""

from __future__ import annotations

import csv
import hashlib
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState

from runner.config.extensions import refuse_what_other_processes_lack
from runner.config.overrides import Word
from runner.execute import repeat_command
from runner.results.objective import higher_is_better, objective
from runner.results.run import read_summary
from runner.sweep.grid import Grid, is_finished, run_missing
from runner.sweep.job import Job
from runner.sweep.loader import JobLoader
from runner.sweep.plan import refuse_contradiction, with_fresh_seeds
from runner.sweep.space import Space, as_words, corners, space_of
from runner.system.files import write_whole
from runner.system.terminal import ConfigError, first_line

HISTORY = "study"
"""The name of the study's picture and table, without a suffix."""
DEFAULTS = {"TPESampler": {"multivariate": True, "constant_liar": True}}
"""Default arguments of samplers. ``multivariate`` models parameters jointly (Falkner et al. 2018).
``constant_liar`` counts running trials as bad ones, so that the trials of a batch differ."""


@dataclass(frozen=True)
class Search:
    """The settings of a search.

    Attributes:
        sampler: the ``name`` of a class in ``optuna.samplers``, and its arguments.
        trials: the total number of trials.
        batch: the number of trials in a batch, which run at the same time.
        seed: trial k is drawn with a seed computed from this and k.
        storage: Optuna's URL of the file that stores the study.
        name: the study's name in that file; None for a hash of the search space.
    """

    sampler: Mapping[str, Any]
    trials: int
    batch: int
    seed: int
    storage: str
    name: str | None

    def __post_init__(self) -> None:
        self.make_sampler(0)
        for key, value in (("n_trials", self.trials), ("n_jobs", self.batch)):
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f"hydra.sweeper.{key}={value} must be a whole number >= 1")

    def make_sampler(self, trial: int) -> optuna.samplers.BaseSampler:
        """Return the sampler that draws a trial. Raises ConfigError."""
        arguments = dict(self.sampler)
        name = str(arguments.pop("name", None))
        arguments = DEFAULTS.get(name, {}) | arguments
        kind = getattr(optuna.samplers, name, None)
        if not (isinstance(kind, type) and issubclass(kind, optuna.samplers.BaseSampler)):
            raise ConfigError("hydra.sweeper.sampler needs the name of a class in optuna.samplers")
        make: Any = kind
        state = np.random.SeedSequence([self.seed, trial]).generate_state(1)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)  # the config asks for it
                sampler: optuna.samplers.BaseSampler = make(**arguments, seed=int(state[0]))
            return sampler
        except (TypeError, ValueError, ImportError) as error:
            raise ConfigError(f"hydra.sweeper.sampler: {first_line(error)}") from None


def sweep(search: Search, launcher: Launcher, context: HydraContext) -> Grid:
    """Run the missing trials, then the chosen one again with fresh seeds.

    Raises ConfigError, before anything is written, if the search space is invalid.
    """
    loader = context.config_loader
    if not isinstance(loader, JobLoader):
        raise ConfigError("hydra/sweeper=optuna searches for python -m runner only")
    composition = loader.composition
    space = _space(loader)
    folder, name = composition.sweep_folder, composition.sections["objective"]
    # activations are compared, each with the parameters found for it
    tuned = [key for key in space if key != "activation"] or list(space)
    grid = Grid(tune=",".join(tuned), metric=name.replace("validation", "test"))
    study = _study(search, space, folder, name)
    finished = sum(trial.state.is_finished() for trial in study.get_trials(deepcopy=False))
    if loader.show_progress:
        there = f", {min(finished, search.trials)} of them finished already" if finished else ""
        print(f"study of {search.trials} trials in {folder}{there}")
    jobs: list[Job] = []
    for start in range(0, search.trials, search.batch):
        numbers = range(start, min(start + search.batch, search.trials))
        trials = [_trial(study, number, search, space) for number in numbers]
        batch = [_job(loader, as_words(space, trial.params), trial.number) for trial in trials]
        new = {job.folder: job for job in batch if job not in jobs}
        run_missing(grid, list(new.values()), "", launcher, loader)
        jobs += batch
        for trial, job in zip(trials, batch, strict=True):
            if not trial.state.is_finished() and is_finished(job):
                study.tell(trial.number, _value(job, name))
        if loader.show_progress and not all(trial.state.is_finished() for trial in trials):
            print(_how_far(study, numbers, search.trials, name), flush=True)
        if grid.stop is not None or grid.error:
            break
    _write_history(study, space, jobs, loader)
    if grid.stop is None and not grid.error and (chosen := _chosen(grid, jobs)):
        fresh_jobs = with_fresh_seeds(chosen)
        title = "the chosen trial again, with fresh seeds"
        run_missing(grid, fresh_jobs, title, launcher, loader)
    return grid


def _space(loader: JobLoader) -> Space:
    """Return the search space. Raises ConfigError if one of its ``corners`` is invalid."""
    from runner.compare.settings import NOT_SETTINGS

    composition = loader.composition
    axes = composition.axes
    for axis in axes:
        refuse_contradiction(axis, composition.words)
        if axis.key in NOT_SETTINGS or axis.key.partition(".")[0] == "dataset":
            raise ConfigError(f"{axis} cannot be searched: losses on other data are not comparable")
    if not axes:
        raise ConfigError(
            "hydra/sweeper=optuna has nothing to search; name a key with its values, e.g. "
            "'optimizer.learning_rate=tag(log, interval(1e-3, 1))'"
        )
    space = space_of(axes)
    for parameters in corners(space):
        words = loader.variations.words_of(as_words(space, parameters))
        refuse_what_other_processes_lack(loader.variations.experiment(words).names)
    return space


def _study(search: Search, space: Space, folder: Path, metric: str) -> optuna.Study:
    """Load the study from its file, or create it. Raises ConfigError."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    what = "\n".join(f"{key}: {space[key]!r}" for key in sorted(space))
    name = search.name or hashlib.sha256(what.encode()).hexdigest()[:8]
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return optuna.create_study(
            storage=search.storage,
            study_name=name,
            direction="maximize" if higher_is_better(metric) else "minimize",
            load_if_exists=True,
        )
    except Exception as error:  # SQLAlchemy and database drivers raise many types
        for path in made:
            path.rmdir()
        raise ConfigError(
            f"hydra.sweeper.storage={search.storage}: {type(error).__name__}: {first_line(error)}"
        ) from None


def _trial(study: optuna.Study, number: int, search: Search, space: Space) -> FrozenTrial:
    """Return a stored trial, or draw it."""
    trials = study.get_trials(deepcopy=False)
    if number < len(trials) and trials[number].params.keys() >= space.keys():
        return trials[number]
    study.sampler = search.make_sampler(number)
    if number < len(trials):  # the command was killed while it drew this trial
        drawn = optuna.trial.Trial(study, trials[number]._trial_id)
        for key, distribution in space.items():
            drawn._suggest(key, distribution)
    else:
        study.ask(space)
    return study.get_trials(deepcopy=False)[number]


def _job(loader: JobLoader, varied: Sequence[Word], number: int) -> Job:
    words = loader.variations.words_of(varied)
    experiment = loader.variations.experiment(words)
    job = loader.variations.job(words, experiment, loader.composition.sweep_folder, number)
    loader.jobs[job.launched] = job
    return job


def _value(job: Job, name: str) -> float:
    """Return a finished job's objective. Raises ConfigError if it has none."""
    value = objective(read_summary(job.folder), name)
    if value is None:
        raise ConfigError(
            f"objective={name} has no value without validation data; set "
            "dataset.validation_fraction=0.2"
        )
    return value


def _best(study: optuna.Study) -> FrozenTrial | None:
    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return study.best_trial if complete else None


def _how_far(study: optuna.Study, numbers: range, of: int, name: str) -> str:
    best = _best(study)
    position = f"trials {numbers[0] + 1} to {numbers[-1] + 1} of {of}"
    if best is None:
        return f"{position}: none succeeded"
    found = ", ".join(f"{key}={_shown(value)}" for key, value in best.params.items())
    return f"{position}: best {name} {best.value:.4g} with {found}"


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _chosen(grid: Grid, jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs that validation data choose, by the comparison's own rule."""
    from runner.compare.runs import collect
    from runner.compare.scores import chosen_configs

    finished = {job.folder: job for job in jobs if is_finished(job)}
    if len(finished) < 2:
        return []
    runs, _ = collect(finished)
    configs = chosen_configs(runs, grid.tune or "none", grid.metric)
    return [job for job in finished.values() if job.setting in configs]


def _write_history(
    study: optuna.Study, space: Space, jobs: Sequence[Job], loader: JobLoader
) -> None:
    """Write the trials as a table and as a picture into the sweep's folder."""
    composition = loader.composition
    trials = study.get_trials(deepcopy=False)[: len(jobs)]
    values = [trial.value if trial.value is not None else np.nan for trial in trials]
    name, format = composition.sections["objective"], composition.sections["plots"]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["trial", name, *space, "folder"])
    for trial, value, job in zip(trials, values, jobs, strict=True):
        texts = [word.text for word in as_words(space, trial.params)]
        shown = "" if np.isnan(value) else f"{value:.9g}"
        writer.writerow([trial.number + 1, shown, *texts, job.folder.name])
    write_whole(composition.sweep_folder / f"{HISTORY}.csv", stream.getvalue())
    if format == "none":
        return
    from runner.plots.study import Trials
    from runner.plots.study import study as draw
    from runner.plots.style import style

    logarithmic = [key for key, one in space.items() if getattr(one, "log", False)]
    parameters = {key: [trial.params[key] for trial in trials] for key in space}
    drawn = Trials(
        name, np.array(values), parameters, frozenset(logarithmic), higher_is_better(name)
    )
    command = repeat_command(["-m", *(word.typed for word in composition.words)])
    with style():
        picture = draw(drawn, f"Search for {', '.join(space)}", command)
        content = picture.encode(format)
    path = composition.sweep_folder / f"{HISTORY}.{format}"
    write_whole(path, content)
    if loader.show_progress:
        print(f"  study    {path}")
