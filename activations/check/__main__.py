"""Check activations: ``python -m activations.check gelu silu``, ``FILE.py`` or ``all``.

Prints, for each function: the largest errors of value and derivative in units in the last
place with the x where they occur, whether the gradient agrees with the value, and what the
function looks like (monotone or not, range, fixed points, limits). Exit status 1 if a bound is
broken: 4 ULP for values, 8 for derivatives, or what the definition argues instead, or if a
function raises an error; status 2 if the argument names nothing, or a file that cannot be imported.

The exact values come from activations/check/definitions, or, for a class in a file of
your own, from its ``forward`` evaluated in arbitrary precision; both need mpmath (in the
``test`` extra). Without it float32 is compared with float64.
"""

from __future__ import annotations

import argparse
import importlib.util
import signal
import sys
from typing import Any

import numpy as np

import activations
from activations.base import Activation, Array, Elementwise
from activations.check.accuracy import Exact, beside_roots, exact, points, ulp_errors
from activations.check.fixed_points import REACH, fixed_points
from activations.check.gradient import check_gradient, difference_error
from activations.user_code import error_line, import_file

__all__ = ["check_gradient", "main"]

VALUE_ULP, DERIVATIVE_ULP = 4.0, 8.0
DTYPES = (np.float32, np.float64)
MOST_POINTS = 13


class Report:
    """What was found about one activation; ``broken`` lists the bounds that do not hold."""

    def __init__(self, activation: Activation, count: int) -> None:
        self.lines: list[str] = []
        self.broken: list[str] = []
        self._gradient(activation)
        if isinstance(activation, Elementwise):
            self._digits(activation, count)
            self._shape(activation)

    def _gradient(self, activation: Activation) -> None:
        if activation.surrogate_derivative:
            self.lines.append("gradient     a surrogate by design: not compared with the value")
            return
        try:
            check_gradient(activation)
        except ValueError as error:
            self.broken.append(str(error))
            self.lines.append(f"gradient     {error}")
            return
        if not isinstance(activation, Elementwise):
            self.lines.append("gradient     agrees with the value (random projections)")
            return
        off = difference_error(activation)
        self.lines.append(f"gradient     agrees with the value to {off:.0e} (differences)")

    def _digits(self, activation: Elementwise, count: int) -> None:
        if importlib.util.find_spec("mpmath") is None:
            self.lines.append("ULP          mpmath is not installed: float32 against float64")
            self._float32_against_float64(activation, count)
            return
        entry = _reference(activation)
        special = entry.special if entry else activation.kinks or (0.0,)
        x = points(np.float64, count, special)
        if entry:
            x = x[np.abs(x) <= entry.reach]
            truths = [exact(entry.value_at, x), exact(entry.derivative_at, x)]
        else:
            from activations.check.high_precision import derivative_of, value_of

            try:
                truths = [
                    exact(value_of(activation), x, jumps=True),
                    exact(derivative_of(activation), x, jumps=True),
                ]
                smooth = ~np.isnan(truths[0].high) & ~np.isnan(truths[1].high)
                x = x[smooth]
                truths = [beside_roots(x, truth[smooth]) for truth in truths]
            except Exception as error:  # it may call whatever takes floats only
                reason = " ".join(str(error).split())[:60]
                self.lines.append(
                    f"ULP          its forward takes floats only ({reason}): float32 from float64"
                )
                self._float32_against_float64(activation, count)
                return
        bounds = (entry.value_ulp, entry.derivative_ulp) if entry else (VALUE_ULP, DERIVATIVE_ULP)
        if activation.surrogate_derivative and not entry:
            truths = truths[:1]
        for dtype in DTYPES:
            with np.errstate(over="ignore"):
                of_dtype = x == x.astype(dtype)
            here = x[of_dtype].astype(dtype)
            with np.errstate(all="ignore"):
                found = [activation(here), activation.gradient(here)]
            for what, got, truth, bound in zip(
                ("value", "derivative"), found, truths, bounds, strict=False
            ):
                errors = ulp_errors(got, truth[of_dtype])
                if not entry and what == "derivative":
                    errors = np.where(_kink(activation, here, errors > bound), 0.0, errors)
                self._row(dtype, what, here, errors, bound)
        if entry and entry.looser:
            self.lines.append(f"             {entry.definition.why}")

    def _row(self, dtype: type, what: str, x: Array, errors: Array, bound: float) -> None:
        worst = int(errors.argmax())
        text = f"{dtype.__name__:<12} {what:<10} {errors[worst]:10.3g} ULP at x = {x[worst]:.9g}"
        if errors[worst] > bound:
            text += f"  > {bound:g}"
            self.broken.append(
                f"{dtype.__name__} {what} is {errors[worst]:.3g} ULP off at x = {x[worst]:.9g}, "
                f"allowed are {bound:g}"
            )
        self.lines.append(text)

    def _float32_against_float64(self, activation: Elementwise, count: int) -> None:
        x = points(np.float32, count)
        with np.errstate(all="ignore"):
            for what, function in (("value", activation), ("derivative", activation.gradient)):
                wide = np.asarray(function(x.astype(np.float64)))
                finite = np.isfinite(wide)
                errors = ulp_errors(function(x)[finite], Exact.of(wide[finite]))
                worst = int(errors.argmax())
                self.lines.append(
                    f"float32      {what:<10} {errors[worst]:10.3g} ULP at x = "
                    f"{x[finite][worst]:.9g} (from its own float64)"
                )

    def _shape(self, activation: Elementwise) -> None:
        x = np.linspace(-20, 20, 160_001)
        with np.errstate(all="ignore"):
            y = activation(x)
            ends = activation(np.array([-np.inf, np.inf]))
            slopes = activation.gradient(np.array([-np.inf, np.inf])) + 0.0  # -0 is 0
            ends = ends + 0.0
        rounding = 8 * np.finfo(np.float64).eps * np.maximum(np.abs(y[1:]), np.abs(y[:-1]))
        rises, falls = (np.diff(y) > rounding).any(), (np.diff(y) < -rounding).any()
        shape = {
            (True, False): "increasing",
            (False, True): "decreasing",
            (False, False): "constant",
        }
        every = np.concatenate([y, ends[np.isfinite(ends) | np.isinf(ends)]])
        every = every[~np.isnan(every)]
        self.lines += [
            f"monotone     {shape.get((bool(rises), bool(falls)), 'no')}",
            f"range        {every.min():.7g} to {every.max():.7g} (seen on [-20, 20] and at +-inf)",
            f"fixed points {_fixed_points(activation)}",
            f"limits       f: {ends[0]:.7g}, {ends[1]:.7g}; f': {slopes[0]:.7g}, {slopes[1]:.7g}",
        ]


def _reference(activation: Elementwise) -> Any:
    """Return the library's definition of this function with these parameters, if there is one."""
    if not type(activation).__module__.startswith("activations."):
        return None
    from activations.check.definitions import REFERENCES

    entries = [entry for entry in REFERENCES if entry.name == activation.name]
    for entry in entries:
        if entry.activation.hyperparameters == activation.hyperparameters:
            return entry
    return None


def _kink(activation: Elementwise, x: Array, suspect: Array) -> Array:
    """Return which of the suspect points have another derivative on the left than on the right."""
    import mpmath

    from activations.check.high_precision import value_of

    value, kinks = value_of(activation), np.zeros(x.shape, bool)
    with mpmath.workprec(500):
        for index in np.flatnonzero(suspect):
            here = mpmath.mpf(float(x[index]))
            step = mpmath.mpf(2) ** -1200 if here == 0 else abs(here) * mpmath.mpf(2) ** -200
            right = (value(here + step) - value(here)) / step
            left = (value(here) - value(here - step)) / step
            kinks[index] = abs(right - left) > 1e-9 * max(abs(right), abs(left))
    return kinks


def _fixed_points(activation: Elementwise) -> str:
    points, intervals = fixed_points(activation)
    named = [f"{point:.7g}" for point in points]
    if len(named) > MOST_POINTS:
        named = [f"{len(named)} from {named[0]} to {named[-1]}"]
    for low, high in intervals:
        ends = (
            f"{'(' if low == -np.inf else '['}{low:.7g}, {high:.7g}{')' if high == np.inf else ']'}"
        )
        named.append(f"{ends} to rounding")
    return ", ".join(named) or f"none in [-{REACH:g}, {REACH:g}]"


def _chosen(what: str) -> list[type[Activation]]:
    """Return the classes that an argument names. Raises ValueError, one line, if there are none."""
    if what == "all":
        return [activations.get_class(name) for name in activations.names()]
    if not what.endswith(".py"):
        return [activations.get_class(what)]
    module = import_file(what)
    classes = [c for c in vars(module).values() if isinstance(c, type)]
    known = [c for c in classes if issubclass(c, Activation) and c.__module__ == module.__name__]
    if not known:
        raise ValueError(f"{what} defines no subclass of Activation")
    return known


def main(arguments: list[str] | None = None) -> int:
    """Print the report for what the command line names, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m activations.check", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", nargs="+", metavar="NAME|FILE.py|all")
    parser.add_argument("--points", type=int, default=400, help="per dtype, 40 or more")
    options = parser.parse_args(arguments)
    status = 0
    try:
        if options.points < 40:
            raise ValueError(f"--points must be 40 or more, got {options.points}")
        chosen = [(what, cls) for what in options.what for cls in _chosen(what)]
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for what, cls in chosen:
        try:
            activation = cls()
            report = Report(activation, options.points)
        except (Exception, SystemExit) as error:
            print(cls.__name__, f"  BROKEN: {error_line(error, what)}", sep="\n")
            status = 1
            continue
        print(activation, *(f"  {line}" for line in report.lines), sep="\n")
        for problem in report.broken:
            print(f"  BROKEN: {problem}")
            status = 1
    return status


if __name__ == "__main__":
    for name in {"SIGPIPE", "SIGINT"} & set(dir(signal)):
        signal.signal(getattr(signal, name), signal.SIG_DFL)  # ended as any other filter is
    sys.exit(main())
