"""Write a run's folder, whole or not at all."""

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
"""The folder that takes the runs whose place is needed for a new one."""
UNFINISHED = ".unfinished-"
"""Begins the name of a folder while a run is written into it."""
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
    """Write a finished run to ``folder`` and return where it is.

    With ``fill`` the folder is there, made for this run, and may hold Hydra's log and config: the
    files are moved into it, summary.json last. Otherwise, if meanwhile another process has
    finished the same experiment there, its folder stays (the bytes are the same); a folder with
    anything else in it is never touched and the run goes to the same name with _2, _3, ...
    appended.
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
    """Make the folder that a run's folder stands in, and clear away what killed processes
    have left in it. Raises OSError if nothing can be written there."""
    parent = folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    if not os.access(parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(parent))
    with os.scandir(parent) as entries:
        left = [Path(entry.path) for entry in entries if entry.name.startswith(UNFINISHED)]
    for path in left:
        with suppress(OSError):  # another process does the same
            _remove_abandoned(path)


def _remove_abandoned(path: Path) -> None:
    """Remove a folder that holds nothing but a run's files and has not changed for long."""
    young = time.time() - path.lstat().st_mtime < ABANDONED_AFTER_SECONDS
    if young or path.is_symlink() or not path.is_dir():
        return
    names = os.listdir(path)
    ours = (*FILES, SNAPSHOTS)
    if all(name in ours or temporary_of(name) in ours for name in names):
        for name in names:
            (path / name).unlink(missing_ok=True)
        path.rmdir()


def put_aside(folder: Path) -> Path | None:
    """Move a run's folder into ``.old`` beside it and return where it is now, or None if
    another process has moved it meanwhile."""
    old = folder.parent / OLD
    old.mkdir(exist_ok=True)
    try:
        return _move(folder, old / folder.name)
    except FileNotFoundError:
        return None


def _move(
    folder: Path, target: Path, is_the_same: Callable[[Path], bool] = lambda place: False
) -> Path:
    """Move a folder to a place, with _2, _3, ... appended to its name where another stands, and
    return where it is; one that is the same takes its place."""
    place, attempt = target, 1
    while True:
        try:
            return folder.rename(place)  # fails where a folder with anything in it stands
        except OSError:
            if not os.path.lexists(place):
                raise
        if is_the_same(place):
            shutil.rmtree(folder)
            return place
        attempt += 1
        place = target.with_name(f"{target.name}_{attempt}")


def write_reached(folder: Path, experiment: Experiment, training: TrainingResult) -> None:
    """Write what an interrupted training has reached, to look at; it is no finished run."""
    for name, content in contents(experiment, training).items():
        write_whole(folder / name, content)


def contents(experiment: Experiment, training: TrainingResult) -> dict[str, bytes]:
    """Return the contents of a run's files by name, but for summary.json."""
    best = {f"best.{name}": value for name, value in training.best.items()}
    snapshots = {SNAPSHOTS: _arrays(training.snapshots)} if experiment.training.snapshots else {}
    return {
        CONFIG: yaml.safe_dump(experiment.to_dict(), sort_keys=False).encode(),
        HISTORY: history_text(training).encode(),
        WEIGHTS: _arrays({**training.final, **best}),
        **snapshots,
    }


def history_text(training: TrainingResult) -> str:
    """Return history.csv: one line per replicate and recorded epoch, numbers to nine digits."""
    names = list(training.history)
    columns = np.stack([training.history[name] for name in names], axis=-1)
    numbers = ",".join(["%.9g"] * len(names))
    lines = []
    for k, outcome in enumerate(training.outcomes):
        rows = int(np.searchsorted(training.epochs, outcome.epochs)) + 1  # its end is in the last
        epochs = np.minimum(training.epochs[:rows], outcome.epochs).tolist()
        form = "\n".join(f"{k},{outcome.seed},{epoch},{numbers}" for epoch in epochs)
        lines.append(form % tuple(columns[k, :rows].ravel().tolist()))
    header = ",".join([*INDEX_COLUMNS, *names])
    return "\n".join([header, *(text.replace("nan", "") for text in lines)]) + "\n"


def _arrays(arrays: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()
