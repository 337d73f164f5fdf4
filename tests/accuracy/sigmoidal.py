"""Definitions of the S-shaped functions."""

from __future__ import annotations

import mpmath

from tests.accuracy.table import reference, sigmoid

reference("sigmoid", sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x)), (0, 1, 0, 0))
reference("tanh", mpmath.tanh, lambda x: mpmath.sech(x) ** 2, (-1, 1, 0, 0))
