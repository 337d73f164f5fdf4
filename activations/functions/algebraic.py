"""Functions made of quotients, square roots, logarithms and arctan."""

from __future__ import annotations

import math

import numpy as np

from activations.arguments import parameter
from activations.base import Array, Elementwise
from activations.functions.special import step

LARGE = 1e150  # x^2 is finite up to here; beyond, sqrt(x^2 + c) rounds to |x|


def hypotenuse(x: Array, square: float) -> Array:
    """Return sqrt(x^2 + square) for float64 x, without overflow."""
    a = np.abs(x)
    c = np.minimum(a, LARGE)
    return np.maximum(a, np.sqrt(c * c + square))


class SoftSign(Elementwise):
    """x / (1 + |x|). Range (-1, 1).

    f' = 1 / (1 + |x|)^2, computed from x, because (1 - |y|)^2 cancels for large |x|.
    Bergstra et al. 2009,
    https://www.iro.umontreal.ca/~lisa/publications2/index.php/publications/show/415
    """

    name = "softsign"
    kinks = (0.0,)

    def forward(self, x: Array) -> Array:
        most = np.finfo(x.dtype).max / 4
        c = np.minimum(np.maximum(x, -most), most)  # inf / inf would be NaN
        return c / (1 + np.abs(c))

    def derivative(self, x: Array, y: Array) -> Array:
        r = 1 / (1 + np.abs(x))
        return r * r


class Elliott(SoftSign):
    """1/2 + x / (2 (1 + |x|)): softsign shifted and scaled. Range (0, 1).

    f' = 1 / (2 (1 + |x|)^2). For x < 0 the sum cancels, and f is computed as 1 / (2 (1 + |x|)).
    Elliott 1993, https://drum.lib.umd.edu/handle/1903/5355
    """

    name = "elliott"

    def forward(self, x: Array) -> Array:
        r = x.dtype.type(0.5) / (1 + np.abs(x))
        return (step(x) - np.copysign(r, x)).astype(x.dtype, copy=False)

    def derivative(self, x: Array, y: Array) -> Array:
        return super().derivative(x, y) / 2


class ISRU(Elementwise, float64=True):
    """x / sqrt(1 + alpha x^2), the inverse square root unit.

    Range (-1 / sqrt alpha, 1 / sqrt alpha). f' = (1 / sqrt(1 + alpha x^2))^3.
    Carlile et al. 2017, https://arxiv.org/abs/1710.09967
    """

    name = "isru"
    alpha = parameter(1.0, minimum=1e-12, maximum=1000000000000.0)

    @property
    def _end(self) -> float:
        """The |x| beyond which f is constant and f' = 0; here alpha x^2 is still finite."""
        return LARGE / max(1.0, math.sqrt(self.alpha))

    def forward(self, x: Array) -> Array:
        c = np.minimum(np.maximum(x, -self._end), self._end)
        return c / np.sqrt(1 + self.alpha * (c * c))

    def derivative(self, x: Array, y: Array) -> Array:
        r = 1 / np.sqrt(1 + self.alpha * np.square(np.minimum(np.abs(x), self._end)))
        return r * r * r


class ISRLU(ISRU):
    """x for x >= 0, x / sqrt(1 + alpha x^2) for x < 0: the inverse square root linear unit.

    Range (-1 / sqrt alpha, inf). Twice differentiable at 0.
    f' = 1 for x >= 0, (1 / sqrt(1 + alpha x^2))^3 for x < 0.
    Carlile et al. 2017, https://arxiv.org/abs/1710.09967
    """

    name = "isrlu"
    kinks = (0.0,)

    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0) + super().forward(np.minimum(x, 0))

    def derivative(self, x: Array, y: Array) -> Array:
        return super().derivative(np.minimum(x, 0), y)


class SquarePlus(Elementwise, float64=True):
    """(x + sqrt(x^2 + b)) / 2: a softplus without exponentials. Range (0, inf).

    f' = (1 + x / sqrt(x^2 + b)) / 2. f is computed as max(x, 0) + (b / 4) / m with
    m = (|x| + sqrt(x^2 + b)) / 2, which does not cancel for x < 0 and does not overflow.
    b = 4 ln(2)^2 gives softplus's value at 0.
    Barron 2021, https://arxiv.org/abs/2112.11687
    """

    name = "squareplus"
    b = parameter(4.0, minimum=1e-100, maximum=1e100)

    def forward(self, x: Array) -> Array:
        m = 0.5 * np.abs(x) + 0.5 * hypotenuse(x, self.b)
        return np.maximum(x, 0) + self.b / 4 / m

    def derivative(self, x: Array, y: Array) -> Array:
        root = hypotenuse(x, self.b)
        m = 0.5 * np.abs(x) + 0.5 * root
        return step(x) - np.copysign(self.b / 4 / m / root, x)


class BentIdentity(Elementwise, float64=True):
    """(sqrt(x^2 + 1) - 1) / 2 + x: slope 1/2 for x -> -inf, 3/2 for x -> inf.

    Range (-inf, inf). f' = 1 + x / (2 sqrt(x^2 + 1)). f is computed as x (1 + r / 2) with
    r = x / (sqrt(x^2 + 1) + 1), which does not cancel near 0. It is +-inf if the exact value is
    beyond the largest float.
    No paper: it appears in lists of activation functions.
    """

    name = "bent_identity"

    def forward(self, x: Array) -> Array:
        c = np.minimum(np.maximum(x, -LARGE), LARGE)
        ratio = c / (np.sqrt(c * c + 1) + 1)
        with np.errstate(over="ignore"):
            return x * (1 + ratio / 2)

    def derivative(self, x: Array, y: Array) -> Array:
        c = np.minimum(np.maximum(x, -LARGE), LARGE)
        return 1 + c / (2 * np.sqrt(c * c + 1))


class ArcTan(Elementwise, float64=True):
    """arctan(x). Range (-pi / 2, pi / 2).

    f' = 1 / (1 + x^2). For |x| > 1e75, f' is scaled so that x^2 does not overflow.
    """

    name = "arctan"

    def forward(self, x: Array) -> Array:
        return np.arctan(x)

    def derivative(self, x: Array, y: Array) -> Array:
        a = np.abs(x)
        c = np.minimum(a, 1e75)
        rest = 1e75 / np.maximum(a, 1e75)
        return rest / (1 + c * c) * rest


class ASinH(Elementwise, float64=True):
    """asinh(x) = ln(x + sqrt(x^2 + 1)): linear near 0, logarithmic for large |x|.

    Range (-inf, inf). f' = 1 / sqrt(x^2 + 1).
    """

    name = "asinh"

    def forward(self, x: Array) -> Array:
        return np.arcsinh(x)

    def derivative(self, x: Array, y: Array) -> Array:
        return 1 / hypotenuse(x, 1.0)


class SymLog(Elementwise):
    """sign(x) ln(1 + |x|): linear near 0, logarithmic for large |x|.

    Range (-inf, inf). f' = 1 / (1 + |x|).
    Hafner et al. 2023 (DreamerV3), https://arxiv.org/abs/2301.04104
    """

    name = "symlog"
    kinks = (0.0,)

    def forward(self, x: Array) -> Array:
        return np.copysign(np.log1p(np.abs(x)), x)

    def derivative(self, x: Array, y: Array) -> Array:
        return 1 / (1 + np.abs(x))
