"""Pictures of a run, drawn from its folder alone.

    >>> from runner import plots
    >>> plots.draw("outputs/runs/tanh_moons_1a2b3c4d")
    [PosixPath('outputs/runs/tanh_moons_1a2b3c4d/loss.png'), ...]

The same from the shell: ``python -m runner.plots FOLDER``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from runner.plots import activation, boundary, curves, layers, style
from runner.plots.style import FORMATS, Picture
from runner.run_folder import LAST_PICTURE, load_run

__all__ = ["FORMATS", "PICTURES", "draw", "figures"]

PICTURES: dict[str, Callable[[Any], Picture | None]] = {
    "accuracy": curves.accuracy,
    "boundary": boundary.boundary,
    "activation": activation.activation,
    "flow": layers.flow,
    "units": layers.units,
    LAST_PICTURE: curves.loss,
}
"""By file name; each takes a run and returns None where it would have nothing to show."""


class _Once:
    """A run that makes its data and networks once for all pictures."""

    def __init__(self, run: Any) -> None:
        self.config, self.summary, self.history = run.config, run.summary, run.history
        self.data = cache(run.data)
        self.network = cache(run.network)
        self.initial_network = cache(run.initial_network)


@np.errstate(all="ignore")  # histories hold what has overflowed
def figures(run: Any) -> dict[str, Picture]:
    """Return the pictures of a loaded run by name; they show themselves in a notebook."""
    once = _Once(run)
    with style.style():
        drawn = {name: draw_one(once) for name, draw_one in PICTURES.items()}
    return {name: figure for name, figure in drawn.items() if figure is not None}


@np.errstate(all="ignore")
def draw(folder: str | os.PathLike[str], format: str = "png") -> list[Path]:
    """Draw a run's pictures into its folder and return the files written.

    The same run gives the same bytes. Raises ValueError, one line, for a folder that holds
    no finished run or a format other than png, svg and pdf.
    """
    if format not in FORMATS:
        raise ValueError(f"format must be {', '.join(FORMATS)}, got {format!r}")
    run = load_run(folder)
    written = []
    for name, figure in figures(run).items():
        path = Path(folder) / f"{name}.{format}"
        figure.write(path)
        written.append(path)
    return written
