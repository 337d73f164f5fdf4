"""The benchmark over every float counts errors as activations/check/accuracy.py does."""

import numpy as np

from activations.check.accuracy import Exact, ulp_errors
from tests.benchmarks.every_float import errors, main


def test_errors_are_those_of_the_definition():
    rng = np.random.default_rng(6)
    truth = rng.uniform(-2, 2, 4000) * 2.0 ** rng.integers(-155, 129, 4000)
    with np.errstate(over="ignore", under="ignore"):
        computed = (truth * (1 + rng.uniform(-9, 9, truth.size) * 2.0**-24)).astype(np.float32)
    truth[:6] = [0, 2.0**-149, 2.0**128, -(2.0**130), 1.0, 0]
    computed[:6] = [0, 0, np.inf, -np.inf, np.nan, 2.0**-149]
    found = errors(np.zeros(truth.size, np.float32), computed, truth, [])
    np.testing.assert_allclose(found, ulp_errors(computed, Exact.of(truth)), rtol=1e-12)


def test_bounds_hold_at_some_floats_and_other_names_are_refused(capsys):
    assert main(["relu", "silu", "--every", "500009"]) == 0
    assert "> 4" not in capsys.readouterr().out
    assert main(["softmax"]) == 2
    assert capsys.readouterr().err.startswith("error: softmax is not elementwise")
