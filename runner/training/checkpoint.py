"""Stop a run and resume it later; the results are byte-identical to an uninterrupted run.

While a run trains, a folder ``<its name>.interrupted`` beside its final place holds the last
checkpoint: everything that the next epoch depends on, random streams included. Ctrl-C and
SIGTERM end the epoch and save the state; the same command resumes from it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from runner.config.experiment import Experiment
from runner.system.files import read_whole, temporary_of, write_whole
from runner.system.signals import Listener
from runner.system.terminal import ConfigError
from runner.training.fingerprint import Fingerprint, differences, fingerprint, same
from runner.training.outcome import State, TrainingResult

CHECKPOINT = "checkpoint.npz"
CHECKSUM_BYTES = hashlib.sha256().digest_size
"""The file ends in the SHA-256 of all bytes before."""
INTERRUPTED_SUFFIX = ".interrupted"
"""Ends the name of the folder that keeps a run which was stopped."""
SECONDS_BETWEEN = 5.0
MOST_TIME_SHARE = 0.01
"""The share of time that saving may take; a larger state is saved less often."""


class Keeper(Listener):
    """Keeps a run's state beside its folder, every few seconds and on a signal.

    ``tell`` gets a line if a checkpoint cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        experiment: Experiment,
        tell: Callable[[str], object] = lambda text: None,
    ) -> None:
        self.place = folder.with_name(folder.name + INTERRUPTED_SUFFIX)
        self.digest, self.fingerprint = experiment.digest, fingerprint(experiment)
        self.tell = tell
        self.next_at = time.perf_counter() + SECONDS_BETWEEN

    def load(self) -> State | None:
        """Return this experiment's checkpoint if the same code and machine made it, else None.
        Raises ConfigError as ``kept`` does, and OSError."""
        state = self.kept()
        if state is None:
            return None
        if not state:
            self.tell(f"{self.place / CHECKPOINT} is damaged: training starts over")
            return None
        _, made_with = _stamp(state)
        if not same(made_with, self.fingerprint):
            why = differences(made_with, self.fingerprint)
            self.tell(f"{self.place} was kept with {why}: training starts over")
            return None
        del state["stamp"]
        return state

    def kept(self) -> State | None:
        """Return the checkpoint, empty if it is damaged, None if there is none.

        Raises ConfigError if its place holds anything else.
        """
        try:
            state = self._read()
        except (FileNotFoundError, NotADirectoryError):
            if self._is_free():
                return None
            raise ConfigError(
                f"{self.place} holds other files, but this run would be kept there if it were "
                "interrupted: move them, or name another hydra.run.dir"
            ) from None
        if state and _stamp(state)[0] != self.digest:
            raise ConfigError(
                f"{self.place} keeps another run that was interrupted: finish that one, remove "
                "its folder, or name another hydra.run.dir"
            )
        return state

    def _read(self) -> State:
        content = read_whole(self.place / CHECKPOINT)
        body, check = content[:-CHECKSUM_BYTES], content[-CHECKSUM_BYTES:]
        if hashlib.sha256(body).digest() != check:
            return {}
        with np.load(io.BytesIO(body), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    def _is_free(self) -> bool:
        """Return whether the folder holds only files that a killed process left."""
        if not os.path.lexists(self.place):
            return True
        return self.place.is_dir() and all(
            temporary_of(name) == CHECKPOINT for name in os.listdir(self.place)
        )

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
        """Write the state atomically."""
        buffer = io.BytesIO()
        stamp = json.dumps([self.digest, self.fingerprint])
        entries: dict[str, Any] = {"stamp": np.array(stamp), **state}
        np.savez(buffer, **entries)
        body = buffer.getvalue()
        self.place.mkdir(parents=True, exist_ok=True)
        write_whole(self.place / CHECKPOINT, body + hashlib.sha256(body).digest())

    def discard(self, others: Sequence[str] = ()) -> None:
        """Remove what was kept of this experiment, which is finished: the checkpoint and
        ``others`` beside it. Whatever else is in the folder stays, and so does the folder."""
        if not os.path.lexists(self.place):
            return
        with suppress(OSError):  # another process does the same
            state = self._read()
            if not state or _stamp(state)[0] == self.digest:
                left = [name for name in os.listdir(self.place) if temporary_of(name) == CHECKPOINT]
                for name in (*others, *left, CHECKPOINT):
                    (self.place / name).unlink(missing_ok=True)
        with suppress(OSError):
            self.place.rmdir()


def _stamp(state: State) -> tuple[str, Fingerprint]:
    """Return the digest and the fingerprint of the experiment that a state belongs to."""
    digest, made_with = json.loads(str(state["stamp"]))
    return digest, made_with


class Interrupted(KeyboardInterrupt):
    """A signal has ended training after a whole epoch; the state is saved.

    Attributes:
        signal_number: the signal.
        reached: the replicates trained so far.
    """

    reached: TrainingResult

    def __init__(self, share: float, place: Path, signal_number: int) -> None:
        super().__init__(
            f"interrupted after {share:.0%} of the training, which is kept in {place}; "
            "the same command resumes it"
        )
        self.place, self.signal_number = place, signal_number
