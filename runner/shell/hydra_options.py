"""Hydra's own options (--cfg, --info, --shell-completion, ...), handed to Hydra's main."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from runner.config.catalogue import CONFIG_DIR, VERSION_BASE
from runner.config.explain import explain
from runner.config.extensions import load_extensions
from runner.config.overrides import read
from runner.config.words import extensions_of, for_hydra
from runner.system.terminal import ConfigError, printable


def hand_over(options: Sequence[str], overrides: Sequence[str]) -> int:
    """Let Hydra carry out its ``options``; return the exit status. Raises ConfigError."""
    # Hydra prints and exits by itself on an error unless this is set.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    if "--shell-completion" in options:  # whose words are no overrides
        words = list(overrides)
    else:
        words = for_hydra(read(overrides))
        load_extensions(extensions_of(overrides))
    sys.argv = ["runner", *options, *words]
    main = hydra.main(config_path=str(CONFIG_DIR), config_name="config", **VERSION_BASE)
    try:
        main(_print_config)()
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error)) from None
    return 0


def _print_config(config: DictConfig) -> None:
    print(printable(OmegaConf.to_yaml(config)))
