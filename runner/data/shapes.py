"""Synthetic data sets: functions of (samples, noise, random generator) and other parameters.

To add one, write a function with ``@register`` here and a YAML file in conf/dataset. Each seed has
its own random streams. For one seed, all activations therefore get the same samples, the same split
and the same standardisation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from activations.arguments import number, shown, whole_number
from activations.base import Array
from activations.registry import Registry
from runner.data.split import Dataset
from runner.data.streams import DATA_STREAM

LARGEST = 100_000_000

DATASETS: Registry[Dataset] = Registry(
    "dataset",
    injected=["rng"],
    extra={
        "standardize": True,
        "label_noise": 0.0,
        "test_fraction": 0.2,
        "validation_fraction": 0.2,
    },
)
"""``beside`` holds the parameters of the split: the config section of a data set has them too."""
register = DATASETS.register


def make(name: str, seed: int, parameters: Mapping[str, Any]) -> Dataset:
    """Return the data set called ``name``; the same seed gives the same data.

    Raises ValueError for an unknown name or parameter, or a value out of range. The message is one
    line that begins with the parameter's name or "dataset".
    """
    if "samples" in parameters:
        whole_number("samples", parameters["samples"], minimum=2, maximum=LARGEST)
    if "noise" in parameters:
        number("noise", parameters["noise"], minimum=0)
        parameters = {**parameters, "noise": float(parameters["noise"])}
    found = DATASETS.build(name, parameters, rng=np.random.default_rng([seed, DATA_STREAM]))
    try:
        return found if DATASETS.is_ours(name) else _checked(found)
    except ValueError as error:
        raise ValueError(f"dataset {name}: {error}") from None


def _checked(found: Any) -> Dataset:
    """Return a user's own data set with x as float64 and labels as int64.

    Raises ValueError with one line if no network could be trained on it.
    """
    if not isinstance(found, Dataset):
        raise ValueError(
            "it must return a runner.data.Dataset(x, labels, classes), "
            f"got a {type(found).__name__}"
        )
    x, labels = np.asarray(found.x), np.asarray(found.labels)
    if x.dtype.kind not in "iufb" or labels.dtype.kind not in "iufb":
        raise ValueError(f"x and labels must be numbers, got dtypes {x.dtype} and {labels.dtype}")
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"x must have the shape (samples, features), got {x.shape}")
    if labels.shape != x.shape[:1]:
        raise ValueError(
            f"labels must have the shape ({len(x)},), one for each row of x; got {labels.shape}"
        )
    if not np.isfinite(x).all():
        raise ValueError(f"x must be finite, row {np.isfinite(x).all(axis=1).argmin()} is not")
    classes = int(found.classes) if isinstance(found.classes, np.integer) else found.classes
    whole_number("classes", classes, minimum=2)
    wrong = ~((labels >= 0) & (labels < classes) & (np.floor(labels) == labels))
    if wrong.any():
        raise ValueError(
            f"labels must be whole numbers from 0 to {classes - 1}, as classes is {classes}; "
            f"got {labels[wrong][0]}"
        )
    return Dataset(x.astype(np.float64), labels.astype(np.int64), classes)


def check_numbers(samples: int, classes: int = 2, features: int = 2) -> None:
    """Raise ValueError if a number is out of range or there are more classes than samples."""
    whole_number("classes", classes, minimum=2, maximum=1000)
    whole_number("features", features, minimum=1, maximum=100_000)
    if classes > samples:
        raise ValueError(f"samples={samples} are fewer than the {classes} classes")


def _labels(samples: int, classes: int, rng: np.random.Generator) -> Array:
    """Return shuffled labels (samples,); the sizes of the classes differ by at most 1."""
    check_numbers(samples, classes)
    return rng.permutation(np.arange(samples) % classes)


def _normal_shift(x: Array, noise: float, rng: np.random.Generator) -> Array:
    return x + noise * rng.standard_normal(x.shape)


@register
def moons(samples: int, noise: float, rng: np.random.Generator) -> Dataset:
    """Two interleaved half circles of radius 1, shifted by N(0, noise^2) along each axis."""
    labels = _labels(samples, 2, rng)
    angle = np.pi * rng.random(samples)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x = np.where(labels[:, None] == 0, upper, [1.0, 0.5] - upper)
    return Dataset(_normal_shift(x, noise, rng), labels, 2)


@register
def circles(samples: int, noise: float, rng: np.random.Generator, factor: float = 0.5) -> Dataset:
    """A circle of radius ``factor`` (class 1) inside a circle of radius 1 (class 0).

    Points are shifted by N(0, noise^2) along each axis. Raises ValueError unless 0 < factor < 1.
    """
    if not 0 < number("factor", factor) < 1:
        raise ValueError(f"factor must be > 0 and < 1, got {shown(factor)}")
    labels = _labels(samples, 2, rng)
    angle = 2 * np.pi * rng.random(samples)
    radius = np.where(labels == 0, 1.0, factor)
    x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Dataset(_normal_shift(x, noise, rng), labels, 2)


@register
def rings(samples: int, noise: float, rng: np.random.Generator, classes: int = 3) -> Dataset:
    """Concentric circles of radius 1/k, 2/k, ..., 1 for k classes; class 0 is the innermost.

    Points are shifted by N(0, noise^2) along each axis.
    """
    labels = _labels(samples, classes, rng)
    angle = 2 * np.pi * rng.random(samples)
    radius = (labels + 1) / classes
    x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Dataset(_normal_shift(x, noise, rng), labels, classes)


@register
def spirals(
    samples: int, noise: float, rng: np.random.Generator, arms: int = 3, turns: float = 0.64
) -> Dataset:
    """Spiral arms in the unit disc, one per class.

    A point of arm k at radius r in (0, 1) has angle 2 pi (k / arms + turns r) + noise g, in
    radians, g ~ N(0, 1). With noise 0.2 the defaults resemble the three-arm spiral of Stanford's
    course CS231n; ``cs231n_spiral`` is its exact recipe.
    """
    whole_number("arms", arms, minimum=2, maximum=1000)
    number("turns", turns)
    labels = _labels(samples, arms, rng)
    radius = rng.random(samples)
    angle = 2 * np.pi * (labels / arms + turns * radius)
    angle += noise * rng.standard_normal(samples)
    x = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return Dataset(x, labels, arms)


@register
def two_spirals(samples: int, noise: float, rng: np.random.Generator) -> Dataset:
    """Two intertwined spirals of three turns, the benchmark of Carnegie Mellon.

    Class 0 has radius 6.5 (104 - i) / 104 and angle i pi / 16 for i = 0 ... 96; class 1 is its
    mirror image through the origin. 194 samples are the 97 + 97 points of the benchmark. For other
    numbers of samples, i is evenly spaced in [0, 96]. Points are shifted by N(0, noise^2) along
    each axis. Lang & Witbrock 1988, Learning to tell two spirals apart.
    """
    labels = np.arange(samples) % 2
    count = np.bincount(labels, minlength=2)
    i = np.empty(samples)
    for label in (0, 1):
        i[labels == label] = np.linspace(0, 96, count[label])
    radius = 6.5 * (104 - i) / 104 * np.where(labels == 0, 1, -1)
    x = radius[:, None] * np.stack([np.sin(i * np.pi / 16), np.cos(i * np.pi / 16)], axis=1)
    return Dataset(_normal_shift(x, noise, rng), labels, 2)


@register
def blobs(
    samples: int,
    noise: float,
    rng: np.random.Generator,
    classes: int = 3,
    features: int = 2,
    distance: float = 4.0,
) -> Dataset:
    """N(centre, noise^2 I) for each class.

    The centres are at ``distance`` from the origin in random directions. Of 32 draws of all
    directions, the one with the largest angle between its two closest centres is used. With one
    feature, the centres are evenly spaced in [-distance, distance].
    """
    check_numbers(samples, classes, features)
    number("distance", distance, above=0)
    if features == 1:
        centres = distance * np.linspace(-1, 1, classes)[:, None]
    else:
        centres = _spread_directions(classes, features, rng) * distance
    labels = _labels(samples, classes, rng)
    return Dataset(_normal_shift(centres[labels], noise, rng), labels, classes)


def _spread_directions(count: int, features: int, rng: np.random.Generator) -> Array:
    best, widest = np.empty((count, features)), -math.inf
    for _ in range(32):
        found = rng.standard_normal((count, features))
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        cosine = (found @ found.T - 2 * np.eye(count)).max()
        if -cosine > widest:
            best, widest = found, -cosine
    return best


@register
def xor(samples: int, noise: float, rng: np.random.Generator, margin: float = 0.1) -> Dataset:
    """Uniform in [-1, 1]^2; class 1 has coordinates of different sign.

    Points are at least ``margin`` away from both axes. They are then shifted by N(0, noise^2) along
    each axis; the labels stay. Raises ValueError unless 0 <= margin < 1.
    """
    if not 0 <= number("margin", margin) < 1:
        raise ValueError(f"margin must be >= 0 and < 1, got {shown(margin)}")
    labels = _labels(samples, 2, rng)
    size = margin + (1 - margin) * rng.random((samples, 2))
    first = np.where(rng.random(samples) < 0.5, -1, 1)
    signs = np.stack([first, np.where(labels == 0, first, -first)], axis=1)
    return Dataset(_normal_shift(size * signs, noise, rng), labels, 2)


@register
def checkerboard(samples: int, noise: float, rng: np.random.Generator, cells: int = 4) -> Dataset:
    """Uniform in [0, cells]^2; the class is (row + column) mod 2 of the point's square.

    The points are then shifted by N(0, noise^2) along each axis; the labels stay.
    """
    whole_number("cells", cells, minimum=2, maximum=1000)
    labels = _labels(samples, 2, rng)
    column = rng.integers(0, cells, samples)
    # in each point's column, a random square among those of its class
    parity = (labels + column) % 2
    count = (cells + 1 - parity) // 2
    row = parity + 2 * np.floor(rng.random(samples) * count).astype(int)
    x = np.stack([column, row], axis=1) + rng.random((samples, 2))
    return Dataset(_normal_shift(x, noise, rng), labels, 2)


@register
def gaussian_quantiles(
    samples: int, noise: float, rng: np.random.Generator, classes: int = 3, features: int = 2
) -> Dataset:
    """x ~ N(0, I); the classes are quantiles of the distance from 0, class 0 the nearest.

    The points are then shifted by N(0, noise^2) along each axis; the labels stay.
    """
    check_numbers(samples, classes, features)
    x = rng.standard_normal((samples, features))
    labels = _rank_classes(np.linalg.norm(x, axis=1), classes)
    return Dataset(_normal_shift(x, noise, rng), labels, classes)


@register
def linearly_separable(
    samples: int, noise: float, rng: np.random.Generator, features: int = 2, margin: float = 0.2
) -> Dataset:
    """Two classes on the two sides of a random hyperplane through the origin.

    The distance of a point from the hyperplane is margin + |g|, g ~ N(0, 1); within the hyperplane
    its coordinates are N(0, 1). Then it is shifted by N(0, noise^2) along each axis; the labels
    stay. Raises ValueError unless margin >= 0.
    """
    check_numbers(samples, features=features)
    number("margin", margin, minimum=0)
    labels = _labels(samples, 2, rng)
    normal = rng.standard_normal(features)
    normal /= np.linalg.norm(normal)
    x = rng.standard_normal((samples, features))
    along = x @ normal
    wanted = np.where(labels == 1, 1, -1) * (margin + np.abs(along))
    x += (wanted - along)[:, None] * normal
    return Dataset(_normal_shift(x, noise, rng), labels, 2)


@register
def teacher(
    samples: int,
    noise: float,
    rng: np.random.Generator,
    features: int = 10,
    classes: int = 2,
    teacher_hidden: int = 8,
) -> Dataset:
    """x ~ N(0, I), labelled by a random tanh network with one hidden layer.

    Each output is standardised, and N(0, noise^2) is added to it. Two classes: class 1 is the half
    of the samples with the larger output. More classes: the class is the index of the largest one.
    """
    check_numbers(samples, classes, features)
    whole_number("teacher_hidden", teacher_hidden, minimum=1, maximum=100_000)
    x = rng.standard_normal((samples, features))
    first = rng.standard_normal((features, teacher_hidden)) * math.sqrt(2 / features)
    second = rng.standard_normal((teacher_hidden, 1 if classes == 2 else classes))
    outputs = np.tanh(x @ first) @ second
    deviation = outputs.std(axis=0)
    outputs = (outputs - outputs.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    outputs += noise * rng.standard_normal(outputs.shape)
    labels = _rank_classes(outputs[:, 0], 2) if classes == 2 else outputs.argmax(axis=1)
    return Dataset(x, labels, classes)


def _rank_classes(values: Array, classes: int) -> Array:
    """Return classes by rank, class 0 the lowest values; class sizes differ by at most 1."""
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return ranks * classes // len(values)
