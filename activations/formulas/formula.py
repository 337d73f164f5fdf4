"""An activation written as a formula, for instance on the command line."""

from __future__ import annotations

import keyword
from typing import Any

import numpy as np

from activations.arguments import number, true_or_false
from activations.base import Array
from activations.formulas.calculus import differentiate
from activations.formulas.evaluation import CONSTANTS, Program, argument_count
from activations.formulas.parser import parse
from activations.functions.learnable import Learnable

_PROBES = np.concatenate([np.linspace(-3, 3, 25), np.linspace(-2.93, 2.97, 24)])
_TAKEN = ("weight", "bias", "dead", "saturated", "update_ratio")
"""What history.csv already tells of every layer."""


class Formula(Learnable, float64=True):
    """Any expression in x: x * tanh(softplus(x)) by default, which is mish.

    It may use + - * / ^, comparisons in where(condition, a, b), pi, e, exp, log, sqrt, maximum
    and the like, every other activation of one number by its name, and ``parameters``, numbers
    with names, which train if ``learnable``, one set per unit. The derivative is found
    symbolically from the activations' own. Computed in float64 as it is written: it is as
    accurate as that, and inf or NaN where that is. Arguments that tie for a maximum or minimum
    count equally, in any order: max(x, 0) has slope 1/2 at 0, max(x, 0) + min(x, 0) slope 1.
    abs has slope 0 at 0; relu and other activations keep their own slopes at their kinks.

    Attributes:
        value: the formula, an Expression; str(value) is its text.
        slope: its derivative with respect to x.
    """

    name = "formula"

    def __init__(
        self,
        expression: str = "x * tanh(softplus(x))",
        parameters: dict[str, float] | None = None,
        learnable: bool = False,
    ) -> None:
        self.expression = expression
        self.parameters = _checked(parameters)
        self.value = parse(expression, self.parameters)
        for name in self.parameters:
            if name not in self.value.symbols():
                raise ValueError(f"parameters: {name} is not in the expression")
        if learnable is True and not self.parameters:
            raise ValueError("learnable needs parameters to learn, e.g. parameters={beta: 1.0}")
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
            raise ValueError("expression is finite nowhere between -3 and 3")

    def written(self, longest: int = 300) -> tuple[str, str]:
        """Return f(x) and f'(x) as mathematics, numbers to 6 digits, cut where too long."""
        texts = (self.value.text(6), self.slope.text(6))
        first, second = (t if len(t) <= longest else t[: longest - 4] + " ..." for t in texts)
        return first, second

    def forward(self, x: Array) -> Array:
        return self._evaluate(self._value_program, x)

    def derivative(self, x: Array, y: Array) -> Array:
        return self._evaluate(self._slope_program, x)

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        """Return dL/dx = grad * f'(x); NaN where 0 meets an infinite derivative, silently."""
        with np.errstate(over="ignore", invalid="ignore"):
            return super().unchecked_backward(x, y, grad)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        wide = x.astype(np.float64, copy=False)
        return {
            name: self._evaluate(program, wide)
            for name, program in self._parameter_programs.items()
        }

    def parameter_gradients(self, x: Array, y: Array, grad: Array) -> dict[str, Array]:
        """Return dL/dp, summed over all axes on which the parameter has one value."""
        with np.errstate(over="ignore", invalid="ignore"):
            return super().unchecked_parameter_gradients(x, y, grad)

    def _evaluate(self, program: Program, x: Array) -> Array:
        symbols: dict[str, Any] = {"x": x, **self.parameters, **self.params}
        found = program(symbols)
        return np.where(np.isnan(x), x, found)  # constants and comparisons forget NaN


def _checked(parameters: Any) -> dict[str, float]:
    """Return the parameters as floats by name. Raises ValueError for what cannot be one."""
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise ValueError(
            f"parameters must be numbers by name, e.g. {{beta: 1.0}}, got {parameters!r}"
        )
    found = {}
    for name, value in parameters.items():
        fits = isinstance(name, str) and name.isascii() and name.isidentifier()
        if not fits or keyword.iskeyword(name):
            raise ValueError(f"parameters: {name!r} must be a name of letters, digits and _")
        if name == "x" or name in CONSTANTS or name in _TAKEN or argument_count(name) is not None:
            raise ValueError(f"parameters: {name} has a meaning already; choose another name")
        found[name] = number(f"parameters: {name}", value)
    return found
