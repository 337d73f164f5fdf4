"""Run jobs in parallel processes so that a dying one costs only itself.

The standard library's pool, joblib's and loky's give up as a whole when one worker is
killed, and a sweep must not. So each worker here is a plain process with a pipe: it is told
a job, answers, and is replaced when it dies.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from runner.choices import ConfigError
from runner.whole_files import reason

Job = TypeVar("Job")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_jobs(
    work: Callable[[Job], Any], jobs: Sequence[Job], processes: int
) -> Generator[tuple[int, Any, str | None], None, None]:
    """Yield (index, result, None) or (index, None, reason) as jobs end, in any order.

    ``work`` is a module's function; a job that raises or whose process dies is reported with
    its reason, and the others go on. Closing the iterator ends all workers at once.
    """
    waiting = list(range(len(jobs)))[::-1]
    with _one_blas_thread_each():
        workers = [_Worker(work) for _ in range(min(processes, len(jobs)))]
        try:
            for worker in workers:
                worker.start(waiting, jobs)
            while any(worker.index is not None for worker in workers):
                busy = {w.connection: w for w in workers if w.index is not None}
                for connection in wait(list(busy)):
                    worker = busy[connection]  # type: ignore[index]
                    yield worker.finish()
                    worker.start(waiting, jobs)
        finally:
            for worker in workers:
                worker.kill()


class _Worker:
    def __init__(self, work: Callable[[Any], Any]) -> None:
        self.work = work
        self.index: int | None = None
        self.launch()

    def launch(self) -> None:
        # A fresh interpreter: a fork would inherit the parent's BLAS threads and locks.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, self.work), daemon=True)
        self.process.start()
        theirs.close()

    def start(self, waiting: list[int], jobs: Sequence[Any]) -> None:
        self.index = None
        if waiting:
            if not self.process.is_alive():
                self.launch()
            self.index = waiting.pop()
            self.connection.send(jobs[self.index])

    def finish(self) -> tuple[int, Any, str | None]:
        assert self.index is not None
        try:
            result, reason = self.connection.recv()
            return self.index, result, reason
        except (EOFError, OSError):
            self.process.join()
            return self.index, None, _cause_of_death(self.process.exitcode)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _serve(connection: Connection, work: Callable[[Any], Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            answer: tuple[Any, str | None] = (work(job), None)
        except ConfigError as error:
            answer = (None, str(error))
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{os.path.basename(last.filename)}:{last.lineno}"
            words = reason(error) if isinstance(error, OSError) else str(error)
            answer = (None, f"{type(error).__name__}: {words} ({place})")
        connection.send(answer)


def _cause_of_death(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = ", perhaps out of memory" if name == "SIGKILL" else ""
        return f"its process was killed by {name}{hint}"
    return f"its process ended with status {exitcode}"


@contextmanager
def _one_blas_thread_each() -> Iterator[None]:
    """Let the workers' BLAS start no threads that training would not use."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def available_cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
