"""Draw in a second process, which loads Matplotlib while the first process trains.

Loading Matplotlib takes as long as training a small network. The process is forked as soon as the
command line is parsed. The only other threads then belong to the BLAS, which can be forked safely.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager

from runner.system.processes import Worker, available_cores, cause
from runner.system.terminal import WorkFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    Order = tuple[Sequence[str], Path, str] | None


class DrawingError(WorkFailed):
    """A run's pictures cannot be drawn; its other files are kept. The message is one line."""

    def __init__(self, folder: Path | str, why: str) -> None:
        super().__init__(f"{folder}: the pictures cannot be drawn: {why}; everything else is kept")


def draw(folder: Path | str, format: str) -> list[Path]:
    """Draw a run's pictures and return their files, as ``plots.draw`` does.

    Raises DrawingError for any error, because the user's Matplotlib may raise any.
    """
    with _drawing_error(folder):
        from runner import plots

        return plots.draw(folder, format)


def animate(folder: Path | str) -> list[Path]:
    """Draw a run's animation and return its files, as ``plots.animate`` does.

    Raises DrawingError as ``draw`` does.
    """
    with _drawing_error(folder):
        from runner import plots

        return plots.animate(folder)


@contextmanager
def _drawing_error(folder: Path | str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise DrawingError(folder, cause(error)) from error


class Artist:
    """A process that loads Matplotlib, then waits for a folder to draw."""

    def __init__(self) -> None:
        self.worker = Worker(_carry_out, "fork")
        self.worker.begin(None)

    @classmethod
    def start(cls) -> Artist | None:
        """Return a drawing process, or None without a second core or a safe fork (Linux only).

        Raises OSError if the process cannot be started.
        """
        return cls() if sys.platform == "linux" and available_cores() > 1 else None

    def draw(self, extensions: Sequence[str], folder: Path, format: str) -> None:
        """Load the extensions in the other process and draw there. Raises DrawingError."""
        self.worker.finish()  # an error while loading Matplotlib appears again when drawing
        self.worker.begin((list(extensions), folder, format))
        _, why = self.worker.finish()
        if why:
            raise DrawingError(folder, why)

    def close(self) -> None:
        """Kill the process."""
        self.worker.kill()


def _carry_out(order: Order) -> None:
    from runner import plots

    if order is None:
        plots.load()
        return
    extensions, folder, format = order
    if extensions:
        from runner.config.extensions import load_extensions  # loads Hydra

        load_extensions(extensions)
    plots.draw(folder, format)
