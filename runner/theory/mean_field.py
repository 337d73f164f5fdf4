"""Mean-field theory of a wide network with its initial weights.

Let z = W a + b with W_ij ~ N(0, weight_std^2 / fan_in) and b ~ N(0, bias_std^2). In the limit of
infinite width every pre-activation z is normal. With g ~ N(0, 1), its variance q = E z^2 and the
correlation c of z for two inputs follow from the layer before:

    q' = weight_std^2 E f(sqrt(q) g)^2 + bias_std^2           the variance map
    c' = (weight_std^2 E f(z1) f(z2) + bias_std^2) / q'       the correlation map of two inputs
    chi = weight_std^2 E f'(sqrt(q) g)^2                      its slope at c = 1 if q' = q

Going backwards, each layer multiplies the mean square of the gradient by chi. If chi < 1, different
inputs become alike and gradients vanish (order). If chi > 1, similar inputs become different and
gradients explode (chaos). Poole et al. 2016, https://arxiv.org/abs/1606.05340; Schoenholz et al.
2017, https://arxiv.org/abs/1611.01232; Hayou et al. 2019, https://arxiv.org/abs/1902.06853

For a gated unit y = first(a) second(b), the theory takes a and b as independent. A layer with n
outputs has 2n pre-activations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

from activations.base import Activation, Array
from activations.functions.gated import Gated
from activations.moments import Covariance, Moments, elementwise, gaussian_mean, moments

LEAST_Q, MOST_Q = 1e-8, 1e6
"""Fixed points and the edge of chaos are searched between these variances."""
STEPS_A_DECADE = 10
FLAT = 1e-8
"""If |q' / q - 1| is below this over a range, all q in it are fixed points, as for ReLU with He."""
TRAINABLE = 6
"""Networks are trainable to a depth of about this times xi_c (Schoenholz et al. 2017, figure 5)."""


class FixedPoint(NamedTuple):
    """A variance q with q' = q; ``slope`` is dq'/dq there.

    ``low`` and ``high`` are q, or the ends of an interval in which every q is a fixed point.
    """

    q: float
    slope: float
    low: float
    high: float

    @property
    def stability(self) -> str:
        """ "stable", "unstable", or "neutral" if the slope is 1."""
        if abs(abs(self.slope) - 1) < 1e-6:
            return "neutral"
        return "stable" if abs(self.slope) < 1 else "unstable"


class EdgePoint(NamedTuple):
    """Weights and biases with chi = 1 at the fixed point q; ``slope`` is dq'/dq there."""

    weight_std: float
    bias_std: float
    q: float
    slope: float

    @property
    def holds(self) -> bool:
        """Whether the variance stays at q: at an unstable fixed point it does not."""
        return abs(self.slope) <= 1 + 1e-6


def variance_map(
    activation: Activation, q: float, weight_std: float, bias_std: float = 0.0
) -> float:
    """Return q' = weight_std^2 E f(sqrt(q) g)^2 + bias_std^2, the variance of the next layer."""
    return weight_std**2 * moments(activation, q).second_moment + bias_std**2


def variance_slope(activation: Activation, q: float, weight_std: float) -> float:
    """Return the slope dq'/dq of the variance map."""
    return weight_std**2 * moments(activation, q).growth


def chi(activation: Activation, q: float, weight_std: float) -> float:
    """Return weight_std^2 E f'(sqrt(q) g)^2, the factor of a gradient's mean square per layer.

    f' is the derivative that backpropagation uses, also if it is a straight-through estimator.
    """
    return weight_std**2 * moments(activation, q).slope_second_moment


def scan(activation: Activation) -> list[Moments]:
    """Return the moments at variances from LEAST_Q to MOST_Q, or up to where they are finite.

    The searches for fixed points and for the edge of chaos spend most of their time on this scan.
    To use one scan for several searches, pass it as ``known``.

    Raises TypeError for a function of a whole row.
    """
    low, high = (round(STEPS_A_DECADE * math.log10(end)) for end in (LEAST_Q, MOST_Q))
    found: list[Moments] = []
    for k in range(low, high + 1):
        try:
            found.append(moments(activation, 10 ** (k / STEPS_A_DECADE)))
        except ValueError:
            break
    return found


def variance_fixed_points(
    activation: Activation,
    weight_std: float,
    bias_std: float = 0.0,
    known: Sequence[Moments] | None = None,
) -> list[FixedPoint]:
    """Return the fixed points q' = q of the variance map from 0 to MOST_Q, in ascending order."""

    def gap(one: Moments) -> float:
        found = (weight_std**2 * one.second_moment + bias_std**2) / one.variance - 1
        return 0.0 if abs(found) < FLAT else found

    def at(q: float, low: float, high: float) -> FixedPoint:
        return FixedPoint(q, variance_slope(activation, max(q, LEAST_Q), weight_std), low, high)

    known = scan(activation) if known is None else known
    grid, gaps = [one.variance for one in known], [gap(one) for one in known]
    found = []
    begins = bool(known) and known[0].second_moment < 1e-3 and _vanishes_at_0(activation)
    if begins and bias_std == 0 and gaps[0] != 0:
        found.append(at(0.0, 0.0, 0.0))
    before = 0.0
    for is_flat, run in groupby(range(len(grid)), key=lambda k: gaps[k] == 0):
        places = list(run)
        first, last = places[0], places[-1]
        if not is_flat:
            for k in places[:-1]:
                if gaps[k] * gaps[k + 1] < 0:
                    q = _root(lambda q: gap(moments(activation, q)), grid[k], grid[k + 1])
                    found.append(at(q, q, q))
            before = gaps[last]
        elif len(places) > 3 * STEPS_A_DECADE:  # a short range only means that f is nearly a line
            low = 0.0 if first == 0 and bias_std == 0 else grid[first]
            high = math.inf if last == len(grid) - 1 else grid[last]
            found.append(at(min(max(1.0, grid[first]), grid[last]), low, high))
        elif last + 1 < len(grid) and before * gaps[last + 1] < 0:
            q = grid[(first + last) // 2]
            found.append(at(q, q, q))
    return found


def limit(activation: Activation, q: float, weight_std: float, bias_std: float = 0.0) -> float:
    """Return the limit of the variance over the layers, starting from q; may be 0 or infinity.

    NaN if it does not converge within 1,000 layers, for instance on a cycle.
    """
    for _ in range(1000):
        before = q
        try:
            q = variance_map(activation, q, weight_std, bias_std)
        except ValueError:  # E f^2 is infinite
            return math.inf
        if q < LEAST_Q:
            return 0.0
        if q > MOST_Q:
            return math.inf
        if abs(q - before) < 1e-10 * q:
            return q
    if abs(q - before) > 0.01 * q:
        return math.nan
    points = variance_fixed_points(activation, weight_std, bias_std)  # converges, but slowly
    if any(one.low <= q <= one.high for one in points):
        return q
    if q < before:
        return max((one.high for one in points if one.high < q), default=0.0)
    return min((one.low for one in points if one.low > q), default=math.inf)


class CorrelationMap:
    """c' = (weight_std^2 E f(z1) f(z2) + bias_std^2) / q' for two inputs, both of variance q.

    Raises ValueError if q' is 0.
    """

    def __init__(
        self, activation: Activation, q: float, weight_std: float, bias_std: float = 0.0
    ) -> None:
        self.covariance = Covariance(activation, q)
        self.weight_variance, self.bias_variance = weight_std**2, bias_std**2
        self.next_q = self.weight_variance * float(self.covariance(1.0)) + self.bias_variance
        if not self.next_q > 0:
            raise ValueError(f"a layer outputs 0 for inputs of variance {q:.4g}")

    def __call__(self, c: float | Array) -> Array:
        """Return c' for correlations in [-1, 1]."""
        covariance = self.covariance(c)
        return (self.weight_variance * covariance + self.bias_variance) / self.next_q

    def slope(self, c: float | Array) -> Array:
        """Return dc'/dc. At c = 1 it is chi q / q', or infinity if f jumps."""
        return self.weight_variance * self.covariance.slope(c) / self.next_q

    def fixed_point(self) -> float:
        """Return the limit of the correlation over the layers, for any two inputs of variance q.

        It is 1 if the slope at 1 is at most 1, else below 1: the map is convex on [0, 1].
        """
        near = 1 - 1e-9
        if self.slope(1.0) <= 1 + 1e-9 or self(near) >= near:  # allow for rounding
            return 1.0
        if abs(self(0.0)) < 1e-14:
            return 0.0
        return _root(lambda c: float(self(c)) - c, 0.0, near)


def depth_scale(slope: float) -> float:
    """Return xi = -1 / ln|slope| in layers: |slope|^l = e^(-l / xi). Infinite if |slope| >= 1."""
    size = abs(slope)
    if size >= 1 - 1e-9:  # allow for rounding and for the error of a fixed point
        return math.inf
    return -1 / math.log(size) if size > 0 else 0.0


def decorrelation(activation: Activation, q: float) -> float:
    """Return beta = 2 E f'^2 / (q E f''^2): 1 - c_l ~ beta / l at the edge of chaos, f smooth.

    Infinite if f'' is 0. NaN if f has kinks, because 1 - c_l then falls faster, for instance like
    1 / l^2 for ReLU. f'' is a finite difference of f'. Hayou et al. 2019, proposition 4,
    https://arxiv.org/abs/1902.06853
    """
    function = elementwise(activation)
    if function.kinks:
        return math.nan

    def squares(z: Array) -> Array:
        step = 1e-4 * np.maximum(1, np.abs(z))
        bend = (function.gradient(z + step) - function.gradient(z - step)) / (2 * step)
        return np.stack([function.gradient(z) ** 2, bend**2])

    slopes, bends = gaussian_mean(squares, q)
    return math.inf if bends == 0 else float(2 * slopes / (q * bends))


def edge_point(activation: Activation, q: float) -> EdgePoint | None:
    """Return the point of the edge of chaos whose fixed point is q, or None if there is none.

    weight_std^2 = 1 / E f'^2, so chi = 1. bias_std^2 = q - weight_std^2 E f^2; None if negative.
    """
    return _edge_of(moments(activation, q))


def _edge_of(one: Moments) -> EdgePoint | None:
    if one.slope_second_moment <= 0:
        return None
    weight = 1 / one.slope_second_moment
    bias = one.variance - weight * one.second_moment
    bias = 0.0 if abs(bias) < FLAT * one.variance else bias
    if bias < 0:
        return None
    return EdgePoint(math.sqrt(weight), math.sqrt(bias), one.variance, weight * one.growth)


def edge_curve(activation: Activation, known: Sequence[Moments] | None = None) -> list[EdgePoint]:
    """Return the edge of chaos for ascending q. For ReLU all points are (sqrt 2, 0)."""
    known = scan(activation) if known is None else known
    return [point for point in map(_edge_of, known) if point]


def edge_of_chaos(
    activation: Activation, bias_std: float, known: Sequence[Moments] | None = None
) -> list[EdgePoint]:
    """Return the points of the edge of chaos with this bias_std, stable fixed points first."""

    def gap(one: Moments) -> float:
        variance = one.variance - one.second_moment / one.slope_second_moment
        return (0.0 if abs(variance) < FLAT * one.variance else variance) - bias_std**2

    known = scan(activation) if known is None else known
    known = [one for one in known if one.slope_second_moment > 0]
    gaps = [gap(one) for one in known]
    found: list[EdgePoint | None] = []
    if known and bias_std == 0 and not any(gaps[: len(gaps) // 2]):
        found.append(edge_point(activation, 1.0))
    elif known and bias_std == 0 and _has_slope_at_0(known) and _vanishes_at_0(activation):
        weight = 1 / known[0].slope_second_moment
        found.append(EdgePoint(math.sqrt(weight), 0.0, 0.0, weight * known[0].growth))
    for before, after in pairwise(known):
        if gap(before) * gap(after) < 0:
            ends = before.variance, after.variance
            q = _root(lambda q: gap(moments(activation, q)), *ends)
            found.append(edge_point(activation, q))
    points = [point for point in found if point]
    return sorted(points, key=lambda point: (not point.holds, point.q))


def recommended(activation: Activation, known: Sequence[Moments] | None = None) -> EdgePoint | None:
    """Return the point of the edge of chaos with q = 1, the variance of standardised inputs.

    If that fixed point is unstable or does not exist, return the stable one of ``known`` whose q is
    nearest to 1 on a logarithmic scale, or None.
    """
    at_1 = edge_point(activation, 1.0)
    if at_1 and at_1.holds:
        return at_1
    held = [point for point in edge_curve(activation, known) if point.holds]
    return min(held, key=lambda point: abs(math.log(point.q)), default=None)


def _has_slope_at_0(known: Sequence[Moments]) -> bool:
    near, far = (known[k].slope_second_moment for k in (0, min(STEPS_A_DECADE, len(known) - 1)))
    return abs(near / far - 1) < 0.01


def _vanishes_at_0(activation: Activation) -> bool:
    parts = (
        (activation.first, activation.second) if isinstance(activation, Gated) else (activation,)
    )
    return any(float(elementwise(part)(0.0)) == 0 for part in parts)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return a root between low and high, by the Illinois variant of regula falsi."""
    at_low, at_high = function(low), function(high)
    kept = 0
    middle = low
    for _ in range(200):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        here = function(middle)
        if here == 0 or abs(high - low) < 1e-14 * abs(middle):
            break
        if here * at_high > 0:
            high, at_high = middle, here
            at_low *= 0.5 if kept == 1 else 1
            kept = 1
        else:
            low, at_low = middle, here
            at_high *= 0.5 if kept == -1 else 1
            kept = -1
    return middle
