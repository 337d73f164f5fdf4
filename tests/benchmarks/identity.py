"""Whether history.csv and weights.npz are byte-identical in every way of running.

    python -m tests.benchmarks.identity

For each OpenBLAS kernel that this processor supports, thirty configurations train with one, two and
four BLAS threads, with one, two and all replicates in a group, and as jobs of one and two worker
processes. The digests of these 30 x 7 results per kernel are compared. Different kernels may give
different bytes, as may different processors.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence

from runner.config.compose import compose
from runner.results.write import contents
from runner.system.processes import run_jobs
from runner.training import train
from tests.benchmarks.processes import REPOSITORY, environment, machine, table, versions

SHORT = "training.epochs=2 dataset.samples=240 plots=none replicates=3 "
CONFIGURATIONS = [
    "activation=tanh",
    "activation=relu dtype=float64",
    "activation=gelu dataset=spirals",
    "activation=softmax dataset=blobs dtype=float64",
    "activation=rrelu dataset=spirals optimizer=rmsprop",
    "activation=swiglu dataset=xor",
    "activation=prelu dataset=circles optimizer=adamw replicates=40 model.hidden=[48,48]",
    "activation=maxout dataset=rings",
    "activation=silu training.batch_size=null",
    "activation=mish training.batch_size=17",
    "activation=sigmoid training.loss=squared_error",
    "activation=tanh model.hidden=[] dataset=linearly_separable",
    "activation=elu model.hidden=[33,1,5]",
    "activation=relu model.hidden=[32,32]",
    "activation=tanh model.hidden=[64,64,64] dtype=float64",
    "activation=selu model.hidden=[8,8,8,8,8,8,8,8,8,8]",
    "activation=relu model.hidden=[128,128] training.batch_size=128",
    "activation=gelu model.hidden=[130,64] optimizer.clip_norm=0.01",
    "activation=relu model.hidden=[256,256] training.batch_size=null",
    "activation=tanh model.hidden=[300,100] dtype=float64 optimizer.clip_norm=0.1",
    "activation=relu model.hidden=[512] training.batch_size=null optimizer=sgd",
    "activation=relu model.hidden=[96,96] initializer=orthogonal",
    "activation=tanh model.hidden=[200,200] initializer=orthogonal dtype=float64",
    "activation=relu dataset=teacher model.hidden=[48]",
    "activation=relu dataset=blobs dataset.features=64 dataset.classes=10",
    "activation=leaky_relu dataset=gaussian_quantiles dataset.classes=5",
    "activation=softplus dataset=checkerboard schedule=cosine schedule.warmup_epochs=1",
    "activation=relu optimizer=sgd optimizer.momentum=0.9 optimizer.clip_norm=1",
    "activation=geglu model.hidden=[150] dtype=float64",
    "activation=erfact dataset=moons training.patience=1 training.epochs=6",
]


def digest(words: str) -> str:
    """Return the digest of the files that a run of this configuration writes."""
    experiment = compose((SHORT + words).split()).experiment
    files = contents(experiment, train.train(experiment))
    return hashlib.sha256(b"".join(files.values())).hexdigest()


WAYS = {
    "2 threads": (2, 0, 0),
    "4 threads": (4, 0, 0),
    "groups of 1": (1, 1, 0),
    "groups of 2": (2, 2, 0),
    "1 process": (2, 0, 1),
    "2 processes": (2, 0, 2),
}
"""Number of BLAS threads, of replicates in a group (0: as many as fit) and of workers (0: none).
Each is compared with one thread, as many replicates as fit, and no workers."""


def digests(group: int, processes: int, configurations: Sequence[str]) -> list[str]:
    """Return the digests of all configurations.

    ``group`` is the number of replicates in a group (0: as many as fit). ``processes`` is the
    number of worker processes (0: train in this process).
    """
    if group:
        train.group_size = lambda experiment: group
    if not processes:
        return [digest(words) for words in configurations]
    found = dict.fromkeys(range(len(configurations)), "")
    for index, result, reason in run_jobs(digest, configurations, processes):
        found[index] = reason or result
    return list(found.values())


def measured(
    kernel: str, threads: int, group: int, processes: int, configurations: Sequence[str]
) -> list[str]:
    """Return the digests from a new process with this kernel and number of BLAS threads."""
    variables = {"OPENBLAS_CORETYPE": kernel} if kernel else {}
    counts = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.identity", "--answer"],
        input=json.dumps([group, processes, list(configurations)]),
        env=environment("all") | variables | {k: str(v) for k, v in counts.items()},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def same_bytes(kernel: str) -> list[int]:
    """Return for each of WAYS the number of configurations with the bytes of the reference."""
    reference = measured(kernel, 1, 0, 0, CONFIGURATIONS)
    counts = []
    for threads, group, processes in WAYS.values():
        found = measured(kernel, threads, group, processes, CONFIGURATIONS)
        counts.append(sum(a == b for a, b in zip(found, reference, strict=True)))
    return counts


def kernels() -> list[str]:
    """Return the OpenBLAS names of the kernels to test; "" is OpenBLAS's own choice."""
    from numpy._core._multiarray_umath import __cpu_features__ as found

    names = [""]
    names += ["Prescott"] if found.get("SSE3") else []
    names += ["Haswell", "Zen"] if found.get("AVX2") else []
    return names + (["SkylakeX"] if found.get("AVX512F") else [])


def main() -> int:
    """Print the table; with --answer, print the digests for the arguments on stdin."""
    if "--answer" in sys.argv:
        print(json.dumps(digests(*json.load(sys.stdin))))
        return 0
    print(f"{machine()}\n{versions(['numpy'])}\n")
    counts = {kernel or "its own choice": same_bytes(kernel) for kernel in kernels()}
    total = len(CONFIGURATIONS)
    rows = [[name, *(f"{same} of {total}" for same in found)] for name, found in counts.items()]
    print(table(["kernel", *WAYS], rows))
    return 0 if all(same == total for found in counts.values() for same in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
