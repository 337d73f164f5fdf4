"""Processes of benchmarks, and the text of their results."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
AVX2 = "BENCHMARKS_WITHOUT_AVX512"
XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def environment(cores: str) -> dict[str, str]:
    """Return environment variables for a child process; with one thread if ``cores`` is "one"."""
    values = {k: v for k, v in os.environ.items() if k not in THREAD_VARIABLES}
    values["PYTHONPATH"] = os.pathsep.join(
        [str(REPOSITORY), *filter(None, [values.get("PYTHONPATH")])]
    )
    values["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"  # always compile, as for a new user
    if cores == "one":
        values |= dict.fromkeys(THREAD_VARIABLES, "1")
        values["XLA_FLAGS"] = " ".join([values.get("XLA_FLAGS", ""), XLA_ONE_THREAD]).strip()
    return values


def switch_to_avx2() -> None:
    """Switch AVX-512 off for all processes that start later; many laptops do not have it."""
    os.environ |= avx2_variables()


def avx2_variables() -> dict[str, str]:
    """Return environment variables that switch AVX-512 off.

    NumPy's loops, OpenBLAS, XLA, PyTorch's kernels, oneDNN and MKL each need their own.
    """
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    wide = [name for name in __cpu_dispatch__ if "512" in name or name == "X86_V4"]
    return {
        "NPY_DISABLE_CPU_FEATURES": " ".join(name for name in wide if __cpu_features__[name]),
        "OPENBLAS_CORETYPE": "Haswell",
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_max_isa=AVX2".strip(),
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        AVX2: "1",
    }


class Worker:
    """A child process that answers every line with a line of JSON."""

    def __init__(self, module: str, name: str, first: Any, cores: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"tests.benchmarks.{module}", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(cores),
            cwd=REPOSITORY,
        )
        self.ready = self.ask(json.dumps(first))

    def ask(self, line: str) -> dict[str, Any]:
        """Return the answer; ``{"missing": reason}`` if the process has died."""
        process = self.process
        assert process.stdin and process.stdout and process.stderr
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if answer:
            return json.loads(answer)
        last = [text for text in process.stderr.read().splitlines() if text.strip()]
        return {"missing": f"failed: {last[-1].strip() if last else 'no message'}"}

    def close(self) -> None:
        self.process.communicate()


def spread(values: list[float], form: str = "{:.1f}") -> str:
    """Return "median (smallest-largest)"."""
    numbers = (statistics.median(values), min(values), max(values))
    middle, low, high = (form.format(number) for number in numbers)
    return f"{middle} ({low}-{high})"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table, its columns aligned."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    return "\n".join(
        f"| {' | '.join(cell.ljust(w) for cell, w in zip(line, widths, strict=True))} |"
        for line in [header, ["-" * width for width in widths], *rows]
    )


def machine() -> str:
    """Return one line on the processor, the cores and the Python of this machine."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    down = ", AVX-512 switched off" if AVX2 in os.environ else ""
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{model}{down}, {cores} cores, {system}"


def versions(packages: list[str]) -> str:
    """Return "name version" or "name not installed" for each package, in one line."""
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} not installed")
    return ", ".join(found)
