"""Run one experiment: reuse its finished run, or train the networks, write the run and draw it."""

from __future__ import annotations

import errno
import logging
import os
import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from runner.config.experiment import Experiment
from runner.results.find import find
from runner.results.run import FILES, LAST_PICTURE, PARTIAL_FILES, SNAPSHOTS, Run, load_run
from runner.results.write import make_parent, move_to_old, write_partial, write_run
from runner.system.terminal import ConfigError, note, progress_bar
from runner.training.checkpoint import CHECKPOINT, INTERRUPTED_SUFFIX, Checkpointer, Interrupted
from runner.training.train import train

log = logging.getLogger(__name__)
LONGEST_NAME = 255
"""The longest file name, in bytes, that every common file system accepts."""


def execute(
    experiment: Experiment,
    folder: Path,
    *,
    command: str,
    started: float | None = None,
    show_progress: bool = True,
    draw: Callable[[Path, str], object] | None = None,
    made_by_hydra: bool = False,
) -> tuple[Run, bool]:
    """Return the experiment's run, read from its folder, and whether it was reused.

    Raises as ``ensure_run`` does.
    """
    folder, reused = ensure_run(
        experiment,
        folder,
        command=command,
        started=started,
        show_progress=show_progress,
        draw=draw,
        made_by_hydra=made_by_hydra,
    )
    try:
        return load_run(folder), reused
    except ValueError as error:
        raise ConfigError(str(error)) from None


@np.errstate(all="ignore")  # an overflow is a result: inf and NaN are recorded
def ensure_run(
    experiment: Experiment,
    folder: Path,
    *,
    command: str,
    started: float | None = None,
    show_progress: bool = True,
    stops_on_signal: bool = True,
    draw: Callable[[Path, str], object] | None = None,
    notify: Callable[[str], object] = note,
    made_by_hydra: bool = False,
) -> tuple[Path, bool]:
    """Return the folder of the experiment's run, and whether it was reused.

    A finished run with this config and fingerprint is reused, because training would give
    byte-identical files. A damaged run, or one with another fingerprint, is moved into ``.old``
    beside it, and ``notify`` gets a line about it. Missing pictures are drawn, by ``draw`` if
    given. ``made_by_hydra`` says that Hydra made the folder for this run; it may then hold files
    from Hydra or from the user's callbacks.
    Raises ConfigError if the folder holds something else. With ``stops_on_signal``, raises
    Interrupted after Ctrl-C or SIGTERM; the same call resumes from the last checkpoint.
    """
    started = time.perf_counter() if started is None else started
    _refuse_names(folder)
    checkpointer = Checkpointer(folder, experiment, notify)
    reused = _prepare_folder(folder, experiment, checkpointer, made_by_hydra)
    if not reused:
        log.debug("%s: training %d replicates", experiment.title, experiment.replicates)
        fill = folder.is_dir() and (made_by_hydra or any(folder.iterdir()))
        try:
            listening = checkpointer.listening() if stops_on_signal else nullcontext()
            with listening, progress_bar(experiment.title, show_progress) as progress:
                training = train(experiment, progress, checkpointer)
        except Interrupted as interrupted:
            write_partial(interrupted.place, experiment, interrupted.result)
            raise
        folder = write_run(
            folder,
            experiment,
            training,
            command=command,
            total_seconds=time.perf_counter() - started,
            fingerprint=checkpointer.fingerprint,
            fill=fill,
        )
    log.info("%s is in %s%s", experiment.title, folder, " already" if reused else "")
    checkpointer.discard((*PARTIAL_FILES, SNAPSHOTS))
    if experiment.plots != "none":
        if not reused or not (folder / f"{LAST_PICTURE}.{experiment.plots}").is_file():
            from runner.plots import artist  # loads Matplotlib, so only if pictures are drawn

            (draw or artist.draw)(folder, experiment.plots)
    return folder, reused


def _refuse_names(folder: Path) -> None:
    if folder.name in ("", ".."):
        raise ConfigError(f"hydra.run.dir={folder} must name a folder, one that is not there yet")
    refuse_long_names(folder)


def refuse_long_names(folder: Path) -> None:
    """Raise ConfigError if the name of a run's folder, or of its checkpoint, is too long."""
    longest = folder.with_name(folder.name + INTERRUPTED_SUFFIX) / f".{CHECKPOINT}.{2**22}"
    try:
        os.lstat(longest)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            return
        over = len(os.fsencode(folder.name)) - (LONGEST_NAME - len(INTERRUPTED_SUFFIX))
        what = f"its last part is {over} bytes too long" if over > 0 else "it is too long"
        raise ConfigError(f"the folder {str(folder)[:40]}... cannot be made: {what}") from None


def prepare_folder(
    folder: Path, experiment: Experiment, notify: Callable[[str], object] = note
) -> None:
    """Move a stale run out of the run's folder, as ``execute`` does.

    Call it before Hydra or a worker writes there. Raises ConfigError if the folder is taken.
    """
    _refuse_names(folder)
    _prepare_folder(folder, experiment, Checkpointer(folder, experiment, notify))


def _prepare_folder(
    folder: Path, experiment: Experiment, checkpointer: Checkpointer, made_by_hydra: bool = False
) -> bool:
    """Move a stale run out of the folder; return whether the folder holds the finished run."""
    found = find(folder, experiment, checkpointer.fingerprint)
    if found.state == "finished":
        return True
    if found.state == "taken" and not (
        made_by_hydra and folder.is_dir() and not any((folder / name).exists() for name in FILES)
    ):
        raise ConfigError(
            f"{folder} {found.reason}; name a folder that is empty or not there by "
            "hydra.run.dir=FOLDER"
        )
    checkpointer.read()  # raises ConfigError for the checkpoint of another run
    make_parent(folder)
    if found.state == "stale":
        old = move_to_old(folder)
        where = f"; the former run is in {old}" if old else ""
        checkpointer.notify(f"{folder} {found.reason}: it is trained again{where}")
    return False


def repeat_command(overrides: Sequence[str]) -> str:
    """Return the shell line that repeats a run."""
    return " ".join(["python -m runner", *(shlex.quote(word) for word in overrides)])
