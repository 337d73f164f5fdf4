"""Functions that change the width: several inputs make one output, or one input makes two.

A group is ``pieces`` neighbours on the last axis: inputs 0 to pieces - 1 make output 0, and so on.
x (..., pieces n) gives y (..., n); ValueError if the number of inputs is not a multiple of pieces.
``gradient`` has the shape of x: the derivative of the group's output with respect to each input.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from activations.arguments import parameter, whole_number
from activations.base import Array
from activations.functions.axiswise import AxisWise, Softmax, by_rows, shifted, sum_of_others


def _count_or_none(name: str, value: Any) -> int | None:
    return None if value is None else whole_number(name, value, minimum=1)


_SOFTMAX = Softmax()


class _Grouped(AxisWise):
    """``pieces`` inputs make one output; None takes the whole row (not in a hidden layer)."""

    pieces = parameter(2, check=_count_or_none)

    @property
    def inputs_per_output(self) -> float:  # type: ignore[override]
        return math.nan if self.pieces is None else self.pieces

    def diagonal(self, x: Array) -> Array:
        """Return the derivative with respect to each input, in the shape of x."""
        y = self.forward(x)
        return self.backward(x, y, np.ones_like(y))

    def _groups(self, x: Array) -> Array:
        pieces = x.shape[-1] if self.pieces is None else self.pieces
        if x.shape[-1] % pieces:
            raise ValueError(
                f"{self.name} makes one output of {pieces} inputs; {x.shape[-1]} inputs do not fit"
            )
        return x.reshape(*x.shape[:-1], x.shape[-1] // pieces, pieces)


class Maxout(_Grouped):
    """max_i x_i over k = ``pieces`` neighbouring inputs. Range (-inf, inf).

    The derivative is 1 for the first of the largest inputs, 0 for the others. The linear layer
    before has ``pieces`` times as many outputs. pieces = None takes the whole row.
    Goodfellow et al. 2013, https://arxiv.org/abs/1302.4389
    """

    name = "maxout"

    def forward(self, x: Array) -> Array:
        return self._groups(x).max(axis=-1)

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        groups = self._groups(x)
        first = np.argmax(groups, axis=-1)[..., None] == np.arange(groups.shape[-1])
        slopes = np.where(np.isnan(y)[..., None], x.dtype.type(np.nan), first)
        spread = grad[..., None] * slopes
        return spread.reshape(x.shape)


class LogSumExp(_Grouped):
    """ln sum_i e^x_i over k = ``pieces`` neighbouring inputs: a smooth maximum.

    Range (-inf, inf); the gradient is the softmax of each group. pieces = None takes the whole
    row, as in JAX and SciPy. f is computed as max + log1p of the sum of e^(x_i - max) over the
    others. Near a root of f the absolute error is at most 1 eps.
    Nielsen & Sun 2016, https://doi.org/10.3390/e18120442; jax.nn.logsumexp
    """

    name = "logsumexp"

    @by_rows
    def forward(self, x: Array) -> Array:
        groups = self._groups(x)
        largest = groups.max(axis=-1)
        logarithm = self._logarithm(*shifted(groups))
        return np.where(np.isinf(largest), largest, largest + logarithm)

    @by_rows
    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        spread = grad[..., None] * _SOFTMAX.forward(self._groups(x))
        return spread.reshape(x.shape)

    def _logarithm(self, d: Array, rest: Array | float) -> Array:
        return np.log1p(sum_of_others(d, rest)[..., 0])


class LogMeanExp(LogSumExp):
    """ln(sum_i e^x_i / k) over k = ``pieces`` neighbouring inputs. Range (-inf, inf).

    For equal inputs f is their value. pieces = None takes the whole row. jax.nn.logmeanexp
    """

    name = "logmeanexp"

    def _logarithm(self, d: Array, rest: Array | float) -> Array:
        below = np.expm1(d)
        below += (below + 1) * rest
        mean = below.mean(axis=-1)
        return np.where(
            mean > -0.5, np.log1p(mean), super()._logarithm(d, rest) - math.log(d.shape[-1])
        )


class CReLU(AxisWise):
    """max(x, 0) followed by max(-x, 0): twice as many outputs as inputs. Range [0, inf).

    ``gradient`` has the shape of y and holds the derivatives of both halves. It is 0 at x = 0.
    Shang et al. 2016, https://arxiv.org/abs/1603.05201
    """

    name = "crelu"
    kinks = (0.0,)
    inputs_per_output = 0.5

    def forward(self, x: Array) -> Array:
        return np.maximum(np.concatenate([x, -x], axis=-1), 0)

    def diagonal(self, x: Array) -> Array:
        """Return the derivative of each y_i with respect to its x_i, in the shape of y."""
        y = np.sign(self.forward(x))
        y[..., y.shape[-1] // 2 :] *= -1
        return y

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        slopes = np.sign(y) * grad
        half = x.shape[-1]
        return slopes[..., :half] - slopes[..., half:]
