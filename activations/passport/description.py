"""What an activation's docstring says: its formula, its derivative, its sources.

The docstrings of the library begin with the formula, name the derivative as "f' = ..." and end with
the sources; a user's class may do the same.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from activations.base import Activation
from activations.formulas.formula import Formula
from activations.registry import Registry

_SENTENCE_END = re.compile(r"(?<!\bal)\.\s+|\.$")
_SOURCE = re.compile(
    r"https?://|\b(17|18|19|20)\d\d\b|^(ONNX [A-Z]|torch|jax|From|No paper|Source as)"
)
_DERIVATIVE = re.compile(r"(?:^|[;:,] )f' = (?!f)(.*)$")
_NO_SOURCE = re.compile(r"^(f'|f\(|Range)")


@dataclass(frozen=True)
class Description:
    """Texts; empty where the docstring has nothing of it.

    Attributes:
        formula: the first sentence.
        derivative: what follows "f' = ".
        range: what the docstring says of it.
        sources: one sentence each: paper, year, address.
    """

    formula: str
    derivative: str
    range: str
    sources: tuple[str, ...]


def describe(activation: Activation) -> Description:
    """Return what the class says of itself; a formula writes itself and its derivative."""
    sentences = _sentences(type(activation))
    if isinstance(activation, Formula):
        value, slope = activation.written()
        return Description(value, slope, "", ())
    derivative = next((found[1] for s in sentences if (found := _DERIVATIVE.search(s))), "")
    return Description(
        sentences[0] if sentences else "",
        derivative,
        next((s.removeprefix("Range").strip(" :") for s in sentences if s.startswith("Range")), ""),
        tuple(_sources(activation.registry, sentences)),
    )


def _sentences(cls: type[Activation]) -> list[str]:
    written = cls.__dict__.get("__doc__") or ""
    text = inspect.cleandoc(written).split("\n\nAttributes:")[0]
    parts = _SENTENCE_END.split(" ".join(text.replace("``", "").split()))
    return [part.strip() for part in parts if part.strip()]


def _sources(registry: Registry[Activation], sentences: list[str]) -> list[str]:
    found: list[str] = []
    for sentence in reversed(sentences[1:]):
        if not _SOURCE.search(sentence) or _NO_SOURCE.search(sentence):
            break
        other = re.fullmatch(r"Source as (\w+)", sentence)
        if other:
            return _sources(registry, _sentences(registry[other[1]])) + found
        found.insert(0, sentence)
    return found
