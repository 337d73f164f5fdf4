"""Every elementwise activation holds its digits over the whole range of floats.

Values within 4 ULP and derivatives within 8 of the definition evaluated in arbitrary
precision, unless the entry in tests/accuracy argues why not; on every dispatch path of NumPy
that this CPU has; without a floating-point warning.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import activations
from activations.accuracy import exact, points, unexcused_errors
from tests.accuracy import REFERENCES, Reference
from tests.accuracy.dispatch import PATHS, evaluate_on

pytestmark = pytest.mark.accuracy
every_reference = pytest.mark.parametrize("entry", REFERENCES, ids=lambda entry: entry.label)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def test_every_elementwise_activation_has_a_reference() -> None:
    known = {entry.name for entry in REFERENCES}
    elementwise = {
        name
        for name in activations.names()
        if issubclass(activations.get_class(name), activations.Elementwise)
        and activations.get_class(name).__module__.startswith("activations.")
    }
    assert elementwise - known == set()


@every_reference
def test_reference_derivative_is_that_of_its_value(entry: Reference) -> None:
    with mpmath.workprec(200):
        for x in (-7.3, -2.6, -1.7, -0.83, -0.21, 0.17, 0.56, 1.3, 2.3, 5.9):
            difference = mpmath.diff(entry.value_at, mpmath.mpf(x))
            assert abs(entry.derivative_at(mpmath.mpf(x)) - difference) < 1e-20 * (
                1 + abs(difference)
            ), x


@every_reference
def test_digits(entry: Reference, request: pytest.FixtureRequest) -> None:
    count = request.config.getoption("--accuracy-points")
    special = (*entry.kinks, *entry.branches, *entry.roots, *entry.value_roots)
    x = points(np.float64, count, special)
    judged = np.abs(x) <= entry.reach
    values, derivatives = exact(entry.value_at, x[judged]), exact(entry.derivative_at, x[judged])
    x32 = points(np.float32, count, special)
    in_x32 = np.isin(x[judged], x32)
    problems = []
    for dtype, here, at in (
        (np.float64, x, slice(None)),
        (np.float32, x32, in_x32),
    ):
        kept = np.abs(here.astype(np.float64)) <= entry.reach
        for path in PATHS:
            y, slope, warning = evaluate_on(path, entry.name, entry.parameters, here)
            where = f"{dtype.__name__}, {path}"
            if warning:
                problems.append(f"{where}: {warning}")
            if y.dtype != dtype or slope.dtype != dtype:
                problems.append(f"{where}: dtypes {y.dtype}, {slope.dtype}")
            if np.isnan(y).any() or np.isnan(slope).any():
                problems.append(f"{where}: NaN at {here[np.isnan(y) | np.isnan(slope)][:3]}")
            for what, found, truth, bound, roots, amplitude in (
                ("value", y, values, entry.value_ulp, entry.value_roots, 0),
                ("derivative", slope, derivatives, entry.derivative_ulp, entry.roots, 1),
            ):
                errors = unexcused_errors(
                    here[kept],
                    found[kept],
                    truth[at],
                    roots,
                    entry.root_width,
                    entry.amplitude[amplitude],
                )
                worst = errors.argmax()
                if errors[worst] > bound:
                    problems.append(
                        f"{where}: {what} is {errors[worst]:.2f} ULP off at "
                        f"x = {here[kept][worst]!r}: {found[kept][worst]!r}, exactly "
                        f"{truth[at].rounded()[worst]!r} "
                        f"({(errors > bound).sum()} of {errors.size} points)"
                    )
    assert not problems, "\n".join([entry.label, *problems])


def test_looser_bounds_are_argued() -> None:
    for entry in REFERENCES:
        plain = entry.value_ulp <= 4 and entry.derivative_ulp <= 8 and entry.reach == np.inf
        oscillates = any(amplitude(1.0) for amplitude in entry.amplitude)
        assert (plain and not oscillates) or entry.why, entry.label


@every_reference
@both_dtypes
def test_limits(entry: Reference, dtype: type) -> None:
    activation = activations.get(entry.name, **entry.parameters)
    ends = np.array([-np.inf, np.inf], dtype)
    with np.errstate(all="ignore"):
        found = [*activation(ends), *activation.gradient(ends)]
    for got, right in zip(found, entry.limits, strict=True):
        if right is not None:
            np.testing.assert_array_max_ulp(got, dtype(float(right)), maxulp=2)


@every_reference
@both_dtypes
def test_kinks(entry: Reference, dtype: type) -> None:
    activation = activations.get(entry.name, **entry.parameters)
    for x, slope in entry.kinks.items():
        assert activation.gradient(dtype(x)) == dtype(slope)


@every_reference
@both_dtypes
def test_nan_goes_through_every_lane(entry: Reference, dtype: type) -> None:
    activation = activations.get(entry.name, **entry.parameters)
    for size in (*range(1, 19), *range(31, 36), *range(63, 68)):  # around each width of a register
        x = np.linspace(-3, 3, size).astype(dtype)
        lanes = np.broadcast_to(x, (size, size)).copy()
        np.fill_diagonal(lanes, np.nan)
        for part in lanes:  # one lane at a time: each array ends in a scalar tail of its own
            lost = np.isnan(part)
            with np.errstate(all="raise", under="ignore"):
                assert (np.isnan(activation(part)) == lost).all()
                assert (np.isnan(activation.gradient(part)) == lost).all()
