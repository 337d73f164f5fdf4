"""YAML from strangers, as plain data: no tags that call, no bombs of aliases, no control codes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

MOST_VALUES = 100_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(content: bytes) -> Any:
    """Return what a YAML text holds.

    Raises ValueError or yaml.YAMLError if it is broken, holds control characters, or if its
    aliases stand for itself or for more than MOST_VALUES values.
    """
    loader = _Loader(content)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _values(node, {})
        return loader.construct_document(node)
    except RecursionError:
        raise ValueError("its values are nested too deeply") from None
    finally:
        loader.dispose()


def refuse_alias_bombs(folder: Path) -> None:
    """Raise ValueError naming the file under ``folder`` whose aliases stand for too much.

    What is broken otherwise is left to whoever reads the file.
    """
    for path in sorted(folder.rglob("*.yaml")):
        try:
            content = path.read_bytes()
            if b"*" in content:
                read_yaml(content)
        except ValueError as error:
            if "aliases" in str(error):
                raise ValueError(f"{path}: {error}") from None
        except (OSError, yaml.YAMLError):
            continue


def _values(node: Any, known: dict[int, int]) -> int:
    """Return how many values a node stands for, its aliases followed."""
    if id(node) in known:
        if not known[id(node)]:
            raise ValueError("its aliases refer to themselves")
        return known[id(node)]
    known[id(node)] = 0
    count = 1
    if isinstance(node, yaml.MappingNode):
        count += sum(_values(key, known) + _values(value, known) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        count += sum(_values(value, known) for value in node.value)
    elif _CONTROL.search(node.value):
        raise ValueError("it holds control characters")
    if count > MOST_VALUES:
        raise ValueError(f"its aliases stand for more than {MOST_VALUES:,} values")
    known[id(node)] = count
    return count
