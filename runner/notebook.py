"""What ``run`` and ``load_run`` return: a run that can also be drawn."""

from __future__ import annotations

import os
from typing import Any

from runner import plots
from runner.results.run import Run, load_run


class Result(Run):
    """A finished run, and its pictures."""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Result:
        """Read a run's folder. Raises ValueError if it holds no finished run."""
        run = load_run(path)
        return cls(run.path, run.config, run.summary, run.history)

    def figures(self) -> dict[str, Any]:
        """Return the run's pictures by name, as Matplotlib figures that show in a notebook."""
        return plots.figures(self)
