"""Families of activations, and how the gallery shows each: scales, values of the parameters.

A class belongs to the family that names its module; the exceptions are named themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from activations.base import get_class, names


@dataclass(frozen=True)
class Family:
    """One page: a title, the modules whose classes it shows, and the scales of its panels."""

    title: str
    modules: tuple[str, ...]
    x: tuple[float, float] = (-4.0, 4.0)
    y: tuple[float, float] = (-2.0, 4.0)
    note: str = ""
    members: tuple[str, ...] = ()


FAMILIES = {
    "rectifiers": Family(
        "Rectifiers and exponential-linear units",
        ("rectified", "exponential_linear", "power"),
        (-3.0, 3.0),
        (-2.0, 4.0),
    ),
    "self_gated": Family(
        "Self-gated: x times a gate of x", ("gelu", "self_gated", "mish_like"), (-5.0, 5.0)
    ),
    "sigmoids": Family("S-shapes and bells", ("sigmoidal", "gaussian"), (-5.0, 5.0), (-1.9, 1.9)),
    "algebraic": Family(
        "Algebraic and logarithmic", ("algebraic", "softplus_like"), (-5.0, 5.0), (-3.0, 4.0)
    ),
    "piecewise": Family(
        "Piecewise: hard versions, steps, shrinkage",
        ("piecewise", "clipped", "shrinkage"),
        y=(-2.0, 3.5),
    ),
    "periodic": Family("Periodic", ("periodic",), (-6.0, 6.0), (-3.0, 3.0), members=("snake",)),
    "learnable": Family(
        "With parameters that training adjusts",
        ("learnable", "learnable_smooth", "pade", "formula"),
    ),
    "gated": Family(
        "Gated: two inputs a and b make one output",
        ("gated",),
        (-4.0, 4.0),
        (-3.0, 4.0),
        "over a, with b = -1, 1, 2 from pale to dark",
    ),
    "probabilities": Family(
        "A row becomes probabilities",
        ("axiswise", "sparse_axiswise"),
        (-4.0, 4.0),
        (-0.65, 1.1),
        "first output, and its slope, for the row (x, 0, -1)",
        members=("taylor_softmax",),
    ),
    "rows": Family(
        "Other functions of a row",
        ("normalising", "grouped"),
        (-4.0, 4.0),
        (-4.0, 4.0),
        "first output, and its slope, for the row (x, 0, -1)",
        members=("log_softmax",),
    ),
    "others": Family("Others", ()),
}

SHOWN: dict[str, tuple[dict[str, Any], ...]] = {
    "acon_c": tuple({"p1": 1.2, "p2": -0.4, "beta": beta} for beta in (0.0, 1.0, 5.0)),
    "celu": tuple({"alpha": alpha} for alpha in (0.5, 1.0, 2.0)),
    "clipped_gelu": ({"low": -0.1, "high": 3.0},),
    "derf": tuple({"alpha": alpha} for alpha in (0.25, 0.5, 1.0)),
    "dyt": tuple({"alpha": alpha} for alpha in (0.25, 0.5, 1.0)),
    "elu": tuple({"alpha": alpha} for alpha in (0.5, 1.0, 2.0)),
    "entmax": tuple({"alpha": alpha} for alpha in (1.25, 1.5, 2.0)),
    "erfact": tuple({"alpha": alpha} for alpha in (0.375, 0.75, 1.5)),
    "finer": ({"w": 0.4},),
    "gumbel_softmax": tuple({"tau": tau} for tau in (2.0, 1.0, 0.5)),
    "isru": tuple({"alpha": alpha} for alpha in (0.5, 1.0, 3.0)),
    "leaky_relu": tuple({"alpha": alpha} for alpha in (0.01, 0.1, 0.2)),
    "logmeanexp": ({"pieces": None},),
    "logsumexp": ({"pieces": None},),
    "maxout": ({"pieces": None},),
    "pelu": ({"a": 0.5, "b": 1.0}, {"a": 1.0, "b": 1.0}, {"a": 1.0, "b": 2.0}),
    "prelu": tuple({"alpha": alpha} for alpha in (0.0, 0.25, 0.5)),
    "smu": tuple({"mu": mu} for mu in (0.5, 1.0, 4.0)),
    "snake": tuple({"alpha": alpha} for alpha in (0.5, 1.0)),
    "softclip": tuple({"alpha": alpha} for alpha in (2.0, 5.0, 10.0)),
    "softexponential": tuple({"alpha": alpha} for alpha in (-0.5, 0.0, 0.5)),
    "softplus": tuple({"beta": beta} for beta in (0.5, 1.0, 2.0)),
    "squareplus": tuple({"b": b} for b in (0.5, 1.0, 4.0)),
    "swish": tuple({"beta": beta} for beta in (0.5, 1.0, 3.0)),
    "wire": ({"w": 3.0, "s": 0.5},),
    "xielu": tuple({"alpha_p": 0.8, "alpha_n": alpha} for alpha in (0.6, 0.8, 1.5)),
}
"""Values of the parameters at which a function is drawn, if not at its defaults alone."""

NOTES = {
    "crelu": "dark, pale: two outputs",
    "formula": "x * tanh(softplus(x))",
    "rrelu": "when it does not train",
    "sign_ste": "f' stands in to train it",
}
"""Said below the name, in place of the parameters."""


def family_of(name: str) -> str:
    """Return the family on whose page an activation is drawn; "others" for one's own."""
    for key, family in FAMILIES.items():
        if name in family.members:
            return key
    package, _, file = get_class(name).__module__.rpartition(".")
    for key, family in FAMILIES.items():
        if package in ("activations.functions", "activations.formulas") and file in family.modules:
            return key
    return "others"


def members(family: str) -> list[str]:
    """Return the names of a family's activations, sorted."""
    return [name for name in names() if family_of(name) == family]
