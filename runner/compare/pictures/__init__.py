"""The pictures of a comparison, each answering one question; drawn from saved runs
only."""

from __future__ import annotations

from collections.abc import Callable

from runner.compare.comparison import Comparison
from runner.compare.pictures.against import against_settings, budget, heat_map
from runner.compare.pictures.boundaries import boundaries
from runner.compare.pictures.estimates import differences, leaderboard
from runner.compare.pictures.health import health
from runner.compare.pictures.over_epochs import curves, solved
from runner.compare.pictures.pairwise import pairwise, profiles
from runner.plots.style import Picture, style

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
    """Return all pictures as the contents of PNG files by file name."""
    return {f"{name}.png": picture.encode("png") for name, picture in draw(comparison).items()}
