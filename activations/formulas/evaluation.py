"""The functions that a formula may use, and the evaluation of a formula.

Every known elementwise activation is a function, under its name and with its default parameters;
name' is its derivative, computed by the activation's class. The other functions are NumPy's, erfc
and xlogy.
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
"""Functions that are not activations: number of arguments, and implementation."""

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
    """Return the elementwise activation of that name, or None if a formula must not use it.

    Excluded are ``formula`` itself and functions with a surrogate derivative.
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
    """Return how many arguments a function takes, or None for an unknown function."""
    if name in FUNCTIONS:
        return FUNCTIONS[name][0]
    if name == "where":
        return 3
    return None if member(name.removesuffix("'")) is None else 1


class Program:
    """An expression as a list of steps. Equal parts are computed once, constants in advance.

    ``program(symbols)`` evaluates it in float64; symbols has the values of x and the parameters.
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
        """Return the value; overflow gives inf, undefined operations NaN, without a warning."""
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
    """Return the power function; squares and cubes are products, which are faster."""
    if exponent.is_number(2):
        return lambda base, _: base * base
    if exponent.is_number(3):
        return lambda base, _: base * base * base
    return np.power
