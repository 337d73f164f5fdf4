"""Handle Ctrl-C and SIGTERM: stop in a state from which the same command can resume."""

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
    """Raised after SIGTERM."""

    signal_number = signal.SIGTERM


def interrupt_for(number: int) -> KeyboardInterrupt:
    """Return the exception for work that this signal has stopped."""
    return Terminated() if number == signal.SIGTERM else KeyboardInterrupt()


def signal_of(stop: KeyboardInterrupt) -> int:
    """Return the number of the signal that caused ``stop``."""
    return int(getattr(stop, "signal_number", signal.SIGINT))


def exit_status(stop: KeyboardInterrupt) -> int:
    """Return 128 + the signal's number, the shell's exit status after a signal."""
    return 128 + signal_of(stop)


def end_on_signals() -> None:
    """Make Ctrl-C and SIGTERM end this process at once, after one line on stderr.

    No exception is raised, because it could interrupt an import or be swallowed. Ending at once is
    safe: files are written atomically, and worker processes end when this process ends. A signal
    that is ignored, as Ctrl-C is in a background job, stays ignored.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    with suppress(OSError):
        os.write(2, f"{NOTICE}\n".encode())
    os._exit(128 + number)


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Block signals, so that a process started inside starts with them blocked.

    The new process unblocks them in ``exit_with_parent``. This process receives its pending signals
    when the context ends.
    """
    if os.name != "posix":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def exit_with_parent(wait_for_parent: Callable[[], object]) -> None:
    """Ignore Ctrl-C, which the parent process handles, and end when the parent ends.

    ``wait_for_parent`` runs in a thread of its own and returns when the parent has ended.
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
def raise_on_signals() -> Iterator[None]:
    """Make the first Ctrl-C or SIGTERM raise, so that other libraries can clean up."""

    def receive(number: int, frame: FrameType | None) -> None:
        _handle(before)
        raise interrupt_for(number)

    before = _handlers()
    _handle(dict.fromkeys(before, receive))
    try:
        yield
    finally:
        _handle(before)


class Listener:
    """Stores the first signal in ``received``; a loop can check it between two iterations."""

    received: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Store the first Ctrl-C or SIGTERM. A second one has its usual effect: it ends at once."""
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
    """Return the current handlers of the signals that may be changed.

    There are none outside the main thread, which alone may change handlers. An ignored signal, as
    Ctrl-C is in a background job, is left out and so stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    return {n: handler for n, handler in handlers.items() if handler is not signal.SIG_IGN}


def _handle(handlers: Mapping[int, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
