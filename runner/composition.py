"""From overrides to a checked experiment: Hydra composes, its errors become one line.

Only the composition of Hydra is used here, not its ``main``: so nothing is made on disk
before the config has passed, and a ``_target_`` hidden in somebody's YAML reaches no import.
"""

from __future__ import annotations

import functools
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, HydraException
from omegaconf import DictConfig, OmegaConf

import activations
from runner.choices import ConfigError, closest
from runner.config import Experiment
from runner.extensions import load_extensions
from runner.foreign_code import refuse_changes_of_hydra, refuse_foreign_code
from runner.formulas import as_text
from runner.yaml_text import refuse_bombs, refuse_interpolation_bombs

AROUND = ("sweep", "tune", "placebo")
"""What may be said beside the experiment: the axes, the key that validation data choose, and
the activation that enters twice (see conf/experiment)."""
GROUPS = ("activation", "dataset", "model", "optimizer", "schedule", "initializer")
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


def compose(overrides: Sequence[str], config_dir: str | None = None) -> Composed:
    """Return the experiment of these overrides, checked.

    ``config_dir`` is a folder of the user's own YAML files, searched after ours.
    Raises ConfigError, one line that names the key and what is allowed.
    """
    refuse_key(overrides, "hydra.sweep.dir", "is a sweep's folder; a run's is hydra.run.dir")
    load_extensions(extensions_of(overrides))
    config = composed(overrides, config_dir)
    experiment = experiment_of(plain(config), overrides)
    folder = str(config.hydra.run.dir).replace("{name}", experiment.folder_name)
    return Composed(experiment, Path(folder), bool(config.get("sweep")))


def composed(overrides: Sequence[str], config_dir: str | None = None) -> DictConfig:
    """Return the config of these overrides as Hydra composes it, not checked yet.

    Raises ConfigError, one line.
    """
    arguments = list(overrides)
    refuse_several_experiments(arguments)
    refuse_key(arguments, "hydra.launcher", "has settings; choose one by hydra/launcher=NAME")
    if config_dir is not None:
        if not os.path.isdir(config_dir):
            raise ConfigError(f"--config-dir {config_dir}: there is no such folder")
        path = os.path.abspath(config_dir)
        arguments.insert(0, f"hydra.searchpath=[{as_text('file://' + path)}]")
    foreign = any(map(_names_folders, arguments))
    try:
        for folder in searched(arguments):
            refuse_bombs(folder)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(CONFIG_DIR), **VERSION_BASE), warnings.catch_warnings():
            # A user's YAML file for a class of their own, whose defaults we have offered too.
            warnings.filterwarnings("ignore", r"\s*'[^']+/.*ConfigStore schema")
            config = _compose(arguments)
            if foreign:
                refuse_changes_of_hydra(config.hydra, _of_the_shell(arguments))
        refuse_foreign_code(config.hydra)
        HydraConfig.instance().set_config(config)
        plain(config)
        return config
    except ConfigError:
        raise
    except UnicodeDecodeError as error:
        raise ConfigError(f"a YAML file is not UTF-8: {error}") from None
    except Exception as error:  # on odd input Hydra raises ValueError, KeyError, yaml's, ...
        raise ConfigError(explain(error, overrides)) from None


def _of_the_shell(arguments: list[str]) -> DictConfig:
    """Return Hydra's section as the words alone make it, without any file but ours."""
    words = [word for word in arguments if word.lstrip("+~").startswith("hydra")]
    try:
        return _compose([word for word in words if not _names_folders(word)]).hydra
    except ConfigCompositionException as error:  # a choice that is a file of theirs
        raise ConfigError(
            f"hydra's settings are taken from the command line only: {_first_line(error)}"
        ) from None


def _names_folders(word: str) -> bool:
    return word.lstrip("+~").startswith("hydra.searchpath")


def searched(words: Sequence[str]) -> Iterator[Path]:
    """Yield the folders of YAML files that hydra.searchpath=[...] names."""
    for word in filter(_names_folders, words):
        try:
            places = _parsed(word)
        except HydraException as error:
            raise ConfigError(explain(error, [word])) from None
        for place in map(str, places if isinstance(places, list) else []):
            if place.startswith("file://") or "://" not in place:
                yield Path(place.removeprefix("file://"))


def _compose(arguments: list[str]) -> DictConfig:
    """Compose; a key that a chosen YAML file does not have is left to our own check.

    Hydra would say only that the key "is not in struct"; we know what the choice takes.
    """
    try:
        return hydra.compose("config", arguments, return_hydra_config=True)
    except ConfigCompositionException as error:
        key = re.search(r"Could not override '(\w+)\.[^']+'", str(error))
        if key is None or key.group(1) not in GROUPS:
            raise
        forced = [
            "+" + word if word.startswith(key.group(0)[20:-1] + "=") else word for word in arguments
        ]
        if forced == arguments:
            raise
        return _compose(forced)


def sweeps_a_named_experiment(overrides: Sequence[str]) -> bool:
    """Return whether experiment=<name> stands beside a key with several values."""
    if not any(word.startswith("experiment=") for word in overrides):
        return False
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except HydraException as error:
        raise ConfigError(explain(error, overrides)) from None
    return any(override.is_sweep_override() for override in parsed)


def refuse_several_experiments(overrides: Sequence[str]) -> None:
    """Raise ConfigError for experiment=a,b: each brings axes of its own, which do not mix."""
    for word in overrides:
        key, _, value = word.partition("=")
        if key.lstrip("+") == "experiment" and "," in value:
            raise ConfigError(
                f"experiment={value} must name one experiment; run them one after the other and "
                "compare them with python -m runner.compare"
            )


def refuse_key(overrides: Sequence[str], key: str, why: str) -> None:
    """Raise ConfigError if an override names this very key, which would have no effect."""
    if any(word.lstrip("+").partition("=")[0].strip() == key for word in overrides):
        raise ConfigError(f"{key} {why}")


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
    if tune is None:
        return
    if not isinstance(tune, str):
        raise ConfigError(f"tune={tune!r} must be a key, e.g. tune=optimizer.learning_rate")
    known = ["none", *known_keys()]
    for key in tune.split(","):
        if key not in known:
            raise ConfigError(f"tune={key} is unknown; {closest(key, known)}")


def extensions_of(overrides: Sequence[str]) -> list[str]:
    """Return the Python files that the overrides name, from extensions=[...].

    Raises ConfigError if the value is not a list of text.
    """
    found: list[str] = []
    for override in overrides:
        if override.split("=", 1)[0].strip() != "extensions":
            continue
        try:
            value = _parsed(override)
        except HydraException as error:
            raise ConfigError(explain(error, [override])) from None
        if not isinstance(value, list):
            raise ConfigError(
                f"extensions must be a list, e.g. extensions=[my_activations.py]; got {value!r}"
            )
        found = [str(item) for item in value]
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


@functools.cache
def known_keys() -> tuple[str, ...]:
    """Return every key that an override may name, with all choices of every group."""
    return tuple(dict.fromkeys(_keys()))


def _keys() -> Iterator[str]:
    yield from GROUPS
    for path in [CONFIG_DIR / "config.yaml", *sorted(CONFIG_DIR.glob("*/*.yaml"))]:
        section = "" if path.parent == CONFIG_DIR else path.parent.name + "."
        if path.parent.name == "experiment":
            continue
        node = OmegaConf.load(path)
        assert isinstance(node, DictConfig)
        for key, value in node.items():
            if key in ("defaults", "hydra"):
                continue
            if isinstance(value, DictConfig) and not section:
                yield from (f"{key!s}.{inner!s}" for inner in value)
            else:
                yield f"{section}{key!s}"


def _closest_key(name: str) -> str:
    """Return a hint for an unknown key: close ones of all, else those beside it."""
    known = known_keys()
    hint = closest(name, known)
    if hint.startswith("did you mean"):
        return hint
    section = name.rpartition(".")[0]
    beside = [key for key in known if section and key.startswith(f"{section}.")]
    return closest(name, beside or dict.fromkeys(key.partition(".")[0] for key in known))


def explain(error: BaseException, overrides: Sequence[str]) -> str:
    """Return one line that says which override or key is wrong, and what would be right."""
    text = _whole_message(error)
    option = re.search(r"Could not find '([^']+)/([^'/]*)'", text)
    if option:
        group, name = option.groups()
        if group == "hydra/launcher":
            there = [file.removesuffix(".yaml") for file in ConfigStore.instance().list(group)]
            return f"{group}={name} is not installed; installed: {', '.join(there)}"
        if group in (*GROUPS, "experiment"):
            return f"{group}={name} is unknown; {closest(name, choices(group))}"
        return f"{group}={name}: there is no such choice or group; {closest(group, GROUPS)}"
    several = re.search(r"Ambiguous value for argument '([^']+)'", text) or re.search(
        r"Sweep parameters '([^']+)'", text
    )
    if several:
        return (
            f"{several.group(1)} has several values; add -m to sweep over them, or write one "
            "list as key=[a,b]"
        )
    malformed = _malformed(overrides)
    if malformed:
        return malformed
    for override in overrides:
        group, _, value = override.partition("=")
        if group in GROUPS and not isinstance(_parsed(override), str):
            return f"{group}={value} must name one of: {', '.join(choices(group))}"
    if type(error).__module__.startswith("yaml"):
        return f"a YAML file is broken: {' '.join(str(error).split())}"
    key = re.search(r"Could not override '([^']+)'", text) or re.search(r"full_key: (\S+)", text)
    if key is None:
        return _first_line(error)
    name = key.group(1)
    if name in GROUPS:
        known = choices(name)
        return f"{name} must name one of its choices, e.g. {name}={next(iter(known))}"
    if "not in struct" in text or "No match in the defaults list" in text:
        if name.startswith("hydra."):
            return f"{name} is no setting of Hydra's"
        return f"{name} is unknown; {_closest_key(name)}"
    if _first_line(error) == f"Could not override '{name}'.":
        return f"{name} is no setting of Hydra's"
    return f"{name}: {_first_line(error)}"


def _malformed(overrides: Sequence[str]) -> str | None:
    parser = OverridesParser.create()
    for override in overrides:
        try:
            if not parser.parse_override(override).key_or_group:
                raise HydraException("there is no key before the =")
        except HydraException as error:
            reason = _first_line(error)
            return (
                f"cannot read the override {override!r}: {reason}; "
                "write key=value, quoted for the shell where it has spaces or brackets"
            )
    return None


def _parsed(override: str) -> Any:
    return OverridesParser.create().parse_override(override).value()


def _whole_message(error: BaseException) -> str:
    parts = []
    seen: BaseException | None = error
    while seen is not None:
        parts.append(str(seen))
        seen = seen.__cause__
    return "\n".join(parts)


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
