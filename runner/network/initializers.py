"""Initial weights: standard normals (or uniforms) from the seed, scaled by a rule.

Every activation gets the same standard normals for the same seed and shape, so that two
runs differ by the activation and the scale that it asks for, and by nothing else.
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
    """What a linear layer's parameters take from the activation whose outputs it reads.

    Attributes:
        gain: factor of the weights.
        bias_std: standard deviation of the biases.
        input_mean: m; the bias of unit j gets -m sum_i w_ij, so that the inputs count from m.
        orthogonal: whether the weights are a multiple of an orthogonal matrix.
    """

    gain: float = 1.0
    bias_std: float = 0.0
    input_mean: float = 0.0
    orthogonal: bool = False


class Initializer(Named):
    """w = gain scale(fan_in, fan_out) z, with z ~ N(0, 1), or U(-sqrt 3, sqrt 3) if ``uniform``.

    Both have variance 1, so a rule's two forms differ in shape alone: standard deviation s is
    U(-a, a) with a = s sqrt(3). gain is a plain factor (sigma_w of the mean-field literature when
    the rule is LeCun's). Biases are N(bias_mean, bias_std^2); bias_std is sigma_b there.
    """

    registry = INITIALIZERS
    uniform = False

    def __init__(self, gain: float = 1.0, bias_mean: float = 0.0, bias_std: float = 0.0) -> None:
        self.gain = number("gain", gain, above=0)
        self.bias_mean = number("bias_mean", bias_mean)
        self.bias_std = number("bias_std", bias_std, minimum=0)

    def scale(self, fan_in: int, fan_out: int) -> float:
        """Return the standard deviation that the rule asks for, before ``gain``."""
        raise TypeError(f"{type(self).__name__} does not define scale")

    def weights(self, rng: np.random.Generator, fan_in: int, fan_out: int, factor: float) -> Array:
        """Return one layer's weights, float64, shape (fan_in, fan_out).

        ``factor`` is the gain of the layer's ``Scaling``; only ``auto`` has one other than 1.
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
        """Return one layer's weights and biases."""
        return self.weights(rng, fan_in, fan_out, scaling.gain), self.biases(rng, fan_out)

    def scalings(self, activation: Activation, hidden: Sequence[int]) -> list[Scaling]:
        """Return what each linear layer takes from the activation: nothing but for ``auto``."""
        return [Scaling()] * (len(hidden) + 1)

    def weight_variance(self, fan_in: int, fan_out: int, factor: float) -> float:
        """Return E w^2 of one layer's weights; of a rule with ``weights`` of its own by a draw.

        Raises ValueError if their mean is not 0, which mean-field theory asks for.
        """
        if type(self).weights is not Initializer.weights:
            drawn = self.weights(np.random.default_rng(0), fan_in, fan_out, factor)
            return _square(drawn, "weights")
        return (self.scale(fan_in, fan_out) * self.gain * factor) ** 2

    def bias_variance(self) -> float:
        """Return E b^2 of a layer's biases, as ``weight_variance``."""
        if self.bias_mean or type(self).biases is not Initializer.biases:
            return _square(self.biases(np.random.default_rng(0), 10_000), "biases")
        return self.bias_std**2


def _square(drawn: Array, what: str) -> float:
    square = float(np.mean(np.square(drawn, dtype=np.float64)))
    mean = float(np.mean(drawn))
    if mean * mean > min(0.5, max(0.01, 16 / drawn.size)) * square:
        raise ValueError(f"mean-field theory is of {what} whose mean is 0, not {mean:.3g}")
    return square


class Constant(Initializer):
    """All weights ``value``. With 0, the default, the loss starts at exactly ln(classes). Units of
    a hidden layer stay equal to one another, as their gradients are."""

    name = "constant"

    def __init__(self, value: float = 0.0, bias_mean: float = 0.0, bias_std: float = 0.0) -> None:
        super().__init__(bias_mean=bias_mean, bias_std=bias_std)
        self.value = number("value", value)

    def weights(self, rng: np.random.Generator, fan_in: int, fan_out: int, factor: float) -> Array:
        return np.full((fan_in, fan_out), self.value)


class Normal(Initializer):
    """N(0, std^2), whatever the layer's size."""

    name = "normal"

    def __init__(self, std: float = 0.01, bias_mean: float = 0.0, bias_std: float = 0.0) -> None:
        super().__init__(bias_mean=bias_mean, bias_std=bias_std)
        self.std = number("std", std, above=0)

    def scale(self, fan_in: int, fan_out: int) -> float:
        return self.std


class Uniform(Initializer):
    """U(-limit, limit), whatever the layer's size."""

    name = "uniform"
    uniform = True

    def __init__(self, limit: float = 0.05, bias_mean: float = 0.0, bias_std: float = 0.0) -> None:
        super().__init__(bias_mean=bias_mean, bias_std=bias_std)
        self.limit = number("limit", limit, above=0)

    def scale(self, fan_in: int, fan_out: int) -> float:
        return self.limit / math.sqrt(3)


class GlorotNormal(Initializer):
    """Var w = 2 / (fan_in + fan_out), between 1 / fan_in, which keeps the variance of signals, and
    1 / fan_out, which keeps that of gradients.

    Glorot & Bengio 2010, equation 12, https://proceedings.mlr.press/v9/glorot10a.html
    """

    name = "glorot_normal"

    def scale(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(2 / (fan_in + fan_out))


class GlorotUniform(GlorotNormal):
    """U(-a, a), a = sqrt(6 / (fan_in + fan_out)): equation 16, the "normalized initialization"."""

    name = "glorot_uniform"
    uniform = True


class HeNormal(Initializer):
    """Var w = 2 / fan_in: ReLU halves E z^2, and the 2 makes up for it.

    He, Zhang, Ren & Sun 2015, equation 10, https://arxiv.org/abs/1502.01852
    """

    name = "he_normal"

    def scale(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(2 / fan_in)


class HeUniform(HeNormal):
    """U(-a, a), a = sqrt(6 / fan_in)."""

    name = "he_uniform"
    uniform = True


class LeCunNormal(Initializer):
    """Var w = 1 / fan_in: outputs have the inputs' variance. SELU needs it to normalise itself.

    LeCun, Bottou, Orr & Mueller 1998, Efficient BackProp, section 4.6; for SELU Klambauer,
    Unterthiner, Mayr & Hochreiter 2017, https://arxiv.org/abs/1706.02515
    """

    name = "lecun_normal"

    def scale(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(1 / fan_in)


class LeCunUniform(LeCunNormal):
    """U(-a, a), a = sqrt(3 / fan_in)."""

    name = "lecun_uniform"
    uniform = True


class Orthogonal(Initializer):
    """w^T w = gain^2 I, or w w^T where fan_in < fan_out: Q of QR of a matrix of standard normals.

    Saxe, McClelland & Ganguli 2014, https://arxiv.org/abs/1312.6120
    """

    name = "orthogonal"

    def weights(self, rng: np.random.Generator, fan_in: int, fan_out: int, factor: float) -> Array:
        return self.gain * factor * orthogonal_matrix(rng, fan_in, fan_out)

    def weight_variance(self, fan_in: int, fan_out: int, factor: float) -> float:
        return (self.gain * factor) ** 2 / max(fan_in, fan_out)


def orthogonal_matrix(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Return a matrix with orthonormal columns, or rows where these are fewer."""
    normals = rng.standard_normal((rows, columns))
    q, r = np.linalg.qr(normals if rows >= columns else normals.T)
    q = q * np.where(np.diag(r) < 0, -1, 1)  # makes the distribution uniform (Haar)
    return q if rows >= columns else q.T


DEEP = 3
"""Hidden layers from which on ``auto`` keeps gradients too."""


class Auto(LeCunNormal):
    """Keep the variance of z for this very f, and in depth that of the gradients too.

    Below ``DEEP`` hidden layers Var w = 1 / (fan_in E f(z)^2), z ~ N(0, 1): z = sum_i w_i f(z_i)
    has variance fan_in Var(w) E f(z)^2, which is 1. For ReLU it is He's 2 / fan_in. The first
    layer's inputs are standardised already and take no gain.

    From ``DEEP`` hidden layers on that is not enough. Gradients' mean square is multiplied by
    chi = E f'(z)^2 / E f(z)^2 a layer, which is 1.18 for tanh and 0.15 for sigmoid; the variance 1
    is an unstable fixed point for GELU, SiLU and Mish; and sigmoid and softplus, whose mean is not
    0, make all inputs alike. So there the weights are orthogonal and ``edge_of_chaos`` scales them.
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
        widening = math.sqrt(max(1, fan_out / fan_in))  # a column's squares add up to 1
        factor = self.gain * scaling.gain * widening
        w = factor * orthogonal_matrix(rng, fan_in, fan_out)
        spread = math.hypot(self.bias_std, scaling.bias_std)
        b = self.bias_mean + spread * rng.standard_normal((1, fan_out))
        return w, b - scaling.input_mean * w.sum(axis=0, keepdims=True)


def edge_of_chaos(activation: Activation, units: int) -> Scaling:
    """Return the scaling that keeps the variance 1 of z and the size of gradients.

    z = W (f(z) - E f) + b, with z ~ N(0, 1), sigma_w^2 = fan_in Var w and sigma_b^2 = Var b:

        chi = sigma_w^2 E f'^2 = 1                   keeps gradients
        sigma_w^2 Var f + sigma_b^2 = 1              keeps the variance
        sigma_w^2 = 1 / E f'^2,  sigma_b^2 = 1 - Var f / E f'^2

    Such a sigma_b exists for every f: Var f <= E f'^2, with equality for a line (Chernoff 1981, A
    note on an inequality involving the normal distribution, https://doi.org/10.1214/aop/1176994428).
    Where f jumps, which f' does not see, sigma_w^2 = 1 / Var f. Of a function of several inputs, a
    gated one or one of a whole row of ``units``, f'^2 is the square of its gradient. Where the
    moments do not exist or vanish, all is as for a line.

    Counting f from its mean makes the variance 1 stable: its slope is
    1 + E (f - E f) f'' / E f'^2, which is 0.81 for GELU where 1 / sqrt(E f^2) gives 1.14. Edge of
    chaos: Schoenholz et al. 2017, https://arxiv.org/abs/1611.01232; orthogonal weights there:
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
    """Return what mean-field theory needs of a network's linear layers.

    ``outputs`` are those of the data, each hidden layer and the last one, as in (2, 16, 16, 1).
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
    """Return 1 / sqrt(E f(z)^2) with z ~ N(0, 1).

    By quadrature where f is elementwise; otherwise by the mean over 4,096 rows of ``units`` outputs
    drawn from a fixed seed. 1 where f vanishes or has no second moment.
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
