"""What a picture draws lies inside its axes, or its caption says what does not."""

import json

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from runner.compare import build
from runner.compare.pictures import against, estimates, over_epochs
from runner.compare.pictures.lines import Scale
from runner.plots import curves
from runner.plots.style import Picture, style
from tests.run_folders import write_run, write_summary


def cut_off(figure):
    """Whether a line, a band, an interval or a dot lies outside its axes, by any share of 1%."""
    for axes in figure.axes:
        artists = [*axes.lines, *axes.collections]
        points = []
        for artist in artists:
            if isinstance(artist, PathCollection):
                points.append(axes.transData.transform(np.asarray(artist.get_offsets())))
            elif artist.get_transform() != axes.transAxes:
                paths = [artist.get_path()] if artist in axes.lines else artist.get_paths()
                points += [artist.get_transform().transform(path.vertices) for path in paths]
        drawn = np.concatenate(points)
        drawn = drawn[np.isfinite(drawn).all(axis=1)]
        shares = axes.transAxes.inverted().transform(drawn)
        if (np.abs(shares - 0.5) > 0.51).any():
            return True
    return False


def check(figure, beyond):
    words = " ".join(text.get_text() for text in figure.texts)
    assert ("eyond the axis" in words) == beyond, words
    assert cut_off(figure) <= beyond


@pytest.mark.parametrize("burst", [1, 1e20], ids=["usual", "a burst"])
def test_a_runs_curves_are_inside_or_said_to_be_cut(finished_run, burst):
    run = finished_run(replicates=3, epochs=200)
    for part in ("train", "validation", "test"):
        run.history[f"{part}_loss"][:, 0] = 0.5 * burst
        run.history[f"{part}_accuracy"][:, 0] = 0.04, 0.2, 0.9
    with style():
        check(curves.loss(run), beyond=burst > 1)
        check(curves.accuracy(run), beyond=False)


@pytest.mark.parametrize("replicates", [1, 5, 20])
def test_accuracy_near_100_is_spread_and_all_inside(finished_run, replicates):
    """One sample wrong of a hundred is as far from none as ten are from twenty."""
    run = finished_run(replicates, scores=np.linspace(0.98, 1, replicates).tolist())
    with style():
        figure = curves.accuracy(run)
        check(figure, beyond=False)
    (axes,) = figure.axes
    heights = axes.transData.transform([(0, share) for share in (0.8, 0.9, 0.99, 1)])[:, 1]
    shares = np.diff(heights) / axes.bbox.height
    assert shares.min() > 0.08 and axes.get_ylim()[1] > 1


@pytest.mark.parametrize("metric", ["test_accuracy", "test_loss"])
@pytest.mark.parametrize(
    "draw",
    [estimates.leaderboard, estimates.differences, over_epochs.curves, against.against_settings],
)
def test_a_comparisons_intervals_and_replicates_are_inside(tmp_path, metric, draw):
    for number, rate in enumerate((0.01, 0.1, 1.0)):
        for name in ("relu", "tanh"):
            scores = [0.98, 0.97, 0.985, 0.98, 0.96 - 0.1 * number * (name == "tanh")]
            write_run(
                tmp_path / f"{name}{number}", name, scores=scores, samples=50, learning_rate=rate
            )
    with style():
        figures = draw(build([tmp_path], metric=metric, tune="none"))
    assert figures
    for figure in figures.values():
        check(figure, beyond=False)


def test_accuracies_near_100_percent_are_drawn_by_their_errors():
    near = np.array([0.4, 0.99, 0.995, 1.0])
    scale = Scale.of("test_accuracy", near, near)
    figure = Picture("", height=4)
    axes = figure.place(1, 1, 7, 3)
    scale.set(axes.yaxis)
    heights = axes.transAxes.inverted().transform(axes.transData.transform([(0, y) for y in near]))
    gaps = np.diff(heights[:, 1])
    assert (gaps > 0.05).all() and heights.min() >= 0 and heights.max() <= 1
    ticks = axes.get_yticks()
    assert 1.0 in ticks and len(ticks) >= 4
    for plain in ([0.97, 0.99, 1.0], [0.4, 0.5, 0.99]):
        assert not Scale.of("test_accuracy", np.array(plain), np.array(plain)).note


def test_the_title_says_which_settings_change_places(tmp_path):
    for rate, relu, tanh in ((0.01, 0.9, 0.7), (0.1, 0.8, 0.8), (1.0, 0.6, 0.9)):
        for name, score in (("relu", relu), ("tanh", tanh)):
            scores = (score + 0.001 * np.arange(10)).tolist()
            write_run(tmp_path / f"{name}{rate}", name, scores=scores, learning_rate=rate)
    with style():
        (figure,) = against.against_settings(build([tmp_path])).values()
    title = figure.texts[0].get_text()
    assert title == "relu is ahead of tanh at learning rate 0.01, behind it at 1"


def test_a_burst_in_a_comparison_is_drawn_at_the_edge_and_said(tmp_path):
    for name in ("relu", "tanh"):
        folder = write_run(tmp_path / name, name, scores=[0.9] * 60)
    summary = json.loads((folder / "summary.json").read_text())
    summary["replicates"][0]["final"]["test_loss"] = 1e30
    write_summary(folder, summary)
    with style():
        check(*estimates.leaderboard(build([tmp_path], metric="test_loss")).values(), beyond=True)
