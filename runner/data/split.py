"""A data set, its split into three parts, and the stack of several replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from activations.arguments import number, shown, true_or_false
from activations.base import Array
from runner.data.streams import LABELS_STREAM, SPLIT_STREAM


@dataclass(frozen=True)
class Dataset:
    """x (samples, features), float64; labels (samples,), integers from 0 to classes - 1."""

    x: Array
    labels: Array
    classes: int


@dataclass(frozen=True)
class Split:
    """A data set in three parts, standardised or in its own units.

    A network sees (x - mean) / scale. mean and scale are those of the training part, or 0 and 1 if
    the data are not standardised. For one replicate the shapes are (samples, features) for x and
    (samples,) for labels; ``stack`` adds a replicate axis in front.
    """

    train_x: Array
    train_labels: Array
    validation_x: Array
    validation_labels: Array
    test_x: Array
    test_labels: Array
    mean: Array
    scale: Array
    classes: int

    def part(self, name: str) -> tuple[Array, Array]:
        """Return x and labels of "train", "validation" or "test"."""
        return getattr(self, f"{name}_x"), getattr(self, f"{name}_labels")


def scored_part(data: Split) -> str:
    """Return the part for the final scores: "test", or "train" if there are no test samples."""
    return "test" if data.test_labels.size else "train"


def split(
    dataset: Dataset,
    test_fraction: float,
    validation_fraction: float,
    seed: int,
    dtype: Any,
    *,
    label_noise: float = 0.0,
    standardize: bool = True,
) -> Split:
    """Shuffle, split off test and validation samples, standardise by the training part alone.

    A feature that is constant in the training part, except for rounding, has scale 1. Without
    ``standardize``, mean is 0 and scale is 1. If ``dtype`` is None, x stays in its own units.

    ``label_noise`` is the share of wrong labels among the training samples and among the validation
    samples. A wrong label is one of the other classes, all equally likely. Test labels stay
    correct, so test accuracy shows whether a network has learned or memorised.

    Raises ValueError, naming the fraction, if a value is out of range, if no training sample is
    left, or if a class has no sample in a part that is not empty.
    """
    number("label_noise", label_noise, minimum=0, maximum=1)
    true_or_false("standardize", standardize)
    samples = len(dataset.labels)
    fractions = {"test_fraction": test_fraction, "validation_fraction": validation_fraction}
    for key, value in fractions.items():
        if number(key, value, minimum=0) >= 1:
            raise ValueError(f"{key} must be >= 0 and < 1, got {shown(value)}")
    sizes = part_sizes(samples, test_fraction, validation_fraction)
    test, validation = sizes["test"], sizes["validation"]
    if sizes["train"] <= 0:
        raise ValueError(
            f"test_fraction={test_fraction:g} and validation_fraction="
            f"{validation_fraction:g} leave no training samples (of {samples})"
        )
    order = np.random.default_rng([seed, SPLIT_STREAM]).permutation(samples)
    rows = np.split(order, [test, test + validation])
    parts = dict(zip(("test", "validation", "train"), rows, strict=True))
    present = _counts(dataset.labels, dataset.classes) > 0
    for key, part in parts.items():
        missing = present & (_counts(dataset.labels[part], dataset.classes) == 0)
        if len(part) and missing.any():
            raise ValueError(
                f"{'test_fraction and validation' if key == 'train' else key}_fraction: "
                f"the {len(part)} {key} samples have none of class {missing.argmax()} "
                f"(seed {seed}); raise dataset.samples={samples} or change the fractions"
            )
    features = dataset.x.shape[1]
    mean, scale = np.zeros(features), np.ones(features)
    if standardize:
        mean, scale = mean_and_scale(dataset.x[parts["train"]])
    arrays = {}
    for key, part in parts.items():
        x = dataset.x[part]
        arrays[f"{key}_x"] = x if dtype is None else standardised(x, mean, scale, dtype)
        arrays[f"{key}_labels"] = dataset.labels[part]
    if label_noise:
        rng = np.random.default_rng([seed, LABELS_STREAM])
        for key in ("train_labels", "validation_labels"):
            arrays[key] = _mislabelled(arrays[key], label_noise, dataset.classes, rng)
    return Split(**arrays, mean=mean, scale=scale, classes=dataset.classes)


def _counts(labels: Array, classes: int) -> Array:
    return np.bincount(labels, minlength=classes)


def _mislabelled(labels: Array, share: float, classes: int, rng: np.random.Generator) -> Array:
    """Return labels of which ``share`` are wrong. A larger share adds to those of a smaller one."""
    order = rng.permutation(len(labels))
    others = (labels + rng.integers(1, classes, len(labels))) % classes
    wrong = order[: round(share * len(labels))]
    labels = labels.copy()
    labels[wrong] = others[wrong]
    return labels


def part_sizes(samples: int, test_fraction: float, validation_fraction: float) -> dict[str, int]:
    """Return the number of samples in each part; rounding affects the training part."""
    test, validation = (round(samples * f) for f in (test_fraction, validation_fraction))
    return {"train": samples - test - validation, "validation": validation, "test": test}


def standardised(x: Array, mean: Array, scale: Array, dtype: Any) -> Array:
    """Return (x - mean) / scale, computed in float64 and rounded to ``dtype``."""
    rounded: Array = ((x - mean) / scale).astype(dtype)
    return rounded


def mean_and_scale(x: Array) -> tuple[Array, Array]:
    """Return the mean and the standard deviation of each feature; x is (samples, features).

    If all values of a feature are equal except for rounding, its mean is its first value and its
    scale is 1. The computed deviation would only be the rounding error of the mean.
    """
    exponent = np.frexp(np.abs(x).max(axis=0))[1]
    unit = np.ldexp(x, -exponent)  # largest value in [1/2, 1): its square cannot over- or underflow
    constant = np.ptp(unit, axis=0) <= 8 * np.finfo(unit.dtype).eps
    mean, scale = (np.ldexp(part, exponent) for part in (unit.mean(axis=0), unit.std(axis=0)))
    return np.where(constant, x[0], mean), np.where(constant, 1.0, scale)


def stack(splits: Sequence[Split]) -> Split:
    """Return the splits of the replicates as one; every array has a replicate axis in front."""
    arrays = {
        field.name: np.stack([getattr(one, field.name) for one in splits])
        for field in fields(Split)
        if field.name != "classes"
    }
    return Split(**arrays, classes=splits[0].classes)
