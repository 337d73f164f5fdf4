"""The process of one measured system: trains when told to, sleeps otherwise.

Started as ``python -m tests.benchmarks.worker SYSTEM``, with the case as JSON on the first
line of its standard input. Answers one JSON line to each line: to the case with its
compilation time, to "train" with seconds and steps, to a path with the losses of the weights
that it writes there.
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
"""Seconds: a round repeats the training until it has lasted this long."""


def keep_to_one_core() -> None:
    """Bind the process to one core, the same for all, if the environment grants one thread.

    XLA computes in a thread of its own beside Python's, whatever its flags say.
    """
    if os.environ.get("OMP_NUM_THREADS") == "1" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> None:
    keep_to_one_core()
    found = entry(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not get between the answers

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    case = Case.from_dict(json.loads(sys.stdin.readline()))
    if importlib.util.find_spec(found.requires) is None:
        answer(missing=f"{found.requires} is not installed")
        return
    system = found.load()(Problem(case))
    system.reset()
    system.train()  # warm: caches, allocators, lazily made kernels
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
