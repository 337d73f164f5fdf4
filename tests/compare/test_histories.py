"""Histories that memory does not hold are those of the folder, bit by bit."""

import numpy as np
import pytest

from runner.compare.histories import Histories
from runner.results.run import HISTORY, read_run
from tests.run_folders import write_run


@pytest.mark.parametrize("most", [1, 2**28])
def test_a_history_is_the_same_whether_memory_has_kept_it_or_not(tmp_path, most):
    runs = [read_run(write_run(tmp_path / name, epochs=3)) for name in "abc"]
    histories = Histories(most)
    held = [histories.hold(run) for run in runs]
    for run, kept in [*zip(runs, held, strict=True)] * 2:
        assert dict(kept.history).keys() == run.history.keys()
        for name, column in run.history.items():
            np.testing.assert_array_equal(kept.history[name], column)
    assert "no_such_column" not in held[0].history


def test_a_history_that_has_changed_since_is_left_out(tmp_path):
    folder = write_run(tmp_path / "a", epochs=3)
    histories = Histories(1)
    held = histories.hold(read_run(folder))
    histories.hold(read_run(write_run(tmp_path / "b")))
    (folder / HISTORY).write_text("replicate,seed,epoch\n0,0,7\n")
    assert held.history["epoch"].tolist() == [[0.0]] * held.config.replicates
    assert "test_accuracy" not in held.history
