"""One line in our words for what Hydra says in several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import yaml
from hydra.errors import MissingConfigException
from omegaconf.errors import OmegaConfBaseException

from activations.arguments import close_names, closest
from runner.config.catalogue import GROUPS, choices
from runner.system.terminal import first_line

OWN_DATA = (
    "data are synthetic; for data of your own write a function with @register of runner.data that "
    "returns its Dataset, and name its file: extensions=[FILE.py] dataset=NAME"
)


def explain(error: BaseException) -> str:
    """Return one line that says which key or file is wrong, and what would be right."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, MissingConfigException) and cause.missing_cfg_file:
            return _no_such_choice(cause.missing_cfg_file, cause.options)
        if isinstance(cause, yaml.YAMLError):
            return f"a YAML file is broken: {' '.join(str(cause).split())}"
    for cause in causes:
        if isinstance(cause, OmegaConfBaseException) and cause.full_key:
            where = "" if cause is error or not str(error) else f"{first_line(error)} "
            return f"{where}{cause.full_key}: {first_line(cause)}"
    return first_line(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _no_such_choice(file: str, options: Sequence[str] | None) -> str:
    """``options`` are the choices in all folders, ours and the user's."""
    group, _, name = file.partition("/")
    if group not in (*GROUPS, "experiment"):
        return f"{file}: there is no such choice or file"
    known: list[str] = list(options or choices(group))
    text = f"{group}={name} is unknown; {closest(name, known)}"
    if group == "dataset" and not close_names(name, known):
        return f"{text}; {OWN_DATA}"
    return text
