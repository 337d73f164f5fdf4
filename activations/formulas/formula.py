"""An activation defined by a formula, for example on the command line."""

from __future__ import annotations

import keyword
from typing import Any

import numpy as np

from activations.arguments import number, shown, true_or_false
from activations.base import Array
from activations.formulas.calculus import differentiate
from activations.formulas.evaluation import CONSTANTS, Program, argument_count
from activations.formulas.parser import parse
from activations.functions.learnable import Learnable

_PROBES = np.concatenate([np.linspace(-3, 3, 25), np.linspace(-2.93, 2.97, 24)])
_TAKEN = ("weight", "bias", "dead", "saturated", "update_ratio")
"""Names that would collide with columns of history.csv."""


class Formula(Learnable, float64=True):
    """Any expression in x; the default x * tanh(softplus(x)) is mish.

    An expression has + - * / ^, comparisons in where(condition, a, b), pi, e, functions such as
    exp, log, sqrt and maximum, elementwise activations by name, and named ``parameters``. If
    ``learnable``, the parameters are trained, one set per unit. The derivative is symbolic.

    The expression is evaluated in float64 as written: rounding errors, overflow to inf and NaN are
    those of its operations. If several arguments equal the maximum or minimum, the derivative is
    the mean of theirs: at 0, max(x, 0) has derivative 1/2 and max(x, 0) + min(x, 0) has 1. abs has
    derivative 0 at 0. Activations such as relu have the derivative of their class at kinks.

    Raises ValueError for an invalid expression, with the column, and for invalid parameters.

    Attributes:
        value: the formula, an Expression; str(value) is its text.
        slope: its derivative with respect to x.
    """

    name = "formula"

    def __init__(
        self,
        expression: str = "x * tanh(softplus(x))",
        parameters: dict[str, float] = {},  # noqa: B006  _checked copies it
        learnable: bool = False,
    ) -> None:
        self.expression = expression
        self.parameters = _checked(parameters)
        self.value = parse(expression, self.parameters)
        for name in self.parameters:
            if name not in self.value.symbols():
                raise ValueError(f"parameters: {name} is not in the expression")
        if learnable is True and not self.parameters:
            raise ValueError("learnable needs parameters, for example parameters={beta: 1.0}")
        super().__init__()
        self.learnable = true_or_false("learnable", learnable)
        if learnable:
            self.params.update(self.parameters)
        self.slope = differentiate(self.value, "x")
        self._value_program, self._slope_program = Program(self.value), Program(self.slope)
        self._parameter_programs = {
            name: Program(differentiate(self.value, name)) for name in self.params
        }
        if not np.isfinite(self.forward(_PROBES)).any():
            raise ValueError("expression is not finite at any x from -3 to 3")

    def written(self, longest: int = 300) -> tuple[str, str]:
        """Return f(x) and f'(x) as text, numbers to 6 digits, truncated to ``longest``."""
        texts = (self.value.text(6), self.slope.text(6))
        first, second = (t if len(t) <= longest else t[: longest - 4] + " ..." for t in texts)
        return first, second

    def forward(self, x: Array) -> Array:
        return self._evaluate(self._value_program, x)

    def derivative(self, x: Array, y: Array) -> Array:
        return self._evaluate(self._slope_program, x)

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        """Return dL/dx = grad * f'(x); 0 times an infinite derivative is NaN, without a warning."""
        with np.errstate(over="ignore", invalid="ignore"):
            return super().unchecked_backward(x, y, grad)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        wide = x.astype(np.float64, copy=False)
        return {
            name: self._evaluate(program, wide)
            for name, program in self._parameter_programs.items()
        }

    def parameter_gradients(self, x: Array, y: Array, grad: Array) -> dict[str, Array]:
        """Return dL/dp, summed over all axes along which the parameter is constant."""
        with np.errstate(over="ignore", invalid="ignore"):
            return super().unchecked_parameter_gradients(x, y, grad)

    def _evaluate(self, program: Program, x: Array) -> Array:
        symbols: dict[str, Any] = {"x": x, **self.parameters, **self.params}
        found = program(symbols)
        return np.where(np.isnan(x), x, found)  # constants and comparisons do not propagate NaN


def _checked(parameters: Any) -> dict[str, float]:
    """Return the parameters as floats by name. Raises ValueError for invalid ones."""
    if not isinstance(parameters, dict):
        raise ValueError(
            "parameters must be names with numbers, for example {beta: 1.0}, got "
            f"{shown(parameters)}"
        )
    found = {}
    for name, value in parameters.items():
        fits = isinstance(name, str) and name.isascii() and name.isidentifier()
        if not fits or keyword.iskeyword(name):
            raise ValueError(f"parameters: {name!r} must be a name of letters, digits and _")
        if name == "x" or name in CONSTANTS or name in _TAKEN or argument_count(name) is not None:
            raise ValueError(f"parameters: {name} is reserved; choose another name")
        found[name] = number(f"parameters: {name}", value)
    return found
