"""The family portraits: every activation is on one, and what they show is the function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import activations
from activations import families
from activations.curves import broken, curves
from runner.plots.gallery import portraits
from runner.plots.gallery.__main__ import main

GALLERY = Path(__file__).parents[2] / "outputs" / "gallery"
NAMES = activations.names()


@pytest.mark.parametrize("name", NAMES)
def test_every_activation_has_its_place_in_a_family_and_a_committed_picture(name: str) -> None:
    family = families.family_of(name)
    assert family != "others"
    picture = GALLERY / f"activations_{family}.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 300_000


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_those_of_the_values(name: str) -> None:
    """Trapezoids under the drawn slope add up to the drawn value, but for its jumps."""
    scales = families.FAMILIES[families.family_of(name)]
    drawn = curves(name, *scales.x)
    assert drawn
    for curve in drawn:
        assert curve.x.shape == curve.value.shape == curve.slope.shape
        shown = (np.abs(curve.value) < 8) & np.isfinite(curve.slope)
        assert shown.sum() > 100
        if name in ("sign_ste", "step", "hardmax"):
            continue  # their slope is a stand-in or 0
        between = shown[1:] & shown[:-1]
        rises = np.diff(np.where(shown, curve.value, 0))
        slope = np.where(shown, curve.slope, 0)
        predicted = (slope[1:] + slope[:-1]) / 2 * np.diff(curve.x)
        off = np.abs(rises - predicted)[between]
        assert np.quantile(off, 0.99) < 1e-3


def test_axes_scales_show_most_of_every_curve() -> None:
    for name in NAMES:
        scales = families.FAMILIES[families.family_of(name)]
        for curve in curves(name, *scales.x):
            inside = (curve.value >= scales.y[0]) & (curve.value <= scales.y[1])
            assert inside.mean() > 0.25, name


def test_choices_of_parameters_name_activations_that_exist() -> None:
    assert set(families.SHOWN) | set(families.NOTES) <= set(NAMES)
    for family in families.FAMILIES.values():
        assert set(family.members) <= set(NAMES)


def test_ones_own_class_is_drawn_like_any_other(forgetting: None, tmp_path: Path) -> None:
    cls = type(
        "Ramp",
        (activations.Elementwise,),
        {"name": "ramp", "forward": lambda self, x: x, "derivative": lambda self, x, y: x * 0 + 1},
    )
    cls.__module__ = "my_file"
    assert main(["--output", str(tmp_path), "ramp", "others", "sin"]) == 0
    names = {"activation_ramp.png", "activations_others.png", "activation_sin.png"}
    assert {path.name for path in tmp_path.iterdir()} == names


def test_jumps_are_gaps_and_steep_slopes_are_not() -> None:
    x = np.linspace(-1, 1, 1598)
    assert np.isnan(broken(np.sign(x), -1, 1)).any()
    assert not np.isnan(broken(np.sin(40 * x), -1, 1)).any()


def test_a_page_is_the_same_every_time() -> None:
    scales = families.FAMILIES["sigmoids"]
    pages = [portraits.portrait("two", ["tanh", "erf"], scales) for _ in range(2)]
    assert pages[0].encode("png") == pages[1].encode("png")


def test_the_default_folder_is_none_that_git_tracks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["tanh"]) == 0
    assert [path.as_posix() for path in Path().rglob("*.png")] == [
        "outputs/portraits/activation_tanh.png"
    ]


def test_errors_are_one_line_and_leave_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    for arguments, status, words in (
        (["--output", str(tmp_path / "new"), "sigmoids", "tnah"], 2, "did you mean tanh"),
        (["--output", str(taken), "tanh"], 1, "file"),
        (["--output", str(taken / "below"), "tanh"], 1, "file"),
    ):
        assert main(arguments) == status
        message = capsys.readouterr().err
        assert words in message
        assert message.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
