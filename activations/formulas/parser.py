"""Parsing of a formula: Python's parser builds the tree, and only arithmetic is accepted.

The text is never evaluated as Python. All numbers are floats, so a power cannot become a huge
integer. Length, depth and number of parts are limited, so any text is accepted or refused within
milliseconds.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
import unicodedata
import warnings
from collections.abc import Collection

from activations.formulas.evaluation import (
    ALIASES,
    CONSTANTS,
    Program,
    argument_count,
    function_names,
)
from activations.formulas.expression import Expression, call, literal, symbol

LONGEST, DEEPEST, MOST_PARTS, LARGEST_POWER = 500, 60, 250, 1000
_CARET_WIDTH = 76
_CHARACTERS = re.compile(r"[A-Za-z0-9_ +*/^().,<>=!'-]")
_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "^"}
_COMPARISONS = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
# While Python parses the text, this letter replaces the prime in gelu'(x); names may contain it.
_PRIME = "\N{MODIFIER LETTER PRIME}"


_REASONS = {"invalid decimal literal": "write products with *, as in 2 * x"}
_WORD = re.compile(r"[A-Za-z0-9_.]+|.")


class FormulaError(ValueError):
    """An invalid formula; the message is one line with the column.

    Attributes:
        caret: two lines: the text (shortened to fit) and a caret below the column.
    """

    def __init__(self, text: str, column: int, reason: str) -> None:
        super().__init__(f"expression: {reason} (column {column + 1})")
        start = max(0, min(column - _CARET_WIDTH // 2, len(text) - _CARET_WIDTH))
        shown = "".join(c if c.isprintable() else " " for c in text[start : start + _CARET_WIDTH])
        self.caret = f"{shown}\n{' ' * (column - start)}^"


def parse(text: str, parameters: Collection[str] = ()) -> Expression:
    """Return the expression tree of a formula in x and these parameters.

    A formula may have + - * / ^ (or **), comparisons, and, or, where(condition, a, b), numbers, pi,
    e, the functions of ``function_names``, and f'(x) for an activation's derivative. Raises
    FormulaError for anything else, ValueError if ``text`` is not a string.
    """
    if not isinstance(text, str):
        raise ValueError(f"expression must be a formula in x as text, got {text!r}")
    return _Parser(text, parameters).result()


class _Parser:
    def __init__(self, text: str, parameters: Collection[str]) -> None:
        self.text, self.parameters = text, parameters
        self.parts = 0

    def result(self) -> Expression:
        for column, character in enumerate(self.text):
            if not _CHARACTERS.match(character):
                shown = repr(character)
                if not " " <= character <= "~":  # other alphabets have letters that look like x
                    shown += f" ({unicodedata.name(character, 'not a printable character')})"
                raise self._error(column, f"{shown} cannot be part of a formula")
        if len(self.text) > LONGEST:
            raise self._error(
                LONGEST, f"it has {len(self.text)} characters; at most {LONGEST} are allowed"
            )
        if not self.text.strip():
            raise self._error(0, "it is empty; write for example x * tanh(softplus(x))")
        # For each character that Python parses: its column in the user's text.
        self.columns: list[int] = []
        python = ""
        for column, character in enumerate(self.text):
            put = "**" if character == "^" else character
            if python.strip() or put != " ":
                python += put
                self.columns += [column] * len(put)
        self.columns.append(len(self.text))
        python = re.sub(r"(?<=[A-Za-z0-9_])'(?=\s*\()", _PRIME, python)
        # Python counts columns in bytes; the prime has two.
        self.bytes_before = [len(python[:k].encode()) for k in range(len(python) + 1)]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(python, mode="eval")
        except SyntaxError as error:
            reason = (error.msg or "").split(". Perhaps")[0]
            offset = min((error.offset or len(self.columns)) - 1, len(self.columns) - 1)
            column = self.columns[offset]
            if reason == "invalid syntax":
                rest = _WORD.match(self.text[column:])
                reason = f"unexpected {rest[0]!r}" if rest else "it is incomplete"
            raise self._error(column, _REASONS.get(reason, reason)) from None
        except (ValueError, RecursionError, MemoryError):
            raise self._error(0, "it cannot be parsed") from None
        try:
            found = self._expression(tree.body, 1)
        except RecursionError:
            raise self._error(0, "it is nested too deeply") from None
        if found.kind in ("compare", "and", "or"):
            raise self._error(0, "a comparison is not a number; write where(condition, a, b)")
        if "x" not in found.symbols():
            raise self._error(0, "it does not depend on x")
        return found

    def _error(self, column: int, reason: str) -> FormulaError:
        return FormulaError(self.text, column, reason)

    def _at(self, node: ast.AST) -> int:
        offset = getattr(node, "col_offset", 0)
        return self.columns[self.bytes_before.index(offset)]

    def _error_at(self, node: ast.AST, reason: str) -> FormulaError:
        return self._error(self._at(node), reason)

    def _source(self, node: ast.AST) -> str:
        """Return a node's part of the text, shortened to 30 characters."""
        end = self.bytes_before.index(getattr(node, "end_col_offset", 0))
        source = self.text[self._at(node) : self.columns[end - 1] + 1]
        return source if len(source) <= 30 else source[:27] + "..."

    def _expression(self, node: ast.expr, depth: int) -> Expression:
        self.parts += 1
        if depth > DEEPEST:
            raise self._error_at(node, f"it is nested more than {DEEPEST} levels deep")
        if self.parts > MOST_PARTS:
            raise self._error_at(node, f"it has more than {MOST_PARTS} parts")
        found = self._node(node, depth + 1)
        if found.kind not in ("number", "compare", "and", "or") and not (
            found.symbols() - set(CONSTANTS)
        ):
            value = float(Program(found)({}))
            if not math.isfinite(value):
                raise self._error_at(node, f"{self._source(node)} is {value}")
        return found

    def _node(self, node: ast.expr, depth: int) -> Expression:
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Name):
            return self._symbol(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            operand = self._number_valued(node.operand, depth)
            return operand if isinstance(node.op, ast.UAdd) else Expression("negative", (operand,))
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            operands = tuple(self._number_valued(o, depth) for o in (node.left, node.right))
            if isinstance(node.op, ast.Pow):
                self._check_exponent(node.right, operands[1])
            return Expression(_BINARY[type(node.op)], operands)
        if isinstance(node, ast.Compare):
            return self._comparison(node, depth)
        if isinstance(node, ast.BoolOp):
            raise self._error_at(
                node, "and, or are allowed only in the condition of where(condition, a, b)"
            )
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        raise self._error_at(node, f"{self._source(node)} is not arithmetic")

    def _number_valued(self, node: ast.expr, depth: int) -> Expression:
        found = self._expression(node, depth)
        if found.kind in ("compare", "and", "or"):
            raise self._error_at(node, "a comparison is not a number; write where(condition, a, b)")
        return found

    def _number(self, node: ast.Constant) -> Expression:
        if type(node.value) not in (int, float):
            raise self._error_at(node, f"{self._source(node)} is not a number")
        try:
            value = float(node.value)  # type: ignore[arg-type]
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self._error_at(node, f"{self._source(node)} is beyond the largest float")
        return literal(value)

    def _symbol(self, node: ast.Name) -> Expression:
        name = node.id
        if name == "x" or name in self.parameters or name in CONSTANTS:
            return symbol(name)
        if argument_count(ALIASES.get(name, name)) is not None:
            raise self._error_at(node, f"{name} is a function; write {name}(x)")
        known = ["x", *self.parameters, *CONSTANTS, *function_names()]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}, or " if close else ""
        raise self._error_at(
            node, f"{name} is unknown; {hint}a parameter, as in parameters={{{name}: 1.0}}?"
        )

    def _check_exponent(self, node: ast.expr, exponent: Expression) -> None:
        if exponent.symbols() - set(CONSTANTS):
            return
        if abs(float(Program(exponent)({}))) > LARGEST_POWER:
            raise self._error_at(
                node,
                f"the exponent {self._source(node)} is not within +-{LARGEST_POWER}",
            )

    def _comparison(self, node: ast.Compare, depth: int) -> Expression:
        values = [self._number_valued(v, depth) for v in (node.left, *node.comparators)]
        found: Expression | None = None
        for k, operator in enumerate(node.ops):
            if type(operator) not in _COMPARISONS:
                raise self._error_at(node, f"{self._source(node)} is not arithmetic")
            pair = Expression("compare", (values[k], values[k + 1]), _COMPARISONS[type(operator)])
            found = pair if found is None else Expression("and", (found, pair))
        assert found is not None
        return found

    def _condition(self, node: ast.expr, depth: int) -> Expression:
        if depth > DEEPEST:
            raise self._error_at(node, f"it is nested more than {DEEPEST} levels deep")
        if isinstance(node, ast.BoolOp):
            kind = "and" if isinstance(node.op, ast.And) else "or"
            found, *rest = (self._condition(value, depth + 1) for value in node.values)
            for other in rest:
                found = Expression(kind, (found, other))
            return found
        if not isinstance(node, ast.Compare):
            raise self._error_at(node, f"{self._source(node)} is not a comparison such as x > 0")
        return self._expression(node, depth)

    def _call(self, node: ast.Call, depth: int) -> Expression:
        if not isinstance(node.func, ast.Name):
            raise self._error_at(node, f"{self._source(node.func)} is not a known function")
        written = node.func.id.replace(_PRIME, "'")
        bare = written.removesuffix("'")
        name = ALIASES.get(bare, bare) + written[len(bare) :]
        count = argument_count(name)
        if count is None or (name == "where" and node.func.id != "where"):
            close = difflib.get_close_matches(written, function_names(), n=2)
            hint = f"did you mean {' or '.join(close)}?" if close else _hint(written)
            raise self._error_at(node, f"{written} is not a known function; {hint}")
        if node.keywords:
            raise self._error_at(node, f"{written} takes no arguments by name")
        if len(node.args) != count:
            takes = f"{count} argument{'s' if count > 1 else ''}"
            raise self._error_at(node, f"{written} takes {takes}, not {len(node.args)}")
        if name == "where":
            condition = self._condition(node.args[0], depth)
            then, otherwise = (self._number_valued(a, depth) for a in node.args[1:])
            return Expression("where", (condition, then, otherwise))
        return call(name, *(self._number_valued(argument, depth) for argument in node.args))


def _hint(name: str) -> str:
    if name in ("x", *CONSTANTS) or len(name) == 1:
        return "write products with *"
    return "known: exp, log, sqrt, maximum, where and the elementwise activations"
