"""Tables of time and memory."""

from __future__ import annotations

import statistics

from tests.tables.table import AVX2, AVX512, Rows, Table, require, side_by_side, stacked

BOTH = (AVX512, AVX2)
FUNCTIONS = (
    "activations/base.py",
    *(
        f"activations/functions/{name}.py"
        for name in (
            *("axiswise", "exponential_linear", "gated", "gelu", "mish_like", "piecewise"),
            *("rectified", "self_gated", "sigmoidal", "softplus_like", "special", "tables"),
        )
    ),
)
STEP = (
    *FUNCTIONS,
    "activations/tracing.py",
    *(
        f"runner/network/{name}.py"
        for name in ("fast_gradient", "kernels", "loss_kernels", "underflow")
    ),
    "runner/network/optimizers.py:Optimizer,Adam",
)
"""The code of a gradient and an optimizer step."""
EPOCH = (*STEP, "runner/network/measurements.py", "runner/training/stack.py:Group")
"""The code that computes and records an epoch of a run."""
JOB = (*EPOCH, "runner/execute.py", "runner/results/write.py", "runner/sweep/job.py")

ACTIVATIONS = (
    *("relu", "elu", "tanh", "sigmoid", "softplus", "silu", "gelu", "gelu_tanh", "mish"),
    *("softmax", "swiglu"),
)
ROUNDS = 5


def measure_question() -> Rows:
    from tests.benchmarks import answers, question

    require("jax", "torch")
    question.refuse_other_work()
    times, accuracies = question.answers_in_turn(list(question.SYSTEMS), answers.EPOCHS, 3)
    rows = []
    for name, seconds in times.items():
        difference = question.apart(accuracies[name], accuracies["runner"])
        if difference > question.ALLOWED_DIFFERENCE:
            raise ValueError(f"{name}: a mean accuracy differs from ours by {difference:.3f}")
        ratios = [a / b for a, b in zip(seconds, times["runner"], strict=True)]
        titles = {
            "runner": "`python -m runner -m ...`",
            "jax": "JAX: scan over steps, vmap over seeds and rates",
            "torch": "PyTorch: stacked replicates",
        }
        rows.append(
            {
                "program": titles[name],
                "seconds": statistics.median(seconds),
                "times ours": statistics.median(ratios),
            }
        )
    return rows


def measure_step() -> Rows:
    from tests.benchmarks import training

    require("jax")
    rows = []
    for case in training.popular(ACTIVATIONS):
        peer = "JAX step" if case.replicates == 1 else "JAX vmap scan"
        (ours, jax), left_out = training.measure(case, "one", ROUNDS, (training.OURS, peer))
        _refuse(left_out, ours, jax)
        rows.append(
            {
                "activation": case.activation,
                "replicates": case.replicates,
                "ours, µs": statistics.median(ours.times),
                "JAX / ours": statistics.median(jax.ratios(ours)),
            }
        )
    return rows


def measure_libraries() -> Rows:
    from tests.benchmarks import training

    require("jax", "torch", "sklearn")
    systems, left_out = training.measure(training.BASE, "one", ROUNDS)
    _refuse(left_out, *systems)
    ours = next(system for system in systems if system.name == training.OURS)
    return [
        {
            "library": system.name,
            "µs a step": statistics.median(system.times),
            "times ours": statistics.median(system.ratios(ours)),
        }
        for system in systems
    ]


def _refuse(left_out: list[str], *systems: object) -> None:
    """Raise ValueError if a system is missing or its loss does not agree."""
    differs = [f"{s.name}: another loss" for s in systems if not s.agrees]  # type: ignore[attr-defined]
    if left_out or differs:
        raise ValueError("; ".join([*left_out, *differs]))


def measure_epoch() -> Rows:
    from tests.benchmarks import default_run

    names = [name for name in ACTIVATIONS if name != default_run.BASE]
    return default_run.measure(names, default_run.ROUNDS)


def measure_functions() -> Rows:
    import tempfile

    from tests.benchmarks.activations import compare
    from tests.benchmarks.processes import Worker

    require("torch")
    workers = {name: Worker("activations", name, [], "one") for name in ("runner", "PyTorch")}
    rows = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name in ACTIVATIONS:
                ours, theirs, ratios = compare(workers, name, "float32", ROUNDS, folder)
                rows.append(
                    {
                        "activation": name,
                        "ours, ms": statistics.median(ours),
                        "PyTorch, ms": statistics.median(theirs),
                        "PyTorch / ours": statistics.median(ratios),
                    }
                )
    finally:
        for worker in workers.values():
            worker.close()
    return rows


def measure_command() -> Rows:
    from tests.benchmarks.command import COMMANDS, YARDSTICK, run

    commands = {name: words for name, words in COMMANDS.items() if name != YARDSTICK}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, words in commands.items():
            times[name].append(run(words)[0])
    return [
        {"command": f"`{name}`", "seconds": statistics.median(taken)}
        for name, taken in times.items()
    ]


def measure_job() -> Rows:
    from tests.benchmarks.jobs import measured

    return [{"activation": name, **measured(name)} for name in ("relu", "gelu")]


def measure_growth() -> Rows:
    from tests.benchmarks.scaling import SETTINGS, sweep

    rows = []
    for name in SETTINGS:
        found, exponent = sweep(name, rounds=2)
        label, first, *_ = found[0]
        rows.append({"with": label, "from": first, "to": found[-1][1], "exponent": exponent})
    return rows


def measure_memory() -> Rows:
    from tests.benchmarks.memory import peaks

    names = ("command", "peak, MiB", "formula, MiB")
    return [dict(zip(names, found, strict=True)) for found in peaks()]


MILLISECONDS = ("steps", "recording", "data, network", "writing", "other")

TABLES = (
    Table(
        "question",
        "A whole question, from the command to the comparison",
        """The question: relu, tanh, gelu and silu at five learning rates on spirals, ten seeds
        each, with losses and accuracies of three splits after each of 100 epochs. The other
        programs were written by hand for it (`benchmarks/answers/`); their times include
        compilation. All train on two cores with the same data, initial weights and batches. "times
        ours" above 1: slower than ours.""",
        (*JOB, "runner/sweep/plan.py", "runner/sweep/sweep.py"),
        measure_question,
        side_by_side(("program",), {"seconds": "{:.2f}", "times ours": "{:.2f}"}),
        BOTH,
    ),
    Table(
        "libraries",
        "A training step of one network beside other libraries",
        """A network with hidden layers [32,32] and tanh, batches of 64, Adam, float32, one core.
        Microseconds per step, over whole trainings with shuffling; compilation is not counted.
        "times ours" above 1: slower than ours.""",
        STEP,
        measure_libraries,
        side_by_side(("library",), {"µs a step": "{:.1f}", "times ours": "{:.2f}"}),
        BOTH,
    ),
    Table(
        "step",
        "A training step by activation, beside JAX",
        """The network of the last table. Our time is in microseconds per replicate and step. JAX
        compiles one step (jit) for one replicate, and all steps of all replicates (vmap in a scan)
        for 32. "JAX / ours" above 1: ours is faster. With 32 replicates JAX is faster, because it
        fuses the operations of a step, while each NumPy operation passes through memory.""",
        STEP,
        measure_step,
        side_by_side(("activation", "replicates"), {"ours, µs": "{:.1f}", "JAX / ours": "{:.2f}"}),
        BOTH,
    ),
    Table(
        "epoch",
        "An epoch of a default run by activation",
        """Ten replicates of [16,16] on spirals, batch 32. Training takes 600 samples forward and
        backward; recording takes 1,000 forward and 256 backward.""",
        EPOCH,
        measure_epoch,
        side_by_side(
            ("activation",),
            {"training, ms": "{:.2f}", "recording, ms": "{:.2f}", "epoch / relu's": "{:.2f}"},
        ),
        BOTH,
    ),
    Table(
        "functions",
        "Activations alone",
        """Value and gradient of a million float32 numbers, one core. "PyTorch / ours" above 1: ours
        is faster. PyTorch is mostly faster, because it computes a function in one pass over
        memory, while NumPy makes one pass for each operation.""",
        FUNCTIONS,
        measure_functions,
        side_by_side(
            ("activation",),
            {"ours, ms": "{:.2f}", "PyTorch, ms": "{:.2f}", "PyTorch / ours": "{:.2f}"},
        ),
        BOTH,
    ),
    Table(
        "command",
        "A whole command",
        "Time from the shell to the last file. The first command draws six pictures.",
        (*JOB, "runner/__main__.py", "runner/one_run.py", "runner/config/compose.py"),
        measure_command,
        side_by_side(("command",), {"seconds": "{:.2f}"}),
        BOTH,
    ),
    Table(
        "job",
        "A job of a sweep",
        """Milliseconds of a run of ten replicates and 100 epochs on spirals without pictures, in a
        worker process that has started.""",
        JOB,
        measure_job,
        stacked(("activation",), dict.fromkeys(("whole", *MILLISECONDS), "{:.1f}")),
        BOTH,
    ),
    Table(
        "growth",
        "How training time grows",
        """Time is about proportional to a power of each of these; the table gives the exponent (1:
        twice as many take twice as long). Fitted to the upper half of the range, on one core.""",
        EPOCH,
        measure_growth,
        side_by_side(("with", "from", "to"), {"exponent": "{:.2f}"}),
    ),
    Table(
        "memory",
        "Peak memory of a run",
        """Largest resident set size of the command. "formula": the size of the smallest run plus
        what `benchmarks/memory.py` says the parameters, the optimizer, the data and the activations
        need.""",
        (*EPOCH, "runner/training/train.py"),
        measure_memory,
        side_by_side(("command",), {"peak, MiB": "{:.0f}", "formula, MiB": "{:.0f}"}),
    ),
)
