"""The process of one measured system: it trains on request.

It is started as ``python -m tests.benchmarks.worker SYSTEM``. The first line of its standard input
is the case as JSON. It answers each line with one line of JSON: the case with the compilation time,
"train" with seconds and steps, and a path after writing the trained weights to it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from typing import Any

import numpy as np

from tests.benchmarks.problem import Case, Problem
from tests.benchmarks.systems import entry

SHORTEST_ROUND = 0.2
"""A round repeats the training until it has taken this many seconds."""


def keep_to_one_core() -> None:
    """Bind the process to one core, the same for all systems, if OMP_NUM_THREADS is 1.

    This is necessary because XLA always computes in a second thread, whatever its flags are.
    """
    if os.environ.get("OMP_NUM_THREADS") == "1" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> None:
    keep_to_one_core()
    found = entry(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries may print to stdout, which would mix with the answers

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    case = Case.from_dict(json.loads(sys.stdin.readline()))
    if importlib.util.find_spec(found.requires) is None:
        answer(missing=f"{found.requires} is not installed")
        return
    system = found.load()(Problem(case))
    system.reset()
    system.train()  # warms up caches, allocators and lazily compiled kernels
    answer(compile_seconds=system.compile_seconds)
    for line in sys.stdin:
        command = line.strip()
        if command == "train":
            seconds, steps = 0.0, 0
            while seconds < SHORTEST_ROUND:
                system.reset()
                started = time.perf_counter()
                system.train()
                seconds += time.perf_counter() - started
                steps += case.steps
            answer(seconds=seconds, steps=steps)
        else:
            system.reset()
            system.train()
            arrays = [np.array(a) for layer in system.weights() for a in layer]
            np.savez(command, *arrays)
            answer(saved=command)


if __name__ == "__main__":
    main()
