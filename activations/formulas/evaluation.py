"""The functions that a formula may use, and how a formula is evaluated.

Every activation of one number that the library knows is a function here, under its own name
and with its defaults; name' is its derivative, written by hand. The rest is NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from activations.base import Array, Elementwise, get_class, names
from activations.formulas.expression import Expression
from activations.functions import special

CONSTANTS = {"pi": float(np.pi), "e": float(np.e)}
ALIASES = {
    "ln": "log",
    "max": "maximum",
    "min": "minimum",
    "atan": "arctan",
    "arcsinh": "asinh",
}


def _erfc(x: Array) -> Array:
    tail = special.erfc_positive(np.abs(x))
    return np.where(x < 0, 2 - tail, tail)


def _xlogy(x: Array, y: Array) -> Array:
    """Return x ln(y), and 0 where x = 0."""
    return np.where(x == 0, 0.0, x * np.log(np.where(x == 0, 1.0, y)))


FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "exp": (1, np.exp),
    "expm1": (1, np.expm1),
    "log": (1, np.log),
    "log1p": (1, np.log1p),
    "sqrt": (1, np.sqrt),
    "cos": (1, np.cos),
    "tan": (1, np.tan),
    "sinh": (1, np.sinh),
    "cosh": (1, np.cosh),
    "sign": (1, np.sign),
    "erfc": (1, _erfc),
    "maximum": (2, np.maximum),
    "minimum": (2, np.minimum),
    "xlogy": (2, _xlogy),
}
"""NumPy's, and special functions: number of arguments, and what computes them."""

_OPERATORS: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "negative": np.negative,
    "where": np.where,
    "and": np.logical_and,
    "or": np.logical_or,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def member(name: str) -> Elementwise | None:
    """Return the activation of one number of that name, or None if it cannot be in a formula.

    A formula cannot be part of itself, nor may a function whose derivative is a stand-in.
    """
    if name not in names():
        return None
    cls = get_class(name)
    if not issubclass(cls, Elementwise) or cls.surrogate_derivative or name == "formula":
        return None
    try:
        return cls()
    except TypeError:  # a user's own class may have arguments without defaults
        return None


def function_names() -> list[str]:
    """Return the names of all functions that a formula may use."""
    members = [name for name in names() if member(name) is not None]
    return sorted({*members, *FUNCTIONS, *ALIASES, "where"})


def argument_count(name: str) -> int | None:
    """Return how many arguments a function takes, None if there is no such function."""
    if name in FUNCTIONS:
        return FUNCTIONS[name][0]
    if name == "where":
        return 3
    return None if member(name.removesuffix("'")) is None else 1


class Program:
    """An expression as a list of steps: equal parts are computed once, constants beforehand.

    ``program(symbols)`` evaluates it, in float64, with a value for x and every parameter.
    """

    def __init__(self, expression: Expression) -> None:
        self._start: list[Any] = []
        self._symbols: list[tuple[int, str]] = []
        self._steps: list[tuple[int, Callable[..., Any], tuple[int, ...]]] = []
        places: dict[Expression, int] = {}
        constant: set[int] = set()
        for place, node in enumerate(expression.nodes()):
            places[node] = place
            self._start.append(None)
            if node.kind == "number":
                self._start[place] = np.float64(node.number)
                constant.add(place)
            elif node.kind == "symbol" and node.value in CONSTANTS:
                self._start[place] = np.float64(CONSTANTS[str(node.value)])
                constant.add(place)
            elif node.kind == "symbol":
                self._symbols.append((place, str(node.value)))
            else:
                step = (place, _function(node), tuple(places[o] for o in node.operands))
                if constant.issuperset(step[2]):
                    self._run(self._start, [step])
                    constant.add(place)
                else:
                    self._steps.append(step)

    def __deepcopy__(self, memo: dict[int, Any]) -> Program:
        return self

    def __call__(self, symbols: Mapping[str, Any]) -> Any:
        """Return the value; overflow and what is not defined become inf and NaN silently."""
        values = list(self._start)
        for place, name in self._symbols:
            values[place] = symbols[name]
        self._run(values, self._steps)
        return values[-1]

    @staticmethod
    def _run(values: list[Any], steps: list[Any]) -> None:
        with np.errstate(all="ignore"):
            for place, function, operands in steps:
                values[place] = function(*(values[index] for index in operands))


def _function(node: Expression) -> Callable[..., Any]:
    if node.kind == "^":
        return _power(node.operands[1])
    if node.kind in ("call", "compare"):
        name = str(node.value)
        if name in _OPERATORS:
            return _OPERATORS[name]
        if name in FUNCTIONS:
            return FUNCTIONS[name][1]
        known = member(name.removesuffix("'"))
        assert known is not None, name
        return known.gradient if name.endswith("'") else known
    return _OPERATORS[node.kind]


def _power(exponent: Expression) -> Callable[..., Any]:
    """Return the power; squares and cubes as products, which are faster and exact in sign."""
    if exponent.is_number(2):
        return lambda base, _: base * base
    if exponent.is_number(3):
        return lambda base, _: base * base * base
    return np.power
