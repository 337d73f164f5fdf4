"""All tables, in the order of the README."""

from __future__ import annotations

from tests.tables import accuracy, conclusions, reliability, speed
from tests.tables.table import Table

SECTIONS: tuple[tuple[str, str, tuple[Table, ...]], ...] = (
    ("Accuracy", "", accuracy.TABLES),
    (
        "Conclusions",
        "How reliable conclusions from a few seeds are, tested on made-up scores with known truth.",
        conclusions.TABLES,
    ),
    ("Speed and memory", "", speed.TABLES),
    ("Reliability", "", reliability.TABLES),
)
"""A title, what holds for all of its tables, and these."""

TABLES = {table.name: table for _, _, tables in SECTIONS for table in tables}
