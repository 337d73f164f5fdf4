"""Activation functions and their derivatives in pure NumPy.

>>> from activations import Sigmoid
>>> f = Sigmoid()
>>> f(0.0), f.gradient(0.0)
(np.float64(0.5), np.float64(0.25))
"""

from activations.base import Activation, Elementwise, get, get_class, names
from activations.formulas.formula import Formula
from activations.functions.algebraic import (
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
from activations.functions.axiswise import (
    GumbelSoftmax,
    LogSoftmax,
    Softmax,
    Softmax2d,
    SoftmaxOne,
    Softmin,
)
from activations.functions.clipped import (
    SQNL,
    Clip,
    HardGaussianHat,
    HardSigmoid,
    HardTanh,
    SignSTE,
    SparseSigmoid,
    Step,
)
from activations.functions.exponential_linear import CELU, ELU, SELU, Exponential
from activations.functions.gated import (
    GEGLU,
    GLU,
    GTU,
    SEGLU,
    BilinearGLU,
    ReGLU,
    SwiGLU,
    SwiGLUClamped,
)
from activations.functions.gaussian import Erf, Gaussian, LaplaceCDF, NormalCDF
from activations.functions.gelu import GELU, ClippedGELU, Phish
from activations.functions.grouped import CReLU, LogMeanExp, LogSumExp, Maxout
from activations.functions.learnable import PELU, XIELU, PReLU, SoftExponential, StarReLU
from activations.functions.learnable_smooth import ACONC, SMU, Derf, DyT, ErfAct, Snake
from activations.functions.mish_like import LiSHT, Logish, Mish, Serf, Smish, TeLU
from activations.functions.normalising import L2Normalize, Squash, Standardize, TaylorSoftmax
from activations.functions.pade import PAU
from activations.functions.periodic import FINER, GCU, WIRE, ReLUSin, Sin, Sinc
from activations.functions.piecewise import (
    Abs,
    HardELiSH,
    HardMish,
    HardSwish,
    Identity,
    SmeLU,
    SparsePlus,
)
from activations.functions.power import Cubic, ReLUSquared, Square
from activations.functions.rectified import (
    KerasReLU,
    LeakyReLU,
    NLReLU,
    ReLU,
    ReLU6,
    RReLU,
    ThresholdedReLU,
)
from activations.functions.self_gated import (
    DSiLU,
    ELiSH,
    GELUApprox,
    GELUTanH,
    QuickGELU,
    SiLU,
    Swish,
)
from activations.functions.shrinkage import HardShrink, Shrink, SoftShrink, Threshold
from activations.functions.sigmoidal import (
    ComplementaryLogLog,
    ScaledTanH,
    Sigmoid,
    SoftClip,
    TanH,
    TanHLinear,
)
from activations.functions.softplus_like import (
    LogCosh,
    LogSigmoid,
    ShiftedSoftplus,
    Softplus,
    TanhShrink,
)
from activations.functions.sparse_axiswise import Entmax, Entmax15, Hardmax, Sparsemax
