"""Options and markers of the suite."""

from __future__ import annotations

import logging
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra.core.config_store import ConfigStore

from runner.config import extensions
from runner.config.build import REGISTRIES, SECTIONS
from tests.activations.dispatch import PATHS

BROWSER = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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
        default=130,
        metavar="N",
        help="generated wrong inputs in tests/hostile/test_bad_input.py (600: half a minute)",
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
        terminalreporter.write_line(f"tried, each handled as it should be: {counts}")


def pytest_report_header() -> list[str]:
    return [f"NumPy dispatch paths of the accuracy suite: {', '.join(PATHS)}"]


@pytest.fixture(autouse=True)
def logging_kept() -> Iterator[None]:
    """Take back what Hydra has set up of the logging, which goes to a stream of this test."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.setLevel(level)
    root.handlers[:] = handlers


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium (Debian: ``apt-get install chromium``; or CHROMIUM=/path/to/it), driven by
    Playwright (``pip install playwright``); where one is missing the test is skipped."""
    if not BROWSER:
        pytest.skip("no browser here: install chromium")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no browser client here: pip install playwright"
    )
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a file, with the network off; whatever the page complains of or asks for is noted and
    must be nil."""
    contexts, noise = [], []

    def open_file(path: Path, hash: str = "", **how: Any) -> Any:
        context = browser.new_context(offline=True, **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("dialog", lambda dialog: (noise.append("dialog"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(("data:", "file:")) else noise.append(request.url)
            ),
        )
        page.goto(path.as_uri() + hash)
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert noise == []
