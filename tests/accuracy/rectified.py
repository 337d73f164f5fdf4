"""Definitions of the rectifiers."""

from __future__ import annotations

from tests.accuracy.table import INF, reference

reference(
    "relu",
    lambda x, derivative_at_zero: max(x, 0),
    lambda x, derivative_at_zero: 1 if x > 0 else derivative_at_zero if x == 0 else 0,
    (0, INF, 0, 1),
    parameters={"derivative_at_zero": 1.0},
    kinks={0.0: 1.0},
)
