"""Data sets as a published demonstration draws them, in its own units and numbers.

Their YAML files leave them as they are drawn (``standardize: false``).
"""

from __future__ import annotations

import numpy as np

from activations.arguments import whole_number
from activations.base import Array
from runner.data.shapes import check_numbers, register
from runner.data.split import Dataset


@register
def cs231n_spiral(samples: int, noise: float, rng: np.random.Generator, arms: int = 3) -> Dataset:
    """The spiral of Stanford's course CS231n, arms of ``samples / arms`` points each.

    Point i of the n of arm k has the radius r = i / (n - 1) and the angle 4 (k + r) plus a normal
    shift of deviation ``noise``, in radians; x = r (sin, cos).
    Karpathy 2015, https://cs231n.github.io/neural-networks-case-study/
    """
    whole_number("arms", arms, minimum=2, maximum=1000)
    check_numbers(samples, arms)
    labels = np.arange(samples) % arms
    count = np.bincount(labels, minlength=arms)
    radius = (np.arange(samples) // arms) / np.maximum(count - 1, 1)[labels]
    angle = 4 * (labels + radius) + noise * rng.standard_normal(samples)
    x = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return Dataset(x, labels, arms)


@register
def playground_circle(samples: int, noise: float, rng: np.random.Generator) -> Dataset:
    """The TensorFlow Playground's circle: a disc of radius 2.5 in a ring from 3.5 to 5.

    Half of the points have a radius uniform in [0, 2.5], half in [3.5, 5]. Class 1 is within 2.5 of
    the centre after a shift of up to 5 ``noise`` along each axis, which leaves the point itself.
    https://github.com/tensorflow/playground, src/dataset.ts
    """
    inside = np.arange(samples) % 2 == 0
    radius = np.where(inside, 2.5 * rng.random(samples), 3.5 + 1.5 * rng.random(samples))
    x = _at(radius, 2 * np.pi * rng.random(samples))
    shifted = x + 5 * noise * _uniform(rng, samples)
    return Dataset(x, (np.hypot(*shifted.T) < 2.5).astype(int), 2)


@register
def playground_xor(samples: int, noise: float, rng: np.random.Generator) -> Dataset:
    """The TensorFlow Playground's exclusive or: uniform in [-5, 5]^2, then 0.3 away from the axes.

    Class 1 is where the coordinates have the same sign after a shift of up to 5 ``noise`` along
    each axis, which leaves the point itself.
    https://github.com/tensorflow/playground, src/dataset.ts
    """
    x = 5 * _uniform(rng, samples)
    x += np.where(x > 0, 0.3, -0.3)
    shifted = x + 5 * noise * _uniform(rng, samples)
    return Dataset(x, (shifted.prod(axis=1) >= 0).astype(int), 2)


@register
def playground_gauss(samples: int, noise: float, rng: np.random.Generator) -> Dataset:
    """The TensorFlow Playground's normal clouds around (2, 2), class 1, and (-2, -2), class 0.

    Their variance is 0.5 + 7 ``noise``.
    https://github.com/tensorflow/playground, src/dataset.ts
    """
    labels = np.arange(samples) % 2
    centres = np.where(labels == 1, 2.0, -2.0)[:, None]
    deviation = np.sqrt(0.5 + 7 * noise)
    return Dataset(centres + deviation * rng.standard_normal((samples, 2)), labels, 2)


@register
def playground_spiral(samples: int, noise: float, rng: np.random.Generator) -> Dataset:
    """The TensorFlow Playground's two spirals of 1.75 turns.

    Point i of the n of a class has the radius 5 i / n and the angle 3.5 pi i / n, class 0 half a
    turn on, and a shift uniform in [-noise, noise] along each axis.
    https://github.com/tensorflow/playground, src/dataset.ts
    """
    labels = np.arange(samples) % 2
    count = np.bincount(labels, minlength=2)
    along = np.arange(samples) // 2 / count[labels]
    x = _at(5 * along, 3.5 * np.pi * along + np.pi * (1 - labels))
    return Dataset(x + noise * _uniform(rng, samples), labels, 2)


@register
def single_sample(rng: np.random.Generator) -> Dataset:
    """One sample, x = 1 of class 0: what the neuron of Nielsen 2015, chapter 3, learns from.

    http://neuralnetworksanddeeplearning.com/chap3.html
    """
    return Dataset(np.ones((1, 1)), np.zeros(1, int), 2)


def _at(radius: Array, angle: Array) -> Array:
    return radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)


def _uniform(rng: np.random.Generator, samples: int) -> Array:
    return rng.uniform(-1, 1, (samples, 2))
