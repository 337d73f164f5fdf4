"""What Hydra would import, call or write for a config's own sake: refused unless the user says it.

Hydra calls every ``_target_`` under hydra.callbacks, logging calls what ``()`` names and opens
files, a sweeper adds overrides, a launcher may run shell commands on a cluster. A config from a
stranger must run nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

from runner.system.terminal import ConfigError

PLUGINS = ("hydra._internal.core_plugins.", "hydra_plugins.")
MAY_NAME_A_PLUGIN = ("hydra.launcher._target_", "hydra.sweeper._target_")
FORMATTERS = ("logging.Formatter", "colorlog.ColoredFormatter")
HANDLERS = ("logging.StreamHandler", "logging.FileHandler", "logging.NullHandler")
STREAMS = ("ext://sys.stdout", "ext://sys.stderr")
FOLLOWS_FROM_THE_REST = ("runtime", "overrides", "searchpath")


def refuse_foreign_code(hydra: DictConfig) -> None:
    """Raise ConfigError, one line that names the key, if Hydra's section names foreign code."""
    sections = {
        name: OmegaConf.to_container(hydra[name], resolve=False)
        for name in ("callbacks", "launcher", "sweeper", "job_logging", "hydra_logging")
        if isinstance(hydra.get(name), DictConfig)
    }
    if sections.get("callbacks"):
        raise ConfigError("hydra.callbacks is not taken: a config may not name code to run")
    for key, value in _leaves(sections, "hydra"):
        name = key.rsplit(".", 1)[-1]
        text = str(value)
        if name == "_target_":
            if key not in MAY_NAME_A_PLUGIN or not text.startswith(PLUGINS):
                raise ConfigError(f"{key}={text} is not taken: only Hydra's own plugins are run")
        if "_logging." not in key:
            continue
        wrong = name == "()" and text not in FORMATTERS
        wrong |= name == "class" and text not in (*HANDLERS, *FORMATTERS)
        wrong |= "://" in text and text not in STREAMS
        wrong |= "${" in text and name != "filename"  # could become any of these
        if wrong:
            raise ConfigError(f"{key}={text} is not taken: a config may not name code to run")


def refuse_changes_of_hydra(hydra: DictConfig, from_the_shell: DictConfig) -> None:
    """Raise ConfigError, one line that names the key, if a YAML file has changed Hydra's section.

    ``from_the_shell`` is Hydra's section without any file but ours.
    """
    found, expected = _own_settings(hydra), _own_settings(from_the_shell)
    for key in sorted({*found, *expected}):
        if found.get(key, ...) != expected.get(key, ...):
            raise ConfigError(
                f"{key} is changed by a YAML file: hydra's settings are taken from the command "
                "line only"
            )


def _own_settings(hydra: DictConfig) -> dict[str, Any]:
    sections = OmegaConf.to_container(hydra, resolve=False)
    assert isinstance(sections, dict)
    kept = {key: value for key, value in sections.items() if key not in FOLLOWS_FROM_THE_REST}
    settings = dict(_leaves(kept, "hydra"))
    settings.pop("hydra.job.override_dirname", None)
    return settings


def _leaves(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict) and node:
        for name, value in node.items():
            yield from _leaves(value, f"{key}.{name}")
    elif isinstance(node, list) and node:
        for index, value in enumerate(node):
            yield from _leaves(value, f"{key}.{index}")
    else:
        yield key, node
