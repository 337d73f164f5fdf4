"""Arbitrary-precision references for every elementwise activation.

Each module here adds the entries of a family to ``table.REFERENCES``.
"""

from tests.accuracy import periodic, rectified, self_gated, sigmoidal, softplus_like  # noqa: F401
from tests.accuracy.table import REFERENCES, Reference

__all__ = ["REFERENCES", "Reference"]
