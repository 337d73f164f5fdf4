"""A data set, its split into three parts, and the stack of several replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from activations.arguments import number, true_or_false
from activations.base import Array
from runner.data.streams import LABELS_STREAM, SPLIT_STREAM


@dataclass(frozen=True)
class Dataset:
    """x (samples, features) float64, labels (samples,) from 0 to classes - 1."""

    x: Array
    labels: Array
    classes: int


@dataclass(frozen=True)
class Split:
    """A dataset in three parts, as a network sees it or in the data's own units.

    A network sees (x - mean) / scale: the training part's, or 0 and 1 where the data are not
    standardised. The arrays of one replicate are (samples, features) and (samples,); ``stack``
    puts a replicate axis in front of all of them.
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


def judged_part(data: Split) -> str:
    """Return the part that a network is judged on: "test", or "train" where no sample is
    held out for a test."""
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
    """Shuffle, cut off test and validation samples, standardise by the training part alone.

    A feature that is constant there, but for rounding, keeps scale 1. Without ``standardize`` the
    mean is 0 and the scale 1. With ``dtype`` None x stays in its own units. ``label_noise`` is
    the share of the training samples, and of the validation samples, whose label is wrong: any of
    the other classes, all equally likely. Test labels stay right, so that they tell what was
    learnt from what was memorised. Raises ValueError, naming the fraction, if a class would have
    no sample in a part that is not empty.
    """
    number("label_noise", label_noise, minimum=0, maximum=1)
    true_or_false("standardize", standardize)
    samples = len(dataset.labels)
    fractions = {"test_fraction": test_fraction, "validation_fraction": validation_fraction}
    for key, value in fractions.items():
        if number(key, value, minimum=0) >= 1:
            raise ValueError(f"{key} must be >= 0 and < 1, got {value!r}")
    sizes = part_sizes(samples, test_fraction, validation_fraction)
    test, validation = sizes["test"], sizes["validation"]
    if sizes["train"] <= 0:
        raise ValueError(
            f"test_fraction={test_fraction:g} and validation_fraction="
            f"{validation_fraction:g} leave no training sample of {samples}"
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
    """Return labels of which a share is wrong; those of a smaller share are among them."""
    order = rng.permutation(len(labels))
    others = (labels + rng.integers(1, classes, len(labels))) % classes
    wrong = order[: round(share * len(labels))]
    labels = labels.copy()
    labels[wrong] = others[wrong]
    return labels


def part_sizes(samples: int, test_fraction: float, validation_fraction: float) -> dict[str, int]:
    """Return how many samples each part of a split gets."""
    test, validation = (round(samples * f) for f in (test_fraction, validation_fraction))
    return {"train": samples - test - validation, "validation": validation, "test": test}


def standardised(x: Array, mean: Array, scale: Array, dtype: Any) -> Array:
    """Return (x - mean) / scale, computed in float64 and rounded to ``dtype``."""
    rounded: Array = ((x - mean) / scale).astype(dtype)
    return rounded


def mean_and_scale(x: Array) -> tuple[Array, Array]:
    """Return each feature's mean and standard deviation, x (samples, features).

    A feature whose values differ by no more than a rounding error has its first value and 1: its
    deviation is that of the rounding errors of its mean.
    """
    exponent = np.frexp(np.abs(x).max(axis=0))[1]
    unit = np.ldexp(x, -exponent)  # the largest is in [1/2, 1): no square over- or underflows
    constant = np.ptp(unit, axis=0) <= 8 * np.finfo(unit.dtype).eps
    mean, scale = (np.ldexp(part, exponent) for part in (unit.mean(axis=0), unit.std(axis=0)))
    return np.where(constant, x[0], mean), np.where(constant, 1.0, scale)


def stack(splits: Sequence[Split]) -> Split:
    """Return the replicates' splits as one, every array with a leading replicate axis."""
    arrays = {
        field.name: np.stack([getattr(one, field.name) for one in splits])
        for field in fields(Split)
        if field.name != "classes"
    }
    return Split(**arrays, classes=splits[0].classes)
