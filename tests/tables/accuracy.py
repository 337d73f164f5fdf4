"""Tables of accuracy: our errors compared with those of PyTorch and JAX."""

from __future__ import annotations

import math

from tests.benchmarks.processes import table as markdown
from tests.tables.table import AVX2, AVX512, Row, Rows, Table, require, side_by_side

FUNCTIONS = (
    "activations/base.py",
    *(
        f"activations/functions/{name}.py"
        for name in (
            *("algebraic", "axiswise", "clipped", "exponential_linear", "gaussian", "gelu"),
            *("indicators", "mish_like", "piecewise", "rectified", "self_gated", "shrinkage"),
            *("sigmoidal", "softplus_like", "special", "tables"),
        )
    ),
    "activations/functions/learnable.py:Learnable,PReLU",
)
DTYPES = {"float32": 23, "float64": 52}
"""Bits of the mantissa."""
LIBRARIES = ("ours", "PyTorch", "JAX")
POINTS = 1500


def measure_errors() -> Rows:
    """Return, for each function and its derivative, each library's largest error and its x."""
    from tests.benchmarks import accuracy

    require("torch", "jax")
    others = accuracy.peers()
    rows = []
    for shared in [*accuracy.ELEMENTWISE, *accuracy.ROWS[:2]]:
        of_a_row = shared in accuracy.ROWS
        if of_a_row:
            found = accuracy.row_errors(shared, others)
        else:
            found = accuracy.elementwise_errors(shared, others, POINTS)
        for what, bound in (("f", accuracy.VALUE_ULP), ("f'", accuracy.DERIVATIVE_ULP)):
            row: Row = {"function": shared.name, "of": "value" if what == "f" else "derivative"}
            row["bound"] = bound + (of_a_row and what == "f")  # 5 for softmax and log-softmax
            row["place"] = "spread" if of_a_row else "x"
            for (library, dtype, of), (error, x) in found.items():
                if of == what:  # None for infinity, which JSON does not have
                    row[f"{library} {dtype}"] = [error if math.isfinite(error) else None, x]
            rows.append(row)
    return rows


def render_errors(rows: dict[str, Rows]) -> str:
    """Return a row for each function: its worst errors over the dtypes and processors."""
    pairs = list(zip(*rows.values(), strict=True))
    header = ["function", *(f"{library}: {of}" for library in LIBRARIES for of in ("f", "f'"))]
    lines = []
    for of_value, of_derivative in zip(pairs[::2], pairs[1::2], strict=True):
        cells = [
            _worst(library, same) for library in LIBRARIES for same in (of_value, of_derivative)
        ]
        lines.append([of_value[0]["function"], *cells])
    counts = ", ".join(f"{library} {_within(library, pairs)}" for library in LIBRARIES)
    return f"{markdown(header, lines)}\n\nWithin the bounds in every dtype: {counts}."


def _worst(library: str, same: tuple[Row, ...]) -> str:
    """Return the largest error of one function: "1.9", or the error and its x if out of bounds."""
    worst, text = (-1, 0.0), ""
    for dtype, bits in DTYPES.items():
        for row in same:
            if f"{library} {dtype}" not in row:
                continue
            error, x = row[f"{library} {dtype}"]
            place = f" at {'' if row['place'] == 'x' else 'spread '}{x:.3g} (f{dtype[5:]})"
            if error is None:
                found = (2, 0.0), f"NaN or infinite{place}"
            elif error >= 2.0 ** (bits - 1):
                found = (1, 0.0), f"all digits{place}"
            elif error > row["bound"]:
                number = f"{error:.0f}" if error < 1e6 else f"{error:.0e}"
                found = (0, error), f"{number}{place}"
            else:
                found = (0, error), f"{error:.1f}"
            if found[0] > worst:
                worst, text = found
    return text


def _within(library: str, pairs: list[tuple[Row, ...]]) -> str:
    """Return the number of cases whose errors are within the bounds, as in "134 of 136"."""
    kept = []
    for same in pairs:
        for dtype in DTYPES:
            if f"{library} {dtype}" in same[0]:
                errors = [row[f"{library} {dtype}"][0] for row in same]
                kept.append(all(e is not None and e <= same[0]["bound"] for e in errors))
    return f"{sum(kept)} of {len(kept)}"


def measure_agreement() -> Rows:
    from tests.benchmarks.agreement import comparisons
    from tests.benchmarks.peers import PyTorch

    require("torch")
    return comparisons(PyTorch())


def render_agreement(rows: dict[str, Rows]) -> str:
    from tests.benchmarks.agreement import apart

    (found,) = rows.values()
    return apart(found)


def measure_coverage() -> Rows:
    from tests.benchmarks.coverage import counts

    return counts()


TABLES = (
    Table(
        "accuracy",
        "Largest errors over the whole range of floats",
        """Errors of values f and derivatives f' in units in the last place (ULP). The exact values
        are the textbook definitions, evaluated by mpmath in arbitrary precision. Near a root, the
        unit is a ULP of the definition's largest term. Each cell is the largest error in float32
        (f32) and float64 (f64), with and without AVX-512. The bounds are 4 ULP for values (5 for
        softmax and log-softmax) and 8 for derivatives. A cell beyond its bound names the x where
        the error occurs; "all digits" means that no digit is correct there. An empty cell: the
        library lacks the function. The derivatives of PyTorch and JAX come from their automatic
        differentiation.""",
        FUNCTIONS,
        measure_errors,
        render_errors,
        (AVX512, AVX2),
    ),
    Table(
        "agreement",
        "Where values or gradients differ from PyTorch's in float64, and why",
        """Compared on multiples of 1/128 from -10 to 10, and on random rows. "differs" names the
        value (f) or the gradient (f'), "relative" the largest relative difference, "points" the
        number of points that differ. At kinks the gradients differ by choice: relu'(0) and
        leaky_relu'(0) are 1 here, and 0 and 0.01 in PyTorch. For this table
        `activation.derivative_at_zero` was set to PyTorch's values.""",
        (
            *FUNCTIONS,
            *(f"activations/functions/{name}.py" for name in ("gated", "grouped", "normalising")),
        ),
        measure_agreement,
        render_agreement,
    ),
    Table(
        "coverage",
        "Which activations of other libraries are here",
        """Not here: `MultiheadAttention` is a layer with weights. `log1mexp` is a building block
        for x > 0 (as a formula: `log(-expm1(-x))`). `Affine` does the same as the linear layer
        before it. "read from it": the names come from the installed library; "listed here": from
        a list in `benchmarks/coverage.py`.""",
        ("tests/benchmarks/coverage.py",),
        measure_coverage,
        side_by_side(("source",), dict.fromkeys(("names", "here", "not here"), "{}")),
    ),
)
