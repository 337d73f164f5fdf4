"""The pictures of a comparison, drawn from saved runs; each answers one question."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial

from runner.compare.comparison import Comparison
from runner.compare.pictures.against import against_settings, budget
from runner.compare.pictures.boundaries import boundaries
from runner.compare.pictures.estimates import differences, leaderboard
from runner.compare.pictures.health import health
from runner.compare.pictures.heat_map import heat_map
from runner.compare.pictures.over_epochs import curves, solved
from runner.compare.pictures.pairwise import pairwise, profiles
from runner.compare.runs import Problem
from runner.plots.style import Picture, style
from runner.system.processes import available_cores, run_jobs

Pictures = dict[str, Picture]
Part = tuple[dict[str, bytes], list[Problem], list[dict[str, str]]]

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
"""In the order of the report. Each returns pictures by name, none if it has nothing to show."""


def draw_all(comparison: Comparison, format: str) -> tuple[dict[str, bytes], list[Problem]]:
    """Return all pictures as file contents by name, and those that cannot be drawn.

    Drawing uses all cores if processes can be forked; these share the runs already read.
    """
    work = partial(_encoded, comparison, format)
    parts: list[Part]
    processes = min(available_cores(), len(DRAWN))
    # a fork copies locks, not threads (notebooks have some)
    single_threaded = threading.active_count() == 1
    if sys.platform != "linux" or processes == 1 or not single_threaded:
        parts = [work(draw_some) for draw_some in DRAWN]
    else:
        parts = [({}, [], [])] * len(DRAWN)
        with warnings.catch_warnings():  # Python 3.12: threads of BLAS survive a fork
            warnings.simplefilter("ignore", DeprecationWarning)
            for index, part, reason in run_jobs(work, DRAWN, processes, start="fork"):
                parts[index] = part or ({}, [Problem(DRAWN[index].__name__, str(reason))], [])
    contents: dict[str, bytes] = {}
    undrawn: list[Problem] = []
    for part, problems, damages in parts:
        contents |= part
        undrawn += problems
        for run, damage in zip(comparison.runs, damages, strict=False):
            run.damage.update(damage)  # found by another process
    return contents, undrawn


def _encoded(
    comparison: Comparison, format: str, draw_some: Callable[[Comparison], Pictures]
) -> Part:
    """Return contents, pictures that could not be drawn, and damage found in the runs.

    An error affects only its own picture.
    """
    contents = {}
    pictures, undrawn = _drawn(comparison, draw_some)
    for name, picture in pictures.items():
        try:
            contents[f"{name}.{format}"] = picture.encode(format)
        except Exception as error:
            undrawn.append(_not_drawn(name, error))
    return contents, undrawn, [run.damage for run in comparison.runs]


def figures(comparison: Comparison) -> tuple[Pictures, list[Problem]]:
    """Return all pictures by name, and those that cannot be drawn."""
    found: Pictures = {}
    undrawn: list[Problem] = []
    for draw_some in DRAWN:
        pictures, problems = _drawn(comparison, draw_some)
        found |= pictures
        undrawn += problems
    return found, undrawn


def _drawn(
    comparison: Comparison, draw_some: Callable[[Comparison], Pictures]
) -> tuple[Pictures, list[Problem]]:
    with style():
        try:
            return draw_some(comparison), []
        except Exception as error:
            return {}, [_not_drawn(draw_some.__name__, error)]


def _not_drawn(name: str, error: Exception) -> Problem:
    return Problem(name, f"{type(error).__name__}: {error}")
