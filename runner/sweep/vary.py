"""Compose the experiments of a sweep's jobs from one composition."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from runner.config.catalogue import GROUPS
from runner.config.compose import (
    NAME,
    Composition,
    checked,
    compose_sections,
    explained,
    sources,
)
from runner.config.experiment import Experiment
from runner.config.hydra_keys import SUBDIR
from runner.config.overrides import SEARCHPATH, Word, folders_of
from runner.sweep.job import Job
from runner.system.terminal import ConfigError


class Variations:
    """Composes a job's config from the sweep's composition, many times as fast as Hydra.

    The choice of a group replaces that section, and a plain value replaces that key. If a YAML file
    does more, or if a value refers to another key, Hydra composes the job.
    """

    def __init__(self, composition: Composition) -> None:
        self.words = composition.words
        self.fixed = [word for word in composition.words if not word.is_axis]
        self.places = [word for word in composition.words if word.key == SEARCHPATH]
        self.folders = folders_of(self.places)
        self.sections = composition.sections
        self.config = composition.config
        self._subdir = composition.raw(SUBDIR)
        self.sources = sources(self.folders)
        self.files: dict[tuple[str, str], dict[str, Any] | None] = {}
        experiments = [word.value for word in self.fixed if word.key == "experiment"]
        layers = [self._file("", "config"), *(self._file("experiment", e) for e in experiments)]
        self.layers = [layer for layer in layers if layer is not None]
        own = OmegaConf.masked_copy(composition.config, list(self.sections))
        self.is_plain = len(layers) == len(self.layers) and "${" not in str(own)

    def words_of(self, varied: Sequence[Word]) -> list[Word]:
        """Return a job's overrides: ``varied`` replaces the swept keys; no Hydra settings."""
        left = {word.key: word for word in varied}
        kept = [left.pop(word.key, word) for word in self.words if not word.is_hydras]
        return [*kept, *left.values()]

    def compose(self, words: Sequence[Word]) -> dict[str, Any]:
        """Return the unchecked config of a job with these overrides. Raises ConfigError."""
        fixed = {(word.key, word.text) for word in self.fixed}
        varied = [word for word in words if (word.key, word.text) not in fixed]
        sections = self._put_together(varied) if self.is_plain else None
        return compose_sections([*self.places, *words]) if sections is None else sections

    def experiment(self, words: Sequence[Word]) -> Experiment:
        """Return a job's checked experiment. Raises ConfigError, which names the job."""
        try:
            return checked(self.compose(words), self.words)
        except ConfigError as error:
            job = " ".join(map(str, [*self.places, *words]))
            refusal = ConfigError(f"{error} (in the job {job})")
            refusal.caret = error.caret
            raise refusal from None

    def job(
        self, words: Sequence[Word], experiment: Experiment, sweep: Path, number: int | None = None
    ) -> Job:
        """Return the job with these overrides and their experiment, in a sweep's folder.

        Raises ConfigError if the name of its folder cannot be resolved.
        """
        shown = tuple(map(str, [*self.places, *words]))
        subdir = self.subdir(experiment)
        if "${" in subdir:
            config = self.with_hydra(self.config, words, experiment.to_dict())
            config.hydra.sweep.subdir = subdir
            if number is not None:
                config.hydra.job.num, config.hydra.job.id = number, str(number)
            with explained():
                subdir = str(OmegaConf.select(config, SUBDIR, throw_on_missing=True))
        return Job(shown, experiment.to_dict(), sweep / subdir)

    @property
    def names_folders(self) -> bool:
        """Whether the name of a job's folder contains {name}, the hash of its config."""
        return NAME in self._subdir

    def subdir(self, experiment: Experiment) -> str:
        """Return the name of a job's folder, with interpolations unresolved."""
        return self._subdir.replace(NAME, experiment.folder_name)

    def with_hydra(
        self, master: DictConfig, words: Sequence[Word], sections: dict[str, Any]
    ) -> DictConfig:
        """Return a job's config with the sweep's ``hydra`` section, for the job's overrides."""
        config = OmegaConf.create({**sections, "hydra": copy.deepcopy(master.hydra)})
        hydra = config.hydra
        OmegaConf.set_readonly(hydra, False)
        hydra.overrides.task = list(map(str, words))
        for word in words:
            if word.key in GROUPS:
                hydra.runtime.choices[word.key] = word.value
        if not OmegaConf.is_interpolation(hydra.job, "override_dirname"):  # as in Hydra 1.3
            form = hydra.job.config.override_dirname
            kept = sorted(str(word) for word in words if word.key not in form.exclude_keys)
            hydra.job.override_dirname = form.item_sep.join(kept).replace("=", form.kv_sep)
        OmegaConf.set_struct(config, True)
        OmegaConf.copy_cache(from_config=master, to_config=config)
        return config

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
            for name in path:  # copy before writing, because jobs share the sections
                if not isinstance(node.get(name), dict):
                    return None
                node[name] = dict(node[name])
                node = node[name]
            if not path and key not in node:  # a group that the user added
                return None
            node[key] = value
        return sections

    def _file(self, group: str, name: object) -> dict[str, Any] | None:
        """Return the content of a choice's file, or None if it does more than set its section."""
        if not isinstance(name, str):  # the section itself, not the name of a choice
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
