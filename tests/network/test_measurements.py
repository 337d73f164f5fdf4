"""Measurements of a network, against plain arithmetic that neither over- nor underflows."""

import math

import numpy as np
import pytest

from runner import run
from runner.network.measurements import root_mean_squares


@pytest.mark.parametrize("dtype, exponents", [("float32", (-44, 37)), ("float64", (-322, 306))])
def test_root_mean_square_at_every_size(dtype, exponents):
    rng = np.random.default_rng(0)
    normal = rng.standard_normal((2, 300))
    for exponent in range(*exponents, 3):
        stack = (normal * [[10.0**exponent], [1]]).astype(dtype)
        wanted = [math.hypot(*row.tolist()) / math.sqrt(300) for row in stack]
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(root_mean_squares([stack])[0], wanted, rtol=1e-6)
    np.testing.assert_array_equal(root_mean_squares([np.zeros((2, 3), dtype)]), [[0, 0]])
    assert np.isnan(root_mean_squares([np.array([[np.nan, 1]], dtype)])).all()


def test_an_explosion_that_is_clipped_is_measured_and_told(tmp_path):
    """Six layers of squares: gradients whose squares overflow float32, while they do not."""
    words = ["activation=square", "model.hidden=[16,16,16,16,16]", "initializer=he_normal",
             "optimizer=sgd", "optimizer.learning_rate=0.1", "optimizer.clip_norm=1",
             "training.epochs=3", "replicates=5", "plots=none"]  # fmt: skip
    result = run([*words, f"hydra.run.dir={tmp_path / 'it'}"])
    rms = np.stack([result.history[f"layer{n}_gradient_rms"] for n in range(1, 7)])
    assert np.isfinite(rms[:, :, 0]).all() and rms.max() > 1e19
    assert "exploding" in {finding["code"] for finding in result.summary["diagnosis"]}
    before, after = result.history["train_loss"][:, 0], result.history["train_loss"][:, -1]
    assert (before != after).all()
