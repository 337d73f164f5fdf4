"""From overrides to a checked experiment: Hydra composes, its errors become one line.

Only the composition of Hydra is used here, not its ``main``: so nothing is made on disk
before the config has passed, and a ``_target_`` hidden in somebody's YAML reaches no import.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import ConfigCompositionException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

import activations
from activations.arguments import close_names, closest
from runner.config import Experiment, Model, Training
from runner.extensions import load_extensions
from runner.foreign_code import refuse_changes_of_hydra, refuse_foreign_code
from runner.overrides import Word, read
from runner.system.terminal import ConfigError, first_line
from runner.system.yaml_text import refuse_interpolation_bombs
from runner.yaml_folder import searchpath

AROUND = ("sweep", "tune", "placebo")
"""What may be said beside the experiment: the axes, the key that validation data choose, and
the activation that enters twice (see conf/experiment)."""
GROUPS = ("activation", "dataset", "model", "optimizer", "schedule", "initializer")
NO_AXES = ("extensions", "plots", *AROUND)
SEARCHPATH = "hydra.searchpath"
FOR_A_LAUNCHER = ("hydra.launcher.", "hydra.job", "hydra.hydra_logging", "hydra/job_logging",
                  "hydra/hydra_logging", "hydra.verbose")  # fmt: skip
"""Beginnings of the keys of Hydra's that have an effect where a launcher starts the jobs."""
ALSO_CALLED = {"lr": "learning_rate", "random_state": "seed"}
"""What scikit-learn and PyTorch call a key."""
OWN_DATA = (
    "data are synthetic; for data of your own write a function with @register of "
    "runner.data.shapes in extensions=[FILE.py] and a file dataset/NAME.yaml in --config-dir"
)
_PACKAGE = Path(__file__).resolve().parent
CONFIG_DIR = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parent / "conf"
"""The YAML files: inside the package when installed, at the top level in a checkout."""

# Hydra 1.3 warns where this is left out, 1.4 where it is given.
VERSION_BASE = {"version_base": "1.3"} if hydra.__version__.startswith("1.3") else {}


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


def _takes_one_value(key: str) -> bool:
    if key in (*GROUPS, "experiment"):
        return True
    known = known_values().get(key, [None])
    return all(isinstance(value, (int, float, str)) for value in known)


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


def _launchers() -> list[str]:
    Plugins.instance()  # offers the installed ones
    offered = [Path(file).stem for file in ConfigStore.instance().list("hydra/launcher")]
    own = [path.stem for path in (CONFIG_DIR / "hydra" / "launcher").glob("*.yaml")]
    return sorted({*offered, *own})


def refuse_as_axis(word: Word) -> None:
    """Raise ConfigError for a key that cannot differ among the jobs of a sweep."""
    if word.key == "experiment":
        raise ConfigError(
            f"{word} must name one experiment; run them one after the other and compare them "
            "with python -m runner.compare"
        )
    if word.key in NO_AXES or word.is_hydras:
        raise ConfigError(f"{word}: {word.key} takes one value, the same for all jobs of a sweep")


def folder_in(config: DictConfig, key: str) -> str:
    """Return the folder that a composed config names, interpolations resolved.

    Raises ConfigError.
    """
    try:
        return str(OmegaConf.select(config, key, throw_on_missing=True))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{key}: {first_line(error)}") from None


def sweeps_a_named_experiment(overrides: Sequence[str]) -> bool:
    """Return whether experiment=<name> stands beside a key with several values."""
    words = read(overrides)
    named = any(word.key == "experiment" for word in words)
    return named and any(word.is_axis for word in words)


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


def choices(group: str) -> dict[str, str]:
    """Return a config group's choices with their one-line descriptions, sorted by name."""
    found = {}
    for path in sorted((CONFIG_DIR / group).glob("*.yaml")):
        with path.open(encoding="utf-8") as file:
            lines = [file.readline(), file.readline()]
            told = [line for line in lines if not line.startswith("# @package")]
            found[path.stem] = told[0].lstrip("# ").strip()
    return found


def known_keys() -> tuple[str, ...]:
    """Return every key that an override may name, with all choices of every group."""
    return tuple(known_values())


@functools.cache
def known_values() -> dict[str, list[Any]]:
    """Return every key that an override may name, with the values of all choices' files."""
    found: dict[str, list[Any]] = {group: [] for group in (*GROUPS, "experiment")}
    for path in [CONFIG_DIR / "config.yaml", *sorted(CONFIG_DIR.glob("*/*.yaml"))]:
        section = "" if path.parent == CONFIG_DIR else path.parent.name + "."
        if path.parent.name == "experiment":
            continue
        node = OmegaConf.to_container(OmegaConf.load(path))
        assert isinstance(node, dict)
        for key, value in node.items():
            if key in ("defaults", "hydra"):
                continue
            inner = {f".{name}": one for name, one in value.items()} if key == "training" else {}
            for name, one in (inner or {"": value}).items():
                found.setdefault(f"{section}{key!s}{name}", []).append(one)
    return found


def _closest_key(name: str) -> str:
    """Return a hint for an unknown key: the same name or a close one elsewhere, else those
    beside it."""
    known = [key for key in known_keys() if key != name]
    section, _, last = name.replace("/", ".").rpartition(".")
    last = ALSO_CALLED.get(last, last)
    names: dict[str, list[str]] = {}
    for key in known:
        names.setdefault(key.rpartition(".")[2], []).append(key)
    found = names.get(last) or close_names(name, known)
    found = found or [key for close in close_names(last, names) for key in names[close]]
    if found:
        return f"did you mean {' or '.join(found[:3])}?"
    beside = [key for key in known if section and key.startswith(f"{section}.")]
    return closest(name, beside or dict.fromkeys(key.partition(".")[0] for key in known))


def explain(error: BaseException) -> str:
    """Return one line that says which key or file is wrong, and what would be right."""
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
    return first_line(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _no_such_choice(file: str, options: Sequence[str] | None) -> str:
    """``options`` are the choices in all folders, ours and the user's."""
    group, _, name = file.partition("/")
    if group not in (*GROUPS, "experiment"):
        return f"{file}: there is no such choice or file"
    known: list[str] = list(options or choices(group))
    text = f"{group}={name} is unknown; {closest(name, known)}"
    if group == "dataset" and not close_names(name, known):
        return f"{text}; {OWN_DATA}"
    return text
