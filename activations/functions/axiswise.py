"""Functions of a whole row of features: every output depends on every input.

``gradient`` is the diagonal of the Jacobian, as in the article that this project started from.
Training uses ``backward``, the product with the transposed Jacobian. ``jacobian(x)`` returns the
whole matrix.

float32 rows are evaluated in float64, because the error of NumPy's float32 exp is up to 2.5 ULP and
a quotient of sums of such exponentials would exceed the bound. For float64 rows, the rounding error
of x - max is computed too (two-sum) and corrected; otherwise it would cause a relative error of up
to |x - max| ULP in softmax. In the softmax family, float64 values are within 5 ULP, one more than
elsewhere, because the sum of the row is rounded as well.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from activations.arguments import one_of, parameter
from activations.base import BLOCK_ELEMENTS, Activation, Array, as_floating
from activations.functions.special import LARGEST_ARGUMENT, two_quotient, two_sum


def by_rows(formula: Callable[..., Array]) -> Callable[..., Array]:
    """Make a method of arrays work on blocks of rows and return x's dtype, without warnings.

    The temporaries of a block stay in the cache. A stochastic function gets whole arrays, because
    it draws for all rows at once.
    """

    @functools.wraps(formula)
    def rows_at_a_time(self: Any, *arrays: Array) -> Array:
        x = arrays[0]
        with np.errstate(all="ignore"):
            if x.size <= BLOCK_ELEMENTS or x.ndim < 2 or self.generators is not None:
                return formula(self, *arrays).astype(x.dtype, copy=False)
            count = max(1, BLOCK_ELEMENTS * len(x) // x.size)
            parts = [[a[k : k + count] for a in arrays] for k in range(0, len(x), count)]
            return np.concatenate(
                [formula(self, *part).astype(x.dtype, copy=False) for part in parts]
            )

    return rows_at_a_time


class AxisWise(Activation):
    """A function of the last axis: x (..., inputs), y (..., outputs).

    A subclass defines ``forward`` and ``backward``. All methods for users raise ValueError for a
    single number and for empty rows.
    """

    def __call__(self, x: npt.ArrayLike) -> Array:
        """Return f(x) in the dtype of x, shape (..., outputs)."""
        x = self._rows(x)
        return np.asarray(self.forward(x), x.dtype)

    def gradient(self, x: npt.ArrayLike) -> Array:
        """Return dy_i/dx_i, the Jacobian's diagonal."""
        return self.diagonal(self._rows(x))

    def diagonal(self, x: Array) -> Array:
        """Return the Jacobian's diagonal for a float32 or float64 array of rows."""
        return np.diagonal(self.jacobian(x), axis1=-2, axis2=-1).copy()

    def jacobian(self, x: npt.ArrayLike) -> Array:
        """Return dy_i/dx_j, shape (..., outputs, inputs)."""
        x = self._rows(x)
        y = self.forward(x)
        unit = np.eye(y.shape[-1], dtype=x.dtype)
        return self.backward(x[..., None, :], y[..., None, :], unit)

    def arranged(self, x: Any, y: Any, grad: Any) -> tuple[Array, Array, Array]:
        return super().arranged(self._rows(x), y, grad)

    def _rows(self, x: npt.ArrayLike) -> Array:
        array = as_floating(x)
        if array.ndim == 0:
            raise ValueError(f"{self.name} needs a row of numbers, got a single one")
        if array.shape[-1] == 0:
            raise ValueError(
                f"{self.name} needs rows of at least 1 number, got shape {array.shape}"
            )
        return array


def shifted(x: Array) -> tuple[Array, Array | float]:
    """Return float64 d and rest with d + rest = x - max(x) along the last axis, exactly.

    rest is at least -1; it has no meaning where d is not finite.
    """
    largest = x.max(axis=-1, keepdims=True)
    if x.dtype == np.float32:
        return np.subtract(x, largest, dtype=np.float64), 0.0
    d = x - largest
    part = d - x
    rest = (x - (d - part)) - (largest + part)
    return d, np.fmax(rest, -1)


def exponentials(x: Array, tau: float = 1.0) -> Array:
    """Return e^((x - max(x)) / tau) along the last axis, in float64."""
    if tau != 1:
        gap, lost = two_sum(x.astype(np.float64, copy=False), -x.max(axis=-1, keepdims=True))
        end = -LARGEST_ARGUMENT * tau
        q, more = two_quotient(np.fmax(gap, end), tau)
        return np.exp(q) * (1 + np.where(gap > end, more + lost / tau, 0.0))
    d, rest = shifted(x)
    e = np.exp(d)
    return e * (1 + rest) if x.dtype == np.float64 else e


def complement(p: Array) -> Array:
    """Return 1 - p for probabilities that sum to 1, without cancellation where p is near 1."""
    dominant = p > 0.5
    return np.where(dominant, (p * ~dominant).sum(axis=-1, keepdims=True), 1 - p)


def _nan_or_zeros(name: str, value: Any) -> str:
    if isinstance(value, float) and math.isnan(value):  # Hydra reads the word nan as a number
        return "nan"
    return one_of(name, value, ("nan", "zeros"))


class Masked(AxisWise):
    """Base of functions that give NaN (as in PyTorch and JAX) or zeros for a row of only -inf."""

    masked_rows = parameter("nan", check=_nan_or_zeros)

    def filled(self, x: Array, y: Array, value: float = 0) -> Array:
        """Return y; with masked_rows="zeros", rows where all of x is -inf get ``value``."""
        if self.masked_rows == "nan":
            return y
        return np.where(x.max(axis=-1, keepdims=True) == -np.inf, value, y)


class Softmax(Masked):
    """p_i = e^x_i / sum_j e^x_j along the last axis. Range (0, 1), each row sums to 1.

    The Jacobian is diag(p) - p p^T. For the largest entry, 1 - p is computed as the sum of the
    others. masked_rows is the result for a row of only -inf: "nan" (as in PyTorch and JAX) or
    "zeros". Otherwise -inf gives p_i = 0; a row with +inf is NaN.
    Bridle 1990, https://papers.nips.cc/paper/1989/hash/0336dcbab05b9d5ad24f4333c7658a0e
    """

    name = "softmax"

    @by_rows
    def forward(self, x: Array) -> Array:
        return self._probabilities(x)

    @by_rows
    def diagonal(self, x: Array) -> Array:
        p = self._probabilities(x)
        return self._slope * p * complement(p)

    @by_rows
    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        # A constant added to grad does not change the product. The mean is subtracted twice,
        # because one subtraction cancels for a dominant entry, whose grad is nearly the mean.
        against = grad - (grad * y).sum(axis=-1, keepdims=True)
        product = y * (against - (against * y).sum(axis=-1, keepdims=True))
        return product if self._slope == 1 else self._slope * product

    def jacobian(self, x: npt.ArrayLike) -> Array:
        """Return dp_i/dx_j, shape (..., n, n)."""
        x = self._rows(x)
        p = self._probabilities(x)
        matrix = -(p[..., :, None] * p[..., None, :])
        diagonal = np.arange(p.shape[-1])
        matrix[..., diagonal, diagonal] = p * complement(p)
        return (self._slope * matrix).astype(x.dtype, copy=False)

    @property
    def _slope(self) -> float:
        """The factor of x in the exponent."""
        return 1

    @property
    def _temperature(self) -> float:
        """The number by which x is divided."""
        return 1

    def _probabilities(self, x: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            e = exponentials(x, self._temperature)
            e /= e.sum(axis=-1, keepdims=True)
        return self.filled(x, e)


class Softmin(Softmax):
    """p_i = e^-x_i / sum_j e^-x_j, the softmax of -x. Range (0, 1), each row sums to 1.

    masked_rows is the result for a row of only +inf. torch.nn.Softmin
    """

    name = "softmin"

    @property
    def _slope(self) -> float:
        return -1

    def _probabilities(self, x: Array) -> Array:
        return super()._probabilities(-x)


def _last_or_third(name: str, value: Any) -> int:
    if value not in (-1, -3):
        raise ValueError(f"{name} must be -1 or -3, got {value!r}")
    return int(value)


class Softmax2d(Softmax):
    """Softmax over the channels of an image at each pixel.

    channel_axis = -1, the default, is for x of shape (..., height, width, channels); -3 is for
    PyTorch's (..., channels, height, width), and x with fewer than 3 axes raises ValueError.
    masked_rows is as for softmax. torch.nn.Softmax2d
    """

    name = "softmax2d"
    channel_axis = parameter(-1, check=_last_or_third)

    def forward(self, x: Array) -> Array:
        return self._channels_back(super().forward(self._channels_last(x)))

    def diagonal(self, x: Array) -> Array:
        return self._channels_back(super().diagonal(self._channels_last(x)))

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        parts = (self._channels_last(array) for array in (x, y, grad))
        return self._channels_back(super().backward(*parts))

    def jacobian(self, x: npt.ArrayLike) -> Array:
        """Return dp_i/dx_j at each pixel, shape (..., height, width, n, n)."""
        return super().jacobian(self._channels_last(self._rows(x)))

    def _channels_last(self, x: Array) -> Array:
        if x.ndim < -self.channel_axis:
            raise ValueError(
                f"softmax2d with channel_axis=-3 needs at least 3 axes, got shape {x.shape}"
            )
        return np.moveaxis(x, self.channel_axis, -1)

    def _channels_back(self, x: Array) -> Array:
        return np.moveaxis(x, -1, self.channel_axis)


class SoftmaxOne(AxisWise):
    """p_i = e^x_i / (1 + sum_j e^x_j): softmax with an additional logit 0, whose p is dropped.

    Range (0, 1), each row sums to less than 1; a row of only -inf gives zeros.
    Miller 2023, https://www.evanmiller.org/attention-is-off-by-one.html
    """

    name = "softmax_one"
    _softmax = Softmax()

    @by_rows
    def forward(self, x: Array) -> Array:
        return self._softmax.forward(_with_zero(x))[..., :-1]

    def diagonal(self, x: Array) -> Array:
        return self._softmax.diagonal(_with_zero(x))[..., :-1]

    @by_rows
    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        x = _with_zero(x)
        return self._softmax.backward(x, self._softmax.forward(x), _with_zero(grad))[..., :-1]

    def jacobian(self, x: npt.ArrayLike) -> Array:
        """Return dp_i/dx_j, shape (..., n, n)."""
        return self._softmax.jacobian(_with_zero(self._rows(x)))[..., :-1, :-1]


def _with_zero(x: Array) -> Array:
    return np.concatenate([x, np.zeros((*x.shape[:-1], 1), x.dtype)], axis=-1)


class GumbelSoftmax(Softmax):
    """softmax((x + g) / tau) with Gumbel noise g: nearly one-hot samples. Range (0, 1).

    In training, g = -ln E with E ~ Exp(1) is drawn for each element of x (replicates, batch,
    units); each replicate has its own generator. Otherwise g = 0. PyTorch's option ``hard`` is
    missing: its gradient needs the soft sample, and an activation keeps no state between calls.
    Jang, Gu & Poole 2017, https://arxiv.org/abs/1611.01144
    """

    name = "gumbel_softmax"
    masked_rows = "nan"
    stochastic = True
    tau = parameter(1.0, minimum=1e-30)

    @property
    def _slope(self) -> float:
        return 1 / self.tau

    @property
    def _temperature(self) -> float:
        return self.tau

    def _probabilities(self, x: Array) -> Array:
        if self.generators is not None:
            waits = np.stack([rng.standard_exponential(x.shape[1:]) for rng in self.generators])
            x = x - np.log(np.maximum(waits, np.finfo(waits.dtype).tiny))
        return super()._probabilities(x)


class LogSoftmax(Masked):
    """ln p_i = x_i - ln sum_j e^x_j along the last axis. Range (-inf, 0].

    Computed as (x - max) - ln(1 + sum over the others of e^(x - max)), which does not cancel for
    the largest entry. In its gradient, 1 - p is computed as the sum of the others' p. masked_rows
    is the result for a row of only -inf: "nan" (as in PyTorch and JAX) or "zeros" (p = 0, so
    ln p = -inf). A row with +inf is NaN.
    Bridle 1990, https://papers.nips.cc/paper/1989/hash/0336dcbab05b9d5ad24f4333c7658a0e
    """

    name = "log_softmax"

    @by_rows
    def forward(self, x: Array) -> Array:
        d, rest = shifted(x)
        y = d - (np.log1p(sum_of_others(d, rest)) - rest)
        return self.filled(x, y, -np.inf)

    @by_rows
    def diagonal(self, x: Array) -> Array:
        return complement(self._probabilities(x))

    @by_rows
    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        p = self._probabilities(x)
        dominant = p > 0.5
        others = (grad * ~dominant).sum(axis=-1, keepdims=True)
        rest = (p * ~dominant).sum(axis=-1, keepdims=True)
        usual = grad - p * grad.sum(axis=-1, keepdims=True)
        return np.where(dominant, grad * rest - p * others, usual)

    def _probabilities(self, x: Array) -> Array:
        return Softmax(self.masked_rows)._probabilities(x)


def sum_of_others(d: Array, rest: Array | float) -> Array:
    """Return sum_j e^(d_j + rest_j) - 1, where the largest d_j + rest_j is 0.

    The -1 leaves out the largest term, e^0. Each entry equal to the largest counts 1.
    """
    lower = d < 0
    e = np.exp(d)
    if not isinstance(rest, float):
        e *= 1 + rest
    ties = d.shape[-1] - 1 - lower.sum(axis=-1, keepdims=True)
    return np.where(lower, e, d).sum(axis=-1, keepdims=True) + ties
