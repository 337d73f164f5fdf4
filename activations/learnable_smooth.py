"""Smooth functions with learnable parameters: normalising, gating and periodic ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from activations.base import Array, in_float64, number
from activations.learnable import Learnable
from activations.periodic import sine_and_cosine
from activations.self_gated import Swish
from activations.special import (
    NO_OVERFLOW,
    SQUARE_ROOT_2,
    SUBNORMAL,
    TWO_OVER_SQUARE_ROOT_PI,
    erf,
    erf_derivative,
    exp_of_sum,
    normal_cdf,
    two_product,
    two_sum,
    where_below,
)

LARGEST_ARGUMENT = 800.0  # e^-800 = 0: all these functions have reached their limits


def _product_within(factor: Any, x: Array) -> tuple[Array, Array, Array]:
    """Return x cut to |factor x| <= 800, and factor x in two pieces."""
    factor = np.asarray(factor, np.float64)
    end = LARGEST_ARGUMENT / np.maximum(np.abs(factor), 1e-280)
    cut = np.minimum(np.maximum(x, -end), end)
    return (cut, *two_product(factor, cut))


def _times(factor: Any, x: Array) -> Array:
    """Return factor x, with 0 times infinity 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(factor == 0, 0 * np.sign(x), factor * x)


class DyT(Learnable):
    """gain tanh(alpha x) + shift, all learnable. Range shift -+ gain.

    Meant in place of a normalisation layer; alpha is per unit here, per layer in the paper.
    Zhu et al. 2025, Transformers without Normalization, https://arxiv.org/abs/2503.10622
    """

    name = "dyt"

    def __init__(self, alpha: float = 0.5, gain: float = 1.0, shift: float = 0.0) -> None:
        self.alpha = number("alpha", alpha)
        self.gain = number("gain", gain)
        self.shift = number("shift", shift)
        super().__init__(alpha=self.alpha, gain=self.gain, shift=self.shift)

    @in_float64
    def forward(self, x: Array) -> Array:
        _, p, _ = _product_within(self.params["alpha"], x)
        return self.params["gain"] * np.tanh(p) + self.params["shift"]

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        return self.params["gain"] * self.params["alpha"] * self._bell(x)[1]

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        cut, bell = self._bell(x.astype(np.float64, copy=False))
        return {
            "alpha": self.params["gain"] * cut * bell,
            "gain": np.tanh(self.params["alpha"] * cut),
            "shift": np.ones_like(x),
        }

    def _bell(self, x: Array) -> tuple[Array, Array]:
        """Return x cut and sech^2(alpha x)."""
        cut, p, rest = _product_within(self.params["alpha"], x)
        w = exp_of_sum(-2 * np.abs(p), np.copysign(2, -p) * rest)
        return cut, 4 * w / ((1 + w) * (1 + w))


class Derf(Learnable):
    """gain erf(alpha x + offset) + shift, all learnable, one set per unit. Range shift -+ gain.

    DyT's successor.
    Chen et al. 2025, Stronger Normalization-Free Transformers, https://arxiv.org/abs/2512.10938
    """

    name = "derf"

    def __init__(
        self, alpha: float = 0.5, offset: float = 0.0, gain: float = 1.0, shift: float = 0.0
    ) -> None:
        self.alpha = number("alpha", alpha)
        self.offset = number("offset", offset)
        self.gain = number("gain", gain)
        self.shift = number("shift", shift)
        super().__init__(alpha=self.alpha, offset=self.offset, gain=self.gain, shift=self.shift)

    @in_float64
    def forward(self, x: Array) -> Array:
        _, u, _ = self._argument(x)
        return self.params["gain"] * erf(u) + self.params["shift"]

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        _, u, rest = self._argument(x)
        return (self.params["gain"] * self.params["alpha"]) * _bell(u, rest)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        cut, u, rest = self._argument(x.astype(np.float64, copy=False))
        bell = self.params["gain"] * _bell(u, rest)
        return {
            "alpha": cut * bell,
            "offset": bell,
            "gain": erf(u),
            "shift": np.ones_like(x),
        }

    def _argument(self, x: Array) -> tuple[Array, Array, Array]:
        cut, p, rest = _product_within(self.params["alpha"], x)
        u, more = two_sum(p, np.asarray(self.params["offset"], np.float64))
        return cut, u, rest + more


def _bell(u: Array, rest: Array) -> Array:
    """Return erf'(u + rest) for a tiny rest."""
    return erf_derivative(u) * (1 - 2 * np.minimum(np.maximum(u, -40), 40) * rest)


class ACONC(Learnable):
    """(p1 - p2) x sigmoid(beta (p1 - p2) x) + p2 x, all learnable, one set per unit.

    A smooth maximum of p1 x and p2 x, its asymptotes. The defaults p1 = 1, p2 = 0 give swish
    (ACON-A), p2 = 0.25 ACON-B; the paper's code draws p1 and p2 from N(0, 1).
    Ma et al. 2021, Activate or Not, https://arxiv.org/abs/2009.04759
    """

    name = "acon_c"

    def __init__(self, p1: float = 1.0, p2: float = 0.0, beta: float = 1.0) -> None:
        self.p1 = number("p1", p1)
        self.p2 = number("p2", p2)
        self.beta = number("beta", beta, minimum=-1e6, maximum=1e6)
        super().__init__(p1=self.p1, p2=self.p2, beta=self.beta)

    @in_float64
    def forward(self, x: Array) -> Array:
        difference, swish = self._swish()
        return _times(difference, swish.forward(x)) + _times(self.params["p2"], x)

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        difference, swish = self._swish()
        return difference * swish.derivative(x, x) + self.params["p2"]

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = x.astype(np.float64, copy=False)
        difference, swish = self._swish()
        share = swish.derivative(x, x)
        z = np.exp(-np.abs(_product_within(swish.params["beta"], x)[1]))
        bell = z / ((1 + z) * (1 + z))
        return {
            "p1": x * share,
            "p2": x * (1 - share),
            "beta": (difference * x) ** 2 * bell,
        }

    def _swish(self) -> tuple[Any, Swish]:
        """Return p1 - p2 and x sigmoid(beta (p1 - p2) x)."""
        difference = self.params["p1"] - self.params["p2"]
        swish = Swish()
        swish.params["beta"] = self.params["beta"] * difference
        return difference, swish


class SMU(Learnable):
    """x (alpha + (1 - alpha) (1 + erf(u)) / 2) with u = mu (1 - alpha) x, mu learnable.

    A smooth leaky rectifier of slope alpha, one mu per layer: alpha = 0, mu = 1 / sqrt(2) is
    GELU, mu -> inf leaky_relu. The paper's SMU starts at mu = 10^6.
    Biswas et al. 2022, https://arxiv.org/abs/2111.04682
    """

    name = "smu"
    parameters_per_unit = False

    def __init__(self, alpha: float = 0.25, mu: float = 1e6, learnable: bool = True) -> None:
        self.alpha = number("alpha", alpha)
        self.mu = number("mu", mu)
        super().__init__(learnable, mu=self.mu)
        self.learnable = learnable

    @in_float64
    def forward(self, x: Array) -> Array:
        _, u = self._argument(x)
        share = self.alpha + (1 - self.alpha) * normal_cdf(SQUARE_ROOT_2 * u)
        return _times(share, x)

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        _, u = self._argument(x)
        bracket = normal_cdf(SQUARE_ROOT_2 * u) + 0.5 * u * erf_derivative(u)
        return self.alpha + (1 - self.alpha) * bracket

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        cut, u = self._argument(x.astype(np.float64, copy=False))
        return {"mu": 0.5 * ((1 - self.alpha) * cut) ** 2 * erf_derivative(u)}

    def _argument(self, x: Array) -> tuple[Array, Array]:
        cut, u, _ = _product_within(self.current("mu") * (1 - self.alpha), x)
        return cut, u


class ErfAct(Learnable):
    """x erf(alpha e^(beta x)), both learnable, one pair per layer. Range (-0.27, inf) at first.

    Biswas et al. 2022, ErfAct and Pserf, https://arxiv.org/abs/2109.04386
    """

    name = "erfact"
    parameters_per_unit = False

    def __init__(self, alpha: float = 0.75, beta: float = 0.75) -> None:
        self.alpha = number("alpha", alpha)
        self.beta = number("beta", beta)
        super().__init__(alpha=self.alpha, beta=self.beta)

    @in_float64
    def forward(self, x: Array) -> Array:
        alpha, cut, p, rest, gate = self._gate(x)

        def tail(p_in_tail: Array) -> Array:
            half = exp_of_sum(p_in_tail / 2, rest / 2)
            return (cut * (alpha * TWO_OVER_SQUARE_ROOT_PI) * half) * half

        open_side = np.where(p < 0, cut, x)  # where the gate is shut, x may be infinite
        return where_below(p, SUBNORMAL, tail, open_side * erf(gate))

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        alpha, _, p, rest, gate = self._gate(x)

        def tail(p_in_tail: Array) -> Array:
            half = exp_of_sum(p_in_tail / 2, rest / 2)
            return ((1 + p) * (alpha * TWO_OVER_SQUARE_ROOT_PI) * half) * half

        slope = erf(gate) + p * (gate * erf_derivative(gate))
        return where_below(p, SUBNORMAL, tail, slope)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        alpha, cut, p, rest, gate = self._gate(x.astype(np.float64, copy=False))
        shared = cut * exp_of_sum(np.minimum(p, NO_OVERFLOW), rest) * erf_derivative(gate)
        return {"alpha": shared, "beta": alpha * cut * shared}

    def _gate(self, x: Array) -> tuple[Any, Array, Array, Array, Array]:
        """Return alpha, x cut to |beta x| <= 800, beta x in two pieces, alpha e^(beta x)."""
        alpha = self.params["alpha"]
        cut, p, rest = _product_within(self.params["beta"], x)
        return alpha, cut, p, rest, alpha * exp_of_sum(np.minimum(p, NO_OVERFLOW), rest)


class Snake(Learnable):
    """x + sin(alpha x)^2 / alpha, alpha learnable if asked, one per unit. Range (-inf, inf).

    alpha = 0 is the identity, the limit. f' = 1 + sin(2 alpha x), written (sin + cos)^2.
    Beyond |alpha x| = 10^290 the phase is taken there.
    Ziyin, Hartwig & Ueda 2020, https://arxiv.org/abs/2006.08195
    """

    name = "snake"

    def __init__(self, alpha: float = 1.0, learnable: bool = False) -> None:
        self.alpha = number("alpha", alpha)
        super().__init__(learnable, alpha=self.alpha)
        self.learnable = learnable

    @in_float64
    def forward(self, x: Array) -> Array:
        alpha, sine, _ = self._waves(x)
        return x + sine * (sine / (alpha + (alpha == 0)))

    @in_float64
    def derivative(self, x: Array, y: Array) -> Array:
        _, sine, cosine = self._waves(x)
        root = sine + cosine
        return np.where(np.isinf(x), np.nan, root * root)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = x.astype(np.float64, copy=False)
        alpha, sine, cosine = self._waves(x)
        phase = alpha * x
        ratio = np.where(phase == 0, 1, sine / (phase + (phase == 0)))
        return {"alpha": x * x * (ratio * (2 * cosine - ratio))}

    def _waves(self, x: Array) -> tuple[Array, Array, Array]:
        alpha = np.asarray(self.current("alpha"), np.float64)
        end = 1e290 / np.maximum(np.abs(alpha), 1)
        p, rest = two_product(alpha, np.minimum(np.maximum(x, -end), end))
        return (alpha, *sine_and_cosine(p, rest))
