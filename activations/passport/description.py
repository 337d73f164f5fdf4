"""Formula, derivative, range and sources from an activation's docstring.

A docstring begins with the formula, has a sentence or clause "f' = ..." and ends with the sources.
A user's class may follow the same rules.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from activations.base import Activation
from activations.formulas.formula import Formula
from activations.registry import Registry

_SENTENCE_END = re.compile(r"(?<!\bal)(?<!\.)\.\s+|\.$")
_SOURCE = re.compile(
    r"https?://|\b(17|18|19|20)\d\d\b|^(ONNX [A-Z]|torch|jax|From|No paper|Source as)"
)
_DERIVATIVE = re.compile(r"(?:^|[;:,] )f' = (?!f)(.*)$")
_NO_SOURCE = re.compile(r"^(f'|f\(|Range)")


@dataclass(frozen=True)
class Description:
    """Parts of a docstring; empty if it does not have them.

    Attributes:
        formula: the first sentence.
        derivative: the text after "f' = " in its sentence.
        range: the text after "Range" in its sentence.
        sources: the last sentences that have a year, an address or a library's name.
    """

    formula: str
    derivative: str
    range: str
    sources: tuple[str, ...]


def describe(activation: Activation) -> Description:
    """Return the description of an activation; for a ``Formula``, its expression and derivative."""
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
