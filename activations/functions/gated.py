"""Gated linear units: an output is a function of one input times a function of another input.

a is the first half of the last axis, b the second (SwiGLUClamped: the even and the odd entries).
The definition of each unit says which half is the gate. ``gradient`` has the shape of x and holds
the partial derivative with respect to each input.

0 times infinity is NaN, because the limit depends on the path. A product of finite numbers may
overflow to infinity. The relative errors of the factors add up, so the error of the product may be
twice as large in ULP. If it would exceed 4 ULP, the factors are computed in float64. GEGLU, ReGLU
and BilinearGLU use float32.

Exception: a subnormal factor has few digits, and so has its product with a large number. This
concerns float64 (factors below 2.2e-308), and GEGLU in float32 for a < -13. Computing these a in
float64 takes three times as long for the whole array.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from activations.arguments import number, parameter
from activations.base import Array, Elementwise
from activations.functions.axiswise import AxisWise, by_rows
from activations.functions.clipped import HardTanh
from activations.functions.exponential_linear import SELU
from activations.functions.gelu import GELU
from activations.functions.piecewise import Identity
from activations.functions.rectified import ReLU
from activations.functions.self_gated import Gate, SiLU, Swish
from activations.functions.sigmoidal import Sigmoid, TanH


class Gated(AxisWise):
    """y = first(a) second(b) with two elementwise functions; x (..., 2 n), y (..., n).

    Raises ValueError for an odd number of inputs.
    """

    inputs_per_output = 2
    interleaved: ClassVar[bool] = False
    first: ClassVar[Elementwise]
    second: ClassVar[Elementwise]

    @property
    def kinks(self) -> tuple[float, ...]:
        return tuple(sorted({*self.first.kinks, *self.second.kinks}))

    @by_rows
    def forward(self, x: Array) -> Array:
        a, b = map(self._widened, self.split(x))
        return self.first.forward(a) * self.second.forward(b)

    def diagonal(self, x: Array) -> Array:
        """Return the partial derivative with respect to each input, in the shape of x."""
        y = self.forward(x)
        return self.backward(x, y, np.ones_like(y))

    @by_rows
    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        _, to_a, to_b = self.value_and_slopes(*self.split(x))
        product = np.empty_like(x)
        for slope, part in zip((to_a, to_b), self.split(product), strict=True):
            np.multiply(grad, slope, out=part)
        return product

    def value_and_slopes(self, a: Array, b: Array) -> tuple[Array, Array, Array]:
        """Return y, dy/da and dy/db."""
        a, b = self._widened(a), self._widened(b)
        left, left_slope = _value_and_slope(self.first, a)
        right, right_slope = _value_and_slope(self.second, b)
        to_a = right if left_slope is None else right * left_slope
        to_b = left if right_slope is None else left * right_slope
        return left * right, to_a, to_b

    def _widened(self, x: Array) -> Array:
        return x.astype(np.float64, copy=False) if self.float64 else x

    def split(self, x: Array, axis: int = -1) -> tuple[Array, Array]:
        """Return views of a and b. Raises ValueError for an odd number of inputs."""
        half, odd = divmod(x.shape[axis], 2)
        if odd:
            raise ValueError(f"{self.name} needs an even number of inputs, got {x.shape[axis]}")
        if self.interleaved:
            places = slice(0, None, 2), slice(1, None, 2)
        else:
            places = slice(half), slice(half, None)
        before = (slice(None),) * (axis % x.ndim)
        a, b = ((*before, place) for place in places)
        return x[a], x[b]


def _value_and_slope(function: Elementwise, x: Array) -> tuple[Array, Array | None]:
    """Return f(x) and f'(x); for the identity, None instead of f'(x)."""
    if isinstance(function, Identity):
        return x, None
    return function.value_and_derivative(x)


class GLU(Gated, float64=True):
    """a sigmoid(b): the second half is the gate, as in PyTorch, JAX and Keras. Range (-inf, inf).

    Dauphin et al. 2017, https://arxiv.org/abs/1612.08083
    """

    name = "glu"
    first, second = Identity(), Sigmoid()


class SwiGLU(Gated, float64=True):
    """a sigmoid(alpha a) b: the first half is the gate. Range (-inf, inf).

    LLaMA and ONNX have the same order; in some libraries the second half is the gate.
    Shazeer 2020, GLU Variants Improve Transformer, https://arxiv.org/abs/2002.05202
    """

    name = "swiglu"
    second = Identity()

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = number("alpha", alpha, minimum=-1e6, maximum=1e6)
        self.first = SiLU() if self.alpha == 1 else Swish(self.alpha)  # type: ignore[misc]


class GEGLU(Gated):
    """gelu(a) b with the exact GELU: the first half is the gate. Range (-inf, inf).

    Shazeer 2020, GLU Variants Improve Transformer, https://arxiv.org/abs/2002.05202
    """

    name = "geglu"
    first, second = GELU(), Identity()


class ReGLU(Gated):
    """max(a, 0) b: the first half is the gate; dy/da = 0 at a = 0. Range (-inf, inf).

    Shazeer 2020, GLU Variants Improve Transformer, https://arxiv.org/abs/2002.05202
    """

    name = "reglu"
    first, second = ReLU(derivative_at_zero=0.0), Identity()


class BilinearGLU(Gated):
    """a b: a gate without a nonlinearity. Range (-inf, inf).

    Mnih & Hinton 2007, https://doi.org/10.1145/1273496.1273577;
    Shazeer 2020, https://arxiv.org/abs/2002.05202
    """

    name = "bilinear_glu"
    first, second = Identity(), Identity()


class GTU(Gated, float64=True):
    """tanh(a) sigmoid(b): the second half is the gate. Range (-1, 1).

    Van den Oord et al. 2016, https://arxiv.org/abs/1606.05328
    """

    name = "gtu"
    first, second = TanH(), Sigmoid()


class SEGLU(Gated, float64=True):
    """selu(a) b: the first half is the gate. Range (-inf, inf).

    Shazeer's 2020 GLU variants with the SELU of Klambauer et al. 2017,
    https://arxiv.org/abs/1706.02515
    """

    name = "seglu"
    first, second = SELU(), Identity()


class SwiGLUClamped(Gated, float64=True):
    """u sigmoid(alpha u) (v + 1) with u = min(a, limit), v = min(max(b, -limit), limit).

    a are the even entries, b the odd ones (the other units take halves); a is the gate. The
    derivatives at the clamps are 0.
    OpenAI 2025, gpt-oss model card, https://arxiv.org/abs/2508.10925
    """

    name = "swiglu_clamped"
    interleaved = True

    def __init__(self, alpha: float = 1.702, limit: float = 7.0) -> None:
        super().__init__()
        self.alpha = number("alpha", alpha, minimum=-1e6, maximum=1e6)
        self.limit = number("limit", limit, above=0)
        self.first = _CappedSwish(self.limit, self.alpha)  # type: ignore[misc]
        self.second = _ClampPlusOne(-self.limit, self.limit)  # type: ignore[misc]


class _CappedSwish(Swish):
    limit = parameter(1.0, above=0)

    @property
    def kinks(self) -> tuple[float, ...]:
        return (self.limit,)

    def parts(self, x: Array, exact: bool) -> Gate:
        return super().parts(np.minimum(x, self.limit), exact)

    def value(self, x: Array, gate: Gate) -> Array:
        return super().value(np.minimum(x, self.limit), gate)

    def slope(self, x: Array, gate: Gate) -> Array:
        return np.where(x >= self.limit, 0, super().slope(x, gate))


class _ClampPlusOne(HardTanh):
    def forward(self, x: Array) -> Array:
        return super().forward(x) + 1
