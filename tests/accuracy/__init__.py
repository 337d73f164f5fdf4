"""Arbitrary-precision references for every elementwise activation.

Each module here adds the entries of a family to ``table.REFERENCES``.
"""

from tests.accuracy import (  # noqa: F401
    learnable,
    periodic,
    rectified,
    self_gated,
    sigmoidal,
    softplus_like,
)
from tests.accuracy.table import REFERENCES, Reference

__all__ = ["REFERENCES", "Reference"]
