"""All tables, in the order of the README."""

from __future__ import annotations

from tests.tables import accuracy, conclusions, reliability, speed
from tests.tables.table import Table

SECTIONS: tuple[tuple[str, str, tuple[Table, ...]], ...] = (
    ("Accuracy", "", accuracy.TABLES),
    (
        "Conclusions",
        "These tables test our conclusions on simulated scores, where the truth is known.",
        conclusions.TABLES,
    ),
    ("Speed and memory", "", speed.TABLES),
    ("Reliability", "", reliability.TABLES),
)
"""For each section: title, text and tables."""

TABLES = {table.name: table for _, _, tables in SECTIONS for table in tables}
