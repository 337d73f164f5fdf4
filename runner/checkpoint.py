"""Stop a run and go on later, to the same bytes as if nothing had happened.

While a run trains, a folder ``<its name>.interrupted`` beside its final place holds the last
checkpoint: everything that the next epoch depends on, random streams included. Ctrl-C and
SIGTERM end the epoch, keep the state, and the same command goes on from it.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np

from activations.base import Array
from runner.config import Experiment
from runner.version import VERSION

CHECKPOINT = "checkpoint.npz"
SECONDS_BETWEEN = 5.0

State = dict[str, Array]
"""Arrays by name; the entry ``json`` holds everything else, as text."""


class Interrupted(Exception):
    """A signal has ended training after a whole epoch; what was reached is kept.

    Attributes:
        share: how much of the training was done, from 0 to 1.
        place: the folder that it is kept in.
        signal_number: what ended it.
    """

    def __init__(self, share: float, place: Path, signal_number: int) -> None:
        super().__init__(f"interrupted after {share:.0%} of the training; kept in {place}")
        self.share, self.place, self.signal_number = share, place, signal_number


class Keeper:
    """Keeps a run's state beside its folder, every few seconds and on a signal."""

    def __init__(self, folder: Path, experiment: Experiment) -> None:
        self.place = folder.with_name(folder.name + ".interrupted")
        self.stamp = f"{experiment.digest} {VERSION} {np.__version__}"
        self.saved_at = time.perf_counter()
        self.received: int | None = None

    def load(self) -> State | None:
        """Return the kept state of this very experiment and version, None if there is none."""
        try:
            with np.load(self.place / CHECKPOINT, allow_pickle=False) as stored:
                state = {name: stored[name] for name in stored.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return state if str(state.pop("stamp", "")) == self.stamp else None

    def consider(self, share: float, state: Callable[[], State]) -> None:
        """Save if it is time or a signal has come. Raises Interrupted after a signal."""
        now = time.perf_counter()
        if self.received is None and now - self.saved_at < SECONDS_BETWEEN:
            return
        self.save(state())
        self.saved_at = time.perf_counter()
        if self.received is not None:
            raise Interrupted(share, self.place, self.received)

    def save(self, state: State) -> None:
        """Write the state so that the file is there whole or as it was before."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, stamp=np.array(self.stamp), **state)
        self.place.mkdir(parents=True, exist_ok=True)
        beside = self.place / f".{CHECKPOINT}.{os.getpid()}"
        beside.write_bytes(buffer.getvalue())
        os.replace(beside, self.place / CHECKPOINT)

    def discard(self) -> None:
        """Remove what was kept: the run is finished."""
        shutil.rmtree(self.place, ignore_errors=True)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Let the first Ctrl-C or SIGTERM end the epoch; a second Ctrl-C ends at once.

        Only the main thread may handle signals; elsewhere they are left alone.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def receive(number: int, frame: FrameType | None) -> None:
            if self.received is not None:
                raise KeyboardInterrupt
            self.received = number

        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        if before[signal.SIGINT] is signal.SIG_IGN:  # a sweep's worker: its parent decides
            yield
            return
        for number in before:
            signal.signal(number, receive)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def streams_state(generators: list[np.random.Generator]) -> list[str]:
    """Return the state of random generators as text."""
    return [json.dumps(generator.bit_generator.state) for generator in generators]


def restore_streams(generators: list[np.random.Generator], states: list[str]) -> None:
    """Set random generators to what ``streams_state`` returned."""
    for generator, state in zip(generators, states, strict=True):
        generator.bit_generator.state = json.loads(state)
