"""What a run's folder holds: nothing, the run itself, a stale run, or something else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runner.config.experiment import Experiment
from runner.results.run import CONFIG, FILES, SUMMARY, parse_config, read_files, read_summary
from runner.system.files import read_whole
from runner.training.fingerprint import Fingerprint, differences, same

HYDRAS = {"config.yaml", "hydra.yaml", "overrides.yaml"}
"""What Hydra writes into hydra.output_subdir."""


@dataclass(frozen=True)
class Found:
    """What an experiment's folder holds: nothing (``free``), its ``finished`` run, its run that
    must be trained again (``stale``), or something else (``taken``); and why."""

    state: Literal["free", "finished", "stale", "taken"]
    reason: str = ""


def find(
    folder: Path,
    experiment: Experiment,
    fingerprint: Fingerprint | None = None,
    *,
    machine: bool = True,
) -> Found:
    """Return what ``folder``, the place of the experiment's run, holds.

    A run is finished if it has this config, undamaged files, and this ``fingerprint`` (None: any).
    ``machine`` as in ``fingerprint.same``.
    """
    try:
        before = os.stat(folder)
        if not os.listdir(folder):
            return Found("free")
    except FileNotFoundError:
        link = os.path.islink(folder)
        return Found("taken", "is a link to nothing") if link else Found("free")
    except NotADirectoryError:
        return Found("taken", "is a file") if os.path.lexists(folder) else Found("free")
    try:
        summary = read_summary(folder)
    except ValueError as error:
        # a power cut may leave all files empty
        ours = _stored_digest(folder) == experiment.digest or (
            _stored_digest(folder) is None and all((folder / name).is_file() for name in FILES)
        )
        if ours:
            return Found("stale", f"cannot be used ({error})")
        if not folder.exists() or not os.path.samestat(before, os.stat(folder)):
            return find(folder, experiment, fingerprint, machine=machine)  # replaced meanwhile
        if all(map(_is_hydras, folder.iterdir())):
            return Found("free")
        what = "another run" if (folder / SUMMARY).is_file() else "other files"
        return Found("taken", f"holds {what} already")
    if summary["digest"] != experiment.digest and _stored_digest(folder) != experiment.digest:
        return Found("taken", "holds another run already")
    for reason in read_files(folder, summary)[1].values():
        return Found("stale", f"cannot be used ({reason})")
    made_with = summary["fingerprint"]
    if fingerprint is not None and not same(made_with, fingerprint, machine=machine):
        return Found("stale", f"was made with {differences(made_with, fingerprint)}")
    return Found("finished")


def _is_hydras(path: Path) -> bool:
    """Return whether it is what Hydra writes beside a job's results: a log, or its own configs."""
    if path.is_dir():
        return {one.name for one in path.iterdir()} <= HYDRAS
    return path.suffix == ".log"


def _stored_digest(folder: Path) -> str | None:
    """Return the digest of the config that a folder holds, None if it cannot be read."""
    try:
        return parse_config(read_whole(folder / CONFIG)).digest
    except (OSError, ValueError):
        return None
