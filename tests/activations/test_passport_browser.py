"""The passports' pages in a real browser, opened from disk with the network off.

Skipped where there is no browser, see ``browser`` in tests/conftest.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from activations.base import get
from activations.passport.facts import passport
from activations.passport.page import as_html, index_page

pytestmark = pytest.mark.slow

NAMES = ("gelu", "relu", "sigmoid", "softmax", "square", "tanh")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("passports")
    made = [passport(get(name), measured=False) for name in NAMES]
    for k, (one, name) in enumerate(zip(made, NAMES, strict=True)):
        after = f"{NAMES[(k + 1) % len(NAMES)]}.html"
        page = as_html(one, before="", after=after, index="index.html")
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    entries = [(one, f"{name}.html") for one, name in zip(made, NAMES, strict=True)]
    (folder / "index.html").write_text(index_page(entries), encoding="utf-8")
    return folder


def shown(page: Any) -> list[str]:
    return page.locator(".card:visible b").all_inner_texts()


def test_index_sorts_filters_finds_and_remembers(
    open_page: Callable[..., Any], folder: Path
) -> None:
    page = open_page(folder / "index.html")
    assert sorted(shown(page)) == sorted(NAMES)
    assert page.locator("h2.family:visible").count() > 1
    page.locator("#sort").select_option("lipschitz")
    assert shown(page)[-1] == "square"  # without a constant
    assert shown(page).index("sigmoid") < shown(page).index("relu")
    page.get_by_label("largest first").check()
    assert shown(page)[0] == "square"
    assert page.locator(".card:visible .value").first.inner_text() == "\N{INFINITY}"
    page.get_by_label("odd", exact=True).check()
    assert sorted(shown(page)) == ["sigmoid", "tanh"]
    again = open_page(folder / "index.html", hash="#" + page.url.partition("#")[2])
    assert shown(again) == shown(page)
    page.get_by_role("button", name="Show all").click()
    page.locator("#find").fill("error linear")
    assert shown(page) == ["gelu"]


def test_a_page_reads_values_and_turns(open_page: Callable[..., Any], folder: Path) -> None:
    page = open_page(folder / "gelu.html")
    box = page.locator("figure svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    read = page.locator("#values").inner_text().split()
    values = dict(zip(read[::2], map(float, read[1::2]), strict=True))
    assert values["f"] == pytest.approx(float(get("gelu")(values["x"])), abs=0.01)
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/relu.html")
    page.get_by_role("link", name="all passports").click()
    page.wait_for_url("**/index.html")


def test_pages_are_complete_without_a_script(open_page: Callable[..., Any], folder: Path) -> None:
    page = open_page(folder / "index.html", java_script_enabled=False)
    assert sorted(shown(page)) == sorted(NAMES)
    page = open_page(folder / "softmax.html", java_script_enabled=False)
    assert "the outputs of a row add up to 1" in page.locator("main").inner_text()
