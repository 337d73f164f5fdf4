"""Folders of untrusted YAML files. They hold data only, and cannot name code or other files.

Hydra calls every ``_target_`` under hydra.callbacks, logging calls the class that ``()`` names and
opens files, a sweeper adds overrides, and a launcher may run shell commands on a cluster. Therefore
settings of Hydra are allowed on the command line only. The exception is hydra.sweeper.params: its
keys are checked like those of the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf

from runner.system.files import read_whole, reason
from runner.system.terminal import ConfigError
from runner.system.yaml_text import MOST_BYTES, read_yaml

FOLLOWS_FROM_THE_REST = ("runtime", "overrides", "searchpath")
ONLY_THERE = "Hydra's settings are allowed on the command line only"
_OF_HYDRA = re.compile(r"(^|[ /])(?P<group>hydra/[^@/]+)|@[\w.]*\bhydra\b")
"""A name in a defaults list that is in a group of Hydra, or is placed in the section ``hydra``."""


class CheckedFolder(FileConfigSource):
    """Hydra's source of YAML files, for a folder of untrusted files.

    Only files that a config names are read. Raises ConfigError, with the file's name, for a file
    that is too large, broken, a YAML bomb or not a regular file, whose defaults leave the folder,
    or that sets or chooses a setting of Hydra.
    """

    @staticmethod
    def scheme() -> str:
        return "checked"

    def is_config(self, config_path: str) -> bool:
        """Return whether the file exists. A pipe counts; load_config refuses it."""
        path = Path(self.path, self._normalize_file_name(config_path))
        return path.exists() and not path.is_dir()

    def load_config(self, config_path: str) -> ConfigResult:
        path = Path(self.path, self._normalize_file_name(config_path))
        try:
            content = read_yaml(read_whole(path, most=MOST_BYTES))
        except OSError as error:
            raise ConfigError(reason(error)) from None
        except yaml.YAMLError as error:
            raise ConfigError(f"a YAML file is broken: {' '.join(str(error).split())}") from None
        except ValueError as error:
            raise ConfigError(f"{path}: {error}") from None
        for name in _names(content.get("defaults") if isinstance(content, dict) else None):
            if ".." in PurePosixPath(name).parts or "//" in name or "${" in name:
                raise ConfigError(
                    f"{path}: defaults name {name!r}; only files in its folder are read"
                )
            _refuse_hydras_group(path, name)
        loaded = super().load_config(config_path)
        _refuse_hydras_section(path, config_path.rpartition("/")[0], loaded)
        return loaded


def _names(defaults: Any) -> Iterator[str]:
    """Yield the names in a defaults list; GROUP: CHOICE becomes GROUP/CHOICE, as in Hydra."""
    for entry in defaults if isinstance(defaults, list) else []:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for group, choice in entry.items():
                for one in choice if isinstance(choice, list) else [choice]:
                    yield f"{group}/{one}"


def _refuse_hydras_group(path: Path, name: str) -> None:
    """Raise ConfigError if an entry of a defaults list names a group or the section of Hydra.

    Hydra itself would drop ``override /hydra/launcher: NAME``, because the primary config has one.
    """
    found = _OF_HYDRA.search(name)
    if found:
        entry, choice = name.rsplit("/", 1)
        instead = f"; there write {found['group']}={choice}" if found["group"] else ""
        raise ConfigError(f"{path}: defaults name '{entry}: {choice}'; {ONLY_THERE}{instead}")


def _refuse_hydras_section(path: Path, group: str, loaded: ConfigResult) -> None:
    """Raise ConfigError if a file sets a key of Hydra other than hydra.sweeper.params.

    Hydra itself would overwrite some of them, such as hydra.overrides and hydra.runtime.
    """
    content: Any = OmegaConf.to_container(loaded.config, resolve=False)
    package = loaded.header["package"] or group.replace("/", ".")
    for part in reversed([part for part in package.split(".") if part not in ("", "_global_")]):
        content = {part: content}
    node = content.get("hydra", {}) if isinstance(content, dict) else {}
    for place, allowed in (("hydra", "sweeper"), ("hydra.sweeper", "params")):
        whole = not isinstance(node, dict)
        for key in [place] if whole else [f"{place}.{key}" for key in node if key != allowed]:
            raise ConfigError(f"{path} sets {key}; {ONLY_THERE}")
        node = node.get(allowed, {})


def refuse_changes_of_hydra(found: DictConfig, from_the_shell: DictConfig) -> None:
    """Raise ConfigError, one line with the key, if a YAML file has changed the section ``hydra``.

    ``from_the_shell`` is that section composed without the user's files.
    """
    theirs, ours = _settings(found), _settings(from_the_shell)
    for key in sorted({*theirs, *ours}):
        if theirs.get(key, ...) != ours.get(key, ...):
            raise ConfigError(f"hydra.{key} is changed by a YAML file: {ONLY_THERE}")


def _settings(hydra: DictConfig) -> dict[Any, Any]:
    sections: Any = OmegaConf.to_container(hydra, resolve=False)
    sections["job"].pop("override_dirname", None)
    if isinstance(sections["sweeper"], dict):
        sections["sweeper"].pop("params", None)
    return {key: part for key, part in sections.items() if key not in FOLLOWS_FROM_THE_REST}
