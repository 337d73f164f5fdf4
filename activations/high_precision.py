"""A formula written for NumPy, evaluated in as many digits as wanted.

NumPy hands an array of objects to their methods: np.exp(a) calls exp() on each. ``Number``
has those methods and computes with mpmath, so that a user's ``forward`` can be run to hundreds
of digits and compared with itself in float64. What that shows is the rounding of the formula,
not whether it is the formula that was meant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

from activations.base import Elementwise

_METHODS = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "exp2": lambda v: mpmath.mpf(2) ** v,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "log2": lambda v: mpmath.log(v, 2),
    "log10": mpmath.log10,
    "sqrt": mpmath.sqrt,
    "cbrt": mpmath.cbrt,
    "square": lambda v: v * v,
    "tanh": mpmath.tanh,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "arctan": mpmath.atan,
    "arcsinh": mpmath.asinh,
    "arctanh": mpmath.atanh,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "floor": mpmath.floor,
    "ceil": mpmath.ceil,
    "rint": mpmath.nint,
    "fabs": abs,
}
_SATURATED = 200_000  # e^that is far beyond every float


class Number:
    """A number of arbitrary precision that NumPy's functions accept inside object arrays.

    It does not turn into a float: a formula that needs one cannot be checked this way.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = mpmath.mpf(value)

    def hypot(self, other: Any) -> Number:
        return Number(mpmath.hypot(self.value, _plain(other)))

    def __neg__(self) -> Number:
        return Number(-self.value)

    def __pos__(self) -> Number:
        return self

    def __abs__(self) -> Number:
        return Number(abs(self.value))

    def __bool__(self) -> bool:
        return self.value != 0

    def __hash__(self) -> int:
        return hash(self.value)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Number) else mpmath.mpf(float(value))


def _method(function: Callable[[Any], Any], bounded: bool) -> Callable[[Number], Number]:
    def method(self: Number) -> Number:
        value = self.value
        if bounded:
            value = min(max(value, mpmath.mpf(-_SATURATED)), mpmath.mpf(_SATURATED))
        return Number(function(value))

    return method


def _operator(name: str) -> Callable[[Number, Any], Any]:
    def operator(self: Number, other: Any) -> Any:
        result = getattr(self.value, name)(_plain(other))
        return result if isinstance(result, bool) else Number(result)

    return operator


for _name, _function in _METHODS.items():
    setattr(Number, _name, _method(_function, _name in {"exp", "expm1", "exp2", "sinh", "cosh"}))
for _name in ("add", "sub", "mul", "truediv", "pow"):
    for _side in ("", "r"):
        setattr(Number, f"__{_side}{_name}__", _operator(f"__{_side}{_name}__"))
for _name in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__"):
    setattr(Number, _name, _operator(_name))


def value_of(activation: Elementwise) -> Callable[[Any], Any]:
    """Return x -> f(x) in mpmath numbers, by the activation's own ``forward``."""

    def value(x: Any) -> Any:
        result = np.asarray(activation.forward(np.array([Number(x)], object))).ravel()[0]
        if not isinstance(result, Number):
            return mpmath.mpf(float(result))
        return result.value

    return value


def derivative_of(activation: Elementwise) -> Callable[[Any], Any]:
    """Return x -> f'(x): a central difference whose step is a third of the digits."""
    value = value_of(activation)

    def derivative(x: Any) -> Any:
        bits = mpmath.mp.prec
        with mpmath.workprec(2 * bits):
            step = mpmath.ldexp(min(max(abs(x), mpmath.mpf(2) ** -bits), 1), -bits // 2)
            return (value(x + step) - value(x - step)) / (2 * step)

    return derivative
