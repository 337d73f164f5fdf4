"""Measure tables, in a new process for each table and kind of processor.

``python -m tests.tables.measure NAME FILE`` is the command of such a process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from runner.system.bar import Bar
from runner.system.blas import controller
from tests.activations.dispatch import HAS, WIDEST
from tests.benchmarks.processes import REPOSITORY, avx2_variables, machine, versions
from tests.tables.fingerprint import fingerprint
from tests.tables.table import AVX2, AVX512, Rows, Table

PACKAGES = ["numpy", "scikit-learn", "torch", "jax"]


def measure(tables: list[Table]) -> list[str]:
    """Measure these tables one after another and write their data.

    Returns a line for each table that could not be measured; its data do not change.
    """
    failed = []
    with Bar(total=sum(len(table.kinds) for table in tables), disable=None) as bar:
        for table in tables:
            started = time.perf_counter()
            about: dict[str, Any] = {
                "date": date.today().isoformat(),
                "machine": f"{machine()}, {versions(PACKAGES)}",
                "processors": {},
                "fingerprint": fingerprint(table.code),
            }
            rows: dict[str, Rows] = {}
            try:
                for kind in table.kinds:
                    bar.set_description(f"{table.name}, {kind}")
                    about["processors"][kind], rows[kind] = _answer(table, kind)
                    bar.update()
            except ValueError as error:
                failed.append(str(error))
                continue
            about["seconds"] = round(time.perf_counter() - started)
            table.save(about, rows)
            print(f"{table.name}: {about['seconds']} s", flush=True)
    return failed


def _answer(table: Table, kind: str) -> tuple[str, Rows]:
    """Measure a table on a kind of processor; return its description and the rows.

    Raises ValueError if this machine does not have that kind, or if measuring fails.
    """
    if kind == AVX512 and not WIDEST:
        raise ValueError(f"table {table.name} needs a processor with AVX-512")
    variables = avx2_variables() if kind == AVX2 else {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        done = subprocess.run(
            [sys.executable, "-m", "tests.tables.measure", table.name, str(path)],
            cwd=REPOSITORY,
            env=os.environ | variables,
            stdout=sys.stderr,
            check=False,
        )
        if done.returncode:
            raise ValueError(f"table {table.name} could not be measured, see above")
        processor, rows = json.loads(path.read_text(encoding="utf-8"))
        return processor, rows


def processor() -> str:
    """Return the processor features that NumPy's loops and its BLAS use."""
    (blas, *_) = controller().select(user_api="blas").info()
    kernel = f"{blas['internal_api']} {blas['version']} {blas.get('architecture', '')}".strip()
    return f"NumPy's {' '.join(HAS) or 'baseline'}, {kernel}"


def main() -> None:
    from tests.tables.catalogue import TABLES

    name, path = sys.argv[1:]
    try:
        answer = [processor(), TABLES[name].measure()]
    except (ValueError, RuntimeError) as error:
        sys.exit(f"error: {error}")
    Path(path).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
