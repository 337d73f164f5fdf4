"""Activation functions and their derivatives in pure NumPy.

    >>> from activations import Sigmoid
    >>> f = Sigmoid()
    >>> f(0.0), f.gradient(0.0)
    (np.float64(0.5), np.float64(0.25))
"""

from activations.axiswise import Softmax
from activations.base import Activation, Elementwise, get, get_class, names
from activations.rectified import LeakyReLU, ReLU
from activations.sigmoidal import Sigmoid, TanH

__all__ = [
    "Activation",
    "Elementwise",
    "LeakyReLU",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "TanH",
    "get",
    "get_class",
    "names",
]
