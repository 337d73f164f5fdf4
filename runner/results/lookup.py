"""A dict whose KeyError says which keys there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from activations.arguments import close_names

Value = TypeVar("Value")

MOST_SHOWN = 20


class Lookup(dict[str, Value]):
    """A dict whose KeyError names the wrong key and the right ones.

    ``what`` is what the message calls it: "history has no 'tset_loss'; did you mean test_loss?"
    """

    __slots__ = ("what",)

    def __init__(
        self, what: str, items: Mapping[str, Value] | Iterable[tuple[str, Value]] = ()
    ) -> None:
        super().__init__(items)
        self.what = what

    def __missing__(self, key: object) -> Value:
        raise KeyError(f"{self.what} has no {key!r}; {_hint(key, list(self))}")


def _hint(key: object, known: list[str]) -> str:
    close = close_names(key, known)
    if close:
        return f"did you mean {' or '.join(close)}?"
    more = len(known) - MOST_SHOWN
    listed = ", ".join(known[:MOST_SHOWN]) or "nothing"
    return f"it has {listed}" + (f" and {more} more" if more > 0 else "")
