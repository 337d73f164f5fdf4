"""What a constructor argument may be, and the hint for a wrong one."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_SHOWN, MOST_CLOSE = 20, 3
WELL_KNOWN = ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softplus")
"""Shown of the activations, which are too many for one line."""


def closest(word: object, known: Iterable[str]) -> str:
    """Return a hint for a wrong name: the close ones if there are any, else all or some."""
    known = list(known)
    close = close_names(word, known)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if len(known) > MOST_SHOWN:
        shown = [name for name in WELL_KNOWN if name in known] or known[: len(WELL_KNOWN)]
        more = len(known) - len(shown)
        return f"known: {', '.join(shown)} and {more} more; python -m runner --help lists them"
    return f"known: {', '.join(known)}" if known else "it takes none"


def whole_number(name: str, value: Any, *, minimum: int, maximum: int = 2**31) -> int:
    """Return a setting as an int within its range; raises ValueError naming it."""
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
        raise ValueError(
            f"{name} must be a whole number from {minimum} to {maximum}, got {value!r:.60}"
        )
    return value


def one_of(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Return a setting that must be one of a few words; raises ValueError naming it."""
    allowed = list(allowed)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
    return value


LARGEST_PARAMETER = 1e30
"""No hyper-parameter is larger: float32 holds it, and what it is multiplied by here."""


def number(
    name: str,
    value: Any,
    *,
    above: float = -math.inf,
    minimum: float = -LARGEST_PARAMETER,
    maximum: float = LARGEST_PARAMETER,
) -> float:
    """Return a constructor's argument as a finite float within its range.

    Raises ValueError naming the argument, its value and what is allowed.
    """
    limits = [
        text
        for text, bound in (
            (f"> {above:g}", above),
            (f">= {minimum:g}", minimum if minimum > above else -math.inf),
            (f"<= {maximum:g}", maximum),
        )
        if math.isfinite(bound)
    ]
    allowed = " and ".join(["a finite number", *limits])
    refusal = f"{name} must be {allowed}, got {value!r:.60}"
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
    """Return the known names that a wrong one may stand for, at most three.

    Names that differ only in case and punctuation come alone: LeakyReLU is leaky_relu. Without a
    close name, those that begin with the word count if they are few: vanish is vanishing_gradient.
    """
    known, word = list(known), str(word)
    same = [name for name in known if _letters(name) == _letters(word)]
    close = same[:MOST_CLOSE] or difflib.get_close_matches(word, known, n=MOST_CLOSE, cutoff=0.75)
    longer = [name for name in known if len(word) > 1 and name.startswith(word)]
    return close or (longer if len(longer) <= MOST_CLOSE else [])


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def true_or_false(name: str, value: Any) -> bool:
    """Return an argument that must be a bool; raises ValueError naming it."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, got {value!r}")
    return value


@dataclass(frozen=True)
class Parameter:
    """What a class declares of an argument of its constructor.

    Attributes:
        above, minimum, maximum: bounds of a number; the first two may be the name of a parameter
            declared before.
        learned: whether it is the initial value of what training adjusts.
        check: takes its name and value, returns the value or raises ValueError, if no number.
    """

    default: Any
    above: float | str = -math.inf
    minimum: float | str = -LARGEST_PARAMETER
    maximum: float = LARGEST_PARAMETER
    learned: bool = False
    check: Callable[[str, Any], Any] | None = None

    def checked(self, name: str, value: Any, owner: object) -> Any:
        """Return a value for this parameter of ``owner``, or raise ValueError."""
        if self.check is not None:
            return self.check(name, value)
        above, minimum = (
            getattr(owner, bound) if isinstance(bound, str) else bound
            for bound in (self.above, self.minimum)
        )
        return number(name, value, above=above, minimum=minimum, maximum=self.maximum)


def parameter(default: Any, **rest: Any) -> Any:
    """Declare a parameter: ``alpha = parameter(1.0, minimum=0)``, a number in every instance."""
    return Parameter(default, **rest)
