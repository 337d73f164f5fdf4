"""The configs of a sweep's jobs, without composing each of them with Hydra."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf

from runner.choices import ConfigError
from runner.composition import CONFIG_DIR, GROUPS, composed, experiment_of, explain, plain
from runner.config import Experiment
from runner.formulas import quoted


@cache
def parsed(word: str) -> Override:
    """Return an override as Hydra reads it. Raises ConfigError."""
    try:
        return OverridesParser.create().parse_override(quoted(word))
    except HydraException as error:
        raise ConfigError(explain(error, [word])) from None


def text_of(override: Override) -> str:
    """Return an override as it was typed."""
    assert override.input_line is not None
    return override.input_line


class Composer:
    """Composes with Hydra what it must, and puts everything else together from parts.

    Hydra takes some 60 ms to compose, a thousand jobs a minute. A group's choice fills its own
    section and a plain value its own key; where a choice turns out to touch other sections, or
    a value refers to another key, Hydra composes the job.
    """

    def __init__(self, config_dir: str | None, overrides: Sequence[str]) -> None:
        self.config_dir, self.overrides = config_dir, overrides
        self.parts: dict[tuple[str, ...], dict[str, Any]] = {}
        self.files: dict[Path, dict[str, Any] | None] = {}

    def experiment(self, words: Sequence[str]) -> Experiment:
        """Return the checked experiment of one job's overrides. Raises ConfigError."""
        sections = self._put_together([parsed(word) for word in words])
        if sections is None:
            sections = plain(composed(words, self.config_dir))
        try:
            return experiment_of(sections, self.overrides)
        except ConfigError as error:
            refusal = ConfigError(f"{error} (in the job {' '.join(words)})")
            refusal.caret = error.caret
            raise refusal from None

    def _put_together(self, overrides: Sequence[Override]) -> dict[str, Any] | None:
        values = [o for o in overrides if _sets_a_value(o)]
        choices = [o for o in overrides if o.get_key_element() in GROUPS]
        rest = [text_of(o) for o in overrides if o not in values and o not in choices]
        sections = dict(self._part(rest))
        for choice in choices:
            group = choice.get_key_element()
            found = self._file(group, choice.value()) if not rest else None
            if found is None:
                part = self._part([*rest, text_of(choice)])
                if any(part[key] != self._part(rest)[key] for key in part if key != group):
                    return None
                found = part[group]
            sections[group] = found
        for override in values:
            value = override.value()
            if not isinstance(value, (int, float, str, list, type(None))) or "${" in str(value):
                return None
            *path, key = override.get_key_element().split(".")
            node = sections
            for name in path:  # the parts are shared: copy what is written to
                if not isinstance(node.get(name), dict):
                    return None
                node[name] = dict(node[name])
                node = node[name]
            node[key] = value
        return sections

    def _file(self, group: str, name: object) -> dict[str, Any] | None:
        """Return what a choice's file fills its section with, if it is a file of ours that
        does nothing else. With no other override than choices and values, nothing else does."""
        path = CONFIG_DIR / group / f"{name}.yaml"
        if path not in self.files:
            self.files[path] = None
            if self.config_dir is None and path.is_file():
                text = path.read_text(encoding="utf-8")
                if not any(mark in text for mark in ("defaults:", "@package", "${")):
                    content = OmegaConf.to_container(OmegaConf.create(text))
                    assert isinstance(content, dict)
                    self.files[path] = {str(key): value for key, value in content.items()}
        return self.files[path]

    def _part(self, words: Sequence[str]) -> dict[str, Any]:
        key = tuple(words)
        if key not in self.parts:
            self.parts[key] = plain(composed(words, self.config_dir))
        return self.parts[key]


def _sets_a_value(override: Override) -> bool:
    key = override.get_key_element()
    plain_key = key.replace(".", "").replace("_", "").isalnum()
    choice = key in (*GROUPS, "experiment")
    return plain_key and not choice and not key.startswith("hydra.")
