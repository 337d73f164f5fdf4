"""Compose overrides to a checked experiment; errors of Hydra become one line.

Only Hydra's composition is used, not its ``main``. Therefore nothing is written before the config
is checked, and a ``_target_`` in an untrusted YAML file is never imported.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra import initialize_config_dir
from hydra._internal.hydra import Hydra
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, configure_log
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from hydra.plugins.config_source import ConfigSource
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from activations.arguments import close_names, closest
from runner.config.catalogue import AROUND, CONFIG_DIR, GROUPS, VERSION_BASE, choices
from runner.config.experiment import Experiment
from runner.config.extensions import load_extensions
from runner.config.hydra_keys import (
    LAUNCHER,
    PARAMS,
    RUN_DIR,
    SWEEP_DIR,
    SWEEPER,
    is_for_sweeps,
    is_no_setting,
    refuse_callbacks,
    refuse_of_hydra,
)
from runner.config.overrides import SEARCHPATH, Word, as_text, extensions_of, folders_of, read
from runner.config.refusals import is_users_group, refuse_as_axis, refuse_wrong
from runner.config.strangers import CheckedFolder, refuse_changes_of_hydra
from runner.system.terminal import ConfigError, first_line
from runner.system.yaml_text import refuse_interpolation_bombs

OWN_DATA = (
    "data are synthetic; for data of your own write a function with @register of runner.data that "
    "returns its Dataset, and name its file: extensions=[FILE.py] dataset=NAME"
)

NAME = "{name}"
"""In the folder settings of Hydra, stands for a name that depends only on the config or sweep."""


@dataclass(frozen=True)
class Composition:
    """The config that Hydra composes from the words that have one value.

    Attributes:
        words: all words, including the axes of a sweep.
        config: the composed config.
        sections: the config without the section ``hydra``, as plain dictionaries; not checked yet.
        loader: the config loader that composed it.
    """

    words: list[Word]
    config: DictConfig
    sections: dict[str, Any]
    loader: ConfigLoader

    @property
    def sweeps(self) -> bool:
        """Whether this is a sweep: as hydra.mode says; if it is not set, an experiment with
        hydra.sweeper.params, or together with an axis, is a sweep."""
        mode = self.config.hydra.mode
        if mode is not None:
            return bool(mode == RunMode.MULTIRUN)
        named = any(word.key == "experiment" for word in self.words)
        return named and (bool(self._parameters) or any(word.is_axis for word in self.words))

    @property
    def sweeper(self) -> str:
        """The choice of hydra/sweeper."""
        return str(self.config.hydra.runtime.choices[SWEEPER])

    @property
    def launcher(self) -> str:
        """The choice of hydra/launcher."""
        return str(self.config.hydra.runtime.choices[LAUNCHER])

    @cached_property
    def axes(self) -> list[Word]:
        """The words that vary in a sweep: the axes of the command line and hydra.sweeper.params.

        Raises ConfigError if one of them cannot vary.
        """
        keys = {word.key for word in self.words}
        stored = [word for word in self._parameters if word.key not in keys]
        return [*(word for word in self.words if word.is_axis), *stored]

    @cached_property
    def _parameters(self) -> list[Word]:
        found: Any = OmegaConf.select(self.config, "hydra.sweeper.params")
        if found is None:
            return []
        with explained():
            values = OmegaConf.to_container(found, resolve=True)
        if not isinstance(values, dict):
            raise ConfigError(f"hydra.sweeper.params must be values by key; got {values!r:.60}")
        words = read([f"{key!s}={value}" for key, value in values.items()])
        for word in words:
            refuse_as_axis(word, self.sweeper)
        refuse_wrong([*self.words, *words])
        return words

    @cached_property
    def experiment(self) -> Experiment:
        """The experiment of a single run. Raises ConfigError, also for settings of sweeps."""
        for word in self.words:
            if word.is_axis:
                point = "; a decimal has a point" if re.search(r"=-?0,\d\d+$", str(word)) else ""
                raise ConfigError(f"{word} has several values; add -m to sweep over them{point}")
            if is_for_sweeps(word):
                raise ConfigError(f"{word} is for sweeps; add -m (a run's folder is {RUN_DIR})")
        for key in ("tune", "placebo"):
            if self.sections.get(key) is not None:
                raise ConfigError(f"{key}={self.sections[key]} is for sweeps; add -m and an axis")
        return checked(self.sections, self.words)

    @property
    def folder(self) -> Path:
        """The folder of the experiment's run. Raises ConfigError."""
        return Path(self.named(RUN_DIR).replace(NAME, self.experiment.folder_name))

    @cached_property
    def sweep_folder(self) -> Path:
        """The folder of a sweep. {name} depends on the keys of the axes and on the fixed words, not
        on the values of the axes (a sweep can grow) or on how jobs run. Raises ConfigError."""
        keys = [axis.key for axis in self.axes]
        fixed = [str(w) for w in self.words if not (w.is_axis or is_no_setting(w.key))]
        what = "\n".join([*sorted(keys), "", *sorted(fixed), ""])
        name = "-".join(key.rpartition(".")[2] for key in keys)[:80] or "single"
        digest = hashlib.sha256(what.encode()).hexdigest()[:8]
        folder = Path(self.named(SWEEP_DIR).replace(NAME, f"{name}_{digest}"))
        if folder.name in ("", ".."):
            raise ConfigError(f"{SWEEP_DIR}={folder} must name a folder")
        return folder

    def raw(self, key: str) -> str:
        """Return a value as text, without resolving interpolations."""
        section, _, name = key.rpartition(".")
        plain: Any = OmegaConf.to_container(OmegaConf.select(self.config, section), resolve=False)
        return str(plain[name])

    def named(self, key: str) -> str:
        """Return the folder that a key names; interpolations are resolved. Raises ConfigError."""
        try:
            return str(OmegaConf.select(self.config, key, throw_on_missing=True))
        except OmegaConfBaseException as error:
            raise ConfigError(f"{key}: {first_line(error)}") from None


def compose(overrides: Sequence[str]) -> Composition:
    """Compose the overrides. Raises ConfigError: one line with the key and what is allowed."""
    words = read(overrides)
    refuse_of_hydra(words)
    sweeper = next((word.text for word in words[::-1] if word.key == SWEEPER), "grid")
    for word in words:
        if word.is_axis:
            refuse_as_axis(word, sweeper)
    refuse_wrong(words)
    load_extensions(extensions_of(words))
    config, loader = _composed([word for word in words if not word.is_axis])
    refuse_callbacks(config.hydra.callbacks)
    return Composition(words, config, plain(config), loader)


def compose_sections(words: Sequence[Word], primary: str = "config") -> dict[str, Any]:
    """Compose a file in conf/ with valid words that have one value each; return plain dictionaries
    without the section ``hydra``. Raises ConfigError."""
    return plain(_composed(words, primary)[0])


def checked(sections: dict[str, Any], words: Sequence[Word]) -> Experiment:
    """Return the experiment of a config that is composed to plain dictionaries.

    Extensions are allowed on the command line only, because an untrusted config file must not name
    code to run. Raises ConfigError.
    """
    if list(sections.get("extensions") or []) != extensions_of(words):
        raise ConfigError(
            "extensions are allowed on the command line only, e.g. extensions=[my_activations.py]"
        )
    return Experiment.from_dict({k: v for k, v in sections.items() if k not in AROUND})


def plain(config: DictConfig) -> dict[str, Any]:
    """Return a composed config without the section ``hydra``; interpolations are resolved.

    Raises ConfigError.
    """
    raw: Any = OmegaConf.to_container(config, resolve=False)
    raw.pop("hydra", None)
    if not any(mark in str(raw) for mark in ("${", "???")):
        return {str(key): value for key, value in raw.items()}
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    with explained():
        refuse_interpolation_bombs(OmegaConf.to_container(own, resolve=False))
        sections: Any = OmegaConf.to_container(own, resolve=True, throw_on_missing=True)
    return {str(key): value for key, value in sections.items()}


def for_hydra(words: Sequence[Word]) -> list[str]:
    """Return the words in the form for Hydra's composition. Raises ConfigError.

    Every key is added if the chosen YAML file does not have it. A later check refuses it with the
    keys that the choice has; Hydra would only say that it "is not in struct".
    """
    folders = folders_of(words)
    arguments = []
    if folders:
        places = ",".join(as_text(place) for place in checked_places(folders))
        arguments.append(f"{SEARCHPATH}=[{places}]")
    return arguments + [override(word, folders) for word in words if word.key != SEARCHPATH]


def override(word: Word, folders: Sequence[Path]) -> str:
    """Return a word in the form for Hydra's composition, with these folders of YAML files."""
    if word.is_hydras:
        return f"++{word}" if word.key.startswith(PARAMS) else word.typed
    if is_users_group(folders, word.key):
        return f"+{word}"
    if word.key in (*GROUPS, "experiment") and not isinstance(word.value, dict):
        return str(word)
    return f"++{word}"


def checked_places(folders: Sequence[Path]) -> list[str]:
    """Return the folders in the form for Hydra's search path. Raises ConfigError."""
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"--config-dir {folder}: no such folder")
    Plugins.instance().register(CheckedFolder)
    return [f"{CheckedFolder.scheme()}://{os.path.abspath(folder)}" for folder in folders]


def sources(folders: Sequence[Path]) -> list[ConfigSource]:
    """Return the places where Hydra looks for files: conf/, these folders, registered configs."""
    with initialize_config_dir(str(CONFIG_DIR), **VERSION_BASE):
        *ours, offered = GlobalHydra.instance().config_loader().get_sources()
    return [*ours, *(CheckedFolder("theirs", place) for place in checked_places(folders)), offered]


class Composed(Hydra):
    """Hydra's ``run`` and ``multirun``, for a config that is already composed and checked."""

    def __init__(self, config: DictConfig, loader: ConfigLoader) -> None:
        self.config, self.config_loader = config, loader

    def run(self, *words: Any, **how: Any) -> JobReturn:
        """Run one job."""
        with self._trusted():
            return super().run(*words, **how)

    def multirun(self, *words: Any, **how: Any) -> Any:
        """Let the sweeper run its jobs."""
        with self._trusted():
            return super().multirun(*words, **how)

    def _trusted(self) -> AbstractContextManager[Any]:
        """Let Hydra call its plugins and the callbacks of the command line, and no other code that
        a config names. Hydra 1.3 has no list of allowed code."""
        from hydra import utils

        callbacks = self.config.hydra.callbacks or {}
        trusted = [callback["_target_"] for callback in callbacks.values()]
        allow = getattr(utils, "execution_whitelist", nullcontext)
        context: AbstractContextManager[Any] = allow(trusted)
        return context

    def compose_config(
        self, *_: Any, with_log_configuration: bool = False, **__: Any
    ) -> DictConfig:
        """Return the config."""
        if with_log_configuration:
            configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        return self.config


@contextmanager
def hydra_set_aside() -> Iterator[None]:
    """Restore the global state of Hydra and logging at the end, and use copies of the singletons.

    The caller may be a Hydra program, and a launcher configures logging.
    """
    logger = logging.getLogger()
    level, handlers = logger.level, list(logger.handlers)
    shared = (Plugins.instance(), SourcesRegistry.instance(), ConfigStore.instance())
    theirs = Singleton._instances
    ours: Any = {type(one): copy.deepcopy(one) for one in shared}
    Singleton._instances = ours
    try:
        yield
    finally:
        Singleton._instances = theirs
        for handler in set(logger.handlers) - set(handlers):
            handler.close()
        logger.setLevel(level)
        logger.handlers[:] = handlers


def _composed(words: Sequence[Word], primary: str = "config") -> tuple[DictConfig, ConfigLoader]:
    arguments = for_hydra(words)
    GlobalHydra.instance().clear()
    with (
        explained(),
        warnings.catch_warnings(),
        initialize_config_dir(str(CONFIG_DIR), job_name="runner", **VERSION_BASE),
    ):
        # A YAML file of the user replaces the defaults that are registered for the user's class.
        warnings.filterwarnings("ignore", r"\s*'[^']+/.*ConfigStore schema")
        config = hydra.compose(primary, arguments, return_hydra_config=True)
        if folders_of(words):
            refuse_changes_of_hydra(config.hydra, _hydra_of_the_shell(words))
        HydraConfig.instance().set_config(config)
        return config, GlobalHydra.instance().config_loader()


def _hydra_of_the_shell(words: Sequence[Word]) -> DictConfig:
    """Return the section ``hydra``, composed without the user's files."""
    arguments = [word.typed for word in words if word.is_hydras and word.key != SEARCHPATH]
    try:
        return hydra.compose("config", arguments, return_hydra_config=True).hydra
    except ConfigCompositionException as error:  # a choice from the user's files
        raise ConfigError(
            f"Hydra's settings are allowed on the command line only: {first_line(error)}"
        ) from None


@contextmanager
def explained() -> Iterator[None]:
    """Raise ConfigError with one line for any error of Hydra, which may have several lines."""
    try:
        yield
    except (ConfigError, MemoryError):
        raise
    except UnicodeDecodeError as error:
        raise ConfigError(f"a YAML file is not UTF-8: {error}") from None
    except Exception as error:  # Hydra may raise ValueError, KeyError, errors of yaml, ...
        if isinstance(error, OSError) and not isinstance(error, HydraException):
            raise
        raise ConfigError(_explanation(error)) from None


def _explanation(error: BaseException) -> str:
    """Return one line with the key or file that is wrong, and what is allowed."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, MissingConfigException) and cause.missing_cfg_file:
            return _no_such_choice(cause.missing_cfg_file, cause.options)
        if isinstance(cause, yaml.YAMLError):
            return f"a YAML file is broken: {' '.join(str(cause).split())}"
    for cause in causes:
        if isinstance(cause, OmegaConfBaseException) and cause.full_key:
            where = "" if cause is error or not str(error) else f"{first_line(error)} "
            return f"{where}{cause.full_key}: {first_line(cause)}"
    if isinstance(error, AttributeError):  # Hydra's own sweeper has params: null
        return "Hydra cannot merge a section into a null of a config; name it in a YAML file"
    return first_line(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _no_such_choice(file: str, options: Sequence[str] | None) -> str:
    """Return the line for an unknown choice; ``options`` are the choices in all folders."""
    group, _, name = file.partition("/")
    if group not in (*GROUPS, "experiment"):
        return f"{file}: no such choice or file"
    known: list[str] = list(options or choices(group))
    text = f"{group}={name} is unknown; {closest(name, known)}"
    return text if group != "dataset" or close_names(name, known) else f"{text}; {OWN_DATA}"
