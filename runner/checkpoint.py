"""Stop a run and go on later, to the same bytes as if nothing had happened.

While a run trains, a folder ``<its name>.interrupted`` beside its final place holds the last
checkpoint: everything that the next epoch depends on, random streams included. Ctrl-C and
SIGTERM end the epoch, keep the state, and the same command goes on from it.
"""

from __future__ import annotations

import io
import json
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from activations.base import Array
from runner.choices import ConfigError
from runner.config import Experiment
from runner.interruption import Interrupted, Listener
from runner.version import VERSION
from runner.whole_files import read_whole, write_whole

CHECKPOINT = "checkpoint.npz"
INTERRUPTED = ".interrupted"
"""Ends the name of the folder that keeps a run which was stopped."""
SECONDS_BETWEEN = 5.0
MOST_TIME_SHARE = 0.01
"""How much of the time saving may take: what takes longer to save is saved less often."""

State = dict[str, Array]
"""Arrays by name; the entry ``json`` holds everything else, as text."""


class Keeper(Listener):
    """Keeps a run's state beside its folder, every few seconds and on a signal."""

    def __init__(self, folder: Path, experiment: Experiment) -> None:
        self.place = folder.with_name(folder.name + INTERRUPTED)
        self.stamp = f"{experiment.digest} {VERSION} {np.__version__}"
        self.next_at = time.perf_counter() + SECONDS_BETWEEN

    def load(self) -> State | None:
        """Return the kept state of this experiment and version, None if there is none.

        Raises ConfigError if another experiment was interrupted there: saving this one would
        lose that one.
        """
        try:
            content = io.BytesIO(read_whole(self.place / CHECKPOINT))
            with np.load(content, allow_pickle=False) as stored:
                state = {name: stored[name] for name in stored.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        stamp = str(state.pop("stamp", ""))
        if stamp.split(" ")[0] != self.stamp.split(" ")[0]:
            raise ConfigError(
                f"{self.place} keeps another run that was interrupted: finish that one, remove "
                "its folder, or name another hydra.run.dir"
            )
        return state if stamp == self.stamp else None

    def consider(self, share: float, state: Callable[[], State]) -> None:
        """Save if it is time or a signal has come. Raises Interrupted after a signal."""
        now = time.perf_counter()
        if self.received is None and now < self.next_at:
            return
        try:
            self.save(state())
        except OSError:  # a full disk: the training itself may still end well
            if self.received is not None:
                raise
        took = time.perf_counter() - now
        self.next_at = time.perf_counter() + max(SECONDS_BETWEEN, took / MOST_TIME_SHARE)
        if self.received is not None:
            raise Interrupted(share, self.place, self.received)

    def save(self, state: State) -> None:
        """Write the state so that the file is there whole or as it was before."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, stamp=np.array(self.stamp), **state)
        self.place.mkdir(parents=True, exist_ok=True)
        write_whole(self.place / CHECKPOINT, buffer.getvalue())

    def discard(self) -> None:
        """Remove what was kept: the run is finished."""
        shutil.rmtree(self.place, ignore_errors=True)


def streams_state(generators: list[np.random.Generator]) -> list[str]:
    """Return the state of random generators as text."""
    return [json.dumps(generator.bit_generator.state) for generator in generators]


def restore_streams(generators: list[np.random.Generator], states: list[str]) -> None:
    """Set random generators to what ``streams_state`` returned."""
    for generator, state in zip(generators, states, strict=True):
        generator.bit_generator.state = json.loads(state)
