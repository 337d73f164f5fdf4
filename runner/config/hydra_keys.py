"""The settings of Hydra: which work as Hydra documents them, which are refused, and why.

conf/README.md has the same table; tests/config/test_hydra_keys.py checks both against Hydra's
schema.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from activations.arguments import closest
from runner.config.catalogue import offered
from runner.config.overrides import SEARCHPATH, Word
from runner.system.terminal import ConfigError

LAUNCHER, SWEEPER, MODE = "hydra/launcher", "hydra/sweeper", "hydra.mode"
RUN_DIR, SWEEP_DIR, SUBDIR = "hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir"
PARAMS = "hydra.sweeper.params"
GROUPS_OF_HYDRA = (
    LAUNCHER,
    SWEEPER,
    "hydra/job_logging",
    "hydra/hydra_logging",
    "hydra/hydra_help",
)
"""Hydra's config groups with a choice."""
WORKS = (
    MODE,
    SEARCHPATH,
    RUN_DIR,
    SWEEP_DIR,
    SUBDIR,
    "hydra.launcher",
    "hydra.sweeper",
    "hydra.callbacks",
    "hydra.job_logging",
    "hydra.hydra_logging",
    "hydra.hydra_help",
    "hydra.verbose",
    "hydra.output_subdir",
    "hydra.job.name",
    "hydra.job.chdir",
    "hydra.job.env_set",
    "hydra.job.env_copy",
    "hydra.job.config",
)
"""Keys that work as Hydra documents them, with all keys below them."""
SECTIONS = ("hydra.launcher", "hydra.sweeper", "hydra.callbacks", "hydra.job_logging",
            "hydra.hydra_logging", "hydra.job.env_set", "hydra.job.config")  # fmt: skip
_FILLED = "Hydra fills it"
REFUSED = {
    "hydra.overrides": _FILLED,
    "hydra.runtime": _FILLED,
    "hydra.job.override_dirname": _FILLED,
    "hydra.job.id": _FILLED,
    "hydra.job.num": _FILLED,
    "hydra.job.config_name": _FILLED,
    "hydra.help": "the text of --help lists all choices and is not made from a template",
    "hydra/help": "the text of --help lists all choices and is not made from a template",
    "hydra.aliases": "Hydra reads it from the primary config only",
    "hydra/callbacks": "set +hydra.callbacks.NAME={_target_: MODULE.CLASS} instead",
    "hydra/output": "it has no choice but default",
    "hydra/env": "it has no choice but default",
}
"""Keys that are refused, with all keys below them, and why."""
AT_HOME = (MODE, SEARCHPATH, RUN_DIR, SWEEP_DIR, SUBDIR, LAUNCHER, "hydra.launcher", SWEEPER,
           "hydra.sweeper")  # fmt: skip
"""Keys without an effect on jobs. If no other key of Hydra is set, Hydra's ``run_job`` would only
make the folder, which the job does itself."""
FOR_SWEEPS = (SWEEP_DIR, SUBDIR, LAUNCHER, "hydra.launcher", SWEEPER, "hydra.sweeper")
EXTRAS = {(LAUNCHER, "slurm"): "submitit", (LAUNCHER, "ray"): "ray", (SWEEPER, "optuna"): "optuna"}
"""The module that a choice in conf/ needs, by group and name. Its extra has the choice's name."""
NO_SETTINGS = (MODE, SWEEP_DIR, LAUNCHER, "hydra.launcher", "hydra.sweeper.params",
               "hydra.sweeper.n_trials", "hydra.sweeper.n_jobs")  # fmt: skip
"""Keys that may differ between two commands for the same sweep."""
NAMES_CODE = ("_target_", "()", "class", "://", "${")
"""Keys of logging that name code or files. Hydra's own choices are trusted."""


def refuse_of_hydra(words: Sequence[Word]) -> None:
    """Raise ConfigError with the reason for a key that Hydra does not have, a key that is refused,
    and a value that names code that Hydra would call."""
    for word in words:
        if not word.is_hydras:
            continue
        if word.key in GROUPS_OF_HYDRA:
            if word.value not in (there := offered(word.key)):
                raise ConfigError(f"{word} is not installed; installed: {', '.join(there)}")
            _refuse_without_extra(word)
            continue
        for key in leaves(word.key, word.value):
            _refuse_key(key, word)
        _refuse_value(word)


def refuse_callbacks(callbacks: Any) -> None:
    """Raise ConfigError if one of hydra.callbacks is not a subclass of Hydra's Callback.

    Hydra would create and call any class.
    """
    for name, callback in (callbacks or {}).items():
        key = f"hydra.callbacks.{name}"
        if "_target_" not in (callback if OmegaConf.is_dict(callback) else {}):
            raise ConfigError(f"{key} is refused: write {key}={{_target_: MODULE.CLASS}}")
        if str(callback).count("_target_") > 1:
            raise ConfigError(f"{key} is refused: only the callback itself may have a _target_")
        from hydra.experimental.callback import Callback

        module, _, cls = str(callback["_target_"]).rpartition(".")
        try:
            found = getattr(importlib.import_module(module), cls)
        except Exception as error:  # importing a module may raise anything
            raise ConfigError(f"{key} is refused: {type(error).__name__}: {error}") from None
        if not (isinstance(found, type) and issubclass(found, Callback)):
            raise ConfigError(
                f"{key} is refused: {module}.{cls} is not a hydra.experimental.callback.Callback"
            )


def leaves(key: str, value: Any) -> Iterator[str]:
    """Yield the keys that a word sets: the keys of a section given as a dictionary, or its own."""
    if isinstance(value, dict) and not _below(key, WORKS):
        for name, part in value.items():
            yield from leaves(f"{key}.{name}", part)
    else:
        yield key


def _refuse_without_extra(word: Word) -> None:
    module = EXTRAS.get((word.key, word.value))
    if module is not None and find_spec(module) is None:
        extra = f"pip install -e '.[{word.value}]'"
        raise ConfigError(f"{word} needs {module}, which is not installed: {extra}")


def is_no_setting(key: str) -> bool:
    """Return whether a key has no effect on a sweep's runs."""
    return _below(key, NO_SETTINGS)


def sets(words: Sequence[Word], key: str) -> bool:
    """Return whether one of the words sets this key of Hydra."""
    return any(word.is_hydras and key in leaves(word.key, word.value) for word in words)


def asks_of_a_job(words: Sequence[Word]) -> bool:
    """Return whether one of the words is a setting of Hydra that has an effect on a job."""
    keys = (key for word in words if word.is_hydras for key in leaves(word.key, word.value))
    return any(not _below(key, AT_HOME) for key in keys)


def is_for_sweeps(word: Word) -> bool:
    """Return whether a word sets a key of Hydra that has no effect on a single run."""
    return word.is_hydras and any(_below(key, FOR_SWEEPS) for key in leaves(word.key, word.value))


def _refuse_key(key: str, word: Word) -> None:
    for refused, reason in REFUSED.items():
        if _below(key, [refused]):
            raise ConfigError(f"{key} is refused: {reason}")
    if not _below(key, WORKS):
        raise ConfigError(
            f"{key} is not a Hydra setting; {closest(key, [*WORKS, *GROUPS_OF_HYDRA])}"
        )
    if key in SECTIONS and not isinstance(word.value, (dict, list)):
        group = key.replace(".", "/") if key.replace(".", "/") in GROUPS_OF_HYDRA else f"{key}.KEY"
        raise ConfigError(f"{word} is refused: {key} is a section; write {group}=NAME")
    code = [mark for mark in NAMES_CODE if mark in str(word)]
    if _below(key, ["hydra.launcher", "hydra.sweeper"]) and "_target_" in code:
        raise ConfigError(f"{key} is refused: choose an installed launcher by {LAUNCHER}=NAME")
    if _below(key, ["hydra.job_logging", "hydra.hydra_logging"]) and code:
        raise ConfigError(
            f"{key} is refused: {code[0]} names code, which only a file in "
            "conf/hydra/job_logging may"
        )


def _refuse_value(word: Word) -> None:
    """Raise ConfigError for values with which Hydra or logging would fail when a job starts."""
    key, value = word.key, word.value
    if key == "hydra.verbose":
        loggers = value if isinstance(value, list) else [value]
        if not all(isinstance(logger, str | bool) for logger in loggers):
            raise ConfigError(f"{word} must be true, false, a logger's name or a list of names")
    if key == "hydra.output_subdir" and value is not None:
        parts = Path(str(value)).parts
        if len(parts) != 1 or parts[0] in ("..", "/") or Path(parts[0]).suffix:
            raise ConfigError(f"{word} must be null or a folder's name, such as .hydra")
    if _below(key, ["hydra.job_logging", "hydra.hydra_logging"]) and key.endswith(".level"):
        if not isinstance(logging.getLevelName(str(value)), int):
            raise ConfigError(f"{word} must be one of: DEBUG, INFO, WARNING, ERROR, CRITICAL")


def _below(key: str, tops: Sequence[str]) -> bool:
    return any(key == top or key.startswith(f"{top}.") for top in tops)
