"""From overrides to a checked experiment: Hydra composes, its errors become one line.

Only the composition of Hydra is used here, not its ``main``: so nothing is made on disk
before the config has passed, and a ``_target_`` hidden in somebody's YAML reaches no import.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from runner.choices import ConfigError, closest
from runner.config import Experiment
from runner.extensions import load_extensions

GROUPS = ("activation", "dataset", "model", "optimizer", "schedule", "initializer")
_PACKAGE = Path(__file__).resolve().parent
CONFIG_DIR = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parent / "conf"
"""The YAML files: inside the package when installed, at the top level in a checkout."""


@dataclass(frozen=True)
class Composed:
    """A checked experiment and the folder that its run belongs in."""

    experiment: Experiment
    folder: Path


def compose(overrides: Sequence[str], config_dir: str | None = None) -> Composed:
    """Return the experiment of these overrides, checked.

    ``config_dir`` is a folder of the user's own YAML files that stands before ours.
    Raises ConfigError, one line that names the key and what is allowed.
    """
    load_extensions(extensions_of(overrides))
    register_folder_name()
    arguments = list(overrides)
    if config_dir is not None:
        if not os.path.isdir(config_dir):
            raise ConfigError(f"--config-dir {config_dir}: there is no such folder")
        path = os.path.abspath(config_dir)
        arguments.insert(0, f"hydra.searchpath=[{_quoted('file://' + path)}]")
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(CONFIG_DIR), version_base="1.3"):
            config = hydra_compose("config", arguments, return_hydra_config=True)
        HydraConfig.instance().set_config(config)
        experiment = experiment_of(config, overrides)
        return Composed(experiment, Path(config.hydra.run.dir))
    except ConfigError:
        raise
    except (HydraException, OmegaConfBaseException, AssertionError) as error:
        raise ConfigError(explain(error, overrides)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"a YAML file is not UTF-8: {error}") from None
    except Exception as error:  # the YAML library's errors have no common public base
        if type(error).__module__.startswith("yaml"):
            raise ConfigError(f"a YAML file is broken: {_first_line(error)}") from None
        raise


def experiment_of(config: DictConfig, overrides: Sequence[str]) -> Experiment:
    """Return the checked experiment of a composed config.

    Extensions are taken from the command line only: a config file from a stranger must not
    name code to run. Raises ConfigError.
    """
    plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(plain, dict)
    sections = {str(key): value for key, value in plain.items() if key != "hydra"}
    if list(sections.get("extensions") or []) != extensions_of(overrides):
        raise ConfigError(
            "extensions may be named on the command line only, e.g. extensions=[my_activations.py]"
        )
    return Experiment.from_dict(sections)


def extensions_of(overrides: Sequence[str]) -> list[str]:
    """Return the Python files that the overrides name, from extensions=[...].

    Raises ConfigError if the value is not a list of text.
    """
    found: list[str] = []
    for override in overrides:
        if override.split("=", 1)[0].strip() != "extensions":
            continue
        try:
            value = OverridesParser.create().parse_override(override).value()
        except HydraException as error:
            raise ConfigError(explain(error, [override])) from None
        if not isinstance(value, list):
            raise ConfigError(
                f"extensions must be a list, e.g. extensions=[my_activations.py]; got {value!r}"
            )
        found = [str(item) for item in value]
    return found


def register_folder_name() -> None:
    """Let YAML write ${folder_name:} for a run's folder, known by its config's digest."""
    OmegaConf.register_new_resolver("folder_name", _folder_name, replace=True)


def _folder_name(*, _root_: DictConfig) -> str:
    plain = OmegaConf.to_container(_root_, resolve=False)
    assert isinstance(plain, dict)
    sections = {str(key): value for key, value in plain.items() if key != "hydra"}
    resolved = OmegaConf.to_container(OmegaConf.create(sections), resolve=True)
    assert isinstance(resolved, dict)
    return Experiment.from_dict(
        {str(key): value for key, value in resolved.items()}, check=False
    ).folder_name


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def choices(group: str) -> dict[str, str]:
    """Return a config group's choices with their one-line descriptions, sorted by name."""
    found = {}
    for path in sorted((CONFIG_DIR / group).glob("*.yaml")):
        with path.open(encoding="utf-8") as file:
            found[path.stem] = file.readline().lstrip("# ").strip()
    return found


def known_keys() -> Iterator[str]:
    """Yield every key that an override may name, with all choices of every group."""
    yield from GROUPS
    for path in [CONFIG_DIR / "config.yaml", *sorted(CONFIG_DIR.glob("*/*.yaml"))]:
        section = "" if path.parent == CONFIG_DIR else path.parent.name + "."
        if section == "experiment.":
            continue
        node = OmegaConf.load(path)
        assert isinstance(node, DictConfig)
        for key, value in node.items():
            if key in ("defaults", "hydra"):
                continue
            if isinstance(value, DictConfig) and not section:
                yield from (f"{key}.{inner}" for inner in value)
            else:
                yield f"{section}{key}"


def explain(error: BaseException, overrides: Sequence[str]) -> str:
    """Return one line that says which override or key is wrong, and what would be right."""
    text = _whole_message(error)
    option = re.search(r"Could not find '([^']+)/([^'/]+)'", text)
    if option:
        group, name = option.groups()
        known = choices(group)
        if known:
            return f"{group}={name} is unknown; {closest(name, known)}"
        return f"{group} is no config group; {closest(group, GROUPS)}"
    key = re.search(r"Could not override '([^']+)'", text) or re.search(r"full_key: (\S+)", text)
    if key and ("not in struct" in text or "No match in the defaults list" in text):
        return _unknown_key(key.group(1))
    malformed = _malformed(overrides)
    if malformed:
        return malformed
    if key:
        return f"{key.group(1)}: {_first_line(error)}"
    return _first_line(error)


def _unknown_key(key: str) -> str:
    section, _, _ = key.rpartition(".")
    if key in GROUPS or section in GROUPS:
        known = [name for name in known_keys() if name.startswith(f"{section}.")]
        return f"{key} is unknown; {closest(key, dict.fromkeys(known))}"
    return f"{key} is unknown; {closest(key, dict.fromkeys(known_keys()))}"


def _malformed(overrides: Sequence[str]) -> str | None:
    parser = OverridesParser.create()
    for override in overrides:
        try:
            parser.parse_override(override)
        except HydraException as error:
            reason = _first_line(error)
            return (
                f"cannot read the override {override!r}: {reason}; "
                "write key=value, quoted for the shell where it has spaces or brackets"
            )
    return None


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
