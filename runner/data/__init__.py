"""Synthetic data sets, their split, and the random streams."""

from runner.data import recipes as recipes  # the import registers its data sets
from runner.data.shapes import register
from runner.data.split import Dataset

__all__ = ["Dataset", "register"]
