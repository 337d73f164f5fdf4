"""Zero-or-one functions that pass NaN on: the slopes of piecewise linear functions.

A comparison makes False of NaN and has to be converted from boolean; ``np.sign`` of a clipped
array does neither, keeps the dtype and is the cheapest of NumPy's branch-free ways.
"""

from __future__ import annotations

import numpy as np

from activations.base import Array


def positive(x: Array) -> Array:
    """Return 1 where x > 0, 0 where x <= 0, NaN where x is NaN."""
    return np.sign(np.maximum(x, 0))


def not_negative(x: Array) -> Array:
    """Return 1 where x >= 0, 0 where x < 0, NaN where x is NaN."""
    return 1 + np.sign(np.minimum(x, 0))


def constant(x: Array, value: float) -> Array:
    """Return ``value`` everywhere but where x is NaN."""
    return np.minimum(np.maximum(x, value), value)
