"""The numbers that a user's own code returns, for the fingerprint of a run.

They also depend on files and settings that the code reads, which its text does not show. Only nine
digits count, because the last bits differ between processors.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable

import numpy as np

from activations.base import Activation, Array
from activations.registry import Named
from runner.data.split import Split
from runner.network.initializers import Initializer
from runner.network.losses import Loss, encode
from runner.network.optimizers import Optimizer
from runner.network.schedules import Schedule

UNITS, ROWS = 12, 17
STEPS, EPOCHS = 4, 5
DIGITS = 9


def digest(arrays: Iterable[Array]) -> str:
    """Return a digest of the shapes and values of arrays: nine digits; below 1, nine decimals."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(str(np.shape(array)).encode())
        found.update(_rounded(np.asarray(array, np.float64)).tobytes())
    return found.hexdigest()[:32]


def _rounded(x: Array) -> Array:
    unit = 10.0 ** np.floor(np.log10(np.maximum(1, np.nan_to_num(np.abs(x), posinf=1))))
    rounded = np.round(x / unit, DIGITS)
    return np.where(np.isnan(x), np.nan, rounded) + 0.0  # one NaN, no -0


@np.errstate(all="ignore")
def of(part: Named) -> list[Array]:
    """Return numbers that an activation, optimizer, initializer, schedule or loss computes."""
    if isinstance(part, Activation):
        return of_activation(part)
    rng = np.random.default_rng(0)
    if isinstance(part, Optimizer):
        return [descend(part, rng.standard_normal((STEPS, 2, UNITS)))]
    if isinstance(part, Initializer):
        return [part.weights(rng, UNITS, ROWS, 1.0), part.biases(rng, ROWS)]
    if isinstance(part, Schedule):
        epochs = part.warmup_epochs + EPOCHS
        return [part.factors(epoch, epochs, STEPS) for epoch in range(epochs)]
    assert isinstance(part, Loss)
    found = []
    for classes in (2, 3):
        logits = 10 * rng.standard_normal((1, ROWS, 1 if classes == 2 else classes))
        targets = encode(np.arange(ROWS)[None] % classes, classes, np.float64)
        found += [part.losses(logits, targets), part.gradient(logits, targets)]
    return found


def descend(optimizer: Optimizer, gradients: Array, resumed_at: int | None = None) -> Array:
    """Return theta after these gradients, (steps, replicates, parameters), from theta = 1.

    With ``resumed_at`` a new optimizer resumes before that step, as from a checkpoint.
    """
    _, replicates, parameters = gradients.shape
    theta = np.ones((replicates, parameters))
    is_weight = np.arange(parameters) % 2 == 0
    mover = copy.deepcopy(optimizer)
    mover.bind(theta, is_weight)
    for step, gradient in enumerate(gradients):
        if step == resumed_at:
            former, mover = mover, copy.deepcopy(optimizer)
            mover.bind(theta, is_weight)
            mover.steps = former.steps
            for array, value in zip(mover.state(), former.state(), strict=True):
                array[...] = value
        mover.step(gradient.copy(), 0.5)
    return theta


@np.errstate(all="ignore")
def of_activation(activation: Activation) -> list[Array]:
    """Return values and gradients at about 200 points from -1000 to 1000, most of them within 10.

    A stochastic activation is also evaluated in training mode, with a fixed generator. Learnable
    parameters must be numbers, as before a network binds them.
    """
    activation = copy.deepcopy(activation)
    rng = np.random.default_rng(0)
    inputs = round(UNITS * activation.inputs_per_output)
    x = np.concatenate([
        rng.uniform(-10, 10, (ROWS - 5, inputs)),
        10 ** rng.uniform(-3, 3, (5, inputs)) * rng.choice([-1, 1], (5, inputs)),
    ])[None]  # fmt: skip
    x.setflags(write=False)
    for name, value in activation.params.items():
        shape = (1, 1, inputs if activation.parameters_per_unit else 1)
        activation.params[name] = np.full(shape, float(value))
    found = []
    for training in (False, True) if activation.stochastic else (False,):
        activation.generators = [np.random.default_rng(0)] if training else None
        y = np.array(activation.forward(x))
        grad = rng.standard_normal(y.shape)
        found += [y, activation.backward(x, y, grad)]
        found += activation.parameter_gradients(x, y, grad).values()
    return found


def of_data(splits: Iterable[Split]) -> list[Array]:
    """Return all arrays of splits, which are in their own units."""
    return [
        part
        for one in splits
        for kind in ("train", "validation", "test")
        for part in one.part(kind)
    ]
