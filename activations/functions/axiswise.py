"""Functions of a whole row of features: every output depends on every input.

Their ``gradient`` is the Jacobian's diagonal, as in the article that this library began with;
training uses ``backward``, the product with the whole of its transpose, and ``jacobian(x)``
returns the matrix.

float32 rows are evaluated in float64: NumPy's float32 exp is up to 2.5 ULP off, and a quotient of
sums of such exponentials would exceed the bound. float64 rows carry the rounding error of x - max
along (two-sum), which an uncompensated softmax turns into a relative error of up to |x - max| ULP.
float64 values of the softmax family are within 5 ULP, one more than elsewhere, as the row's sum is
rounded too.
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
    """Let a method of arrays return x's dtype without warnings, and work on a few rows at a time.

    Temporaries then stay in the cache. What is drawn has the shape of whole arrays.
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
    """A function of the last axis: ``forward`` and ``backward`` are all it takes."""

    def __call__(self, x: npt.ArrayLike) -> Array:
        """Return f(x) in the dtype of x. Raises ValueError for a single number or empty rows."""
        x = self._rows(x)
        return np.asarray(self.forward(x), x.dtype)

    def gradient(self, x: npt.ArrayLike) -> Array:
        """Return dy_i/dx_i, the Jacobian's diagonal."""
        return self.diagonal(self._rows(x))

    def diagonal(self, x: Array) -> Array:
        """Return what ``gradient`` does, for a float32 or float64 array of rows."""
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
    """Return d + rest = x - max(x) along the last axis, in float64 to twice its digits.

    rest is above -1 and meaningless where d is not finite.
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
    """Return 1 - p for probabilities that sum to 1, with all digits where p is nearly 1."""
    dominant = p > 0.5
    return np.where(dominant, (p * ~dominant).sum(axis=-1, keepdims=True), 1 - p)


def _nan_or_zeros(name: str, value: Any) -> str:
    if isinstance(value, float) and math.isnan(value):  # how a shell may deliver the word
        return "nan"
    return one_of(name, value, ("nan", "zeros"))


class Masked(AxisWise):
    """A function whose rows of -inf alone give NaN (as PyTorch and JAX) or zeros, as asked."""

    masked_rows = parameter("nan", check=_nan_or_zeros)

    def filled(self, x: Array, y: Array, value: float = 0) -> Array:
        """Return y with ``value`` in the rows where all of x is -inf, if asked."""
        if self.masked_rows == "nan":
            return y
        return np.where(x.max(axis=-1, keepdims=True) == -np.inf, value, y)


class Softmax(Masked):
    """p_i = e^x_i / sum_j e^x_j along the last axis. Range (0, 1), each row sums to 1.

    The Jacobian is diag(p) - p p^T; 1 - p of the largest entry is the sum of the others.
    masked_rows: what a row of -inf gives, "nan" (as PyTorch and JAX) or "zeros". A single
    -inf gives 0, +inf makes the row NaN.
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
        # A constant added to grad changes nothing. Taking the mean away twice keeps the digits of
        # a dominant entry, whose gradient is nearly the mean.
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
        """What x is divided by before."""
        return 1

    def _probabilities(self, x: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            e = exponentials(x, self._temperature)
            e /= e.sum(axis=-1, keepdims=True)
        return self.filled(x, e)


class Softmin(Softmax):
    """p_i = e^-x_i / sum_j e^-x_j, the softmax of -x. Range (0, 1), each row sums to 1.

    masked_rows concerns rows of +inf. torch.nn.Softmin
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
    """Softmax over the channels of an image at each of its places.

    Features are last here, so (..., height, width, channels) needs nothing but the default;
    channel_axis = -3 takes PyTorch's (..., channels, height, width). masked_rows as for
    softmax. torch.nn.Softmax2d
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
        """Return dp_i/dx_j at each place, shape (..., height, width, n, n)."""
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
    """p_i = e^x_i / (1 + sum_j e^x_j): softmax with one more logit 0 that is left out.

    Range (0, 1), each row sums to less than 1; a row of -inf gives zeros.
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
    """softmax((x + g) / tau): nearly one-hot samples, g_i Gumbel noise. Range (0, 1).

    In training g = -ln E with E ~ Exp(1) is drawn for each element of x (replicates, batch,
    units), replicate k from its own generator; otherwise g = 0. PyTorch's ``hard`` samples
    are not offered: their gradient needs the soft sample, and nothing is remembered.
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

    Taken as (x - max) - ln(1 + sum over the others of e^(x - max)), so that the largest entry
    keeps its digits; so does its gradient, whose 1 - p is the sum of the others' p.
    masked_rows: what a row of -inf gives, "nan" (as PyTorch and JAX) or "zeros" (p = 0,
    ln p = -inf). +inf makes the row NaN.
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

    The largest term is left out; what ties with it counts as 1 each.
    """
    lower = d < 0
    e = np.exp(d)
    if not isinstance(rest, float):
        e *= 1 + rest
    ties = d.shape[-1] - 1 - lower.sum(axis=-1, keepdims=True)
    return np.where(lower, e, d).sum(axis=-1, keepdims=True) + ties
