"""The report in a real browser, opened from disk with the network off.

Skipped where there is no browser, see ``browser`` in tests/conftest.py.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

from runner.compare import compare
from tests.run_folders import write_run, write_sweep

HOSTILE = "</script><img src=x onerror=alert(1)>"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    gaps = {"tanh": 0, "relu": 0.01, "gelu": 0.05, "leaky_relu": -0.02}
    write_sweep(folder, gaps, ("moons", "spirals"), (0.01, 0.1), n=6)
    write_run(folder / "hostile", HOSTILE, scores=[0.6] * 6)
    write_run(folder / "lost", "elu", scores=[0.9] * 6, diverged=[2])
    for run in folder.iterdir():
        (run / "loss.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1" width="200" '
            'height="100"><rect width="2" height="1" fill="teal"/></svg>'
        )
    compare([folder], folder / "comparison")
    return folder / "comparison" / "index.html"


@pytest.fixture
def opened(open_page, report):
    """Open the report, or another page."""
    return lambda path=report, hash="", **how: open_page(path, hash, **how)


def column(page, title):
    """The visible texts of a column."""
    titles = page.locator("#table thead th").all_inner_texts()
    index = [text.strip() for text in titles].index(title) + 1
    return page.locator(f"#table tbody tr:visible td:nth-child({index})").all_inner_texts()


def test_sorts_both_ways_by_value_and_tells_assistive_technology(opened):
    page = opened()
    page.get_by_role("button", name="test accuracy", exact=True).click()
    scores = [float(text.split("%")[0]) for text in column(page, "test accuracy")]
    assert scores == sorted(scores, reverse=True) and len(scores) > 5
    heading = page.locator("#table th", has_text="test accuracy")
    assert heading.get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="test accuracy", exact=True).click()
    scores = [float(text.split("%")[0]) for text in column(page, "test accuracy")]
    assert scores == sorted(scores)
    assert heading.get_attribute("aria-sort") == "ascending"


def test_filters_by_value_not_by_substring(opened):
    page = opened()
    before = column(page, "activation")
    group = page.locator("fieldset", has=page.locator("legend", has_text="activation"))
    group.get_by_label("relu", exact=True).uncheck()
    after = column(page, "activation")
    assert "relu" in before and "relu" not in after
    assert "leaky_relu alpha=0.2" in after
    page.get_by_role("button", name="Show all").click()
    assert "relu" in column(page, "activation")


def test_trials_that_were_not_chosen_appear_on_demand(opened):
    page = opened()
    chosen = len(column(page, "activation"))
    page.get_by_label("also trials that were not chosen").check()
    assert len(column(page, "activation")) == chosen + 8


def test_overlays_exactly_the_chosen_runs_and_reads_values(opened):
    page = opened()
    page.get_by_role("button", name="Choose none").click()
    assert page.locator("#chosen").is_hidden()
    boxes = page.locator("#table tbody tr:visible input")
    boxes.nth(0).check()
    boxes.nth(2).check()
    assert page.locator("#plot path[data-of]").count() == 2
    page.locator("#curve").select_option("train_loss")
    assert page.locator("#log").is_checked()
    page.locator("#plot svg").hover(position={"x": 300, "y": 100})
    shown = page.locator("#values").inner_text()
    assert shown.startswith("epoch") and shown.count(" to ") == 2
    page.locator("#plot svg").focus()
    page.keyboard.press("Home")
    assert page.locator("#values strong").inner_text() == "epoch 0"
    page.keyboard.press("ArrowRight")
    assert page.locator("#values strong").inner_text() == "epoch 1"


def test_marks_what_differs_and_shows_saved_pictures(opened):
    page = opened()
    page.get_by_role("button", name="Choose none").click()
    boxes = page.locator("#table tbody tr:visible input")
    boxes.nth(0).check()
    boxes.nth(1).check()
    table = page.locator("#differences")
    keys = table.locator("tbody th").all_inner_texts()
    assert "activation.name" in keys and "model.hidden" not in keys
    assert table.locator("td.differs").count() >= 1
    images = page.locator("#pictures img")
    assert images.count() == 2
    images.first.scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('#pictures img')].every(i => i.naturalWidth > 0)"
    )


def test_the_view_survives_in_the_address(opened):
    page = opened()
    page.get_by_role("button", name="Choose none").click()
    page.locator("#table tbody tr:visible input").nth(3).check()
    page.get_by_role("button", name="seconds", exact=True).click()
    address = page.url
    chosen = page.locator("#table tbody tr:has(input:checked)").get_attribute("data-row")
    again = opened(hash=address[address.index("#") :])
    row = again.locator("#table tbody tr:has(input:checked)")
    assert row.count() == 1 and row.get_attribute("data-row") == chosen
    heading = again.locator("#table th", has_text="seconds")
    assert heading.get_attribute("aria-sort") == "descending"


@pytest.mark.parametrize("hash", ["#verdict", "#%7Bbroken", "#%7B%22sort%22%3A99%7D"])
def test_an_address_that_is_no_view_of_ours_is_ignored(opened, hash):
    assert opened(hash=hash).locator("#plot svg").count() == 1


def test_the_lightbox_opens_turns_and_closes_by_keyboard(opened):
    page = opened()
    first = page.locator(".pictures.all img").first
    first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog")
    assert dialog.is_visible()
    before = page.locator("dialog img").get_attribute("src")
    page.keyboard.press("ArrowRight")
    assert page.locator("dialog img").get_attribute("src") != before
    page.keyboard.press("Escape")
    assert dialog.is_hidden()


def test_hostile_names_stay_text(opened):
    page = opened()
    assert HOSTILE in column(page, "activation")
    assert page.locator("img[src='x']").count() == 0
    assert page.evaluate("document.scripts.length") == 2


def test_reads_without_script(opened):
    page = opened(java_script_enabled=False)
    assert page.locator("#table tbody tr").count() > 10
    assert "On moons" in page.locator(".verdict").inner_text()
    assert page.locator(".pictures.all img").count() >= 8
    assert page.locator(".controls:visible").count() == 0


def test_nothing_may_run_or_load_beside_what_the_page_brings(opened, tmp_path, report):
    page = opened()
    policy = page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "http" not in policy


def luminance(colour):
    values = np.array([float(v) for v in colour[4:-1].split(",")[:3]]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_light_and_dark(opened, scheme):
    page = opened(color_scheme=scheme)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for selector in ("body", ".quiet", "a[href]", "#plot text", "tr.trial td"):
        colour = page.evaluate(
            "s => { const e = document.querySelector(s), c = getComputedStyle(e);"
            " return e.namespaceURI.endsWith('svg') ? c.fill : c.color }",
            selector,
        )
        light, dark = sorted((luminance(colour), luminance(paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (selector, colour, paper)


def test_every_control_has_a_name_and_every_picture_a_text(opened):
    page = opened()
    unnamed = page.evaluate(
        "[...document.querySelectorAll('input, select, button')].filter(e => !("
        "e.getAttribute('aria-label') || e.labels?.length || e.textContent.trim())).length"
    )
    assert unnamed == 0
    assert page.locator("figure img:not([alt]), figure img[alt='']").count() == 0


def test_prints_the_table_without_controls(opened):
    page = opened()
    page.emulate_media(media="print")
    assert page.locator(".controls:visible").count() == 0
    assert page.locator("#table tbody tr:visible").count() > 5


def test_a_folder_that_moved_still_shows_its_pictures(opened, report, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(report.parent.parent, moved)
    page = opened(moved / "comparison" / "index.html")
    page.locator("#pictures img").first.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#pictures img').naturalWidth > 0")


def test_two_hundred_runs_stay_small_and_work(opened, tmp_path):
    for k in range(200):
        write_run(
            tmp_path / "runs" / f"{k:03}",
            ("tanh", "relu", "gelu", "silu")[k % 4],
            learning_rate=float(f"{10 ** -(k // 4 / 10):.6g}"),
            epochs=100,
        )
    compare([tmp_path / "runs"], tmp_path / "out", plots="none")
    path: Path = tmp_path / "out" / "index.html"
    assert path.stat().st_size < 3_000_000
    page = opened(path)
    page.get_by_label("also trials that were not chosen").check()
    assert page.locator("#table tbody tr:visible").count() == 200
    page.get_by_role("button", name="learning rate", exact=True).click()
    rates = [float(text.split(" ")[0]) for text in column(page, "learning rate")]
    assert rates == sorted(rates)


@pytest.mark.parametrize("width", [400, 1280])
def test_a_page_is_as_wide_as_the_screen(opened, width):
    page = opened(viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 1280:
        for table in ("#table", "#differences"):
            cut = "table => table.scrollWidth - table.parentElement.clientWidth"
            assert page.locator(table).evaluate(cut) <= 0


def test_a_dark_page_has_dark_pictures(opened):
    def filters(scheme):
        image = opened(color_scheme=scheme).locator(".all img").first
        return image.evaluate("image => getComputedStyle(image).filter")

    assert "invert" in filters("dark") and filters("light") == "none"


def test_runs_without_pictures_have_no_menu_of_them(opened, tmp_path):
    write_sweep(tmp_path, {"tanh": 0, "relu": 0.01}, n=2)
    compare([tmp_path], tmp_path / "comparison", plots="none")
    page = opened(tmp_path / "comparison" / "index.html")
    assert page.locator("#chosen").is_visible()
    assert page.locator("h2:visible, h3:visible", has_text="ictures").count() == 0
    assert not page.locator("#picture").is_visible()
