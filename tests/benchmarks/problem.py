"""What every measured system trains: the same data, weights and batches for a given case."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8
DATA_STREAM, WEIGHTS_STREAM, ORDER_STREAM = 0, 1, 2

POPULAR = (
    *("relu", "leaky_relu", "elu", "selu", "hardswish", "tanh", "sigmoid", "softplus", "silu"),
    *("swish", "gelu", "gelu_tanh", "mish", "softmax", "glu", "geglu", "swiglu"),
)
"""Popular activations that JAX has too; it has no learnable ones."""
GATED = ("glu", "geglu", "swiglu")
"""Activations with two inputs per output."""
PARAMETERS = {"leaky_relu": {"alpha": 0.01}}
"""Parameters for which our default differs from that of the libraries."""


@dataclass(frozen=True)
class Case:
    """A network, its data and its training, which makes ``epochs`` passes over ``samples``."""

    hidden: tuple[int, ...] = (32, 32)
    activation: str = "tanh"
    dtype: str = "float32"
    replicates: int = 1
    batch: int = 64
    features: int = 2
    classes: int = 2
    samples: int = 1024
    epochs: int = 30

    @property
    def name(self) -> str:
        widths = "x".join(map(str, self.hidden))
        inputs = "" if self.features == 2 else f"-{self.features}in{self.classes}out"
        return f"{widths}-{self.activation}-{self.dtype}-r{self.replicates}{inputs}"

    @property
    def widths(self) -> list[int]:
        return [self.features, *self.hidden, 1 if self.classes == 2 else self.classes]

    @property
    def steps(self) -> int:
        return self.epochs * (self.samples // self.batch)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Case:
        return cls(**{**values, "hidden": tuple(values["hidden"])})


BASE = Case()
WIDE = Case(hidden=(512, 512), batch=256, samples=4096, epochs=2)
MANY_FEATURES = Case(hidden=(64, 64), features=784, classes=10, samples=4096, epochs=4)


def around_the_base() -> list[Case]:
    """Return the base case, cases that differ from it in one respect, and two others."""
    return [
        BASE,
        *(replace(BASE, activation=name) for name in ("relu", "gelu", "softmax")),
        replace(BASE, dtype="float64"),
        replace(BASE, hidden=(64, 64, 64)),
        *(replace(BASE, replicates=count, epochs=10) for count in (8, 32, 128)),
        WIDE,
        MANY_FEATURES,
    ]


def popular(names: Sequence[str] = POPULAR) -> list[Case]:
    """Return one replicate of each activation, then 32 replicates of the four most popular."""
    most = [name for name in ("tanh", "relu", "gelu", "silu") if name in names]
    return [
        *(replace(BASE, activation=name) for name in names),
        *(replace(BASE, activation=name, replicates=32, epochs=10) for name in most),
    ]


def grid() -> list[Case]:
    """Return all combinations of widths, activation, dtype and replicates, and the two others."""
    return [
        *(
            replace(BASE, hidden=hidden, activation=activation, dtype=dtype, replicates=count)
            for hidden in ((32, 32), (64, 64, 64))
            for activation in ("tanh", "relu", "gelu", "softmax")
            for dtype in ("float32", "float64")
            for count in (1, 8, 32, 128)
        ),
        WIDE,
        replace(WIDE, dtype="float64"),
        MANY_FEATURES,
        replace(MANY_FEATURES, dtype="float64"),
    ]


class Problem:
    """The data and initial weights of a case.

    Shapes: x (replicates, samples, features), labels (replicates, samples), weights
    [(w (replicates, in, out), b (replicates, out)), ...].
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        generators = self._generators(DATA_STREAM)
        self.labels = np.stack(
            [rng.integers(case.classes, size=case.samples) for rng in generators]
        )
        # One Gaussian per class. They overlap, so that the loss falls but does not reach 0.
        spread = 1.5 / math.sqrt(case.features)
        x = np.stack(
            [
                rng.standard_normal((case.classes, case.features))[labels] * spread
                + rng.standard_normal((case.samples, case.features))
                for rng, labels in zip(generators, self.labels, strict=True)
            ]
        )
        self.x = ((x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)).astype(
            case.dtype
        )
        generators = self._generators(WEIGHTS_STREAM)
        inputs = [units * (2 if case.activation in GATED else 1) for units in case.hidden]
        sums = [*inputs, case.widths[-1]]
        self.weights = [
            (
                np.stack(
                    [
                        rng.uniform(-1, 1, (fan_in, fan_out)) * math.sqrt(6 / (fan_in + fan_out))
                        for rng in generators
                    ]
                ).astype(case.dtype),
                np.zeros((case.replicates, fan_out), case.dtype),
            )
            for fan_in, fan_out in zip(case.widths[:-1], sums, strict=True)
        ]

    def _generators(self, stream: int) -> list[np.random.Generator]:
        return [np.random.default_rng([seed, stream]) for seed in range(self.case.replicates)]

    def order_generators(self) -> list[np.random.Generator]:
        """Return each replicate's generator of permutations; call ``permutation`` per epoch."""
        return self._generators(ORDER_STREAM)

    def orders(self) -> Iterator[Array]:
        """Yield the permutations of each epoch, (replicates, samples); every call is the same."""
        generators = self.order_generators()
        for _ in range(self.case.epochs):
            yield np.stack([rng.permutation(self.case.samples) for rng in generators])
