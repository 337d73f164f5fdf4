"""Optimizers: each paper's recurrence, in place on one flat array for all replicates.

``theta`` and ``gradient`` (g) have shape (replicates, parameters). A step updates ``theta`` and may
overwrite ``gradient``. Every operation acts on each replicate alone. In the formulas, lr is
learning_rate times the schedule's factor, and t is the number of the step, from 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from activations.arguments import number, shown
from activations.base import Array
from activations.registry import Named, Registry
from runner.network.underflow import FLUSH_STEPS, flush_subnormals

OPTIMIZERS: Registry[Optimizer] = Registry("optimizer")


@dataclass
class Optimizer(Named):
    """Base class: every optimizer has a learning rate and gradient clipping.

    g <- g min(1, clip_norm / |g|), for each replicate; g includes the gradient of the penalty, and
    |g| is the Euclidean norm. None means no clipping. Pascanu, Mikolov & Bengio 2013,
    https://arxiv.org/abs/1211.5063

    Raises ValueError unless learning_rate and clip_norm are > 0.
    """

    registry = OPTIMIZERS

    learning_rate: float
    clip_norm: float | None = None

    def __post_init__(self) -> None:
        self.learning_rate = number("learning_rate", self.learning_rate, above=0)
        if self.clip_norm is not None:
            self.clip_norm = number("clip_norm", self.clip_norm, above=0)

    def bind(self, theta: Array, is_weight: Array) -> None:
        """Set the array to train. ``is_weight`` (parameters,) is a mask of what may decay."""
        self.theta, self.is_weight = theta, is_weight
        self.scratch = np.empty_like(theta)
        self.steps = 0
        self.allocate()

    def allocate(self) -> None:
        """Allocate the state arrays, all zero."""

    def state(self) -> list[Array]:
        """Return the state arrays, which a checkpoint stores."""
        return []

    def step(self, gradient: Array, schedule_factor: float = 1.0) -> None:
        """Clip ``gradient`` and update theta with learning_rate * schedule_factor."""
        learning_rate = self.learning_rate * schedule_factor
        self.steps += 1
        if self.clip_norm is not None:
            self.clip(gradient, self.clip_norm)
        self.update(gradient, learning_rate)
        if self.steps % FLUSH_STEPS == 0:
            for moment in self.state():
                flush_subnormals(moment)

    def clip(self, gradient: Array, most: float) -> None:
        """Multiply each row g by min(1, most / |g|), where |g| = a |g / a| with a = max_i |g_i|.

        Without the division by a, float32 squares overflow above 1.8e19 and underflow below 1e-19.
        """
        scratch = np.abs(gradient, out=self.scratch)
        largest = np.maximum.reduce(scratch, axis=1, keepdims=True)
        largest[largest == 0] = 1
        np.divide(gradient, largest, out=scratch)
        np.multiply(scratch, scratch, out=scratch)
        norm = np.sqrt(np.add.reduce(scratch, axis=1, keepdims=True))
        gradient *= np.minimum(1, most / largest / np.maximum(norm, 1))

    def update(self, gradient: Array, learning_rate: float) -> None:
        """Apply the optimizer's own formula."""
        raise NotImplementedError(f"{type(self).__name__} does not define update")


@dataclass
class SGD(Optimizer):
    """Stochastic gradient descent: plain, with momentum, with Nesterov momentum:

        theta <- theta - lr g
        v <- momentum v + g,  theta <- theta - lr v
        v <- momentum v + g,  theta <- theta - lr (g + momentum v)

    Sutskever, Martens, Dahl & Hinton 2013, https://proceedings.mlr.press/v28/sutskever13.html. As
    in PyTorch, the learning rate is not part of the velocity v.

    Raises ValueError unless 0 <= momentum < 1, and if nesterov is true without momentum.
    """

    name = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.momentum = _below_one("momentum", self.momentum)
        if not isinstance(self.nesterov, bool):
            raise ValueError(f"nesterov must be true or false, got {shown(self.nesterov)}")
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov=true needs momentum > 0, e.g. momentum=0.9")

    def allocate(self) -> None:
        self.velocity = np.zeros_like(self.theta)

    def state(self) -> list[Array]:
        return [self.velocity]

    def update(self, gradient: Array, learning_rate: float) -> None:
        if self.momentum:
            self.velocity *= self.momentum
            self.velocity += gradient
            if self.nesterov:
                np.multiply(self.velocity, self.momentum, out=self.scratch)
                gradient += self.scratch
            else:
                gradient = self.velocity
        np.multiply(gradient, learning_rate, out=self.scratch)
        self.theta -= self.scratch


@dataclass
class RMSProp(Optimizer):
    """The gradient divided by the root of its running mean square:

        v <- rho v + (1 - rho) g^2
        theta <- theta - lr g / (sqrt(v) + epsilon)

    g is clipped to +-a, see ``largest_gradient``. Raises ValueError unless 0 <= rho < 1 and
    epsilon > 0. Tieleman & Hinton 2012, Neural Networks for Machine Learning, lecture 6e.
    """

    name = "rmsprop"
    learning_rate: float = 0.01
    rho: float = 0.9
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rho = _below_one("rho", self.rho)
        self.epsilon = number("epsilon", self.epsilon, above=0)

    def allocate(self) -> None:
        self.second_moment = np.zeros_like(self.theta)
        self.bounds = largest_gradient(self.rho, self.theta.dtype)

    def state(self) -> list[Array]:
        return [self.second_moment]

    def update(self, gradient: Array, learning_rate: float) -> None:
        v, scratch = self.second_moment, self.scratch
        gradient.clip(*self.bounds, gradient)
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 1 - self.rho
        v *= self.rho
        v += scratch
        np.sqrt(v, out=scratch)
        scratch += self.epsilon
        np.divide(gradient, scratch, out=scratch)
        scratch *= learning_rate
        self.theta -= scratch


@dataclass
class Adam(Optimizer):
    """Adaptive moments, as in algorithm 1 of Kingma & Ba 2015, https://arxiv.org/abs/1412.6980:

        m <- b1 m + (1 - b1) g
        v <- b2 v + (1 - b2) g^2
        theta <- theta - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)

    The code keeps M = m / (1 - b1) and V = v / (1 - b2) instead. This saves two passes over the
    array, because all constant factors go into two scalars:

        M <- b1 M + g
        V <- b2 V + g^2
        theta <- theta - rate M / (sqrt(V) + epsilon root)
        root = sqrt((1 - b2^t) / (1 - b2)),  rate = lr root (1 - b1) / (1 - b1^t)

    g is clipped to +-a, see ``largest_gradient``. Raises ValueError unless 0 <= b1 < 1,
    0 <= b2 < 1 and epsilon > 0.
    """

    name = "adam"
    learning_rate: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        self.beta1 = _below_one("beta1", self.beta1)
        self.beta2 = _below_one("beta2", self.beta2)
        self.epsilon = number("epsilon", self.epsilon, above=0)

    def allocate(self) -> None:
        self.first_moment = np.zeros_like(self.theta)
        self.second_moment = np.zeros_like(self.theta)
        # 0-d arrays, because a Python float costs 0.4 us more per call
        values = (self.beta1, self.beta2, 0, 0)
        self.constants = [np.array(value, self.theta.dtype) for value in values]
        self.bounds = largest_gradient(self.beta2, self.theta.dtype)

    def state(self) -> list[Array]:
        return [self.first_moment, self.second_moment]

    def update(self, gradient: Array, learning_rate: float) -> None:
        m, v, scratch = self.first_moment, self.second_moment, self.scratch
        beta1, beta2, epsilon_root, rate = self.constants
        root = math.sqrt((1 - self.beta2**self.steps) / (1 - self.beta2))
        epsilon_root.fill(self.epsilon * root)
        rate.fill(learning_rate * root * (1 - self.beta1) / (1 - self.beta1**self.steps))
        gradient.clip(*self.bounds, gradient)
        np.multiply(m, beta1, m)
        np.add(m, gradient, m)
        np.multiply(v, beta2, v)
        np.multiply(gradient, gradient, scratch)
        np.add(v, scratch, v)
        np.sqrt(v, scratch)
        np.add(scratch, epsilon_root, scratch)
        np.divide(m, scratch, scratch)
        np.multiply(scratch, rate, scratch)
        np.subtract(self.theta, scratch, self.theta)


@dataclass
class AdamW(Adam):
    """Adam with decoupled weight decay: w <- w - lr weight_decay w, then Adam's step.

    Biases and learnable activation parameters do not decay. Raises ValueError unless
    weight_decay >= 0. Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101; as in PyTorch,
    the decay is multiplied by the learning rate.
    """

    name = "adamw"
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        self.weight_decay = number("weight_decay", self.weight_decay, minimum=0)

    def allocate(self) -> None:
        super().allocate()
        self.decay = (self.weight_decay * self.is_weight).astype(self.theta.dtype)

    def update(self, gradient: Array, learning_rate: float) -> None:
        np.multiply(self.theta, self.decay, out=self.scratch)
        self.scratch *= learning_rate
        self.theta -= self.scratch
        super().update(gradient, learning_rate)


def largest_gradient(decay: float, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Return -a and a, with a = sqrt((1 - decay) max) / 2, where max is the dtype's largest number.

    The decaying sum of squares of gradients up to a is at most a^2 / (1 - decay) = max / 4. Larger
    gradients could make the second moment infinite, and all later steps would be 0. Clipping hardly
    changes a step, which depends on the ratio of the two moments and not on the gradient's size.
    """
    most = math.sqrt(float(np.finfo(dtype).max) * (1 - decay)) / 2
    return np.array(-most, dtype), np.array(most, dtype)


def _below_one(name: str, value: float) -> float:
    if number(name, value, minimum=0) >= 1:
        raise ValueError(f"{name} must be >= 0 and < 1, got {shown(value)}")
    return float(value)
