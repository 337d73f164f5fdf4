"""Check activations: ``python -m activations.check gelu``, ``FILE.py`` or ``all``.

Prints for each function: the largest errors of value and derivative in units
in the last place (ULP), with the x where they occur; whether the gradient
agrees with the value; and the shape of the function (monotone or not, range,
fixed points, limits). Exit status 1 if an error exceeds its bound (4 ULP for
values, 8 for derivatives, or the bound that the definition states) or if a
function raises an error. Exit status 2 for an unknown name or a file that
cannot be imported.

The exact values come from activations/check/definitions. For a class in your
own file they come from its ``forward``, evaluated in arbitrary precision. Both
need mpmath (pip install -e '.[test]'); without it, float32 is compared with
float64, and points near roots are left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import signal
import sys

import numpy as np

from activations.base import Activation, Elementwise
from activations.check.digits import measure
from activations.check.fixed_points import fixed_points_text
from activations.check.gradient import check_gradient, difference_error
from activations.chosen import Parser, classes_named
from activations.user_code import error_line

__all__ = ["check_gradient", "main"]


class Report:
    """The lines of the report on one activation; ``broken`` lists the failed checks."""

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
        measured = measure(activation, count)
        if measured.note:
            self.lines.append(f"ULP          {measured.note}")
        for worst in measured.worst:
            what = f"{worst.what:<10} {worst.ulp:10.3g} ULP at x = {worst.x:.9g}"
            text = f"{worst.dtype:<12} {what}"
            if worst.bound == np.inf:
                text += " (from its own float64)"
            if worst.ulp > worst.bound:
                text += f"  > {worst.bound:g}"
                self.broken.append(
                    f"{worst.dtype} {worst.what} has an error of {worst.ulp:.3g} ULP at "
                    f"x = {worst.x:.9g}, allowed are {worst.bound:g}"
                )
            self.lines.append(text)
        if measured.why_looser:
            self.lines.append(f"             {measured.why_looser}")

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
            f"fixed points {fixed_points_text(activation)}",
            f"limits       f: {ends[0]:.7g}, {ends[1]:.7g}; f': {slopes[0]:.7g}, {slopes[1]:.7g}",
        ]


def main(arguments: list[str] | None = None) -> int:
    """Print the report for what the command line names, and return the exit status."""
    parser = Parser(prog="python -m activations.check", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", nargs="+", metavar="NAME|FILE.py|all")
    parser.add_argument("--points", type=int, default=400, help="points per dtype, at least 40")
    status = 0
    try:
        options = parser.parse_args(arguments)
        if options.points < 40:
            raise ValueError(f"--points must be 40 or more, got {options.points}")
        chosen = [(what, cls) for what in options.what for cls in classes_named(what)]
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if importlib.util.find_spec("mpmath") is None:
        print(
            "mpmath is not installed: float32 is compared with float64, not both with exact "
            "values, and no bound is checked; pip install mpmath"
        )
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
        signal.signal(getattr(signal, name), signal.SIG_DFL)  # end without a traceback
    sys.exit(main())
