"""Find out what a run's folder holds: nothing, the run itself, a stale run, or other files."""

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
"""Files that Hydra writes into hydra.output_subdir."""


@dataclass(frozen=True)
class Found:
    """What an experiment's folder holds, and for ``stale`` and ``taken`` the reason.

    ``free``: nothing. ``finished``: its finished run. ``stale``: its run, which must be trained
    again. ``taken``: something else.
    """

    state: Literal["free", "finished", "stale", "taken"]
    reason: str = ""


def find(
    folder: Path,
    experiment: Experiment,
    fingerprint: Fingerprint | None = None,
    *,
    machine: bool = True,
) -> Found:
    """Return what ``folder`` holds, where the experiment's run belongs.

    A run is finished if it has this config, undamaged files and this ``fingerprint`` (None accepts
    any). ``machine`` as in ``fingerprint.same``.
    """
    try:
        before = os.stat(folder)
        if not os.listdir(folder):
            return Found("free")
    except FileNotFoundError:
        link = os.path.islink(folder)
        return Found("taken", "is a broken link") if link else Found("free")
    except NotADirectoryError:
        return Found("taken", "is a file") if os.path.lexists(folder) else Found("free")
    try:
        summary = read_summary(folder)
    except ValueError as error:
        # after a power cut all files may be empty
        ours = _stored_digest(folder) == experiment.digest or (
            _stored_digest(folder) is None and all((folder / name).is_file() for name in FILES)
        )
        if ours:
            return Found("stale", f"cannot be used ({error})")
        if not folder.exists() or not os.path.samestat(before, os.stat(folder)):
            # another process has replaced the folder
            return find(folder, experiment, fingerprint, machine=machine)
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
    """Return whether Hydra wrote this path: a log file, or a folder with its configs."""
    if path.is_dir():
        return {one.name for one in path.iterdir()} <= HYDRAS
    return path.suffix == ".log"


def _stored_digest(folder: Path) -> str | None:
    """Return the digest of the config in a folder, or None if the config cannot be read."""
    try:
        return parse_config(read_whole(folder / CONFIG)).digest
    except (OSError, ValueError):
        return None
