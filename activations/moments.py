"""Means over a normal input: E f(z), E f(z)^2, E f'(z)^2, and E f(z1) f(z2) of a correlated pair.

All means are Gauss-Legendre quadratures over g ~ N(0, 1) with z = sqrt(variance) g. The range is
cut into pieces at the kinks, with 8 nodes per piece. A piece is halved until the sum of its halves
agrees with the whole, which also resolves steep slopes and undeclared kinks and jumps. A mean that
does not exist, or that float64 cannot represent, raises ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from activations.base import Activation, Array, Elementwise
from activations.functions.gated import Gated

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
PIECE = 0.125
"""Width of the widest pieces, in standard deviations."""
RANGES = (12.0, 38.0)
"""The quadrature covers [-range, range], in standard deviations. The wider range is for functions
that grow like e^x; at its ends the density is about the smallest float64."""
TOLERANCE = 1e-14
"""Largest error of a piece, relative to E |f|."""
LEVELS = 60
"""Most halvings of a piece. At a jump 40 are enough; at a pole such as 1/z none are."""
MOST_PIECES = 10_000
SAMPLED_ROWS = 4096
TERMS = 1024
"""Terms of the Hermite series. For ReLU's kink, the terms left out are 3e-6 of E f^2."""


class Quadrature(NamedTuple):
    """Sorted nodes g, weights that include the density of N(0, 1), and function values.

    g and weights have shape (nodes,), values (nodes,) or (functions, nodes).
    """

    g: Array
    weights: Array
    values: Array


def gaussian_quadrature(
    function: Callable[[Array], Array], variance: float = 1.0, kinks: Sequence[float] = ()
) -> Quadrature:
    """Return nodes and weights that integrate ``function`` of z = sqrt(variance) g to about 1e-13.

    ``function`` takes z of shape (n,) and returns (n,), or (functions, n) for several functions.
    ``kinks`` are the z where the function or a derivative jumps. Raises ValueError if the function
    is not finite at a node, or grows so fast that its mean is beyond float64.
    """
    if not 0 < variance < math.inf:
        raise ValueError(f"variance must be positive and finite, got {variance:g}")
    scale = math.sqrt(variance)
    for reach in RANGES:
        found, at_the_ends = _integrated(function, scale, kinks, reach)
        if at_the_ends < 1e-16:
            return found
    raise ValueError(f"it grows too fast for a mean over N(0, {variance:.4g})")


def gaussian_mean(
    function: Callable[[Array], Array], variance: float = 1.0, kinks: Sequence[float] = ()
) -> Any:
    """Return E function(sqrt(variance) g), g ~ N(0, 1): a float, or (functions,) for several.

    The arguments and errors are those of ``gaussian_quadrature``.
    """
    _, weights, values = gaussian_quadrature(function, variance, kinks)
    mean = values @ weights
    return mean if mean.ndim else float(mean)


def _integrated(
    function: Callable[[Array], Array], scale: float, kinks: Sequence[float], reach: float
) -> tuple[Quadrature, float]:
    """Return the quadrature, and the largest share of the outermost pieces in a mean."""
    edges = _edges(scale, kinks, reach)
    low, width = edges[:-1], np.diff(edges)
    coarse = _Pieces.of(function, scale, low, width)
    total = np.abs(coarse.means).sum(axis=-1, keepdims=True)
    parts: list[_Pieces] = []
    for _ in range(LEVELS):
        fine = _Pieces.of(
            function,
            scale,
            np.stack([coarse.low, coarse.low + coarse.width / 2], axis=-1).ravel(),
            np.repeat(coarse.width / 2, 2),
        )
        halves = fine.means.reshape(*coarse.means.shape, 2).sum(axis=-1)
        total = np.maximum(total, np.abs(fine.means).sum(axis=-1, keepdims=True))
        off = (np.abs(halves - coarse.means) > TOLERANCE * total).any(axis=0)
        settled = np.repeat(~off, 2)
        parts.append(fine.chosen(settled))
        coarse = fine.chosen(~settled)
        if not off.any():
            break
        if len(coarse.low) > MOST_PIECES:
            raise ValueError("it varies too fast for a mean by quadrature")
    else:
        raise ValueError(f"it has no mean over N(0, {scale**2:.4g}): it is unbounded")
    low, width = (np.concatenate([getattr(one, key) for one in parts]) for key in ("low", "width"))
    values = np.concatenate([one.values for one in parts], axis=1)
    order = np.argsort(low)
    g = (low[:, None] + width[:, None] * (NODES + 1) / 2)[order].ravel()
    weights = _weights(low, width)[order].ravel()
    values = values[:, order].reshape(len(values), -1)
    outer = np.abs(g) > reach - PIECE
    share = np.abs(values[:, outer]) @ weights[outer] / np.maximum(total[:, 0], 1e-300)
    return Quadrature(g, weights, values if coarse.several else values[0]), float(share.max())


def _edges(scale: float, kinks: Sequence[float], reach: float) -> Array:
    """Return the ends of the pieces: multiples of PIECE, and the kinks.

    For a large scale, z changes by far more than 1 within one piece; then there are more ends near
    0, each half as far from it as the one before.
    """
    inner = PIECE * 0.5 ** np.arange(max(0, math.ceil(math.log2(max(scale, 1)))) + 1)
    at_kinks = np.array([kink / scale for kink in kinks if abs(kink) < reach * scale])
    grid = np.arange(-reach, reach + PIECE, PIECE)
    edges = np.unique(np.concatenate([grid, inner, -inner, at_kinks]))
    return edges[np.concatenate([[True], np.diff(edges) > 1e-15])]


def _weights(low: Array, width: Array) -> Array:
    g = low[:, None] + width[:, None] * (NODES + 1) / 2
    density = np.exp(-g * g / 2) / math.sqrt(2 * math.pi)
    return width[:, None] / 2 * WEIGHTS * density


@dataclass
class _Pieces:
    """Pieces from low to low + width, both of shape (pieces,).

    values has shape (functions, pieces, 8), means (functions, pieces).
    """

    low: Array
    width: Array
    values: Array
    means: Array
    several: bool

    @classmethod
    def of(
        cls, function: Callable[[Array], Array], scale: float, low: Array, width: Array
    ) -> _Pieces:
        g = low[:, None] + width[:, None] * (NODES + 1) / 2
        with np.errstate(all="ignore"):
            values = np.asarray(function(scale * g.ravel()), np.float64)
            rows = np.atleast_2d(values).reshape(-1, *g.shape)
            means = (rows * _weights(low, width)).sum(axis=-1)
        if not np.isfinite(rows).all():
            at = scale * g[~np.isfinite(rows).all(axis=0)][0]
            raise ValueError(f"it has no mean over N(0, {scale**2:.4g}): not finite at {at:.4g}")
        return cls(low, width, rows, means, values.ndim > 1)

    def chosen(self, which: Array) -> _Pieces:
        values, means = self.values[:, which], self.means[:, which]
        return _Pieces(self.low[which], self.width[which], values, means, self.several)


@dataclass(frozen=True)
class Moments:
    """Moments of y = f(z), or y = first(a) second(b) for a gated unit; z, a, b ~ N(0, variance).

    Attributes:
        variance: variance of the input.
        mean, second_moment: E y and E y^2.
        slope_second_moment: E (dy/dz)^2 with the derivative that backpropagation uses. If an output
            has several inputs, it is summed over them.
        growth: d E y^2 / d variance.
    """

    variance: float
    mean: float
    second_moment: float
    slope_second_moment: float
    growth: float

    @property
    def deviation(self) -> float:
        """Standard deviation of y."""
        return math.sqrt(max(self.second_moment - self.mean**2, 0.0))

    @property
    def gain(self) -> float:
        """1 / sqrt(E y^2): weights with this gain keep the variance. Infinite if y = 0."""
        return 1 / math.sqrt(self.second_moment) if self.second_moment > 0 else math.inf


def moments(activation: Activation, variance: float = 1.0, units: int | None = None) -> Moments:
    """Return the moments of an activation, with learnable parameters at their initial values.

    Elementwise and gated functions are integrated by quadrature. For a function of a whole row of
    ``units`` outputs, the moments are means over random rows from a fixed seed. Raises TypeError
    for such a function without ``units``, ValueError if a moment does not exist.

    At variance q, d E f^2 / dq = E f^2 (g^2 - 1) / 2q. This differentiates the density and not f,
    so it holds for kinks and jumps.
    """
    if isinstance(activation, Gated):
        a, b = moments(activation.first, variance), moments(activation.second, variance)
        return Moments(
            variance,
            a.mean * b.mean,
            a.second_moment * b.second_moment,
            a.slope_second_moment * b.second_moment + a.second_moment * b.slope_second_moment,
            a.growth * b.second_moment + a.second_moment * b.growth,
        )
    if units is not None and not isinstance(activation, Elementwise):
        return _sampled(activation, variance, units)
    function = elementwise(activation)

    def integrands(z: Array) -> Array:
        y, slope = function.value_and_derivative(z)
        growth = y * y * (z * z / variance - 1) / (2 * variance)
        return np.stack([y, y * y, slope * slope, growth])

    return Moments(variance, *gaussian_mean(integrands, variance, function.kinks).tolist())


def sampled_rows(activation: Activation, units: int, rows: int = SAMPLED_ROWS) -> Array:
    """Return standard normal inputs for ``units`` outputs, shape (1, rows, inputs), fixed seed."""
    inputs = round(units * activation.inputs_per_output)
    return np.random.default_rng(0).standard_normal((1, rows, inputs))


def _sampled(activation: Activation, variance: float, units: int) -> Moments:
    """Return moments as means over random rows; E |dy/dz|^2 = E |J^T v|^2 for random signs v."""
    rows = sampled_rows(activation, units, max(64, min(SAMPLED_ROWS, 2**18 // units)))
    z = math.sqrt(variance) * rows
    y = activation.forward(z)
    signs = np.where(np.random.default_rng(1).random(y.shape) < 0.5, -1.0, 1.0)
    slopes = np.sum(activation.backward(z, y, signs) ** 2) / y.size
    step = 1e-3
    above, below = (
        float(np.mean(activation.forward(math.sqrt(variance * (1 + s)) * rows) ** 2))
        for s in (step, -step)
    )
    second = float(np.mean(y * y))
    if not math.isfinite(second + slopes):
        raise ValueError(f"it has no mean over N(0, {variance:.4g})")
    growth = (above - below) / (2 * step * variance)
    return Moments(variance, float(y.mean()), second, float(slopes), growth)


def elementwise(activation: Activation) -> Elementwise:
    """Return the activation if it is elementwise; else raise TypeError."""
    if not isinstance(activation, Elementwise):
        raise TypeError(
            f"{activation.name} is a function of a whole row: it has no moments of one input"
        )
    return activation


class Covariance:
    """E f(z1) f(z2) as a function of the correlation c of z1, z2 ~ N(0, variance).

    It is the sum over n of a_n^2 c^n (Mehler's formula) with the Hermite coefficients
    a_n = E f(sqrt(variance) g) He_n(g) / sqrt(n!). If f has kinks or jumps, the series converges
    slowly, and the a_n^2 beyond ``TERMS`` are modelled by a power of n. Its factor and exponent
    follow from E f^2 and E f'^2, so the value and the slope at c = 1 are exact.

    Raises TypeError for a function of a whole row, ValueError if a mean does not exist.
    """

    def __init__(self, activation: Activation, variance: float = 1.0) -> None:
        self.factors: list[Covariance] = []
        if isinstance(activation, Gated):
            parts = (activation.first, activation.second)
            self.factors = [Covariance(part, variance) for part in parts]
            return
        function = elementwise(activation)

        def integrands(z: Array) -> Array:
            y, slope = function.value_and_derivative(z)
            return np.stack([y, slope, y * y, slope * slope])

        g, weights, values = gaussian_quadrature(integrands, variance, function.kinks)
        _, _, self.at_one, slope_at_one = (values @ weights).tolist()
        jumps = _jumps(function, math.sqrt(variance) * g, values[0], values[1])
        self.slope_at_one = math.inf if jumps else variance * slope_at_one
        self.squares = _hermite_squares(g, weights * values[0], self.at_one)
        n = np.arange(len(self.squares))
        self.rest = max(self.at_one - math.fsum(self.squares), 0.0)
        if self.rest <= 1e-13 * self.at_one:
            self.rest = 0.0
        last = self.squares[-64:]
        odd = float(last[n[-64:] % 2 == 1].sum() / max(last.sum(), 1e-300))
        self.sign = 1 - 2 * odd  # sign of the rest for c < 0
        # The rest begins at n = TERMS. For an even or odd function every second a_n is 0.
        self.start = TERMS - 0.5 - abs(self.sign) / 2
        self.power = 1.5  # for a jump
        if not jumps and self.rest:
            mean = (self.slope_at_one - float(n @ self.squares)) / self.rest / self.start
            self.power = min(max((2 * mean - 1) / (mean - 1), 2.05), 12.0) if mean > 1 else 12.0

    def __call__(self, c: Any) -> Any:
        """Return E f(z1) f(z2) for correlations c in [-1, 1], a number or an array."""
        c = np.asarray(c, np.float64)
        if self.factors:
            return math.prod(factor(c) for factor in self.factors)
        found = np.polynomial.polynomial.polyval(c, self.squares) + self._rest(c)
        return np.where(c == 1, self.at_one, found)[()]

    def slope(self, c: Any) -> Any:
        """Return the derivative with respect to c; at c = 1 it is infinite if f jumps."""
        c = np.asarray(c, np.float64)
        if self.factors:
            first, second = self.factors
            return first.slope(c) * second(c) + first(c) * second.slope(c)
        slopes = np.polynomial.polynomial.polyder(self.squares)
        inside = np.polynomial.polynomial.polyval(c, slopes)
        if self.rest:
            step = 1e-4 * (1 - np.abs(c)) + 1e-12
            low = self._rest(np.clip(c - step, -1, 1))
            inside = inside + (self._rest(np.clip(c + step, -1, 1)) - low) / (2 * step)
        return np.where(c == 1, self.slope_at_one, inside)[()]

    def _rest(self, c: Array) -> Any:
        """Return the sum of a_n^2 c^n over n >= TERMS for a_n^2 proportional to n^-p.

        With N = start and x = -N ln |c| it is rest (p - 1) times the integral of t^-p e^(-x t) from
        t = 1 to infinity. The variable of integration is v = t^(-1/2).
        """
        if not self.rest:
            return 0.0
        v, weights = np.polynomial.legendre.leggauss(64)
        v, weights = (v + 1) / 2, weights / 2
        with np.errstate(divide="ignore"):
            x = -self.start * np.log(np.abs(c))
        shares = np.exp(-x[..., None] / v**2) @ (weights * 2 * v ** (2 * self.power - 3))
        return self.rest * (self.power - 1) * shares * np.where(c < 0, self.sign, 1)


def _hermite_squares(g: Array, weighted: Array, total: float) -> Array:
    """Return a_n^2 for n < TERMS, or fewer if they already add up to ``total``.

    The polynomials h_n = He_n / sqrt(n!) follow the recurrence
    h_(n+1) = (g h_n - sqrt(n) h_(n-1)) / sqrt(n + 1).
    """
    before, here = np.zeros_like(g), np.ones_like(g)
    squares: list[float] = []
    found = 0.0
    for n in range(TERMS):
        squares.append(float(weighted @ here) ** 2)
        found += squares[-1]
        if total - found <= 1e-14 * total:
            break
        before, here = here, (g * here - math.sqrt(n) * before) / math.sqrt(n + 1)
    return np.array(squares)


def _jumps(function: Elementwise, z: Array, y: Array, slope: Array) -> bool:
    """Return whether f jumps, at a declared kink or between two neighbouring nodes z.

    Halving has made the nodes dense at an undeclared jump.
    """
    kinks = np.asarray(function.kinks, np.float64)
    if kinks.size:
        below, above = np.nextafter(kinks, -np.inf), np.nextafter(kinks, np.inf)
        low, high = function.forward(below), function.forward(above)
        if (np.abs(high - low) > 1e-9 * (1 + np.abs(low))).any():
            return True
    step, rise = np.diff(z), np.abs(np.diff(y))
    steepest = np.maximum(np.abs(slope[1:]), np.abs(slope[:-1]))
    dense = step < 1e-6 * (1 + np.abs(z[1:]))
    return bool((dense & (rise > 1e-9 * (1 + np.abs(y[1:]))) & (rise > 10 * step * steepest)).any())
