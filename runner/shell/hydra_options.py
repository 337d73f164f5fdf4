"""Hydra's own options (--cfg, --info, --shell-completion, ...), carried out by Hydra's main."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import hydra
from omegaconf import DictConfig, OmegaConf

from runner.config.catalogue import CONFIG_DIR, VERSION_BASE
from runner.config.compose import explained, for_hydra
from runner.config.extensions import load_extensions
from runner.config.hydra_keys import refuse_of_hydra
from runner.config.overrides import extensions_of, read
from runner.config.refusals import refuse_wrong
from runner.system.terminal import ConfigError, printable


def hand_over(options: Sequence[str], overrides: Sequence[str]) -> int:
    """Let Hydra carry out ``options`` and return the exit status. Raises ConfigError."""
    if "aliases" in options and hydra.__version__.startswith("1.3"):
        raise ConfigError("--info aliases needs Hydra 1.4")
    # Without this, Hydra prints an error itself and exits.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    if "--shell-completion" in options:  # its words are not overrides
        words = list(overrides)
    else:
        parsed = read(overrides)
        refuse_of_hydra(parsed)
        refuse_wrong(parsed)
        load_extensions(extensions_of(parsed))
        words = for_hydra(parsed)
    sys.argv = ["runner", *options, *words]
    main = hydra.main(config_path=str(CONFIG_DIR), config_name="config", **VERSION_BASE)
    with explained():
        main(_print_config)()
    return 0


def _print_config(config: DictConfig) -> None:
    print(printable(OmegaConf.to_yaml(config)))
