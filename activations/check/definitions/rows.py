"""Definitions of the softmax family on one row, in mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
from mpmath import mpf

from activations.check.accuracy import Exact
from activations.check.definitions.table import Terms


def truth(values: list[Terms]) -> Exact:
    """Return mpmath numbers, or tuples of terms, in the form that ``ulp_errors`` needs."""
    terms = [value if isinstance(value, tuple) else (value,) for value in values]
    sums = [mpmath.fsum(value) for value in terms]
    parts = [mpmath.frexp(value) if value else (mpf(0), 0) for value in sums]
    largest = [max(value, key=abs) for value in terms]
    scale = np.array([int(mpmath.mag(value)) if value else -2000 for value in largest])
    high = np.array([float(fraction) for fraction, _ in parts])
    low = np.array([float(fraction - mpf(h)) for (fraction, _), h in zip(parts, high, strict=True)])
    exponent = np.array([power for _, power in parts])
    return Exact(high, low, exponent, np.maximum(scale, exponent))


def references(x: np.ndarray) -> dict[str, list[mpf]]:
    """Return softmax, log_softmax and softmax_one of one row, and their Jacobians' diagonals.

    1 - p is computed as the sum of the others' p, because 1 - e^-10000 would need too many digits.
    """
    row = [mpf(float(value)) for value in x]
    largest = max(row)
    e = [mpmath.exp(value - largest) for value in row]
    rest = [mpmath.fsum(e[:i] + e[i + 1 :]) for i in range(len(e))]
    total = mpmath.fsum(e)
    p = [value / total for value in e]
    q = [value / total for value in rest]
    extra = mpmath.exp(-max(largest, 0))  # the additional logit 0 of softmax_one
    shift = mpmath.exp(largest - max(largest, 0))
    one = [value * shift / (total * shift + extra) for value in e]
    one_rest = [(value * shift + extra) / (total * shift + extra) for value in rest]
    return {
        "softmax": p,
        "softmax'": [a * b for a, b in zip(p, q, strict=True)],
        "log_softmax": [
            mpmath.log1p(-b) if b < 0.5 else mpmath.log(a) for a, b in zip(p, q, strict=True)
        ],
        "log_softmax'": q,
        "softmax_one": one,
        "softmax_one'": [a * b for a, b in zip(one, one_rest, strict=True)],
    }
