"""Errors of computed values in ULP, and the points at which they are measured.

The exact value comes from mpmath (the ``test`` extra). It is evaluated with more and more bits
until two precisions agree. So a definition can be the textbook formula, although it cancels.

Errors are measured in units in the last place (ULP), the distance between neighbouring floats at
the exact value. Exception: if the value is a sum whose terms cancel, as near a root of f', the
error is measured in ULP of the largest term, because no formula keeps a fixed number of digits of a
difference near 0. A definition returns such terms as a tuple. For subnormal numbers the unit is the
smallest subnormal.

Example: the error of GELU' = Phi(x) + x Phi'(x) is at most 8 ULP of GELU', but near its root
x = -0.75 at most 8 ULP of Phi(-0.75) = 0.23.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from activations.base import Array

PRECISIONS = (110, 230, 700, 1700, 3400, 6800)  # bits; the last are enough for 2^-1074 squared
AGREEMENT = 90  # leading bits that two precisions must have in common
NEGLIGIBLE = 1200  # a value below 2^-1200 rounds to 0 in float64


@dataclass(frozen=True)
class Exact:
    """Numbers (high + low) * 2^exponent with 1/2 <= |high| < 1, or high = 0 for zero.

    If a number is a sum, ``scale`` is the exponent of its largest term, else it is ``exponent``.
    """

    high: Array
    low: Array
    exponent: Array
    scale: Array

    def __getitem__(self, index: Any) -> Exact:
        return Exact(self.high[index], self.low[index], self.exponent[index], self.scale[index])

    @classmethod
    def of(cls, values: Array) -> Exact:
        """Return float64 numbers as exact numbers; infinities become numbers beyond all floats."""
        high, exponent = np.frexp(values)
        infinite = np.isinf(values)
        high = np.where(infinite, np.copysign(0.5, values), high)
        exponent = np.where(values == 0, -NEGLIGIBLE, exponent)  # frexp returns 0
        exponent = np.where(infinite, NEGLIGIBLE, exponent).astype(np.int64)
        return cls(high, np.zeros_like(high), exponent, exponent)

    def rounded(self) -> Array:
        """Return the nearest float64 numbers."""
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(self.high + self.low, self.exponent)


def exact(function: Callable[[Any], Any], points: Array, *, jumps: bool = False) -> Exact:
    """Evaluate ``function`` of an mpmath number at float points.

    The function returns a number, or a tuple of terms that add up to it. Raises ValueError if 6,800
    bits are not enough at a point; with ``jumps``, the result there is NaN instead.
    """
    import mpmath

    mp = mpmath.mp
    high, low = np.zeros(points.shape), np.zeros(points.shape)
    exponent, scale = np.full((2, *points.shape), -NEGLIGIBLE, np.int64)
    saved = mp.prec
    try:
        for index, point in enumerate(points.tolist()):
            try:
                value, size = _agreed(function, point, mpmath)
            except ValueError:
                if not jumps:
                    raise
                high[index] = np.nan
                continue
            scale[index] = int(min(max(size, -NEGLIGIBLE), NEGLIGIBLE))
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
    return Exact(high, low, exponent, np.maximum(scale, exponent))


def _agreed(function: Callable[[Any], Any], point: float, mpmath: Any) -> tuple[Any, Any]:
    """Return the value on which two precisions agree, and the exponent of its largest term."""
    before = None
    for bits in PRECISIONS:
        mpmath.mp.prec = bits
        terms = function(mpmath.mpf(point))
        terms = terms if isinstance(terms, tuple) else (terms,)
        value = mpmath.mpf(terms[0]) if len(terms) == 1 else mpmath.fsum(terms)
        if before is not None and value != 0:
            size = mpmath.mag(value)
            close = mpmath.mag(value - before) <= size - AGREEMENT
            if close or max(size, mpmath.mag(before)) < -NEGLIGIBLE:
                return value, mpmath.mag(max(terms, key=abs))
        before = value
    if value == 0:
        return value, mpmath.mag(max(terms, key=abs))
    raise ValueError(f"the exact value at x = {point!r} needs more than {PRECISIONS[-1]} bits")


def ulp_errors(computed: Array, truth: Exact) -> Array:
    """Return |computed - truth| in ULP of the truth, or of its largest term; inf for NaN.

    As in rounding, a computed infinity counts as the first number beyond the largest float.
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
        unit = np.maximum(truth.scale - digits, smallest) - exponent
        error = np.abs(np.ldexp(difference, -np.clip(unit, -5000, 5000).astype(np.int32)))
        beyond = (truth.exponent > largest) & infinite & (np.sign(computed) == np.sign(truth.high))
    error = np.where(beyond, 0.0, error)
    return np.where(np.isnan(error), np.inf, error)


def beside_roots(x: Array, truth: Exact) -> Exact:
    """Return the truth with a larger scale near roots, for a function whose terms are unknown.

    A root r is a sign change at the sorted x. From r / 2 to 3 r / 2, the largest value there is
    taken instead of the largest term.
    """
    scale = truth.scale.copy()
    sign = np.sign(truth.high)
    for root in x[np.flatnonzero(sign[1:] * sign[:-1] < 0)]:
        near = np.abs(x - root) <= abs(root) / 2
        scale[near] = np.maximum(scale[near], truth.exponent[near].max())
    return Exact(truth.high, truth.low, truth.exponent, scale)


def points(dtype: type, count: int, special: Iterable[float] = ()) -> Array:
    """Return about ``count`` sorted points over the whole finite range of ``dtype``.

    A quarter are random bit patterns, from the smallest subnormal to the largest float, of both
    signs. The rest are uniform in (-1, 1), (-3, 3), (-10, 10), (-40, 40) and up to where e^x
    overflows or underflows. For each of ``special`` (kinks, branch points, roots) there are also
    the point, three neighbouring floats on both sides, and 28 points at distances of all sizes.
    """
    info = np.finfo(dtype)
    rng = np.random.default_rng(20240607)
    logarithm = 1.1 * float(np.log(np.float64(info.max)))
    share = count // 8
    parts = [rng.uniform(-a, a, share) for a in (1, 3, 10, 10, 40, logarithm)]
    magnitudes = bit_patterns(dtype, share, rng).astype(np.float64)
    parts += [magnitudes, -magnitudes]
    edges = [0.0, -0.0, float(info.max), float(info.tiny), float(info.smallest_subnormal), 1.0]
    edges += [2.0**k for k in range(-6, 11)]
    parts += [np.array(edges), -np.array(edges)]
    for point in special:
        distances = max(1.0, abs(float(point))) * 2.0 ** -rng.uniform(0, info.nmant, 14)
        parts += [float(point) + distances, float(point) - distances]
    with np.errstate(over="ignore"):
        chosen: Array = np.concatenate(parts).astype(dtype)
        here: Array = np.array([float(point) for point in special], dtype)
    below, above = here, here
    for _ in range(3):
        below, above = np.nextafter(below, -info.max), np.nextafter(above, info.max)
        chosen = np.concatenate([chosen, below, here, above])
    return np.unique(chosen[np.isfinite(chosen)])


def bit_patterns(dtype: type, count: int, rng: np.random.Generator) -> Array:
    """Return random positive floats, one from each of ``count`` equal ranges of bit patterns."""
    integers = np.dtype(f"i{np.dtype(dtype).itemsize}")
    ends = np.linspace(1, int(np.array(np.finfo(dtype).max).view(integers)) // 2, count + 1)
    return (
        (2 * rng.integers(ends[:-1].astype(np.int64), ends[1:].astype(np.int64) + 1))
        .astype(integers)
        .view(dtype)
    )
