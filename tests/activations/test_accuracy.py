"""Every elementwise activation meets its error bounds over the whole range of floats.

Values are within 4 ULP, derivatives within 8, of the definition evaluated in arbitrary precision
(activations/check/accuracy.py), unless the definition has looser bounds with a reason. The tests
run on every NumPy dispatch path of this CPU and allow no floating-point warning.
"""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

import activations
from activations.check.accuracy import Exact, exact, points, ulp_errors
from activations.check.definitions import REFERENCES, Reference
from tests.activations.dispatch import PATHS, call_on, evaluate, suspects

pytestmark = pytest.mark.accuracy
every_reference = pytest.mark.parametrize("entry", REFERENCES, ids=lambda entry: entry.label)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def test_every_elementwise_activation_has_a_reference() -> None:
    known = {entry.name for entry in REFERENCES}
    elementwise = {
        name
        for name in activations.names()
        if issubclass(activations.get_class(name), activations.Elementwise)
    }
    assert elementwise - known == set()


@every_reference
def test_reference_derivative_is_that_of_its_value(entry: Reference) -> None:
    with mpmath.workprec(200):
        for x in (-7.3, -2.6, -1.7, -0.83, -0.21, 0.17, 0.56, 1.3, 2.3, 5.9):
            difference = mpmath.diff(lambda t: total(entry.value_at(t)), mpmath.mpf(x))
            slope = total(entry.derivative_at(mpmath.mpf(x)))
            assert abs(slope - difference) < 1e-20 * (1 + abs(difference)), x


def total(terms: Any) -> Any:
    return mpmath.fsum(terms) if isinstance(terms, tuple) else terms


WITHOUT_SIGN_CHANGE = ("snake", "relu_sin", "pau")  # double roots, and a value near 0 for x < 0


def terms_cancel_beside_roots_only(x: np.ndarray, truth: Exact) -> bool:
    """Return whether the terms of a definition cancel only near roots of the function.

    Otherwise the terms would hide lost digits. Beyond 2^53 a sine has a root near every float.
    """
    sign = np.sign(truth.high)
    roots = x[np.flatnonzero(sign[1:] * sign[:-1] <= 0)]
    lost = x[(truth.scale - truth.exponent > 3) & (truth.high != 0) & (np.abs(x) < 2**53)]
    near = np.abs(lost[:, None] - roots) <= np.abs(lost[:, None]) / 2
    return bool(near.any(axis=1).all())


@every_reference
def test_digits(entry: Reference, request: pytest.FixtureRequest) -> None:
    count = request.config.getoption("--accuracy-points")
    special = entry.special
    chosen = [points(np.float64, count, special), points(np.float32, count // 4, special)]
    chosen[0] = np.union1d(chosen[0], entry.definition.hard)
    for path in PATHS:
        found = call_on(path, suspects, entry.name, entry.parameters, entry.reach, special, count)
        chosen = [np.union1d(*pair) for pair in zip(chosen, found, strict=True)]
    problems = []
    for x in chosen:
        judged = np.abs(x.astype(np.float64)) <= entry.reach
        values = exact(entry.value_at, x[judged])
        derivatives = exact(entry.derivative_at, x[judged])
        if entry.name not in WITHOUT_SIGN_CHANGE:
            assert terms_cancel_beside_roots_only(x[judged].astype(float), values)
            assert terms_cancel_beside_roots_only(x[judged].astype(float), derivatives)
        for path in PATHS:
            y, slope, warning = call_on(path, evaluate, entry.name, entry.parameters, x)
            where = f"{x.dtype}, {path}"
            if warning:
                problems.append(f"{where}: {warning}")
            if not x.dtype == y.dtype == slope.dtype:
                problems.append(f"{where}: dtypes {y.dtype}, {slope.dtype}")
            if np.isnan(y).any() or np.isnan(slope).any():
                problems.append(f"{where}: NaN at {x[np.isnan(y) | np.isnan(slope)][:3]}")
            for what, found, truth, bound in (
                ("value", y[judged], values, entry.value_ulp),
                ("derivative", slope[judged], derivatives, entry.derivative_ulp),
            ):
                errors = ulp_errors(found, truth)
                worst = errors.argmax()
                if errors[worst] > bound:
                    problems.append(
                        f"{where}: {what} is {errors[worst]:.2f} ULP off at "
                        f"x = {x[judged][worst]!r}: {found[worst]!r}, exactly "
                        f"{truth.rounded()[worst]!r} "
                        f"({(errors > bound).sum()} of {errors.size} points)"
                    )
    assert not problems, "\n".join([entry.label, *problems])


@pytest.mark.parametrize("name", ["gelu", "normal_cdf", "erf"])
def test_what_comes_from_tables_is_the_same_on_every_cpu(name: str) -> None:
    x = points(np.float32, 20_000)
    first, *others = (call_on(path, evaluate, name, {}, x)[:2] for path in PATHS)
    for other in others:
        assert np.array_equal(first, other)


def test_a_difference_counts_in_ulp_of_its_largest_term() -> None:
    """For 1 - x as a sum the unit is the ULP of 1, for the product (1 - x) 1 its own ULP."""
    x = np.array([1 - 2.0**-30])
    computed = np.array([2.0**-30 + 2.0**-51])
    assert ulp_errors(computed, exact(lambda t: (1, -t), x)) == [2]
    assert ulp_errors(computed, exact(lambda t: (1 - t) * 1, x)) == [2.0**31]
    assert ulp_errors(computed, exact(lambda t: (3, -2, -t), x)) == [1]


def test_looser_bounds_are_argued() -> None:
    for entry in REFERENCES:
        assert entry.definition.why or not entry.looser, entry.label


@every_reference
@both_dtypes
def test_limits(entry: Reference, dtype: type) -> None:
    activation = entry.activation
    ends = np.array([-np.inf, np.inf], dtype)
    with np.errstate(all="raise", under="ignore"):
        found = [*activation(ends), *activation.gradient(ends)]
    for got, right in zip(found, entry.limits, strict=True):
        if right is not None:
            np.testing.assert_array_max_ulp(got, dtype(float(right)), maxulp=2)


@every_reference
@both_dtypes
def test_nan_goes_through_every_lane(entry: Reference, dtype: type) -> None:
    activation = entry.activation
    for size in (*range(1, 19), *range(31, 36), *range(63, 68)):  # around each width of a register
        x = np.linspace(-3, 3, size).astype(dtype)
        lanes = np.broadcast_to(x, (size, size)).copy()
        np.fill_diagonal(lanes, np.nan)
        for part in lanes:  # one lane at a time: each array ends in a scalar tail of its own
            lost = np.isnan(part)
            with np.errstate(all="raise", under="ignore"):
                assert (np.isnan(activation(part)) == lost).all()
                assert (np.isnan(activation.gradient(part)) == lost).all()
