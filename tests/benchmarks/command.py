"""The time of a whole command, from the shell to its last file, compared with ``import torch``.

    python -m tests.benchmarks.command
    python -m tests.benchmarks.command --rounds 15 --cold
    python -m tests.benchmarks.command --activations all --rounds 5     with pictures
    python -m tests.benchmarks.command --activations gelu silu --avx2

Commands take turns. Each starts a new Python process with an empty run folder. With ``--cold``, the
installed packages are dropped from the file cache before each command (Linux only). At the end, two
tables show the slowest imports (``-X importtime``) and the slowest functions (cProfile).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import pstats
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.processes import (
    REPOSITORY,
    environment,
    machine,
    spread,
    switch_to_avx2,
    table,
    versions,
)

ROUNDS = 9
OURS = ["-m", "runner", "activation=tanh"]
COMMANDS = {
    'python -c "import torch"': ["-c", "import torch"],
    "python -m runner activation=tanh": OURS,
    "python -m runner activation=tanh plots=none": [*OURS, "plots=none"],
    'python -c "import numpy"': ["-c", "import numpy"],
}
YARDSTICK = 'python -c "import torch"'
ALL = (
    *("relu", "tanh", "sigmoid", "softplus", "elu", "silu", "softmax", "gelu", "mish", "swish"),
    *("swiglu", "gelu_tanh", "selu", "leaky_relu", "hardswish", "glu", "geglu", "prelu"),
)
PACKAGES = ("torch", "numpy", "matplotlib", "hydra", "omegaconf", "scipy", "PIL", "yaml")


def run(arguments: list[str], interpreter: tuple[str, ...] = ()) -> tuple[float, str]:
    """Return the seconds of a command and its standard error.

    Raises RuntimeError with the last line of output if it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        if "runner" in arguments:
            arguments = [*arguments, f"hydra.run.dir={folder}/run"]
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *interpreter, *arguments],
            cwd=folder,
            env=environment("all"),
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - started
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise RuntimeError(f"{' '.join(arguments)}: {last}")
    return seconds, done.stderr


def drop_from_file_cache() -> None:
    """Ask the system to drop the files of the packages and of this repository from its cache."""
    folders = [REPOSITORY / "runner", REPOSITORY / "activations", REPOSITORY / "conf"]
    for package in PACKAGES:
        found = importlib.util.find_spec(package)
        if found and found.origin:
            folders.append(Path(found.origin).parent)
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def dearest_imports(arguments: list[str], count: int = 15) -> str:
    """Return a table of the slowest modules, alone and with their imports."""
    _, text = run(arguments, ("-X", "importtime"))
    pattern = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|\s*(\S+)")
    found = [
        (int(own), int(total), name)
        for own, total, name in (m.groups() for m in map(pattern.match, text.splitlines()) if m)
    ]
    rows = [[name, f"{own / 1e3:.1f}", f"{total / 1e3:.1f}"] for own, total, name in found]
    order = sorted(range(len(found)), key=lambda i: -found[i][0])[:count]
    own = sum(row[0] for row in found) / 1e3
    return table(
        ["module", "itself, ms", "with its imports, ms"],
        [["all together", f"{own:.1f}", ""], *(rows[i] for i in order)],
    )


def profile(arguments: list[str], count: int = 20) -> str:
    """Return a table of the functions with the largest cumulative time, without importlib."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/profile"
        run(["-m", "cProfile", "-o", path, *arguments])
        statistics = pstats.Stats(path)
    rows = []
    for (file, _, name), (_, calls, own, total, _) in statistics.stats.items():  # type: ignore[attr-defined]
        if "importlib" in file or name in ("<module>", "<built-in method builtins.exec>"):
            continue
        place = Path(file)
        rows.append((total, own, calls, f"{place.parent.name}/{place.name}:{name}"))
    rows.sort(reverse=True)
    return table(
        ["function", "calls", "itself, ms", "with what it calls, ms"],
        [
            [name, str(calls), f"{1e3 * own:.1f}", f"{1e3 * total:.1f}"]
            for total, own, calls, name in rows[:count]
        ],
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s")
    parser.add_argument(
        "--cold", action="store_true", help="drop the file cache before each command"
    )
    parser.add_argument("--no-profile", action="store_true", help="times only")
    parser.add_argument(
        "--activations", nargs="+", metavar="NAME", help="these activations, or all"
    )
    parser.add_argument("--avx2", action="store_true", help="do not use AVX-512")
    options = parser.parse_args()
    if options.avx2:
        switch_to_avx2()
    if options.cold and not hasattr(os, "posix_fadvise"):
        parser.error("--cold needs posix_fadvise, which this system does not have")
    commands = dict(COMMANDS)
    if options.activations:
        chosen = ALL if options.activations == ["all"] else options.activations
        commands = {YARDSTICK: COMMANDS[YARDSTICK]}
        for name in chosen:
            commands[f"python -m runner activation={name}"] = ["-m", "runner", f"activation={name}"]
    print(machine())
    print(versions(["numpy", "torch", "matplotlib", "hydra-core"]))
    if importlib.util.find_spec("torch") is None:
        print("left out: import torch: torch is not installed")
        del commands[YARDSTICK]
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(options.rounds):
        for name, arguments in commands.items():
            if options.cold:
                drop_from_file_cache()
            times[name].append(run(arguments)[0])
    rows = []
    for name, mine in times.items():
        torch = times.get(YARDSTICK, [])
        ratios = [own / theirs for own, theirs in zip(mine, torch, strict=False)]
        ratio = spread(ratios, "{:.2f}") if ratios else ""
        rows.append([name, spread(mine, "{:.3f}"), ratio, f"{mine[0]:.3f}"])
    print(f"\nwall time of whole commands{', cold file cache' if options.cold else ''}\n")
    print(table(["command", "seconds", "of import torch", "first round"], rows))
    if not (options.no_profile or options.activations):
        print("\nimports of python -m runner activation=tanh\n")
        print(dearest_imports(OURS))
        print("\nprofile of python -m runner activation=tanh\n")
        print(profile(OURS))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(f"error: {error}")
