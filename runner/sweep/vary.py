"""The experiments of a sweep's jobs, put together from one composition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from omegaconf import OmegaConf

from runner.config.catalogue import GROUPS
from runner.config.compose import Composition, checked, compose_sections, sources
from runner.config.experiment import Experiment
from runner.config.overrides import SEARCHPATH, Word, folders_of
from runner.system.terminal import ConfigError


class Variations:
    """Varies a composition as Hydra would by composing anew, without the 60 ms that it takes.

    A group's choice fills its own section and a plain value its own key. Where a file does more
    than that, or a value refers to another key, Hydra composes the job.
    """

    def __init__(self, composition: Composition) -> None:
        self.words = composition.words
        self.fixed = [word for word in composition.words if not word.is_axis]
        self.sections = composition.sections
        self.sources = sources(folders_of(self.fixed))
        self.files: dict[tuple[str, str], dict[str, Any] | None] = {}
        experiments = [word.value for word in self.fixed if word.key == "experiment"]
        layers = [self._file("", "config"), *(self._file("experiment", e) for e in experiments)]
        self.layers = [layer for layer in layers if layer is not None]
        own = OmegaConf.masked_copy(composition.config, list(self.sections))
        self.is_plain = len(layers) == len(self.layers) and "${" not in str(own)

    def job(self, varied: Sequence[Word]) -> list[Word]:
        """Return all words of a job, these in the place of the axes, and its search path first."""
        left = {word.key: word for word in varied}
        places = [word for word in self.words if word.key == SEARCHPATH]
        kept = [left.pop(word.key, word) for word in self.words if not word.is_hydras]
        return [*places, *kept, *left.values()]

    def experiment(self, varied: Sequence[Word]) -> Experiment:
        """Return the checked experiment of a job. Raises ConfigError, naming the job."""
        sections = self._put_together(varied) if self.is_plain else None
        if sections is None:
            sections = compose_sections(self.job(varied))
        try:
            return checked(sections, self.words)
        except ConfigError as error:
            job = " ".join(map(str, self.job(varied)))
            refusal = ConfigError(f"{error} (in the job {job})")
            refusal.caret = error.caret
            raise refusal from None

    def _put_together(self, varied: Sequence[Word]) -> dict[str, Any] | None:
        sections = dict(self.sections)
        chosen = [word for word in varied if word.key in GROUPS]
        for word in chosen:
            content = self._file(word.key, word.value)
            if content is None:
                return None
            over = [layer[word.key] for layer in self.layers if word.key in layer]
            sections[word.key] = OmegaConf.to_container(OmegaConf.merge(content, *over))
        groups = tuple(f"{word.key}." for word in chosen)
        values = [word for word in self.fixed if word.key.startswith(groups)]
        for word in (*values, *(word for word in varied if word not in chosen)):
            value = word.value
            if not isinstance(value, (int, float, str, list, type(None))) or "${" in str(value):
                return None
            *path, key = word.key.split(".")
            node = sections
            for name in path:  # what is not this job's alone is copied before it is written to
                if not isinstance(node.get(name), dict):
                    return None
                node[name] = dict(node[name])
                node = node[name]
            if not path and key not in node:  # a group of the user's own
                return None
            node[key] = value
        return sections

    def _file(self, group: str, name: object) -> dict[str, Any] | None:
        """Return what a file says of the config, None if it does anything else beside that."""
        if not isinstance(name, str):  # a section written out
            return None
        if (group, name) not in self.files:
            self.files[group, name] = self._read(group, name)
        return self.files[group, name]

    def _read(self, group: str, name: str) -> dict[str, Any] | None:
        place = f"{group}/{name}".lstrip("/")
        found = next((source for source in self.sources if source.is_config(place)), None)
        if found is None:
            return None
        file = found.load_config(place)
        content: Any = OmegaConf.to_container(file.config)
        if not isinstance(content, dict) or any(mark in str(content) for mark in ("${", "???")):
            return None
        if group and "defaults" in content:
            return None
        package = file.header.get("package")
        return content if package == ("_global_" if group == "experiment" else None) else None
