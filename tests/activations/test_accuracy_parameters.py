"""The error bounds hold for all allowed values of all parameters, not only for the defaults."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import mpmath
import numpy as np
import pytest

import activations
from activations.base import Activation
from activations.check.accuracy import Exact, exact, ulp_errors
from activations.check.definitions import DEFINITIONS, Definition
from activations.check.definitions.elementary import sigmoid
from activations.check.definitions.rows import truth
from activations.functions.learnable import Learnable

pytestmark = pytest.mark.accuracy
DRAWS = 12
NOT_NUMBERS = {"per_unit", "learnable", "masked_rows", "channel_axis", "pieces"}


def near(place: float, scale: float, dtype: type) -> list[float]:
    """Return the floats next to a point, and points at growing distances from it."""
    here = dtype(place)
    below, above = np.nextafter(here, dtype(-np.inf)), np.nextafter(here, dtype(np.inf))
    apart = scale * np.array([1e-12, 1e-6, 1e-3, 0.1])
    return [here, below, above, *(place + apart), *(place - apart)]


def points(definition: Definition, function: Activation, dtype: type, rng: Any) -> Any:
    """Return points of all sizes, and more of them where the function bends."""
    parameters = {name: function.hyperparameters[name] for name in definition.ranges}
    info = np.finfo(dtype)
    low, high = np.log(float(info.smallest_subnormal)), np.log(float(info.max))
    parts = [
        np.array([0.0, float(info.max), float(info.tiny)]),
        np.exp(rng.uniform(low, high, 6)),
        np.exp(rng.uniform(np.log(1e-12), np.log(1e12), 6)),
    ]
    scales = [1.0, *definition.scales(**parameters)]
    for scale in scales:
        for span in (1e-3, 1, 4, 40, 750):
            parts.append(scale * span * rng.uniform(0.02, 1, 3))
    x = np.concatenate(parts)
    x = np.concatenate([x, -x])
    with np.errstate(over="ignore"):
        places = (*function.kinks, *definition.branches(**parameters))
        extra = [p for place in places for p in near(place, abs(place), dtype)]
        extra += [p for place in places for s in scales[1:] for p in near(place, s, dtype)]
        x = np.concatenate([x, np.array(extra)]).astype(dtype)
    x = np.unique(x[np.isfinite(x)])
    x = x[np.abs(x.astype(float)) <= definition.reach(**parameters)]
    numbers = {k: mpmath.mpf(v) for k, v in parameters.items()}
    return x[[not definition.skip(mpmath.mpf(v), **numbers) for v in x.tolist()]]


def check(
    what: str, formula: Any, parameters: dict[str, float], x: Any, found: Any, bound: float
) -> list[str]:
    """Return a line on the largest error if it exceeds the bound, else an empty text."""
    numbers = {k: mpmath.mpf(v) for k, v in parameters.items()}
    truth = exact(lambda point: formula(point, **numbers), x.astype(float))
    errors = ulp_errors(found, truth)
    worst = errors.argmax()
    if errors[worst] <= bound:
        return []
    return [
        f"{what}, {x.dtype}: {errors[worst]:.3g} ULP at x = {x[worst]!r}: {found[worst]!r}, "
        f"exactly {truth.rounded()[worst]!r}, with {parameters}"
    ]


def test_every_numerical_parameter_has_a_range() -> None:
    known = {(entry.name, key) for entry in DEFINITIONS for key in entry.ranges}
    for name in activations.names():
        cls = activations.get_class(name)
        if issubclass(cls, activations.Elementwise):
            for key in set(inspect.signature(cls).parameters) - NOT_NUMBERS:
                assert (name, key) in known or name == "formula", (name, key)


def test_parameters_out_of_range_are_refused_in_a_line() -> None:
    for entry in DEFINITIONS:
        for key, limits in entry.ranges.items():
            for value in (np.nextafter(limits.low, -np.inf), np.nextafter(limits.high, np.inf)):
                with pytest.raises(ValueError, match=f"^{key} must be a number [^\\n]*$"):
                    activations.get(entry.name, **{key: float(value)})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["l2_normalize", "standardize"])
def test_epsilon_of_any_size_gives_no_nan_and_no_warning(name: str, dtype: type) -> None:
    for epsilon in (5e-324, 1e-45, 1e-12, 1.0, 1e30):
        activation = activations.get(name, epsilon=epsilon)
        for size in (0, 1e-40, 1, 1e30):
            x = (size * np.array([[1.0, -2.0, 3.0]])).astype(dtype)
            with np.errstate(all="raise", under="ignore"):
                y = activation(x)
                slopes = activation.gradient(x), activation.backward(x, y, np.ones_like(y))
            assert np.isfinite(y).all()
            assert not np.isnan(slopes).any()


@pytest.mark.parametrize(
    "entry", [entry for entry in DEFINITIONS if entry.ranges], ids=lambda entry: entry.name
)
def test_digits_at_every_legal_parameter(entry: Definition) -> None:
    rng = np.random.default_rng(99)
    problems = []
    for count, parameters in enumerate(entry.draws(DRAWS)):
        dtype = np.float32 if count % 2 else np.float64
        if dtype is np.float32:
            parameters = {k: rounded(v, entry.ranges[k]) for k, v in parameters.items()}
            if not entry.legal(**parameters):
                continue
        function = activations.get(entry.name, **parameters, **entry.fixed)
        x = points(entry, function, dtype, rng)
        y, slope, learnt, warning = evaluate(function, x)
        if warning:
            problems.append(f"{warning}, {dtype.__name__}, {parameters}")
        for what, formula, found, bound in (
            ("value", entry.value, y, 4),
            ("slope", entry.slope, slope, 8),
            *((f"d/d{key}", formula, learnt[key], 8) for key, formula in entry.learned.items()),
        ):
            assert found.dtype == dtype, what
            problems += check(what, formula, parameters, x, found, bound)
    assert not problems, "\n".join([f"{entry.name}: {len(problems)}", *problems])


def evaluate(function: Learnable, x: Any) -> tuple[Any, Any, dict[str, Any], str]:
    """Return f(x), f'(x), df/dp at each x, and the first floating-point warning."""

    def gradients(y: Any) -> dict[str, Any]:
        if not all(hasattr(function, key) for key in function.params):
            # what is stored is not what was given (xielu), and only the latter is exact
            each = [function.parameter_gradients(x[k], y[k], np.ones_like(y[k])) for k in cuts]
            return {key: np.array([found[key] for found in each]) for key in function.params}
        other = copy.copy(function)
        # the gradient of a parameter of x's own shape is not summed
        other.params = {
            key: np.full(x.shape, value, x.dtype) for key, value in function.params.items()
        }
        return other.parameter_gradients(x, y, np.ones_like(x))

    cuts = [slice(k, k + 1) for k in range(x.size)]

    def all_of_them() -> tuple[Any, Any, dict[str, Any]]:
        y, slope = function.value_and_gradient(x)
        return y, slope, gradients(y)

    try:
        with np.errstate(all="raise", under="ignore"):
            return *all_of_them(), ""
    except FloatingPointError as problem:
        with np.errstate(all="ignore"):
            return *all_of_them(), str(problem)


def rounded(value: float, limits: Any) -> float:
    """Return the float32 nearest to ``value`` if it is within the limits."""
    with np.errstate(over="ignore", under="ignore"):
        near = np.float32(value)
        inner = np.nextafter(near, np.float32(0) if abs(value) > 1 else 2 * near)
    fitting = [float(v) for v in (near, inner) if np.isfinite(v) and (v or not value)]
    return next((v for v in fitting if limits.legal(v)), value)


def softmax_at(x: Any, tau: float) -> tuple[list[Any], list[Any]]:
    """Return softmax(x / tau) of a row in mpmath numbers, and its Jacobian's diagonal."""
    row = [mpmath.mpf(float(value)) / mpmath.mpf(tau) for value in x]
    e = [mpmath.exp(max(value - max(row), -5000)) for value in row]
    p = [value / mpmath.fsum(e) for value in e]
    rest = [mpmath.fsum(p[:i] + p[i + 1 :]) for i in range(len(p))]
    return p, [a * b / mpmath.mpf(tau) for a, b in zip(p, rest, strict=True)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tau", [1e-30, 1e-6, 0.3, 0.7, 1.0, 2.9, 1e5, 1e30])
def test_gumbel_softmax_keeps_its_digits_at_every_temperature(tau: float, dtype: type) -> None:
    """The bounds are 5 ULP for values, as for softmax, and 8 for derivatives."""
    rng = np.random.default_rng(8)
    activation = activations.get("gumbel_softmax", tau=tau)
    for offset, spread in ((0, 1), (0, 40), (1e5, 3), (0, 1e5), (-3e7, 200 * tau), (0, tau)):
        x = (offset + spread * rng.standard_normal(7)).astype(dtype)
        with np.errstate(all="raise", under="ignore"):
            y, slope = activation(x), activation.gradient(x)
        with mpmath.workprec(300):
            expected = [truth(values) for values in softmax_at(x, tau)]
        assert ulp_errors(y, expected[0]).max() <= 5, (offset, spread)
        assert ulp_errors(slope, expected[1]).max() <= 8, (offset, spread)


def switched(a: Any, alpha: Any) -> tuple[Any, tuple[Any, Any]]:
    """Return a sigmoid(alpha a), and the terms of its derivative."""
    u = alpha * a
    return a * sigmoid(u), (sigmoid(u), u * sigmoid(u) * sigmoid(-u))


@pytest.mark.parametrize("alpha", [0.0, -1e6, 1e6, -0.3, 1e-7, -1e-7, 1.702, 37.7])
@pytest.mark.parametrize("limit", [None, 1e-3, 7.0, 1e30])
def test_swiglu_keeps_its_digits_at_every_parameter(alpha: float, limit: float | None) -> None:
    rng = np.random.default_rng(8)
    parameters = {"alpha": alpha} if limit is None else {"alpha": alpha, "limit": limit}
    activation = activations.get("swiglu" if limit is None else "swiglu_clamped", **parameters)
    for size in (1e-3, 1, 30, 700, 1e9):
        # beyond, sigmoid is subnormal and has lost bits before the product is taken
        a = np.clip(size * rng.standard_normal(10), -680, 680) / (abs(alpha) if alpha else 1)
        b = size * rng.standard_normal(10)
        x = np.stack([a, b], axis=-1)
        if limit is not None:
            a, b = np.minimum(a, limit), np.clip(b, -limit, limit)
        y, slopes = activation(x)[:, 0], activation.gradient(x)
        ends = [np.ones(10, bool)] * 2 if limit is None else [a < limit, np.abs(b) < limit]
        for k in range(10):
            u, v = mpmath.mpf(a[k]), mpmath.mpf(b[k]) + (limit is not None)
            with mpmath.workprec(2000):
                value, terms = switched(u, mpmath.mpf(alpha))
                found = np.array([y[k], *slopes[k]])
                slope = tuple(v * term * bool(ends[0][k]) for term in terms)
                expected = exact_of([value * v, slope, value * bool(ends[1][k])])
            assert (ulp_errors(found, expected) <= [5, 8, 8]).all(), (a[k], b[k], found)


def exact_of(values: list[Any]) -> Exact:
    """Return numbers, or tuples of terms, in the form that ``ulp_errors`` needs."""
    return exact(lambda k: values[int(k)], np.arange(float(len(values))))
