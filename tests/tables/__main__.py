"""Write, check or measure the tables of ``tests/README.md``."""

from __future__ import annotations

import argparse
import sys

from tests.tables import __doc__ as description
from tests.tables.catalogue import TABLES
from tests.tables.readme import README, faults, written


def main(arguments: list[str] | None = None) -> int:
    """Return 0, 1 if a table is stale or edited by hand, or 2 after a one-line error."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.tables",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--check", action="store_true", help="write nothing; exit status 1 if a table is stale"
    )
    what.add_argument(
        "--measure",
        nargs="*",
        metavar="NAME",
        help=f"tables to measure (default: every stale one): {', '.join(TABLES)}",
    )
    options = parser.parse_args(arguments)
    text, names = README.read_text(encoding="utf-8"), options.measure
    if options.check:
        return _end(1, faults(text))
    if unknown := [name for name in names or () if name not in TABLES]:
        return _end(2, [f"error: table {unknown[0]} is unknown; known: {', '.join(TABLES)}"])
    failed = []
    if names is not None:
        from tests.tables.measure import measure  # imports the packages for measuring

        stale = [name for name, table in TABLES.items() if table.fault()]
        failed = measure([TABLES[name] for name in names or stale])
    try:
        README.write_text(written(text), encoding="utf-8")
    except ValueError as error:
        failed.append(str(error))
    return _end(2, [f"error: {line}" for line in failed])


def _end(status: int, lines: list[str]) -> int:
    """Print the lines and return the exit status, which is 0 if there are none."""
    for line in lines:
        print(line, file=sys.stderr)
    return status if lines else 0


if __name__ == "__main__":
    sys.exit(main())
