"""Families of activations, with the scales and parameter values for their pictures.

A class belongs to the family that lists its module, unless a family lists its name in ``members``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from activations.base import get_class, names


@dataclass(frozen=True)
class Family:
    """One page: title, modules whose classes it shows, and limits of the panels' axes."""

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
        "Self-gated: x times a gate g(x)", ("gelu", "self_gated", "mish_like"), (-5.0, 5.0)
    ),
    "sigmoids": Family(
        "S-shaped and bell-shaped", ("sigmoidal", "gaussian"), (-5.0, 5.0), (-1.9, 1.9)
    ),
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
        "With learnable parameters",
        ("learnable", "learnable_smooth", "pade", "formula"),
    ),
    "gated": Family(
        "Gated: two inputs a and b make one output",
        ("gated",),
        (-4.0, 4.0),
        (-3.0, 4.0),
        "curves over a for b = -1, 1, 2, from pale to dark",
    ),
    "probabilities": Family(
        "Probabilities: softmax and similar functions of a row",
        ("axiswise", "sparse_axiswise"),
        (-4.0, 4.0),
        (-0.65, 1.1),
        "first output for the row (x, 0, -1)",
        members=("taylor_softmax",),
    ),
    "rows": Family(
        "Other functions of a row",
        ("normalising", "grouped"),
        (-4.0, 4.0),
        (-4.0, 4.0),
        "first output for the row (x, 0, -1)",
        members=("log_softmax",),
    ),
    "others": Family("Others", ()),
}

SHOWN: dict[str, dict[str, tuple[Any, ...]]] = {
    "acon_c": {"p1": (1.2, 1.2, 1.2), "p2": (-0.4, -0.4, -0.4), "beta": (0.0, 1.0, 5.0)},
    "celu": {"alpha": (0.5, 1.0, 2.0)},
    "clipped_gelu": {"low": (-0.1,), "high": (3.0,)},
    "derf": {"alpha": (0.25, 0.5, 1.0)},
    "dyt": {"alpha": (0.25, 0.5, 1.0)},
    "elu": {"alpha": (0.5, 1.0, 2.0)},
    "entmax": {"alpha": (1.25, 1.5, 2.0)},
    "erfact": {"alpha": (0.375, 0.75, 1.5)},
    "finer": {"w": (0.4,)},
    "gumbel_softmax": {"tau": (2.0, 1.0, 0.5)},
    "isru": {"alpha": (0.5, 1.0, 3.0)},
    "leaky_relu": {"alpha": (0.01, 0.1, 0.2)},
    "logmeanexp": {"pieces": (None,)},
    "logsumexp": {"pieces": (None,)},
    "maxout": {"pieces": (None,)},
    "pelu": {"a": (0.5, 1.0, 1.0), "b": (1.0, 1.0, 2.0)},
    "prelu": {"alpha": (0.0, 0.25, 0.5)},
    "smu": {"mu": (0.5, 1.0, 4.0)},
    "snake": {"alpha": (0.5, 1.0)},
    "softclip": {"alpha": (2.0, 5.0, 10.0)},
    "softexponential": {"alpha": (-0.5, 0.0, 0.5)},
    "softplus": {"beta": (0.5, 1.0, 2.0)},
    "squareplus": {"b": (0.5, 1.0, 4.0)},
    "swish": {"beta": (0.5, 1.0, 3.0)},
    "wire": {"w": (3.0,), "s": (0.5,)},
    "xielu": {"alpha_p": (0.8, 0.8, 0.8), "alpha_n": (0.6, 0.8, 1.5)},
}
"""Parameter values of each curve, for functions that are not drawn at their defaults only."""

NOTES = {
    "crelu": "two outputs: dark, pale",
    "formula": "x * tanh(softplus(x))",
    "rrelu": "outside training",
    "sign_ste": "f' is a surrogate",
}
"""Text below the name, instead of the parameters."""


def family_of(name: str) -> str:
    """Return the key of an activation's family; "others" for a user's own activation."""
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
