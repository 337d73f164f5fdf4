"""Arbitrary-precision definitions of every elementwise activation.

Each module here adds the entries of a family to ``table.DEFINITIONS`` and ``table.REFERENCES``.
"""

from activations.check.definitions import (  # noqa: F401
    learnable,
    periodic,
    rectified,
    self_gated,
    sigmoidal,
    softplus_like,
)
from activations.check.definitions.table import DEFINITIONS, REFERENCES, Definition, Reference

__all__ = ["DEFINITIONS", "REFERENCES", "Definition", "Reference"]
