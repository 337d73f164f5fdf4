"""What there is to choose: the groups of conf/, their choices, and the known keys."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf

from activations.arguments import close_names, closest

AROUND = ("sweep", "tune", "placebo")
"""What may be said beside the experiment: the axes, the key that validation data choose, and
the activation that enters twice (see conf/experiment)."""
GROUPS = ("activation", "dataset", "model", "optimizer", "schedule", "initializer")
NO_AXES = ("extensions", "plots", *AROUND)
SEARCHPATH = "hydra.searchpath"
FOR_A_LAUNCHER = ("hydra.launcher.", "hydra.job", "hydra.hydra_logging", "hydra/job_logging",
                  "hydra/hydra_logging", "hydra.verbose")  # fmt: skip
"""Beginnings of the keys of Hydra's that have an effect where a launcher starts the jobs."""
ALSO_CALLED = {"lr": "learning_rate", "random_state": "seed"}
"""What scikit-learn and PyTorch call a key."""
_PACKAGE = Path(__file__).resolve().parent.parent
CONFIG_DIR = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parent / "conf"
"""The YAML files: inside the package when installed, at the top level in a checkout."""
# Hydra 1.3 warns where this is left out, 1.4 where it is given.
VERSION_BASE = {"version_base": "1.3"} if hydra.__version__.startswith("1.3") else {}


def _takes_one_value(key: str) -> bool:
    if key in (*GROUPS, "experiment"):
        return True
    known = known_values().get(key, [None])
    return all(isinstance(value, (int, float, str)) for value in known)


def _launchers() -> list[str]:
    Plugins.instance()  # offers the installed ones
    offered = [Path(file).stem for file in ConfigStore.instance().list("hydra/launcher")]
    own = [path.stem for path in (CONFIG_DIR / "hydra" / "launcher").glob("*.yaml")]
    return sorted({*offered, *own})


def choices(group: str) -> dict[str, str]:
    """Return a config group's choices with their one-line descriptions, sorted by name."""
    found = {}
    for path in sorted((CONFIG_DIR / group).glob("*.yaml")):
        with path.open(encoding="utf-8") as file:
            lines = [file.readline(), file.readline()]
            told = [line for line in lines if not line.startswith("# @package")]
            found[path.stem] = told[0].lstrip("# ").strip()
    return found


def known_keys() -> tuple[str, ...]:
    """Return every key that an override may name, with all choices of every group."""
    return tuple(known_values())


@functools.cache
def known_values() -> dict[str, list[Any]]:
    """Return every key that an override may name, with the values of all choices' files."""
    found: dict[str, list[Any]] = {group: [] for group in (*GROUPS, "experiment")}
    for path in [CONFIG_DIR / "config.yaml", *sorted(CONFIG_DIR.glob("*/*.yaml"))]:
        section = "" if path.parent == CONFIG_DIR else path.parent.name + "."
        if path.parent.name == "experiment":
            continue
        node = OmegaConf.to_container(OmegaConf.load(path))
        assert isinstance(node, dict)
        for key, value in node.items():
            if key in ("defaults", "hydra"):
                continue
            inner = {f".{name}": one for name, one in value.items()} if key == "training" else {}
            for name, one in (inner or {"": value}).items():
                found.setdefault(f"{section}{key!s}{name}", []).append(one)
    return found


def _closest_key(name: str) -> str:
    """Return a hint for an unknown key: the same name or a close one elsewhere, else those
    beside it."""
    known = [key for key in known_keys() if key != name]
    section, _, last = name.replace("/", ".").rpartition(".")
    last = ALSO_CALLED.get(last, last)
    names: dict[str, list[str]] = {}
    for key in known:
        names.setdefault(key.rpartition(".")[2], []).append(key)
    found = names.get(last) or close_names(name, known)
    found = found or [key for close in close_names(last, names) for key in names[close]]
    if found:
        return f"did you mean {' or '.join(found[:3])}?"
    beside = [key for key in known if section and key.startswith(f"{section}.")]
    return closest(name, beside or dict.fromkeys(key.partition(".")[0] for key in known))
