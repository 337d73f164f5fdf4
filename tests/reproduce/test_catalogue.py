"""Every reproduction says what it is, whence its values come, and how to vary it."""

from __future__ import annotations

import math
import shlex

import pytest

from runner.config import compose
from runner.propagate import settings
from runner.reproduce.catalogue import REPRODUCTIONS
from tests.commands import ROOT

ALL = pytest.mark.parametrize("one", REPRODUCTIONS.values(), ids=REPRODUCTIONS)


@ALL
def test_states_source_story_and_quantities(one):
    assert all(source.link.startswith("http") for source in one.sources)
    sentences = [part for part in one.shown.split(". ") if part]
    assert len(sentences) >= 3, "what is shown, why it happens"
    names = [expected.what for expected in one.expected]
    assert len(set(names)) == len(names)
    for expected in one.expected:
        assert expected.origin in ("published", "exact", "recomputed")
        assert expected.where and "|" not in expected.provenance
        assert expected.low <= expected.high
        assert math.isnan(expected.value) or expected.low <= expected.value <= expected.high


@ALL
def test_its_command_is_one_that_works(one):
    words = shlex.split(one.command)
    assert words[:2] == ["python", "-m"]
    if words[2] == "runner":
        compose.compose([word for word in words[3:] if word != "-m"])
    if words[2] == "runner.propagate":
        settings.compose(words[3:])
    experiment = f"experiment={one.name}"
    assert (experiment in words) == (ROOT / f"conf/experiment/{one.name}.yaml").is_file()
