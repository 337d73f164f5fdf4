"""The groups of conf/, their choices, and the known keys."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf

from activations.arguments import close_names, closest
from runner.system.terminal import ConfigError

GROUPS = ("activation", "dataset", "model", "optimizer", "schedule", "initializer")
AROUND = ("tune", "placebo", "objective")
"""Keys of a config that are not part of the experiment: the tuned keys, the activation that is
trained twice, and the metric that a job returns to a sweeper (see conf/config.yaml)."""
SAME = (
    {"lr", "learning_rate"},
    {"random_state", "seed"},
    {"layers", "depth", "hidden"},
    {"units", "width", "hidden"},
    {"networks", "nets", "replicates"},
)
"""Synonyms: the words of PyTorch and scikit-learn, and those of this program's commands."""
_PACKAGE = Path(__file__).resolve().parent.parent
CONFIG_DIR = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parent / "conf"
"""The YAML files: inside the package when installed, at the top level in a checkout."""
# Hydra 1.3 finds launchers and sweepers only in modules below hydra_plugins. This folder stands
# before the copy that an installation makes, because the copy of an editable one becomes outdated.
PLUGINS = str(_PACKAGE / "plugins")
sys.path.insert(1, PLUGINS)
# Hydra 1.3 warns without this argument, Hydra 1.4 with it.
VERSION_BASE = {"version_base": "1.3"} if hydra.__version__.startswith("1.3") else {}


def choices(group: str) -> dict[str, str]:
    """Return the choices of a config group with one-line descriptions, sorted by name."""
    found = {}
    for path in sorted((CONFIG_DIR / group).glob("*.yaml")):
        with path.open(encoding="utf-8") as file:
            lines = [file.readline(), file.readline()]
            comments = [line for line in lines if not line.startswith("# @package")]
            found[path.stem] = comments[0].lstrip("# ").strip()
    return found


def refuse_other_commands(experiment: str, command: str) -> None:
    """Raise ConfigError, with the right command, if an experiment in conf/ is for another command.

    The comment at the top of its file names it: "python -m COMMAND experiment=NAME".
    """
    path = CONFIG_DIR / "experiment" / f"{experiment}.yaml"
    if not re.fullmatch(r"[A-Za-z0-9_]+", experiment) or not path.is_file():
        return
    shown = rf"^#.*python -m (\S+) .*\bexperiment={experiment}\b"
    commands = re.findall(shown, path.read_text(encoding="utf-8"), re.MULTILINE)
    if commands and command not in commands:
        raise ConfigError(
            f"experiment={experiment} is for another command: "
            f"python -m {commands[0]} experiment={experiment}"
        )


def with_own(hint: str) -> str:
    """Return a hint for an unknown part, followed by how to name a file of one's own."""
    joined = " For" if hint.endswith("?") else "; for"
    return f"{hint}{joined} your own, add extensions=[FILE.py]"


def offered(group: str) -> list[str]:
    """Return the choices of a group of Hydra: from Hydra, installed plugins and conf/."""
    Plugins.instance()  # registers the installed plugins
    section, _, name = group.partition("/")
    stored = ConfigStore.instance().repo.get(section, {}).get(name, {})
    found = {Path(file).stem for file in stored}
    for root in (CONFIG_DIR, Path(hydra.__file__).parent / "conf"):
        found |= {path.stem for path in (root / group).glob("*.yaml")}
    return sorted(found)


@functools.cache
def known_values() -> dict[str, list[Any]]:
    """Return every key that an override may set, with its values in all files of conf/."""
    found: dict[str, list[Any]] = {group: [] for group in (*GROUPS, "experiment")}
    files = {"": [CONFIG_DIR / "config.yaml"]}
    files |= {f"{group}.": sorted((CONFIG_DIR / group).glob("*.yaml")) for group in GROUPS}
    for section, paths in files.items():
        for path in paths:
            content: Any = OmegaConf.to_container(OmegaConf.load(path))
            training = {f"training.{k}": v for k, v in content.pop("training", {}).items()}
            own = {f"{section}{key}": value for key, value in content.items()}
            for key, value in {**training, **own}.items():
                found.setdefault(key, []).append(value)
    del found["defaults"], found["hydra"]
    return found


def takes_one_value(key: str) -> bool:
    """Return whether a known key takes a single choice or number, not a list or section."""
    known = known_values().get(key, [None])
    return all(isinstance(value, (int, float, str)) for value in known)


def closest_key(name: str, keys: Iterable[str] | None = None) -> str:
    """Return a hint for an unknown key: a key with the same or a similar name, else all keys of its
    section. ``keys`` are the keys of the command, by default those of ``runner``."""
    known = [key for key in (known_values() if keys is None else keys) if key != name]
    section, _, last = name.replace("/", ".").rpartition(".")
    names: dict[str, list[str]] = {}
    for key in known:
        names.setdefault(key.rpartition(".")[2], []).append(key)
    close = close_names(name, known)
    alike = [key for key in close if key.count(".") == name.count(".")]
    same = [key for words in SAME if last in words for word in sorted(words)
            for key in names.get(word, [])]  # fmt: skip
    found = names.get(last) or same or alike or close
    found = found or [key for close in close_names(last, names) for key in names[close]]
    if found:
        return f"did you mean {' or '.join(found[:3])}?"
    beside = [key for key in known if section and key.startswith(f"{section}.")]
    return closest(name, beside or dict.fromkeys(key.partition(".")[0] for key in known))
