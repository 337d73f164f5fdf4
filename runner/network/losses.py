"""Losses of the network's outputs z and their gradients, stable for any finite z.

With two classes there is one output z per sample. It is the logit: p = sigmoid(z) is the
probability of class 1 (``TanhSquaredError`` has p = sigmoid(2 z)). With more classes there is one
output per class, and p = softmax(z). Shapes: logits (replicates, batch, 1 or classes), targets as
returned by ``encode``, losses (replicates, batch). Cross-entropy is in nats.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from activations.base import Array
from activations.registry import Named, Registry

LOSSES: Registry[Loss] = Registry("training.loss")

NO_OVERFLOW = 40.0
"""Exponents are cut here: e^40 / (1 + e^40) rounds to 1 in float64."""


def encode(labels: Array, classes: int, dtype: npt.DTypeLike) -> Array:
    """Return the targets of labels, which have shape (replicates, batch).

    Two classes: signs s, shape (replicates, batch, 1). s is -1 for class 1 and +1 for class 0, so
    s z is the logit of the wrong class. More classes: one-hot, (replicates, batch, classes).
    """
    if classes == 2:
        return (1 - 2 * labels[..., None]).astype(dtype)
    return (labels[..., None] == np.arange(classes)).astype(dtype)


def probabilities(logits: Array) -> Array:
    """Return sigmoid(z) if there is one logit, else softmax(z), in the shape of the logits."""
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
    """Return log(1 + w) for w in [0, 1], without losing the digits of a small w.

    log(1 + w) = log u + (w - (u - 1)) / u to first order, where u = 1 + w is rounded. The
    difference w - (u - 1) is the rounding error and is computed exactly. Without AVX-512, NumPy's
    float32 log1p is ten times slower than its log.
    """
    u = 1 + w
    return np.log(u) + (w - (u - 1)) / u


class Loss(Named):
    """Base class: subclasses have a ``name`` and define ``losses`` and ``gradient``."""

    registry = LOSSES
    two_classes_only: ClassVar[bool] = False

    def class_logits(self, outputs: Array) -> Array:
        """Return the logits of the class probabilities, given the network's outputs."""
        return outputs

    def losses(self, logits: Array, targets: Array) -> Array:
        """Return the loss of each sample, shape (replicates, batch)."""
        raise NotImplementedError(f"{type(self).__name__} does not define losses")

    def gradient(self, logits: Array, targets: Array) -> Array:
        """Return the gradient of the mean loss over the batch, in the shape of the logits."""
        raise NotImplementedError(f"{type(self).__name__} does not define gradient")


class CrossEntropy(Loss):
    """L = -sum_k t_k log p_k, p = softmax(z), t one-hot. The gradient is p - t:

        log p_k        = z_k - log sum_j e^(z_j)
        d log p_k/dz_i = [i = k] - e^(z_i) / sum_j e^(z_j) = [i = k] - p_i
        dL/dz_i        = -sum_k t_k ([i = k] - p_i)
                       = p_i sum_k t_k - t_i
                       = p_i - t_i, because sum_k t_k = 1

    Two classes with sign s = +-1: L = log(1 + w), w = e^(s z), and dL/dz = s w / (1 + w).
    At the true class, p - 1 loses its digits when p is near 1. The code therefore computes minus
    the sum of the other probabilities.
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
    dL/dz = (p - t) w / (1 + w)^2, w = e^-|z|. Nielsen 2015, chapter 3, shows how slowly training
    starts with this cost: http://neuralnetworksanddeeplearning.com/chap3.html
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

    Stable forms, with s = -t and w = e^(-2 |z|):

        tanh z - t   = s (1 + tanh(s z)) = 2 s sigmoid(2 s z)
        1 - tanh^2 z = 4 w / (1 + w)^2

    If class 1 has probability p, the output tanh z = 2 p - 1 has the lowest mean loss. Hence
    p = (1 + tanh z) / 2 = sigmoid(2 z). With several classes, probabilities of this kind would
    not add up to 1.

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
