"""Hydra's own options (--cfg, --info, --shell-completion, ...), handed to Hydra's main."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from runner.choices import ConfigError
from runner.composition import CONFIG_DIR, VERSION_BASE, explain, extensions_of
from runner.extensions import load_extensions


def hand_over(words: Sequence[str]) -> int:
    """Let Hydra carry out ``words``; return the exit status. Raises ConfigError."""
    # Hydra prints and exits by itself on an error unless this is set.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv = ["runner", *words]
    main = hydra.main(config_path=str(CONFIG_DIR), config_name="config", **VERSION_BASE)
    overrides = [word for word in words if "=" in word and not word.startswith("-")]
    load_extensions(extensions_of(overrides))
    try:
        main(_print_config)()
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error, overrides)) from None
    return 0


def _print_config(config: DictConfig) -> None:
    print(OmegaConf.to_yaml(config))
