"""Functions with parameters that training adjusts, and how their gradients are summed.

Rectifiers and exponential-linear functions; the smooth ones are in learnable_smooth.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from activations.base import Array, Elementwise, in_float64, number
from activations.indicators import constant, positive
from activations.special import two_product, two_sum, where_below


class Learnable(Elementwise):
    """An elementwise function of x and parameters: ``slopes`` gives df/dp for each.

    Formulas take the current values with ``self.current(name)``: a float, or the array that a
    network has bound, in which case float32 formulas get float32 values.
    """

    def __init__(self, learnable: bool = True, **initial: float) -> None:
        super().__init__()
        if not isinstance(learnable, bool):
            raise ValueError(f"learnable must be true or false, got {learnable!r}")
        if learnable:
            self.params.update(initial)

    def current(self, name: str) -> Any:
        """Return a parameter's value: what has been learnt, else the constructor's argument."""
        return self.params[name] if name in self.params else getattr(self, name)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        """Return df/dp for each learnable parameter p, in shapes that broadcast with x."""
        raise TypeError(f"{type(self).__name__} does not define slopes")

    def parameter_gradients(self, x: Array, y: Array, grad: Array) -> dict[str, Array]:
        """Return dL/dp, summed over all axes on which the parameter has one value."""
        if not self.params:
            return {}
        slopes = self.slopes(x, y)
        return {
            name: sum_to_shape(grad * slopes[name], np.shape(value)).astype(x.dtype, copy=False)
            for name, value in self.params.items()
        }


def sum_to_shape(array: Array, shape: tuple[int, ...]) -> Array:
    """Return ``array`` summed over the axes along which ``shape`` has been broadcast."""
    extra = tuple(range(array.ndim - len(shape)))
    array = np.add.reduce(array, axis=extra) if extra else array
    ones = tuple(k for k, size in enumerate(shape) if size == 1 and array.shape[k] != 1)
    return np.asarray(np.add.reduce(array, axis=ones, keepdims=True) if ones else array)


class PReLU(Learnable):
    """x for x > 0, alpha x for x <= 0, alpha learnable. Range (-inf, inf).

    One alpha per unit (as in Keras and the paper) or, with per_unit = False, one per layer
    (PyTorch's default). f'(0) = alpha, as in PyTorch; df/dalpha = min(x, 0). Keras starts at
    alpha = 0. The paper applies no weight decay to alpha.
    He et al. 2015, https://arxiv.org/abs/1502.01852
    """

    name = "prelu"

    def __init__(self, alpha: float = 0.25, per_unit: bool = True) -> None:
        self.alpha = number("alpha", alpha)
        super().__init__(alpha=self.alpha)
        if not isinstance(per_unit, bool):
            raise ValueError(f"per_unit must be true or false, got {per_unit!r}")
        self.per_unit = self.parameters_per_unit = per_unit

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


class PELU(Learnable):
    """(a / b) x for x >= 0, a (e^(x/b) - 1) for x < 0; a and b learnable, one pair per layer.

    Range (-a, inf). Values below 0.1, the paper's bound, act as 0.1, and their gradients are
    taken there, so that they can come back.
    Trottier, Giguere & Chaib-draa 2017, https://arxiv.org/abs/1605.09332
    """

    name = "pelu"
    parameters_per_unit = False

    def __init__(self, a: float = 1.0, b: float = 1.0) -> None:
        self.a = number("a", a, minimum=0.1)
        self.b = number("b", b, minimum=0.1)
        super().__init__(a=self.a, b=self.b)

    @in_float64
    def forward(self, x: Array) -> Array:
        a, b = self._bounded()
        with np.errstate(over="ignore"):
            return (a / b) * np.maximum(x, 0) + a * np.expm1(np.minimum(x, 0) / b)

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        a, b = self._bounded()
        return (a / b) * np.exp(np.minimum(x, 0) / b)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        a, b = self._bounded()
        low = np.maximum(np.minimum(x, 0) / b, -1000)
        inner = np.maximum(x, 0) / b + low * np.exp(low)
        return {"a": np.maximum(x, 0) / b + np.expm1(low), "b": -(a / b) * inner}

    def _bounded(self) -> tuple[Any, Any]:
        return np.maximum(self.params["a"], 0.1), np.maximum(self.params["b"], 0.1)


class StarReLU(Learnable):
    """scale max(x, 0)^2 + shift, both learnable if asked, one pair per layer.

    Range [shift, inf). The defaults, 2 / sqrt(5) and -1 / sqrt(5) rounded as in the paper,
    give mean 0 and variance 1 for x ~ N(0, 1).
    Yu et al. 2022, MetaFormer Baselines for Vision, https://arxiv.org/abs/2210.13452
    """

    name = "star_relu"
    parameters_per_unit = False

    def __init__(
        self, scale: float = 0.8944, shift: float = -0.4472, learnable: bool = True
    ) -> None:
        self.scale = number("scale", scale)
        self.shift = number("shift", shift)
        super().__init__(learnable, scale=self.scale, shift=self.shift)
        self.learnable = learnable

    @in_float64
    def forward(self, x: Array) -> Array:
        rectified = np.maximum(x, 0)
        with np.errstate(over="ignore"):
            return self.current("scale") * rectified * rectified + self.current("shift")

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        with np.errstate(over="ignore"):
            return self.current("scale") * np.maximum(x, 0) * 2

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        rectified = np.maximum(x, 0)
        with np.errstate(over="ignore"):
            return {"scale": rectified * rectified, "shift": constant(x, 1)}


class SoftExponential(Learnable):
    """(e^(alpha x) - 1) / alpha + alpha for alpha > 0, x for alpha = 0,
    -ln(1 - alpha (x + alpha)) / alpha for alpha < 0; alpha learnable, one per unit.

    From the logarithm (alpha = -1) through the identity to the exponential (alpha = 1). For
    alpha < 0 it is defined, and else NaN, where alpha (x + alpha) < 1.
    Godfrey & Gashler 2015, https://arxiv.org/abs/1602.01321
    """

    name = "softexponential"

    def __init__(self, alpha: float = 0.0) -> None:
        self.alpha = number("alpha", alpha)
        super().__init__(alpha=self.alpha)

    @in_float64
    def forward(self, x: Array) -> Array:
        alpha, divisor, t, u = self._parts(x)
        with np.errstate(all="ignore"):
            # far to the left, 1 / alpha is taken from alpha before the exponential joins them
            limit = (alpha - 1) * (alpha + 1) / divisor
            exponential = np.where(
                t < -0.5, np.exp(t) / divisor + limit, np.expm1(t) / divisor + alpha
            )
            logarithm = -np.log1p(u) / divisor
        return np.where(alpha > 0, exponential, np.where(alpha < 0, logarithm, x))

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        alpha, _, t, u = self._parts(x)
        with np.errstate(all="ignore"):
            below = np.where(u < -1, np.nan, 1 / (1 + u))
            return np.where(alpha > 0, np.exp(t), np.where(alpha < 0, below, constant(x, 1)))

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = x.astype(np.float64, copy=False)
        alpha, _, t, u = self._parts(x)
        with np.errstate(all="ignore"):
            rising = 1 + x * x * _divided(t, (t * np.exp(t) - np.expm1(t)), _RISING)
            falling = (x + alpha) ** 2 * _divided(u, np.log1p(u) - u / (1 + u), _FALLING)
            return {"alpha": np.where(alpha >= 0, rising, falling + 1 / (1 + u))}

    def _parts(self, x: Array) -> tuple[Array, Array, Array, Array]:
        """Return alpha, alpha but 1 for 0, alpha x for alpha > 0, -alpha (x + alpha) for < 0."""
        alpha = np.asarray(self.params["alpha"], np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            t = np.where(alpha > 0, alpha * x, 0)
            u = np.where(alpha < 0, -alpha * (x + alpha), 0)
        return alpha, alpha + (alpha == 0), t, u


_RISING = (1 / 2, 1 / 3, 1 / 8, 1 / 30, 1 / 144)  # (t e^t - e^t + 1) / t^2
_FALLING = (1 / 2, -2 / 3, 3 / 4, -4 / 5, 5 / 6)  # (ln(1 + u) - u / (1 + u)) / u^2


def _divided(t: Array, numerator: Array, series: tuple[float, ...]) -> Array:
    """Return numerator / t^2, near t = 0 from its power series."""
    total = np.zeros_like(t)
    for coefficient in reversed(series):
        total = total * t + coefficient
    return np.where(np.abs(t) < 3e-3, total, numerator / (t * t))


class XIELU(Learnable):
    """alpha_p x^2 + beta x for x > 0, alpha_n (e^x - 1 - x) + beta x for x <= 0.

    The integral of ELU, one pair of learnable alphas per layer. They are stored as
    raw_alpha_p and raw_alpha_n, with alpha_p = softplus(raw_alpha_p) > 0 and alpha_n = beta +
    softplus(raw_alpha_n) > beta, which makes f grow on both sides; the arguments alpha_p and
    alpha_n are the initial values of the alphas themselves. f'(0) = beta. The reference code
    evaluates e^x - 1 at min(x, -1e-6); this does not, which keeps f smooth.
    Huang & Schlag 2024, Deriving Activation Functions Using Integration,
    https://arxiv.org/abs/2411.13010
    """

    name = "xielu"
    parameters_per_unit = False

    def __init__(self, alpha_p: float = 0.8, alpha_n: float = 0.8, beta: float = 0.5) -> None:
        self.beta = number("beta", beta)
        self.alpha_p = number("alpha_p", alpha_p, above=0)
        self.alpha_n = number("alpha_n", alpha_n, above=self.beta)
        super().__init__(
            raw_alpha_p=_softplus_inverse(self.alpha_p),
            raw_alpha_n=_softplus_inverse(self.alpha_n - self.beta),
        )
        self._initial = dict(self.params)

    @in_float64
    def forward(self, x: Array) -> Array:
        alpha_p, alpha_n = self._alphas()
        high, low = np.maximum(x, 0), np.minimum(x, 0)
        with np.errstate(over="ignore", invalid="ignore"):
            right = (alpha_p * high + self.beta) * high
            curve, rest = two_product(alpha_n, np.expm1(low))
            left = (curve + (self.beta - alpha_n) * low) + rest
            return right + where_below(low, -1.0, lambda low: self._far_left(alpha_n, low), left)

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        alpha_p, alpha_n = self._alphas()
        with np.errstate(over="ignore"):
            right = 2 * alpha_p * np.maximum(x, 0)
            curve, rest = two_product(alpha_n, np.expm1(np.minimum(x, 0)))
            return (right + (curve + self.beta)) + rest

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        high, low = np.maximum(x, 0), np.minimum(x, 0)
        with np.errstate(over="ignore"):
            return {
                "raw_alpha_p": high * high * _sigmoid(self.params["raw_alpha_p"]),
                "raw_alpha_n": (np.expm1(low) - low) * _sigmoid(self.params["raw_alpha_n"]),
            }

    def _far_left(self, alpha_n: Array, low: Array) -> Array:
        """Return alpha_n e^x - (alpha_n - beta) x - alpha_n, whose parts cancel at x = -2.43."""
        slope, slope_rest = two_sum(self.beta, -alpha_n)
        line, line_rest = two_product(slope, np.maximum(low, -1e5))
        line_rest = np.where(low < -1e5, 0.0, line_rest + slope_rest * low)
        line, sum_rest = two_sum(np.where(low < -1e5, slope * low, line), -alpha_n)
        return line + (alpha_n * np.exp(low) + (line_rest + np.where(low < -1e5, 0.0, sum_rest)))

    def _alphas(self) -> tuple[Array, Array]:
        raw_p = np.asarray(self.params["raw_alpha_p"], np.float64)
        raw_n = np.asarray(self.params["raw_alpha_n"], np.float64)
        if raw_p.ndim == raw_n.ndim == 0 and self.params == self._initial:
            # the very numbers, not what two logarithms have left of them
            return np.asarray(self.alpha_p), np.asarray(self.alpha_n)
        return np.logaddexp(0, raw_p), self.beta + np.logaddexp(0, raw_n)


def _softplus_inverse(y: float) -> float:
    return y + math.log(-math.expm1(-y))


def _sigmoid(x: Any) -> Any:
    return np.exp(-np.logaddexp(0, -x))
