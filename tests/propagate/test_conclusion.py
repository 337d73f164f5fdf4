"""The answer of runner.propagate: do signals and gradients pass through the layers?"""

from __future__ import annotations

import json
import math
import re
import shlex

import numpy as np
import pytest

from runner.propagate.__main__ import EPILOG
from runner.propagate.propagation import Propagation
from runner.propagate.result import propagate
from runner.propagate.settings import compose
from runner.propagate.simulation import Measured


def answer(words, *more):
    return propagate(compose([*words.split(), "inputs=4", *more])).conclusion


SMALL = ("width=128", "nets=6", "depth=30")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "activation=sigmoid initializer=glorot_normal",
            ["no: over 30 layers gradients shrink by a factor of 10^1", "differences between inp"],
        ),
        (
            "activation=relu initializer=he_normal",
            ["yes: over 30 layers", "gradients, signals and"],
        ),
        (
            "activation=relu initializer=lecun_normal",
            ["no: ", "gradients shrink by a factor of 10^", "signals shrink by a factor of 10^"],
        ),
        (  # ordered, the signal dies out
            "initializer=lecun_normal initializer.gain=0.7",
            ["no: ", "gradients shrink by a factor of 10^", "signals shrink by a factor of 10^"],
        ),
        (  # ordered, the signal stays
            "initializer=lecun_normal initializer.gain=0.7 initializer.bias_std=0.3",
            ["no: ", "gradients shrink", "differences between inputs shrink by a factor of 10^"],
        ),
        (  # chaotic
            "initializer=lecun_normal initializer.gain=2.5",
            ["no: over 30 layers gradients grow by a factor of "],
        ),
        (  # at the edge
            "initializer=lecun_normal initializer.gain=1.327 initializer.bias_std=0.2236",
            ["yes: "],
        ),
    ],
)
def test_known_cases(words, expected):
    found = answer(words, *SMALL)
    assert all(part in found.text for part in expected), found.text
    assert found.text.endswith("; theory agrees") and "become 0" not in found.text[:60]
    assert found.passes is found.predicted is expected[0].startswith("yes")
    assert found.share == found.passes


@pytest.mark.parametrize("gain", [33, 31, 1 / 31, 1 / 33])
def test_the_limit_is_32(gain):
    """An orthogonal layer without an activation multiplies every signal and gradient by the gain,
    and leaves angles as they are."""
    words = f"activation=identity initializer=orthogonal initializer.gain={gain:.17g} depth=2"
    found = answer(words, "width=8", "nets=3")
    assert found.passes is found.predicted is (1 / 32 < gain < 32)
    factor = f"{max(gain, 1 / gain):.2g}"
    if found.passes:
        assert f"keep their size to within a factor of {factor};" in found.text
    else:
        does = f"{'grow' if gain > 1 else 'shrink'} by a factor of {factor}"
        assert f"gradients {does} and signals {does};" in found.text


def test_narrow_networks_die_where_theory_of_wide_ones_says_yes():
    found = answer("activation=relu initializer=he_normal width=4 nets=200 depth=30 plots=none")
    assert found.text.startswith("no, for ") and " of 200 networks: " in found.text
    assert found.text.endswith("; theory, for infinitely wide networks, says yes")
    assert found.predicted and 0 < found.share < 0.5


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("initializer.bias_mean=-3 activation=relu depth=3", "gradients become 0"),
        ("activation=formula activation.expression=log(x) depth=3", "signals become infinite"),
    ],
)
def test_without_theory_the_measurement_alone_answers(words, expected):
    found = answer("initializer=he_normal", *words.split(), "width=8", "nets=3")
    assert found.text.startswith("no") and expected in found.text
    assert found.predicted is None and found.text.endswith("; there is no theory for it")


def test_one_input_has_no_differences():
    found = answer("initializer=auto", "depth=3", "width=8", "nets=3", "inputs=1")
    assert "gradients and signals keep their size" in found.text


def test_what_half_of_the_networks_do_is_the_answer():
    """By hand: signals of four networks grow 2, 20, 50 and 100 times over two layers."""
    settings = compose(["depth=2", "width=8", "nets=4", "inputs=1"])
    known = propagate(settings)
    measured = Measured.empty(4, 2, known.measured.decomposed)
    measured.gradient_factor[:] = 1
    measured.variance[:] = np.array([[1, 4], [1, 400], [1, 2500], [1, 10_000]])
    found = Propagation(settings, known.predicted, measured).conclusion
    assert found.text.startswith("yes, for 2 of 4 networks: ") and found.share == 0.5
    measured.variance[0, 1] = math.inf
    found = Propagation(settings, known.predicted, measured).conclusion
    assert found.text.startswith("no, for 3 of 4 networks: over 2 layers signals grow by ")
    assert "; theory, for infinitely wide networks, says yes" in found.text


def test_a_network_that_overflows_leaves_the_others_their_numbers():
    """By hand: one of four networks overflows, so its gradient is unknown; three vanish."""
    settings = compose(["depth=2", "width=8", "nets=4", "inputs=1"])
    known = propagate(settings)
    measured = Measured.empty(4, 2, known.measured.decomposed)
    measured.gradient_factor[:] = np.array([[math.nan, 1], [1e-6, 1], [1e-6, 1], [1e-6, 1]])
    measured.variance[:] = np.array([[1, math.inf], [1, 1], [1, 1], [1, 1]])
    found = Propagation(settings, known.predicted, measured).conclusion
    assert found.text.startswith("no: over 2 layers gradients shrink by a factor of 10^6; theory")


def test_the_answer_comes_first_and_is_stored():
    found = propagate(compose(["depth=3", "width=8", "nets=3", "plots=none"]))
    assert repr(found).startswith("yes: over 3 layers ")
    stored = json.loads(json.dumps(found.to_dict(), allow_nan=False))["conclusion"]
    assert stored == {
        "passes": True, "share": 1, "predicted": True, "text": found.conclusion.text
    }  # fmt: skip


@pytest.mark.slow
def test_the_examples_of_help_are_right():
    examples = re.findall(r"^  python -m runner.propagate (.*)\n +(yes|no): ", EPILOG, re.M)
    assert len(examples) == 4
    for words, expected in examples:
        found = propagate(compose([*shlex.split(words), "nets=5", "inputs=3"])).conclusion
        assert found.text.startswith(expected), words
