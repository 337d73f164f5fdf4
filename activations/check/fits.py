"""Fit the polynomials in the formulas again, and measure the errors of those in the code.

    python -m activations.check.fits
    python -m activations.check.fits ERF_OVER_X

Prints the coefficients, highest power first, and the largest relative error of the polynomial in
the code. A fit is a truncated Chebyshev series of the function on its interval. For smooth
functions, its largest error is within a few percent of the least possible one. mpmath (the ``test``
extra) computes the fit with 60 digits, so every machine prints the same coefficients. Some
coefficients of SCALED_TAIL in the code differ in their last digits, because they were fitted in
float64.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import mpmath
import numpy as np
from mpmath import mpf

from activations.functions import special

DIGITS = 60


class Fit(NamedTuple):
    """A polynomial in the code, which approximates function(x) for low <= x <= high.

    Attributes:
        name, formula: its name in the code, and what it approximates.
        nodes: the number of Chebyshev nodes for the series; degree + 1 nodes interpolate.
        written: the coefficients in the code, highest power first.
        share: the largest share of the polynomial in the final result; the relative error of the
            result is that of the polynomial times the share.
    """

    name: str
    formula: str
    function: Callable[[mpf], mpf]
    low: float
    high: float
    nodes: int
    written: Sequence[Any]
    share: float = 1.0

    def coefficients(self) -> list[Any]:
        """Return the fit's coefficients in the dtype of those in the code."""
        with mpmath.workdps(DIGITS):
            low, high = mpf(self.low), mpf(self.high)
            fitted = chebyshev_fit(self.function, low, high, len(self.written) - 1, self.nodes)
            dtype = np.asarray(self.written[0]).dtype
            return [dtype.type(float(c)) for c in fitted]

    def largest_error(self, count: int = 500) -> float:
        """Return the largest relative error of the code's polynomial, evaluated exactly."""
        with mpmath.workdps(DIGITS):
            coefficients = [mpf(float(c)) for c in self.written]
            points = chebyshev_nodes(mpf(self.low), mpf(self.high), count)
            return max(float(abs(horner(coefficients, x) / self.function(x) - 1)) for x in points)


def horner(coefficients: Sequence[mpf], x: mpf) -> mpf:
    return reduce(lambda total, c: total * x + c, coefficients)


def chebyshev_nodes(low: mpf, high: mpf, count: int) -> list[mpf]:
    """Return ``count`` Chebyshev nodes in (low, high); they are denser at its ends."""
    angles = [mpmath.pi * (2 * k + 1) / (2 * count) for k in range(count)]
    return [(low + high + (high - low) * mpmath.cos(angle)) / 2 for angle in angles]


def chebyshev_fit(
    function: Callable[[mpf], mpf], low: mpf, high: mpf, degree: int, nodes: int
) -> list[mpf]:
    """Return the Chebyshev series up to ``degree`` in powers of x, highest power first."""
    values = [function(x) for x in chebyshev_nodes(low, high, nodes)]
    scale, shift = 2 / (high - low), -(low + high) / (high - low)
    before, polynomial = [mpf(0)], [mpf(1)]
    total = [mpf(0)] * (degree + 1)
    for m in range(degree + 1):
        angles = [m * mpmath.pi * (2 * k + 1) / (2 * nodes) for k in range(nodes)]
        terms = (y * mpmath.cos(angle) for y, angle in zip(values, angles, strict=True))
        weight = mpmath.fsum(terms) * (2 if m else 1) / nodes
        for power, c in enumerate(polynomial):
            total[power] += weight * c
        # T_(m + 1) = 2 t T_m - T_(m - 1) with t = scale x + shift
        factor = 2 if m else 1
        times_t = [mpf(0), *(scale * c for c in polynomial)]
        for power, c in enumerate(polynomial):
            times_t[power] += shift * c
        before += [mpf(0)] * (len(times_t) - len(before))
        following = [factor * a - b for a, b in zip(times_t, before, strict=True)]
        before, polynomial = polynomial, following
    return total[::-1]


def scaled_tail(u: mpf) -> mpf:
    t = 3 * (1 + u) / (1 - u)
    return (t + 3) * mpmath.erfc(t / mpmath.sqrt(2)) / 2 * mpmath.exp(t * t / 2)


def erf_over_x(square: mpf) -> mpf:
    x = mpmath.sqrt(square)
    return mpmath.erf(x) / x


def artanh_rest(square: mpf) -> mpf:
    s = mpmath.sqrt(square)
    return 2 * (mpmath.atanh(s) - s) / s**3


FITS = [
    Fit(
        "ARTANH_REST_FLOAT32",
        "(2 artanh(s) - 2 s) / s^3, s = sqrt x",
        artanh_rest,
        0.0,
        1 / 9,
        12,
        special.ARTANH_REST_FLOAT32,
        share=0.04,  # in log1p: s^3 P / (2 artanh s) at s = 1/3
    ),
    Fit(
        "SCALED_TAIL",
        "(t + 3) e^(t^2 / 2) Phi(-t), t = 3 (1 + x) / (1 - x)",
        scaled_tail,
        -1.0,
        1.0,
        100,
        special.SCALED_TAIL,
    ),
    Fit(
        "ERF_OVER_X",
        "erf(sqrt x) / sqrt x",
        erf_over_x,
        0.0,
        1.0,
        12,
        special.ERF_OVER_X,
    ),
]


def main(arguments: list[str] | None = None) -> None:
    """Fit the polynomials that the command line names, and print them."""
    parser = argparse.ArgumentParser(prog="python -m activations.check.fits")
    parser.description = (__doc__ or "").split("\n")[0]
    names = [fit.name for fit in FITS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    wanted = parser.parse_args(arguments).names
    if unknown := sorted(set(wanted) - set(names)):
        parser.error(f"fit {unknown[0]} is unknown; known: {', '.join(names)}")
    for fit in FITS:
        if not wanted or fit.name in wanted:
            coefficients = fit.coefficients()
            print(f"{fit.name}: {fit.formula} for {fit.low:g} <= x <= {fit.high:g}")
            for c in coefficients:
                print(f"    {c},")
            share = f", in {fit.share:.0%} of the result" if fit.share < 1 else ""
            print(f"largest relative error {fit.largest_error():.1e}{share}\n")


if __name__ == "__main__":
    main()
