"""Peak memory of whole commands, compared with a formula.

    python -m tests.benchmarks.memory
    python -m tests.benchmarks.memory --activations              the default run of every activation
    python -m tests.benchmarks.memory --activations gelu silu    these only

With ``--activations``, a peak above 120 MiB gives exit status 1. The formula counts numbers of the
dtype in addition to the smallest possible run. R replicates of P parameters train in groups of G,
with batches of B, n samples of d features, hidden layers u_1 ... u_L and C outputs:

    parameters        3 R P                            final, best and current
    optimizer         4 G P                            gradient, m, v and scratch of one group
    activations       G (2 M (2 U + C) + B d)          U = sum of u, M = max(B, n), because the
                                                       history is measured on all n samples
    data              G n (d + 1) twice                as drawn (float64) and standardised

The peak is the resident set that the kernel reports for the child process (ru_maxrss).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from tests.benchmarks.processes import environment, machine, table

RUN = ["-m", "runner", "plots=none"]
COMMANDS: dict[str, list[str]] = {
    "import numpy": ["-c", "import numpy"],
    "smallest run, plots=none": [*RUN, "replicates=1", "model.hidden=[1]", "dataset.samples=100"],
    "default run": ["-m", "runner"],
    "default run, gelu": ["-m", "runner", "activation=gelu"],
    "default run, erfact": ["-m", "runner", "activation=erfact"],
    "default run, plots=none": RUN,
    "1 replicate, plots=none": [*RUN, "replicates=1"],
    "32 replicates, plots=none": [*RUN, "replicates=32"],
    "128 replicates, plots=none": [*RUN, "replicates=128"],
    "128 replicates": ["-m", "runner", "replicates=128"],
}
COUNTS = {
    "default run, plots=none": 5,
    "1 replicate, plots=none": 1,
    "32 replicates, plots=none": 32,
    "128 replicates, plots=none": 128,
}
LIMIT = 120.0
LIMITS = dict.fromkeys(("default run", "default run, gelu", "default run, erfact"), LIMIT)
"""erfact needs the most temporary memory of all functions, gelu the most of the popular ones."""
MEBIBYTE = 2.0**20
LAUNCHER = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""
"""A small process in between, because the peak of a child includes its parent's memory at start."""


def peak(arguments: list[str]) -> float:
    """Return the peak resident set of a command in MiB. Raises RuntimeError if it failed."""
    with tempfile.TemporaryDirectory() as folder:
        if "runner" in arguments:
            arguments = [*arguments, "training.epochs=10", f"hydra.run.dir={folder}/run"]
        done = subprocess.run(
            [sys.executable, "-c", LAUNCHER, sys.executable, *arguments],
            cwd=folder,
            env=environment("all"),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            raise RuntimeError(f"{' '.join(arguments)}: {last}")
    unit = 1 if sys.platform == "darwin" else 1024
    return int(done.stdout) * unit / MEBIBYTE


def needed(replicates: int) -> float:
    """Return the MiB of the formula for the default experiment with ``replicates``."""
    from runner.config.compose import compose
    from runner.training.stack import build_network
    from runner.training.train import group_size

    experiment = compose([f"replicates={replicates}", "plots=none"]).experiment
    network, _ = build_network(experiment, [0])
    group = min(replicates, group_size(experiment))
    samples, batch = experiment.train_samples, experiment.training.batch_size or 0
    outputs = network.linears[-1].weight.shape[-1]
    values = 3 * replicates * network.size + 4 * group * network.size
    values += group * 2 * max(batch, samples) * (2 * sum(network.hidden) + outputs)
    values += group * batch * network.features
    drawn = group * samples * (network.features + 1) * 8
    used = group * samples * (network.features + 1) * network.dtype.itemsize
    return (values * network.dtype.itemsize + drawn + used) / MEBIBYTE


def peaks() -> list[tuple[str, float, float | None]]:
    """Return each command, its peak, and the peak by the formula if it applies, in MiB."""
    found = {name: peak(arguments) for name, arguments in COMMANDS.items()}
    smallest = found["smallest run, plots=none"]
    return [
        (name, mebibytes, smallest + needed(COUNTS[name]) if name in COUNTS else None)
        for name, mebibytes in found.items()
    ]


def every_activation(names: Sequence[str]) -> int:
    """Print the peak of each activation's default run; return 1 if one exceeds LIMIT, else 0."""
    import activations

    rows, kept = [], True
    for name in names or activations.names():
        try:
            mebibytes = peak(["-m", "runner", f"activation={name}"])
        except RuntimeError as error:  # for instance activation=formula, which needs an expression
            print(f"left out: {error}")
            continue
        kept &= mebibytes <= LIMIT
        rows.append((mebibytes, name))
    print(
        f"\npeak resident set of python -m runner activation=NAME, 10 epochs, at most {LIMIT:g}\n"
    )
    print(
        table(["activation", "MiB"], [[name, f"{peak:.1f}"] for peak, name in sorted(rows)[::-1]])
    )
    return 0 if kept else 1


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--activations", nargs="*", metavar="NAME", help="these activations; default: all"
    )
    chosen = parser.parse_args().activations
    print(machine())
    if chosen is not None:
        return every_activation(chosen)
    rows, kept = [], True
    for name, mebibytes, formula in peaks():
        limit = LIMITS.get(name)
        kept &= limit is None or mebibytes <= limit
        expected = "" if formula is None else f"{formula:.1f}"
        rows.append([name, f"{mebibytes:.1f}", expected, "" if limit is None else f"{limit:g}"])
    print("\npeak resident set, 10 epochs\n")
    print(table(["command", "MiB", "smallest + formula", "at most"], rows))
    return 0 if kept else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(f"error: {error}")
