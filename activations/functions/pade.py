"""Rational functions with learnable coefficients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from activations.arguments import parameter
from activations.base import Array, SharedParts
from activations.functions.learnable import Learnable
from activations.functions.special import finite, two_product, two_quotient, two_sum

NUMERATOR = tuple(f"p{j}" for j in range(6))
DENOMINATOR = tuple(f"q{j}" for j in range(1, 5))


class Rational(NamedTuple):
    """P(u) / Q(|u|) with u = x for |x| <= 1 and u = 1/x elsewhere.

    Attributes:
        near: whether |x| <= 1.
        p, q: the coefficients in powers of u, lowest first.
        bottom, ratio: Q(|u|) and the quotient, each with its rounding error; the errors are 0 for
            float32.
    """

    near: Array
    u: Array
    p: list[Array]
    q: list[Array]
    bottom: tuple[Array, Array | float]
    ratio: tuple[Array, Array | float]


class PAU(Learnable, SharedParts, float64=True):
    """P / Q with P = sum_j p_j x^j (j = 0 to 5), Q = 1 + sum_k |q_k x^k| (k = 1 to 4).

    f' = (P' Q - P Q') / Q^2. A Pade activation unit; with this "safe" denominator it has no pole.
    All coefficients p0, p1, p2, p3, p4, p5, q1, q2, q3, q4 are learnable, one set per layer. The
    defaults are our least-squares fit, with p0 = 0, to leaky_relu of slope 0.01 on [-3, 3]; its
    error is at most 0.03.

    For |x| > 1 both polynomials are divided by x^4 and evaluated in powers of 1/x, so that nothing
    overflows. The terms of P cancel for x < 0. Therefore float64 uses Horner's rule with
    compensation, which takes ten times as long. For |x| > 10^60 powers of 1/x underflow, and there
    is no bound on the error.
    Molina, Schramowski & Kersting 2019, https://arxiv.org/abs/1907.06732
    """

    name = "pau"
    kinks = (0.0,)
    parameters_per_unit = False
    p0 = parameter(0.0, learned=True)
    p1 = parameter(0.842843, learned=True)
    p2 = parameter(4.522566, learned=True)
    p3 = parameter(6.998768, learned=True)
    p4 = parameter(3.740695, learned=True)
    p5 = parameter(0.67093, learned=True)
    q1 = parameter(3.844091, learned=True)
    q2 = parameter(7.894363, learned=True)
    q3 = parameter(3.293638, learned=True)
    q4 = parameter(0.744992, learned=True)

    def parts(self, x: Array, exact: bool) -> Rational:
        near, u, p, q = self._in_powers(x)
        if not exact:
            bottom = _polynomial(q, np.abs(u))
            return Rational(near, u, p, q, (bottom, 0.0), (_polynomial(p, u) / bottom, 0.0))
        in_two = _polynomial_in_two(_exactly(q), np.abs(u))
        ratio = _divided(_polynomial_in_two(_exactly(p), u), in_two)
        return Rational(near, u, p, q, in_two, ratio)

    def value(self, x: Array, r: Rational) -> Array:
        y = r.ratio[0] + r.ratio[1]
        return np.where(r.near, y, x * y)

    def slope(self, x: Array, r: Rational) -> Array:
        exact = not isinstance(r.ratio[1], float)
        slope = _slope_in_two(r) if exact else _slope(r)
        return np.where(r.near, slope, r.ratio[0] + r.ratio[1] - r.u * slope)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = finite(x.astype(np.float64, copy=False))
        near, u, p, q = self._in_powers(x)
        # with P and Q divided by x^5 and x^4 for |x| > 1
        bottom, top = _polynomial(q, np.abs(u)), _polynomial(p, u)
        ratio = top / bottom
        found = {}
        with np.errstate(over="ignore"):
            for j, name in enumerate(NUMERATOR):
                far = x if j == 5 else u ** (4 - j)
                found[name] = np.where(near, u**j, far) / bottom
            for j, name in enumerate(DENOMINATOR, start=1):
                far = x if j == 4 else np.sign(x) * np.abs(u) ** (3 - j)
                inside = (ratio * np.abs(u)) * np.abs(u) ** (j - 1)
                share = np.where(near, inside, ratio * far) / bottom
                found[name] = -np.sign(self.params[name]) * share
        return found

    def _in_powers(self, x: Array) -> tuple[Array, Array, list[Array], list[Array]]:
        """Return near, u, p and q of ``Rational``."""
        p = [self.params[name] for name in NUMERATOR]
        q = [1.0, *(np.abs(self.params[name]) for name in DENOMINATOR)]
        near = np.abs(x) <= 1
        u = np.where(near, x, 1 / np.where(near, 1, x))
        of_u = [[np.where(near, *pair) for pair in zip(c, c[::-1], strict=True)] for c in (p, q)]
        return near, u, of_u[0], of_u[1]


def _polynomial(coefficients: list[Any], x: Array) -> Array:
    total = coefficients[-1] * np.ones_like(x)
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


def _slope(r: Rational) -> Array:
    """Return the derivative of P(u) / Q(|u|)."""
    top = _polynomial([j * c for j, c in enumerate(r.p)][1:], r.u)
    bottom = np.sign(r.u) * _polynomial([j * c for j, c in enumerate(r.q)][1:], np.abs(r.u))
    return (top - r.ratio[0] * bottom) / r.bottom[0]


def _slope_in_two(r: Rational) -> Array:
    """Return the same as ``_slope``, with corrections of the rounding errors."""
    top, top_rest = _polynomial_in_two(_exactly(r.p, times_index=True), r.u)
    sign = np.sign(r.u)
    fall, fall_rest = _polynomial_in_two(_exactly(r.q, times_index=True), np.abs(r.u))
    ratio, rest = r.ratio
    product, lost = two_product(ratio, sign * fall)
    difference, more = two_sum(top, -product)
    more = more + ((top_rest - lost) - sign * (ratio * fall_rest + rest * fall))
    slope, slope_rest = _divided((difference, more), r.bottom)
    return slope + slope_rest


def _exactly(coefficients: list[Any], times_index: bool = False) -> list[tuple[Any, Any]]:
    """Return coefficients c_j, or j c_j for j >= 1, each with its rounding error."""
    if not times_index:
        return [(np.asarray(c, np.float64), 0.0) for c in coefficients]
    wide = [np.asarray(c, np.float64) for c in coefficients]
    return [two_product(float(j), c) for j, c in enumerate(wide)][1:]


def _polynomial_in_two(coefficients: list[tuple[Any, Any]], x: Array) -> tuple[Array, Array]:
    """Return the polynomial and the sum of its rounding errors: compensated Horner's rule.

    Langlois & Louvet 2007, https://doi.org/10.1109/ARITH.2007.21
    """
    total, rest = (part * np.ones_like(x) for part in coefficients[-1])
    for coefficient, missing in coefficients[-2::-1]:
        product, lost = two_product(total, x)
        total, more = two_sum(product, coefficient)
        rest = rest * x + (lost + more + missing)
    return total, rest


def _divided(top: tuple[Array, Array], bottom: tuple[Array, Array | float]) -> tuple[Array, Array]:
    ratio, rest = two_quotient(top[0], bottom[0])
    return ratio, rest + (top[1] - ratio * bottom[1]) / bottom[0]
