"""Carry out one experiment: reuse what is there, else train, write, and draw."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from runner.checkpoint import Keeper
from runner.choices import ConfigError
from runner.config import Experiment
from runner.interruption import Interrupted
from runner.run_folder import (
    CONFIG,
    LAST_PICTURE,
    SUMMARY,
    Run,
    holds,
    load_run,
    make_parent,
    write_reached,
    write_run,
)
from runner.training import Progress, train

PROGRESS_AFTER_SECONDS = 2.0


def execute(
    experiment: Experiment,
    folder: Path,
    *,
    command: str,
    started: float | None = None,
    show_progress: bool = True,
    stops_on_signal: bool = True,
    draw: Callable[[Path, str], object] | None = None,
) -> tuple[Run, bool]:
    """Return the experiment's run, and whether it was there already.

    A folder that holds this very experiment, made by this version, is read instead of
    trained again: the bytes would be the same. Missing pictures are drawn, by ``draw`` if
    given, as ``plots.draw`` does.
    Raises ConfigError if the folder is taken by something else. If it ``stops_on_signal``,
    raises Interrupted after Ctrl-C or SIGTERM. However it was stopped, the same call goes on
    from the last checkpoint.
    """
    started = time.perf_counter() if started is None else started
    if folder.name in ("", ".."):
        raise ConfigError(f"hydra.run.dir={folder} must name a folder, one that is not there yet")
    reused = holds(folder, experiment)
    keeper = Keeper(folder, experiment)
    if not reused:
        _refuse_taken(folder)
        make_parent(folder)
        label = f"{experiment.activation['name']} on {experiment.dataset['name']}"
        try:
            listening = keeper.listening() if stops_on_signal else nullcontext()
            with listening, progress_bar(label, show_progress) as progress:
                training = train(experiment, progress, keeper)
        except Interrupted as interrupted:
            write_reached(interrupted.place, experiment, interrupted.reached)
            raise
        folder = write_run(
            folder,
            experiment,
            training,
            command=command,
            total_seconds=time.perf_counter() - started,
        )
    keeper.discard()
    try:
        run = load_run(folder)
    except ValueError as error:  # finished long ago and damaged since
        raise ConfigError(str(error)) from None
    if experiment.plots != "none":
        if not reused or not (folder / f"{LAST_PICTURE}.{experiment.plots}").is_file():
            (draw or _draw_here)(folder, experiment.plots)
    return run, reused


def _draw_here(folder: Path, format: str) -> None:
    from runner import plots  # costs a run without pictures nothing

    plots.draw(folder, format)


def _refuse_taken(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        if (folder / CONFIG).is_file() and not (folder / SUMMARY).is_file():
            raise ConfigError(
                f"{folder} has lost its {SUMMARY}; remove the folder and run it again"
            )
        what = "holds another run" if (folder / SUMMARY).is_file() else "holds other files"
        what = what if folder.is_dir() else "is a file"
        raise ConfigError(
            f"{folder} {what} already; name a folder that is empty or not there by "
            "hydra.run.dir=FOLDER"
        )


@contextmanager
def progress_bar(label: str, show: bool) -> Iterator[Progress]:
    """Yield a function that is told the share done and draws a bar from two seconds on.

    The bar's library is imported only then; it stays silent where stderr is no terminal.
    """
    if not show:
        yield lambda share: None
        return
    started = time.perf_counter()
    bar = None

    def tell(share: float) -> None:
        nonlocal bar
        if bar is None:
            if time.perf_counter() - started < PROGRESS_AFTER_SECONDS:
                return
            from tqdm import tqdm

            bar = tqdm(
                total=100,
                desc=label,
                disable=None,
                leave=False,
                bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
            )
        bar.update(100 * share - bar.n)

    try:
        yield tell
    finally:
        if bar is not None:
            bar.close()


def repeat_command(overrides: Sequence[str]) -> str:
    """Return the shell line that repeats a run."""
    return " ".join(["python -m runner", *(shlex.quote(word) for word in overrides)])
