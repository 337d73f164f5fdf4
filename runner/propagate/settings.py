"""The settings of runner.propagate, read from the command line and checked."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from activations.arguments import closest, number, one_of, shown, whole_number
from activations.base import ACTIVATIONS, Activation
from runner.config.build import SECTIONS, build, complete
from runner.config.catalogue import choices, closest_key, refuse_other_commands
from runner.config.compose import compose_sections
from runner.config.experiment import LARGEST_SEED, PICTURE_FORMATS
from runner.config.extensions import load_extensions, word
from runner.config.hydra_keys import RUN_DIR
from runner.config.overrides import Word, extensions_of, read
from runner.config.refusals import refuse_unknown_part
from runner.network.architecture import check_hidden_widths
from runner.network.initializers import INITIALIZERS, Initializer
from runner.system.terminal import ConfigError

GROUPS = ("activation", "initializer")
OUTPUTS = "outputs/propagate"


@dataclass(frozen=True)
class Settings:
    """The keys of conf/propagate.yaml. Raises ConfigError for an invalid value, with its key.

    ``place`` is the folder of hydra.run.dir; None for the default folder.
    """

    activation: dict[str, Any]
    initializer: dict[str, Any]
    depth: int
    width: int
    nets: int
    inputs: int
    features: int | None
    variance: float
    correlation: float
    saturated: float
    seed: int
    plots: str
    extensions: tuple[str, ...]
    place: str | None = None

    def __post_init__(self) -> None:
        try:
            whole_number("depth", self.depth, minimum=1, maximum=10_000)
            whole_number("width", self.width, minimum=1, maximum=2**15)
            whole_number("nets", self.nets, minimum=1, maximum=1_000_000)
            whole_number("inputs", self.inputs, minimum=1, maximum=10_000)
            if self.features is not None:
                whole_number("features", self.features, minimum=1, maximum=2**15)
            number("variance", self.variance, above=0)
            number("correlation", self.correlation, minimum=0, maximum=1)
            number("saturated", self.saturated, above=0)
            whole_number("seed", self.seed, minimum=0, maximum=LARGEST_SEED)
            one_of("plots", self.plots, PICTURE_FORMATS)
            check_hidden_widths((self.width,), self.activation_object())
        except ConfigError:
            raise
        except ValueError as error:
            raise ConfigError(str(error).replace("model.hidden", "width")) from None
        _ = self.initializer_object

    @cached_property
    def initializer_object(self) -> Initializer:
        """The initializer, which draws the weights."""
        return build(INITIALIZERS, self.initializer)

    def activation_object(self) -> Activation:
        """Return the activation, new, with its initial learnable parameters."""
        return build(ACTIVATIONS, self.activation)

    @property
    def outputs(self) -> tuple[int, ...]:
        """The number of features, then the number of outputs of each hidden layer."""
        return (self.features or self.width, *[self.width] * self.depth)

    @property
    def folder(self) -> Path:
        """The folder of the results; the same for the same settings."""
        if self.place is not None:
            return Path(self.place)
        plain = {key: value for key, value in self.to_dict().items() if key != "plots"}
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
        words = f"{self.activation['name']}_{self.initializer['name']}_{self.depth}x{self.width}"
        return Path(OUTPUTS) / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', words)[:80]}_{digest[:8]}"

    @property
    def command(self) -> str:
        """The command that repeats this, without the folder of the results."""
        words = []
        for group, registry in (("activation", ACTIVATIONS), ("initializer", INITIALIZERS)):
            chosen = dict(getattr(self, group))
            defaults = registry.parameters(name := chosen.pop("name"))
            words.append(f"{group}={name}")
            changed = {key: value for key, value in chosen.items() if value != defaults.get(key)}
            for key, value in changed.items():
                if value is not None and value != {}:
                    text = value if key == "expression" else word(value)
                    words.append(f"{group}.{key}={text}")
        for key in KEYS:
            value = getattr(self, key)
            if key not in (*GROUPS, "plots", "extensions") and value is not None:
                words.append(f"{key}={value}")
        words += [f"extensions=[{','.join(self.extensions)}]"] if self.extensions else []
        return " ".join(["python -m runner.propagate", *map(shlex.quote, words)])

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, without the folder of the results."""
        found = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "place"}
        return {**found, "extensions": list(self.extensions)}


KEYS = tuple(one.name for one in fields(Settings) if one.name != "place")


def compose(overrides: Sequence[str]) -> Settings:
    """Return the settings of these overrides.

    Raises ConfigError: one line with the invalid key and what is allowed.
    """
    words = read(overrides)
    place = None
    for one in words:
        _refuse(one)
        refuse_unknown_part(one, words)
        place = str(one.value) if one.key == RUN_DIR else place
    named = extensions_of(words)
    load_extensions(named)
    sections = compose_sections([w for w in words if w.key != RUN_DIR], "propagate")
    if list(sections.get("extensions") or []) != named:
        raise ConfigError("extensions are allowed on the command line only")
    for key in GROUPS:
        if not isinstance(sections[key], dict) or not isinstance(sections[key].get("name"), str):
            raise ConfigError(f"{key} must be a section with a name; got {shown(sections[key])}")
        sections[key] = complete(SECTIONS[key], sections[key])
    for key in sections:
        if key not in KEYS:
            raise ConfigError(f"{key} is unknown; {closest(key, KEYS)}")
    sections["extensions"] = tuple(named)
    return Settings(**sections, place=place)


def _refuse(word: Word) -> None:
    if word.is_axis:
        raise ConfigError(f"{word} has several values; runner.propagate takes one")
    if word.is_hydras:
        if word.key != RUN_DIR or not str(word.value):
            raise ConfigError(
                f"{word.key} is refused; of Hydra's settings only {RUN_DIR}=FOLDER works"
            )
        return
    section, _, rest = word.key.partition(".")
    if word.key == "experiment":
        refuse_other_commands(str(word.value), "runner.propagate")
    elif section not in KEYS or (rest and section not in GROUPS) or "/" in word.key:
        raise ConfigError(f"{word.key} is unknown; {closest_key(word.key, [*KEYS, 'experiment'])}")
    if word.key in GROUPS and not (word.value and isinstance(word.value, (str, dict))):
        raise ConfigError(f"{word} must name a choice; {closest(word.text, choices(word.key))}")
    if word.key in (*GROUPS, "experiment") and ".." in str(word.value):
        raise ConfigError(f"{word} must name a choice, not a path")
