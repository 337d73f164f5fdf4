"""The decision field: the colours and the lines that show what a network says over the plane."""

import numpy as np
import pytest

from runner.plots import decision_field
from runner.plots.colours import PALETTE, class_colours, rgb
from runner.plots.style import Picture

BOX = (-1.0, 3.0, 0.0, 1.0)
SLOPE = np.broadcast_to(20 * np.linspace(BOX[0], BOX[1], 41), (41, 41))[..., None]
"""The logit of class 1, 0 at x = 0."""


@pytest.fixture
def axes():
    return Picture("a field").place(1, 1, 3, 3)


@pytest.mark.parametrize("outputs", [1, 2], ids=["one logit", "a logit per class"])
def test_colours_and_line_show_where_a_class_is_likelier_and_how_sure_it_is(axes, outputs):
    logits = SLOPE if outputs == 1 else np.concatenate([-SLOPE / 2, SLOPE / 2], axis=-1)
    decision_field.draw_field(axes, logits, BOX)
    colours = axes.images[0].get_array()
    row = colours[len(colours) // 2] / 255
    sure = [rgb(PALETTE[k], decision_field.STRENGTH) for k in (0, 1)]
    np.testing.assert_allclose(row[[0, -1]], sure, atol=0.01)
    assert row.min(axis=-1).argmax() == pytest.approx(len(row) / 4, abs=1)
    decision_field.draw_boundary(axes, logits, BOX, colors="k")
    (line,) = axes.collections[0].get_segments()
    np.testing.assert_allclose(line[:, 0], 0, atol=1e-12)
    assert sorted(line[[0, -1], 1]) == [0, 1]


def test_a_finer_field_is_that_of_the_logits_between_the_points():
    def logits(x, y):
        return np.stack([3 * x, 2 * y, -x - y], axis=-1)

    coarse = np.linspace(-2, 2, 9)
    fine = -2 + 4 * (np.arange(27) + 0.5) / 27
    found = decision_field.field_colours(logits(*np.meshgrid(coarse, coarse)), finer=3)
    z = logits(*np.meshgrid(fine, fine))
    chances = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    sure = (chances.max(axis=-1, keepdims=True) - 1 / 3) * 1.5
    inks = 1 - class_colours(3)[z.argmax(axis=-1)]
    expected = 255 * (1 - decision_field.STRENGTH * sure * inks)
    second, first = np.moveaxis(np.sort(z, axis=-1)[..., 1:], -1, 0)
    clear = first - second > 1e-6  # elsewhere rounding decides
    assert clear.mean() > 0.9 and np.abs(found - expected)[clear].max() <= 1


def test_three_classes_are_parted_by_three_lines_that_meet(axes):
    x, y = np.meshgrid(np.linspace(-1, 1, 60), np.linspace(-1, 1, 60))
    angles = np.pi * (0.5 + np.arange(3) * 2 / 3)
    logits = x[..., None] * np.cos(angles) + y[..., None] * np.sin(angles)
    decision_field.draw_boundary(axes, logits, (-1, 1, -1, 1), colors="k")
    points = np.concatenate(axes.collections[0].get_segments())
    values = points @ [np.cos(angles), np.sin(angles)]
    first, second = np.sort(values, axis=-1)[:, :-3:-1].T
    np.testing.assert_allclose(first, second, atol=0.04)
    directions = np.arctan2(*points.T[::-1])[np.hypot(*points.T) > 0.9]
    assert len(np.unique(directions.round())) == 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_has_overflowed_is_drawn_without_a_warning(axes, value):
    logits = SLOPE.copy()
    logits[:, :5] = value
    decision_field.draw_field(axes, logits, BOX)
    decision_field.draw_boundary(axes, logits, BOX, colors="k")
    axes.figure.encode("png")
