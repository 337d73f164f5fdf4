"""The schema of an experiment: keys, types and ranges, checked once.

``Experiment.from_dict`` takes a composed config as plain dictionaries. It raises ConfigError, one
line that names the key, for anything that cannot be trained. Later code relies on the check.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np

from activations.arguments import closest, number, one_of, shown, true_or_false, whole_number
from activations.base import ACTIVATIONS, Activation
from activations.registry import Registry
from runner.config.build import SECTIONS, build, complete, naming
from runner.config.model import Model
from runner.config.needed_memory import refuse_what_does_not_fit
from runner.data.shapes import DATASETS, make
from runner.data.split import Split
from runner.data.split import split as split_in_parts
from runner.network.architecture import check_hidden_widths, model_name
from runner.network.initializers import INITIALIZERS, Initializer
from runner.network.losses import LOSSES, Loss
from runner.network.optimizers import OPTIMIZERS, Optimizer
from runner.network.schedules import SCHEDULES, Schedule
from runner.system.terminal import ConfigError

__all__ = ["ConfigError", "Experiment", "Model", "Training"]

Built = TypeVar("Built")

PICTURE_FORMATS = ("png", "svg", "pdf", "none")
DTYPES = ("float32", "float64")
LARGEST_SEED = 2**31 - 1
DIGITS_IN_NAMES = 12
"""Hexadecimal digits of a config's digest in the name of its folder. With 12 digits, two of 100,000
configs have the same name in one of 50,000 such sweeps; then one of the two is refused."""

SMALL = 20_000
"""Data sets of at most this many numbers (160 kB) are cached."""

_RIGHT_SPLITS: set[tuple[str, Any, int]] = set()
"""Data that were drawn without an error: the section ``dataset`` as text, generator, seed."""


@dataclass(frozen=True)
class Training:
    """How to train: length, batches and loss.

    Attributes:
        epochs: passes over the training set.
        batch_size: samples per step; None for the full batch.
        shuffle: whether the order of samples is new in each epoch, or always that of the split.
        loss: cross_entropy, squared_error or, for two classes, tanh_squared_error.
        l2: the training loss has the penalty l2 / 2 times the sum of squared weights.
        patience: stop a replicate after this many epochs without a lower validation loss;
            None never stops early.
        record_every: number of epochs between records in history.csv; the last epoch of a
            replicate is always recorded. Stopping, best and solved epochs do not depend on it.
        target_accuracy: validation accuracy at which a replicate counts as solved; training
            accuracy if there is no validation part.
        snapshots: number of epochs at which the weights of the first replicate are kept, for an
            animation; 0 for none.
    """

    epochs: int = 100
    batch_size: int | None = 32
    shuffle: bool = True
    loss: str = "cross_entropy"
    l2: float = 0.0
    patience: int | None = None
    record_every: int = 1
    target_accuracy: float = 0.95
    snapshots: int = 0

    def __post_init__(self) -> None:
        whole_number("epochs", self.epochs, minimum=1)
        if self.batch_size is not None:
            whole_number("batch_size", self.batch_size, minimum=1)
        true_or_false("shuffle", self.shuffle)
        if not isinstance(self.loss, str):
            raise ValueError(f"loss must be a name, e.g. cross_entropy; got {shown(self.loss)}")
        number("l2", self.l2, minimum=0)
        if self.patience is not None:
            whole_number("patience", self.patience, minimum=1)
        whole_number("record_every", self.record_every, minimum=1)
        number("target_accuracy", self.target_accuracy, above=0, maximum=1)
        whole_number("snapshots", self.snapshots, minimum=0)
        if self.snapshots == 1:
            raise ValueError("snapshots must be 0, or at least 2: the first epoch and the last")

    @property
    def snapshot_epochs(self) -> list[int]:
        """The epochs whose weights are kept: epoch 0, the last epoch, and more early than late
        epochs between them; all epochs if there are at most ``snapshots``."""
        last = min(self.snapshots, self.epochs + 1) - 1
        return [max(k, self.epochs * k * k // (last * last)) for k in range(last + 1) if last]


class Parts(NamedTuple):
    """The parts that an experiment names, built from its config."""

    activation: Activation
    optimizer: Optimizer
    schedule: Schedule
    initializer: Initializer
    loss: Loss


@dataclass(frozen=True)
class Experiment:
    """One run: a choice for every config group, a seed and a number of replicates.

    The sections activation, dataset, optimizer, schedule and initializer are dictionaries with
    ``name`` and the parameters of this choice. Replicate k has seed ``seed + k``.
    """

    activation: dict[str, Any]
    dataset: dict[str, Any]
    model: Model
    optimizer: dict[str, Any]
    schedule: dict[str, Any]
    initializer: dict[str, Any]
    training: Training
    seed: int = 0
    replicates: int = 10
    dtype: str = "float32"
    plots: str = "png"
    extensions: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, config: Mapping[str, Any], *, check: bool = True) -> Experiment:
        """Return the experiment of a composed config.

        Sections get the defaults of parameters that they do not set. With ``check`` every part is
        built once; a stored run may have an activation from a file that is missing.
        Raises ConfigError: one line that begins with the key.
        """
        known = [field.name for field in fields(cls)]
        for key in config:
            if key not in known:
                raise ConfigError(f"{key} is unknown; {closest(key, known)}")
        for key in known:
            if key not in config:
                raise ConfigError(f"{key} is missing from the config")
        values = dict(config)
        for key, section in (("model", Model), ("training", Training)):
            values[key] = _section(key, section, config[key])
        for key in SECTIONS:
            if not isinstance(config[key], Mapping) or not isinstance(config[key].get("name"), str):
                raise ConfigError(f"{key} must be a section with a name; got {shown(config[key])}")
            values[key] = complete(SECTIONS[key], config[key])
        try:
            whole_number("seed", values["seed"], minimum=0, maximum=LARGEST_SEED)
            whole_number("replicates", values["replicates"], minimum=1, maximum=100_000)
            one_of("dtype", values["dtype"], DTYPES)
            one_of("plots", values["plots"], PICTURE_FORMATS)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        extensions = values["extensions"]
        if not isinstance(extensions, (list, tuple)) or not all(
            isinstance(path, str) for path in extensions
        ):
            raise ConfigError(
                "extensions must be a list of Python files or modules, "
                f"e.g. [my_activations.py]; got {shown(extensions)}"
            )
        values["extensions"] = tuple(extensions)
        experiment = cls(**values)
        if check:
            experiment._check()
            if experiment.model.parameters is not None:
                model = experiment.model.scaled(
                    experiment.features, experiment.classes, experiment.activation_object()
                )
                experiment = replace(experiment, model=model)
                experiment._check()
        return experiment

    def _check_splits(self) -> None:
        """Draw the data of every replicate once, because a part may lack a class for some seeds.
        Checked data are remembered, because the jobs of a sweep share them."""
        text = json.dumps(self.dataset, sort_keys=True)
        name = self.dataset["name"]
        own = not DATASETS.is_ours(name)  # it may read a file that has changed since
        again = self.split(self.seed) if own else self.first_split
        if not all(
            np.array_equal(getattr(again, part), getattr(self.first_split, part))
            for part in ("mean", "train_x")
        ):
            raise ConfigError(
                f"dataset {name} is not the same for the same seed; draw all random numbers from "
                "its rng"
            )
        for seed in self.seeds:
            if own or (text, DATASETS[name], seed) not in _RIGHT_SPLITS:
                self.split(seed)
                _RIGHT_SPLITS.add((text, DATASETS[name], seed))

    def _check(self) -> None:
        for registry, name in self.names:
            if name not in registry:
                raise _unknown(registry, name, closest(str(name), registry))
        activation, _, schedule, _, loss = self.parts()
        if schedule.warmup_epochs >= self.training.epochs:
            raise ConfigError(
                f"schedule.warmup_epochs={schedule.warmup_epochs} must be less than "
                f"training.epochs={self.training.epochs}"
            )
        try:
            check_hidden_widths(self.model.hidden, activation)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        refuse_what_does_not_fit(self)
        if loss.two_classes_only and self.classes > 2:
            raise ConfigError(
                f"training.loss={loss.name} is for two classes, dataset {self.dataset['name']} has "
                f"{self.classes}; use {' or '.join(one for one in LOSSES if one != loss.name)}"
            )
        samples = self.train_samples
        batch_size = self.training.batch_size
        if batch_size is not None and batch_size > samples:
            raise ConfigError(
                f"training.batch_size={batch_size} is larger than the {samples} training "
                "samples; use null for the full batch"
            )
        self._check_splits()
        if self.training.patience is not None and not self.first_split.validation_x.size:
            raise ConfigError(
                "training.patience needs validation data: set dataset.validation_fraction above 0"
            )

    def activation_object(self) -> Activation:
        """Return the activation, new, with its initial learnable parameters."""
        return self._build(ACTIVATIONS, self.activation)

    def parts(self) -> Parts:
        """Return new instances of all parts except the data set."""
        return Parts(
            self.activation_object(),
            self._build(OPTIMIZERS, self.optimizer),
            self._build(SCHEDULES, self.schedule),
            self._build(INITIALIZERS, self.initializer),
            self._build(LOSSES, {"name": self.training.loss}),
        )

    def _build(self, registry: Registry[Built], node: Mapping[str, Any]) -> Built:
        self._refuse_not_imported(registry, node["name"])
        return build(registry, node)

    def _refuse_not_imported(self, registry: Registry[Any], name: str) -> None:
        if name not in registry:
            files = ",".join(self.extensions)
            hint = "define its class, or import the file that does, first"
            if files:
                hint = f"if {files} defines it, add 'extensions=[{files}]' to the command"
                hint += f"; in Python, import {files} first"
            raise _unknown(registry, name, hint)

    @property
    def names(self) -> list[tuple[Registry[Any], str]]:
        """The registry and the name of each part that the config names."""
        named = [(registry, getattr(self, kind)["name"]) for kind, registry in SECTIONS.items()]
        return [*named, (LOSSES, self.training.loss)]

    def split(self, seed: int, *, standardised: bool = True) -> Split:
        """Return the data of one replicate, split, and standardised or in their own units."""
        self._refuse_not_imported(DATASETS, self.dataset["name"])
        dtype = self.dtype if standardised else None
        if DATASETS.is_ours(self.dataset["name"]) and _is_small(self.dataset):
            return _small_split(json.dumps(self.dataset), seed, dtype)
        return _split(self.dataset, seed, dtype)

    @cached_property
    def first_split(self) -> Split:
        """The data of the first replicate."""
        return self.split(self.seed)

    @property
    def features(self) -> int:
        """Number of input features."""
        return int(self.first_split.train_x.shape[-1])

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.first_split.classes

    @property
    def train_samples(self) -> int:
        """Number of training samples of each replicate."""
        return len(self.first_split.train_labels)

    @property
    def seeds(self) -> list[int]:
        """The seed of every replicate."""
        return [self.seed + k for k in range(self.replicates)]

    @property
    def title(self) -> str:
        """Model and data: "tanh on moons"; without hidden layers "logistic regression on
        moons"."""
        hidden = self.model.hidden
        classes = 0 if hidden else self.classes
        model = model_name(self.activation["name"], hidden, classes, self.training.loss)
        return f"{model} on {self.dataset['name']}"

    def to_dict(self) -> dict[str, Any]:
        """Return the experiment as plain dictionaries, lists and scalars."""
        plain: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, (Model, Training)):
                value = {f.name: getattr(value, f.name) for f in fields(value)}
                value = {k: list(v) if isinstance(v, tuple) else v for k, v in value.items()}
            elif isinstance(value, tuple):
                value = list(value)
            plain[field.name] = value
        return plain

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the config without the picture format, which does not affect results.

        The fingerprint covers everything else that affects results: runner/training/fingerprint.py.
        """
        plain = self.to_dict()
        del plain["plots"]
        text = json.dumps(_canonical(plain), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def folder_name(self) -> str:
        """A readable folder name that depends only on the config."""
        words = f"{self.activation['name']}_{self.dataset['name']}"
        words = re.sub(r"[^A-Za-z0-9_.-]+", "-", words)[:80]
        return f"{words}_{self.digest[:DIGITS_IN_NAMES]}"


def _split(section: Mapping[str, Any], seed: int, dtype: str | None) -> Split:
    own = dict(section)
    with naming("dataset"):
        data = make(own.pop("name"), seed, own)
        return split_in_parts(
            data,
            own["test_fraction"],
            own["validation_fraction"],
            seed,
            dtype,
            label_noise=own["label_noise"],
            standardize=own["standardize"],
        )


@lru_cache(maxsize=32)
def _small_split(section: str, seed: int, dtype: str | None) -> Split:
    """Return a split of a built-in data set; cached, because the jobs of a sweep share data."""
    found = _split(json.loads(section), seed, dtype)
    for field in fields(found):
        if field.name != "classes":
            getattr(found, field.name).flags.writeable = False
    return found


def _is_small(section: Mapping[str, Any]) -> bool:
    """Return whether a data set is small enough to be cached."""
    sizes = section.get("samples"), section.get("features", 2)
    return all(isinstance(size, int) for size in sizes) and math.prod(sizes) <= SMALL


def _unknown(registry: Registry[Any], name: object, hint: str) -> ConfigError:
    key = registry.kind if registry is LOSSES else f"{registry.kind}.name"
    return ConfigError(f"{key}={name!r:.50} is unknown; {hint}")


def _section(key: str, section: type[Any], node: Any) -> Any:
    known = [field.name for field in fields(section)]
    if not isinstance(node, Mapping):
        raise ConfigError(f"{key} must be a section with {', '.join(known)}; got {shown(node)}")
    with naming(key):
        for name in node:
            if name not in known:
                raise ValueError(f"{name} is unknown; {closest(name, known)}")
        return section(**node)


def _canonical(value: Any) -> Any:
    """Return the same form for equal settings: 1 and 1.0 are the same learning rate."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return value if value == 0 and math.copysign(1, value) < 0 else int(value)
    return value
