"""The colour and dash of each activation, which are the same in every picture and table."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from activations.base import Array

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""The colours of Okabe & Ito (2008) without yellow, which has no contrast on white. Any two differ
by at least 10.9 (CIEDE2000) in normal, protan, deutan and tritan vision."""

DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 2)),
    (0, (1, 1.3)),
    (0, (6, 2, 1, 2)),
    (0, (9, 3)),
    (0, (3, 1.5, 1, 1.5, 1, 1.5)),
    (0, (10, 2, 3, 2)),
)

# The activations that are compared most often come first: seven solid colours, then dashed ones.
KNOWN = (
    *("tanh", "relu", "sigmoid", "softmax", "leaky_relu", "gelu", "silu"),
    *("elu", "selu", "softplus", "mish", "prelu", "hardswish", "identity"),
    *("softsign", "relu6", "hardsigmoid", "glu", "celu", "gelu_tanh", "swiglu"),
    *("hardtanh", "relu_squared", "log_sigmoid", "maxout", "rrelu", "snake", "sin"),
    *("arctan", "hardshrink", "squareplus", "sparsemax", "crelu", "geglu", "softshrink"),
    *("erf", "tanhshrink", "gaussian", "entmax15", "reglu", "swish", "quick_gelu"),
    *("scaled_tanh", "threshold", "asinh", "log_softmax", "star_relu", "telu", "serf"),
)

INK, GREY, PALE, BROWN = "#222222", "#666666", "#d9d9d9", "#99592a"
MISSING, DIVERGED = "#bdbdbd", "#b00020"


def line_style(activation: str) -> dict[str, Any]:
    """Return the colour and dash of an activation, which are the same in every picture.

    Each name in KNOWN has its own pair. The pair of any other name is a hash of the name.
    """
    if activation in KNOWN:
        index = KNOWN.index(activation)
    else:
        index = zlib.crc32(activation.encode()) % (len(PALETTE) * len(DASHES))
    dash, colour = divmod(index, len(PALETTE))
    return {"color": PALETTE[colour], "linestyle": DASHES[dash]}


def distinct_styles(activations: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return each activation's ``line_style``, with different colours as far as possible.

    If several share a colour, the first in KNOWN keeps it; the others get unused colours.
    """

    def fame(name: str) -> tuple[int, str]:
        return (KNOWN.index(name) if name in KNOWN else len(KNOWN)), name

    looks = {name: line_style(name) for name in sorted(set(activations), key=fame)}
    free = [shade for shade in PALETTE if shade not in {look["color"] for look in looks.values()}]
    taken = set()
    for look in looks.values():
        if look["color"] in taken and free:
            look["color"] = free.pop(0)
        taken.add(look["color"])
    return looks


def colour(activation: str) -> str:
    """Return the colour of an activation, for pictures where dashes have another meaning."""
    return str(line_style(activation)["color"])


def counterpart(activation: str) -> str:
    """Return the colour of a second line: dark grey, or brown if the activation's is black."""
    return BROWN if colour(activation) == "#000000" else INK


def rgb(shade: str, strength: float = 1.0) -> Array:
    """Return "#0072b2" as red, green and blue from 0 to 1; ``strength`` below 1 mixes in white."""
    parts = [int(shade[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    return 1 - strength * (1 - np.array(parts))


def class_colours(classes: int) -> Array:
    """Return one colour per class, (classes, 3): the palette, or hues for more than 7 classes."""
    if classes <= len(PALETTE):
        return np.array([rgb(shade) for shade in PALETTE[:classes]])
    from matplotlib import colormaps

    return np.asarray(colormaps["turbo"](np.linspace(0.04, 0.96, classes))[:, :3])


def layer_colours(layers: int) -> list[str]:
    """Return one colour per layer, from dark (first layer) to bright (last layer)."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(shade) for shade in colormaps["plasma"](np.linspace(0.02, 0.76, layers))]
