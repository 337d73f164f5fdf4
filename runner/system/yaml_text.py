"""Read untrusted YAML as plain data: no tags that run code, no alias bombs, no control codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

MOST_BYTES = 250_000
"""Largest YAML text. The pure Python reader, which Hydra uses, takes a second for 400,000 bytes."""
MOST_VALUES = 100_000
MOST_CHARACTERS = 10_000_000
DEEPEST = 100
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Bomb(ValueError):
    """A small document that would expand past the limit or crash its reader."""


def read_yaml(content: bytes) -> Any:
    """Return the content of a YAML text.

    Raises yaml.YAMLError if it is invalid, and ValueError if it contains control characters. Raises
    Bomb if it is larger than MOST_BYTES, nested deeper than DEEPEST, has an alias that refers to
    itself, or would expand to more than MOST_VALUES values.
    """
    if len(content) > MOST_BYTES:
        raise Bomb(f"it has more than {MOST_BYTES:,} bytes")
    _refuse_depth(content)
    loader = _Loader(content)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _values(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def refuse_interpolation_bombs(config: Any) -> None:
    """Raise Bomb if the unresolved references ``${...}`` of a config could expand too far.

    The limit is MOST_CHARACTERS. n references multiply a value by at most 3^(n/3): the worst case
    is a chain of n/3 values, each with three references to the next.
    """
    texts = list(map(str, _scalars(config)))
    references = sum(text.count("${") for text in texts)
    if references and sum(map(len, texts)) * 3 ** (references / 3) > MOST_CHARACTERS:
        raise Bomb(
            f"the YAML files have {references} references ${{...}}, which could expand to more "
            f"than {MOST_CHARACTERS:,} characters; write the values instead"
        )


def _scalars(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from _scalars(value)
    elif isinstance(node, list):
        for value in node:
            yield from _scalars(value)
    else:
        yield node


def _refuse_depth(content: bytes) -> None:
    """Raise Bomb if values are nested so deeply that the C loader would overflow its stack."""
    loader = _Loader(content)
    depth = 0
    try:
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > DEEPEST:
                raise Bomb(f"its values are nested more than {DEEPEST} levels deep")
    finally:
        loader.dispose()


def _values(node: Any, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return the number of values in a node and their depth, with all aliases expanded."""
    if id(node) in known:
        if not known[id(node)][0]:
            raise Bomb("its aliases refer to themselves")
        return known[id(node)]
    known[id(node)] = (0, 0)
    inside = []
    if isinstance(node, yaml.MappingNode):
        inside = [_values(part, known) for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        inside = [_values(value, known) for value in node.value]
    elif _CONTROL.search(node.value):
        raise ValueError("it contains control characters")
    count = 1 + sum(values for values, _ in inside)
    depth = 1 + max((levels for _, levels in inside), default=0)
    if count > MOST_VALUES:
        raise Bomb(f"its aliases expand to more than {MOST_VALUES:,} values")
    if depth > DEEPEST:
        raise Bomb(f"its values are nested more than {DEEPEST} levels deep")
    known[id(node)] = (count, depth)
    return count, depth
