"""Squares and cubes. Large results overflow to infinity, without a warning."""

from __future__ import annotations

import numpy as np

from activations.base import Array, Elementwise


class Square(Elementwise):
    """x^2. Range [0, inf).

    f' = 2 x.
    Gilad-Bachrach et al. 2016, CryptoNets, https://proceedings.mlr.press/v48/gilad-bachrach16.html
    """

    name = "square"

    def forward(self, x: Array) -> Array:
        with np.errstate(over="ignore"):
            return x * x

    def derivative(self, x: Array, y: Array) -> Array:
        with np.errstate(over="ignore"):
            return x + x


class Cubic(Elementwise):
    """x^3. Range (-inf, inf).

    f' = 3 x^2.
    Chen & Manning 2014, A Fast and Accurate Dependency Parser using Neural Networks,
    https://aclanthology.org/D14-1082
    """

    name = "cubic"

    def forward(self, x: Array) -> Array:
        with np.errstate(over="ignore"):
            return x * x * x

    def derivative(self, x: Array, y: Array) -> Array:
        with np.errstate(over="ignore"):
            return 3 * (x * x)


class ReLUSquared(Elementwise):
    """max(x, 0)^2. Range [0, inf).

    f' = 2 max(x, 0).
    So et al. 2021, Primer, https://arxiv.org/abs/2109.08668
    """

    name = "relu_squared"
    kinks = (0.0,)

    def forward(self, x: Array) -> Array:
        rectified = np.maximum(x, 0)
        with np.errstate(over="ignore"):
            return rectified * rectified

    def derivative(self, x: Array, y: Array) -> Array:
        rectified = np.maximum(x, 0)
        with np.errstate(over="ignore"):
            return rectified + rectified
