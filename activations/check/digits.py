"""The largest errors of an activation's values and derivatives, in units in the last place.

The exact values come from activations/check/definitions. A class without a definition is compared
with its own ``forward``, evaluated in arbitrary precision. Without mpmath, float32 is compared with
the activation's own float64, except near roots, where the allowed error depends on terms that
cancel and that are unknown.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from activations.base import Array, Elementwise
from activations.check.accuracy import Exact, beside_roots, exact, points, ulp_errors

VALUE_ULP, DERIVATIVE_ULP = 4.0, 8.0
DTYPES = (np.float32, np.float64)


@dataclass(frozen=True)
class Worst:
    """The largest error of ``what`` (value or derivative) in a dtype, at x, and its bound.

    The bound is infinite if float32 is compared with the activation's own float64.
    """

    dtype: str
    what: str
    ulp: float
    x: float
    bound: float


@dataclass
class Measured:
    """The largest errors of an activation.

    Attributes:
        worst: one entry per dtype, for the value and for the derivative.
        note: what the values were compared with, if not with exact values.
        why_looser: the reason, if the definition allows more than 4 and 8 ULP.
    """

    worst: list[Worst] = field(default_factory=list)
    note: str = ""
    why_looser: str = ""


def measure(activation: Elementwise, count: int) -> Measured:
    """Return the largest errors among about ``count`` points per dtype over all floats."""
    if importlib.util.find_spec("mpmath") is None:
        return _against_float64(activation, count, "mpmath is not installed")
    entry = _reference(activation)
    special = entry.special if entry else activation.kinks or (0.0,)
    x = points(np.float64, count, special)
    if entry:
        x = x[np.abs(x) <= entry.reach]
        truths = [exact(entry.value_at, x), exact(entry.derivative_at, x)]
    else:
        from activations.check.high_precision import derivative_of, value_of

        try:
            truths = [
                exact(value_of(activation), x, jumps=True),
                exact(derivative_of(activation), x, jumps=True),
            ]
            smooth = ~np.isnan(truths[0].high) & ~np.isnan(truths[1].high)
            x = x[smooth]
            if not x.size:
                return Measured(note="not measured: f is NaN everywhere")
            truths = [beside_roots(x, truth[smooth]) for truth in truths]
        except Exception as error:  # a user's forward may call functions that take floats only
            reason = " ".join(str(error).split())[:60]
            return _against_float64(activation, count, f"its forward takes only floats ({reason})")
    bounds = (entry.value_ulp, entry.derivative_ulp) if entry else (VALUE_ULP, DERIVATIVE_ULP)
    if activation.surrogate_derivative and not entry:
        truths = truths[:1]
    worst = []
    for dtype in DTYPES:
        with np.errstate(over="ignore"):
            of_dtype = x == x.astype(dtype)
        here = x[of_dtype].astype(dtype)
        with np.errstate(all="ignore"):
            found = [activation(here), activation.gradient(here)]
        for what, got, truth, bound in zip(
            ("value", "derivative"), found, truths, bounds, strict=False
        ):
            errors = ulp_errors(got, truth[of_dtype])
            if not entry and what == "derivative":
                errors = np.where(_kink(activation, here, errors > bound), 0.0, errors)
            worst.append(_worst(dtype.__name__, what, here, errors, bound))
    return Measured(worst, why_looser=entry.definition.why if entry and entry.looser else "")


def _worst(dtype: str, what: str, x: Array, errors: Array, bound: float) -> Worst:
    at = int(errors.argmax())
    return Worst(dtype, what, float(errors[at]), float(x[at]), bound)


def _against_float64(activation: Elementwise, count: int, why: str) -> Measured:
    """Return the largest float32 errors, without points near roots; ``why`` begins the note."""
    x = points(np.float32, count)
    worst, left_out = [], 0
    with np.errstate(all="ignore"):
        for what, function in (("value", activation), ("derivative", activation.gradient)):
            wide = np.asarray(function(x.astype(np.float64)))
            finite = np.isfinite(wide)
            truth = Exact.of(wide[finite])
            known = beside_roots(x[finite], truth).scale == truth.scale
            left_out += int((~known).sum())
            if not known.any():
                continue
            here = x[finite][known]
            errors = ulp_errors(function(here), truth[known])
            worst.append(_worst("float32", what, here, errors, np.inf))
    note = f"{why}: float32 compared with float64"
    if left_out:
        note += f", without {left_out} points near roots"
    return Measured(worst, note)


def _reference(activation: Elementwise) -> Any:
    """Return the definition of this function with these parameters, None if there is none."""
    if not type(activation).__module__.startswith("activations."):
        return None
    from activations.check.definitions import REFERENCES

    entries = [entry for entry in REFERENCES if entry.name == activation.name]
    for entry in entries:
        if entry.activation.hyperparameters == activation.hyperparameters:
            return entry
    return None


def _kink(activation: Elementwise, x: Array, suspect: Array) -> Array:
    """Return which of the suspect points are kinks: the one-sided derivatives differ."""
    import mpmath

    from activations.check.high_precision import value_of

    value, kinks = value_of(activation), np.zeros(x.shape, bool)
    with mpmath.workprec(500):
        for index in np.flatnonzero(suspect):
            here = mpmath.mpf(float(x[index]))
            step = mpmath.mpf(2) ** -1200 if here == 0 else abs(here) * mpmath.mpf(2) ** -200
            right = (value(here + step) - value(here)) / step
            left = (value(here) - value(here - step)) / step
            kinks[index] = abs(right - left) > 1e-9 * max(abs(right), abs(left))
    return kinks
