"""Learning-rate schedules: a factor on the learning rate for every step.

Each can begin with a linear warm-up: over the first ``warmup_epochs`` the factor rises to 1 in
equal steps. The schedule then covers the remaining epochs.
"""

from __future__ import annotations

import numpy as np

from activations.arguments import number, whole_number
from activations.base import Array
from activations.registry import Named, Registry

SCHEDULES: Registry[Schedule] = Registry("schedule")


class Schedule(Named):
    """Base class: warm-up, then ``factors_after_warmup``, which each subclass defines.

    Raises ValueError if ``warmup_epochs`` is not a whole number >= 0.
    """

    registry = SCHEDULES

    def __init__(self, warmup_epochs: int = 0) -> None:
        self.warmup_epochs = whole_number("warmup_epochs", warmup_epochs, minimum=0)

    def factors(self, epoch: int, epochs: int, steps: int) -> Array:
        """Return the factor for each step of ``epoch``, shape (steps,). Epochs count from 0.

        ``epochs`` is the number of epochs in all, ``steps`` the number of steps per epoch.
        """
        position = epoch + np.arange(steps) / steps
        after = self.factors_after_warmup(
            np.maximum(position - self.warmup_epochs, 0),
            max(epochs - self.warmup_epochs, 1),
        )
        if epoch >= self.warmup_epochs:
            return after
        return (position + 1 / steps) / self.warmup_epochs

    def factors_after_warmup(self, epoch: Array, epochs: int) -> Array:
        """Return the factors at fractional ``epoch`` of ``epochs``, not counting the warm-up."""
        raise NotImplementedError(f"{type(self).__name__} does not define factors_after_warmup")


class Constant(Schedule):
    """The factor is always 1."""

    name = "constant"

    def factors_after_warmup(self, epoch: Array, epochs: int) -> Array:
        return np.ones_like(epoch)


class StepDecay(Schedule):
    """factor^floor(epoch / every): multiply by ``factor`` after every ``every`` epochs.

    Raises ValueError unless every >= 1 and 0 < factor <= 1.
    """

    name = "step"

    def __init__(self, every: int = 30, factor: float = 0.1, warmup_epochs: int = 0) -> None:
        super().__init__(warmup_epochs)
        self.every = whole_number("every", every, minimum=1)
        self.factor = number("factor", factor, above=0, maximum=1)

    def factors_after_warmup(self, epoch: Array, epochs: int) -> Array:
        return np.asarray(self.factor ** np.floor(epoch / self.every))


class Cosine(Schedule):
    """final + (1 - final) (1 + cos(pi epoch / epochs)) / 2: falls from 1 to ``final``.

    Raises ValueError unless 0 <= final <= 1. Loshchilov & Hutter 2017,
    https://arxiv.org/abs/1608.03983, without restarts.
    """

    name = "cosine"

    def __init__(self, final: float = 0.0, warmup_epochs: int = 0) -> None:
        super().__init__(warmup_epochs)
        self.final = number("final", final, minimum=0, maximum=1)

    def factors_after_warmup(self, epoch: Array, epochs: int) -> Array:
        half_wave = (1 + np.cos(np.pi * np.minimum(epoch / epochs, 1))) / 2
        return np.asarray(self.final + (1 - self.final) * half_wave)
