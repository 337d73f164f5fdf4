"""The tree of a formula, and its text: what a formula on the command line becomes.

An ``Expression`` is immutable and compared by structure. ``str`` writes it as mathematics, in
the grammar that activations/formulas/parser.py reads: the text of a tree parses to a tree
with the very same values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Value = str | float | None

# How tightly each kind binds, as in Python's grammar.
_BINDING = {"or": 1, "and": 2, "compare": 3, "+": 4, "-": 4, "*": 5, "/": 5, "negative": 6, "^": 7}
_TIGHTEST = 8


class Expression:
    """One node: its kind, its operands, and the name or number that goes with it.

    Kinds: number, symbol (x, a parameter, pi, e), call (value = the function's name), where
    (condition, then, else), compare (value = the operator), and, or, negative, + - * / ^.

    Attributes:
        size: how many nodes its text has, equal ones counted each time.
    """

    __slots__ = ("_hash", "kind", "operands", "size", "value")

    def __init__(self, kind: str, operands: tuple[Expression, ...] = (), value: Value = None):
        self.kind, self.operands, self.value = kind, operands, value
        self.size: int = 1 + sum(operand.size for operand in operands)
        self._hash = hash((kind, operands, value))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            isinstance(other, Expression)
            and self._hash == other._hash
            and self.kind == other.kind
            and self.value == other.value
            and self.operands == other.operands
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Expression:
        return self

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return self.text()

    def text(self, digits: int | None = None) -> str:
        """Return the formula; ``digits`` rounds its numbers, which by default are exact."""
        if self.kind == "number":
            return _number_text(self.number, digits)
        if self.kind == "symbol":
            return str(self.value)
        if self.kind in ("call", "where"):
            inside = ", ".join(operand.text(digits) for operand in self.operands)
            return f"{self.value or 'where'}({inside})"
        if self.kind == "negative":
            return "-" + self.operands[0]._within(_BINDING["negative"], digits)
        left, right = self.operands
        binding = _BINDING[self.kind]
        if self.kind == "^":
            base = left._within(_TIGHTEST, digits)
            return f"{base}^{right._within(_BINDING['negative'], digits)}"
        loose = binding + 1 if self.kind == "compare" else binding
        sign = self.value or self.kind
        return f"{left._within(loose, digits)} {sign} {right._within(binding + 1, digits)}"

    def _within(self, binding: int, digits: int | None) -> str:
        text = self.text(digits)
        own = _BINDING.get(self.kind, _TIGHTEST)
        if self.kind == "number" and self.number < 0:
            own = _BINDING["negative"]
        return text if own >= binding else f"({text})"

    @property
    def number(self) -> float:
        """The value of a number."""
        assert isinstance(self.value, (int, float))
        return float(self.value)

    def is_number(self, value: float) -> bool:
        """Return whether this is that number."""
        return self.kind == "number" and self.value == value

    def nodes(self) -> Iterator[Expression]:
        """Yield every different node once, operands before what they are in."""
        seen: set[Expression] = set()
        stack = [(self, False)]
        while stack:
            node, ready = stack.pop()
            if node in seen:
                continue
            if ready:
                seen.add(node)
                yield node
            else:
                stack.append((node, True))
                stack += [(operand, False) for operand in reversed(node.operands)]

    def symbols(self) -> set[str]:
        """Return the names of the variable, parameters and constants in it."""
        return {str(node.value) for node in self.nodes() if node.kind == "symbol"}


def literal(value: float) -> Expression:
    """Return a number as an expression; -0 becomes 0."""
    return Expression("number", (), float(value) + 0.0)


def symbol(name: str) -> Expression:
    """Return the variable x, a parameter, or one of the constants pi and e."""
    return Expression("symbol", (), name)


def call(name: str, *operands: Expression) -> Expression:
    """Return a function's value at its operands."""
    return Expression("call", operands, name)


def _number_text(value: float, digits: int | None) -> str:
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value) if digits is None else f"{value:.{digits}g}"
