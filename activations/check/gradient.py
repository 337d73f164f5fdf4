"""Check of gradients against extrapolated central differences, in float64.

Differences with steps h, h/2, h/4 are extrapolated (Richardson 1911; Ridders 1982). The difference
of the last two extrapolations estimates the error. It is large near a kink, so the check needs no
list of kinks.
"""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
from collections.abc import Callable

import numpy as np

from activations.base import Activation, Array, Elementwise
from activations.functions.learnable import Learnable

TOLERANCE = 1e-6  # relative to max(1, |derivative|); the differences have an error of about 1e-10
STEP = 2.0**-8
POINTS = 96
REACH = 6.0
_ARGUMENTS = {
    "forward": ("x",),
    "derivative": ("x", "y"),
    "slopes": ("x", "y"),
    "backward": ("x", "y", "grad"),
    "parameter_gradients": ("x", "y", "grad"),
}
"""The methods that a class may define, and their arguments after ``self``."""


def differences(function: Callable[[float], Array]) -> tuple[Array, Array]:
    """Return d function(t) / dt at t = 0, and an estimate of its error."""
    first = []
    for step in (STEP, STEP / 2, STEP / 4):
        with np.errstate(all="ignore"):
            first.append((function(step) - function(-step)) / (2 * step))
    with np.errstate(all="ignore"):
        second = [b + (b - a) / 3 for a, b in itertools.pairwise(first)]
        best = second[1] + (second[1] - second[0]) / 15
        return best, np.abs(best - second[1]) + np.abs(second[1] - second[0])


def check_gradient(activation: Activation) -> None:
    """Compare the gradients of ``activation`` with differences of its values.

    Elementwise functions are compared point by point. For all functions, random projections of
    ``backward`` and of ``parameter_gradients`` are compared. A function whose derivative is a
    surrogate is not compared. A function must not write to its arguments, and its result must not
    depend on earlier calls.

    Raises ValueError with a one-line message: what is wrong, and at which x.
    """
    _refuse_arguments(activation)
    rng = np.random.default_rng(1)
    activation = copy.deepcopy(activation)
    activation.generators = None
    units = 12
    inputs = round(units * activation.inputs_per_output)
    initial = dict(activation.params)
    for dtype in (np.float32, np.float64):
        for name, value in initial.items():
            shape = (1, 1, inputs if activation.parameters_per_unit else 1)
            activation.params[name] = _read_only(np.full(shape, float(value), dtype))
        with np.errstate(all="ignore"):
            x = rng.uniform(-REACH, REACH, (2, 3, inputs)).astype(dtype)
            y = activation.forward(x)
            _refuse_shape("forward", y, (2, 3, units), x)
            _refuse_missing(activation, x, y)
            _compare_calls(activation, x, 2 * x[:, ::-1])
    if activation.surrogate_derivative:
        return
    if isinstance(activation, Elementwise):
        points = copy.copy(activation)
        points.params = initial
        _compare_points(points, np.sort(rng.uniform(-REACH, REACH, POINTS)))
    for _ in range(4):
        _compare_products(activation, 2 * rng.standard_normal((1, 3, inputs)), rng)


def _refuse_arguments(activation: Activation) -> None:
    for method, arguments in _ARGUMENTS.items():
        signature = inspect.signature(getattr(activation, method, lambda *_: None))
        try:
            signature.bind(*arguments)
        except TypeError:
            right = f"{method}(self, {', '.join(arguments)})"
            got = ", ".join(["self", *signature.parameters])
            raise ValueError(f"write {right}, not {method}({got})") from None


def _refuse_missing(activation: Activation, x: Array, y: Array) -> None:
    """Raise ValueError if a learnable parameter has no gradient; name the method to write."""
    method = "slopes" if isinstance(activation, Elementwise) else "parameter_gradients"
    if isinstance(activation, Learnable) and type(activation).slopes is not Learnable.slopes:
        found = activation.slopes(x, y)
    elif not isinstance(activation, Learnable):
        found = activation.parameter_gradients(x, y, np.ones_like(y))
    else:
        found = {}
    missing = [name for name in activation.params if name not in found]
    if not missing:
        return
    base = "derive from Learnable and " if method not in dir(activation) else ""
    what = "df" if method == "slopes" else "dL"
    arguments = ", ".join(("self", *_ARGUMENTS[method]))
    entries = ", ".join(f"'{name}': {what}/d{name}" for name in activation.params)
    raise ValueError(
        f"{missing[0]} is learned: {base}write {method}({arguments}), which returns "
        f"{{{entries}}}; activations/README.md explains it"
    )


def _compare_calls(activation: Activation, x: Array, other: Array) -> None:
    """Raise ValueError if a result for x changes after a call with other numbers."""
    x, other = _read_only(x), _read_only(other)

    def calls() -> dict[str, Array]:
        found = {"backward": activation.backward(x, y, grad)}
        found |= activation.parameter_gradients(x, y, grad)
        if isinstance(activation, Elementwise):
            found["derivative"] = activation.derivative(x, y)
        return found

    value = activation.forward(x)
    y, grad = _read_only(value), _read_only(np.cos(value))
    results = calls()
    _refuse_shape("backward", results["backward"], x.shape, x)
    first = {name: np.array(result) for name, result in results.items()}
    activation.backward(other, activation.forward(other), grad)
    later = {"forward": np.array(value)}  # differs from y if forward reuses one buffer
    later |= calls()
    later["a second forward"] = activation.forward(x)
    for name, found in later.items():
        expected = first.get(name, y)
        if not np.array_equal(expected, found, equal_nan=True):
            raise ValueError(
                f"{name} is not the same for the same x after a call with another x; "
                "keep no state between calls, and draw random numbers only from self.generators"
            )


def _refuse_shape(method: str, result: Array, shape: tuple[int, ...], x: Array) -> None:
    got = (
        f"shape {result.shape}" if isinstance(result, np.ndarray) else f"a {type(result).__name__}"
    )
    if got != f"shape {shape}":
        raise ValueError(
            f"{method} returns {got} for an input of shape {x.shape}; "
            f"it must return an array of shape {shape}"
        )


def _read_only(array: Array) -> Array:
    array = np.array(array)
    array.setflags(write=False)
    return array


def _compare_points(activation: Elementwise, x: Array) -> None:
    with np.errstate(all="ignore"):
        claimed = np.asarray(activation.gradient(x))
    if claimed.shape != x.shape:
        raise ValueError(f"gradient has shape {claimed.shape} for an input of shape {x.shape}")
    found, error = differences(lambda t: np.asarray(activation(x + t)))
    _refuse(x, claimed, found, error, "derivative", "x")


def _compare_products(activation: Activation, x: Array, rng: np.random.Generator) -> None:
    """Compare ``backward`` with the change of sum(weights * f) in one direction.

    Learnable parameters are compared in the same way.
    """
    with np.errstate(all="ignore"):
        y = np.asarray(activation.forward(x))
    weights = rng.standard_normal(y.shape)
    direction = rng.standard_normal(x.shape)
    with np.errstate(all="ignore"):
        product = np.asarray(activation.backward(x, y, weights))
        claimed_parameters = activation.parameter_gradients(x, y, weights)
    if product.shape != x.shape:
        raise ValueError(f"backward returns shape {product.shape} for an input of shape {x.shape}")
    claimed = (product * direction).sum(-1)

    def moved(t: float) -> Array:
        return (weights * activation.forward(x + t * direction)).sum(-1)

    rows = np.array([np.array2string(row, precision=3, max_line_width=9999) for row in x[0]], "O")
    found, error = differences(moved)
    _refuse(rows, claimed[0], found[0], error[0], "backward", "x")
    for name, value in activation.params.items():
        if np.shape(claimed_parameters[name]) != np.shape(value):
            raise ValueError(
                f"parameter_gradients returns shape {np.shape(claimed_parameters[name])} for "
                f"{name}, which has shape {np.shape(value)}"
            )
        along = rng.standard_normal(np.shape(value))

        moved_parameter = functools.partial(_weighted, activation, x, weights, name, value, along)
        claimed = np.sum(claimed_parameters[name] * along, keepdims=True).ravel()
        found, error = differences(moved_parameter)
        if isinstance(activation, Learnable) and claimed.any() and not found.any():
            raise ValueError(
                f"forward does not use the learned {name}: write self.current({name!r}); "
                f"self.{name} is its initial value"
            )
        _refuse(np.unique(value), claimed, found, error, f"gradient of {name}", name)


def _weighted(
    activation: Activation,
    x: Array,
    weights: Array,
    name: str,
    value: Array,
    along: Array,
    t: float,
) -> Array:
    """Return the weighted sum of all outputs, with a parameter moved by t along a direction."""
    activation.params[name] = value + t * along
    try:
        return np.sum(weights * activation.forward(x), keepdims=True).ravel()
    finally:
        activation.params[name] = value


def _refuse(x: Array, claimed: Array, found: Array, error: Array, what: str, at: str) -> None:
    """Raise ValueError if the claimed derivative is wrong, with the place of the largest error."""
    with np.errstate(all="ignore"):
        scale = TOLERANCE * np.maximum(1, np.abs(found))
        off = ~(np.abs(claimed - found) <= scale + 10 * error) & np.isfinite(found)
        worst = np.argmax(np.where(off, np.nan_to_num(np.abs(claimed - found), nan=np.inf), -1))
    if off.any():
        place = x[worst] if isinstance(x[worst], str) else f"{x[worst]:.6g}"
        raise ValueError(
            f"{what} disagrees with forward at {at} = {place}: it gives {claimed[worst]:.6g}, "
            f"finite differences of forward give {found[worst]:.6g}"
        )


def difference_error(activation: Elementwise) -> float:
    """Return the largest |gradient - difference| / max(1, |gradient|) away from kinks."""
    x = np.sort(np.random.default_rng(1).uniform(-REACH, REACH, POINTS))
    with np.errstate(all="ignore"):
        claimed = np.asarray(activation.gradient(x))
    found, error = differences(lambda t: np.asarray(activation(x + t)))
    sure = np.isfinite(found) & (error < TOLERANCE)
    off = np.abs(claimed - found) / np.maximum(1, np.abs(claimed))
    return float(off[sure].max(initial=0.0))
