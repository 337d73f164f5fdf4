"""All tables, in the order of the README."""

from __future__ import annotations

from tests.tables import accuracy, conclusions, reliability, speed
from tests.tables.table import Table

SECTIONS: tuple[tuple[str, str, tuple[Table, ...]], ...] = (
    (
        "Accuracy",
        "Our functions keep their bounds for all floats. Library functions are often as exact, but "
        "many lose all digits in the tails, where their formula subtracts nearly equal numbers.",
        accuracy.TABLES,
    ),
    (
        "Conclusions",
        "Our statistics are tested on simulated scores and on large samples of trained networks, "
        "where the truth is known. They keep their rates, except if failures are so rare that the "
        "n seeds contain none.",
        conclusions.TABLES,
    ),
    (
        "Speed and memory",
        "Small networks train faster here than in PyTorch. JAX is slower if it runs one step at a "
        "time, and faster if it compiles many steps or replicates into one program. Single "
        "functions of large arrays are mostly slower here than in PyTorch.",
        speed.TABLES,
    ),
    ("Reliability", "", reliability.TABLES),
)
"""For each section: title, text and tables."""

TABLES = {table.name: table for _, _, tables in SECTIONS for table in tables}
