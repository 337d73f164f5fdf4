"""The result of ``runner.propagate``, and the files that the command writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.propagate.prediction import prediction
from runner.propagate.propagation import Propagation
from runner.propagate.report import report
from runner.propagate.settings import Settings
from runner.propagate.simulation import simulate
from runner.results.lookup import Lookup
from runner.system.files import write_whole

if TYPE_CHECKING:  # which loads Matplotlib
    from runner.plots.style import Picture

JSON, PICTURE = "propagate.json", "propagate"


class Result(Propagation):
    """A propagation that can be drawn, written and printed as a table."""

    def figures(self) -> dict[str, Picture]:
        """Return the page of pictures as {"propagate": figure}, for a notebook."""
        from runner.propagate.picture import picture

        return Lookup("figures()", {PICTURE: picture(self)})

    def __repr__(self) -> str:
        return report(self)

    def write(self) -> None:
        """Write propagate.json and the picture into the settings' folder; each write is atomic.

        Raises OSError.
        """
        folder, form = self.settings.folder, self.settings.plots
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"
        drawn = None if form == "none" else self.figures()[PICTURE].encode(form)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / JSON, text)
        if drawn is not None:
            write_whole(folder / f"{PICTURE}.{form}", drawn)


def propagate(settings: Settings, progress: Callable[[float], None] = lambda share: None) -> Result:
    """Predict and measure. Raises ConfigError if the networks do not fit in memory."""
    measured = simulate(settings, progress)
    return Result(settings, prediction(settings), measured)
