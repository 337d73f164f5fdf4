"""S-shaped functions that saturate on both sides."""

from __future__ import annotations

import numpy as np

from activations.base import Array, Elementwise


class Sigmoid(Elementwise):
    """1 / (1 + e^-x), the logistic function.

    Written with e^-|x|, which never overflows; f' = z / (1 + z)^2 with z = e^-|x| keeps its
    digits where y (1 - y) is 0 by rounding (x > 17 in float32, x > 37 in float64).
    Verhulst 1845; as a unit of a network Rumelhart, Hinton & Williams 1986.
    """

    name = "sigmoid"

    def forward(self, x: Array) -> Array:
        return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))

    def derivative(self, x: Array, y: Array) -> Array:
        z = np.exp(-np.abs(x))
        return z / ((1 + z) * (1 + z))


class TanH(Elementwise):
    """(e^x - e^-x) / (e^x + e^-x), the hyperbolic tangent.

    f' = 4 w / (1 + w)^2 with w = e^-2|x| keeps its digits where 1 - y^2 is 0 by rounding
    (|x| > 9 in float32, |x| > 19 in float64).
    LeCun et al. 1998, Efficient BackProp, http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf
    """

    name = "tanh"

    def forward(self, x: Array) -> Array:
        return np.tanh(x)

    def derivative(self, x: Array, y: Array) -> Array:
        w = np.exp(-2 * np.abs(x))
        return 4 * w / ((1 + w) * (1 + w))
