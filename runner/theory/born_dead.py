"""The probability that a network is born dead: some hidden layer outputs 0 for every input.

The output of a dead network is constant, and the layers up to the dead one get no gradient. Let f
be 0 exactly for z <= 0, as ReLU, and let weights and biases be symmetric about 0. Then the output
of a unit for one input is 0 with probability 1/2. Lu, Shin, Su & Karniadakis 2020, Dying ReLU and
initialization, https://arxiv.org/abs/1903.06733
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from activations.base import Activation, Elementwise
from activations.functions.gated import Gated


def can_be_born_dead(activation: Activation) -> bool:
    """Return whether f(z) is 0 for z < 0 but not for z > 0, tested at |z| from 1e-6 to 1e3."""
    if isinstance(activation, Gated):
        return can_be_born_dead(activation.first) or can_be_born_dead(activation.second)
    if not isinstance(activation, Elementwise):
        return False
    z = np.geomspace(1e-6, 1e3, 91)
    with np.errstate(all="ignore"):
        return bool((activation(-z) == 0).all() and (activation(z) != 0).any())


def share_of_one_input(widths: Sequence[int]) -> float:
    """Return 1 - prod(1 - 2^-N) over the widths N.

    It is the probability that some hidden layer outputs only 0 for one given input. For several
    inputs it is an upper bound, because a layer that is 0 for all of them is 0 for the first.
    """
    return -math.expm1(sum(math.log1p(-(2.0**-width)) for width in widths))


def least_share_of_interval(width: int, hidden: int) -> float:
    """Return a lower bound of the probability, for one feature in [-1, 1] and no biases.

    All ``hidden`` layers have N = ``width`` units. With L = hidden + 1, a1 = 1 - 2^-N and
    a2 = 1 - 2^(1-N) - (N - 1) 4^-N, the bound is
    1 - a1^(L-2) + (1 - 2^(1-N)) (1 - 2^-N) / (1 + (N - 1) 2^-N) (a2^(L-2) - a1^(L-2)).
    """
    half = 2.0**-width
    a1, a2 = 1 - half, 1 - 2 * half - (width - 1) * half**2
    share = (1 - 2 * half) * (1 - half) / (1 + (width - 1) * half)
    power = hidden - 1
    return 1 - a1**power + share * (a2**power - a1**power)
