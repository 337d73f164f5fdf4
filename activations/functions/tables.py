"""Float32 functions by table: the value at the node next to x, and a short series from there.

In float32 the rounding of u = x^2 / 2 alone costs e^-u up to |u| ULP, so exp needs u in two
pieces, and Phi a long polynomial besides: some 45 NumPy calls. A table gives the value at h, the
multiple of 1/256 next to x, from float64, and only the change of u from h to x is left: it is
below 0.05, and a few terms of a series do. That is half the calls. None of them is computed
differently on another CPU, so that the bits are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from activations.base import Array
from activations.functions.special import erf, erf_derivative, normal_cdf, normal_pdf
from activations.tracing import Traced

STEPS = 256.0  # nodes to a unit

NORMAL_END = 14.625
"""x phi(x) is 0 in float32 from here on; so is Phi(-x). A table's first node is at -14.625."""

CARRIED = 8.0
"""Phi and phi are carried 8 times as large: they are subnormal where 14 times them is a result. It
is x / 8 that meets 8 Phi, since x may be infinite; a subnormal x / 8 costs 2 ULP."""


class Node(NamedTuple):
    """The node k next to t = 256 x, as a float and as a table's entry, and d = t - k."""

    t: Array
    k: Array
    entry: Array
    d: Array


def nearest_node(x: Array) -> Node:
    """Return the node next to a float32 x, at most NORMAL_END in size. Of NaN, d is NaN."""
    t = x * STEPS
    k = np.rint(t)
    last = NORMAL_END * STEPS
    entry = np.fmin(k, last) + last  # with negative ones np.take takes twice as long
    return Node(t, k, entry.astype(np.int32).astype(np.intp), t - k)  # NumPy has no fast f4 to i8


def table(function: Callable[[Array], Array]) -> Array:
    """Return what a float64 function is at the nodes, in float32."""
    last = NORMAL_END * STEPS
    return function(np.arange(-last, last + 1) / STEPS).astype(np.float32)


def look_up(values: Array, entry: Array) -> Array:
    """Return values[entry]; what is never out of range takes NumPy the least time to "wrap"."""
    if isinstance(entry, Traced):
        return entry.look_up(values)
    return np.take(values, entry, mode="wrap")


@cache
def _normal_tables() -> tuple[Array, Array]:
    """Return 8 Phi and 8 phi."""
    return table(lambda h: CARRIED * normal_cdf(h)), table(lambda h: CARRIED * normal_pdf(h))


class Normal(NamedTuple):
    """8 Phi(c), and what makes 8 phi(c): 8 phi(h), m / 256 and r, as in ``normal``."""

    cdf: Array
    pdf_at_node: Array
    m: Array
    r: Array

    def pdf(self) -> Array:
        """Return 8 phi(c) = 8 phi(h) (1 - rho m)."""
        return self.pdf_at_node * (1 - self.r * self.m * (0.5 / STEPS))


class ErrorFunction(NamedTuple):
    """erf(c), and what makes erf'(c): erf'(h), and r as in ``error_function``."""

    value: Array
    slope_at_node: Array
    r: Array

    def slope(self) -> Array:
        """Return erf'(c) = erf'(h) e^-rho = erf'(h) (1 - rho m)."""
        return self.slope_at_node * (1 - self.r * _mean(self.r) * (0.5 / STEPS))


# (1 - e^-rho) / rho / 256 in powers of r = 2 * 256^2 rho, with alternating signs
_SIXTH, _HALF, _ONE = (c / STEPS / (2 * STEPS**2) ** n for c, n in ((1 / 6, 2), (1 / 2, 1), (1, 0)))


def _mean(r: Array) -> Array:
    """Return m / 256, m = (1 - e^-rho) / rho."""
    return _ONE - r * (_HALF - r * _SIXTH)


def normal(c: Array) -> Normal:
    """Return Phi and phi at float32 c, as ``nearest_node`` takes it, to 1.5 ULP.

    With the node h = k / 256 and rho = (c^2 - h^2) / 2 = (c - h) (c + h) / 2, |rho| < 0.03:
    phi(c) = phi(h) e^-rho, and the integral of phi from h to c is (c - h) phi(h) m with
    m = (1 - e^-rho) / rho = 1 - rho / 2 + rho^2 / 6, but for (c - h)^2 / 12 of it, 3e-7.
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
    """Return erf and erf' at float32 c, as ``nearest_node`` takes it, to 2 ULP.

    As ``normal`` with rho = c^2 - h^2; but where h = 0 the integral is all there is of erf, and
    its (c - h)^2 / 6 counts: m is taken at 2 (c - h) (h + (c - h) / 3), which has it.
    """
    t, k, entry, d = nearest_node(c)
    value, slope = (look_up(values, entry) for values in _error_function_tables())
    m = _mean(4 * d * (k + d / 3))
    return ErrorFunction(value + d * (slope * m), slope, 2 * d * (t + k))
