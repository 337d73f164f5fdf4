"""Which activations of other libraries are here, under which name, and why others are not.

The names of PyTorch, JAX and Keras are read from the libraries if they are installed, so that a new
activation shows up as missing. Otherwise the lists below are used; they come from torch 2.13.0, jax
0.10.2 and keras 3.15.1. ONNX (1.23.2) does not mark activations among its operators; they were
selected by hand. NOT_ACTIVATIONS lists the other contents of the libraries' modules.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass, field

import activations
from tests.benchmarks.processes import table

PYTORCH = """CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid
LogSoftmax Mish MultiheadAttention PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmax2d
Softmin Softplus Softshrink Softsign Tanh Tanhshrink Threshold"""
FUNCTIONAL = "gumbel_softmax"  # torch.nn.functional's only one that is not a module
JAX = """celu elu gelu glu hard_sigmoid hard_silu hard_swish hard_tanh identity leaky_relu
log1mexp log_sigmoid log_softmax logmeanexp logsumexp mish relu relu6 selu sigmoid silu
soft_sign softmax softplus sparse_plus sparse_sigmoid squareplus standardize swish tanh"""
KERAS = """celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh
leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax
softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink
threshold"""
KERAS_LAYERS = "ELU LeakyReLU PReLU ReLU Softmax"
ONNX = """Celu Clip Elu Erf Exp Gelu HardSigmoid HardSwish Hardmax Identity LeakyRelu LogSoftmax
Mish PRelu Relu Selu Shrink Sigmoid Softmax Softplus Softsign SwiGLU Swish Tanh ThresholdedRelu"""
ONNX_RECURRENT = """Affine Elu HardSigmoid LeakyRelu Relu ScaledTanh Sigmoid Softplus Softsign
Tanh ThresholdedRelu"""  # the strings that RNN, GRU and LSTM take

OURS = {
    "gelu_tanh": "gelu_tanh",
    "hard_silu": "hardswish",
    "linear": "identity",
    "logsigmoid": "log_sigmoid",
    "logsoftmax": "log_softmax",
    "soft_sign": "softsign",
    "leakyrelu": "leaky_relu",
    "scaledtanh": "scaled_tanh",
    "exp": "exponential",
    "thresholdedrelu": "thresholded_relu",
    "keras relu": "keras_relu",
    "keras re_lu": "keras_relu",
}
"""Names of other libraries in lower case, if ours differs."""

NOT_HERE = {
    "Affine": "alpha x + beta, what the linear layer before it does anyway",
    "MultiheadAttention": "a layer with weights, which PyTorch lists among its activations",
    "log1mexp": "ln(1 - e^-x), a building block for x > 0; a formula can say it: log(-expm1(-x))",
}
NOT_ACTIVATIONS = {
    "jax": {
        *("dot_product_attention", "get_scaled_dot_general_config", "initializers", "one_hot"),
        *("scaled_dot_general", "scaled_matmul"),
    },
    "keras": {"deserialize", "get", "serialize"},
}


@dataclass
class Source:
    """One library's list: our name by theirs, and the missing ones with the reason."""

    title: str
    found: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def our_name(theirs: str, library: str = "") -> str | None:
    """Return our name of another library's activation, None if there is none."""
    lower = theirs.lower()
    known = activations.names()
    plain = lower.replace("_", "")
    for candidate in (OURS.get(f"{library} {lower}"), OURS.get(lower), lower, plain):
        if candidate in known:
            return candidate
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", theirs).lower()
    return snake if snake in known else None


def sources() -> list[Source]:
    """Return the lists of all libraries, read from the libraries if they are installed."""
    return [
        _source("torch.nn", "torch", PYTORCH, "torch.nn.modules.activation"),
        _source("torch.nn.functional besides", "", FUNCTIONAL),
        _source("jax.nn", "jax", JAX, "jax.nn"),
        _source("keras.activations", "keras", KERAS, "keras.activations"),
        _source("keras.layers", "", KERAS_LAYERS),
        _source("ONNX operators", "", ONNX),
        _source("ONNX, inside RNN, GRU, LSTM", "", ONNX_RECURRENT),
    ]


def _source(title: str, library: str, listed: str, module: str = "") -> Source:
    theirs, version = _installed(library, module) if module else ([], "")
    origin = f"{library} {version}, read from it" if theirs else "listed here"
    source = Source(f"{title} ({origin})")
    for name in theirs or sorted(listed.split()):
        ours = our_name(name, "keras" if "keras" in title else "")
        if ours:
            source.found[name] = ours
        else:
            source.missing[name] = NOT_HERE.get(name, "not written yet")
    return source


def _installed(library: str, module: str) -> tuple[list[str], str]:
    try:
        loaded = importlib.import_module(module)
    except Exception:  # an installed library may fail to import, e.g. Keras without a backend
        return [], ""
    names = getattr(loaded, "__all__", None) or [n for n in dir(loaded) if not n.startswith("_")]
    version = getattr(importlib.import_module(library), "__version__", "")
    return sorted(set(names) - NOT_ACTIVATIONS.get(library, set())), version


def counts() -> list[dict[str, str | int]]:
    """Return how many of each library's activations are here, and which are not."""
    return [
        {
            "source": s.title,
            "names": len(s.found) + len(s.missing),
            "here": len(s.found),
            "not here": ", ".join(s.missing),
        }
        for s in sources()
    ]


def report() -> str:
    """Return the counts as a Markdown table, then every name, then what is missing and why."""
    listed = sources()
    counted = [[str(value) for value in row.values()] for row in counts()]
    lines = [table(["source", "names", "here", "not here"], counted), ""]
    for s in listed:
        pairs = (
            theirs if theirs == ours else f"{theirs} = {ours}" for theirs, ours in s.found.items()
        )
        lines.append(f"* {s.title}: {', '.join(pairs)}")
    missing = {name: why for s in listed for name, why in s.missing.items()}
    lines += ["", *(f"* not here: {name}: {why}" for name, why in missing.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
