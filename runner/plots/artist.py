"""Draw in a second process, which loads Matplotlib while the first one composes and trains.

Loading Matplotlib takes as long as training a small network. The process is forked before
anything else is loaded, when there are no threads that a fork could leave behind.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from functools import partial

from runner.system.signals import follow_parent, signals_held
from runner.system.terminal import WorkFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class DrawingError(WorkFailed):
    """A run's pictures cannot be drawn, in one line; its data are there."""


def draw(folder: Path | str, format: str) -> list[Path]:
    """Draw a run's pictures and return their files, as ``plots.draw`` does.

    Raises DrawingError whatever goes wrong, as Matplotlib itself is the user's.
    """
    try:
        from runner import plots

        return plots.draw(folder, format)
    except Exception as error:
        raise DrawingError(_line(folder, _words(error))) from error


class Artist:
    """A process that waits for a folder to draw."""

    def __init__(self, pid: int, orders: int, answers: int, lifeline: int) -> None:
        self.pid, self.orders, self.answers, self.lifeline = pid, orders, answers, lifeline

    @classmethod
    def start(cls) -> Artist | None:
        """Return a drawing process, or None where a second core or a safe fork is missing.

        Raises OSError if it cannot be started.
        """
        if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
            return None
        theirs, orders = os.pipe()
        answers, back = os.pipe()
        watched, lifeline = os.pipe()
        with signals_held():
            pid = os.fork()
            if pid == 0:
                try:
                    for descriptor in (orders, answers, lifeline):
                        os.close(descriptor)
                    follow_parent(partial(os.read, watched, 1))
                    _serve(theirs, back)
                finally:
                    os._exit(0)
        for descriptor in (theirs, back, watched):
            os.close(descriptor)
        return cls(pid, orders, answers, lifeline)

    def draw(self, extensions: Sequence[str], folder: Path, format: str) -> None:
        """Draw a run's pictures after loading the extensions, which the other process has
        never seen. Raises DrawingError."""
        order = json.dumps([list(extensions), str(folder), format])
        try:
            os.write(self.orders, order.encode() + b"\n")
            with os.fdopen(os.dup(self.answers), encoding="utf-8") as answers:
                answer = answers.readline()
        except BrokenPipeError:
            answer = ""
        if answer != "\n":
            raise DrawingError(answer.strip() or _line(folder, "the process that draws has died"))

    def close(self) -> None:
        """End the process, whatever it is doing."""
        for descriptor in (self.orders, self.answers, self.lifeline):
            os.close(descriptor)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _serve(orders: int, answers: int) -> None:
    problem = None
    try:
        from runner import plots
        from runner.config.extensions import load_extensions

        plots.load()
    except Exception as error:
        problem = error
    with os.fdopen(orders, encoding="utf-8") as lines, os.fdopen(answers, "wb", 0) as back:
        for line in lines:
            extensions, folder, form = json.loads(line)
            try:
                if problem:
                    raise problem
                load_extensions(extensions)
                plots.draw(folder, form)
                answer = ""
            except Exception as error:
                answer = _line(folder, _words(error))
            back.write(answer.encode() + b"\n")


def _words(error: Exception) -> str:
    from runner.system.files import reason

    words = reason(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
    return " ".join(words.split())


def _line(folder: Path | str, words: str) -> str:
    return f"{folder}: the pictures cannot be drawn: {words}; everything else is kept"
