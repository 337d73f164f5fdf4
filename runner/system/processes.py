"""Run jobs in parallel processes so that a dying one costs only itself.

The standard library's pool, joblib's and loky's give up as a whole when one worker is
killed, and a sweep must not; the standard library's waits for ever after a Ctrl-C that comes
while it starts its processes. So each worker here is a plain process with a pipe: it is told
a job, answers, and is replaced when it dies. However the parent ends, its workers end too.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, Literal, TypeVar

from runner.system.command import keep_streams
from runner.system.files import reason
from runner.system.signals import follow_parent, signals_held
from runner.system.terminal import ConfigError

Job = TypeVar("Job")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SECONDS_BETWEEN_LOOKS = 0.1


def run_jobs(
    work: Callable[[Job], Any],
    jobs: Sequence[Job],
    processes: int,
    *,
    start: Literal["spawn", "fork"] = "spawn",
    stopped: Callable[[], bool] = lambda: False,
) -> Generator[tuple[int, Any, str | None], None, None]:
    """Yield (index, result, None) or (index, None, reason) as jobs end, in any order.

    A job that raises or whose process dies is reported with its reason, and the others go on.
    Spawned workers are fresh interpreters, which inherit neither threads nor locks; there
    ``work`` is a module's function. Forked ones share what the parent has read. Ends early,
    as soon as ``stopped`` says so; then, and when the iterator is closed, all workers are
    killed at once.
    """
    waiting = list(range(len(jobs)))[::-1]
    workers: list[_Worker] = []
    with _one_blas_thread_each():
        try:
            for _ in range(min(processes, len(jobs))):
                workers.append(_Worker(work, start))
                workers[-1].begin(waiting, jobs)
            while any(worker.index is not None for worker in workers):
                busy = {w.connection: w for w in workers if w.index is not None}
                for connection in wait(list(busy), SECONDS_BETWEEN_LOOKS):
                    worker = busy[connection]
                    yield worker.finish()
                    worker.begin(waiting, jobs)
                if stopped():
                    return
        finally:
            for worker in workers:
                worker.kill()


class _Worker:
    def __init__(self, work: Callable[[Any], Any], start: str) -> None:
        self.work, self.start = work, start
        self.index: int | None = None
        self.launch()

    def launch(self) -> None:
        context: Any = multiprocessing.get_context(self.start)
        self.connection, theirs = context.Pipe()
        try:
            process = context.Process(target=_serve, args=(theirs, self.work), daemon=True)
            if os.name == "posix":
                resource_tracker.ensure_running()  # which would let go of held signals
            with signals_held():
                process.start()
            self.process = process
        finally:
            theirs.close()

    def begin(self, waiting: list[int], jobs: Sequence[Any]) -> None:
        self.index = None
        if not waiting:
            return
        if not self.process.is_alive():
            self.connection.close()
            self.launch()
        self.index = waiting.pop()
        try:
            self.connection.send(jobs[self.index])
        except OSError:  # it has just died, as finish() will find
            pass

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
    follow_parent(_wait_for_parent)
    keep_streams()
    try:
        while True:
            job = connection.recv()
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
    except (EOFError, ConnectionError):  # the parent has gone
        return


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()


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
