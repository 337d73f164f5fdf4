"""Float32 functions by lookup table: the value at the node nearest to x, and a short series.

In float32, rounding u = x^2 / 2 causes an error of up to |u| ULP in e^-u. So a formula needs u as a
sum of two floats, and Phi needs a long polynomial too: about 45 NumPy calls. A table has the values
at the nodes h, the multiples of 1/256, rounded from float64. The change of u from the nearest node
to x is below 0.06, so a few terms of a series suffice. This takes half as many calls. All of these
calls round the same way on every CPU, so the bits of the result are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from activations.base import Array
from activations.functions.special import erf, erf_derivative, normal_cdf, normal_pdf
from activations.tracing import Traced

STEPS = 256.0  # nodes per unit of x

NORMAL_END = 14.625
"""For x >= NORMAL_END, x phi(x) and Phi(-x) are 0 in float32. Nodes are in [-14.625, 14.625]."""

SCALE = 8.0
"""The tables hold 8 Phi and 8 phi, because Phi and phi may be subnormal where x Phi is not. The
product is (x / 8) (8 Phi), because x may be infinite. A subnormal x / 8 has an error of 2 ULP."""


class Node(NamedTuple):
    """t = 256 x; its nearest node k; k as the index of a table's entry; d = t - k."""

    t: Array
    k: Array
    entry: Array
    d: Array


def nearest_node(x: Array) -> Node:
    """Return the node nearest to a float32 x with |x| <= NORMAL_END. If x is NaN, so is d."""
    t = x * STEPS
    k = np.rint(t)
    last = NORMAL_END * STEPS
    entry = np.fmin(k, last) + last  # np.take takes twice as long with negative indices
    # by way of int32, because NumPy's cast from float32 to int64 is slow
    return Node(t, k, entry.astype(np.int32).astype(np.intp), t - k)


def table(function: Callable[[Array], Array]) -> Array:
    """Return the values of a float64 function at the nodes, rounded to float32."""
    last = NORMAL_END * STEPS
    return function(np.arange(-last, last + 1) / STEPS).astype(np.float32)


def look_up(values: Array, entry: Array) -> Array:
    """Return values[entry]. Entries are never out of range; "wrap" is NumPy's fastest mode."""
    if isinstance(entry, Traced):
        return entry.look_up(values)
    return np.take(values, entry, mode="wrap")


@cache
def _normal_tables() -> tuple[Array, Array]:
    """Return 8 Phi and 8 phi."""
    return table(lambda h: SCALE * normal_cdf(h)), table(lambda h: SCALE * normal_pdf(h))


class Normal(NamedTuple):
    """8 Phi(c), and the parts of 8 phi(c): 8 phi(h), m / 256 and r, as in ``normal``."""

    cdf: Array
    pdf_at_node: Array
    m: Array
    r: Array

    def pdf(self) -> Array:
        """Return 8 phi(c) = 8 phi(h) (1 - rho m)."""
        return self.pdf_at_node * (1 - self.r * self.m * (0.5 / STEPS))


class ErrorFunction(NamedTuple):
    """erf(c), and the parts of erf'(c): erf'(h) and r, as in ``error_function``."""

    value: Array
    slope_at_node: Array
    r: Array

    def slope(self) -> Array:
        """Return erf'(c) = erf'(h) e^-rho = erf'(h) (1 - rho m)."""
        return self.slope_at_node * (1 - self.r * _mean(self.r) * (0.5 / STEPS))


# (1 - e^-rho) / rho / 256 in powers of r = 2 * 256^2 rho; the signs alternate
_SIXTH, _HALF, _ONE = (c / STEPS / (2 * STEPS**2) ** n for c, n in ((1 / 6, 2), (1 / 2, 1), (1, 0)))


def _mean(r: Array) -> Array:
    """Return m / 256, m = (1 - e^-rho) / rho."""
    return _ONE - r * (_HALF - r * _SIXTH)


def normal(c: Array) -> Normal:
    """Return Phi and phi at float32 c, |c| <= NORMAL_END, within 1.5 ULP.

    Let h = k / 256 be the nearest node and rho = (c^2 - h^2) / 2 = (c - h) (c + h) / 2, so that
    |rho| < 0.03. Then phi(c) = phi(h) e^-rho, and the integral of phi from h to c is about
    (c - h) phi(h) m with m = (1 - e^-rho) / rho = 1 - rho / 2 + rho^2 / 6. The relative error of
    the integral is (c - h)^2 / 12 < 3.2e-7.
    """
    t, k, entry, d = nearest_node(c)
    r = d * (t + k)
    cdf, pdf = (look_up(values, entry) for values in _normal_tables())
    m = _mean(r)
    return Normal(cdf + d * (pdf * m), pdf, m, r)


@cache
def _error_function_tables() -> tuple[Array, Array]:
    return table(erf), table(erf_derivative)


def error_function(c: Array) -> ErrorFunction:
    """Return erf and erf' at float32 c, |c| <= NORMAL_END, within 2 ULP.

    The formulas are those of ``normal`` with rho = c^2 - h^2. At h = 0, erf(h) = 0 and the relative
    error of the integral, (c - h)^2 / 6, matters. Therefore m is evaluated at
    2 (c - h) (h + (c - h) / 3) instead of rho, which removes this error.
    """
    t, k, entry, d = nearest_node(c)
    value, slope = (look_up(values, entry) for values in _error_function_tables())
    m = _mean(4 * d * (k + d / 3))
    return ErrorFunction(value + d * (slope * m), slope, 2 * d * (t + k))
