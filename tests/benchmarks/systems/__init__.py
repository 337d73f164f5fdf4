"""The measured systems: one module each, imported only in the process that runs it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol

from tests.benchmarks.problem import POPULAR, Array, Case, Problem


class System(Protocol):
    """Trains one problem repeatedly.

    Attributes:
        compile_seconds: time of the compilation before the first step; None if there is none.
    """

    compile_seconds: float | None

    def __init__(self, problem: Problem) -> None: ...

    def reset(self) -> None:
        """Restore the initial weights and a new optimizer (not timed)."""

    def train(self) -> None:
        """Train all epochs of the case and wait for the last step to end (timed)."""

    def weights(self) -> list[tuple[Array, Array]]:
        """Return the trained (w, b) of each layer in the shapes of ``Problem.weights``."""


@dataclass(frozen=True)
class Entry:
    """A system and the cases that it can train.

    ``stacks`` is whether it trains several replicates at once, ``alone`` whether it trains one.
    """

    name: str
    module: str
    requires: str
    stacks: bool = False
    alone: bool = True
    activations: tuple[str, ...] = ("tanh", "relu", "gelu", "silu", "softmax")

    def fits(self, case: Case) -> bool:
        return (self.stacks if case.replicates > 1 else self.alone) and (
            case.activation in self.activations
        )

    def load(self) -> type[System]:
        module, name = self.module.split(":")
        return getattr(importlib.import_module(f"{__name__}.{module}"), name)


OURS = "runner"
ENTRIES = [
    Entry(OURS, "runner_engine:Engine", "numpy", stacks=True, activations=POPULAR),
    Entry("scikit-learn", "scikit_learn:Classifier", "sklearn", activations=("tanh", "relu")),
    Entry("PyTorch eager", "pytorch:Eager", "torch"),
    Entry("PyTorch fused", "pytorch:Fused", "torch"),
    Entry("PyTorch compiled", "pytorch:Compiled", "torch"),
    Entry("PyTorch bmm", "pytorch:Stacked", "torch", stacks=True, alone=False),
    Entry("JAX step", "jax_numpy:Step", "jax", activations=POPULAR),
    Entry("JAX scan", "jax_numpy:Scan", "jax", activations=POPULAR),
    Entry("JAX vmap step", "jax_numpy:StackedStep", "jax", True, False, POPULAR),
    Entry("JAX vmap scan", "jax_numpy:StackedScan", "jax", True, False, POPULAR),
]


def entry(name: str) -> Entry:
    """Return the entry called ``name``. Raises ValueError with all names if there is none."""
    for found in ENTRIES:
        if found.name == name:
            return found
    raise ValueError(f"unknown system {name!r}; known: {', '.join(e.name for e in ENTRIES)}")
