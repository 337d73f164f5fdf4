"""conf/ has a file for each part of ours: a line that describes it, and its defaults."""

from __future__ import annotations

import pytest
import yaml

from activations.registry import REQUIRED
from runner.config.build import SECTIONS
from runner.config.catalogue import CONFIG_DIR
from runner.config.compose import compose
from runner.config.experiment import Experiment

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
    node = yaml.safe_load(text)
    defaults = SECTIONS[kind].parameters(name)
    assert node.keys() == {"name", *defaults} and node["name"] == name
    for key, value in defaults.items():
        if key in SECTIONS[kind].extra:  # a published data set has a split of its own
            assert type(node[key]) is type(value), key
        elif value is not REQUIRED:  # 1 and 1.0 are equal but read differently
            assert (node[key], type(node[key])) == (value, type(value)), key


@pytest.mark.parametrize(("kind", "name"), OURS)
def test_a_section_without_a_default_is_the_same_experiment(kind: str, name: str) -> None:
    config = compose([]).experiment.to_dict()
    defaults = SECTIONS[kind].parameters(name)
    needed = [key for key, value in defaults.items() if value is REQUIRED]
    section = {"name": name, **defaults, **dict.fromkeys(needed, 100)}
    whole = Experiment.from_dict({**config, kind: section}, check=False)
    for dropped in defaults.keys() - needed:
        rest = {key: value for key, value in section.items() if key != dropped}
        found = Experiment.from_dict({**config, kind: rest}, check=False)
        assert getattr(found, kind) == section, dropped
        assert (found.digest, found.folder_name) == (whole.digest, whole.folder_name), dropped


@pytest.mark.parametrize("kind", ["model", "training"])
def test_a_section_of_settings_is_completed_too(kind: str) -> None:
    whole = compose([]).experiment
    config = whole.to_dict()
    for dropped in config[kind]:
        rest = {key: value for key, value in config[kind].items() if key != dropped}
        found = Experiment.from_dict({**config, kind: rest}, check=False)
        assert found.to_dict() == config and found.digest == whole.digest, dropped
