"""Learning-rate schedules: a factor on the learning rate for every step.

A linear warm-up may stand in front of each: over the first ``warmup_epochs`` the factor
rises to 1 in equal steps, and the schedule proper runs over the epochs that remain.
"""

from __future__ import annotations

import numpy as np

from activations.arguments import number, whole_number
from activations.base import Array
from activations.registry import Named, Registry

SCHEDULES: Registry[Schedule] = Registry("schedule")


class Schedule(Named):
    """A factor for each step, after a warm-up."""

    registry = SCHEDULES

    def __init__(self, warmup_epochs: int = 0) -> None:
        self.warmup_epochs = whole_number("warmup_epochs", warmup_epochs, minimum=0)

    def factors(self, epoch: int, epochs: int, steps: int) -> Array:
        """Return the factors of an epoch's steps, shape (steps,); epochs count from 0.

        ``epochs`` is the length of the whole training, ``steps`` the steps per epoch.
        """
        position = epoch + np.arange(steps) / steps
        after = self.shape(
            np.maximum(position - self.warmup_epochs, 0),
            max(epochs - self.warmup_epochs, 1),
        )
        if epoch >= self.warmup_epochs:
            return after
        return (position + 1 / steps) / self.warmup_epochs

    def shape(self, epoch: Array, epochs: int) -> Array:
        """Return the factor at fractional ``epoch`` of ``epochs``, warm-up left out."""
        raise TypeError(f"{type(self).__name__} does not define shape")


class Constant(Schedule):
    """Always 1."""

    name = "constant"

    def shape(self, epoch: Array, epochs: int) -> Array:
        return np.ones_like(epoch)


class StepDecay(Schedule):
    """Multiply by ``factor`` after every ``every`` epochs: factor ** floor(epoch / every)."""

    name = "step"

    def __init__(self, every: int = 30, factor: float = 0.1, warmup_epochs: int = 0) -> None:
        super().__init__(warmup_epochs)
        self.every = whole_number("every", every, minimum=1)
        self.factor = number("factor", factor, above=0, maximum=1)

    def shape(self, epoch: Array, epochs: int) -> Array:
        return np.asarray(self.factor ** np.floor(epoch / self.every))


class Cosine(Schedule):
    """final + (1 - final) (1 + cos(pi epoch / epochs)) / 2: from 1 down to ``final``.

    Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983, without restarts.
    """

    name = "cosine"

    def __init__(self, final: float = 0.0, warmup_epochs: int = 0) -> None:
        super().__init__(warmup_epochs)
        self.final = number("final", final, minimum=0, maximum=1)

    def shape(self, epoch: Array, epochs: int) -> Array:
        half_wave = (1 + np.cos(np.pi * np.minimum(epoch / epochs, 1))) / 2
        return np.asarray(self.final + (1 - self.final) * half_wave)
