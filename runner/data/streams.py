"""The random streams of a seed, one per purpose: drawing from one does not change another."""

from __future__ import annotations

DATA_STREAM, SPLIT_STREAM = 0, 3
WEIGHTS_STREAM, BATCHES_STREAM, NOISE_STREAM = 1, 2, 4
LABELS_STREAM = 5
