"""The pictures of a comparison, each answering one question; drawn from saved runs
only."""

from __future__ import annotations

import signal
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from runner.compare.comparison import Comparison
from runner.compare.pictures.against import against_settings, budget, heat_map
from runner.compare.pictures.boundaries import boundaries
from runner.compare.pictures.estimates import differences, leaderboard
from runner.compare.pictures.health import health
from runner.compare.pictures.over_epochs import curves, solved
from runner.compare.pictures.pairwise import pairwise, profiles
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


def draw(comparison: Comparison) -> Pictures:
    """Return all pictures by name, those that notebooks show too."""
    result: Pictures = {}
    with style():
        for draw_some in DRAWN:
            result.update(draw_some(comparison))
    return result


def draw_all(comparison: Comparison) -> dict[str, bytes]:
    """Return all pictures as the contents of PNG files by file name.

    Drawn on all cores where processes can be forked, which share what was read.
    """
    processes = min(available_cores(), len(DRAWN))
    if sys.platform != "linux" or processes == 1:
        parts = [_encoded(draw_some, comparison) for draw_some in DRAWN]
    else:
        with warnings.catch_warnings():  # Python 3.12: threads of BLAS survive a fork
            warnings.simplefilter("ignore", DeprecationWarning)
            with ProcessPoolExecutor(
                processes, get_context("fork"), initializer=_share, initargs=(comparison,)
            ) as pool:
                parts = list(pool.map(_encoded, DRAWN))
    return {name: content for part in parts for name, content in part.items()}


_shared: list[Comparison] = []


def _share(comparison: Comparison) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's to handle
    _shared[:] = [comparison]


def _encoded(
    draw_some: Callable[[Comparison], Pictures], comparison: Comparison | None = None
) -> dict[str, bytes]:
    with style():
        pictures = draw_some(comparison or _shared[0])
        return {f"{name}.png": picture.encode("png") for name, picture in pictures.items()}
