"""Data sets of published demonstrations, drawn with their formulas and constants.

Their YAML files set ``standardize: false``, so networks see the published units.
"""

from __future__ import annotations

import numpy as np

from activations.arguments import whole_number
from activations.base import Array
from runner.data.shapes import check_numbers, register
from runner.data.split import Dataset


@register
def cs231n_spiral(samples: int, noise: float, rng: np.random.Generator, arms: int = 3) -> Dataset:
    """The spiral of Stanford's course CS231n, with n = ``samples / arms`` points per arm.

    Point i = 0 ... n - 1 of arm k has radius r = i / (n - 1) and angle 4 (k + r) + noise g, in
    radians, g ~ N(0, 1); x = r (sin angle, cos angle). The class is the arm.
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
    """The TensorFlow Playground's circle: a disc of radius 2.5 inside a ring from 3.5 to 5.

    Half of the radii are uniform in [0, 2.5], half in [3.5, 5]. A point is of class 1 if it lies
    within 2.5 of the centre after a uniform shift of up to 5 ``noise`` along each axis. The shift
    changes only the label. https://github.com/tensorflow/playground, src/dataset.ts
    """
    inside = np.arange(samples) % 2 == 0
    radius = np.where(inside, 2.5 * rng.random(samples), 3.5 + 1.5 * rng.random(samples))
    x = _at(radius, 2 * np.pi * rng.random(samples))
    shifted = x + 5 * noise * _uniform(rng, samples)
    return Dataset(x, (np.hypot(*shifted.T) < 2.5).astype(int), 2)


@register
def playground_xor(samples: int, noise: float, rng: np.random.Generator) -> Dataset:
    """The TensorFlow Playground's exclusive or: uniform in [-5, 5]^2, then moved 0.3 off the axes.

    A point is of class 1 if its coordinates have the same sign after a uniform shift of up to
    5 ``noise`` along each axis. The shift changes only the label.
    https://github.com/tensorflow/playground, src/dataset.ts
    """
    x = 5 * _uniform(rng, samples)
    x += np.where(x > 0, 0.3, -0.3)
    shifted = x + 5 * noise * _uniform(rng, samples)
    return Dataset(x, (shifted.prod(axis=1) >= 0).astype(int), 2)


@register
def playground_gauss(samples: int, noise: float, rng: np.random.Generator) -> Dataset:
    """The TensorFlow Playground's two Gaussians: means (-2, -2), class 0, and (2, 2), class 1.

    The variance of each coordinate is 0.5 + 7 ``noise``.
    https://github.com/tensorflow/playground, src/dataset.ts
    """
    labels = np.arange(samples) % 2
    centres = np.where(labels == 1, 2.0, -2.0)[:, None]
    deviation = np.sqrt(0.5 + 7 * noise)
    return Dataset(centres + deviation * rng.standard_normal((samples, 2)), labels, 2)


@register
def playground_spiral(samples: int, noise: float, rng: np.random.Generator) -> Dataset:
    """The TensorFlow Playground's two spirals of 1.75 turns.

    Point i = 0 ... n - 1 of class 1 has radius 5 i / n and angle 3.5 pi i / n; class 0 is half a
    turn further. Each coordinate is shifted by a number uniform in [-noise, noise].
    https://github.com/tensorflow/playground, src/dataset.ts
    """
    labels = np.arange(samples) % 2
    count = np.bincount(labels, minlength=2)
    along = np.arange(samples) // 2 / count[labels]
    x = _at(5 * along, 3.5 * np.pi * along + np.pi * (1 - labels))
    return Dataset(x + noise * _uniform(rng, samples), labels, 2)


@register
def single_sample(rng: np.random.Generator) -> Dataset:
    """One sample, x = 1 of class 0: the training data of the neuron in Nielsen 2015, chapter 3.

    http://neuralnetworksanddeeplearning.com/chap3.html
    """
    return Dataset(np.ones((1, 1)), np.zeros(1, int), 2)


def _at(radius: Array, angle: Array) -> Array:
    return radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)


def _uniform(rng: np.random.Generator, samples: int) -> Array:
    return rng.uniform(-1, 1, (samples, 2))
