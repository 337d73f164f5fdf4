"""Activation functions and their derivatives in pure NumPy.

>>> from activations import Sigmoid
>>> f = Sigmoid()
>>> f(0.0), f.gradient(0.0)
(np.float64(0.5), np.float64(0.25))
"""

from activations.algebraic import (
    ISRLU,
    ISRU,
    ArcTan,
    ASinH,
    BentIdentity,
    Elliott,
    SoftSign,
    SquarePlus,
    SymLog,
)
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
from activations.exponential_linear import CELU, ELU, SELU, Exponential
from activations.gaussian import Erf, Gaussian, LaplaceCDF, NormalCDF
from activations.gelu import GELU, ClippedGELU, Phish
from activations.mish_like import LiSHT, Logish, Mish, Serf, Smish, TeLU
from activations.periodic import FINER, GCU, WIRE, ReLUSin, Sin, Sinc
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
from activations.self_gated import DSiLU, ELiSH, GELUApprox, GELUTanH, QuickGELU, SiLU, Swish
from activations.shrinkage import HardShrink, Shrink, SoftShrink, Threshold
from activations.sigmoidal import (
    ComplementaryLogLog,
    ScaledTanH,
    Sigmoid,
    SoftClip,
    TanH,
    TanHLinear,
)
from activations.softplus_like import LogCosh, LogSigmoid, ShiftedSoftplus, Softplus, TanhShrink

__all__ = [
    "CELU",
    "ELU",
    "FINER",
    "GCU",
    "GELU",
    "ISRLU",
    "ISRU",
    "SELU",
    "SQNL",
    "WIRE",
    "ASinH",
    "Abs",
    "Activation",
    "ArcTan",
    "BentIdentity",
    "Clip",
    "ClippedGELU",
    "ComplementaryLogLog",
    "Cubic",
    "DSiLU",
    "ELiSH",
    "Elementwise",
    "Elliott",
    "Erf",
    "Exponential",
    "GELUApprox",
    "GELUTanH",
    "Gaussian",
    "HardELiSH",
    "HardGaussianHat",
    "HardMish",
    "HardShrink",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "Identity",
    "KerasReLU",
    "LaplaceCDF",
    "LeakyReLU",
    "LiSHT",
    "LogCosh",
    "LogSigmoid",
    "Logish",
    "Mish",
    "NLReLU",
    "NormalCDF",
    "Phish",
    "QuickGELU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "ReLUSin",
    "ReLUSquared",
    "ScaledTanH",
    "Serf",
    "ShiftedSoftplus",
    "Shrink",
    "SiLU",
    "Sigmoid",
    "SignSTE",
    "Sin",
    "Sinc",
    "SmeLU",
    "Smish",
    "SoftClip",
    "SoftShrink",
    "SoftSign",
    "Softmax",
    "Softplus",
    "SparsePlus",
    "SparseSigmoid",
    "Square",
    "SquarePlus",
    "Step",
    "Swish",
    "SymLog",
    "TanH",
    "TanHLinear",
    "TanhShrink",
    "TeLU",
    "Threshold",
    "ThresholdedReLU",
    "get",
    "get_class",
    "names",
]
