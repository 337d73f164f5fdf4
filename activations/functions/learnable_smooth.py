"""Smooth functions with learnable parameters: S-shaped, self-gated and periodic ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from activations.arguments import parameter, true_or_false
from activations.base import Array
from activations.functions.indicators import constant
from activations.functions.learnable import Learnable
from activations.functions.periodic import sine_and_cosine
from activations.functions.self_gated import sqrt_of_sigmoid_derivative
from activations.functions.sigmoidal import exponential_in_two
from activations.functions.special import (
    FAR,
    GAUSSIAN_END,
    INVERSE_SQRT_PI,
    LARGEST_EXPONENT,
    SUBNORMAL,
    TWO_OVER_SQRT_PI,
    bounded_product,
    erf,
    erf_derivative,
    erfc_parts,
    exp_of_square,
    exp_of_sum,
    finite,
    two_product,
    two_sum,
    where_below,
)


def _times(factor: Any, x: Array) -> Array:
    """Return factor x, where 0 times infinity is 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(factor == 0, 0 * np.sign(x), factor * x)


def _times_square(factor: Any, x: Array, half: Array) -> Array:
    """Return factor x half^2; a partial product may overflow or underflow, the result may not."""
    weight = factor * half * half
    return np.where(np.abs(weight) > 1e-250, weight * x, ((x * half) * factor) * half)


class DyT(Learnable, float64=True):
    """gain tanh(alpha x) + shift, all learnable, one set per unit. Range shift -+ gain.

    f' = gain alpha / cosh(alpha x)^2. Proposed instead of a normalisation layer. In the paper
    there is one alpha per layer.
    Zhu et al. 2025, Transformers without Normalization, https://arxiv.org/abs/2503.10622
    """

    name = "dyt"
    alpha = parameter(0.5, learned=True)
    gain = parameter(1.0, learned=True)
    shift = parameter(0.0, learned=True)

    def forward(self, x: Array) -> Array:
        p, _ = bounded_product(self.wide("alpha"), x)
        rising = self.wide("gain") * np.tanh(p)
        # where p may be subnormal, f is linear
        steepest = self.wide("gain") * self.wide("alpha")
        rising = where_below(np.abs(p), 1e-290, lambda _: steepest * np.clip(x, -1, 1), rising)
        return rising + self.wide("shift")

    def derivative(self, x: Array, y: Array) -> Array:
        _, half = self._parts(x)
        return ((self.wide("gain") * self.wide("alpha")) * half) * half

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = x.astype(np.float64, copy=False)
        p, half = self._parts(x)
        with np.errstate(over="ignore"):
            return {
                "alpha": _times_square(self.wide("gain"), finite(x), half),
                "gain": np.tanh(p),
                "shift": constant(x, 1),
            }

    def _parts(self, x: Array) -> tuple[Array, Array]:
        """Return alpha x and 1 / cosh(alpha x), whose square may be subnormal."""
        p, rest = bounded_product(self.wide("alpha"), x)
        root = exp_of_sum(-np.abs(p), np.copysign(1, -p) * rest)
        return p, 2 * root / (1 + root * root)


class Derf(Learnable, float64=True):
    """gain erf(alpha x + offset) + shift, all learnable, one set per unit. Range shift -+ gain.

    f' = 2 / sqrt(pi) gain alpha e^(-(alpha x + offset)^2). Proposed as the successor of dyt.
    Chen et al. 2025, Stronger Normalization-Free Transformers, https://arxiv.org/abs/2512.10938
    """

    name = "derf"
    alpha = parameter(0.5, learned=True)
    offset = parameter(0.0, minimum=-1000000.0, maximum=1000000.0, learned=True)
    gain = parameter(1.0, learned=True)
    shift = parameter(0.0, learned=True)

    def forward(self, x: Array) -> Array:
        u, rest = self._argument(x)
        rising = self.wide("gain") * _erf_of_sum(u, rest)
        # where u may be subnormal, f is linear
        steepest = self.wide("gain") * self.wide("alpha") * TWO_OVER_SQRT_PI
        tiny = (np.abs(x) < 1e-200) & (self.wide("offset") == 0)
        rising = (
            np.where(tiny & (np.abs(u) < 1e-290), steepest * x, rising) if tiny.any() else rising
        )
        return rising + self.wide("shift")

    def derivative(self, x: Array, y: Array) -> Array:
        half = _sqrt_of_erf_derivative(*self._argument(x))
        return ((self.wide("gain") * self.wide("alpha")) * half) * half

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = x.astype(np.float64, copy=False)
        u, rest = self._argument(x)
        half = _sqrt_of_erf_derivative(u, rest)
        with np.errstate(over="ignore"):
            return {
                "alpha": _times_square(self.wide("gain"), finite(x), half),
                "offset": (self.wide("gain") * half) * half,
                "gain": _erf_of_sum(u, rest),
                "shift": constant(x, 1),
            }

    def _argument(self, x: Array) -> tuple[Array, Array]:
        """Return alpha x + offset as a sum of two floats, clipped to [-40, 40]."""
        p, rest = bounded_product(self.wide("alpha"), x, 1e100)
        u, more = two_sum(p, self.wide("offset"))
        u, rest = two_sum(u, rest + more)
        inside = np.abs(u) < GAUSSIAN_END
        cut = np.minimum(np.maximum(u, -GAUSSIAN_END), GAUSSIAN_END)
        return cut, np.where(inside, rest, 0.0)


def _erf_of_sum(u: Array, rest: Array) -> Array:
    """Return erf(u + rest) for a rounding error rest."""
    return erf(u) + rest * erf_derivative(u)


def _sqrt_of_erf_derivative(u: Array, rest: Array) -> Array:
    """Return the square root of erf'(u + rest), because erf' itself may be subnormal."""
    return _ROOT * exp_of_square(np.abs(u), 0.5, -u * rest)


_ROOT = TWO_OVER_SQRT_PI**0.5


class ACONC(Learnable, float64=True):
    """(p1 - p2) x sigmoid(beta (p1 - p2) x) + p2 x, all learnable, one set per unit.

    f' = (p1 - p2) (s + u s (1 - s)) + p2 with u = beta (p1 - p2) x, s = sigmoid(u). f is a smooth
    maximum of p1 x and p2 x, its asymptotes. The defaults p1 = 1, p2 = 0 give swish (ACON-A);
    p2 = 0.25 gives ACON-B. The paper's code draws the initial p1 and p2 from N(0, 1).
    Ma et al. 2021, Activate or Not, https://arxiv.org/abs/2009.04759
    """

    name = "acon_c"
    p1 = parameter(1.0, learned=True)
    p2 = parameter(0.0, learned=True)
    beta = parameter(1.0, minimum=-1000000.0, maximum=1000000.0, learned=True)

    def forward(self, x: Array) -> Array:
        p, rest = self._argument(x)
        near, far = self._sides(p)
        z = exp_of_sum(-np.abs(p), np.copysign(1, -p) * rest)

        def tail(minus_a: Array) -> Array:
            half = exp_of_sum(minus_a / 2, np.copysign(0.5, -p) * rest)
            return _times(near, x) + ((far * half) * finite(x)) * half

        with np.errstate(over="ignore"):
            return where_below(-np.abs(p), SUBNORMAL, tail, _times((near + far * z) / (1 + z), x))

    def derivative(self, x: Array, y: Array) -> Array:
        p, rest = self._argument(x)
        near, far = self._sides(p)
        rising, falling, tail = _switch_slopes(p, rest)
        return near * rising + (far * falling) * tail

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = finite(x.astype(np.float64, copy=False))
        p, rest = self._argument(x)
        rising, falling, tail = _switch_slopes(p, rest)
        right = p >= 0
        with np.errstate(over="ignore"):
            rising, falling = x * rising, (x * falling) * tail
            difference = self.wide("p1") - self.wide("p2")
            root = sqrt_of_sigmoid_derivative(p, rest)
            root = (x * root) * difference
            return {
                "p1": np.where(right, rising, falling),
                "p2": np.where(right, falling, rising),
                "beta": root * root,
            }

    def _argument(self, x: Array) -> tuple[Array, Array]:
        """Return beta (p1 - p2) x as a sum of two floats."""
        p1, p2, beta = (self.wide(k) for k in ("p1", "p2", "beta"))
        difference, rest = two_sum(p1, -p2)
        factor, more = two_product(beta, difference)
        p, missing = bounded_product(factor, x)
        relative = (more + beta * rest) / (factor + (factor == 0))
        return p, missing + p * relative

    def _sides(self, p: Array) -> tuple[Array, Array]:
        """Return the slope of the asymptote on this side, and that of the other."""
        p1, p2 = self.wide("p1"), self.wide("p2")
        return np.where(p >= 0, p1, p2), np.where(p >= 0, p2, p1)


def _switch_slopes(p: Array, rest: Array) -> tuple[Array, Array, Array]:
    """Return (x sigmoid(x))' at |p|, and two factors whose product is its value at -|p|."""
    a = np.abs(p)
    half = exp_of_sum(-a / 2, np.copysign(0.5, -p) * rest)
    z = half * half
    d = 1 + z
    return ((1 + a * z) + z) / (d * d), ((1 - a) + z) / (d * d) * half, half


class SMU(Learnable, float64=True):
    """x (alpha + (1 - alpha) (1 + erf(u)) / 2) with u = mu (1 - alpha) x, mu learnable.

    f' = alpha + (1 - alpha) ((1 + erf(u)) / 2 + u e^(-u^2) / sqrt(pi)). f is a smooth leaky ReLU
    with one mu per layer. alpha = 0, mu = 1 / sqrt(2) gives GELU; for mu -> inf, f tends to
    leaky_relu. In the paper, mu starts at 10^6.
    Biswas et al. 2022, https://arxiv.org/abs/2111.04682
    """

    name = "smu"
    parameters_per_unit = False
    alpha = parameter(0.25)
    mu = parameter(1e6, learned=True)
    learnable = parameter(True, check=true_or_false)

    def forward(self, x: Array) -> Array:
        u, rest = self._argument(x)
        near, far = self._sides(u)
        a, ratio, half = erfc_parts(np.abs(u), np.copysign(1, u) * rest)

        def tail(_: Array) -> Array:
            return _times(near, x) + ((((far - near) * ratio) * half) * finite(x)) * half

        with np.errstate(over="ignore"):
            y = _times(near + (far - near) * (ratio * half * half), x)
            return where_below(-a, -26.0, tail, y)

    def derivative(self, x: Array, y: Array) -> Array:
        u, rest = self._argument(x)
        near, far = self._sides(u)
        a, ratio, half = erfc_parts(np.abs(u), np.copysign(1, u) * rest)
        bracket = ratio - INVERSE_SQRT_PI * a
        return near + (((far - near) * bracket) * half) * half

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = x.astype(np.float64, copy=False)
        u, rest = self._argument(x)
        _, _, half = erfc_parts(np.abs(u), np.copysign(1, u) * rest)
        with np.errstate(over="ignore"):
            root = (finite(x) * half) * (1 - self.alpha)
            return {"mu": INVERSE_SQRT_PI * root * root}

    def _argument(self, x: Array) -> tuple[Array, Array]:
        """Return mu (1 - alpha) x as a sum of two floats."""
        mu = self.wide("mu")
        difference, rest = two_sum(1.0, np.asarray(-self.alpha))
        factor, more = two_product(mu, difference)
        u, missing = bounded_product(factor, x)
        return u, missing + u * ((more + mu * rest) / (factor + (factor == 0)))

    def _sides(self, u: Array) -> tuple[Array, Array]:
        """Return the slope of the asymptote on this side, and that of the other."""
        return np.where(u >= 0, 1.0, self.alpha), np.where(u >= 0, self.alpha, 1.0)


_TWO_OVER_SQRT_PI_REST = 1.533545961316588e-17


class ErfAct(Learnable, float64=True):
    """x erf(alpha e^(beta x)), alpha and beta learnable, one pair per layer.

    Range [-0.4053, inf) at the initial parameters.
    f' = erf(n) + 2 / sqrt(pi) beta x n e^(-n^2) with n = alpha e^(beta x).
    Biswas et al. 2022, ErfAct and Pserf, https://arxiv.org/abs/2109.04386
    """

    name = "erfact"
    parameters_per_unit = False
    alpha = parameter(0.75, learned=True)
    beta = parameter(0.75, learned=True)

    def forward(self, x: Array) -> Array:
        p, rest, gate = self._gate(x)

        def tail(_: Array) -> Array:
            alpha = self.wide("alpha")
            factor, lost = two_product(TWO_OVER_SQRT_PI, alpha)
            lost = (lost + _TWO_OVER_SQRT_PI_REST * alpha) / (factor + (factor == 0))
            half = exp_of_sum(np.minimum(p, FAR) / 2, (rest + lost) / 2)
            return ((finite(x) * half) * factor) * half

        with np.errstate(over="ignore"):
            return where_below(self._size(p, gate), 1e-290, tail, _times(erf(gate), x))

    def derivative(self, x: Array, y: Array) -> Array:
        p, rest, gate = self._gate(x)

        def tail(_: Array) -> Array:
            half = exp_of_sum(np.minimum(p, FAR) / 2, rest / 2)
            return ((1 + p) * (self.wide("alpha") * TWO_OVER_SQRT_PI) * half) * half

        slope = erf(gate) + p * (gate * erf_derivative(gate))
        return where_below(self._size(p, gate), 1e-290, tail, slope)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = x.astype(np.float64, copy=False)
        p, rest, gate = self._gate(x)
        half = exp_of_sum(np.minimum(p, LARGEST_EXPONENT) / 2, rest / 2)
        half = half * exp_of_square(np.abs(gate), 0.5, -gate * self._lost(p, rest, gate))
        with np.errstate(over="ignore"):
            root = finite(x) * half
            return {
                "alpha": _times_square(TWO_OVER_SQRT_PI, finite(x), half),
                "beta": (TWO_OVER_SQRT_PI * root * self.wide("alpha")) * root,
            }

    @staticmethod
    def _size(p: Array, gate: Array) -> Array:
        """Return |gate|, or 0 where e^p is subnormal."""
        return np.where(p < SUBNORMAL, 0.0, np.abs(gate))

    def _lost(self, p: Array, rest: Array, gate: Array) -> Array:
        """Return the rounding error of the gate, which e^(-gate^2) amplifies."""
        high, low = exponential_in_two(np.minimum(np.maximum(p, -500), 500), rest)
        product, more = two_product(self.wide("alpha"), high)
        lost = ((product - gate) + more) + self.wide("alpha") * low
        return np.where((np.abs(gate) > 1e-100) & (np.abs(gate) < GAUSSIAN_END), lost, 0.0)

    def _gate(self, x: Array) -> tuple[Array, Array, Array]:
        """Return beta x as a sum of two floats, and alpha e^(beta x), clipped to [-40, 40]."""
        p, rest = bounded_product(self.wide("beta"), x)
        with np.errstate(over="ignore", invalid="ignore"):
            gate = self.wide("alpha") * exp_of_sum(np.minimum(p, LARGEST_EXPONENT), rest)
        gate = np.minimum(np.maximum(gate, -GAUSSIAN_END), GAUSSIAN_END)
        return p, rest, gate


class Snake(Learnable, float64=True):
    """x + sin(alpha x)^2 / alpha; alpha can be learnable, one per unit. Range (-inf, inf).

    f' = 1 + sin(2 alpha x), computed as (sin(alpha x) + cos(alpha x))^2. alpha = 0 gives the limit
    for alpha -> 0, the identity. For |alpha x| > 10^290, the phase is clipped to 10^290.
    Ziyin, Hartwig & Ueda 2020, https://arxiv.org/abs/2006.08195
    """

    name = "snake"
    alpha = parameter(1.0, learned=True)
    learnable = parameter(False, check=true_or_false)

    def forward(self, x: Array) -> Array:
        alpha, sine, _ = self._waves(x)
        with np.errstate(over="ignore"):
            return x + sine * (sine / (alpha + (alpha == 0)))

    def derivative(self, x: Array, y: Array) -> Array:
        _, sine, cosine = self._waves(x)
        root = sine + cosine
        return np.where(np.isinf(x), np.nan, root * root)

    def slopes(self, x: Array, y: Array) -> dict[str, Array]:
        x = x.astype(np.float64, copy=False)
        alpha, sine, cosine = self._waves(x)
        with np.errstate(over="ignore"):
            phase = alpha * x
        ratio = np.where(phase == 0, 1, sine / (phase + (phase == 0)))
        with np.errstate(over="ignore"):
            return {"alpha": (x * ratio) * (x * (2 * cosine - ratio))}

    def _waves(self, x: Array) -> tuple[Array, Array, Array]:
        alpha = self.wide("alpha")
        end = 1e290 / np.maximum(np.abs(alpha), 1)
        p, rest = two_product(alpha, np.minimum(np.maximum(x, -end), end))
        return (alpha, *sine_and_cosine(p, rest))
