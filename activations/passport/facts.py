"""The facts of a passport by section, as texts for the terminal, the picture and the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from activations.base import Activation, Elementwise
from activations.check.digits import measure
from activations.check.fixed_points import fixed_points_text
from activations.check.gradient import check_gradient, difference_error
from activations.families import FAMILIES, family_of
from activations.formulas.formula import Formula
from activations.functions.gated import Gated
from activations.moments import moments
from activations.passport import wording
from activations.passport.description import describe
from activations.passport.rows import OUTPUTS, SIZES, RowFacts, row_facts
from activations.passport.shape import Shape, shape_of
from activations.passport.speed import measure_speed
from activations.passport.wording import number

MOST_KINKS = 8
ULP_POINTS = 400
"""Points per dtype; the same default as ``python -m activations.check``."""

SYMMETRIES = {
    "even": "even: f(-x) = f(x)",
    "odd": "odd: f(-x) = -f(x)",
    "": "neither odd nor even",
}

Rows = list[tuple[str, str]]
"""Pairs of label and text."""


@dataclass
class Passport:
    """The facts about one activation.

    Attributes:
        title: the name, the class's name, or the text of a formula.
        family: the key of its family in ``activations/families.py``.
        sections: the rows of each section, by title.
        numbers: the numbers by which the index sorts, if they are defined: lipschitz, mean,
            second_moment, slope_second_moment, stability, time, ulp, kinks.
        properties: the words by which the index filters, such as "odd", "bounded", "learnable".
        shape: the shape of an elementwise function, None for others.
        wrong: the message of a failed gradient check, else empty.
    """

    title: str
    activation: Activation
    family: str
    sections: dict[str, Rows] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    properties: list[str] = field(default_factory=list)
    shape: Shape | None = None
    wrong: str = ""


def passport(activation: Activation, *, measured: bool = True) -> Passport:
    """Return the passport of an activation, with learnable parameters at their initial values.

    ``measured`` adds errors in ULP and times in nanoseconds, which take longest. Errors of a user's
    own function are not caught.
    """
    _refuse_shape(activation)
    made = Passport(_title(activation), activation, family_of_one(activation))
    made.sections["What it is"] = _identity(made)
    if isinstance(activation, Elementwise):
        made.shape = shape_of(activation)
        made.sections["Shape"] = _shape(made, made.shape)
    else:
        made.sections["Shape"] = _rows(made, row_facts(activation))
    made.sections["Under x ~ N(0, 1)"] = _moments(made)
    made.sections["Measured now"] = _measured(made) if measured else [_gradient(made)]
    if not _is_ones_own_formula(activation):
        sources = describe(activation).sources or ("the docstring names none",)
        made.sections["Sources"] = [("", source) for source in sources]
    return made


def _refuse_shape(activation: Activation) -> None:
    """Raise ValueError if ``forward`` returns the wrong shape."""
    inputs = round(OUTPUTS * activation.inputs_per_output)
    y = activation.forward(np.linspace(-1, 1, 2 * inputs).reshape(2, inputs))
    if np.shape(y) != (2, OUTPUTS):
        raise ValueError(
            f"forward returns shape {np.shape(y)} for an input of shape {(2, inputs)}; "
            f"it must return shape {(2, OUTPUTS)}"
        )


def _is_ones_own_formula(activation: Activation) -> bool:
    return isinstance(activation, Formula) and activation.expression != Formula().expression


def _title(activation: Activation) -> str:
    if _is_ones_own_formula(activation):
        return str(activation.hyperparameters["expression"])
    return activation.name or type(activation).__name__


def family_of_one(activation: Activation) -> str:
    """Return the key of an activation's family; "others" for a user's class or formula."""
    own = _is_ones_own_formula(activation) or not activation.name
    return "others" if own else family_of(activation.name)


def _identity(made: Passport) -> Rows:
    activation, described = made.activation, describe(made.activation)
    rows = [("formula", described.formula or "the class has no docstring that gives it")]
    if described.derivative:
        rows.append(("derivative", described.derivative))
    if made.family != "others":
        rows.append(("family", FAMILIES[made.family].title))
    settings = dict(activation.hyperparameters)
    if isinstance(activation, Formula):
        settings = activation.parameters
    if settings:
        rows.append(("parameters", ", ".join(f"{k} = {_setting(v)}" for k, v in settings.items())))
    if activation.params:
        made.properties.append("learnable")
        each = "each unit" if activation.parameters_per_unit else "each layer"
        rows.append(("learnable", f"{', '.join(activation.params)}, one set for {each}; shown "
                     "with the initial values"))  # fmt: skip
    if activation.stochastic:
        rows.append(("random", "it draws random numbers during training; shown without training"))
    return rows


def _setting(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _shape(made: Passport, shape: Shape) -> Rows:
    bounded = np.isfinite([shape.lowest.value, shape.highest.value]).all()
    made.properties += [word for word in (shape.monotone, shape.symmetry.partition(" ")[0]) if word]
    made.properties += ["bounded"] if bounded else []
    made.properties += [] if shape.kinks else ["smooth"]
    made.numbers["lipschitz"] = shape.lipschitz
    made.numbers["kinks"] = len(shape.kinks)
    slope = "f'" if shape.surrogate else "slope"
    rows = [("range", wording.range_of(shape))]
    rows.append(("lowest value", wording.extreme(shape.lowest, shape.kinks)))
    rows.append(("highest value", wording.extreme(shape.highest, shape.kinks)))
    rows.append((f"lowest {slope}", wording.extreme(shape.flattest, shape.kinks)))
    rows.append((f"highest {slope}", wording.extreme(shape.steepest, shape.kinks)))
    rows.append(("Lipschitz", _lipschitz(shape)))
    rows.append(("monotone", shape.monotone or "no"))
    rows.append(("symmetry", SYMMETRIES.get(shape.symmetry, shape.symmetry)))
    rows.append(("limits of f", wording.limits(*shape.limits)))
    rows.append(("limits of f'", wording.limits(*shape.slope_limits)))
    for kink in shape.kinks[:MOST_KINKS]:
        rows.append(("kink", wording.kink(kink)))
    if len(shape.kinks) > MOST_KINKS:
        rows.append(("kink", f"and {len(shape.kinks) - MOST_KINKS} others"))
    if not shape.kinks:
        rows.append(("kinks", "none"))
    for low, high in shape.undefined[:MOST_KINKS]:
        rows.append(("undefined", f"f is NaN from x = {number(low)} to {number(high)}"))
    assert isinstance(made.activation, Elementwise)
    rows.append(("fixed points", fixed_points_text(made.activation)))
    return rows


def _lipschitz(shape: Shape) -> str:
    constant = shape.lipschitz
    if any(kink.jumps for kink in shape.kinks):
        return "none: f jumps"
    if np.isnan(constant):
        why = "a surrogate, not the derivative of f" if shape.surrogate else "NaN everywhere"
        return f"unknown: f' is {why}"
    return "none: the slope is unbounded" if np.isinf(constant) else number(constant)


def _moments(made: Passport) -> Rows:
    activation = made.activation
    one = isinstance(activation, (Elementwise, Gated))
    rows: Rows = []
    if not one:
        rows.append(("", f"Moments of one output of a row of {OUTPUTS}, by simulation."))
    try:
        found = moments(activation, units=None if one else OUTPUTS)
    except ValueError as error:
        return [*rows, ("moments", f"none: {error}")]
    made.numbers["mean"] = found.mean
    made.numbers["second_moment"] = found.second_moment
    made.numbers["slope_second_moment"] = found.slope_second_moment
    if abs(found.mean) < 1e-12:
        made.properties.append("mean 0")
    digits = 9 if one else 3
    rows += [
        ("E f", number(found.mean, digits)),
        ("std of f", number(found.deviation, digits)),
        ("E f^2", number(found.second_moment, digits)),
        ("E f'^2", number(found.slope_second_moment, digits)),
    ]
    if not isinstance(activation, Elementwise):
        rows[-1] = (rows[-1][0], f"{rows[-1][1]}, summed over the inputs of an output")
    if not 0 < found.second_moment < np.inf:
        return [*rows, ("gain", "none: f is 0 almost everywhere")]
    slope = found.growth / found.second_moment
    chi = found.slope_second_moment / found.second_moment
    made.numbers["stability"] = slope
    few = min(digits, 6)
    return [
        *rows,
        ("gain", f"{number(found.gain, digits)} = 1 / sqrt(E f^2) keeps the variance at 1"),
        ("chi_1", f"{number(chi, few)} with that gain: {_gradients(chi)}"),
        (
            "variance map",
            f"slope {number(slope, few)} at q = 1, with that gain, no biases: {_stability(slope)}",
        ),
    ]


def _gradients(chi: float) -> str:
    if abs(chi - 1) < 1e-9:
        return "squared gradients keep their size from layer to layer"
    word = "grow" if chi > 1 else "shrink"
    return f"squared gradients {word} by this factor per layer"


def _stability(slope: float) -> str:
    if abs(slope - 1) < 1e-9:
        return "neutral, a variance other than 1 is kept"
    if abs(slope) < 1:
        return "stable, a variance other than 1 returns to 1"
    return "unstable, a variance other than 1 moves away from 1"


def _rows(made: Passport, facts: RowFacts) -> Rows:
    activation = made.activation
    gated = activation.inputs_per_output == 2 and isinstance(activation, Gated)
    described = describe(activation)
    made.numbers["lipschitz"] = np.inf if facts.jumps else max(facts.norms)
    made.properties.append("gated" if gated else "of a row")
    kind = "two inputs make one output" if gated else "every output depends on the whole row"
    norms, sizes = (", ".join(f"{one:.3g}" for one in many) for many in (facts.norms, SIZES))
    rows = [("", f"A function of several inputs: {kind}.")]
    if described.range:
        rows.append(("range", described.range))
    rows.append(("seen", f"from {number(facts.low, 6)} to {number(facts.high, 6)} for inputs with "
                 f"sd {SIZES[0]:g} to {SIZES[-1]:g}"))  # fmt: skip
    rows.append(("Jacobian", f"largest spectral norm seen, for {OUTPUTS} outputs and inputs with "
                 f"sd {sizes}: {norms}"))  # fmt: skip
    if facts.jumps:
        rows.append(("Lipschitz", "none: the outputs jump"))
    elif np.isinf(facts.lipschitz):
        rows.append(("Lipschitz", f"at least {max(facts.norms):.4g}; the norm still grows"))
    else:
        rows.append(("Lipschitz", f"at least {facts.lipschitz:.4g}"))
    rows += [("symmetry", text) for text in facts.invariances]
    if activation.kinks:
        rows.append(("kinks", f"where an entry is {', '.join(map(number, activation.kinks))}"))
    rows.append(("", "It has a Jacobian instead of a slope; extremes of the slope and fixed points "
                 "are not defined."))  # fmt: skip
    return rows


def _measured(made: Passport) -> Rows:
    activation = made.activation
    rows = []
    if isinstance(activation, Elementwise):
        digits = measure(activation, ULP_POINTS)
        for worst in digits.worst:
            largest = f"within {worst.ulp:.3g} ULP, largest at x = {worst.x:.6g}"
            said = largest if worst.ulp else "exact at all tested points"
            rows.append((worst.dtype, f"{worst.what} {said}"))
        of_values = [one.ulp for one in digits.worst if one.what == "value"]
        if of_values:
            made.numbers["ulp"] = max(of_values)
        rows += [("", text) for text in (digits.note, digits.why_looser) if text]
    else:
        rows.append(("ULP", "not measured: exact values are known only for functions of one "
                     "number"))  # fmt: skip
    rows.append(_gradient(made))
    speed = measure_speed(activation)
    made.numbers["time"] = speed.forward_ratio
    per = "ns per float32 output"
    rows += [
        ("time of f", f"{speed.forward_ratio:.3g} times ReLU's: {speed.forward:.3g} {per}"),
        ("backward", f"{speed.backward_ratio:.3g} times ReLU's: {speed.backward:.3g} {per}"),
    ]
    return rows


def _gradient(made: Passport) -> tuple[str, str]:
    activation = made.activation
    if activation.surrogate_derivative:
        return "gradient", "a surrogate by design: not compared with the value"
    try:
        check_gradient(activation)
    except ValueError as error:
        made.wrong = str(error)
        return "gradient", f"WRONG: {error}"
    if isinstance(activation, Elementwise):
        off = difference_error(activation)
        return "gradient", f"agrees with the value to {off:.0e} (differences)"
    return "gradient", "agrees with the value (random projections)"
