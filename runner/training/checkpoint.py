"""Stop a run and resume it later; the results are byte-identical to an uninterrupted run.

During training, the folder ``<run>.interrupted`` beside the run's folder contains the last
checkpoint: everything that the next epoch depends on, including the state of the random generators.
After Ctrl-C or SIGTERM, training finishes the epoch, saves the state and stops. The same command
resumes from it.
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
"""The last bytes of the file are the SHA-256 of all bytes before them."""
INTERRUPTED_SUFFIX = ".interrupted"
"""Suffix of the folder with the checkpoint of an interrupted run."""
SECONDS_BETWEEN = 5.0
MOST_TIME_SHARE = 0.01
"""Largest share of the time for saving; a larger state is saved less often."""


class Checkpointer(Listener):
    """Writes a run's checkpoint every few seconds and after a signal.

    ``notify`` is called with one line if an existing checkpoint cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        experiment: Experiment,
        notify: Callable[[str], object] = lambda text: None,
    ) -> None:
        self.place = folder.with_name(folder.name + INTERRUPTED_SUFFIX)
        self.digest, self.fingerprint = experiment.digest, fingerprint(experiment)
        self.notify = notify
        self.next_at = time.perf_counter() + SECONDS_BETWEEN

    def load(self) -> State | None:
        """Return the checkpoint if it has this experiment's digest and fingerprint, else None.

        Raises ConfigError as ``read`` does, and OSError if the file cannot be read.
        """
        state = self.read()
        if state is None:
            return None
        if not state:
            self.notify(f"{self.place / CHECKPOINT} is damaged: training starts over")
            return None
        _, made_with = _stamp(state)
        if not same(made_with, self.fingerprint):
            why = differences(made_with, self.fingerprint)
            self.notify(f"{self.place} was kept with {why}: training starts over")
            return None
        del state["stamp"]
        return state

    def read(self) -> State | None:
        """Return the checkpoint, an empty one if the file is damaged, or None if there is none.

        Raises ConfigError if its folder contains another run's checkpoint or other files.
        """
        try:
            state = self._read_file()
        except (FileNotFoundError, NotADirectoryError):
            if self._is_free():
                return None
            raise ConfigError(
                f"{self.place} holds other files, but this run's checkpoint is written there: move "
                "them, or set another hydra.run.dir"
            ) from None
        if state and _stamp(state)[0] != self.digest:
            raise ConfigError(
                f"{self.place} holds the checkpoint of another run: resume that run, remove the "
                "folder, or set another hydra.run.dir"
            )
        return state

    def _read_file(self) -> State:
        content = read_whole(self.place / CHECKPOINT)
        body, check = content[:-CHECKSUM_BYTES], content[-CHECKSUM_BYTES:]
        if hashlib.sha256(body).digest() != check:
            return {}
        with np.load(io.BytesIO(body), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    def _is_free(self) -> bool:
        """Return whether the folder is absent or has only temporary files of a killed process."""
        if not os.path.lexists(self.place):
            return True
        return self.place.is_dir() and all(
            temporary_of(name) == CHECKPOINT for name in os.listdir(self.place)
        )

    def save_if_due(self, share: float, state: Callable[[], State]) -> None:
        """Save the state if it is due or a signal has come. ``share`` is the share trained so far.

        Raises Interrupted after a signal, and OSError if the state cannot be saved then.
        """
        now = time.perf_counter()
        if self.received is None and now < self.next_at:
            return
        try:
            self.save(state())
        except OSError:  # for instance a full disk; training can continue without a checkpoint
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
        """Remove this experiment's checkpoint and the files ``others`` beside it.

        The folder is removed too, unless it contains other files.
        """
        if not os.path.lexists(self.place):
            return
        with suppress(OSError):  # another process may be removing the same files
            state = self._read_file()
            if not state or _stamp(state)[0] == self.digest:
                left = [name for name in os.listdir(self.place) if temporary_of(name) == CHECKPOINT]
                for name in (*others, *left, CHECKPOINT):
                    (self.place / name).unlink(missing_ok=True)
        with suppress(OSError):
            self.place.rmdir()


def _stamp(state: State) -> tuple[str, Fingerprint]:
    """Return the experiment's digest and the fingerprint that a state was saved with."""
    digest, made_with = json.loads(str(state["stamp"]))
    return digest, made_with


class Interrupted(KeyboardInterrupt):
    """Raised when a signal has stopped training after a whole epoch; the state is saved.

    Attributes:
        signal_number: the number of the signal.
        place: the folder with the checkpoint.
        result: the result of the replicates trained so far.
    """

    result: TrainingResult

    def __init__(self, share: float, place: Path, signal_number: int) -> None:
        super().__init__(
            f"interrupted after {share:.0%} of the training, which is kept in {place}; "
            "the same command resumes it"
        )
        self.place, self.signal_number = place, signal_number
