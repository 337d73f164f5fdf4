"""Write the second half of ``tests/README.md``, the tables, from the data."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.processes import REPOSITORY
from tests.tables.catalogue import SECTIONS, TABLES
from tests.tables.table import NATIVE, Rows, Table

README = REPOSITORY / "tests" / "README.md"
MARKER = "<!-- From here on `python -m tests.tables` writes; edit tests/tables/ instead. -->\n"
COMMAND = "python -m tests.tables"


def written(text: str) -> str:
    """Return the README with its tables rewritten; tables without data are left out.

    Raises ValueError if it has no marker.
    """
    if text.count(MARKER) != 1:
        raise ValueError(f"tests/README.md must have one line {MARKER.strip()}")
    return text[: text.index(MARKER)] + MARKER + _tables()


def faults(text: str) -> list[str]:
    """Return a line for each table that is stale, or for the README if it was edited by hand."""
    found = [
        f"{fault}; renew it by {COMMAND} --measure {name}"
        for name, table in TABLES.items()
        if (fault := table.fault())
    ]
    try:
        if text != written(text):
            found.append(_edited(text))
    except ValueError as error:
        found.append(str(error))
    return found


def _edited(text: str) -> str:
    """Return a line that names where the README differs from the data."""
    for name, data in _data().items():
        if TABLES[name].render(data["rows"]) not in text:
            return f"table {name} of tests/README.md is not that of its data; write it by {COMMAND}"
    return f"tests/README.md was edited below its marker; write it by {COMMAND}"


def _data() -> dict[str, dict[str, Any]]:
    return {name: table.load() for name, table in TABLES.items() if table.path.exists()}


def _tables() -> str:
    loaded = _data()
    machines: dict[str, dict[str, str]] = {}
    for data in loaded.values():
        machines.setdefault(data["machine"], {}).update(data["processors"])
    letters = dict(zip(machines, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", strict=False))
    parts = []
    for title, text, tables in SECTIONS:
        parts.append(f"## {title}\n\n{text}".strip())
        for table in tables:
            if table.name not in loaded:
                continue
            data = loaded[table.name]
            place = f"{data['date']}, machine {letters[data['machine']]}"
            parts.append(_table(table, data["rows"], place))
    parts.append("## Machines")
    for machine, kinds in machines.items():
        shown = {kind: words for kind, words in kinds.items() if kind != NATIVE} or kinds
        lines = [f"* {kind}: {words}" for kind, words in sorted(shown.items(), reverse=True)]
        parts.append("\n".join([f"{letters[machine]}: {machine}.\n", *lines]))
    return "\n" + "\n\n".join(parts) + "\n"


def _table(table: Table, rows: dict[str, Rows], measured: str) -> str:
    text = " ".join(table.text.split())
    return (
        f"### {table.title}\n\n{text}\n\n{table.render(rows)}\n\n"
        f"<sub>`{COMMAND} --measure {table.name}`, {measured}</sub>"
    )
