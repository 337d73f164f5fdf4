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
from activations.axiswise import (
    GumbelSoftmax,
    LogSoftmax,
    Softmax,
    Softmax2d,
    SoftmaxOne,
    Softmin,
)
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
from activations.formulas.formula import Formula
from activations.gated import GEGLU, GLU, GTU, SEGLU, BilinearGLU, ReGLU, SwiGLU, SwiGLUClamped
from activations.gaussian import Erf, Gaussian, LaplaceCDF, NormalCDF
from activations.gelu import GELU, ClippedGELU, Phish
from activations.grouped import CReLU, LogMeanExp, LogSumExp, Maxout
from activations.learnable import PELU, XIELU, PReLU, SoftExponential, StarReLU
from activations.learnable_smooth import ACONC, SMU, Derf, DyT, ErfAct, Snake
from activations.mish_like import LiSHT, Logish, Mish, Serf, Smish, TeLU
from activations.normalising import L2Normalize, Squash, Standardize, TaylorSoftmax
from activations.pade import PAU
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
from activations.sparse_axiswise import Entmax, Entmax15, Hardmax, Sparsemax

__all__ = [
    "ACONC",
    "CELU",
    "ELU",
    "FINER",
    "GCU",
    "GEGLU",
    "GELU",
    "GLU",
    "GTU",
    "ISRLU",
    "ISRU",
    "PAU",
    "PELU",
    "SEGLU",
    "SELU",
    "SMU",
    "SQNL",
    "WIRE",
    "XIELU",
    "ASinH",
    "Abs",
    "Activation",
    "ArcTan",
    "BentIdentity",
    "BilinearGLU",
    "CReLU",
    "Clip",
    "ClippedGELU",
    "ComplementaryLogLog",
    "Cubic",
    "DSiLU",
    "Derf",
    "DyT",
    "ELiSH",
    "Elementwise",
    "Elliott",
    "Entmax",
    "Entmax15",
    "Erf",
    "ErfAct",
    "Exponential",
    "Formula",
    "GELUApprox",
    "GELUTanH",
    "Gaussian",
    "GumbelSoftmax",
    "HardELiSH",
    "HardGaussianHat",
    "HardMish",
    "HardShrink",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "Hardmax",
    "Identity",
    "KerasReLU",
    "L2Normalize",
    "LaplaceCDF",
    "LeakyReLU",
    "LiSHT",
    "LogCosh",
    "LogMeanExp",
    "LogSigmoid",
    "LogSoftmax",
    "LogSumExp",
    "Logish",
    "Maxout",
    "Mish",
    "NLReLU",
    "NormalCDF",
    "PReLU",
    "Phish",
    "QuickGELU",
    "RReLU",
    "ReGLU",
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
    "Snake",
    "SoftClip",
    "SoftExponential",
    "SoftShrink",
    "SoftSign",
    "Softmax",
    "Softmax2d",
    "SoftmaxOne",
    "Softmin",
    "Softplus",
    "SparsePlus",
    "SparseSigmoid",
    "Sparsemax",
    "Square",
    "SquarePlus",
    "Squash",
    "Standardize",
    "StarReLU",
    "Step",
    "SwiGLU",
    "SwiGLUClamped",
    "Swish",
    "SymLog",
    "TanH",
    "TanHLinear",
    "TanhShrink",
    "TaylorSoftmax",
    "TeLU",
    "Threshold",
    "ThresholdedReLU",
    "get",
    "get_class",
    "names",
]
