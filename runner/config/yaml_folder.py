"""A user's folder of YAML files, as Hydra reads it: each file is checked when it is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult

from runner.system.files import read_whole, reason
from runner.system.terminal import ConfigError
from runner.system.yaml_text import MOST_BYTES, read_yaml


class CheckedFolder(FileConfigSource):
    """Hydra's source of YAML files in a folder, for files from strangers.

    Only what a config names is read. Raises ConfigError, naming the file, if it is too large,
    broken, a bomb or no regular file, or if its defaults lead out of the folder.
    """

    @staticmethod
    def scheme() -> str:
        return "checked"

    def is_config(self, config_path: str) -> bool:
        """Return whether there is such a file; a pipe counts, for load_config to refuse."""
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
        if isinstance(content, dict):
            _refuse_ways_out(path, content.get("defaults"))
        return super().load_config(config_path)


def searchpath(folders: list[Path]) -> str:
    """Return the override that makes Hydra search these folders. Raises ConfigError."""
    from runner.config.quoting import as_text

    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"--config-dir {folder}: there is no such folder")
    Plugins.instance().register(CheckedFolder)
    places = [as_text(f"{CheckedFolder.scheme()}://{os.path.abspath(f)}") for f in folders]
    return f"hydra.searchpath=[{','.join(places)}]"


def _refuse_ways_out(path: Path, defaults: Any) -> None:
    for name in _names(defaults):
        if ".." in PurePosixPath(name).parts or "//" in name or "${" in name:
            raise ConfigError(f"{path}: defaults name {name!r}; only files in its folder are read")


def _names(defaults: Any) -> Iterator[str]:
    """Yield the names in a defaults list; a group's choice joined to it, as Hydra does."""
    for entry in defaults if isinstance(defaults, list) else []:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for group, choice in entry.items():
                for one in choice if isinstance(choice, list) else [choice]:
                    yield f"{group}/{one}"
