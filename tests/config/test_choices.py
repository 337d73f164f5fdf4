"""conf/ has a file for each part of ours: a line that describes it, and its defaults."""

from __future__ import annotations

import pytest
import yaml

from activations.registry import REQUIRED
from runner.config.build import SECTIONS
from runner.config.catalogue import CONFIG_DIR

OURS = [(kind, name) for kind, one in SECTIONS.items() for name in one if one.is_ours(name)]


def test_every_file_is_of_something_and_the_other_way_round() -> None:
    files = [path for kind in SECTIONS for path in (CONFIG_DIR / kind).glob("*.yaml")]
    assert {(path.parent.name, path.stem) for path in files} == set(OURS)


@pytest.mark.parametrize(("kind", "name"), OURS)
def test_a_file_describes_it_and_holds_its_defaults(kind: str, name: str) -> None:
    text = (CONFIG_DIR / kind / f"{name}.yaml").read_text()
    first = text.splitlines()[0]
    assert first.startswith("# ")
    assert 10 < len(first) <= 100
    assert not first.endswith(".")
    node = {key: None if value == {} else value for key, value in yaml.safe_load(text).items()}
    defaults = SECTIONS[kind].parameters(name)
    assert node.keys() == {"name", *defaults} and node["name"] == name
    for key, value in defaults.items():
        if key in SECTIONS[kind].extra:  # a published data set has a split of its own
            assert type(node[key]) is type(value), key
        elif value is not REQUIRED:  # 1 and 1.0 are equal but read differently
            assert (node[key], type(node[key])) == (value, type(value)), key
