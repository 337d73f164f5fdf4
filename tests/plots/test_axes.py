"""What a picture draws lies inside its axes, or its caption says what does not."""

import json

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from runner.compare import build
from runner.compare.pictures import against, estimates, over_epochs
from runner.plots import curves
from runner.plots.style import style
from tests.run_folders import write_run, write_summary


def cut_off(figure):
    """Whether a line, a band, an interval or a dot lies outside its axes, by any share of 1%."""
    for axes in figure.axes:
        points = [
            line.get_xydata() for line in axes.lines if line.get_transform() == axes.transData
        ]
        for artist in axes.collections:
            if isinstance(artist, PathCollection):
                points.append(np.asarray(artist.get_offsets()))
            elif artist.get_transform() == axes.transData:
                points += [path.vertices for path in artist.get_paths()]
        drawn = np.concatenate(points)
        drawn = drawn[np.isfinite(drawn).all(axis=1)]
        shares = axes.transAxes.inverted().transform(axes.transData.transform(drawn))
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


def test_a_burst_in_a_comparison_is_drawn_at_the_edge_and_said(tmp_path):
    for name in ("relu", "tanh"):
        folder = write_run(tmp_path / name, name, scores=[0.9] * 60)
    summary = json.loads((folder / "summary.json").read_text())
    summary["replicates"][0]["final"]["test_loss"] = 1e30
    write_summary(folder, summary)
    with style():
        check(*estimates.leaderboard(build([tmp_path], metric="test_loss")).values(), beyond=True)
