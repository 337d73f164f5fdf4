"""What words may be said: known keys, choices, and settings of Hydra's that have an effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from activations.arguments import closest
from runner.config.catalogue import (
    AROUND,
    FOR_A_LAUNCHER,
    GROUPS,
    NO_AXES,
    SEARCHPATH,
    _closest_key,
    _launchers,
    _takes_one_value,
    choices,
)
from runner.config.experiment import Experiment, Model, Training
from runner.config.overrides import Word, read
from runner.config.yaml_folder import searchpath
from runner.system.terminal import ConfigError


def for_hydra(words: Sequence[Word]) -> list[str]:
    """Return the words as Hydra's composition takes them. Raises ConfigError for unknown keys.

    A key that a chosen YAML file does not have is added: whether the choice takes it is for
    our own check to say, Hydra knows only that it "is not in struct".
    """
    check_keys(words)
    folders = folders_of(words)
    arguments = [searchpath(folders)] if folders else []
    for word in words:
        if word.key == SEARCHPATH:
            continue
        if word.is_hydras:
            arguments.append(word.typed)
        elif _is_group_in(folders, word.key):
            arguments.append(f"+{word}")
        elif word.key in (*GROUPS, "experiment") and not isinstance(word.value, dict):
            arguments.append(str(word))
        else:
            arguments.append(f"++{word}")
    return arguments


def check_keys(words: Sequence[Word]) -> None:
    """Raise ConfigError for an unknown key, and for a list where one choice or value is needed.

    Hydra's own settings are for refuse_hydra_settings.
    """
    folders = folders_of(words)
    for word in words:
        if not word.is_hydras and not _is_group_in(folders, word.key):
            _refuse_unknown(word)
            _refuse_several(word)


def _is_group_in(folders: Sequence[Path], key: str) -> bool:
    """Whether a key is a group of the user's own, with files in one of these folders."""
    known = key in (*GROUPS, "experiment")
    return not known and any((folder / key).is_dir() for folder in folders)


def folders_of(words: Sequence[Word]) -> list[Path]:
    """Return the folders of YAML files of all --config-dir and hydra.searchpath=[...]."""
    found = []
    for word in words:
        if word.key != SEARCHPATH:
            continue
        if not isinstance(word.value, list) or word.is_axis:
            raise ConfigError(f"{word} must be a list of folders, e.g. {SEARCHPATH}=[my_conf]")
        found += [Path(str(place).removeprefix("file://")) for place in word.value]
    return found


def _refuse_unknown(word: Word) -> None:
    """Raise ConfigError for a key that no config has."""
    section, _, name = word.key.partition(".")
    inner = {"model": fields(Model), "training": fields(Training)}.get(section, ())
    if "/" in word.key:
        known = False
    elif inner:
        known = not name or name in [field.name for field in inner]
    else:
        whole = [field.name for field in fields(Experiment)]
        known = section in (*GROUPS, "sweep") or word.key in ("experiment", *whole, *AROUND)
    if not known:
        raise ConfigError(f"{word.key} is unknown; {_closest_key(word.key)}")


def _refuse_several(word: Word) -> None:
    """Raise ConfigError if a list or nothing stands where one choice or value is needed."""
    key, value = word.key, word.value
    if isinstance(value, list) and _takes_one_value(key):
        several = ",".join(map(str, value))
        raise ConfigError(f"{word} is a list; {key} takes one value. To sweep: -m {key}={several}")
    if key in GROUPS and not (word.is_axis or (isinstance(value, (str, dict)) and value)):
        raise ConfigError(f"{word} must name a choice; {closest(word.text, choices(key))}")
    if key in (*GROUPS, "experiment") and ".." in str(value):
        raise ConfigError(f"{word} must name a choice, not a path")


def refuse_hydra_settings(words: Sequence[Word], *, sweeps: bool) -> None:
    """Raise ConfigError for a word that sets something of Hydra's to no effect."""
    launched = sweeps and any(word.key == "hydra/launcher" for word in words)
    for word in words:
        key = word.key
        if not word.is_hydras or key == SEARCHPATH:
            continue
        if word.is_axis:
            raise ConfigError(f"{word} has several values; hydra's settings take one")
        if key == "hydra.run.dir" and sweeps:
            raise ConfigError(f"{key} is a run's folder; a sweep's is hydra.sweep.dir")
        if key == "hydra.sweep.dir" and not sweeps:
            raise ConfigError(f"{key} is a sweep's folder; a run's is hydra.run.dir")
        if key == "hydra.launcher":
            raise ConfigError(f"{key} has settings; choose one by hydra/launcher=NAME")
        if key == "hydra/launcher":
            there = _launchers()
            if word.value not in there:
                raise ConfigError(f"{word} is not installed; installed: {', '.join(there)}")
        elif key not in ("hydra.run.dir", "hydra.sweep.dir") and not (
            launched and key.startswith(FOR_A_LAUNCHER)
        ):
            where = "hydra.sweep.dir" if sweeps else "hydra.run.dir"
            needs = " without hydra/launcher=NAME" if key.startswith(FOR_A_LAUNCHER) else ""
            raise ConfigError(
                f"{key} is not taken{needs}; of hydra's settings {where}, hydra.searchpath and, "
                "in a sweep, hydra/launcher are"
            )


def refuse_as_axis(word: Word) -> None:
    """Raise ConfigError for a key that cannot differ among the jobs of a sweep."""
    if word.key == "experiment":
        raise ConfigError(
            f"{word} must name one experiment; run them one after the other and compare them "
            "with python -m runner.compare"
        )
    if word.key in NO_AXES or word.is_hydras:
        raise ConfigError(f"{word}: {word.key} takes one value, the same for all jobs of a sweep")


def sweeps_a_named_experiment(overrides: Sequence[str]) -> bool:
    """Return whether experiment=<name> stands beside a key with several values."""
    words = read(overrides)
    named = any(word.key == "experiment" for word in words)
    return named and any(word.is_axis for word in words)


def extensions_of(overrides: Sequence[str]) -> list[str]:
    """Return the Python files that the overrides name, from extensions=[...].

    Raises ConfigError if the value is not a list of text.
    """
    found: list[str] = []
    for word in read(overrides):
        if word.key != "extensions":
            continue
        if not isinstance(word.value, list):
            raise ConfigError(
                "extensions must be a list, e.g. extensions=[my_activations.py]; got " + word.text
            )
        for item in word.value:
            if not isinstance(item, str):
                raise ConfigError(
                    f"extensions: {item} is neither a Python file (my_activations.py) nor a "
                    "module's name"
                )
        found = list(word.value)
    return found
