"""What Hydra would import or call for a config's own sake: refused unless it is Hydra's.

Hydra calls every ``_target_`` under hydra.callbacks, logging calls what ``()`` names, and a
launcher may run shell commands on a cluster. A config from a stranger must run nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

from runner.choices import ConfigError

PLUGINS = ("hydra._internal.", "hydra_plugins.")
FORMATTERS = ("logging.Formatter", "colorlog.ColoredFormatter")
STREAMS = ("ext://sys.stdout", "ext://sys.stderr")


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
        if name == "_target_" and not text.startswith(PLUGINS):
            raise ConfigError(f"{key}={text} is not taken: only Hydra's own plugins are run")
        if "_logging." not in key:
            continue
        wrong = name == "()" and text not in FORMATTERS
        wrong |= name == "class" and not text.startswith("logging.")
        wrong |= text.startswith("ext://") and text not in STREAMS
        if wrong:
            raise ConfigError(f"{key}={text} is not taken: a config may not name code to run")


def refuse_changed_launcher(hydra: DictConfig, from_the_shell: DictConfig) -> None:
    """Raise ConfigError if a file other than the launcher's own has changed its settings.

    ``from_the_shell`` is Hydra's section composed from the words that speak of Hydra alone.
    """
    ours, theirs = (
        OmegaConf.to_container(h.launcher, resolve=False) for h in (from_the_shell, hydra)
    )
    if ours != theirs:
        raise ConfigError(
            "hydra.launcher is changed by a YAML file that does not belong to it; say it on the "
            "command line, e.g. hydra.launcher.n_jobs=4"
        )


def _leaves(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _leaves(value, f"{key}.{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _leaves(value, f"{key}.{index}")
    else:
        yield key, node
