"""Activation functions and their derivatives in pure NumPy.

>>> from activations import Sigmoid
>>> f = Sigmoid()
>>> f(0.0), f.gradient(0.0)
(np.float64(0.5), np.float64(0.25))
"""

from activations.axiswise import Softmax
from activations.base import Activation, Elementwise, get, get_class, names
from activations.clipped import (
    SQNL,
    Clip,
    HardGaussianHat,
    HardSigmoid,
    HardTanh,
    SignSTE,
    SparseSigmoid,
    Step,
)
from activations.piecewise import (
    Abs,
    HardELiSH,
    HardMish,
    HardSwish,
    Identity,
    SmeLU,
    SparsePlus,
)
from activations.power import Cubic, ReLUSquared, Square
from activations.rectified import (
    KerasReLU,
    LeakyReLU,
    NLReLU,
    ReLU,
    ReLU6,
    RReLU,
    ThresholdedReLU,
)
from activations.shrinkage import HardShrink, Shrink, SoftShrink, Threshold
from activations.sigmoidal import Sigmoid, TanH

__all__ = [
    "SQNL",
    "Abs",
    "Activation",
    "Clip",
    "Cubic",
    "Elementwise",
    "HardELiSH",
    "HardGaussianHat",
    "HardMish",
    "HardShrink",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "Identity",
    "KerasReLU",
    "LeakyReLU",
    "NLReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "ReLUSquared",
    "Shrink",
    "Sigmoid",
    "SignSTE",
    "SmeLU",
    "SoftShrink",
    "Softmax",
    "SparsePlus",
    "SparseSigmoid",
    "Square",
    "Step",
    "TanH",
    "Threshold",
    "ThresholdedReLU",
    "get",
    "get_class",
    "names",
]
