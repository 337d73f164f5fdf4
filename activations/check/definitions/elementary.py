"""Elementary functions for the definitions, in mpmath; arguments are clipped far beyond floats."""

from __future__ import annotations

from typing import Any

import mpmath
from mpmath import mpf

INF = float("inf")


def clamp(x: mpf, low: Any, high: Any) -> mpf:
    """min(max(x, low), high); with None there is no bound on that side."""
    x = x if low is None else max(x, low)
    return x if high is None else min(x, high)


def exp(x: mpf) -> mpf:
    return mpmath.exp(clamp(x, mpf(-200_000), mpf(200_000)))


def sigmoid(x: mpf) -> mpf:
    return 1 / (1 + exp(-x))


def tanh_slope(x: mpf) -> mpf:
    e = exp(abs(x))
    return (2 / (e + 1 / e)) ** 2


def softplus(x: mpf) -> mpf:
    return mpmath.log1p(exp(x)) if x < 10_000 else x


def erf(x: mpf) -> mpf:
    return mpmath.erf(clamp(x, mpf(-600), mpf(600)))


def erf_slope(x: mpf) -> mpf:
    return 2 / mpmath.sqrt(mpmath.pi) * exp(-x * x)


def half_erfc(u: mpf) -> mpf:
    """erfc(-u) / 2 = (1 + erf(u)) / 2."""
    return mpmath.erfc(clamp(-u, mpf(-600), mpf(600))) / 2


def normal_cdf(x: mpf) -> mpf:
    return half_erfc(x / mpmath.sqrt(2))


def normal_pdf(x: mpf) -> mpf:
    return exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)


def in_two(phase: mpf) -> tuple[mpf, mpf]:
    """Return the float nearest to a phase, and the rest.

    By the addition theorems, sin and cos of the phase are sums of two terms, which may cancel.
    """
    near = mpf(float(phase))
    return near, phase - near


def sine(phase: mpf) -> tuple[mpf, mpf]:
    p, rest = in_two(phase)
    return mpmath.sin(p) * mpmath.cos(rest), mpmath.cos(p) * mpmath.sin(rest)


def cosine(phase: mpf) -> tuple[mpf, mpf]:
    p, rest = in_two(phase)
    return mpmath.cos(p) * mpmath.cos(rest), -mpmath.sin(p) * mpmath.sin(rest)


def times(factor: mpf, terms: tuple[mpf, ...]) -> tuple[mpf, ...]:
    return tuple(factor * term for term in terms)
