"""Checks of constructor arguments, and hints for unknown names."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_SHOWN, MOST_CLOSE = 20, 3
WELL_KNOWN = ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softplus")
"""The activations that a hint shows; all of them do not fit on one line."""


def closest(word: object, known: Iterable[str]) -> str:
    """Return a hint for an unknown name: similar known names, else the known names."""
    known = list(known)
    close = close_names(word, known)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if len(known) > MOST_SHOWN:
        shown = [name for name in WELL_KNOWN if name in known] or known[: len(WELL_KNOWN)]
        more = len(known) - len(shown)
        return f"known: {', '.join(shown)} and {more} more; python -m runner --help lists them"
    return f"known: {', '.join(known)}" if known else "there are none"


def shown(value: Any) -> str:
    """Return a value as messages show it: null, true and false as in YAML, all else shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else f"{value!r:.60}"


def whole_number(name: str, value: Any, *, minimum: int, maximum: int = 2**31) -> int:
    """Return ``value`` if it is an int from minimum to maximum; else raise ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
        raise ValueError(
            f"{name} must be a whole number from {minimum} to {maximum}, got {shown(value)}"
        )
    return value


def one_of(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Return ``value`` if it is one of the allowed words; else raise ValueError."""
    allowed = list(allowed)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {shown(value)}")
    return value


LARGEST_PARAMETER = 1e30
"""The largest hyper-parameter: its products in the formulas stay within float32."""


def number(
    name: str,
    value: Any,
    *,
    above: float = -math.inf,
    minimum: float = -LARGEST_PARAMETER,
    maximum: float = LARGEST_PARAMETER,
) -> float:
    """Return ``value`` as a finite float > above and from minimum to maximum.

    Raises ValueError with the argument's name, its value and the allowed range.
    """
    least = f"from {minimum:g} to" if minimum > above else f"> {above:g} and <="
    refusal = f"{name} must be a number {least} {maximum:g}, got {shown(value)}"
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ValueError(refusal)
    try:
        found = float(value)
    except OverflowError:  # a whole number beyond the float range
        raise ValueError(refusal) from None
    if not (math.isfinite(found) and found > above and minimum <= found <= maximum):
        raise ValueError(refusal)
    return found


def close_names(word: object, known: Iterable[str]) -> list[str]:
    """Return at most three known names that are similar to ``word``.

    If a name differs only in case and punctuation, as LeakyReLU does from leaky_relu, only such
    names are returned. If no name is similar, names that begin with ``word`` or have it between _
    are returned, provided that there are at most three: vanish gives vanishing_gradient.
    """
    known, word = list(known), str(word)
    same = [name for name in known if _letters(name) == _letters(word)]
    close = same[:MOST_CLOSE] or difflib.get_close_matches(word, known, n=MOST_CLOSE, cutoff=0.75)
    longer = [
        name
        for name in known
        if len(word) > 1 and (name.startswith(word) or word in name.split("_"))
    ]
    return close or (longer if len(longer) <= MOST_CLOSE else [])


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def true_or_false(name: str, value: Any) -> bool:
    """Return ``value`` if it is a bool; else raise ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, got {shown(value)}")
    return value


@dataclass(frozen=True)
class Parameter:
    """The declaration of a constructor argument.

    Attributes:
        default: the default value.
        above, minimum, maximum: bounds of a number. The first two may instead be the name of a
            parameter that is declared earlier.
        learned: whether training adjusts the parameter; the argument is then its initial value.
        check: for an argument that is not a number: a function of name and value that returns the
            value or raises ValueError.
    """

    default: Any
    above: float | str = -math.inf
    minimum: float | str = -LARGEST_PARAMETER
    maximum: float = LARGEST_PARAMETER
    learned: bool = False
    check: Callable[[str, Any], Any] | None = None

    def checked(self, name: str, value: Any, owner: object) -> Any:
        """Return the checked value; raise ValueError if ``owner`` must not have it."""
        if self.check is not None:
            return self.check(name, value)
        above, minimum = (
            getattr(owner, bound) if isinstance(bound, str) else bound
            for bound in (self.above, self.minimum)
        )
        return number(name, value, above=above, minimum=minimum, maximum=self.maximum)


def parameter(default: Any, **rest: Any) -> Any:
    """Declare a constructor argument, for example ``alpha = parameter(1.0, minimum=0)``.

    In an instance, the attribute ``alpha`` is the number.
    """
    return Parameter(default, **rest)
