"""Time per training step, against other libraries doing the same work.

    python -m tests.benchmarks.training                  the cases around the base
    python -m tests.benchmarks.training --quick          the base case, one core
    python -m tests.benchmarks.training --grid           every combination
    python -m tests.benchmarks.training --case '*-gelu-*' --case '32x32-tanh-float32-r*'

All train the same data from the same initial weights with the same batches (scikit-learn
draws its own) for the same number of steps: Adam, learning rate 0.001, epsilon 1e-8, a fresh
permutation each epoch. Times are microseconds per replicate and step over whole trainings,
shuffling included, compilation not; it stands beside with the number of steps after which
it has paid for itself. Systems that cannot stack are left out where there are replicates:
theirs is the time of one, as often as there are replicates. "One core" is one BLAS and
OpenMP thread in a process bound to one core, for all the same.

The last column checks that nobody skips work: the final loss over the training set less
that of the median of plain trainings in other batch orders, in standard deviations over
those orders. Beyond 4 it counts as another result and the exit status is 1.
"""

from __future__ import annotations

import argparse
import fnmatch
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.benchmarks.problem import BASE, Array, Case, Problem, around_the_base, grid
from tests.benchmarks.processes import Worker, machine, spread, table, versions
from tests.benchmarks.reference import loss, losses_over_orders
from tests.benchmarks.systems import ENTRIES, OURS

ROUNDS = 9
ORDERS = 8
CORES = {"one": "one core", "all": "all cores"}
ALLOWED_DEVIATIONS = 4.0
"""Against the median of ORDERS others: a t statistic of 7 degrees of freedom exceeds this
once in 400 times by chance; skipped work shows as tens or hundreds."""


def measure(case: Case, cores: str, rounds: int) -> tuple[str, bool]:
    """Return the case's table with what was left out, and whether all losses agree."""
    problem = Problem(case)
    others = losses_over_orders(problem, ORDERS)
    workers: list[Worker] = []
    left_out: list[str] = []
    times: dict[str, list[float]] = {}
    losses: dict[str, float] = {}
    try:
        for entry in ENTRIES:
            if not entry.fits(case):
                continue
            worker = Worker("worker", entry.name, case.to_dict(), cores)
            workers.append(worker)
            if "missing" in worker.ready:
                left_out.append(f"{entry.name}: {worker.ready['missing']}")
        present = [worker for worker in workers if "missing" not in worker.ready]
        for _ in range(rounds):
            for worker in list(present):
                answer = worker.ask("train")
                if "missing" in answer:
                    left_out.append(f"{worker.name}: {answer['missing']}")
                    present.remove(worker)
                    continue
                per_step = answer["seconds"] / answer["steps"] / case.replicates
                times.setdefault(worker.name, []).append(1e6 * per_step)
        for worker in present:
            losses[worker.name] = final_loss(worker, problem)
    finally:
        for worker in workers:
            worker.close()
    rows, agree = [], True
    for worker in present:
        deviation = float((losses[worker.name] - np.median(others)) / others.std(ddof=1))
        agree &= abs(deviation) <= ALLOWED_DEVIATIONS
        rows.append(row(worker, times, losses[worker.name], deviation, case))
    header = ["system", "µs per step", "times ours", "compiled in", "pays after", "final loss"]
    text = table([*header, "deviation"], rows)
    return "\n".join([text, *(f"left out: {line}" for line in left_out)]), agree


def final_loss(worker: Worker, problem: Problem) -> float:
    """Return replicate 0's loss over the training set, from the weights the worker reached."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        worker.ask(str(path))
        with np.load(path) as stored:
            arrays: list[Array] = [stored[key] for key in stored.files]
    layers = list(zip(arrays[::2], arrays[1::2], strict=True))
    return float(loss(problem.case, layers, problem.x, problem.labels)[0])


def row(
    worker: Worker, times: dict[str, list[float]], loss: float, deviation: float, case: Case
) -> list[str]:
    mine, ours = times[worker.name], times.get(OURS, [])
    ratios = [other / own for other, own in zip(mine, ours, strict=False)]
    compiled = worker.ready["compile_seconds"]
    pays = ""
    if compiled is not None and ours:
        saved = (statistics.median(ours) - statistics.median(mine)) * 1e-6 * case.replicates
        pays = f"{compiled / saved:,.0f} steps" if saved > 0 else "never"
    return [
        worker.name,
        spread(mine),
        spread(ratios, "{:.2f}") if ratios else "",
        "" if compiled is None else f"{compiled:.2f} s",
        pays,
        f"{loss:.5f}",
        f"{deviation:+.2f}",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="the base case, one core, 5 rounds")
    parser.add_argument("--grid", action="store_true", help="every combination of the choices")
    parser.add_argument("--case", action="append", metavar="PATTERN", help="cases of that name")
    parser.add_argument("--cores", choices=["one", "all", "both"], default="both")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    cases = around_the_base()
    if options.case:
        known = {case.name: case for case in [*grid(), *cases]}
        cases = [
            case
            for name, case in known.items()
            if any(fnmatch.fnmatch(name, pattern) for pattern in options.case)
        ]
        if not cases:
            parser.error(f"no case matches; known: {', '.join(known)}")
    elif options.grid:
        cases = grid()
    elif options.quick:
        cases = [BASE]
    cores = {"both": ["one", "all"]}.get(options.cores, [options.cores])
    if options.quick:
        cores, options.rounds = ["one"], min(options.rounds, 5)
    print(machine())
    print(versions(["numpy", "scikit-learn", "torch", "jax"]))
    all_agree = True
    for kind in cores:
        for case in cases:
            text, agree = measure(case, kind, options.rounds)
            all_agree &= agree
            print(f"\n{case.name}, batch {case.batch}, {case.steps} steps, {CORES[kind]}\n")
            print(text, flush=True)
    if not all_agree:
        print("\nlosses differ by more than batch order explains", file=sys.stderr)
    return 0 if all_agree else 1


if __name__ == "__main__":
    sys.exit(main())
