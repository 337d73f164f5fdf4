"""Texts for numbers, places, extremes and kinks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from activations.passport.extremes import Extreme
from activations.passport.shape import Kink, Shape


def plain(text: str) -> str:
    """Return text on one line, with control characters as escape sequences."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def number(value: float, digits: int = 10) -> str:
    """Return a number with ``digits`` digits; below 1e-15 it is taken as a rounding error of 0."""
    if abs(value) < 1e-15:
        value = 0.0
    return f"{value:.{digits}g}"


def range_of(shape: Shape) -> str:
    """Return the range as an interval: "[-0.1699712075, inf)"."""
    low, high = shape.lowest, shape.highest
    if np.isnan(low.value):
        return "NaN everywhere"
    if low.value == high.value:
        return f"{{{number(low.value)}}}"
    closed = [end.kind in ("point", "interval") for end in (low, high)]
    return (
        f"{'[' if closed[0] else '('}{number(low.value)}, "
        f"{number(high.value)}{']' if closed[1] else ')'}"
    )


def extreme(one: Extreme, kinks: Sequence[Kink]) -> str:
    """Return the value of an extreme, and where it is attained or approached."""
    if np.isnan(one.value):
        return "none: f is NaN everywhere"
    where = _where(one, [kink.x for kink in kinks])
    if one.kind == "unbounded":
        return f"unbounded, {where}"
    others = " and elsewhere" if one.others and one.low != -np.inf else ""
    if one.kind == "limit":
        both = "-> -inf and inf" if one.others else f"-> {number(one.low)}"
        return f"{number(one.value)}, a limit as x {both}, not attained"
    return f"{number(one.value)} {where}{others}"


def _where(one: Extreme, kinks: Sequence[float]) -> str:
    low, at_low = _named(one.low, kinks)
    high, at_high = _named(one.high, kinks)
    if one.kind == "unbounded":
        return f"as x -> {low}" if np.isinf(one.low) else f"near x = {low}"
    if one.kind != "interval":
        sides = {-1: ", from the left", 0: "", 1: ", from the right"}
        return f"at x = {low}{sides[at_low]}"
    if one.low == -np.inf and one.high == np.inf:
        return "everywhere"
    if one.low == -np.inf:
        return f"for x {'<' if at_high else '<='} {high}"
    if one.high == np.inf:
        return f"for x {'>' if at_low else '>='} {low}"
    return f"for {low} {'<' if at_low else '<='} x {'<' if at_high else '<='} {high}"


def _named(x: float, kinks: Sequence[float]) -> tuple[str, int]:
    """Return x as text, and a side: 0, or -1 or 1 if x is the float next to a kink.

    The text of a float next to a kink is the kink's.
    """
    for kink in kinks:
        for side, end in ((-1, -np.inf), (1, np.inf)):
            if x != kink and x == np.nextafter(kink, end):
                return number(kink), side
    return number(x), 0


def kink(one: Kink) -> str:
    """Return a kink as text: what jumps there, and the values on both sides."""
    place = f"x = {number(one.x)}: "
    left, here, right = map(number, one.values)
    before, there, after = map(number, one.slopes)
    if one.jumps:
        return f"{place}f jumps from {left} to {right}, f = {here} and f' = {there} there"
    if one.bends:
        return f"{place}f = {here}; f' jumps from {before} to {after}, f' = {there} there"
    return f"{place}f = {here}, f' = {there}; a higher derivative jumps"


def limits(left: float, right: float) -> str:
    """Return the limits at -inf and inf as text."""
    named = ["no limit seen" if np.isnan(end) else number(end) for end in (left, right)]
    return f"{named[0]} at -inf, {named[1]} at inf"
