"""The expression tree of a formula, and its text.

An ``Expression`` is immutable and compared by structure. ``str`` writes it as mathematics, in the
grammar of activations/formulas/parser.py. The text of a tree parses to a tree with the same values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Value = str | float | None

# Precedence of each kind, as in Python's grammar; a larger number binds more tightly.
_BINDING = {"or": 1, "and": 2, "compare": 3, "+": 4, "-": 4, "*": 5, "/": 5, "negative": 6, "^": 7}
_TIGHTEST = 8


class Expression:
    """One node: kind, operands, and value.

    Kinds: number and symbol (x, a parameter, pi, e), call (value: the function's name), where
    (condition, then, else), compare (value: the operator), and, or, negative, + - * / ^.

    Attributes:
        size: number of nodes in the text; equal nodes count each time.
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
        """Return the formula as text; ``digits`` rounds its numbers, None writes them exactly."""
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
        """The value of a node of kind number."""
        assert isinstance(self.value, (int, float))
        return float(self.value)

    def is_number(self, value: float) -> bool:
        """Return whether the node is this number."""
        return self.kind == "number" and self.value == value

    def nodes(self) -> Iterator[Expression]:
        """Yield every different node once, operands before the nodes that use them."""
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
        """Return the names in the expression: x, parameters, pi and e."""
        return {str(node.value) for node in self.nodes() if node.kind == "symbol"}


def literal(value: float) -> Expression:
    """Return a number as an expression; -0.0 becomes 0.0."""
    return Expression("number", (), float(value) + 0.0)


def symbol(name: str) -> Expression:
    """Return a symbol: x, a parameter, pi or e."""
    return Expression("symbol", (), name)


def call(name: str, *operands: Expression) -> Expression:
    """Return a function call as an expression."""
    return Expression("call", operands, name)


def _number_text(value: float, digits: int | None) -> str:
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value) if digits is None else f"{value:.{digits}g}"
