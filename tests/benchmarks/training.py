"""The time of a training step, compared with other libraries that do the same work.

    python -m tests.benchmarks.training                  the base case and variations
    python -m tests.benchmarks.training --quick          the base case, one core
    python -m tests.benchmarks.training --grid           all combinations
    python -m tests.benchmarks.training --popular        17 activations compared with JAX, one core
    python -m tests.benchmarks.training --popular gelu silu --rounds 5 --avx2
    python -m tests.benchmarks.training --case '*-gelu-*' --case '32x32-tanh-float32-r*'

All systems train on the same data from the same initial weights with the same batches (scikit-learn
draws its own) for the same number of steps: Adam, learning rate 0.001, epsilon 1e-8, a new
permutation in each epoch. Times are microseconds per replicate and step over whole trainings. They
include shuffling but not compilation, which has its own column; "pays after" is the number of steps
after which the compilation has paid off. Systems that train only one network at a time are skipped
in cases with several replicates. "One core" means one BLAS and OpenMP thread in a process bound to
one core, for all systems.

The last column checks that no system skips work. It is the final training loss minus the median
loss of plain trainings with other batch orders, in standard deviations over those orders. If it
exceeds 4, the exit status is 1.
"""

from __future__ import annotations

import argparse
import fnmatch
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.benchmarks.problem import (
    BASE,
    POPULAR,
    Array,
    Case,
    Problem,
    around_the_base,
    grid,
    popular,
)
from tests.benchmarks.processes import Worker, machine, spread, switch_to_avx2, table, versions
from tests.benchmarks.reference import loss, losses_over_orders
from tests.benchmarks.systems import ENTRIES, OURS

ROUNDS = 9
ORDERS = 8
CORES = {"one": "one core", "all": "all cores"}
ALLOWED_DEVIATIONS = 4.0
"""A t statistic with ORDERS - 1 = 7 degrees of freedom exceeds this by chance once in 400 times;
skipped work gives tens or hundreds."""


@dataclass
class Measured:
    """A system in one case: its times, the final loss, and the loss's deviation from the others."""

    name: str
    compile_seconds: float | None
    times: list[float] = field(default_factory=list)
    loss: float = math.nan
    deviation: float = math.nan

    @property
    def agrees(self) -> bool:
        return abs(self.deviation) <= ALLOWED_DEVIATIONS

    def ratios(self, ours: Measured | None) -> list[float]:
        """Return this system's time divided by ours, by round."""
        return (
            [mine / own for mine, own in zip(self.times, ours.times, strict=True)] if ours else []
        )


def measure(
    case: Case, cores: str, rounds: int, names: Sequence[str] = ()
) -> tuple[list[Measured], list[str]]:
    """Return the measured systems, all or those in ``names``, and why others were left out."""
    problem = Problem(case)
    others = losses_over_orders(problem, ORDERS)
    found: dict[str, Measured] = {}
    workers: list[Worker] = []
    left_out: list[str] = []
    try:
        for entry in ENTRIES:
            if not entry.fits(case) or (names and entry.name not in names):
                continue
            worker = Worker("worker", entry.name, case.to_dict(), cores)
            workers.append(worker)
            if "missing" in worker.ready:
                left_out.append(f"{entry.name}: {worker.ready['missing']}")
            else:
                found[entry.name] = Measured(entry.name, worker.ready["compile_seconds"])
        present = [worker for worker in workers if worker.name in found]
        for _ in range(rounds):
            for worker in list(present):
                answer = worker.ask("train")
                if "missing" in answer:
                    left_out.append(f"{worker.name}: {answer['missing']}")
                    present.remove(worker)
                    del found[worker.name]
                    continue
                per_step = answer["seconds"] / answer["steps"] / case.replicates
                found[worker.name].times.append(1e6 * per_step)
        for worker in present:
            loss = final_loss(worker, problem)
            found[worker.name].loss = loss
            found[worker.name].deviation = (loss - np.median(others)) / others.std(ddof=1)
    finally:
        for worker in workers:
            worker.close()
    return list(found.values()), left_out


def final_loss(worker: Worker, problem: Problem) -> float:
    """Return the final loss of replicate 0 over the training set, from the worker's weights."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        worker.ask(str(path))
        with np.load(path) as stored:
            arrays: list[Array] = [stored[key] for key in stored.files]
    layers = list(zip(arrays[::2], arrays[1::2], strict=True))
    return float(loss(problem.case, layers, problem.x, problem.labels)[0])


def all_systems(systems: Sequence[Measured], case: Case) -> str:
    """Return the case's table, a row for each system."""
    ours = next((system for system in systems if system.name == OURS), None)
    rows = []
    for system in systems:
        compiled, pays, ratios = system.compile_seconds, "", system.ratios(ours)
        if compiled is not None and ours:
            saved = statistics.median(ours.times) - statistics.median(system.times)
            steps = compiled / (saved * 1e-6 * case.replicates) if saved > 0 else math.inf
            pays = "never" if steps == math.inf else f"{steps:,.0f} steps"
        rows.append(
            [
                system.name,
                spread(system.times),
                spread(ratios, "{:.2f}") if ratios else "",
                "" if compiled is None else f"{compiled:.2f} s",
                pays,
                f"{system.loss:.5f}",
                f"{system.deviation:+.2f}",
            ]
        )
    header = ["system", "µs per step", "times ours", "compiled in", "pays after", "final loss"]
    return table([*header, "deviation"], rows)


def beside_jax(case: Case, systems: Sequence[Measured]) -> list[str]:
    """Return the row of a case: our time compared with JAX's."""
    times = [spread(system.times) for system in systems]
    ratios = systems[-1].ratios(systems[0])
    note = "ahead" if statistics.median(ratios) >= 1 else "behind"
    compiled = f"{systems[-1].compile_seconds:.2f} s"
    return [case.activation, str(case.replicates), *times, spread(ratios, "{:.2f}"), note, compiled]


def popular_functions(names: Sequence[str], cores: str, rounds: int) -> bool:
    """Print our time and JAX's for each function; return whether all losses agree."""
    rows, agree = [], True
    for case in popular(names):
        peer = "JAX step" if case.replicates == 1 else "JAX vmap scan"
        systems, left_out = measure(case, cores, rounds, (OURS, peer))
        for line in left_out:
            print(f"left out: {case.activation}: {line}")
        if not left_out:
            rows.append(beside_jax(case, systems))
            agree &= all(system.agrees for system in systems)
    header = ["activation", "replicates", "ours, µs", "JAX, µs", "times ours", "ours is"]
    print(
        f"\n[32,32], batch {BASE.batch}, {BASE.dtype}, {CORES[cores]}, µs per replicate and step; "
        "one replicate: JAX's jitted step; several: vmap in a scan\n"
    )
    print(table([*header, "JAX compiled in"], rows), flush=True)
    return agree


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="the base case, one core, 5 rounds")
    parser.add_argument("--grid", action="store_true", help="all combinations")
    parser.add_argument(
        "--popular",
        nargs="*",
        choices=POPULAR,
        metavar="NAME",
        help="these popular activations compared with JAX; without NAME all",
    )
    parser.add_argument(
        "--case", action="append", metavar="PATTERN", help="only cases whose name matches"
    )
    parser.add_argument("--cores", choices=["one", "all", "both"], default="both")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s")
    parser.add_argument("--avx2", action="store_true", help="do not use AVX-512")
    options = parser.parse_args()
    if options.avx2:
        switch_to_avx2()
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
    if options.popular is not None:
        all_agree = popular_functions(options.popular or POPULAR, "one", options.rounds)
        cases = []
    for kind in cores:
        for case in cases:
            systems, left_out = measure(case, kind, options.rounds)
            all_agree &= all(system.agrees for system in systems)
            print(f"\n{case.name}, batch {case.batch}, {case.steps} steps, {CORES[kind]}\n")
            print(all_systems(systems, case))
            print("".join(f"left out: {line}\n" for line in left_out), end="", flush=True)
    if not all_agree:
        print("\nlosses differ by more than batch order explains", file=sys.stderr)
    return 0 if all_agree else 1


if __name__ == "__main__":
    sys.exit(main())
