"""The animation of a run: one frame per snapshot, as a GIF and as a page with a slider."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runner import load_run, plots
from runner.__main__ import main as run
from runner.plots.__main__ import main
from tests.commands import only_line

SHORT = ["training.epochs=12", "training.snapshots=5", "dataset.samples=120", "replicates=2"]


def made(folder: Path, *words: str) -> Path:
    assert run([*SHORT, "plots=none", *words, f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture(scope="module")
def spirals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("animation") / "spirals", "dataset=spirals")


def frames(path: Path) -> list[np.ndarray]:
    with Image.open(path) as image:
        found = []
        for k in range(image.n_frames):
            image.seek(k)
            found.append(np.asarray(image.convert("RGB"), int))
        return found


def test_the_shell_names_a_gif_of_all_snapshots_and_a_page(spirals, capsys):
    assert main([str(spirals), "--animate"]) == 0
    gif, page = map(Path, capsys.readouterr().out.splitlines())
    assert (gif.name, page.name) == ("animation.gif", "animation.html")
    shown = frames(gif)
    assert len(shown) == len(load_run(spirals).snapshots()[0]) == 5
    assert all((one != other).any() for one, other in pairwise(shown))
    assert gif.stat().st_size / 5 < 2e6 / 60
    before = gif.read_bytes(), page.read_bytes()
    plots.animate(spirals)
    assert (gif.read_bytes(), page.read_bytes()) == before


@pytest.mark.parametrize(
    "words",
    [
        ["activation=pau", "dataset=xor"],
        ["activation=maxout"],
        ["dataset=blobs", "dataset.features=5", "dataset.classes=4"],
        ["dataset=blobs", "dataset.features=1", "model.hidden=[]"],
        ["dataset.test_fraction=0", "model.hidden=[4,4,4]"],
        ["activation=square", "optimizer=sgd", "optimizer.learning_rate=1e30"],
    ],
    ids=["learnable", "gated", "many features", "loss only", "no test data", "diverged"],
)
def test_every_run_with_snapshots_has_an_animation(tmp_path, words):
    gif, page = plots.animate(made(tmp_path / "run", *words))
    kept = load_run(tmp_path / "run").snapshots()[0]
    assert len(frames(gif)) == len(kept)
    assert f"epoch {kept[-1]}: " in page.read_text(encoding="utf-8")


def test_a_run_without_snapshots_is_one_line_that_says_what_keeps_them(tmp_path, capsys):
    short = [word for word in SHORT if not word.startswith("training.snapshots=")]
    assert run([*short, "plots=none", f"hydra.run.dir={tmp_path / 'run'}"]) == 0
    capsys.readouterr()
    assert main([str(tmp_path / "run"), "--animate"]) == 2
    line = only_line(capsys)
    assert str(tmp_path / "run") in line and "training.snapshots=60 keeps them" in line
    assert not list((tmp_path / "run").glob("animation*"))


@pytest.mark.slow
def test_the_page_turns_by_keyboard_slider_and_button(open_page, spirals):
    _, path = plots.animate(spirals)
    epochs = load_run(spirals).snapshots()[0].tolist()
    page = open_page(path, viewport={"width": 400, "height": 800})
    text, images = page.locator("#text"), page.locator("#pictures img")
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    assert images.count() == 2 and images.first.bounding_box()["width"] > 360

    def epoch() -> int:
        return int(text.inner_text().removeprefix("epoch ").partition(":")[0])

    assert epoch() == epochs[0]
    before = images.first.get_attribute("src")
    page.keyboard.press("ArrowRight")
    assert epoch() == epochs[1] and images.first.get_attribute("src") != before
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert epoch() == epochs[0]
    page.get_by_label("Epoch").focus()
    page.keyboard.press("End")
    assert epoch() == epochs[-1]
    page.get_by_role("button", name="Play").click()  # from the beginning, and stops at the end
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Play").wait_for()
    assert epoch() == epochs[-1]


@pytest.mark.slow
def test_the_page_reads_without_script(open_page, spirals):
    _, path = plots.animate(spirals)
    page = open_page(path, java_script_enabled=False)
    assert page.locator("#text").inner_text().startswith("epoch 12: ")
    assert page.locator(".controls:visible").count() == 0
    assert page.locator("#pictures img").count() == 2
