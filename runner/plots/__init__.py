"""Draw a run's pictures from its folder.

    >>> from runner import plots
    >>> plots.draw("outputs/runs/tanh_moons_1a2b3c4d")
    [PosixPath('outputs/runs/tanh_moons_1a2b3c4d/loss.png'), ...]

The same from the shell: ``python -m runner.plots FOLDER``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from runner.results.lookup import Lookup
from runner.results.run import LAST_PICTURE, Run, load_run
from runner.system.files import write_whole
from runner.system.terminal import progress_bar

if TYPE_CHECKING:  # a command chooses Matplotlib's backend before it loads Matplotlib
    from runner.plots.style import Picture

__all__ = ["FORMATS", "PICTURES", "animate", "draw", "figures", "load"]

FORMATS = ("png", "svg", "pdf")
PICTURES = {
    "accuracy": "curves",
    "boundary": "boundary",
    "activation": "activation",
    "flow": "layers",
    "units": "layers",
    LAST_PICTURE: "curves",
}
"""The module that draws each picture, by file name. The module's function of that name takes a run
and returns the picture, or None if there is nothing to show."""


class _Once(Run):
    """A run that caches its data and networks, so that all pictures share them."""

    def __init__(self, run: Run) -> None:
        making = ("data", "network", "initial_network")
        vars(self).update(vars(run), **{name: cache(getattr(run, name)) for name in making})


def load() -> dict[str, Callable[[Run], Picture | None]]:
    """Load Matplotlib and return the functions that draw the pictures, by file name."""
    return {
        name: getattr(import_module(f"runner.plots.{module}"), name)
        for name, module in PICTURES.items()
    }


def figures(run: Run, names: Iterable[str] = PICTURES) -> dict[str, Picture]:
    """Return a run's pictures by name; a notebook shows them inline."""
    return Lookup("figures()", _drawn(run, names))


def _drawn(run: Run, names: Iterable[str]) -> Iterator[tuple[str, Picture]]:
    """Yield one picture after the other, so that only one figure needs memory at a time."""
    from runner.plots.style import style

    once, drawers = _Once(run), load()
    for name in names:
        with style(), np.errstate(all="ignore"):  # a history may hold inf and NaN
            figure = drawers[name](once)
        if figure is not None:
            yield name, figure


@np.errstate(all="ignore")
def draw(folder: str | os.PathLike[str], format: str = "png") -> list[Path]:
    """Draw a run's pictures into its folder and return the files written.

    The same run gives byte-identical files. Raises ValueError, one line, if the folder holds no
    finished run or the format is not png, svg or pdf.
    """
    if format not in FORMATS:
        raise ValueError(f"format must be {', '.join(FORMATS)}, got {format!r}")
    run = load_run(folder)
    written = []
    for name, figure in _drawn(run, PICTURES):
        path = Path(folder) / f"{name}.{format}"
        figure.write(path)
        written.append(path)
    return written


def animate(folder: str | os.PathLike[str]) -> list[Path]:
    """Write animation.gif and animation.html into a run's folder and return their paths.

    The animation has a frame for each epoch that ``training.snapshots`` kept. The same run gives
    byte-identical files. Raises ValueError, one line, if the folder holds no finished run or the
    run has no snapshots.
    """
    run = load_run(folder)
    draw_frames = import_module("runner.plots.animation").draw
    with progress_bar(f"{run.config.title}, animation", True) as progress:
        contents = draw_frames(_Once(run), progress)
    for name, content in contents.items():
        write_whole(run.path / name, content)
    return [run.path / name for name in contents]
