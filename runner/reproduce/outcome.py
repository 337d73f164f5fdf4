"""Run reproductions in parallel and check their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from runner.plots.style import style
from runner.reproduce.catalogue import REPRODUCTIONS
from runner.reproduce.figure import blank
from runner.reproduce.reproduction import Expected, Reproduction
from runner.system.processes import available_cores, run_jobs
from runner.system.terminal import Progress


@dataclass(frozen=True)
class Outcome:
    """A reproduction and our ``values`` by quantity, or the ``problem`` that prevented them."""

    reproduction: Reproduction
    values: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""

    @property
    def passes(self) -> bool:
        return bool(self.values) and all(self.holds(one) for one in self.reproduction.expected)

    @property
    def fails(self) -> bool:
        """Whether a quantity is outside its tolerance or missing; a skipped result never fails."""
        return not self.passes and not self.skipped

    @property
    def skipped(self) -> bool:
        return bool(self.reproduction.missing)

    def holds(self, expected: Expected) -> bool:
        """Return whether our value is in the interval; NaN is not."""
        return bool(expected.low <= self.values.get(expected.what, np.nan) <= expected.high)

    @property
    def status(self) -> str:
        """For example "pass, 7 of 7", "FAIL, 6 of 7" or "skipped: needs scikit-learn"."""
        if self.skipped:
            return f"skipped: needs {self.reproduction.missing}"
        if self.problem:
            return f"FAIL: {self.problem}"
        held = sum(map(self.holds, self.reproduction.expected))
        count = f"{held} of {len(self.reproduction.expected)}"
        return f"pass, {count}" if self.passes else f"FAIL, {count}"

    def to_json(self) -> dict[str, Any]:
        quantities = [
            {
                "quantity": one.what,
                "expected": one.value if np.isfinite(one.value) else None,
                "low": one.low,
                "high": one.high,
                "provenance": one.provenance,
                "ours": self.values.get(one.what),
                "passes": self.holds(one),
            }
            for one in self.reproduction.expected
        ]
        return {"status": self.status, "quantities": quantities}


def reproduce(chosen: Sequence[Reproduction], folder: Path, progress: Progress) -> list[Outcome]:
    """Return the outcome of each reproduction; figures and runs are written into ``folder``.

    The longest start first, so that no core is still busy with a long one at the end.
    """
    able = sorted((one for one in chosen if not one.missing), key=lambda one: -one.seconds)
    found = {one.name: Outcome(one) for one in chosen if one.missing}
    work = partial(measured_in, folder)
    names = [one.name for one in able]
    total, done = sum(one.seconds for one in able), 0.0
    for index, values, problem in run_jobs(work, names, available_cores()):
        found[names[index]] = Outcome(able[index], values or {}, problem or "")
        done += able[index].seconds
        progress(done / total)
    return [found[one.name] for one in chosen]


def measured_in(folder: Path, name: str) -> dict[str, float]:
    """Measure one reproduction and write its figure into ``folder``; runs in a worker process."""
    reproduction = REPRODUCTIONS[name]
    with style():
        picture = blank(reproduction)
        values = reproduction.measure(folder / "runs", picture)
    picture.write(folder / f"{name}.png")
    return {what: float(value) for what, value in values.items()}
