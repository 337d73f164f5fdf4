"""The parts of a reproduction: a published result, its source, expected values, our measurement."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the import loads Matplotlib
    from runner.plots.style import Picture


@dataclass(frozen=True)
class Source:
    """A paper, book or course: authors, year, title and address."""

    authors: str
    year: int
    title: str
    link: str

    @property
    def short(self) -> str:
        """For example "Nielsen 2015"."""
        return f"{self.authors} {self.year}"


@dataclass(frozen=True)
class Expected:
    """A quantity and the interval [low, high] that must contain our value.

    Attributes:
        what: the name of the quantity.
        value: the expected value; NaN if only the interval is known.
        tolerance: the interval in words, for the table.
        origin: "published" if the source prints the value; "exact" if it follows from a formula;
            "recomputed" if another program computed it under the same conditions and the source
            does not print it.
        where: the part of the source, the formula, or the number of seeds.
    """

    what: str
    value: float
    low: float
    high: float
    tolerance: str
    origin: str
    where: str

    @property
    def text(self) -> str:
        """The value for a table: "0.817574", or "0.7 to 0.8" if only the interval is known."""
        if self.value == self.value:
            return digits(self.value)
        return f"{digits(self.low)} to {digits(self.high)}"

    @property
    def provenance(self) -> str:
        return f"{self.origin}: {self.where}"


def published(what: str, value: float, where: str, **tolerance: float) -> Expected:
    """Return a value that the source prints; ``tolerance`` is an argument of ``_near``."""
    return _near(what, value, "published", where, **tolerance)


def exact(what: str, value: float, how: str, **tolerance: float) -> Expected:
    """Return a value that follows from a formula."""
    return _near(what, value, "exact", how, **tolerance)


def recomputed(what: str, value: float, how: str, **tolerance: float) -> Expected:
    """Return a value that another program computed under the same conditions."""
    return _near(what, value, "recomputed", how, **tolerance)


def between(what: str, low: float, high: float, origin: str, where: str) -> Expected:
    """Return an expectation that has only an interval."""
    return Expected(what, float("nan"), low, high, "inside", origin, where)


def _near(
    what: str, value: float, origin: str, where: str, *, within: float = 0.0, percent: float = 0.0
) -> Expected:
    """Return value +- ``within``, or value +- ``percent`` % of it, or exactly the value."""
    room = within or abs(value) * percent / 100
    tolerance = f"± {percent:g}%" if percent else f"± {within:g}" if within else "equal"
    return Expected(what, value, value - room, value + room, tolerance, origin, where)


@dataclass(frozen=True)
class Reproduction:
    """A published result and how it is reproduced.

    Attributes:
        name: the argument of the command, the name of the figure's file, and the name of
            ``conf/experiment/NAME.yaml`` if networks are trained or drawn.
        title: the result in one sentence.
        sources: the source of the result, then others.
        shown: about three sentences: what the figure shows and why it happens.
        command: a command that shows the result and that a reader can vary.
        expected: the quantities, the most important first.
        measure: returns our values by quantity. Its arguments are the folder for the runs that it
            trains, and the page on which it draws the figure.
        seconds: its time on one core, for the progress bar.
        height: the height of the figure in inches.
        needs: the import name and the pip name of a package that only this result needs.
    """

    name: str
    title: str
    sources: tuple[Source, ...]
    shown: str
    command: str
    expected: tuple[Expected, ...]
    measure: Callable[[Path, Picture], Mapping[str, float]]
    seconds: float = 1.0
    height: float = 4.6
    needs: tuple[str, str] | None = None

    @property
    def missing(self) -> str:
        """The pip name of the needed package if it is not installed, else ""."""
        if self.needs and importlib.util.find_spec(self.needs[0]) is None:
            return self.needs[1]
        return ""


def digits(value: float) -> str:
    """Return a number with at most 7 significant digits: 0.817574, 5.4e-07."""
    return f"{value:.7g}"
