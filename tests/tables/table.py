"""A table: its measurement, its data, and whether they are stale."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.processes import table as markdown
from tests.tables.fingerprint import fingerprint

DATA = Path(__file__).parent / "data"
NATIVE, AVX512, AVX2 = "native", "AVX-512", "AVX2"
"""Kinds of processor: this machine's; this machine's with AVX-512; with AVX-512 switched off."""

Row = dict[str, Any]
"""Numbers or texts by column."""
Rows = list[Row]


@dataclass(frozen=True)
class Table:
    """One table of ``tests/README.md``.

    Attributes:
        name: of its data file, and for ``--measure``.
        title: its heading in the README.
        text: what it shows, in Markdown.
        code: the parts of the repository that it measures, see ``fingerprint``.
        measure: returns the rows on this process's kind of processor; imports what it needs.
        render: returns Markdown for the rows of each kind of processor.
        kinds: the kinds of processor that it is measured on.
    """

    name: str
    title: str
    text: str
    code: tuple[str, ...]
    measure: Callable[[], Rows]
    render: Callable[[dict[str, Rows]], str]
    kinds: tuple[str, ...] = (NATIVE,)

    @property
    def path(self) -> Path:
        return DATA / f"{self.name}.json"

    def load(self) -> dict[str, Any]:
        """Return the data. Raises ValueError if there are none."""
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ValueError(f"table {self.name} was never measured") from None

    def save(self, about: dict[str, Any], rows: dict[str, Rows]) -> None:
        """Write the data: one line per row, numbers with six digits."""
        lists = []
        for kind, found in rows.items():
            lines = ",\n".join(f"   {json.dumps(_short(row), ensure_ascii=False)}" for row in found)
            lists.append(f"  {json.dumps(kind)}: [\n{lines}\n  ]")
        head = json.dumps(about, indent=1, ensure_ascii=False).removesuffix("\n}")
        joined = ",\n".join(lists)
        self.path.write_text(f'{head},\n "rows": {{\n{joined}\n }}\n}}\n', encoding="utf-8")

    def fault(self) -> str:
        """Return why the data are missing or stale, or "" if they are current."""
        try:
            then, now = self.load()["fingerprint"], fingerprint(self.code)
        except ValueError as error:
            return str(error)
        return "" if now == then else f"table {self.name} is stale: what it measures has changed"


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_short(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def require(*packages: str) -> None:
    """Raise ValueError if a library of the comparison is not installed."""
    if missing := [name for name in packages if importlib.util.find_spec(name) is None]:
        raise ValueError(f"not installed: {', '.join(missing)}; pip install -e '.[bench]'")


def side_by_side(
    keys: tuple[str, ...], numbers: dict[str, str]
) -> Callable[[dict[str, Rows]], str]:
    """Return a renderer: the columns ``keys``, then ``numbers`` for each kind of processor.

    ``numbers`` has a format for each column. If there are several kinds, headings name them.
    """

    def render(rows: dict[str, Rows]) -> str:
        header = [*keys]
        lines = [[str(row[key]) for key in keys] for row in next(iter(rows.values()))]
        for kind, found in rows.items():
            header += [name if len(rows) == 1 else f"{kind}: {name}" for name in numbers]
            for line, row in zip(lines, found, strict=True):
                line += [cell(row[name], form) for name, form in numbers.items()]
        return markdown(header, lines)

    return render


def stacked(keys: tuple[str, ...], numbers: dict[str, str]) -> Callable[[dict[str, Rows]], str]:
    """Return a renderer for many numbers: one row per kind of processor."""

    def render(rows: dict[str, Rows]) -> str:
        lines = [
            [*(str(row[key]) for key in keys), kind, *(cell(row[n], f) for n, f in numbers.items())]
            for kind, found in rows.items()
            for row in found
        ]
        return markdown([*keys, "processor", *numbers], lines)

    return render


def cell(value: Any, form: str) -> str:
    """Return a number or a list of numbers in their format; a text is returned unchanged."""
    if value is None or isinstance(value, str):
        return value or ""
    return form.format(*value) if isinstance(value, list) else form.format(value)
