"""The pictures of a comparison, each answering one question; drawn from saved runs
only."""

from __future__ import annotations

import signal
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from runner.compare.comparison import Comparison
from runner.compare.pictures.against import against_settings, budget, heat_map
from runner.compare.pictures.boundaries import boundaries
from runner.compare.pictures.estimates import differences, leaderboard
from runner.compare.pictures.health import health
from runner.compare.pictures.over_epochs import curves, solved
from runner.compare.pictures.pairwise import pairwise, profiles
from runner.compare.runs import Problem
from runner.plots.style import Picture, style
from runner.workers import available_cores

Pictures = dict[str, Picture]

DRAWN: tuple[Callable[[Comparison], Pictures], ...] = (
    against_settings,
    leaderboard,
    differences,
    curves,
    solved,
    boundaries,
    health,
    heat_map,
    pairwise,
    profiles,
    budget,
)
"""In the order of the report; each returns pictures by name, none where it has no
subject."""


def draw_all(comparison: Comparison, format: str) -> tuple[dict[str, bytes], list[Problem]]:
    """Return all pictures as the contents of files by name, and those that cannot be drawn.

    Drawn on all cores where processes can be forked, which share what was read.
    """
    encoded = partial(_encoded, format=format)
    processes = min(available_cores(), len(DRAWN))
    if sys.platform != "linux" or processes == 1:
        parts = [encoded(draw_some, comparison) for draw_some in DRAWN]
    else:
        with warnings.catch_warnings():  # Python 3.12: threads of BLAS survive a fork
            warnings.simplefilter("ignore", DeprecationWarning)
            with ProcessPoolExecutor(
                processes, get_context("fork"), initializer=_share, initargs=(comparison,)
            ) as pool:
                parts = list(pool.map(encoded, DRAWN))
    contents: dict[str, bytes] = {}
    undrawn: list[Problem] = []
    for part, problems, damages in parts:
        contents |= part
        undrawn += problems
        for run, damage in zip(comparison.runs, damages, strict=True):
            run.damage.update(damage)  # what another process has found
    return contents, undrawn


_shared: list[Comparison] = []


def _share(comparison: Comparison) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's to handle
    _shared[:] = [comparison]


def _encoded(
    draw_some: Callable[[Comparison], Pictures],
    comparison: Comparison | None = None,
    *,
    format: str,
) -> tuple[dict[str, bytes], list[Problem], list[dict[str, str]]]:
    """Return contents, what could not be drawn, and the runs' damage found meanwhile.

    Whatever goes wrong costs that picture only.
    """
    comparison = comparison or _shared[0]
    contents, undrawn = {}, []
    pictures: Pictures = {}
    with style():
        try:
            pictures = draw_some(comparison)
        except Exception as error:
            undrawn.append(_not_drawn(draw_some.__name__, error))
        for name, picture in pictures.items():
            try:
                contents[f"{name}.{format}"] = picture.encode(format)
            except Exception as error:
                undrawn.append(_not_drawn(name, error))
    return contents, undrawn, [run.damage for run in comparison.runs]


def _not_drawn(name: str, error: Exception) -> Problem:
    return Problem(name, f"{type(error).__name__}: {error}")
