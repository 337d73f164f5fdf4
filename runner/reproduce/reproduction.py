"""What a reproduction is: a published result, where it stands, what is expected, and ours."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # which loads Matplotlib
    from runner.plots.style import Picture


@dataclass(frozen=True)
class Source:
    """A paper, book or course: "Nielsen 2015", its title and its address."""

    authors: str
    year: int
    title: str
    link: str

    @property
    def short(self) -> str:
        return f"{self.authors} {self.year}"


@dataclass(frozen=True)
class Expected:
    """A quantity and the interval [low, high] in which ours must lie.

    Attributes:
        what: its name.
        value: what is expected; NaN where only the interval is.
        origin: where the value comes from. "published": it stands in the source. "exact": it
            follows from a formula, whatever a network measures. "recomputed": another program
            computed it under the same conditions; the source does not print it.
        where: in which part of the source, by which formula, from how many seeds.
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
        """The value as in a table: "0.817574", or "0.7 to 0.8"."""
        if self.value == self.value:
            return digits(self.value)
        return f"{digits(self.low)} to {digits(self.high)}"

    @property
    def provenance(self) -> str:
        return f"{self.origin}: {self.where}"


def published(what: str, value: float, where: str, **tolerance: float) -> Expected:
    """Return a value that stands in the source; ``tolerance`` as in ``_near``."""
    return _near(what, value, "published", where, **tolerance)


def exact(what: str, value: float, how: str, **tolerance: float) -> Expected:
    """Return a value that follows from a formula."""
    return _near(what, value, "exact", how, **tolerance)


def recomputed(what: str, value: float, how: str, **tolerance: float) -> Expected:
    """Return a value that another program computed under the same conditions."""
    return _near(what, value, "recomputed", how, **tolerance)


def between(what: str, low: float, high: float, origin: str, where: str) -> Expected:
    """Return an interval without a value in it."""
    return Expected(what, float("nan"), low, high, "inside", origin, where)


def _near(
    what: str, value: float, origin: str, where: str, *, within: float = 0.0, percent: float = 0.0
) -> Expected:
    """Return value +- ``within``, or +- so many ``percent`` of it; without either, equal to it."""
    room = within or abs(value) * percent / 100
    tolerance = f"± {percent:g}%" if percent else f"± {within:g}" if within else "equal"
    return Expected(what, value, value - room, value + room, tolerance, origin, where)


@dataclass(frozen=True)
class Reproduction:
    """A published result and how it is reproduced.

    Attributes:
        name: of the command's argument, of the figure's file, and of ``conf/experiment/NAME.yaml``
            where networks are trained or drawn.
        sources: the one that the result is from first.
        shown: three sentences: what is shown and why it happens.
        command: what a reader runs to see the same and to vary it.
        expected: the quantities, the most telling first.
        measure: returns ours by quantity. It is given the folder in which it leaves the runs that
            it needs, and the page on which it draws the figure.
        seconds: how long that takes on one core, for the progress bar.
        height: of the figure, in inches.
        needs: a package that only this needs, and how pip calls it.
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
        """The package that is needed and not installed, as pip calls it; empty if there is none."""
        if self.needs and importlib.util.find_spec(self.needs[0]) is None:
            return self.needs[1]
        return ""


def digits(value: float) -> str:
    """Return a number with at most 7 significant digits: 0.817574, 5.4e-07."""
    return f"{value:.7g}"
