"""Initial weights: standard normal (or uniform) numbers from the seed, scaled by a rule.

For the same seed and shape, every activation gets the same standard normal numbers. Two runs
therefore differ only in the activation and in the scale that the rule derives from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from activations.arguments import number
from activations.base import Activation, Array, Elementwise
from activations.moments import gaussian_mean, moments, sampled_rows
from activations.registry import Named, Registry
from runner.theory.layers import Layer

INITIALIZERS: Registry[Initializer] = Registry("initializer")


class Scaling(NamedTuple):
    """How a linear layer's initial parameters depend on the activation before it.

    Attributes:
        gain: factor of the weights.
        bias_std: standard deviation of the biases.
        input_mean: m; -m sum_i w_ij is added to the bias of unit j, which centres the inputs at m.
        orthogonal: whether the weights are a multiple of an orthogonal matrix.
    """

    gain: float = 1.0
    bias_std: float = 0.0
    input_mean: float = 0.0
    orthogonal: bool = False


class Initializer(Named):
    """w = gain scale(fan_in, fan_out) z, z ~ N(0, 1), or z ~ U(-sqrt 3, sqrt 3) if ``uniform``.

    Both distributions have variance 1. A standard deviation s thus means N(0, s^2) or U(-a, a) with
    a = s sqrt(3). Biases are N(bias_mean, bias_std^2). With LeCun's rule, gain is sigma_w and
    bias_std is sigma_b of mean-field theory.

    Raises ValueError unless gain > 0 and bias_std >= 0.
    """

    registry = INITIALIZERS
    uniform = False

    def __init__(self, gain: float = 1.0, bias_mean: float = 0.0, bias_std: float = 0.0) -> None:
        self.gain = number("gain", gain, above=0)
        self.bias_mean = number("bias_mean", bias_mean)
        self.bias_std = number("bias_std", bias_std, minimum=0)

    def scale(self, fan_in: int, fan_out: int) -> float:
        """Return the rule's standard deviation of the weights, without ``gain``."""
        raise NotImplementedError(f"{type(self).__name__} does not define scale")

    def weights(self, rng: np.random.Generator, fan_in: int, fan_out: int, factor: float) -> Array:
        """Return one layer's weights, float64, shape (fan_in, fan_out).

        ``factor`` is the gain of the layer's ``Scaling``. It is 1 except for ``auto``.
        """
        std = self.scale(fan_in, fan_out) * self.gain * factor
        if self.uniform:
            return std * math.sqrt(3) * (2 * rng.random((fan_in, fan_out)) - 1)
        return std * rng.standard_normal((fan_in, fan_out))

    def biases(self, rng: np.random.Generator, fan_out: int) -> Array:
        """Return one layer's biases, float64, shape (1, fan_out)."""
        biases = self.bias_std * rng.standard_normal((1, fan_out))
        return biases + self.bias_mean if self.bias_mean else biases  # -0 + 0 would be 0

    def parameters(
        self, rng: np.random.Generator, fan_in: int, fan_out: int, scaling: Scaling
    ) -> tuple[Array, Array]:
        """Return one layer's weights (fan_in, fan_out) and biases (1, fan_out), float64."""
        return self.weights(rng, fan_in, fan_out, scaling.gain), self.biases(rng, fan_out)

    def scalings(self, activation: Activation, hidden: Sequence[int]) -> list[Scaling]:
        """Return each linear layer's ``Scaling``: the default, except for ``auto``."""
        return [Scaling()] * (len(hidden) + 1)

    def weight_variance(self, fan_in: int, fan_out: int, factor: float) -> float:
        """Return E w^2 of one layer's weights.

        If a subclass overrides ``weights``, E w^2 is estimated from one draw. Raises ValueError if
        the mean of that draw is not 0, because mean-field theory assumes mean 0.
        """
        if type(self).weights is not Initializer.weights:
            drawn = self.weights(np.random.default_rng(0), fan_in, fan_out, factor)
            return _square(drawn, "weights")
        return (self.scale(fan_in, fan_out) * self.gain * factor) ** 2

    def bias_variance(self) -> float:
        """Return E b^2 of a layer's biases; the rest as for ``weight_variance``."""
        if self.bias_mean or type(self).biases is not Initializer.biases:
            return _square(self.biases(np.random.default_rng(0), 10_000), "biases")
        return self.bias_std**2


def _square(drawn: Array, what: str) -> float:
    square = float(np.mean(np.square(drawn, dtype=np.float64)))
    mean = float(np.mean(drawn))
    if mean * mean > min(0.5, max(0.01, 16 / drawn.size)) * square:
        raise ValueError(f"mean-field theory needs {what} with mean 0, got {mean:.3g}")
    return square


class Constant(Initializer):
    """w = value for all weights.

    With value = 0, the default, the loss starts at exactly ln(classes). All units of a hidden layer
    have equal gradients and therefore stay equal.
    """

    name = "constant"

    def __init__(self, value: float = 0.0, bias_mean: float = 0.0, bias_std: float = 0.0) -> None:
        super().__init__(bias_mean=bias_mean, bias_std=bias_std)
        self.value = number("value", value)

    def weights(self, rng: np.random.Generator, fan_in: int, fan_out: int, factor: float) -> Array:
        return np.full((fan_in, fan_out), self.value)


class Normal(Initializer):
    """w ~ N(0, std^2) in layers of all sizes. Raises ValueError unless std > 0."""

    name = "normal"

    def __init__(self, std: float = 0.01, bias_mean: float = 0.0, bias_std: float = 0.0) -> None:
        super().__init__(bias_mean=bias_mean, bias_std=bias_std)
        self.std = number("std", std, above=0)

    def scale(self, fan_in: int, fan_out: int) -> float:
        return self.std


class Uniform(Initializer):
    """w ~ U(-limit, limit) in layers of all sizes. Raises ValueError unless limit > 0."""

    name = "uniform"
    uniform = True

    def __init__(self, limit: float = 0.05, bias_mean: float = 0.0, bias_std: float = 0.0) -> None:
        super().__init__(bias_mean=bias_mean, bias_std=bias_std)
        self.limit = number("limit", limit, above=0)

    def scale(self, fan_in: int, fan_out: int) -> float:
        return self.limit / math.sqrt(3)


class GlorotNormal(Initializer):
    """Var w = 2 / (fan_in + fan_out).

    1 / fan_in would preserve the variance of signals, 1 / fan_out that of gradients. This rule is
    the harmonic mean of the two.

    Glorot & Bengio 2010, equation 12, https://proceedings.mlr.press/v9/glorot10a.html
    """

    name = "glorot_normal"

    def scale(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(2 / (fan_in + fan_out))


class GlorotUniform(GlorotNormal):
    """w ~ U(-a, a), a = sqrt(6 / (fan_in + fan_out)).

    Glorot & Bengio 2010, equation 16, the "normalized initialization".
    """

    name = "glorot_uniform"
    uniform = True


class HeNormal(Initializer):
    """Var w = 2 / fan_in. The factor 2 compensates for ReLU, which halves E z^2.

    He, Zhang, Ren & Sun 2015, equation 10, https://arxiv.org/abs/1502.01852
    """

    name = "he_normal"

    def scale(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(2 / fan_in)


class HeUniform(HeNormal):
    """w ~ U(-a, a), a = sqrt(6 / fan_in)."""

    name = "he_uniform"
    uniform = True


class LeCunNormal(Initializer):
    """Var w = 1 / fan_in. Outputs have the variance of the inputs; SELU networks require this rule.

    LeCun, Bottou, Orr & Mueller 1998, Efficient BackProp, section 4.6; for SELU Klambauer,
    Unterthiner, Mayr & Hochreiter 2017, https://arxiv.org/abs/1706.02515
    """

    name = "lecun_normal"

    def scale(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(1 / fan_in)


class LeCunUniform(LeCunNormal):
    """w ~ U(-a, a), a = sqrt(3 / fan_in)."""

    name = "lecun_uniform"
    uniform = True


class Orthogonal(Initializer):
    """w^T w = gain^2 I, or w w^T = gain^2 I if fan_in < fan_out.

    w is gain Q, where Q R is the QR decomposition of a matrix of standard normal numbers.

    Saxe, McClelland & Ganguli 2014, https://arxiv.org/abs/1312.6120
    """

    name = "orthogonal"

    def weights(self, rng: np.random.Generator, fan_in: int, fan_out: int, factor: float) -> Array:
        return self.gain * factor * orthogonal_matrix(rng, fan_in, fan_out)

    def weight_variance(self, fan_in: int, fan_out: int, factor: float) -> float:
        return (self.gain * factor) ** 2 / max(fan_in, fan_out)


def orthogonal_matrix(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Return a random matrix (rows, columns) whose columns are orthonormal, or its rows if fewer.

    It is Q of the QR decomposition of a matrix of standard normal numbers.
    """
    normals = rng.standard_normal((rows, columns))
    q, r = np.linalg.qr(normals if rows >= columns else normals.T)
    q = q * np.where(np.diag(r) < 0, -1, 1)  # makes the distribution uniform (Haar measure)
    return q if rows >= columns else q.T


DEEP = 3
"""From this number of hidden layers on, ``auto`` preserves the size of gradients too."""


class Auto(LeCunNormal):
    """Preserve Var z = 1 for the activation f; in deep networks, the size of gradients too.

    Fewer than ``DEEP`` hidden layers: Var w = 1 / (fan_in E f(z)^2), z ~ N(0, 1). The next
    pre-activation sum_i w_i f(z_i) then has variance fan_in Var(w) E f(z)^2 = 1. For ReLU this is
    He's 2 / fan_in. The first layer has gain 1, because its inputs are standardised.

    ``DEEP`` or more hidden layers: orthogonal weights, scaled by ``edge_of_chaos``. The rule above
    fails in deep networks for three reasons. Each layer multiplies the mean square of gradients by
    chi = E f'(z)^2 / E f(z)^2, which is 1.18 for tanh and 0.15 for sigmoid. For GELU, SiLU and
    Mish, variance 1 is an unstable fixed point. The outputs of sigmoid and softplus have a mean
    other than 0, which makes all inputs alike.
    """

    name = "auto"

    def scalings(self, activation: Activation, hidden: Sequence[int]) -> list[Scaling]:
        if len(hidden) < DEEP:
            return [Scaling(), *(Scaling(variance_gain(activation, units)) for units in hidden)]
        later = [edge_of_chaos(activation, units) for units in hidden]
        spread = later[0].bias_std
        return [Scaling(math.sqrt(1 - spread**2), spread, orthogonal=True), *later]

    def parameters(
        self, rng: np.random.Generator, fan_in: int, fan_out: int, scaling: Scaling
    ) -> tuple[Array, Array]:
        if not scaling.orthogonal:
            return super().parameters(rng, fan_in, fan_out, scaling)
        widening = math.sqrt(max(1, fan_out / fan_in))  # each column's squares then sum to 1
        factor = self.gain * scaling.gain * widening
        w = factor * orthogonal_matrix(rng, fan_in, fan_out)
        spread = math.hypot(self.bias_std, scaling.bias_std)
        b = self.bias_mean + spread * rng.standard_normal((1, fan_out))
        return w, b - scaling.input_mean * w.sum(axis=0, keepdims=True)


def edge_of_chaos(activation: Activation, units: int) -> Scaling:
    """Return the scaling that preserves Var z = 1 and the size of gradients.

    The next z is W (f(z) - E f) + b. With z ~ N(0, 1), sigma_w^2 = fan_in Var w, sigma_b^2 = Var b:

        chi = sigma_w^2 E f'^2 = 1                   preserves gradients
        sigma_w^2 Var f + sigma_b^2 = 1              preserves the variance
        sigma_w^2 = 1 / E f'^2,  sigma_b^2 = 1 - Var f / E f'^2

    sigma_b^2 >= 0 for every differentiable f, because Var f <= E f'^2, with equality for a line
    (Chernoff 1981, A note on an inequality involving the normal distribution,
    https://doi.org/10.1214/aop/1176994428). If f jumps, Var f can exceed E f'^2; then
    sigma_w^2 = 1 / Var f and sigma_b = 0. For a gated function, or one of a whole row of ``units``,
    f'^2 is the squared norm of the gradient. If the moments are infinite or 0, the scaling is that
    of a line.

    Subtracting E f makes variance 1 a stable fixed point: the slope of the variance map is
    1 + E (f - E f) f'' / E f'^2. It is 0.81 for GELU, where 1 / sqrt(E f^2) gives 1.14. Edge of
    chaos: Schoenholz et al. 2017, https://arxiv.org/abs/1611.01232; with orthogonal weights:
    Pennington, Schoenholz & Ganguli 2017, https://arxiv.org/abs/1711.04735
    """
    try:
        found = moments(activation, units=units)
    except ValueError:
        return Scaling(orthogonal=True)
    variance = found.deviation**2
    largest = max(found.slope_second_moment, variance)
    if not 0 < largest < math.inf:
        return Scaling(orthogonal=True)
    bias_std = math.sqrt(max(1 - variance / largest, 0.0))
    return Scaling(1 / math.sqrt(largest), bias_std, found.mean, orthogonal=True)


def initial_layers(
    activation: Activation, initializer: Initializer, outputs: Sequence[int]
) -> list[Layer]:
    """Return for each linear layer the sizes and variances that mean-field theory needs.

    ``outputs`` counts the features, the units of each hidden layer and the logits, for instance
    (2, 16, 16, 1). Raises ValueError as ``Initializer.weight_variance`` does.
    """
    found = []
    last = len(outputs) - 2
    scalings = initializer.scalings(activation, outputs[1:-1])
    for k, ((fan_in, units), scaling) in enumerate(zip(pairwise(outputs), scalings, strict=True)):
        fan_out = units if k == last else round(units * activation.inputs_per_output)
        variance = initializer.weight_variance(fan_in, fan_out, scaling.gain)
        biases = initializer.bias_variance() + scaling.bias_std**2
        found.append(Layer(fan_in, fan_out, variance, biases, scaling.input_mean))
    return found


def variance_gain(activation: Activation, units: int) -> float:
    """Return 1 / sqrt(E f(z)^2), z ~ N(0, 1), or 1 if E f(z)^2 is 0 or infinite.

    E f(z)^2 is computed by quadrature if f is elementwise. Otherwise it is the mean over 4,096 rows
    of ``units`` outputs, drawn from a fixed seed.
    """
    if isinstance(activation, Elementwise):
        try:
            second_moment = gaussian_mean(
                lambda z: activation.forward(z) ** 2, kinks=activation.kinks
            )
        except ValueError:
            return 1.0
    else:
        y = activation.forward(sampled_rows(activation, units))
        second_moment = float(np.mean(y * y))
    if not math.isfinite(second_moment) or second_moment <= 0:
        return 1.0
    return 1 / math.sqrt(second_moment)
