"""Refuse invalid words before the config is composed; each error says what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from hydra.core.override_parser.types import ChoiceSweep, Glob

from activations.arguments import close_names, closest
from runner.config.build import SECTIONS
from runner.config.catalogue import (
    AROUND,
    GROUPS,
    choices,
    closest_key,
    refuse_other_commands,
    takes_one_value,
    with_own,
)
from runner.config.experiment import Experiment, Model, Training
from runner.config.overrides import SEARCHPATH, Word, folders_of
from runner.network.losses import LOSSES
from runner.system.terminal import ConfigError

_NO_AXES = ("extensions", "plots", *AROUND)
_KEYS = {field.name for field in fields(Experiment)} | {"experiment", *AROUND}
_KEYS |= {f"model.{field.name}" for field in fields(Model)}
_KEYS |= {f"training.{field.name}" for field in fields(Training)}
_PARTS = {**SECTIONS, "training.loss": LOSSES}
MOST_VALUES = 100_000
_OPEN = {*GROUPS} - {"model"}
"""Sections whose keys depend on the choice. Unknown keys are refused when it is built."""


def refuse_wrong(words: Sequence[Word]) -> None:
    """Raise ConfigError for an unknown key, and for a list in place of one choice or value.

    ``refuse_of_hydra`` checks the settings of Hydra.
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
        refuse_unknown_part(word, words)
        if key in (*GROUPS, "experiment") and ".." in str(value):
            raise ConfigError(f"{word} must name a choice, not a path")
        if key == "experiment":
            refuse_other_commands(str(value), "runner")


def refuse_unknown_part(word: Word, words: Sequence[Word]) -> None:
    """Raise ConfigError for an unknown part if no word names files that may define it.

    The error says how to name such a file, which Hydra's own error would not.
    """
    registry = _PARTS.get(word.key)
    named = any(one.key in ("extensions", SEARCHPATH) for one in words)
    if registry is None or named or not isinstance(word.value, (str, ChoiceSweep)):
        return
    for one in word.values(MOST_VALUES):
        written_out = isinstance(one.value, dict)
        chosen = one.value.get("name", "") if written_out else one.value
        name = str(chosen).removesuffix(".yaml")  # Hydra accepts this suffix
        if not name or name in registry or ".." in name:
            continue
        known = choices(word.key) or registry
        if name not in known and (word.key != "dataset" or close_names(name, known)):
            raise ConfigError(f"{word.key}={name} is unknown; {with_own(closest(name, known))}")


def is_users_group(folders: Sequence[Path], key: str) -> bool:
    """Return whether a key is a config group that one of these folders of the user adds."""
    return key not in (*GROUPS, "experiment") and any((path / key).is_dir() for path in folders)


def refuse_as_axis(word: Word, sweeper: str = "grid") -> None:
    """Raise ConfigError for a key that cannot differ between jobs, and for values that the grid
    cannot list."""
    if word.override.is_interval_sweep() and sweeper == "grid":
        raise ConfigError(
            f"{word}: an interval has no list of values; write -m {word.key}=0.001,0.01,0.1 or "
            "range(START,STOP,STEP)"
        )
    known = choices(word.key) if word.key in GROUPS else {}
    if known and isinstance(word.value, Glob) and not word.value.filter(list(known)):
        raise ConfigError(f"{word} matches no choice; {closest(word.text, known)}")
    if word.key == "experiment":
        raise ConfigError(
            f"{word} must name one experiment; run them one after the other and compare them "
            "with python -m runner.compare"
        )
    if word.key in _NO_AXES or word.is_hydras:
        raise ConfigError(f"{word}: {word.key} takes one value, the same for all jobs of a sweep")
