"""PyTorch's and JAX's versions of our activations: values and automatic gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray
Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Shared:
    """One of our activations, with the parameters for which it equals theirs."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)


ELEMENTWISE = [
    Shared("relu", {"derivative_at_zero": 0.0}),
    Shared("leaky_relu", {"alpha": 0.01, "derivative_at_zero": 0.01}),
    *(Shared(name) for name in ("prelu", "rrelu", "relu6", "threshold", "hardtanh")),
    *(Shared(name) for name in ("hardsigmoid", "hardswish", "hardshrink", "softshrink")),
    *(Shared(name) for name in ("elu", "celu", "selu", "sigmoid", "log_sigmoid", "softplus")),
    *(Shared(name) for name in ("tanh", "tanhshrink", "softsign", "silu", "gelu", "gelu_tanh")),
    *(Shared(name) for name in ("mish", "squareplus", "sparse_plus", "sparse_sigmoid", "erf")),
    *(Shared(name) for name in ("normal_cdf", "exponential", "arctan", "asinh")),
]
"""Functions of one number."""

ROWS = [
    *(Shared(name) for name in ("softmax", "log_softmax", "softmin", "softmax2d")),
    Shared("logsumexp", {"pieces": None}),
    *(Shared(name) for name in ("standardize", "l2_normalize", "maxout", "crelu")),
    *(Shared(name) for name in ("glu", "swiglu", "geglu", "reglu", "gtu", "seglu")),
]
"""Functions of a row, which is the last axis."""


class Peer:
    """Another library: its function for each of our names, if there is one, and its gradients."""

    functions: dict[str, Function]

    def pair(self, name: str, x: Array, grad: Array) -> tuple[Array, Array]:
        """Return y = f(x) and dL/dx for grad = dL/dy."""
        raise NotImplementedError


class PyTorch(Peer):
    """PyTorch's eager functions, on one thread. Raises ImportError if it is not installed."""

    def __init__(self) -> None:
        import torch
        from torch.nn import functional as F

        torch.set_num_threads(1)
        self.torch = torch

        def gated(first: Function, second: Function) -> Function:
            return lambda x: first(x.chunk(2, -1)[0]) * second(x.chunk(2, -1)[1])

        def identity(x: Any) -> Any:
            return x

        softmax2d = torch.nn.Softmax2d()
        self.functions = {
            "arctan": torch.atan,
            "asinh": torch.asinh,
            "celu": F.celu,
            "crelu": lambda x: torch.cat([F.relu(x), F.relu(-x)], -1),
            "elu": F.elu,
            "erf": torch.erf,
            "exponential": torch.exp,
            "geglu": gated(F.gelu, identity),
            "gelu": F.gelu,
            "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
            "glu": F.glu,
            "gtu": gated(torch.tanh, torch.sigmoid),
            "hardshrink": F.hardshrink,
            "hardsigmoid": F.hardsigmoid,
            "hardswish": F.hardswish,
            "hardtanh": F.hardtanh,
            "l2_normalize": lambda x: F.normalize(x, dim=-1),
            "leaky_relu": F.leaky_relu,
            "log_sigmoid": F.logsigmoid,
            "log_softmax": lambda x: F.log_softmax(x, -1),
            "logsumexp": lambda x: torch.logsumexp(x, -1, keepdim=True),
            "maxout": lambda x: x.unflatten(-1, (-1, 2)).amax(-1),
            "mish": F.mish,
            "normal_cdf": torch.special.ndtr,
            "prelu": lambda x: F.prelu(x, torch.full((1,), 0.25, dtype=x.dtype)),
            "reglu": gated(F.relu, identity),
            "relu": F.relu,
            "relu6": F.relu6,
            "rrelu": lambda x: F.rrelu(x, training=False),
            "seglu": gated(F.selu, identity),
            "selu": F.selu,
            "sigmoid": torch.sigmoid,
            "silu": F.silu,
            "softmax": lambda x: torch.softmax(x, -1),
            "softmax2d": lambda x: softmax2d(x[..., None, None])[..., 0, 0],
            "softmin": lambda x: F.softmin(x, -1),
            "softplus": F.softplus,
            "softshrink": F.softshrink,
            "softsign": F.softsign,
            "standardize": lambda x: F.layer_norm(x, x.shape[-1:]),
            "swiglu": gated(F.silu, identity),
            "tanh": torch.tanh,
            "tanhshrink": F.tanhshrink,
            "threshold": lambda x: F.threshold(x, 0.0, 0.0),
        }

    def pair(self, name: str, x: Array, grad: Array) -> tuple[Array, Array]:
        point = self.torch.from_numpy(x.copy()).requires_grad_()
        y = self.functions[name](point)
        y.backward(self.torch.from_numpy(grad.astype(x.dtype)))
        return y.detach().numpy(), point.grad.numpy()


class JAX(Peer):
    """JAX on the CPU. Raises ImportError if it is not installed."""

    def __init__(self) -> None:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        self.jax = jax
        nn = jax.nn
        self.functions = {
            "arctan": jnp.arctan,
            "asinh": jnp.arcsinh,
            "celu": nn.celu,
            "elu": nn.elu,
            "erf": jax.scipy.special.erf,
            "exponential": jnp.exp,
            "gelu": lambda x: nn.gelu(x, approximate=False),
            "gelu_tanh": nn.gelu,
            "hardsigmoid": nn.hard_sigmoid,
            "hardswish": nn.hard_swish,
            "hardtanh": nn.hard_tanh,
            "leaky_relu": nn.leaky_relu,
            "log_sigmoid": nn.log_sigmoid,
            "log_softmax": nn.log_softmax,
            "mish": nn.mish,
            "normal_cdf": jax.scipy.special.ndtr,
            "relu": nn.relu,
            "relu6": nn.relu6,
            "selu": nn.selu,
            "sigmoid": nn.sigmoid,
            "silu": nn.silu,
            "softmax": nn.softmax,
            "softplus": nn.softplus,
            "softsign": nn.soft_sign,
            "sparse_plus": nn.sparse_plus,
            "sparse_sigmoid": nn.sparse_sigmoid,
            "squareplus": nn.squareplus,
            "tanh": jnp.tanh,
        }

    def pair(self, name: str, x: Array, grad: Array) -> tuple[Array, Array]:
        numpy = self.jax.numpy
        y, pull = self.jax.vjp(self.functions[name], numpy.asarray(x))
        return np.asarray(y), np.asarray(pull(numpy.asarray(grad, x.dtype))[0])


def peers() -> dict[str, Peer]:
    """Return the libraries that are installed."""
    found: dict[str, Peer] = {}
    for name, library in (("PyTorch", PyTorch), ("JAX", JAX)):
        try:
            found[name] = library()
        except ImportError:
            continue
    return found
