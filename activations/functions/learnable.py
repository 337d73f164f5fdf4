"""Functions with learnable parameters, and the summation of their parameters' gradients.

Here are the rectifiers and exponential functions; the others are in learnable_smooth.py.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from activations.arguments import number, parameter, true_or_false
from activations.base import Array, Elementwise, blockwise
from activations.functions.indicators import constant, positive
from activations.functions.special import (
    LARGEST_EXPONENT,
    SUBNORMAL,
    bounded_product,
    constants,
    exp_of_sum,
    finite,
    polynomial,
    two_product,
    two_quotient,
    two_sum,
    where_below,
)


class Learnable(Elementwise):
    """An elementwise function of x and of learnable parameters p; ``slopes`` returns df/dp.

    Formulas get the current value of a parameter by ``self.current(name)``. It is a float, or an
    array in the dtype of x if a network has bound the parameter.
    """

    def current(self, name: str) -> Any:
        """Return a parameter's current value: the learned one, else the constructor's argument."""
        return self.params[name] if name in self.params else getattr(self, name)

    def wide(self, name: str) -> Array:
        """Return ``current(name)`` in float64."""
        value = self.current(name)
        return np.asarray(value) if isinstance(value, float) else value.astype(np.float64)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        """Return df/dp for each learnable parameter p, in shapes that broadcast against x."""
        raise NotImplementedError(f"{type(self).__name__} does not define slopes")

    def parameter_gradients(self, x: Array, y: Array, grad: Array) -> dict[str, Array]:
        """Return dL/dp, summed over all axes along which the parameter is constant."""
        if not self.params:
            return {}

        def terms(x: Array, y: Array, grad: Array) -> tuple[Array, ...]:
            slopes = self.slopes(x, y)
            with np.errstate(over="ignore"):
                return tuple(grad * slopes[name] for name in self.params)

        blocks, axis = self.blocks_of(x)
        if blocks:
            row = (*[slice(None)] * (axis or 0), slice(0, 1))
            dtypes = [term.dtype for term in terms(x[row], y[row], grad[row])]
            # in the memory order of x, as without blocks, because a sum's last bits depend on it
            products = tuple(np.empty_like(x, dtype=dtype) for dtype in dtypes)
            blockwise(terms, (x, y, grad), products, axis)
        else:
            products = terms(x, y, grad)
        with np.errstate(over="ignore"):  # results beyond the largest float32 are inf
            return {
                name: sum_to_shape(product, np.shape(value)).astype(x.dtype, copy=False)
                for (name, value), product in zip(self.params.items(), products, strict=True)
            }


def sum_to_shape(array: Array, shape: tuple[int, ...]) -> Array:
    """Return ``array`` summed to ``shape``, a shape that broadcasts to the array's."""
    extra = tuple(range(array.ndim - len(shape)))
    array = np.add.reduce(array, axis=extra) if extra else array
    ones = tuple(k for k, size in enumerate(shape) if size == 1 and array.shape[k] != 1)
    return np.asarray(np.add.reduce(array, axis=ones, keepdims=True) if ones else array)


class PReLU(Learnable):
    """x for x > 0, alpha x for x <= 0, alpha learnable. Range (-inf, inf).

    f' = 1 for x > 0, else alpha; f'(0) = alpha, as in PyTorch. df/dalpha = min(x, 0). There is one
    alpha per unit (as in Keras and the paper) or, with per_unit = False, one per layer (PyTorch's
    default). Keras starts at alpha = 0. The paper applies no weight decay to alpha.
    He et al. 2015, https://arxiv.org/abs/1502.01852
    """

    name = "prelu"
    kinks = (0.0,)
    alpha = parameter(0.25, learned=True)
    per_unit = parameter(True, check=true_or_false)

    @property
    def parameters_per_unit(self) -> bool:  # type: ignore[override]
        return bool(self.per_unit)

    def forward(self, x: Array) -> Array:
        alpha = self.params["alpha"]
        if isinstance(alpha, float) and alpha == 0:  # 0 * -inf would be NaN
            return np.maximum(x, 0)
        with np.errstate(over="ignore"):
            return np.maximum(x, 0) + alpha * np.minimum(x, 0)

    def derivative(self, x: Array, y: Array) -> Array:
        right = positive(x)
        return right + self.params["alpha"] * (1 - right)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        return {"alpha": np.minimum(x, 0)}


class PELU(Learnable, float64=True):
    """(a / b) x for x >= 0, a (e^(x/b) - 1) for x < 0; a and b learnable, one pair per layer.

    Range (-a, inf). f' = a / b for x >= 0, (a / b) e^(x/b) for x < 0. If a or b falls below 0.1,
    the paper's bound, 0.1 is used instead. Its gradient is taken at 0.1 too, so that the parameter
    can grow again.
    Trottier, Giguere & Chaib-draa 2017, https://arxiv.org/abs/1605.09332
    """

    name = "pelu"
    kinks = (0.0,)
    parameters_per_unit = False
    a = parameter(1.0, minimum=0.1, learned=True)
    b = parameter(1.0, minimum=0.1, learned=True)

    def forward(self, x: Array) -> Array:
        a, b = self._bounded()
        with np.errstate(over="ignore"):
            low = np.minimum(x, 0)
            q = low / b
            # a tiny q may be subnormal; there f is linear
            left = np.where(q > -1e-17, (a / b) * low, a * np.expm1(q))
            return (a / b) * np.maximum(x, 0) + left

    def derivative(self, x: Array, y: Array) -> Array:
        a, b = self._bounded()
        _, half = self._left(x, b)
        return ((a / b) * half) * half

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = x.astype(np.float64, copy=False)
        a, b = self._bounded()
        low, half = self._left(x, b)
        factor = -a / b / b
        with np.errstate(over="ignore"):
            return {
                "a": np.maximum(x, 0) / b + np.expm1(low),
                "b": factor * np.maximum(x, 0)
                + ((factor * half) * finite(np.minimum(x, 0))) * half,
            }

    @staticmethod
    def _left(x: Array, b: Any) -> tuple[Array, Array]:
        """Return q = min(x, 0) / b and e^(q / 2); e^q itself may be subnormal."""
        q, rest = two_quotient(np.maximum(np.minimum(x, 0), -2000 * b), b)
        return q, exp_of_sum(q / 2, rest / 2)

    def _bounded(self) -> tuple[Any, Any]:
        a, b = (self.wide(name) for name in ("a", "b"))
        return np.maximum(a, 0.1), np.maximum(b, 0.1)


class StarReLU(Learnable, float64=True):
    """scale max(x, 0)^2 + shift; both can be learnable, one pair per layer.

    Range [shift, inf). f' = 2 scale max(x, 0). The defaults are 2 / sqrt(5) and -1 / sqrt(5),
    rounded as in the paper; they give mean 0 and variance 1 for x ~ N(0, 1).
    Yu et al. 2022, MetaFormer Baselines for Vision, https://arxiv.org/abs/2210.13452
    """

    name = "star_relu"
    kinks = (0.0,)
    parameters_per_unit = False
    scale = parameter(0.8944, learned=True)
    shift = parameter(-0.4472, learned=True)
    learnable = parameter(True, check=true_or_false)

    def forward(self, x: Array) -> Array:
        rectified = np.maximum(x, 0)
        with np.errstate(over="ignore"):
            return self.current("scale") * rectified * rectified + self.current("shift")

    def derivative(self, x: Array, y: Array) -> Array:
        with np.errstate(over="ignore"):
            return self.current("scale") * np.maximum(x, 0) * 2

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        rectified = np.maximum(x, 0)
        with np.errstate(over="ignore"):
            return {"scale": rectified * rectified, "shift": constant(x, 1)}


class SoftExponential(Learnable, float64=True):
    """(e^(alpha x) - 1) / alpha + alpha for alpha > 0, x for alpha = 0,
    -ln(1 - alpha (x + alpha)) / alpha for alpha < 0; alpha learnable, one per unit.

    f' = e^(alpha x) for alpha >= 0, 1 / (1 - alpha (x + alpha)) for alpha < 0. alpha = -1 gives the
    logarithm, 0 the identity, 1 the exponential. For alpha < 0, f is NaN where
    alpha (x + alpha) > 1, because the logarithm is not defined there.
    Godfrey & Gashler 2015, https://arxiv.org/abs/1602.01321
    """

    name = "softexponential"
    alpha = parameter(0.0, learned=True)

    def forward(self, x: Array) -> Array:
        alpha, y = self.wide("alpha"), np.positive(x)
        divisor = alpha + (alpha == 0)
        with np.errstate(all="ignore"):
            if (alpha < 0).any():
                y = np.where(alpha < 0, -_falling(alpha, x).logarithm / divisor, y)
            if (alpha > 0).any():
                t, rest, half = _rising(alpha, x)
                e = exp_of_sum(np.minimum(t, -SUBNORMAL), rest)
                # for x far below 0: e^(alpha x) / alpha + (alpha - 1 / alpha), without cancellation
                far = e / divisor + (alpha - 1) * (alpha + 1) / divisor
                near = (np.expm1(t) + rest * e) / divisor + alpha
                exponential = np.where(t < -0.5, far, near)
                exponential = np.where(t > -SUBNORMAL, half / divisor * half, exponential)
                y = np.where(alpha > 0, exponential, y)
        return y

    def derivative(self, x: Array, y: Array) -> Array:
        alpha, slope = self.wide("alpha"), constant(x, 1)
        with np.errstate(over="ignore"):
            if (alpha < 0).any():
                slope = np.where(alpha < 0, _falling(alpha, x).inverse, slope)
            if (alpha > 0).any():
                half = _rising(alpha, x).half
                slope = np.where(alpha > 0, half * half, slope)
        return slope

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = x.astype(np.float64, copy=False)
        alpha, slope = self.wide("alpha"), x
        with np.errstate(all="ignore"):
            if (alpha < 0).any():
                moved, u, logarithm, inverse = _falling(alpha, x)
                # (ln v - u / v) / alpha^2 with v = 1 + u, and s = u / (1 + v)
                small = (u > -0.45) & (u < 1)
                s = np.where(small, u / (2 + u), 0)
                square = 2 * (moved / (2 + u)) * (moved / (2 + u))
                near = square * (s * polynomial(_FALLING, s * s) + 1 / (1 + s))
                far = (logarithm - (1 - inverse)) / alpha / alpha  # u / v = 1 - 1 / v
                slope = np.where(small, near, far) + inverse
            if (alpha >= 0).any():
                t, rest, half = _rising(alpha, x)
                # (t e^t - e^t + 1) / alpha^2
                far = (t - 1 + rest) / alpha * half * (half / alpha) + 1 / alpha / alpha
                inner = np.minimum(np.maximum(t, -1), 1)
                rising = np.where(np.abs(t) < 1, polynomial(_RISING, inner) * x * x, far)
                slope = np.where(alpha >= 0, rising + 1, slope)
        return {"alpha": slope}


class Rising(NamedTuple):
    """alpha x = t + rest for alpha > 0, and half = e^(alpha x / 2)."""

    t: Array
    rest: Array
    half: Array


def _rising(alpha: Array, x: Array) -> Rising:
    t, rest = bounded_product(np.maximum(alpha, 0), x)
    t = np.minimum(t, 2 * LARGEST_EXPONENT)
    return Rising(t, rest, exp_of_sum(t / 2, rest / 2))


class Falling(NamedTuple):
    """x + alpha, u = -alpha (x + alpha), ln(1 + u) and 1 / (1 + u) for alpha < 0.

    The last two are NaN where u < -1.
    """

    moved: Array
    u: Array
    logarithm: Array
    inverse: Array


def _falling(alpha: Array, x: Array) -> Falling:
    alpha = np.minimum(alpha, 0)
    with np.errstate(all="ignore"):
        moved, lost = two_sum(alpha, np.maximum(x, -1e250))
        u, rest = two_product(-alpha, np.minimum(moved, 1e250))
        v = (1 + u) + (rest - np.where(moved < 1e250, alpha * lost, 0))
        logarithm = np.where(u < -0.5, np.log(v), np.log1p(u))
        huge = moved > 1e250  # u would overflow
        logarithm = np.where(huge, np.log(moved) + np.log(-alpha), logarithm)
        inverse = np.where(huge, 1 / moved / -alpha, 1 / v)
        return Falling(moved, u, logarithm, np.where(v < 0, np.nan, inverse))


_RISING = constants(*(1 / (math.factorial(n) * (n + 2)) for n in range(17, -1, -1)))
"""(t e^t - e^t + 1) / t^2 for |t| < 1, highest power first."""

_FALLING = constants(*(1 / (2 * n + 3) for n in range(17, -1, -1)))
"""(artanh(s) - s) / s^3 for |s| < 1/3, in powers of s^2, highest power first."""


class XIELU(Learnable, float64=True):
    """alpha_p x^2 + beta x for x > 0, alpha_n (e^x - 1 - x) + beta x for x <= 0.

    f' = 2 alpha_p x + beta for x > 0, alpha_n (e^x - 1) + beta for x <= 0; f'(0) = beta. Each layer
    learns one pair raw_alpha_p, raw_alpha_n, with alpha_p = softplus(raw_alpha_p) > 0 and
    alpha_n = beta + softplus(raw_alpha_n) > beta; so f tends to inf on both sides. The constructor
    takes the initial alpha_p and alpha_n, not the raw ones. The reference code evaluates e^x - 1 at
    min(x, -1e-6); we do not, so that f stays continuous.
    Huang & Schlag 2024, Deriving Activation Functions Using Integration,
    https://arxiv.org/abs/2411.13010
    """

    name = "xielu"
    kinks = (0.0,)
    parameters_per_unit = False

    def __init__(self, alpha_p: float = 0.8, alpha_n: float = 0.8, beta: float = 0.5) -> None:
        super().__init__()
        self.beta = number("beta", beta)
        self.alpha_p = number("alpha_p", alpha_p, minimum=1e-30)
        self.alpha_n = number("alpha_n", alpha_n, above=self.beta)
        self.params["raw_alpha_p"] = _softplus_inverse(self.alpha_p)
        self.params["raw_alpha_n"] = _softplus_inverse(self.alpha_n - self.beta)
        self._initial = dict(self.params)

    def forward(self, x: Array) -> Array:
        alpha_p, difference, rest = self._coefficients()
        high, low = np.maximum(x, 0), np.minimum(np.maximum(x, -1), 0)
        with np.errstate(over="ignore"):
            right = (alpha_p * high + self.beta) * high
            bend = exponential_excess(difference, low)
            left = bend + (self.beta * np.expm1(low) + bend * (rest / difference))
            left = where_below(x, -1.0, lambda low: self._far_left(low, difference, rest), left)
            return np.where(x > 0, right, left)

    def derivative(self, x: Array, y: Array) -> Array:
        alpha_p, difference, rest = self._coefficients()
        low = np.minimum(x, 0)
        with np.errstate(over="ignore"):
            curve = np.expm1(low)
            left = difference * curve + (self.beta * np.exp(low) + rest * curve)
            return np.where(x > 0, 2 * alpha_p * x + self.beta, left)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = x.astype(np.float64, copy=False)
        alpha_p, difference, _ = self._coefficients()
        high = np.maximum(x, 0)
        with np.errstate(over="ignore"):
            return {
                "raw_alpha_p": (high * -np.expm1(-alpha_p)) * high,
                "raw_alpha_n": exponential_excess(-np.expm1(-difference), np.minimum(x, 0)),
            }

    def _far_left(self, x: Array, difference: Array, rest: Array) -> Array:
        """Return alpha_n e^x - (alpha_n - beta) x - alpha_n, whose terms cancel near one x."""
        near = np.maximum(x, -1e5)
        line, line_rest = two_product(-difference, near)
        alpha_n, alpha_rest = two_sum(self.beta, difference)
        line, sum_rest = two_sum(line, -alpha_n)
        line_rest = line_rest + sum_rest - (rest * near + (rest + alpha_rest))
        with np.errstate(over="ignore"):
            far = -difference * x - alpha_n
            return np.where(x < -1e5, far, line + (alpha_n * np.exp(x) + line_rest))

    def _coefficients(self) -> tuple[Array, Array, Array]:
        """Return alpha_p, and alpha_n - beta as a sum of two floats."""
        raw_p = self.wide("raw_alpha_p")
        raw_n = self.wide("raw_alpha_n")
        if raw_p.ndim == raw_n.ndim == 0 and self.params == self._initial:
            # not trained yet: the exact arguments, without the rounding of softplus and its inverse
            return np.asarray(self.alpha_p), *two_sum(self.alpha_n, np.asarray(-self.beta))
        return np.logaddexp(0, raw_p), np.logaddexp(0, raw_n), np.asarray(0.0)


def exponential_excess(factor: Array, x: Array) -> Array:
    """Return factor (e^x - 1 - x) for x <= 0."""
    near = np.maximum(x, -1.0)
    series = (factor * near) * (near * polynomial(_EXCESS, near))  # x^2 may be subnormal
    return np.where(x > -1, series, factor * (np.exp(x) + (-1 - x)))


_EXCESS = constants(*(1 / math.factorial(n + 2) for n in range(17, -1, -1)))


def _softplus_inverse(y: float) -> float:
    return y + math.log(-math.expm1(-y))
