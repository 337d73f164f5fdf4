"""Losses from the network's outputs z, stable for any finite z, and their gradients.

Two classes have one output z per sample: but for ``TanhSquaredError`` it is the logit, and
p = sigmoid(z) is the probability of class 1. More classes have one each: p = softmax(z). Shapes:
logits (replicates, batch, 1 or classes), targets as made by ``encode``, losses (replicates, batch)
in nats.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from activations.base import Array
from activations.registry import Named, Registry

LOSSES: Registry[Loss] = Registry("training.loss")

NO_OVERFLOW = 40.0
"""e^40 / (1 + e^40) is 1 to the last bit of float64."""


def encode(labels: Array, classes: int, dtype: npt.DTypeLike) -> Array:
    """Return targets for labels (replicates, batch): signs or one-hot rows.

    Two classes: (replicates, batch, 1), -1 for class 1 and +1 for class 0, so that
    sign * z is the logit of being wrong. More: (replicates, batch, classes), one-hot.
    """
    if classes == 2:
        return (1 - 2 * labels[..., None]).astype(dtype)
    return (labels[..., None] == np.arange(classes)).astype(dtype)


def probabilities(logits: Array) -> Array:
    """Return p = sigmoid(z) for one logit, softmax(z) for more, in the logits' shape."""
    if logits.shape[-1] == 1:
        e = np.exp(np.minimum(logits, NO_OVERFLOW))
        return e / (1 + e)
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def predictions(logits: Array) -> Array:
    """Return the predicted class of each sample, shape (replicates, batch)."""
    if logits.shape[-1] == 1:
        return (logits[..., 0] > 0).astype(np.int64)
    return logits.argmax(axis=-1)


def log_of_one_and(w: Array) -> Array:
    """Return log(1 + w) for w in [0, 1], with all digits.

    u = 1 + w rounds w - (u - 1) away, which is exact and changes the logarithm by itself over u.
    NumPy's log1p of float32 is ten times slower than its log where there is no AVX-512.
    """
    u = 1 + w
    return np.log(u) + (w - (u - 1)) / u


class Loss(Named):
    """How far logits are from their targets, and its gradient."""

    registry = LOSSES
    two_classes_only: ClassVar[bool] = False

    def class_logits(self, outputs: Array) -> Array:
        """Return the logits of the class probabilities that a network's outputs stand for."""
        return outputs

    def losses(self, logits: Array, targets: Array) -> Array:
        """Return the loss of each sample, shape (replicates, batch)."""
        raise TypeError(f"{type(self).__name__} does not define losses")

    def gradient(self, logits: Array, targets: Array) -> Array:
        """Return the gradient of the mean loss over the batch, in the logits' shape."""
        raise TypeError(f"{type(self).__name__} does not define gradient")


class CrossEntropy(Loss):
    """L = -sum_k t_k log p_k, p = softmax(z), t one-hot. The gradient is p - t:

        log p_k        = z_k - log sum_j e^(z_j)
        d log p_k/dz_i = [i = k] - e^(z_i) / sum_j e^(z_j) = [i = k] - p_i
        dL/dz_i        = -sum_k t_k ([i = k] - p_i)
                       = p_i sum_k t_k - t_i
                       = p_i - t_i, for sum_k t_k = 1

    Two classes with sign s = +-1: L = log(1 + w), w = e^(s z), and dL/dz = s w / (1 + w).
    Written so that a nearly certain prediction keeps its digits: the true class's entry is
    minus the probability of all others, not p - 1.
    """

    name = "cross_entropy"

    def losses(self, logits: Array, targets: Array) -> Array:
        if logits.shape[-1] == 1:
            wrong = targets * logits
            softplus = np.maximum(wrong, 0) + log_of_one_and(np.exp(-np.abs(wrong)))
            return softplus[..., 0]
        shifted = logits - logits.max(axis=-1, keepdims=True)
        true = (shifted * targets).sum(axis=-1)
        return np.log(np.exp(shifted).sum(axis=-1)) - true

    def gradient(self, logits: Array, targets: Array) -> Array:
        batch = logits.shape[-2]
        if logits.shape[-1] == 1:
            w = np.exp(np.minimum(targets * logits, NO_OVERFLOW))  # odds of being wrong
            return targets * (w / (batch * (1 + w)))
        e = np.exp(logits - logits.max(axis=-1, keepdims=True))
        others = e * (1 - targets)
        numerator = others - targets * others.sum(axis=-1, keepdims=True)
        return numerator / (batch * e.sum(axis=-1, keepdims=True))


class SquaredError(Loss):
    """L = |e|^2 / 2 with e = p - t, p = softmax(z), t one-hot.

        dp_k/dz_i = p_k ([i = k] - p_i)
        dL/dz_i   = sum_k e_k p_k ([i = k] - p_i) = p_i (e_i - sum_k e_k p_k)

    Two classes: L = (p - t)^2 / 2 with p = sigmoid(z), t in {0, 1}, and
    dL/dz = (p - t) w / (1 + w)^2, w = e^-|z|. It is the quadratic cost whose slow start Nielsen
    2015, chapter 3, shows, http://neuralnetworksanddeeplearning.com/chap3.html
    """

    name = "squared_error"

    def losses(self, logits: Array, targets: Array) -> Array:
        error = self._error(logits, targets)
        return (error * error).sum(axis=-1) / 2

    def gradient(self, logits: Array, targets: Array) -> Array:
        error = self._error(logits, targets) / logits.shape[-2]
        if logits.shape[-1] == 1:
            w = np.exp(-np.abs(logits))
            return error * (w / ((1 + w) * (1 + w)))
        p = probabilities(logits)
        return p * (error - (error * p).sum(axis=-1, keepdims=True))

    def _error(self, logits: Array, targets: Array) -> Array:
        if logits.shape[-1] == 1:  # p - t = s sigmoid(s z)
            return targets * probabilities(targets * logits)
        return probabilities(logits) - targets


class TanhSquaredError(Loss):
    """L = (tanh z - t)^2 / 2, t = -1 for class 0 and 1 for class 1. Two classes only.

        dL/dz = (tanh z - t) (1 - tanh^2 z)

    With s = -t the error is s (1 + tanh(s z)) = 2 s sigmoid(2 s z), and 1 - tanh^2 z is
    4 w / (1 + w)^2, w = e^(-2 |z|): both keep their digits where they are small. Of all outputs
    tanh z = 2 p - 1 has the lowest mean loss where class 1 has the probability p, so
    p = (1 + tanh z) / 2 = sigmoid(2 z); several classes would each have their own, and the sum
    would not be 1.

    LeCun, Bottou, Orr & Mueller 1998, Efficient BackProp, section 4.5; the TensorFlow Playground,
    https://github.com/tensorflow/playground
    """

    name = "tanh_squared_error"
    two_classes_only = True

    def class_logits(self, outputs: Array) -> Array:
        return 2 * outputs

    def losses(self, logits: Array, targets: Array) -> Array:
        error = self._error(logits, targets)
        return (error * error).sum(axis=-1) / 2

    def gradient(self, logits: Array, targets: Array) -> Array:
        w = np.exp(-2 * np.abs(logits))
        slope = 4 * w / ((1 + w) * (1 + w))
        return self._error(logits, targets) / logits.shape[-2] * slope

    def _error(self, logits: Array, targets: Array) -> Array:
        return 2 * targets * probabilities(2 * targets * logits)
