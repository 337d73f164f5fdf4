"""Tables of reliability: kills, byte-identical results, long runs and large sweeps."""

from __future__ import annotations

from tests.benchmarks.processes import table as markdown
from tests.tables.speed import EPOCH
from tests.tables.table import Rows, Table, side_by_side

KILLS = 30
"""Two of each of the five signals for each of the three commands."""
SWEEP = tuple(f"runner/sweep/{name}.py" for name in ("job", "launch", "pool", "sweep"))
STOPPING = (
    *(f"runner/system/{name}.py" for name in ("files", "processes", "signals")),
    *("runner/execute.py", "runner/results/write.py", "runner/training/checkpoint.py"),
)


def measure_kills() -> Rows:
    """Return the number of disturbances by command, stage and signal, and the faults."""
    from tests.benchmarks.kills import SIGNALS, disturb

    tried, faults = disturb(KILLS)
    rows = []
    for name, stage in dict.fromkeys((name, stage) for name, stage, _ in sorted(tried)):
        counts = {how: tried[name, stage, how] for how in SIGNALS}
        rows.append({"command": name, "stage": stage, **counts})
    return [*rows, {"faults": faults}]


def render_kills(rows: dict[str, Rows]) -> str:
    ((*found, last),) = rows.values()
    signals = [name for name in found[0] if name not in ("command", "stage")]
    total = sum(row[name] for row in found for name in signals)
    shown = side_by_side(("command", "stage"), dict.fromkeys(signals, "{}"))({"": found})
    return f"{shown}\n\n{total} disturbances, {len(last['faults'])} faults."


def measure_identity() -> Rows:
    from tests.benchmarks.identity import CONFIGURATIONS, WAYS, kernels, same_bytes

    return [
        {
            "kernel": kernel,
            **dict(zip(WAYS, same_bytes(kernel), strict=True)),
            "of": len(CONFIGURATIONS),
        }
        for kernel in filter(None, kernels())  # OpenBLAS's own choice is one of the others
    ]


def render_identity(rows: dict[str, Rows]) -> str:
    (found,) = rows.values()
    ways = [name for name in found[0] if name not in ("kernel", "of")]
    lines = [[row["kernel"], *(f"{row[way]} of {row['of']}" for way in ways)] for row in found]
    return markdown(["OpenBLAS kernel", *ways], lines)


def measure_endurance() -> Rows:
    from tests.benchmarks.endurance import EPOCHS, JOBS, STEPS, checkpoints, run, sweep

    count, _, saving, total = checkpoints(EPOCHS)
    kept = {"checkpoints": count, "seconds of them": saving, "seconds of training": total}
    return [run(STEPS), sweep(JOBS), kept]


def render_endurance(rows: dict[str, Rows]) -> str:
    ((*found, kept),) = rows.values()
    whole = dict.fromkeys(("seconds", "MiB at 10%", "at 50%", "at 100%", "most"), "{:.0f}")
    tenths = dict.fromkeys(("MB on disk", "kB each", "ms over training"), "{:.1f}")
    shown = side_by_side(("what",), whole | tenths)({"": found})
    share = kept["seconds of them"] / kept["seconds of training"]
    return (
        f"{shown}\n\n{kept['checkpoints']} checkpoints took {kept['seconds of them']:.2f} s of "
        f"{kept['seconds of training']:.0f} s of training, {share:.1%}."
    )


TABLES = (
    Table(
        "kills",
        "Kills and Ctrl-Cs at random moments",
        """A run, a sweep and a comparison get a signal at a random moment: the main process
        (SIGKILL or SIGTERM), all processes as from a terminal (one Ctrl-C or two), or a child
        process (SIGKILL). The cells count the signals by the stage in which they arrived. A fault
        is a command that does not end in time, a traceback, a process that is left running, or a
        file that differs after the same command has run again.""",
        (*STOPPING, *SWEEP),
        measure_kills,
        render_kills,
    ),
    Table(
        "identity",
        "Same bytes in every way of running",
        """Thirty configurations are trained with one BLAS thread and all replicates together, and
        again in the ways of the columns. The cells count those with the same bytes in `history.csv`
        and `weights.npz`. "groups of 1": one replicate is trained at a time.""",
        (*EPOCH, "runner/network/initializers.py", "runner/system/blas.py"),
        measure_identity,
        render_identity,
    ),
    Table(
        "endurance",
        "Long runs and large sweeps",
        """The memory is that of all processes together, after 10, 50 and 100% of the time, and at
        most. "ms over training": what a job costs besides training, from the command to the
        report.""",
        (
            *(*SWEEP, "runner/sweep/plan.py"),
            *("runner/training/checkpoint.py", "runner/training/stack.py:Group"),
        ),
        measure_endurance,
        render_endurance,
    ),
)
