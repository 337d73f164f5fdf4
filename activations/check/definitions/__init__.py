"""Arbitrary-precision references for every elementwise activation.

Each module here adds the entries of a family to ``table.REFERENCES``.
"""

from activations.check.definitions import (  # noqa: F401
    learnable,
    periodic,
    rectified,
    self_gated,
    sigmoidal,
    softplus_like,
)
from activations.check.definitions.table import REFERENCES, Reference

__all__ = ["REFERENCES", "Reference"]
