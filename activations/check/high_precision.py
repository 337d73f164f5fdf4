"""A formula written for NumPy, evaluated in arbitrary precision.

``Numbers`` is an array of mpmath numbers that supports NumPy's functions. So a user's ``forward``
can be evaluated with hundreds of digits and compared with its float64 result. This measures the
rounding errors of the formula; it cannot tell whether the formula is the intended one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

from activations.base import Array, Elementwise

_FAR = 200_000  # e^that is far beyond every float


def _bounded(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the function with a linear continuation beyond +-_FAR.

    There its values would have millions of digits, and all of them are beyond every float.
    """

    def bounded(v: Any) -> Any:
        nearest = min(max(v, mpmath.mpf(-_FAR)), mpmath.mpf(_FAR))
        found = function(nearest)
        return found * (1 + abs(v - nearest)) if abs(found) > 1 else found

    return bounded


_exp = _bounded(mpmath.exp)
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "negative": lambda v: -v,
    "positive": lambda v: v,
    "absolute": abs,
    "fabs": abs,
    "square": lambda v: v * v,
    "reciprocal": lambda v: 1 / v,
    "sign": mpmath.sign,
    "exp": _exp,
    "expm1": _bounded(mpmath.expm1),
    "exp2": _bounded(lambda v: mpmath.mpf(2) ** v),
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "log2": lambda v: mpmath.log(v, 2),
    "log10": mpmath.log10,
    "sqrt": mpmath.sqrt,
    "cbrt": mpmath.cbrt,
    "tanh": mpmath.tanh,
    "sinh": _bounded(mpmath.sinh),
    "cosh": _bounded(mpmath.cosh),
    "arctan": mpmath.atan,
    "arcsinh": mpmath.asinh,
    "arctanh": mpmath.atanh,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "floor": mpmath.floor,
    "ceil": mpmath.ceil,
    "rint": mpmath.nint,
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "maximum": max,
    "minimum": min,
    "fmax": max,
    "fmin": min,
    "hypot": mpmath.hypot,
    "arctan2": mpmath.atan2,
    "copysign": lambda a, b: abs(a) if b >= 0 else -abs(a),
    "heaviside": lambda a, b: b if a == 0 else mpmath.mpf(a > 0),
    "logaddexp": lambda a, b: max(a, b) + mpmath.log1p(_exp(-abs(a - b))),
    "clip": lambda v, low, high: min(max(v, low), high),
}
_QUESTIONS: dict[str, Callable[..., bool]] = {
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    "signbit": lambda v: v < 0,
    "isnan": lambda v: bool(mpmath.isnan(v)),
    "isinf": lambda v: bool(mpmath.isinf(v)),
    "isfinite": lambda v: bool(mpmath.isfinite(v)),
}


def _number(value: Any) -> Any:
    return value if isinstance(value, mpmath.mpf) else mpmath.mpf(float(value))


_as_numbers = np.frompyfunc(_number, 1, 1)


class Numbers(np.ndarray):
    """An object array of mpmath numbers; unsupported NumPy functions raise TypeError."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        plain = [np.asarray(_as_numbers(np.asarray(value)), object) for value in inputs]
        if method == "__call__" and not keywords:
            if ufunc.__name__ in _QUESTIONS:
                question = np.frompyfunc(_QUESTIONS[ufunc.__name__], len(plain), 1)
                return np.asarray(question(*plain)).astype(bool)
            if ufunc.__name__ in _FUNCTIONS:
                function = np.frompyfunc(_FUNCTIONS[ufunc.__name__], len(plain), 1)
                return numbers(function(*plain))
        raise TypeError(f"np.{ufunc.__name__} is not supported in arbitrary precision")

    def __array_function__(self, function: Any, types: Any, inputs: Any, keywords: Any) -> Any:
        result = super().__array_function__(function, types, inputs, keywords)
        if isinstance(result, np.ndarray) and result.dtype == object:
            return numbers(result)
        return result

    def astype(self, *arguments: Any, **keywords: Any) -> Any:
        raise TypeError("astype would lose digits")


def numbers(values: Any) -> Numbers:
    """Return an array of mpmath numbers."""
    return np.asarray(_as_numbers(np.asarray(values, object)), object).view(Numbers)


def value_of(activation: Elementwise) -> Callable[[Any], Any]:
    """Return x -> f(x) in mpmath numbers, computed by the activation's own ``forward``."""

    def value(x: Any) -> Any:
        result: Array = np.asarray(activation.forward(numbers([x])))
        return _number(result.ravel()[0])

    return value


def derivative_of(activation: Elementwise) -> Callable[[Any], Any]:
    """Return x -> f'(x), a central difference with three times the precision."""
    value = value_of(activation)

    def derivative(x: Any) -> Any:
        bits = mpmath.mp.prec
        with mpmath.workprec(3 * bits):
            size = min(max(abs(x), mpmath.mpf(2) ** -1100), 1)
            step = mpmath.ldexp(size, -bits)
            return (value(x + step) - value(x - step)) / (2 * step)

    return derivative
