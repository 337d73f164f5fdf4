"""Ctrl-C and SIGTERM: end at a place from which the same command can go on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.outcomes import Training


class Terminated(KeyboardInterrupt):
    """SIGTERM has come."""


class Interrupted(KeyboardInterrupt):
    """A signal has ended training after a whole epoch; what was reached is kept.

    Attributes:
        signal_number: what ended it.
        reached: the replicates trained so far, for who wants to look at them.
    """

    reached: Training

    def __init__(self, share: float, place: Path, signal_number: int) -> None:
        super().__init__(
            f"interrupted after {share:.0%} of the training, which is kept in {place}; "
            "the same command goes on from there"
        )
        self.place, self.signal_number = place, signal_number


def exit_status(stop: KeyboardInterrupt) -> int:
    """Return the shell's convention for a process that a signal has ended."""
    if isinstance(stop, Interrupted):
        return 128 + stop.signal_number
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


def terminate_like_ctrl_c() -> None:
    """Let SIGTERM raise Terminated in the main thread, where it would end without a word."""

    def receive(number: int, frame: FrameType | None) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, receive)


class Listener:
    """Remembers the first signal, for a loop that ends itself between two rounds."""

    received: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Let the first Ctrl-C or SIGTERM be remembered only, a second one end at once.

        Only the main thread may handle signals; elsewhere they are left alone, and one that
        is ignored, as Ctrl-C is in the background, stays so.
        """
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        if threading.current_thread() is not threading.main_thread():
            before = {}
        before = {n: handler for n, handler in before.items() if handler is not signal.SIG_IGN}
        for number in before:
            signal.signal(number, self._receive)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
