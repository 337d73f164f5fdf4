"""The time of a sweep's job in addition to training: start, data, recording, writing.

    python -m tests.benchmarks.jobs
    python -m tests.benchmarks.jobs --activations gelu silu --jobs 10 --avx2
    python -m tests.benchmarks.jobs --seeds                 jobs that share no data

The jobs are default experiments (100 epochs, 10 replicates, ``plots=none``) on spirals with several
learning rates. They run one after another in one process, as in a worker of a sweep. Times are
medians in milliseconds without the first job:

    steps           the optimizer's steps with their gradients
    recording       measurements for history.csv and decisions after each epoch
    data, network   loading the data and initialising the network
    writing         writing the run's folder with its summary
    other           looking for an existing run, scores of the final and best weights, reporting

The start of a worker, Python with its imports, is measured separately.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

from tests.benchmarks.processes import environment, machine, switch_to_avx2, table, versions

JOBS = 6
LIMIT = 15.0
"""Largest time of everything except steps and recording, in milliseconds."""
PARTS = ("steps", "recording", "data, network", "writing")


def work(activation: str, jobs: int, seeds: bool) -> dict[str, list[float]]:
    """Return the milliseconds of whole jobs and of each part, for all jobs except the first."""
    from pathlib import Path

    from runner.config.compose import compose
    from runner.sweep import job as sweep_job
    from runner.training import stack, train

    spent = dict.fromkeys(PARTS, 0.0)

    def timed(owner: object, name: str, part: str) -> None:
        function = getattr(owner, name)

        def call(*args: object, **named: object) -> object:
            started = time.perf_counter()
            try:
                return function(*args, **named)
            finally:
                spent[part] += 1e3 * (time.perf_counter() - started)

        setattr(owner, name, call)

    from runner import execute

    timed(stack.Group, "run_epoch", "steps")
    timed(stack.Group, "finish_epoch", "recording")
    timed(train, "Group", "data, network")
    timed(execute, "write_run", "writing")
    found: dict[str, list[float]] = {name: [] for name in ("whole", *PARTS)}
    with tempfile.TemporaryDirectory() as folder:
        for index in range(jobs + 1):
            axis = (
                f"seed={10 * index}" if seeds else f"optimizer.learning_rate={0.001 * 1.1**index}"
            )
            words = (f"activation={activation}", "dataset=spirals", "plots=none", axis)
            experiment = compose(words).experiment
            job = sweep_job.Job(words, experiment.to_dict(), Path(folder) / str(index))
            spent.update(dict.fromkeys(PARTS, 0.0))
            started = time.perf_counter()
            sweep_job.run_job(job)
            found["whole"].append(1e3 * (time.perf_counter() - started))
            for part in PARTS:
                found[part].append(spent[part])
    return {name: values[1:] for name, values in found.items()}


def start() -> float:
    """Return the milliseconds until a new interpreter could start a job, median of five."""
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        command = [sys.executable, "-c", "import runner.sweep.job"]
        subprocess.run(command, env=environment("one"), check=True)
        taken.append(1e3 * (time.perf_counter() - started))
    return statistics.median(taken)


def measured(activation: str, jobs: int = JOBS, *, seeds: bool = False) -> dict[str, float]:
    """Return the median milliseconds of each part of a job, measured in a new process.

    "beside training" is everything except steps and recording.
    """
    command = [sys.executable, "-m", "tests.benchmarks.jobs", "--work", activation]
    done = subprocess.run(
        [*command, "--jobs", str(jobs), *["--seeds"] * seeds],
        env=environment("one"),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    medians = {name: statistics.median(values) for name, values in found.items()}
    jobs = list(zip(*found.values(), strict=True))
    beside = statistics.median(whole - steps - recording for whole, steps, recording, *_ in jobs)
    other = beside - medians["data, network"] - medians["writing"]
    return {**medians, "other": other, "beside training": beside}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--activations",
        nargs="+",
        default=["relu", "tanh", "gelu", "silu"],
        metavar="NAME",
        help="default: relu tanh gelu silu",
    )
    parser.add_argument("--jobs", type=int, default=JOBS, help="default: %(default)s")
    parser.add_argument("--seeds", action="store_true", help="vary the seed, not the learning rate")
    parser.add_argument("--avx2", action="store_true", help="do not use AVX-512")
    parser.add_argument("--work", metavar="ACTIVATION", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        print(json.dumps(work(options.work, options.jobs, options.seeds)))
        return 0
    if options.avx2:
        switch_to_avx2()
    print(machine())
    print(versions(["numpy"]))
    rows, kept = [], True
    for name in options.activations:
        found = measured(name, options.jobs, seeds=options.seeds)
        rows.append([name, *(f"{number:.1f}" for number in found.values())])
        kept &= found["beside training"] <= LIMIT
    print(f"\na worker's start, once: {start():.0f} ms; a job, ms:\n")
    print(table(["activation", "whole", *PARTS, "other", "beside training"], rows))
    if not kept:
        print(f"\nmore than {LIMIT:g} ms beside training", file=sys.stderr)
    return 0 if kept else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {error.stderr.strip().splitlines()[-1]}")
