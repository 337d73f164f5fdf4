"""Ctrl-C and SIGTERM: end so that the same command can resume."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType


SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOTICE = "interrupted; the same command resumes the work"


class Terminated(KeyboardInterrupt):
    """SIGTERM has come."""

    signal_number = signal.SIGTERM


def stopped_by(number: int) -> KeyboardInterrupt:
    """Return what to raise when this signal has ended some work."""
    return Terminated() if number == signal.SIGTERM else KeyboardInterrupt()


def signal_of(stop: KeyboardInterrupt) -> int:
    """Return the number of the signal that has come."""
    return int(getattr(stop, "signal_number", signal.SIGINT))


def exit_status(stop: KeyboardInterrupt) -> int:
    """Return the shell's convention for a process that a signal has ended."""
    return 128 + signal_of(stop)


def end_on_signals() -> None:
    """Let Ctrl-C and SIGTERM end this process at once, in one line.

    Nothing is raised: an exception could come while modules are imported, or be swallowed.
    What is written is whole at any moment, and worker processes end with this one. A signal
    that is ignored, as Ctrl-C is in the background, stays so.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    with suppress(OSError):
        os.write(2, f"{NOTICE}\n".encode())
    os._exit(128 + number)


@contextmanager
def signals_held() -> Iterator[None]:
    """Keep signals from a process that is started here until it calls ``follow_parent``.

    It inherits that they are held; this process receives its own afterwards.
    """
    if os.name != "posix":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def follow_parent(wait_for_parent: Callable[[], object]) -> None:
    """Leave Ctrl-C to the process that has started this one, and end when that one ends.

    ``wait_for_parent`` returns then; it waits in a thread of its own.
    """

    def watch() -> None:
        wait_for_parent()
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if os.name == "posix":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def raising() -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM raise, where others' code has to clean up after it."""

    def receive(number: int, frame: FrameType | None) -> None:
        _handle(before)
        raise stopped_by(number)

    before = _handlers()
    _handle(dict.fromkeys(before, receive))
    try:
        yield
    finally:
        _handle(before)


class Listener:
    """Remembers the first signal, for a loop that ends itself between two rounds."""

    received: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Let the first Ctrl-C or SIGTERM be remembered only; a second one has the effect that
        it had before, which is to end at once."""
        self.before = _handlers()
        _handle(dict.fromkeys(self.before, self._receive))
        try:
            yield
        finally:
            _handle(self.before)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        _handle(self.before)
        self.received = number


def _handlers() -> dict[int, Any]:
    """Return what handles the signals; only the main thread may change that, and a signal that
    is ignored, as Ctrl-C is in the background, stays so."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    return {n: handler for n, handler in handlers.items() if handler is not signal.SIG_IGN}


def _handle(handlers: Mapping[int, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
