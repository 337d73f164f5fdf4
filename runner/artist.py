"""Draw in a second process, which loads Matplotlib while the first one composes and trains.

Loading Matplotlib takes as long as training a small network. The process is forked before
anything else is loaded, when there are no threads that a fork could leave behind.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path


class Artist:
    """A process that waits for a folder to draw."""

    def __init__(self, pid: int, orders: int, answers: int) -> None:
        self.pid, self.orders, self.answers = pid, orders, answers

    @classmethod
    def start(cls) -> Artist | None:
        """Return a drawing process, or None where a second core or a safe fork is missing."""
        if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
            return None
        theirs, orders = os.pipe()
        answers, back = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(orders)
                os.close(answers)
                _serve(theirs, back)
            finally:
                os._exit(0)
        os.close(theirs)
        os.close(back)
        return cls(pid, orders, answers)

    def draw(self, extensions: Sequence[str], folder: Path, format: str) -> None:
        """Draw a run's pictures, as ``plots.draw`` does, after loading the extensions, which
        the other process has never seen. Raises OSError if that fails."""
        order = json.dumps([list(extensions), str(folder), format])
        os.write(self.orders, order.encode() + b"\n")
        with os.fdopen(os.dup(self.answers), encoding="utf-8") as answers:
            answer = answers.readline()
        if answer != "\n":
            raise OSError(answer.strip() or "the drawing process died")

    def close(self) -> None:
        """End the process, whatever it is doing."""
        os.close(self.orders)
        os.close(self.answers)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _serve(orders: int, answers: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the other process's to handle
    from runner import plots
    from runner.extensions import load_extensions
    from runner.whole_files import reason

    with os.fdopen(orders, encoding="utf-8") as lines, os.fdopen(answers, "wb", 0) as back:
        for line in lines:  # ends when the other process does
            extensions, folder, form = json.loads(line)
            try:
                load_extensions(extensions)
                plots.draw(folder, form)
                back.write(b"\n")
            except Exception as error:
                words = reason(error) if isinstance(error, OSError) else repr(error)
                text = " ".join(words.split())
                back.write(text.encode() + b"\n")
