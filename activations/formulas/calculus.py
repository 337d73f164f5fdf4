"""Derivatives of expressions, and the algebra that simplifies them.

An expression is written as a sum of terms, each a number times powers. Equal factors are combined
and like terms collected. Sums are multiplied out only if the result is shorter, as in the
derivative of a quotient. That also removes cancellation: the derivative of x / (1 + |x|) becomes
1 / (1 + |x|)^2 and not a difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from activations.formulas.evaluation import CONSTANTS, FUNCTIONS
from activations.formulas.expression import Expression, call, literal

MOST_NODES = 4000
LARGEST_SIZE = 40_000  # nodes as in the text: equal parts count each time
_MOST_PRODUCTS = 12  # most pairs of terms that are multiplied out

Factors = dict[Expression, float]
Terms = dict[frozenset[tuple[Expression, float]], tuple[float, Factors]]

ZERO, ONE = literal(0), literal(1)


def differentiate(expression: Expression, name: str) -> Expression:
    """Return the derivative of an expression with respect to x or a parameter, simplified.

    The derivative of an activation is written with a prime, or by its own name if it has one, as
    softplus' = sigmoid; at a kink it has the value of the activation's class. If several arguments
    equal the maximum or minimum, the derivative is the mean of theirs. abs has derivative 0 at 0. A
    where is differentiated piece by piece. Raises ValueError for functions without a known
    derivative, such as gelu'(x), or if the result is too long.
    """
    found: dict[Expression, Expression] = {}
    for node in expression.nodes():
        if node.kind not in ("compare", "and", "or"):
            found[node] = _derivative(node, name, found)
            if found[node].size > LARGEST_SIZE:
                raise ValueError("expression: its derivative is too long")
    result = found[expression]
    if sum(1 for _ in result.nodes()) > MOST_NODES:
        raise ValueError("expression: its derivative is too long")
    return result


def _derivative(node: Expression, name: str, of: dict[Expression, Expression]) -> Expression:
    if node.kind == "number":
        return ZERO
    if node.kind == "symbol":
        return ONE if node.value == name else ZERO
    if node.kind == "where":
        condition, then, otherwise = node.operands
        return _where(condition, of[then], of[otherwise])
    if all(of[operand] == ZERO for operand in node.operands):
        return ZERO
    if node.kind == "^" and _constant_exponent(node) is None:
        return _power_derivative(node, of)
    if node.kind == "call" and node.value != "sqrt":
        return _call_derivative(node, of)
    # The rest are sums, products, quotients and constant powers: sums of terms.
    parts = []
    for coefficient, factors in _terms(node).values():
        parts.append(_term_derivative(coefficient, factors, name, of))
    return plus(*parts)


def _term_derivative(
    coefficient: float, factors: Factors, name: str, of: dict[Expression, Expression]
) -> Expression:
    """Differentiate c P Q, where P has the positive integer powers and Q all other powers.

    For Q = prod b^k, (P Q)' = prod b^(k-1) (P' prod b + P sum k b' prod of the other b).
    """
    slopes = {base: of[base] if base in of else differentiate(base, name) for base in factors}
    still = {base: k for base, k in factors.items() if slopes[base] == ZERO}
    moving = {base: k for base, k in factors.items() if slopes[base] != ZERO}
    whole = {base: k for base, k in moving.items() if k > 0 and k == int(k)}
    other = {base: k for base, k in moving.items() if base not in whole}

    def product_rule(powers: Factors) -> list[Expression]:
        rows = []
        for base, k in powers.items():
            rest = {b: (e - 1 if b == base else e) for b, e in powers.items()}
            rows.append(times(literal(k), _from_factors(rest), slopes[base]))
        return rows

    scale = _term(coefficient, still)
    if not other:
        return plus(*(times(scale, row) for row in product_rule(whole)))
    ones = dict.fromkeys(other, 1.0)
    bracket = [times(row, _from_factors(ones)) for row in product_rule(whole)]
    for base, k in other.items():
        rest = {b: e for b, e in ones.items() if b != base}
        row = times(literal(k), slopes[base], _from_factors(rest), _from_factors(whole))
        bracket.append(row)
    outside = {base: k - 1 for base, k in other.items()}
    return times(scale, _from_factors(outside), _multiplied_out(plus(*bracket)))


def _power_derivative(node: Expression, of: dict[Expression, Expression]) -> Expression:
    """(u^v)' = u^v (v' ln u + v u' / u)."""
    base, exponent = node.operands
    if of[exponent] == ZERO:
        lower = Expression("^", (base, plus(exponent, literal(-1))))
        return times(exponent, lower, of[base])
    if of[base] == ZERO:
        if base.kind == "number" or base.value in CONSTANTS:
            return times(node, _log(base), of[exponent])
        return times(call("xlogy", node, base), of[exponent])  # 0 where u = 0
    inner = plus(times(of[exponent], _log(base)), times(exponent, of[base], power(base, -1)))
    return times(node, inner)


def _log(base: Expression) -> Expression:
    if base.kind == "number" and base.number > 0:
        return literal(math.log(base.number))
    return ONE if base.value == "e" else call("log", base)


def _call_derivative(node: Expression, of: dict[Expression, Expression]) -> Expression:
    name, operands = str(node.value), node.operands
    if name in ("maximum", "minimum"):
        return _extreme_derivative(node, of)
    if name == "xlogy":
        first, second = operands
        return plus(
            times(of[first], call("log", second)),
            times(first, of[second], power(second, -1)),
        )
    (inside,) = operands
    if name in _RULES:
        outer = _RULES[name](inside)
    elif name.endswith("'") or name in FUNCTIONS:
        raise ValueError(f"expression: the derivative of {name} is unknown")
    else:
        outer = call(f"{name}'", inside)
    return times(outer, of[inside])


def _extreme_derivative(node: Expression, of: dict[Expression, Expression]) -> Expression:
    """Return the mean derivative of those arguments that equal the maximum (or minimum).

    max(a, max(b, c)) has three arguments; their order and nesting do not matter.
    """
    arguments, stack = [], [node]
    while stack:
        last = stack.pop()
        if last.kind == "call" and last.value == node.value:
            stack += reversed(last.operands)
        elif last not in arguments:
            arguments.append(last)
    slopes = [of[argument] for argument in arguments]
    if len(arguments) > 2:
        reached = [Expression("compare", (argument, node), "==") for argument in arguments]
        total = plus(*(_where(c, slope, ZERO) for c, slope in zip(reached, slopes, strict=True)))
        count = plus(*(_where(c, ONE, ZERO) for c in reached))
        return slopes[0] if len(set(slopes)) == 1 else times(total, power(count, -1))
    first, second = slopes[0], slopes[-1]
    signs = (">", "<") if node.value == "maximum" else ("<", ">")
    wins, loses = (Expression("compare", (arguments[0], arguments[-1]), sign) for sign in signs)
    return _where(wins, first, _where(loses, second, times(literal(0.5), plus(first, second))))


def _where(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    return then if then == otherwise else Expression("where", (condition, then, otherwise))


_RULES: dict[str, Callable[[Expression], Expression]] = {
    "exp": lambda u: call("exp", u),
    "expm1": lambda u: call("exp", u),
    "exponential": lambda u: call("exp", u),
    "log": lambda u: power(u, -1),
    "log1p": lambda u: power(plus(ONE, u), -1),
    "sin": lambda u: call("cos", u),
    "cos": lambda u: times(literal(-1), call("sin", u)),
    "tan": lambda u: power(call("cos", u), -2),
    "sinh": lambda u: call("cosh", u),
    "cosh": lambda u: call("sinh", u),
    "abs": lambda u: call("sign", u),
    "sign": lambda u: ZERO,
    "erfc": lambda u: times(literal(-1), call("erf'", u)),
    "identity": lambda u: ONE,
    "square": lambda u: times(literal(2), u),
    "cubic": lambda u: times(literal(3), power(u, 2)),
    "softplus": lambda u: call("sigmoid", u),
    "shifted_softplus": lambda u: call("sigmoid", u),
    "log_sigmoid": lambda u: call("sigmoid", times(literal(-1), u)),
    "logcosh": lambda u: call("tanh", u),
    "tanhshrink": lambda u: power(call("tanh", u), 2),
}
"""Derivatives that can be written without a prime."""


def plus(*summands: Expression) -> Expression:
    """Return the sum, simplified."""
    return _from_terms(_collected(t for summand in summands for t in _terms(summand).values()))


def times(*factors: Expression) -> Expression:
    """Return the product, simplified."""
    return _from_terms(_product(_terms(factor) for factor in factors))


def power(base: Expression, exponent: float) -> Expression:
    """Return a constant power, simplified."""
    return _from_terms(_power_terms(base, exponent))


def _terms(node: Expression) -> Terms:
    """Write an expression as a sum of terms; a node that is not arithmetic is one factor."""
    kind, operands = node.kind, node.operands
    if kind == "number":
        return _collected([(node.number, {})])
    if kind == "negative":
        return _collected((-c, f) for c, f in _terms(operands[0]).values())
    if kind in ("+", "-"):
        sign = 1 if kind == "+" else -1
        left, right = (_terms(operand).values() for operand in operands)
        return _collected([*left, *((sign * c, f) for c, f in right)])
    if kind == "*":
        return _product(_terms(operand) for operand in operands)
    if kind == "/":
        return _product([_terms(operands[0]), _power_terms(operands[1], -1)])
    exponent = _constant_exponent(node)
    if exponent is not None:
        return _power_terms(operands[0], exponent)
    return _collected([(1.0, {node: 1.0})])


def _constant_exponent(node: Expression) -> float | None:
    """Return the exponent of a power with a constant exponent or of a square root, else None."""
    if node.kind == "call" and node.value == "sqrt":
        return 0.5
    if node.kind == "^":
        exponent = node.operands[1]
        if exponent.kind == "negative" and exponent.operands[0].kind == "number":
            return -exponent.operands[0].number
        if exponent.kind == "number":
            return exponent.number
    return None


def _collected(terms: Iterable[tuple[float, Factors]]) -> Terms:
    found: Terms = {}
    for coefficient, factors in terms:
        factors = _joined(factors)
        key = frozenset(factors.items())
        before, kept = found.get(key, (0.0, factors))
        found[key] = before + coefficient, kept
    return {key: (c, f) for key, (c, f) in found.items() if c != 0}


def _joined(factors: Factors) -> Factors:
    """Drop powers of exponent 0, and write u sign(u) as |u|."""
    factors = {base: k for base, k in factors.items() if k != 0}
    for base in list(factors):
        if base.kind == "call" and base.value == "sign" and factors.get(base) == 1:
            inside = base.operands[0]
            if factors.get(inside) == 1:
                del factors[base], factors[inside]
                size = call("abs", inside)
                factors[size] = factors.get(size, 0) + 1
    return factors


def _product(operands: Iterable[Terms]) -> Terms:
    """Multiply single terms; a sum remains one factor, unless the other factors are 1 or -1."""
    coefficient, factors = 1.0, Factors()
    sums = []
    for terms in operands:
        if not terms:
            return {}
        if len(terms) > 1:
            sums.append(terms)
            continue
        ((own, more),) = terms.values()
        coefficient *= own
        for base, k in more.items():
            factors[base] = factors.get(base, 0) + k
    factors = _joined(factors)
    if len(sums) == 1 and not factors and abs(coefficient) == 1:
        return _collected((coefficient * c, f) for c, f in sums[0].values())
    for terms in sums:
        base = _from_terms(terms)
        factors[base] = factors.get(base, 0) + 1
    return _collected([(coefficient, factors)])


def _power_terms(base: Expression, exponent: float) -> Terms:
    terms = _terms(base)
    if exponent == 1:
        return terms
    if exponent == 0:
        return _collected([(1.0, {})])
    if len(terms) == 1:
        ((coefficient, factors),) = terms.values()
        whole = exponent == int(exponent)
        if whole or (not factors and coefficient > 0):
            try:
                folded = coefficient**exponent
            except (OverflowError, ZeroDivisionError):
                folded = math.inf
            if math.isfinite(folded) and folded != 0:
                return _collected([(folded, {b: k * exponent for b, k in factors.items()})])
    return _collected([(1.0, {_from_terms(terms): exponent})])


def _multiplied_out(node: Expression) -> Expression:
    """Multiply out the sums within the terms, if the result is shorter."""
    rows: list[tuple[float, Factors]] = []
    for coefficient, factors in _terms(node).values():
        expanded = [(coefficient, Factors())]
        for base, k in factors.items():
            of_base = list(_terms(base).values()) if k == 1 else [(1.0, {base: k})]
            if len(expanded) * len(of_base) > _MOST_PRODUCTS:
                of_base = [(1.0, {base: k})]
            expanded = [(c * d, _merged(f, g)) for c, f in expanded for d, g in of_base]
        rows += expanded
    short = _from_terms(_collected(rows))
    return short if len(short.text()) < len(node.text()) else node


def _merged(first: Factors, second: Factors) -> Factors:
    merged = dict(first)
    for base, k in second.items():
        merged[base] = merged.get(base, 0) + k
    return merged


def _term(coefficient: float, factors: Factors) -> Expression:
    return _from_terms(_collected([(coefficient, factors)]))


def _from_factors(factors: Factors) -> Expression:
    return _term(1.0, factors)


def _from_terms(terms: Terms) -> Expression:
    """Write a sum of terms as an expression; a positive term comes first if there is one."""
    rows = list(terms.values())
    if not rows:
        return ZERO
    first = next((k for k, (c, _) in enumerate(rows) if c > 0), 0)
    rows.insert(0, rows.pop(first))
    total = _row(*rows[0])
    for coefficient, factors in rows[1:]:
        row = _row(abs(coefficient), factors)
        total = Expression("-" if coefficient < 0 else "+", (total, row))
    return total


def _row(coefficient: float, factors: Factors) -> Expression:
    """Write one term, c a b / (d e): the number, then symbols, then longer factors."""
    above = [_raised(b, k) for b, k in sorted(factors.items(), key=_place) if k > 0]
    below = [_raised(b, -k) for b, k in sorted(factors.items(), key=_place) if k < 0]
    if coefficient == -1 and above:
        above[0] = Expression("negative", (above[0],))
    elif coefficient != 1 or not above:
        above.insert(0, literal(coefficient))
    top = _chain(above)
    return Expression("/", (top, _chain(below))) if below else top


def _place(item: tuple[Expression, float]) -> int:
    base = item[0]
    return 2 if base.kind != "symbol" else 1 if base.value == "x" else 0


def _chain(factors: list[Expression]) -> Expression:
    product = factors[0]
    for factor in factors[1:]:
        product = Expression("*", (product, factor))
    return product


def _raised(base: Expression, exponent: float) -> Expression:
    if exponent == 1:
        return base
    if exponent == 0.5:
        return call("sqrt", base)
    return Expression("^", (base, literal(exponent)))
