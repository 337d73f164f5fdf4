"""Options and markers of the suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore

from runner.config import extensions
from runner.config.build import REGISTRIES, SECTIONS
from tests.activations.dispatch import PATHS


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accuracy-points",
        type=int,
        default=1000,
        metavar="N",
        help="points per function and dtype in the accuracy suite (1000: a minute)",
    )
    parser.addoption(
        "--bad-inputs",
        type=int,
        default=600,
        metavar="N",
        help="generated wrong inputs in tests/hostile/test_bad_input.py (600: a minute)",
    )
    parser.addoption(
        "--kills",
        type=int,
        default=6,
        metavar="N",
        help="how often tests/sweep/test_sweep.py kills a sweep in its middle (6: some 15 seconds)",
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was tried, by what the tests have recorded as (what, how often)."""
    tried: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        for what, count in report.user_properties:
            tried[what] += count
    if tried:
        counts = ", ".join(f"{count} {what}" for what, count in sorted(tried.items()))
        terminalreporter.write_line(f"tried and survived: {counts}")


def pytest_report_header() -> list[str]:
    return [f"NumPy dispatch paths of the accuracy suite: {', '.join(PATHS)}"]


@pytest.fixture
def in_an_empty_folder(forgetting: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def forgetting() -> Iterator[None]:
    """Forget at the end what the test has registered and imported: others go through all names,
    or define the same."""
    before = [dict(registry._things) for registry in REGISTRIES]
    yield
    for kind in SECTIONS:
        ConfigStore.instance().repo.pop(kind, None)
    for registry, things in zip(REGISTRIES, before, strict=True):
        registry._things = things
    for modules in extensions._IMPORTED.values():
        extensions._take_back(modules)
    extensions._IMPORTED.clear()
