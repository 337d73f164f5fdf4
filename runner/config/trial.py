"""Tests of the user's parts before training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from activations.base import Activation, Array
from activations.registry import Named
from runner.config import behaviour
from runner.network.initializers import Initializer
from runner.network.losses import Loss, encode
from runner.network.optimizers import Optimizer
from runner.network.schedules import Schedule


@np.errstate(all="ignore")
def try_out(part: Named) -> None:
    """Raise ValueError with one line if training with this part would give wrong results.

    The gradient of an activation or a loss is compared with finite differences. An optimizer must
    treat replicates independently and resume from a checkpoint.
    """
    from activations.check.gradient import check_gradient  # only runs with own parts need it

    if isinstance(part, Activation):
        return check_gradient(part)
    found = behaviour.of(part)
    if isinstance(part, Initializer):
        _refuse_shapes(found, [(behaviour.UNITS, behaviour.ROWS), (1, behaviour.ROWS)])
    if isinstance(part, Schedule):
        _refuse_shapes(found, [(behaviour.STEPS,)] * len(found))
    for array in found:
        if not np.isfinite(array).all():
            raise ValueError(f"gives {array[~np.isfinite(array)][0]}, but all must be finite")
    if behaviour.digest(found) != behaviour.digest(behaviour.of(part)):
        raise ValueError("gives another result when it is called again; it must keep no state")
    if isinstance(part, Optimizer):
        _try_optimizer(part)
    if isinstance(part, Loss):
        _try_loss(part)
    return None


def _refuse_shapes(found: Sequence[Array], expected: Sequence[tuple[int, ...]]) -> None:
    for array, shape in zip(found, expected, strict=True):
        if np.shape(array) != shape:
            raise ValueError(f"gives an array of shape {np.shape(array)} where {shape} is expected")


def _try_optimizer(optimizer: Optimizer) -> None:
    gradients = np.random.default_rng(1).standard_normal((4, 2, 6))
    together = behaviour.descend(optimizer, gradients)
    if (together == 1).all():
        raise ValueError("moves nothing; update must change self.theta in place")
    if not np.array_equal(together[1:], behaviour.descend(optimizer, gradients[:, 1:])):
        raise ValueError("moves a replicate differently than alone; rows must be independent")
    if not np.array_equal(together, behaviour.descend(optimizer, gradients, resumed_at=2)):
        raise ValueError(
            "gives another result after a checkpoint; state() must return all arrays that "
            "allocate makes and update keeps"
        )


def _try_loss(loss: Loss) -> None:
    """Compare the gradient with differences along a random direction."""
    from activations.check.gradient import TOLERANCE, differences

    rng = np.random.default_rng(1)
    for classes in (2, 3):
        logits, direction = rng.standard_normal((2, 1, 6, 1 if classes == 2 else classes))
        targets = encode(np.arange(6)[None] % classes, classes, np.float64)
        claimed = float((loss.gradient(logits, targets) * direction).sum())
        found, off = map(float, differences(partial(_mean_loss, loss, logits, targets, direction)))
        if not abs(claimed - found) <= TOLERANCE * max(1, abs(found)) + off:
            raise ValueError(
                f"gradient disagrees with losses for {classes} classes: along a direction it "
                f"gives {claimed:.6g}, finite differences of losses give {found:.6g}"
            )


def _mean_loss(loss: Loss, logits: Array, targets: Array, direction: Array, step: float) -> Array:
    return np.asarray(loss.losses(logits + step * direction, targets).mean())
