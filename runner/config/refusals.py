"""Words that are refused before anything is composed, each with what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from activations.arguments import closest
from runner.config.catalogue import (
    AROUND,
    GROUPS,
    choices,
    closest_key,
    launchers,
    takes_one_value,
)
from runner.config.experiment import Experiment, Model, Training
from runner.config.overrides import SEARCHPATH, Word, folders_of
from runner.system.terminal import ConfigError

LAUNCHER, RUN_DIR, SWEEP_DIR = "hydra/launcher", "hydra.run.dir", "hydra.sweep.dir"
FOR_A_LAUNCHER = ("hydra.launcher.", "hydra.job.", "hydra/job_logging", "hydra/hydra_logging",
                  "hydra.verbose")  # fmt: skip
"""Beginnings of the keys of Hydra's that have an effect where a launcher starts the jobs."""
_NO_AXES = ("extensions", "plots", *AROUND)
_KEYS = {field.name for field in fields(Experiment)} | {"experiment", *AROUND}
_KEYS |= {f"model.{field.name}" for field in fields(Model)}
_KEYS |= {f"training.{field.name}" for field in fields(Training)}
_OPEN = {"sweep", *GROUPS} - {"model"}
"""Sections whose keys depend on what is chosen: who builds it refuses the others."""


def refuse_wrong(words: Sequence[Word]) -> None:
    """Raise ConfigError for an unknown key, and for a list where one choice or value is needed.

    Hydra's own settings are for ``refuse_of_hydra``.
    """
    folders = folders_of(words)
    for word in words:
        key, value = word.key, word.value
        if word.is_hydras or is_users_group(folders, key):
            continue
        if key not in _KEYS and ("/" in key or key.partition(".")[0] not in _OPEN):
            raise ConfigError(f"{key} is unknown; {closest_key(key)}")
        if isinstance(value, list) and key != "model.hidden" and takes_one_value(key):
            several = ",".join(map(str, value))
            raise ConfigError(
                f"{word} is a list; {key} takes one value. To sweep: -m {key}={several}"
            )
        if key in GROUPS and not (word.is_axis or (isinstance(value, (str, dict)) and value)):
            raise ConfigError(f"{word} must name a choice; {closest(word.text, choices(key))}")
        if key in (*GROUPS, "experiment") and ".." in str(value):
            raise ConfigError(f"{word} must name a choice, not a path")


def is_users_group(folders: Sequence[Path], key: str) -> bool:
    """Return whether a key is a group of the user's own, with files in one of these folders."""
    return key not in (*GROUPS, "experiment") and any((path / key).is_dir() for path in folders)


def refuse_as_axis(word: Word) -> None:
    """Raise ConfigError for a key that cannot differ among the jobs of a sweep."""
    if word.key == "experiment":
        raise ConfigError(
            f"{word} must name one experiment; run them one after the other and compare them "
            "with python -m runner.compare"
        )
    if word.key in _NO_AXES or word.is_hydras:
        raise ConfigError(f"{word}: {word.key} takes one value, the same for all jobs of a sweep")


def refuse_of_hydra(words: Sequence[Word]) -> None:
    """Raise ConfigError for a word that sets something of Hydra's to no effect, or names code
    that Hydra would call: it makes whatever ``_target_`` in a launcher's settings names."""
    launched = any(word.key == LAUNCHER for word in words)
    for word in words:
        key = word.key
        if not word.is_hydras or key in (SEARCHPATH, RUN_DIR, SWEEP_DIR):
            continue
        if key == LAUNCHER:
            if word.value not in (there := launchers()):
                raise ConfigError(f"{word} is not installed; installed: {', '.join(there)}")
        elif not (launched and key.startswith(FOR_A_LAUNCHER)) or "_target_" in str(word):
            raise ConfigError(
                f"{key} is not taken: of hydra's settings {RUN_DIR}, {SEARCHPATH} and, in a sweep, "
                f"{SWEEP_DIR} and {LAUNCHER}=NAME with its hydra.launcher.KEY=VALUE are"
            )
