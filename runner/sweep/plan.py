"""Plan a sweep: find all its jobs and check them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.override_parser.types import Glob

from runner.config.catalogue import GROUPS, choices
from runner.config.compose import Composition
from runner.config.experiment import Experiment
from runner.config.extensions import refuse_what_other_processes_lack
from runner.config.hydra_keys import RUN_DIR, SUBDIR, SWEEP_DIR
from runner.config.overrides import Word, read
from runner.results.run import flatten
from runner.sweep.job import Job
from runner.sweep.vary import Variations
from runner.system.terminal import ConfigError

MOST_JOBS = 100_000
"""A larger sweep is probably a mistake, for instance a range with too small a step."""


@dataclass(frozen=True)
class Plan:
    """The plan of a sweep.

    Attributes:
        jobs: all jobs, checked.
        fresh_jobs: for each job, if keys are tuned, the job with the same setting and fresh seeds.
        folder: the sweep's folder.
        tune: the tuned keys, separated by commas; None if no key is tuned.
        remarks: notes on settings that have no effect in this sweep.
        warning: why there will be no verdict; empty if there will be one.
    """

    jobs: list[Job]
    fresh_jobs: list[Job]
    folder: Path
    tune: str | None
    remarks: list[str]
    warning: str


def plan(composition: Composition, variations: Variations | None = None) -> Plan:
    """Return the plan of a sweep.

    The swept keys come from the command line, then from ``hydra.sweeper.params``. The first setting
    of the activation named by ``placebo`` runs a second time with other seeds, on every data set
    and with every tuned value. The difference between the two is chance.

    Raises ConfigError, one line, if any combination is invalid.
    """
    config, keys = composition.sections, {word.key for word in composition.words}
    if RUN_DIR in keys:
        raise ConfigError(f"{RUN_DIR} is a run's folder; a sweep's is {SWEEP_DIR}")
    axes = composition.axes
    for changing in ("hydra.job.num", "hydra.job.id"):
        if changing in composition.raw(SUBDIR):
            raise ConfigError(
                f"{SUBDIR} must not contain {changing}: a resumed sweep numbers only the missing "
                "jobs, so it would not find the folders of the finished ones"
            )
    for axis in axes:
        refuse_contradiction(axis, composition.words)
    folder = composition.sweep_folder
    several = [_values(axis) for axis in axes]
    count = math.prod(map(len, several))
    if count > MOST_JOBS:
        widest = axes[max(range(len(axes)), key=lambda k: len(several[k]))]
        raise ConfigError(f"{widest} makes a sweep of {count:,} jobs; the most is {MOST_JOBS:,}")
    placebo = config.get("placebo")
    tuned = _expected_to_be_tuned(config.get("tune"), axes)
    jobs = _jobs(variations or Variations(composition), several, placebo, tuned, folder)
    remarks = []
    if placebo is not None and all(job.config["activation"]["name"] != placebo for job in jobs):
        remarks.append(f"placebo={placebo} is in no job; name one of the sweep's activations")
        if "placebo" in keys:
            raise ConfigError(remarks[-1])
    tune, idle = _tuned(config, jobs, axes)
    for key in idle:
        remarks.append(f"tune={key}: no axis has it; add one, e.g. {key}=VALUE,VALUE")
        if "tune" in keys:
            raise ConfigError(remarks[-1])
    fresh_jobs = with_fresh_seeds(jobs) if tune is not None else []
    return Plan(jobs, fresh_jobs, folder, tune, remarks, _warning(jobs, tune))


def _expected_to_be_tuned(tune: object, axes: Sequence[Word]) -> Sequence[str]:
    """Return the keys that will be tuned, by the same rule as ``choose_tuned``."""
    from runner.compare.scores import TUNED_BY_DEFAULT, within

    if isinstance(tune, str):
        return tune.split(",")
    keys = [axis.key for axis in axes if not within(axis.key, ["dataset"])]
    return [TUNED_BY_DEFAULT] if TUNED_BY_DEFAULT in keys and len(keys) > 1 else []


def _jobs(
    variations: Variations,
    several: list[list[Word]],
    placebo: object,
    tuned: Sequence[str],
    folder: Path,
) -> list[Job]:
    """Return a job for each experiment, and a second one for each that the placebo repeats."""
    from runner.compare.scores import within

    repeated: dict[str, Any] | None = None
    jobs: dict[str, Job] = {}
    folders: dict[Path, str] = {}
    for values in itertools.product(*several):
        words = variations.words_of(values)
        experiment = variations.experiment(words)
        wanted = [(words, experiment)]
        arm = {
            key: value
            for key, value in flatten(experiment.to_dict()).items()
            if not within(key, ["dataset", "seed", *tuned])
        }
        if placebo == experiment.activation["name"] and repeated in (None, arm):
            repeated = arm
            seed = read([f"seed={experiment.seed + experiment.replicates}"])
            others = variations.words_of([*(w for w in values if w.key != "seed"), *seed])
            wanted.append((others, variations.experiment(others)))
        for words, experiment in wanted:
            if experiment.digest in jobs:
                continue
            refuse_what_other_processes_lack(experiment.names)
            job = variations.job(words, experiment, folder)
            while job.folder in folders and variations.names_folders:  # equal first digits
                job = replace(job, folder=job.folder.with_name(f"{job.folder.name}_2"))
            if job.folder in folders:
                raise ConfigError(
                    f"{SUBDIR} gives two jobs the folder {job.folder}: that of "
                    f"{folders[job.folder]}"
                )
            folders[job.folder] = " ".join(job.overrides)
            jobs[experiment.digest] = job
    return list(jobs.values())


def with_fresh_seeds(jobs: Sequence[Job]) -> list[Job]:
    """Return each job with fresh seeds, after all seeds of the sweep. Raises ConfigError.

    All seeds are moved by the same number. So settings stay paired by seed, and a placebo keeps
    other seeds than the setting that it repeats.
    """
    first = min(job.config["seed"] for job in jobs)
    end = max(job.config["seed"] + job.config["replicates"] for job in jobs)
    fresh_jobs = []
    for job in jobs:
        seed = job.config["seed"] + end - first
        word = f"seed={seed}"
        overrides = (*(text for text in job.overrides if not text.startswith("seed=")), word)
        try:
            experiment = Experiment.from_dict({**job.config, "seed": seed})
        except ConfigError as error:
            raise ConfigError(f"{error} (with {word}, which judges what is tuned)") from None
        target = job.folder.with_name(experiment.folder_name)
        fresh_jobs.append(Job(overrides, experiment.to_dict(), target))
    return fresh_jobs


def refuse_contradiction(axis: Word, words: Sequence[Word]) -> None:
    """Raise ConfigError if another word sets an axis's key."""
    for word in words:
        whole = isinstance(word.value, dict) and axis.key.startswith(f"{word.key}.")
        if word is not axis and (word.key == axis.key or whole):
            raise ConfigError(f"{axis} and {word} contradict each other; leave one of them out")


def _tuned(
    config: dict[str, Any], jobs: list[Job], axes: Sequence[Word]
) -> tuple[str | None, list[str]]:
    """Return the tuned keys, and those of them that no job varies.

    Raises ConfigError if no job has one of the keys.
    """
    tune = config.get("tune")
    if tune is None:
        return None, []
    if not isinstance(tune, str):
        raise ConfigError(f"tune={tune!r} must be a key, e.g. tune=optimizer.learning_rate")
    from runner.compare.scores import keys_to_tune
    from runner.compare.settings import NOT_SETTINGS, differing_keys

    for key in tune.split(","):
        if key in NOT_SETTINGS:
            raise ConfigError(f"tune={key}: it does not tell one setting from another")
    configs = [job.setting for job in jobs]
    try:
        keys = keys_to_tune(tune, configs)
    except ValueError as error:
        raise ConfigError(f"tune: {error}") from None
    varied = {*differing_keys(configs), *(axis.key for axis in axes)}
    idle = [key for key in keys if not any(f"{one}.".startswith(f"{key}.") for one in varied)]
    return tune, idle


def _warning(jobs: Sequence[Job], tune: str | None) -> str:
    """Return the reason why the comparison will have no verdict; empty if it will have one."""
    from runner.compare.pairs import MOST_ARMS_JUDGED, sharing
    from runner.compare.scores import choose_tuned, within
    from runner.compare.settings import Setting
    from runner.statistics.best_set import FEWEST_BLOCKS

    settings = [Setting(job.setting) for job in jobs]
    tuned = choose_tuned(settings, tune)
    tasks: dict[str, dict[str, set[int]]] = {}
    for job, setting in zip(jobs, settings, strict=True):
        kept = {k: v for k, v in setting.config.items() if not within(k, tuned)}
        data = repr({k: v for k, v in kept.items() if within(k, ["dataset"])})
        seed = job.config["seed"]
        arms = tasks.setdefault(data, {})
        arms.setdefault(repr(kept), set()).update(range(seed, seed + job.config["replicates"]))
    for arms in tasks.values():
        if len(arms) > MOST_ARMS_JUDGED:
            return f"{len(arms)} settings are too many to judge; the most is {MOST_ARMS_JUDGED}"
        known = set().union(*arms.values())
        has = np.array([[seed in own for seed in known] for own in arms.values()])
        if len(arms) > 1 and not sharing(has)[0].any():
            shared = has.astype(int) @ has.T
            most = int(shared[~np.eye(len(has), dtype=bool)].max())
            return (
                f"{most} replicate{'' if most == 1 else 's'} will not show which setting is "
                f"best: it takes {FEWEST_BLOCKS}, better replicates=10"
            )
    return ""


def _values(axis: Word) -> list[Word]:
    if not isinstance(axis.value, Glob):
        return axis.values(MOST_JOBS)
    if axis.key not in GROUPS:
        raise ConfigError(f"{axis}: only choices match; groups: {', '.join(GROUPS)}")
    found = axis.value.filter(list(choices(axis.key)))
    if not found:
        raise ConfigError(f"{axis} matches none of: {', '.join(choices(axis.key))}")
    return read([f"{axis.key}={name}" for name in found])
