"""Synthetic data sets, their split, and the random streams."""

from runner.data.shapes import register
from runner.data.split import Dataset

__all__ = ["Dataset", "register"]
