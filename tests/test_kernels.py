"""The allocation-free kernels of training give the formulas' own bits."""

import numpy as np
import pytest

import activations
from runner.kernels import Kernel, kernel
from runner.model import Nonlinear

SHAPE = (3, 16, 33)
EVERY = [
    activations.TanH(),
    activations.Sigmoid(),
    activations.ReLU(),
    activations.ReLU(derivative_at_zero=0),
    activations.ReLU(derivative_at_zero=0.5),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [0.1, 3.0, 60.0])
@pytest.mark.parametrize("activation", EVERY, ids=repr)
def test_kernel_is_the_formula_to_the_last_bit(activation, scale, dtype):
    rng = np.random.default_rng(1)
    z = (scale * rng.standard_normal(SHAPE)).astype(dtype)
    z[0, 0, :3] = 0.0, -0.0, 1e-30
    above = rng.standard_normal(SHAPE).astype(dtype)

    def result(make):
        own = z.copy()
        y, grad = np.empty_like(z), np.empty_like(z)
        made = make(Nonlinear(activation, {}), own, y, above, grad)
        with np.errstate(all="ignore"):
            for call in made.forward:
                call()
            for call in made.backward:
                call()
        return y, grad

    for found, expected in zip(result(kernel), result(Kernel), strict=True):
        assert (found + 0.0).tobytes() == (expected + 0.0).tobytes()  # -0 counts as 0
