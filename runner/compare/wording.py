"""The format of numbers and lists, the same in tables, sentences and pictures."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from runner.compare.scores import higher_is_better
from runner.statistics.estimates import Estimate

MINUS = "\N{MINUS SIGN}"


def metric_name(metric: str) -> str:
    """Return "test accuracy", "best test loss"."""
    return metric.replace(".", " ").replace("_", " ")


def score(value: float, metric: str) -> str:
    """Return a score: accuracies in percent with one decimal, losses to four digits."""
    if not math.isfinite(value):
        return "-"
    if higher_is_better(metric):
        return f"{100 * value:.1f}%".replace("-", MINUS)
    return f"{value:.4g}".replace("-", MINUS)


def with_interval(found: Estimate, metric: str) -> str:
    """Return "97.1% (96.2 to 98.0)", without an interval only the centre."""
    if not (math.isfinite(found.low) and math.isfinite(found.high)):
        return score(found.centre, metric)
    ends = (score(end, metric).removesuffix("%") for end in (found.low, found.high))
    return f"{score(found.centre, metric)} ({' to '.join(ends)})"


def difference(value: float, metric: str, unit: bool = True) -> str:
    """Return a difference on the scale of ``comparable``: "0.80 points" of accuracy, or "a factor
    of 1.25", the ratio of the other's loss to this one's.

    It has one digit more than a score: 99.4% minus 99.4% may be 0.08 points.
    """
    if not math.isfinite(value):
        return "-"
    if higher_is_better(metric):
        value += 0.0  # -0 is 0
        points = f"{100 * value:.2f}" if abs(value) >= 0.00005 else f"{100 * value:.2g}"
        return points.replace("-", MINUS) + (" points" if unit else "")
    return ("a factor of " if unit else "") + f"{np.exp(value):.3g}"


def difference_with_interval(found: Estimate, metric: str) -> str:
    """Return "0.80 points (0.12 to 1.48)"."""
    ends = (difference(end, metric, unit=False) for end in (found.low, found.high))
    return f"{difference(found.centre, metric)} ({' to '.join(ends)})"


def shortfall(short: tuple[float, float], metric: str) -> str:
    """Return "1.20 to 3.40 points", "a factor of 1.25 to 3.2"; if the least amount is 0,
    "up to 3.40 points", "a factor of up to 3.2"."""
    most = 1.0 if higher_is_better(metric) else math.inf  # an interval may exceed 100 points
    low, high = (difference(min(end, most), metric, unit=False) for end in short)
    both = f"up to {high}" if short[0] <= 0 else high if low == high else f"{low} to {high}"
    return f"{both} points" if higher_is_better(metric) else f"a factor of {both}"


def lost_at_most(most: float, metric: str) -> str:
    """Return "you lose at most 3.40 points", "the loss is at most 1.25 times the best's"."""
    if higher_is_better(metric):
        return f"you lose at most {difference(min(most, 1.0), metric)}"
    return f"the loss is at most {difference(most, metric, unit=False)} times the best's"


def listed(words: Sequence[str], most: int = 8, joint: str = "and") -> str:
    """Return "a, b and c", beyond ``most`` "a, b and 7 others".

    Words with commas (except as in [16,16]) are separated by semicolons: "a, x; and b, y".
    """
    if len(words) < 2:
        return "".join(words)
    named, last = words[:-1], words[-1]
    if len(words) > most:
        named, last = words[: most - 1], f"{len(words) - most + 1} others"
    if any("," in re.sub(r"\[[^]]*]", "", word) for word in words):
        return f"{'; '.join(named)}; {joint} {last}"
    return f"{', '.join(named)} {joint} {last}"


def counted(number: int, noun: str, least: int | None = None) -> str:
    """Return "1 replicate" or "3 replicates"; if ``least`` is another number, "2 to 3
    replicates"."""
    several = f"{least} to {number}" if least not in (None, number) else str(number)
    return f"{several} {noun}{'' if number == 1 else 's'}"
