"""Time per output, also as a multiple of ReLU's.

The function and ReLU take turns, and times are medians over rounds. The clock counts the CPU time
of this thread where the system has such a clock, so other programs have little effect.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from activations.base import Activation
from activations.functions.rectified import ReLU

OUTPUTS = (256, 128)
"""Shape of the outputs of a call: 128 kB of float32, as much as a layer in training."""
ROUNDS = 9
SECONDS = 0.001
"""A round calls each function as often as fits into this time, but at least once."""
# On Windows the steps of thread_time are 16 ms.
_clock = time.thread_time if os.name == "posix" else time.perf_counter


@dataclass(frozen=True)
class Speed:
    """Nanoseconds per output of ``forward`` and ``backward``; ratios to the times of ReLU."""

    forward: float
    backward: float
    forward_ratio: float
    backward_ratio: float


def measure_speed(activation: Activation) -> Speed:
    """Return the times of ``forward`` and ``backward`` on float32 x ~ N(0, 1)."""
    mine, relu = _calls(activation), _calls(ReLU())
    seconds: list[tuple[float, ...]] = []
    with np.errstate(all="ignore"):
        counts = [_count(call) for call in (*mine, *relu)]
        for _ in range(ROUNDS):
            pairs = zip((*mine, *relu), counts, strict=True)
            seconds.append(tuple(_seconds(call, count) for call, count in pairs))
    forward, backward, *of_relu = (
        statistics.median(column) for column in zip(*seconds, strict=True)
    )
    per_output = 1e9 / (OUTPUTS[0] * OUTPUTS[1])
    return Speed(
        forward * per_output,
        backward * per_output,
        forward / of_relu[0],
        backward / of_relu[1],
    )


def _calls(activation: Activation) -> tuple[Callable[[], object], Callable[[], object]]:
    rng = np.random.default_rng(0)
    inputs = round(OUTPUTS[1] * activation.inputs_per_output)
    x = rng.standard_normal((OUTPUTS[0], inputs), np.float32)
    y = np.asarray(activation(x))
    grad = rng.standard_normal(y.shape, np.float32)
    return lambda: activation(x), lambda: activation.backward(x, y, grad)


def _count(call: Callable[[], object]) -> int:
    _seconds(call, 1)  # the first call may import modules or compute tables
    return max(1, round(SECONDS / max(_seconds(call, 1), 1e-9)))


def _seconds(call: Callable[[], object], count: int) -> float:
    started = _clock()
    for _ in range(count):
        call()
    return (_clock() - started) / count
