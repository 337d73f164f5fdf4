"""Settings: configs without their seeds, their names, and their scores."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any

import numpy as np

from activations.base import Array
from runner.compare.runs import Problem
from runner.data.split import part_sizes
from runner.results.run import Run
from runner.statistics.estimates import Estimate, estimate

NOT_SETTINGS = ("seed", "replicates", "plots", "training.snapshots")
"""Keys that do not belong to a setting: how many replicates, which seed, which pictures."""


NAMED_WITH = {"leaky_relu": "activation.alpha"}
"""Parameters shown beside their activation's name, as libraries disagree on the default."""


@dataclass
class Setting:
    """All replicates of one config, from any number of runs.

    Attributes:
        config: flat config without NOT_SETTINGS.
        runs: the runs of the replicates.
        replicates: the entries in the summaries, by rising seed.
        owners: the run of each replicate, and its row in that run.
        label: a name that is unique among the settings.
        metric, scores: what is compared, (replicates,); a diverged replicate has the worst score.
        validation: the value by which trials are chosen, higher is better.
    """

    config: dict[str, Any]
    runs: list[Run] = field(default_factory=list)
    replicates: list[dict[str, Any]] = field(default_factory=list)
    owners: list[tuple[Run, int]] = field(default_factory=list)
    label: str = ""
    metric: str = ""
    scores: Array = field(default_factory=lambda: np.empty(0))
    validation: float = np.nan

    @property
    def activation(self) -> str:
        return str(self.config["activation.name"])

    @property
    def seeds(self) -> list[int]:
        return [entry["seed"] for entry in self.replicates]

    @property
    def diverged(self) -> Array:
        return np.array([r["status"] == "diverged" for r in self.replicates], bool)

    @property
    def solved(self) -> int:
        return sum(r["solved_epoch"] is not None for r in self.replicates)

    @property
    def chance(self) -> float:
        """The accuracy of a guess, 1 / classes; NaN if the run's version did not store it."""
        classes = self.runs[0].summary.get("classes")
        return 1 / classes if type(classes) is int and classes > 1 else np.nan

    @property
    def seconds(self) -> float:
        return sum(run.summary["seconds"]["total"] for run in self.runs)

    @property
    def score(self) -> Estimate:
        """The centre of the scores, with a 95% interval."""
        return estimate(self.metric, self.scores, self.samples(self.metric))

    def only(self, kept: Sequence[bool]) -> Setting:
        """Return the setting with some of its replicates and their runs, without ``validation``."""
        owners = list(compress(self.owners, kept))
        return replace(
            self,
            runs=[run for run in self.runs if any(run is owner for owner, _ in owners)],
            replicates=list(compress(self.replicates, kept)),
            owners=owners,
            scores=self.scores[np.asarray(kept)],
        )

    def measured(self, metric: str) -> Array:
        """Return a metric of every replicate, NaN where there is none.

        ``metric`` is a name such as test_accuracy for the last epoch,
        best.test_accuracy for the epoch of the lowest validation loss.
        """
        which, _, name = metric.rpartition(".")
        found = [entry[which or "final"][name] for entry in self.replicates]
        return np.array(found, dtype=np.float64)  # None is NaN

    def samples(self, metric: str) -> int:
        """Return how many samples a metric is measured on, 1 if the config does not say."""
        part = metric.rpartition(".")[2].partition("_")[0]
        try:
            sizes = part_sizes(
                int(self.config["dataset.samples"]),
                float(self.config["dataset.test_fraction"]),
                float(self.config["dataset.validation_fraction"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            return 1
        return max(1, sizes[part])

    def curve(self, column: str) -> tuple[Array, Array]:
        """Return epochs (E,) and a history column (replicates, E).

        The epochs are those that all runs recorded. A replicate that stopped early keeps its last
        value, as its weights do not change; a diverged one is NaN from then on.
        """
        grids = [np.nanmax(run.history["epoch"], axis=0) for run in self.runs]
        longest = max(grids, key=len)
        common = longest
        for grid in grids:
            if not np.array_equal(grid, longest[: len(grid)]):  # equal: it stopped early
                common = np.intersect1d(common, grid)
        lines = np.full((len(self.replicates), len(common)), np.nan)
        for line, (run, row), entry in zip(lines, self.owners, self.replicates, strict=True):
            if column not in run.history:
                continue
            there = np.isfinite(run.history["epoch"][row])
            known, values = run.history["epoch"][row, there], run.history[column][row, there]
            _, at, of = np.intersect1d(common, known, return_indices=True)
            line[at] = values[of]
            if entry["status"] == "stopped_early":
                line[common > known[-1]] = values[-1]
        return common, lines

    def band(self, column: str, values: Array) -> Estimate:
        """Return the estimate of a history column, (replicates, E), epoch by epoch.

        Rows of diverged replicates are NaN and left out.
        """
        rows = values[np.isfinite(values).all(axis=1)]
        if len(rows):
            return estimate(column, rows, self.samples(column), axis=0)
        # No replicate reached the end: show the centre, without an interval.
        nothing = np.full(values.shape[1], np.nan)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return Estimate(np.nanmedian(values, axis=0), nothing, nothing)


def group(runs: Sequence[Run]) -> tuple[list[Setting], list[Problem]]:
    """Merge runs whose configs differ only in NOT_SETTINGS; replicates by rising seed.

    A seed that occurs twice in a setting counts once, from the run read first; the others are
    returned as problems.
    """
    settings: dict[str, Setting] = {}
    problems = []
    for run in runs:
        config = {k: v for k, v in run.settings.items() if k not in NOT_SETTINGS}
        key = json.dumps(config, sort_keys=True, default=str)
        setting = settings.setdefault(key, Setting(config))
        known, total = set(setting.seeds), len(run.replicates)
        fresh = [row for row, entry in enumerate(run.replicates) if entry["seed"] not in known]
        if len(fresh) < total:
            reason = (
                f"{total - len(fresh)} of {total} seeds are in {setting.runs[0].path} already "
                "and count once"
            )
            problems.append(Problem(str(run.path), reason))
        if fresh:
            setting.runs.append(run)
            setting.replicates += [run.replicates[row] for row in fresh]
            setting.owners += [(run, row) for row in fresh]
    found = [settings[key] for key in sorted(settings)]  # independent of the folders' order
    for setting in found:
        order = np.argsort(setting.seeds, kind="stable")
        setting.replicates = [setting.replicates[i] for i in order]
        setting.owners = [setting.owners[i] for i in order]
    _label(found)
    return found, problems


def _label(settings: Sequence[Setting]) -> None:
    """Give each setting a label: its name among those of its task, and the task if there are
    several."""
    tasks: dict[str, list[Setting]] = {}
    for setting, task in zip(settings, task_names([s.config for s in settings]), strict=True):
        tasks.setdefault(task, []).append(setting)
    for task, alike in tasks.items():
        configs = [setting.config for setting in alike]
        for setting, name in zip(alike, names(configs, differing_keys(configs)), strict=True):
            setting.label = f"{name} on {task}" if len(tasks) > 1 else name


def differing_keys(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the keys in which configs differ, the activation and the dataset first.

    A parameter that follows from its section's name does not count (leaky_relu's alpha, if all
    leaky_relu settings share it), nor do extensions if the other keys tell all configs apart.
    """
    chosen = []
    for key in sorted({key for config in configs for key in config}):
        differs = any(len(values) > 1 for values in _values(configs, key).values())
        if differs and not (key == "extensions" and _is_redundant(configs, key)):
            chosen.append(key)
    first = ("activation.name", "dataset.name")
    return sorted(chosen, key=lambda k: (first.index(k) if k in first else 2, k))


def _values(configs: Sequence[Mapping[str, Any]], key: str) -> dict[str, set[str]]:
    """Return the values of a key, for each name that its section has in some config."""
    seen: dict[str, set[str]] = {}
    for config in configs:
        seen.setdefault(_section_name(config, key), set()).add(repr(config.get(key)))
    return seen


def _section_name(config: Mapping[str, Any], key: str) -> str:
    """Return the name in a parameter's section: "leaky_relu" for activation.alpha."""
    section, _, parameter = key.rpartition(".")
    return "" if parameter == "name" else str(config.get(f"{section}.name"))


def _is_redundant(configs: Sequence[Mapping[str, Any]], key: str) -> bool:
    """Return whether all configs still differ without this key."""
    whole = {repr(sorted(config.items())) for config in configs}
    rest = {repr(sorted((k, v) for k, v in c.items() if k != key)) for c in configs}
    return len(rest) == len(whole)


def short(key: str) -> str:
    """Return a key's name in tables: activation.name -> activation."""
    section, _, parameter = key.rpartition(".")
    return section if parameter == "name" else parameter


def show(value: Any) -> str:
    """Return a setting's value for people: 0.01, [16,8], [16]*30, -."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        if len(value) > 4 and len(set(map(repr, value))) == 1:
            return f"[{show(value[0])}]*{len(value)}"
        return f"[{','.join(show(item) for item in value)}]"
    return str(value)


def show_value(config: Mapping[str, Any], key: str, keys: Sequence[str]) -> str:
    """Return a key's value as text; an activation's with its parameter in NAMED_WITH,
    unless that key is among ``keys`` and so has its own column."""
    value = config.get(key)
    more = NAMED_WITH.get(str(value)) if key == "activation.name" else None
    if more is None or more in keys or more not in config:
        return show(value)
    return f"{value} {short(more)}={show(config[more])}"


def label(config: Mapping[str, Any], keys: Sequence[str]) -> str:
    """Return the values of some keys in one line: "gelu moons hidden=[16,16] learning_rate=0.1".

    A single list or text beside names needs no key, unless it belongs to the dataset:
    "gelu [16,16]". There are commas only in brackets, so that several labels can be listed.
    """
    others = [key for key in keys if not key.endswith(".name")]
    only_one = len(others) == 1 < len(keys) and not others[0].startswith("dataset.")
    words = []
    for key in keys:
        if key not in config:
            continue
        value = show_value(config, key, keys)
        bare = key.endswith(".name") or (only_one and isinstance(config[key], (list, tuple, str)))
        words.append(value if bare else f"{short(key)}={value}")
    return " ".join(words) or show(config.get("activation.name", "run"))


def names(
    configs: Sequence[Mapping[str, Any]], keys: Sequence[str], always: Sequence[str] = ()
) -> list[str]:
    """Return a name for each config: its values of those keys in which it differs from others.

    A parameter counts only among configs whose section has the same name: elu's alpha is no part
    of its name if all elu settings share it. Keys in ``always`` are in every name.
    """
    values = {key: _values(configs, key) for key in keys}
    return [
        label(
            config,
            [
                *always,
                *(
                    key
                    for key in keys
                    if key not in always and len(values[key][_section_name(config, key)]) > 1
                ),
            ],
        )
        for config in configs
    ]


def task_names(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the name of each config's task: its dataset, with parameters in which the tasks of
    this dataset differ."""
    keys = [key for key in differing_keys(configs) if key.startswith("dataset.")]
    return names(configs, keys, ("dataset.name",))


def key_names(keys: Sequence[str], taken: Sequence[str] = ()) -> dict[str, str]:
    """Return a unique name for each key: ``short`` if that is unique."""
    names = [short(key) for key in keys]
    return {
        key: name if names.count(name) == 1 and name not in taken else key
        for key, name in zip(keys, names, strict=True)
    }
