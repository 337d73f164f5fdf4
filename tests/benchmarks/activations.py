"""Forward and backward pass of activations on a million elements, compared with PyTorch.

    python -m tests.benchmarks.activations                   float32 and float64, one and all cores
    python -m tests.benchmarks.activations --only tanh gelu
    python -m tests.benchmarks.activations --cores one --dtype float32

We compute y, slope = f.value_and_gradient(x), then slope *= grad, as in training; for functions of
a row, y = f(x), then f.backward(x, y, grad). PyTorch calls its eager function, then
``y.backward(grad)``. Both compute y and dL/dx for the same x, drawn from N(0, 3^2) in rows of 64
(256 for functions of a row); the results must agree to 1e-4. Times are in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.processes import Worker, machine, spread, table, versions
from tests.benchmarks.worker import keep_to_one_core

ROUNDS = 7
ELEMENTS = 2**20
SHORTEST_ROUND = 0.05
TOLERANCE = 1e-4
CORES = {"one": "one core", "all": "all cores"}

OUR_ARGUMENTS: dict[str, dict[str, float]] = {
    "celu": {"alpha": 1.0},
    "elu": {"alpha": 1.0},
    "leaky_relu": {"alpha": 0.2},
}
"""Parameters whose defaults may differ between the two libraries."""
Pair = Callable[[], tuple[Any, Any]]


def torch_functions() -> dict[str, Callable[[Any], Any]]:
    """Return PyTorch's function for each of our names that has one."""
    import torch
    from torch.nn import functional as F

    def gated(gate: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: gate(x.chunk(2, -1)[0]) * x.chunk(2, -1)[1]

    return {
        "celu": F.celu,
        "hardshrink": F.hardshrink,
        "softshrink": F.softshrink,
        "geglu": gated(F.gelu),
        "reglu": gated(F.relu),
        "swiglu": gated(F.silu),
        "elu": F.elu,
        "gelu": F.gelu,
        "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        "glu": F.glu,
        "hardsigmoid": F.hardsigmoid,
        "hardswish": F.hardswish,
        "hardtanh": F.hardtanh,
        "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
        "log_sigmoid": F.logsigmoid,
        "log_softmax": lambda x: F.log_softmax(x, -1),
        "mish": F.mish,
        "prelu": lambda x: F.prelu(x, torch.full((1,), 0.25, dtype=x.dtype)),
        "relu": F.relu,
        "relu6": F.relu6,
        "selu": F.selu,
        "sigmoid": torch.sigmoid,
        "silu": F.silu,
        "softmax": lambda x: torch.softmax(x, -1),
        "softmin": lambda x: F.softmin(x, -1),
        "softplus": F.softplus,
        "softsign": F.softsign,
        "swish": F.silu,
        "tanh": torch.tanh,
        "tanhshrink": F.tanhshrink,
    }


def inputs(name: str, dtype: str) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    columns = 256 if "softm" in name else 64
    shape = (ELEMENTS // columns, columns)
    return tuple((s * rng.standard_normal(shape)).astype(dtype) for s in (3, 1))


def our_pair(name: str, dtype: str) -> Pair:
    import activations

    function = activations.get(name, **OUR_ARGUMENTS.get(name, {}))
    x, grad = inputs(name, dtype)
    grad = grad[:, : function(x[:1]).shape[-1]].copy()

    def pair() -> tuple[Any, Any]:
        if isinstance(function, activations.Elementwise):
            y, slope = function.value_and_gradient(x)
            slope *= grad
            return y, slope
        y = function(x)
        return y, function.backward(x, y, grad)

    return pair


def their_pair(name: str, dtype: str) -> Pair:
    import torch

    function = torch_functions()[name]
    x, grad = (torch.from_numpy(a) for a in inputs(name, dtype))
    grad = grad[:, : function(x[:1]).shape[-1]].contiguous()
    x.requires_grad_()

    def pair() -> tuple[Any, Any]:
        x.grad = None
        y = function(x)
        y.backward(grad)
        return y.detach().numpy(), x.grad.numpy()

    return pair


def work() -> None:
    """Run as child process: answer each [name, dtype, path] with the milliseconds of one round."""
    keep_to_one_core()
    import importlib.util

    make = {"runner": our_pair, "PyTorch": their_pair}[sys.argv[1]]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdin.readline()
    if sys.argv[1] == "PyTorch" and importlib.util.find_spec("torch") is None:
        print(json.dumps({"missing": "torch is not installed"}), file=answers, flush=True)
        return
    if sys.argv[1] == "runner":
        import activations

        names = activations.names()
    else:
        names = sorted(torch_functions())
    print(json.dumps({"names": names}), file=answers, flush=True)
    pairs: dict[tuple[str, str], Pair] = {}
    for line in sys.stdin:
        name, dtype, path = json.loads(line)
        if (name, dtype) not in pairs:
            pairs.clear()
            pairs[name, dtype] = make(name, dtype)
            pairs[name, dtype]()
        pair = pairs[name, dtype]
        if path:
            y, grad = pair()
            np.savez(path, y=y[:64], grad=grad[:64])
        seconds, count = 0.0, 0
        while seconds < SHORTEST_ROUND:
            started = time.perf_counter()
            results = pair()  # kept until the next call returns, as PyTorch keeps x.grad
            seconds += time.perf_counter() - started
            count += 1
        del results
        print(json.dumps({"milliseconds": 1e3 * seconds / count}), file=answers, flush=True)


def compare(
    workers: dict[str, Worker], name: str, dtype: str, rounds: int, folder: str
) -> tuple[list[float], list[float], list[float]]:
    """Return our milliseconds, PyTorch's and their ratios, by round.

    Raises ValueError if the results differ.
    """
    times: dict[str, list[float]] = {system: [] for system in workers}
    for turn in range(rounds):
        for system, worker in workers.items():
            path = f"{folder}/{system}-{name}-{dtype}.npz" if turn == 0 else ""
            answer = worker.ask(json.dumps([name, dtype, path]))
            if "missing" in answer:
                raise ValueError(f"{name}: {system} {answer['missing']}")
            times[system].append(answer["milliseconds"])
    with np.load(f"{folder}/runner-{name}-{dtype}.npz") as a:
        ours = dict(a)
    with np.load(f"{folder}/PyTorch-{name}-{dtype}.npz") as b:
        theirs = dict(b)
    for key in ours:
        worst = float(np.abs(ours[key] - theirs[key]).max())
        if not worst <= TOLERANCE:
            raise ValueError(f"{name} {dtype}: {key} differs from PyTorch's by {worst:g}")
    ratios = [t / o for t, o in zip(times["PyTorch"], times["runner"], strict=True)]
    return times["runner"], times["PyTorch"], ratios


def main() -> int:
    import tempfile

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these activations")
    parser.add_argument("--dtype", choices=["float32", "float64", "both"], default="both")
    parser.add_argument("--cores", choices=["one", "all", "both"], default="both")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s")
    options = parser.parse_args()
    dtypes = {"both": ["float32", "float64"]}.get(options.dtype, [options.dtype])
    print(machine())
    print(versions(["numpy", "torch"]))
    failures = []
    for cores in {"both": ["one", "all"]}.get(options.cores, [options.cores]):
        workers = {name: Worker("activations", name, [], cores) for name in ("runner", "PyTorch")}
        try:
            for name, worker in workers.items():
                if "missing" in worker.ready:
                    print(f"left out: {name}: {worker.ready['missing']}")
                    return 0
            ours, theirs = (set(worker.ready["names"]) for worker in workers.values())
            chosen = sorted(ours & theirs & set(options.only or ours))
            rows = []
            with tempfile.TemporaryDirectory() as folder:
                for dtype in dtypes:
                    for name in chosen:
                        try:
                            found = compare(workers, name, dtype, options.rounds, folder)
                            cells = [spread(values, "{:.2f}") for values in found]
                            rows.append([name, dtype, *cells])
                        except ValueError as error:
                            failures.append(f"{CORES[cores]}: {error}")
            print(f"\n1M elements, forward and backward, {CORES[cores]}\n")
            header = ["activation", "dtype", "ours, ms", "PyTorch, ms", "PyTorch / ours"]
            print(table(header, rows), flush=True)
        finally:
            for worker in workers.values():
                worker.close()
    if ours - theirs and not options.only:
        print(f"\nnot in PyTorch: {', '.join(sorted(ours - theirs))}")
    for line in failures:
        print(line, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1] in ("runner", "PyTorch"):
        work()
    else:
        sys.exit(main())
