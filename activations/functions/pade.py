"""Rational functions of which every coefficient is learnable."""

from __future__ import annotations

from typing import Any

import numpy as np

from activations.arguments import parameter
from activations.base import Array
from activations.functions.learnable import Learnable
from activations.functions.special import finite, two_product, two_quotient, two_sum

NUMERATOR = tuple(f"p{j}" for j in range(6))
DENOMINATOR = tuple(f"q{j}" for j in range(1, 5))


class PAU(Learnable):
    """(p0 + p1 x + ... + p5 x^5) / (1 + |q1 x| + ... + |q4 x^4|): a Pade activation unit.

    All coefficients p0, p1, p2, p3, p4, p5, q1, q2, q3, q4 are learnable, one set per layer;
    with this "safe" denominator there is no pole. The defaults are our least-squares fit,
    with p0 = 0, to leaky_relu of slope 0.01 on [-3, 3]; it is off by at most 0.03. For |x| > 1
    both polynomials are divided by x^4 and written in 1/x, so that nothing overflows.

    The terms of the numerator cancel for x < 0, so that float64 is evaluated by Horner's rule
    with compensation, which takes ten times as long. Beyond |x| = 10^60 powers of 1/x underflow:
    no digits are promised there.
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

    def forward(self, x: Array) -> Array:
        p, q = self._coefficients()
        if x.dtype == np.float64:
            near, u, p, q = _chosen(p, q, x)
            ratio, rest, *_ = _ratio_in_two(p, q, u)
            y = ratio + rest
            with np.errstate(over="ignore"):
                return np.where(near, y, x * y)
        inner, t = _inside_and_inverse(x.astype(np.float64))
        with np.errstate(over="ignore"):
            far = x * (_polynomial(p[::-1], t) / _polynomial(q[::-1], np.abs(t)))
            y = _polynomial(p, inner) / _polynomial(q, np.abs(inner))
            return np.where(np.abs(x) > 1, far, y).astype(x.dtype)

    def derivative(self, x: Array, y: Array) -> Array:
        p, q = self._coefficients()
        if x.dtype == np.float64:
            near, u, p, q = _chosen(p, q, x)
            ratio, slope = _quotient_in_two(p, q, u)
            return np.where(near, slope, ratio - u * slope)
        inner, t = _inside_and_inverse(x.astype(np.float64))
        _, inside = _quotient(p, q, inner)
        ratio, slope = _quotient(p[::-1], q[::-1], t)
        with np.errstate(over="ignore"):
            return np.where(np.abs(x) > 1, ratio - t * slope, inside).astype(x.dtype)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = finite(x.astype(np.float64, copy=False))
        inner, t = _inside_and_inverse(x)
        p, q = self._coefficients()
        near = np.abs(x) <= 1
        # with P and Q divided by x^5 and x^4 for |x| > 1
        bottom = np.where(near, _polynomial(q, np.abs(inner)), _polynomial(q[::-1], np.abs(t)))
        top = np.where(near, _polynomial(p, inner), _polynomial(p[::-1], t))
        found = {}
        with np.errstate(over="ignore"):
            for j, name in enumerate(NUMERATOR):
                power = x if j == 5 else t ** (4 - j)
                found[name] = np.where(near, inner**j, power) / bottom
            for j, name in enumerate(DENOMINATOR, start=1):
                power = x if j == 4 else np.sign(x) * np.abs(t) ** (3 - j)
                ratio = top / bottom
                inside = (ratio * np.abs(inner)) * np.abs(inner) ** (j - 1)
                share = np.where(near, inside, ratio * power) / bottom
                found[name] = -np.sign(self.params[name]) * share
        return found

    def _coefficients(self) -> tuple[list[Any], list[Any]]:
        """Return those of the numerator and of the denominator, lowest power first."""
        numerator = [self.params[name] for name in NUMERATOR]
        return numerator, [1.0, *(np.abs(self.params[name]) for name in DENOMINATOR)]


def _inside_and_inverse(x: Array) -> tuple[Array, Array]:
    """Return x cut to [-1, 1], and 1/x cut to the same."""
    return np.minimum(np.maximum(x, -1), 1), 1 / np.where(np.abs(x) < 1, 1, x)


def _polynomial(coefficients: list[Any], x: Array) -> Array:
    total = coefficients[-1] * np.ones_like(x)
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


def _quotient(p: list[Any], q: list[Any], x: Array) -> tuple[Array, Array]:
    """Return P(x) / Q(|x|) and its derivative."""
    a = np.abs(x)
    bottom = _polynomial(q, a)
    ratio = _polynomial(p, x) / bottom
    top_slope = _polynomial([j * c for j, c in enumerate(p)][1:], x)
    bottom_slope = np.sign(x) * _polynomial([j * c for j, c in enumerate(q)][1:], a)
    return ratio, (top_slope - ratio * bottom_slope) / bottom


def _chosen(p: list[Any], q: list[Any], x: Array) -> tuple[Array, Array, list[Any], list[Any]]:
    """Return where |x| <= 1, u = x there and 1/x elsewhere, and the coefficients in powers of u."""
    near = np.abs(x) <= 1
    u = np.where(near, x, 1 / np.where(near, 1, x))
    chosen = [[np.where(near, *pair) for pair in zip(c, c[::-1], strict=True)] for c in (p, q)]
    return near, u, chosen[0], chosen[1]


def _ratio_in_two(p: list[Any], q: list[Any], x: Array) -> tuple[Array, Array, Array, Array]:
    """Return P(x) / Q(|x|) and its rest, then Q(|x|) and its rest."""
    bottom, bottom_rest = _polynomial_in_two(_exactly(q), np.abs(x))
    ratio, rest = _divided(_polynomial_in_two(_exactly(p), x), bottom, bottom_rest)
    return ratio, rest, bottom, bottom_rest


def _quotient_in_two(p: list[Any], q: list[Any], x: Array) -> tuple[Array, Array]:
    """Return what ``_quotient`` does, with the digits that rounding and cancelling cost it."""
    ratio, rest, bottom, bottom_rest = _ratio_in_two(p, q, x)
    top, top_rest = _polynomial_in_two(_exactly(p, times_index=True), x)
    sign = np.sign(x)
    fall, fall_rest = _polynomial_in_two(_exactly(q, times_index=True), np.abs(x))
    product, lost = two_product(ratio, sign * fall)
    difference, more = two_sum(top, -product)
    more = more + ((top_rest - lost) - sign * (ratio * fall_rest + rest * fall))
    slope, slope_rest = _divided((difference, more), bottom, bottom_rest)
    return ratio + rest, slope + slope_rest


def _exactly(coefficients: list[Any], times_index: bool = False) -> list[tuple[Any, Any]]:
    """Return coefficients c_j, or j c_j for j >= 1, and what rounding has left out of them."""
    if not times_index:
        return [(np.asarray(c, np.float64), 0.0) for c in coefficients]
    wide = [np.asarray(c, np.float64) for c in coefficients]
    return [two_product(float(j), c) for j, c in enumerate(wide)][1:]


def _polynomial_in_two(coefficients: list[tuple[Any, Any]], x: Array) -> tuple[Array, Array]:
    """Return the polynomial and its rounding errors' sum: Horner's rule, compensated.

    Langlois & Louvet 2007, https://doi.org/10.1109/ARITH.2007.21
    """
    total, rest = (part * np.ones_like(x) for part in coefficients[-1])
    for coefficient, missing in coefficients[-2::-1]:
        product, lost = two_product(total, x)
        total, more = two_sum(product, coefficient)
        rest = rest * x + (lost + more + missing)
    return total, rest


def _divided(top: tuple[Array, Array], bottom: Array, bottom_rest: Array) -> tuple[Array, Array]:
    ratio, rest = two_quotient(top[0], bottom)
    return ratio, rest + (top[1] - ratio * bottom_rest) / bottom
