"""From overrides to a checked experiment: Hydra composes, its errors become one line.

Only the composition of Hydra is used here, not its ``main``: so nothing is made on disk
before the config has passed, and a ``_target_`` hidden in somebody's YAML reaches no import.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

import activations
from activations.arguments import closest
from runner.config.catalogue import AROUND, CONFIG_DIR, SEARCHPATH, VERSION_BASE
from runner.config.experiment import Experiment
from runner.config.explain import explain
from runner.config.extensions import load_extensions
from runner.config.foreign_code import refuse_changes_of_hydra, refuse_foreign_code
from runner.config.overrides import Word, read
from runner.config.words import (
    extensions_of,
    folders_of,
    for_hydra,
    refuse_as_axis,
    refuse_hydra_settings,
)
from runner.system.terminal import ConfigError, first_line
from runner.system.yaml_text import refuse_interpolation_bombs


@dataclass(frozen=True)
class Composed:
    """A checked experiment, the folder that its run belongs in, and whether an experiment
    file asks for a sweep around it."""

    experiment: Experiment
    folder: Path
    sweeps: bool


def compose(overrides: Sequence[str]) -> Composed:
    """Return the experiment of these overrides, checked.

    Raises ConfigError, one line that names the key and what is allowed.
    """
    words = read(overrides)
    refuse_hydra_settings(words, sweeps=False)
    for word in words:
        if word.is_axis:
            refuse_as_axis(word)
            raise ConfigError(f"{word} has several values; add -m to sweep over them")
    load_extensions(extensions_of(overrides))
    config = composed(overrides)
    sections = plain(config)
    sweeps = bool(sections.get("sweep"))
    if not sweeps:
        for key in ("tune", "placebo"):
            if sections.get(key) is not None:
                raise ConfigError(f"{key}={sections[key]} is for sweeps; add -m and an axis")
        if any(word.key == "hydra/launcher" for word in words):
            raise ConfigError("hydra/launcher is for sweeps; add -m and an axis")
    experiment = experiment_of(sections, overrides)
    folder = folder_in(config, "hydra.run.dir").replace("{name}", experiment.folder_name)
    return Composed(experiment, Path(folder), sweeps)


@contextmanager
def hydra_set_aside() -> Iterator[None]:
    """Give back the Hydra state that is here now: who calls us may be a program of Hydra's."""
    state, config = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
    try:
        yield
    finally:  # by their instances of now, which Hydra replaces
        GlobalHydra.instance().hydra, HydraConfig.instance().cfg = state, config


def composed(overrides: Sequence[str]) -> DictConfig:
    """Return the config of these overrides as Hydra composes it, not checked yet.

    Raises ConfigError, one line.
    """
    words = read(overrides)
    arguments = for_hydra(words)
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(CONFIG_DIR), **VERSION_BASE), warnings.catch_warnings():
            # A user's YAML file for a class of their own, whose defaults we have offered too.
            warnings.filterwarnings("ignore", r"\s*'[^']+/.*ConfigStore schema")
            config = hydra.compose("config", arguments, return_hydra_config=True)
            if folders_of(words):
                refuse_changes_of_hydra(config.hydra, _of_the_shell(words))
        refuse_foreign_code(config.hydra)
        HydraConfig.instance().set_config(config)
        plain(config)
        return config
    except ConfigError:
        raise
    except UnicodeDecodeError as error:
        raise ConfigError(f"a YAML file is not UTF-8: {error}") from None
    except Exception as error:  # on odd input Hydra raises ValueError, KeyError, yaml's, ...
        raise ConfigError(explain(error)) from None


def _of_the_shell(words: Sequence[Word]) -> DictConfig:
    """Return Hydra's section as the words alone make it, without any file but ours."""
    arguments = [word.typed for word in words if word.is_hydras and word.key != SEARCHPATH]
    try:
        return hydra.compose("config", arguments, return_hydra_config=True).hydra
    except ConfigCompositionException as error:  # a choice that is a file of theirs
        raise ConfigError(
            f"hydra's settings are taken from the command line only: {first_line(error)}"
        ) from None


def folder_in(config: DictConfig, key: str) -> str:
    """Return the folder that a composed config names, interpolations resolved.

    Raises ConfigError.
    """
    try:
        return str(OmegaConf.select(config, key, throw_on_missing=True))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{key}: {first_line(error)}") from None


def experiment_of(sections: dict[str, Any], overrides: Sequence[str]) -> Experiment:
    """Return the checked experiment of a composed config in plain dictionaries.

    Extensions are taken from the command line only: a config file from a stranger must not
    name code to run. Raises ConfigError.
    """
    if list(sections.get("extensions") or []) != extensions_of(overrides):
        raise ConfigError(
            "extensions may be named on the command line only, e.g. extensions=[my_activations.py]"
        )
    _check_around(sections)
    return Experiment.from_dict({k: v for k, v in sections.items() if k not in AROUND})


def _check_around(sections: dict[str, Any]) -> None:
    """Raise ConfigError if what is said beside the experiment cannot be meant."""
    placebo, tune = sections.get("placebo"), sections.get("tune")
    names = activations.names()
    if placebo is not None and placebo not in names:
        raise ConfigError(f"placebo={placebo} must name an activation; {closest(placebo, names)}")
    if tune is not None and not isinstance(tune, str):
        raise ConfigError(f"tune={tune!r} must be a key, e.g. tune=optimizer.learning_rate")


def plain(config: DictConfig) -> dict[str, Any]:
    """Return the composed config without Hydra's own part, interpolations resolved."""
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    try:
        refuse_interpolation_bombs(OmegaConf.to_container(own, resolve=False))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    plain = OmegaConf.to_container(own, resolve=True, throw_on_missing=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}
