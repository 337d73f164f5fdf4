"""Write a run's folder atomically."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import yaml

from runner.config.experiment import Experiment
from runner.results.find import find
from runner.results.run import (
    CONFIG,
    FILES,
    HISTORY,
    INDEX_COLUMNS,
    SNAPSHOTS,
    SUMMARY,
    WEIGHTS,
    checksum,
)
from runner.results.summary import summarise
from runner.system.files import temporary_of, write_whole
from runner.system.version import origin
from runner.training.fingerprint import Fingerprint
from runner.training.outcome import TrainingResult

OLD = ".old"
"""The folder for stale runs, beside the folder of the new run."""
UNFINISHED = ".unfinished-"
"""The prefix of a folder's temporary name, while a run is written into it."""
ABANDONED_AFTER_SECONDS = 3600


def write_run(
    folder: Path,
    experiment: Experiment,
    training: TrainingResult,
    *,
    command: str,
    total_seconds: float,
    fingerprint: Fingerprint,
    fill: bool = False,
) -> Path:
    """Write a finished run to ``folder`` and return its final folder.

    With ``fill`` the folder exists, was made for this run, and may hold Hydra's log and config; the
    files are moved into it, summary.json last. Without ``fill``, another process may have finished
    the same experiment there; then its folder stays, because its files are byte-identical. A
    folder with other files is never touched; the run is written to the same name with _2, _3, ...
    """
    make_parent(folder)
    beside = folder.parent / f"{UNFINISHED}{uuid4().hex}"
    beside.mkdir()
    try:
        files = contents(experiment, training)
        for name, content in files.items():
            write_whole(beside / name, content)
        summary = summarise(experiment, training, command, total_seconds)
        summary["files"] = {
            name: hashlib.sha256(content).hexdigest() for name, content in files.items()
        }
        summary.update(fingerprint=fingerprint, origin=origin())
        summary["checksum"] = checksum(summary)
        text = json.dumps(summary, indent=2, allow_nan=False)
        write_whole(beside / SUMMARY, text + "\n")
        if fill:
            for name in (*files, SUMMARY):
                (beside / name).replace(folder / name)
            beside.rmdir()
            return folder
        return _move(
            beside, folder, lambda it: find(it, experiment, fingerprint).state == "finished"
        )
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def make_parent(folder: Path) -> None:
    """Make the parent of a run's folder, and remove the abandoned folders of killed processes from
    it. Raises OSError if nothing can be written there."""
    parent = folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    if not os.access(parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(parent))
    with os.scandir(parent) as entries:
        left = [Path(entry.path) for entry in entries if entry.name.startswith(UNFINISHED)]
    for path in left:
        with suppress(OSError):  # another process may remove it at the same time
            _remove_abandoned(path)


def _remove_abandoned(path: Path) -> None:
    """Remove a folder that holds only a run's files and has not changed for an hour."""
    young = time.time() - path.lstat().st_mtime < ABANDONED_AFTER_SECONDS
    if young or path.is_symlink() or not path.is_dir():
        return
    names = os.listdir(path)
    ours = (*FILES, SNAPSHOTS)
    if all(name in ours or temporary_of(name) in ours for name in names):
        for name in names:
            (path / name).unlink(missing_ok=True)
        path.rmdir()


def move_to_old(folder: Path) -> Path | None:
    """Move a run's folder into ``.old`` beside it and return its new place, or None if another
    process has already moved it."""
    old = folder.parent / OLD
    old.mkdir(exist_ok=True)
    try:
        return _move(folder, old / folder.name)
    except FileNotFoundError:
        return None


def _move(
    folder: Path, target: Path, is_the_same: Callable[[Path], bool] = lambda place: False
) -> Path:
    """Move a folder to ``target`` and return its new place.

    If the target exists, _2, _3, ... is appended to its name. If an existing one ``is_the_same``,
    it stays and ``folder`` is removed.
    """
    place, attempt = target, 1
    while True:
        try:
            return folder.rename(place)  # raises OSError if the place is a folder with files
        except OSError:
            if not os.path.lexists(place):
                raise
        if is_the_same(place):
            shutil.rmtree(folder)
            return place
        attempt += 1
        place = target.with_name(f"{target.name}_{attempt}")


def write_partial(folder: Path, experiment: Experiment, training: TrainingResult) -> None:
    """Write the files of an interrupted training, for inspection; it is not a finished run."""
    for name, content in contents(experiment, training).items():
        write_whole(folder / name, content)


def contents(experiment: Experiment, training: TrainingResult) -> dict[str, bytes]:
    """Return the contents of a run's files by name, except summary.json."""
    best = {f"best.{name}": value for name, value in training.best.items()}
    snapshots = {SNAPSHOTS: _arrays(training.snapshots)} if experiment.training.snapshots else {}
    return {
        CONFIG: yaml.safe_dump(experiment.to_dict(), sort_keys=False).encode(),
        HISTORY: history_text(training).encode(),
        WEIGHTS: _arrays({**training.final, **best}),
        **snapshots,
    }


def history_text(training: TrainingResult) -> str:
    """Return history.csv: one line per replicate and recorded epoch, nine significant digits."""
    names = list(training.history)
    columns = np.stack([training.history[name] for name in names], axis=-1)
    numbers = ",".join(["%.9g"] * len(names))
    lines = []
    for k, outcome in enumerate(training.outcomes):
        rows = (
            int(np.searchsorted(training.epochs, outcome.epochs)) + 1
        )  # the last row is its final epoch
        epochs = np.minimum(training.epochs[:rows], outcome.epochs).tolist()
        form = "\n".join(f"{k},{outcome.seed},{epoch},{numbers}" for epoch in epochs)
        lines.append(form % tuple(columns[k, :rows].ravel().tolist()))
    header = ",".join([*INDEX_COLUMNS, *names])
    return "\n".join([header, *(text.replace("nan", "") for text in lines)]) + "\n"


def _arrays(arrays: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()
