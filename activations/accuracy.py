"""How far a computed value is from the exact one, and at which points to look.

The exact value comes from mpmath (the ``test`` extra), evaluated with more and more digits
until two precisions agree, so that a definition may be written as in the textbook, with all
its cancellation. One unit in the last place (ULP) is the spacing of floats in the binade of
the exact value; subnormal results count in units of the smallest subnormal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from activations.base import Array

PRECISIONS = (110, 230, 700, 1700, 3400, 6800)  # bits; the last see 2^-1074 squared
AGREEMENT = 90  # bits in which two precisions must agree
NEGLIGIBLE = 1200  # below 2^-1200 a value is zero in any float


@dataclass(frozen=True)
class Exact:
    """Numbers (high + low) * 2^exponent with 1/2 <= |high| < 1, or high = 0 for zero."""

    high: Array
    low: Array
    exponent: Array

    def __getitem__(self, index: Any) -> Exact:
        return Exact(self.high[index], self.low[index], self.exponent[index])

    def rounded(self) -> Array:
        """Return the nearest float64 numbers."""
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(self.high + self.low, self.exponent)


def exact(function: Callable[[Any], Any], points: Array, *, jumps: bool = False) -> Exact:
    """Evaluate ``function``, written in mpmath numbers, at float points.

    Raises ValueError where 6,800 bits are not enough; with ``jumps`` it is NaN there.
    """
    import mpmath

    mp = mpmath.mp
    high, low = np.zeros(points.shape), np.zeros(points.shape)
    exponent = np.zeros(points.shape, np.int64)
    saved = mp.prec
    try:
        for index, point in enumerate(points.tolist()):
            try:
                value = _agreed(function, point, mpmath)
            except ValueError:
                if not jumps:
                    raise
                high[index] = np.nan
                continue
            if value == 0 or mpmath.mag(value) < -NEGLIGIBLE:
                continue
            if mpmath.mag(value) > NEGLIGIBLE:
                value = mpmath.sign(value) * mpmath.mpf(2) ** NEGLIGIBLE
            fraction, power = mpmath.frexp(value)
            high[index] = float(fraction)
            low[index] = float(fraction - mpmath.mpf(high[index]))
            exponent[index] = power
    finally:
        mp.prec = saved
    return Exact(high, low, exponent)


def _agreed(function: Callable[[Any], Any], point: float, mpmath: Any) -> Any:
    before = None
    for bits in PRECISIONS:
        mpmath.mp.prec = bits
        value = mpmath.mpf(function(mpmath.mpf(point)))
        if before is not None and value != 0:
            size = mpmath.mag(value)
            if mpmath.mag(value - before) <= size - AGREEMENT:
                return value
            if max(size, mpmath.mag(before)) < -NEGLIGIBLE:
                return value
        before = value
    if value == 0:
        return value
    raise ValueError(f"the reference has no digits at x = {point!r}")


def ulp_errors(computed: Array, truth: Exact) -> Array:
    """Return |computed - truth| in ULP of the truth's binade; inf for NaN.

    A computed infinity stands for the first number beyond the largest float, as in rounding.
    """
    info = np.finfo(computed.dtype)
    digits, smallest, largest = info.nmant + 1, info.minexp - info.nmant, info.maxexp
    with np.errstate(all="ignore"):
        fraction, power = np.frexp(computed.astype(np.float64))
        infinite = np.isinf(computed)
        fraction = np.where(infinite, np.sign(computed) * 0.5, fraction)
        power = np.where(infinite, largest + 1, power)
        zero = truth.high == 0
        exponent = np.where(zero, smallest, truth.exponent)
        shift = np.clip(power - exponent, -5000, 5000)
        difference = np.ldexp(fraction, shift.astype(np.int32)) - truth.high - truth.low
        unit = np.maximum(exponent - digits, smallest) - exponent
        error = np.abs(np.ldexp(difference, -np.clip(unit, -5000, 5000).astype(np.int32)))
        beyond = (truth.exponent > largest) & infinite & (np.sign(computed) == np.sign(truth.high))
    error = np.where(beyond, 0.0, error)
    return np.where(np.isnan(error), np.inf, error)


def absolute_errors(computed: Array, truth: Exact) -> Array:
    """Return |computed - truth| in units of the dtype's machine epsilon."""
    with np.errstate(all="ignore"):
        found = computed.astype(np.float64)
        error = np.abs(found - np.ldexp(truth.high, truth.exponent.astype(np.int32)))
        error = error / np.finfo(computed.dtype).eps
    return np.where(np.isnan(error), np.inf, error)


def unexcused_errors(
    x: Array,
    computed: Array,
    truth: Exact,
    roots: Iterable[float] = (),
    width: float = 0.25,
    amplitude: Callable[[float], float] | None = None,
) -> Array:
    """Return ULP errors, but 0 where an absolute error is asked for and small enough.

    That is below 1 eps within ``width`` of a root, where the relative error of any formula
    grows without bound, and below amplitude(x) eps for functions that oscillate.
    """
    allowed = np.zeros(x.shape)
    if amplitude is not None:
        allowed = np.array([float(amplitude(point)) for point in x.tolist()])
    for root in roots:
        near = np.abs(x.astype(np.float64) - float(root)) <= width
        allowed = np.where(near, np.maximum(allowed, 1.0), allowed)
    errors = ulp_errors(computed, truth)
    return np.where(absolute_errors(computed, truth) <= allowed, 0.0, errors)


def points(dtype: type, count: int, special: Iterable[float] = ()) -> Array:
    """Return about ``count`` sorted points over the whole finite range of ``dtype``.

    A quarter are log-spaced magnitudes from the smallest subnormal to the largest float,
    both signs; the rest are dense in (-1, 1), (-10, 10), (-40, 40) and up to where e^x
    leaves the range. Each of ``special`` (kinks, branch points, roots) comes with its
    neighbours on both sides, near and far. float32's points are part of float64's.
    """
    info = np.finfo(dtype)
    rng = np.random.default_rng(20240607)
    logarithm = 1.1 * float(np.log(np.float64(info.max)))
    share = count // 8
    parts = [rng.uniform(-a, a, share) for a in (1, 3, 10, 10, 40, logarithm)]
    exponents = np.linspace(info.minexp - info.nmant, info.maxexp - 0.01, share)
    magnitudes = 2.0 ** (exponents * (1 - 1e-9))
    parts += [magnitudes, -magnitudes]
    edges = [0.0, -0.0, float(info.max), float(info.tiny), float(info.smallest_subnormal), 1.0]
    edges += [2.0**k for k in range(-6, 11)]
    parts += [np.array(edges), -np.array(edges)]
    special = [float(point) for point in special]
    for point in special:
        near = point + np.array([1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 0.03, 0.1])
        parts += [near, 2 * point - near]
    with np.errstate(over="ignore"):
        chosen: Array = np.concatenate(parts).astype(dtype)
    for point in special:
        with np.errstate(over="ignore"):
            here: Array = np.array(point, dtype)
        below: Array = here
        above: Array = here
        neighbours = [here]
        for _ in range(3):
            below, above = np.nextafter(below, -info.max), np.nextafter(above, info.max)
            neighbours += [below, above]
        chosen = np.concatenate([chosen, np.array(neighbours, dtype)])
    chosen = np.unique(chosen[np.isfinite(chosen)])
    if dtype is np.float64:
        chosen = np.union1d(chosen, points(np.float32, count, special).astype(np.float64))
    return chosen
