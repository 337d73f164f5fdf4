"""How often a network is dead before it learns: some hidden layer gives 0 for every input.

Nothing that comes before that layer gets a gradient, and the output is constant. For an f that is
0 for all z <= 0 and for no other z, as ReLU, and weights and biases that are symmetric about 0,
each unit is off for one input with probability 1/2. Lu, Shin, Su & Karniadakis 2020, Dying ReLU
and initialization, https://arxiv.org/abs/1903.06733
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from activations.base import Activation, Elementwise
from activations.functions.gated import Gated


def can_be_born_dead(activation: Activation) -> bool:
    """Return whether f(z) is 0 for z < 0 and not for z > 0, looked at from 1e-6 to 1e3."""
    if isinstance(activation, Gated):
        return can_be_born_dead(activation.first) or can_be_born_dead(activation.second)
    if not isinstance(activation, Elementwise):
        return False
    z = np.geomspace(1e-6, 1e3, 91)
    with np.errstate(all="ignore"):
        return bool((activation(-z) == 0).all() and (activation(z) != 0).any())


def share_of_one_input(widths: Sequence[int]) -> float:
    """Return the probability that for one input some hidden layer is all 0:
    1 - prod(1 - 2^-N) over the widths N.

    For several inputs it is an upper bound: a layer that is 0 for all is so for the first.
    """
    return -math.expm1(sum(math.log1p(-(2.0**-width)) for width in widths))


def least_share_of_interval(width: int, hidden: int) -> float:
    """Return a lower bound for the inputs [-1, 1], one feature, no biases, equal widths.

    With L = hidden + 1, a1 = 1 - 2^-N and a2 = 1 - 2^(1-N) - (N - 1) 4^-N it is
    1 - a1^(L-2) + (1 - 2^(1-N)) (1 - 2^-N) / (1 + (N - 1) 2^-N) (a2^(L-2) - a1^(L-2)).
    """
    half = 2.0**-width
    a1, a2 = 1 - half, 1 - 2 * half - (width - 1) * half**2
    share = (1 - 2 * half) * (1 - half) / (1 + (width - 1) * half)
    power = hidden - 1
    return 1 - a1**power + share * (a2**power - a1**power)
