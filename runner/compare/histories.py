"""A cache of the histories of many runs, limited in memory."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from activations.base import Array
from runner.results.lookup import Lookup
from runner.results.run import HISTORY, Run, parse_history
from runner.system.files import read_whole

MOST_BYTES = 2**28
"""Size of the cache: the histories of a thousand runs of 100 epochs and ten replicates."""
OVERHEAD = 128
"""Bytes of an array beside its numbers."""


class Histories:
    """A cache of run histories. A history that was dropped is read again when it is needed."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self._kept: OrderedDict[Path, Mapping[str, Array]] = OrderedDict()
        self._bytes = 0

    def hold(self, run: Run) -> Run:
        """Return the run with a history from this cache."""
        history = StoredHistory(run, self)
        self._keep(history, run.history)
        return replace(run, history=history)

    def columns(self, history: StoredHistory) -> Mapping[str, Array]:
        """Return a run's columns, from the cache or its folder."""
        kept = self._kept.get(history.path)
        if kept is None:
            kept = history.read()
            self._keep(history, kept)
        self._kept.move_to_end(history.path)
        return kept

    def _keep(self, history: StoredHistory, columns: Mapping[str, Array]) -> None:
        self._kept[history.path] = columns
        self._bytes += size(columns)
        while self._bytes > self.most and len(self._kept) > 1:
            self._bytes -= size(self._kept.popitem(last=False)[1])


class StoredHistory(Mapping[str, Array]):
    """A run's history by column, as ``Run.history`` has it.

    If the file has changed since the run was read, only epoch 0 is left.
    """

    def __init__(self, run: Run, histories: Histories) -> None:
        self.path, self._checksum = run.path / HISTORY, run.summary["files"].get(HISTORY)
        self._replicates = run.config.replicates
        self._histories = histories
        self._names = tuple(run.history)

    def read(self) -> Mapping[str, Array]:
        """Return the file's current columns."""
        try:
            content = read_whole(self.path)
            if hashlib.sha256(content).hexdigest() == self._checksum:
                return parse_history(content, self._replicates)
        except (OSError, ValueError):
            pass
        return Lookup("history", {"epoch": np.zeros((self._replicates, 1))})

    def __getitem__(self, name: str) -> Array:
        return self._histories.columns(self)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def size(columns: Mapping[str, Array]) -> int:
    """Return how many bytes columns take."""
    return sum(column.nbytes + OVERHEAD for column in columns.values())
