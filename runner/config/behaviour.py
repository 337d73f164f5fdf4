"""What code of the user's own gives, as numbers: that changes with files and settings that it
reads, which no look at the code finds.

Numbers count to nine digits, so that a run made on another processor, whose last bits differ,
is known again.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable

import numpy as np

from activations.base import Activation, Array
from runner.data.split import Split

UNITS, ROWS = 12, 17
DIGITS = 9


def digest(arrays: Iterable[Array]) -> str:
    """Return a digest of arrays' shapes and values: to nine digits, below 1 to nine decimals."""
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
def of_activation(activation: Activation) -> list[Array]:
    """Return values and gradients at some 200 points from -1000 to 1000, most within 10; of a
    stochastic activation in training too, drawn from a fixed generator.

    It must have numbers for its learnable parameters, as before a network binds them.
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
    """Return the arrays of splits in their own units."""
    return [
        part
        for one in splits
        for kind in ("train", "validation", "test")
        for part in (getattr(one, f"{kind}_x"), getattr(one, f"{kind}_labels"))
    ]
