"""The configs of a sweep's jobs, without composing each of them with Hydra."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from runner.config.catalogue import CONFIG_DIR, GROUPS
from runner.config.compose import composed, experiment_of, plain
from runner.config.experiment import Experiment
from runner.config.overrides import Word, read
from runner.config.words import folders_of
from runner.system.terminal import ConfigError


class Composer:
    """Composes with Hydra what it must, and puts everything else together from parts.

    Hydra takes some 60 ms to compose, a thousand jobs a minute. A group's choice fills its own
    section and a plain value its own key; where a choice turns out to touch other sections, or
    a value refers to another key, Hydra composes the job.
    """

    def __init__(self, overrides: Sequence[str]) -> None:
        self.overrides = overrides
        self.has_folders = bool(folders_of(read(overrides)))
        self.parts: dict[tuple[str, ...], dict[str, Any]] = {}
        self.files: dict[Path, dict[str, Any] | None] = {}

    def experiment(self, words: Sequence[str]) -> Experiment:
        """Return the checked experiment of one job's overrides. Raises ConfigError."""
        sections = self._put_together(read(words))
        if sections is None:
            sections = plain(composed(words))
        try:
            return experiment_of(sections, self.overrides)
        except ConfigError as error:
            refusal = ConfigError(f"{error} (in the job {' '.join(words)})")
            refusal.caret = error.caret
            raise refusal from None

    def _put_together(self, words: Sequence[Word]) -> dict[str, Any] | None:
        choices = [word for word in words if word.key in GROUPS]
        values = [word for word in words if _sets_a_value(word)]
        rest = [str(word) for word in words if word not in values and word not in choices]
        sections = dict(self._part(rest))
        for choice in choices:
            group = choice.key
            found = self._file(group, choice.value) if not rest else None
            if found is None:
                part = self._part([*rest, str(choice)])
                if any(part[key] != self._part(rest)[key] for key in part if key != group):
                    return None
                found = part[group]
            sections[group] = found
        for word in values:
            value = word.value
            if not isinstance(value, (int, float, str, list, type(None))) or "${" in str(value):
                return None
            *path, key = word.key.split(".")
            node = sections
            for name in path:  # the parts are shared: copy what is written to
                if not isinstance(node.get(name), dict):
                    return None
                node[name] = dict(node[name])
                node = node[name]
            if not path and key not in node:  # a group of the user's own
                return None
            node[key] = value
        return sections

    def _file(self, group: str, name: object) -> dict[str, Any] | None:
        """Return what a choice's file fills its section with, if it is a file of ours that
        does nothing else. With no other override than choices and values, nothing else does."""
        path = CONFIG_DIR / group / f"{name}.yaml"
        if path not in self.files:
            self.files[path] = None
            if not self.has_folders and path.is_file():
                text = path.read_text(encoding="utf-8")
                if not any(mark in text for mark in ("defaults:", "@package", "${")):
                    content = OmegaConf.to_container(OmegaConf.create(text))
                    assert isinstance(content, dict)
                    self.files[path] = {str(key): value for key, value in content.items()}
        return self.files[path]

    def _part(self, words: Sequence[str]) -> dict[str, Any]:
        key = tuple(words)
        if key not in self.parts:
            self.parts[key] = plain(composed(words))
        return self.parts[key]


def _sets_a_value(word: Word) -> bool:
    return not word.is_hydras and word.key not in (*GROUPS, "experiment")
