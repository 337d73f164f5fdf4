"""Hydra's own options (--cfg, --info, --shell-completion, ...), handed to Hydra's main."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from runner.choices import ConfigError
from runner.composition import CONFIG_DIR, VERSION_BASE, explain, extensions_of, searched
from runner.extensions import load_extensions
from runner.printable import printable
from runner.yaml_text import refuse_bombs


def hand_over(words: Sequence[str]) -> int:
    """Let Hydra carry out ``words``; return the exit status. Raises ConfigError."""
    # Hydra prints and exits by itself on an error unless this is set.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv = ["runner", *words]
    main = hydra.main(config_path=str(CONFIG_DIR), config_name="config", **VERSION_BASE)
    overrides = [word for word in words if "=" in word and not word.startswith("-")]
    load_extensions(extensions_of(overrides))
    folders = [Path(folder) for folder in _config_dirs(words)]
    try:
        for folder in [*folders, *searched(overrides)]:
            refuse_bombs(folder)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    try:
        main(_print_config)()
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error, overrides)) from None
    return 0


def _config_dirs(words: Sequence[str]) -> list[str]:
    """Return the folders of YAML files that Hydra's own options name."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--config-dir", "-cd", action="append", default=[])
    parser.add_argument("--config-path", "-cp", action="append", default=[])
    found, _ = parser.parse_known_args(words)
    return [*found.config_dir, *found.config_path]


def _print_config(config: DictConfig) -> None:
    print(printable(OmegaConf.to_yaml(config)))
