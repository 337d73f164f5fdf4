"""Run jobs in parallel processes, so that a process that dies does not affect the others.

The standard library's pool, joblib's and loky's give up as a whole when one worker is
killed, and a sweep must not; the standard library's waits for ever after a Ctrl-C that comes
while it starts its processes. So each worker here is a plain process with a pipe: it is told
a job, answers, and is replaced when it dies. However the parent ends, its workers end too.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any, Literal, TypeVar

from runner.system.command import keep_streams
from runner.system.files import reason
from runner.system.signals import follow_parent, signals_held
from runner.system.terminal import ConfigError, WorkFailed

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
    workers: list[Worker] = []
    busy: dict[Any, tuple[Worker, int]] = {}

    def begin(worker: Worker) -> None:
        if waiting:
            index = waiting.pop()
            worker.begin(jobs[index])
            busy[worker.connection] = worker, index

    with one_blas_thread_each():
        try:
            for _ in range(min(processes, len(jobs))):
                workers.append(Worker(work, start))
                begin(workers[-1])
            while busy:
                for connection in wait(list(busy), SECONDS_BETWEEN_LOOKS):
                    worker, index = busy.pop(connection)
                    yield index, *worker.finish()
                    if waiting and not worker.process.is_alive():
                        workers.append(Worker(work, start))
                        worker = workers[-1]
                    begin(worker)
                if stopped():
                    return
        finally:
            for worker in workers:
                worker.kill()


class Worker:
    """A process that does one job after the other; it ends when this process does.

    Spawned, it is a fresh interpreter. Forked, which is safe only where there are no threads,
    it has whatever this process has.
    """

    def __init__(self, work: Callable[[Any], Any], start: Literal["spawn", "fork"]) -> None:
        context: Any = multiprocessing.get_context(start)
        self.connection, theirs = context.Pipe()
        try:
            self.process = context.Process(target=_serve, args=(theirs, work), daemon=True)
            if start == "spawn" and os.name == "posix":
                from multiprocessing import resource_tracker

                resource_tracker.ensure_running()  # which would let go of held signals
            with signals_held(), _main_set_aside(work):
                self.process.start()
        finally:
            theirs.close()

    def begin(self, job: Any) -> None:
        """Let the process do ``work(job)``."""
        try:
            self.connection.send(job)
        except OSError:  # it has died, as finish() will find
            pass

    def finish(self) -> tuple[Any, str | None]:
        """Wait for the end of the job, and return its result and why there is none."""
        try:
            result, why = self.connection.recv()
            return result, why
        except (EOFError, OSError):
            self.process.join()
            return None, _cause_of_death(self.process.exitcode)

    def kill(self) -> None:
        """End the process, whatever it is doing."""
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
            except Exception as error:
                answer = (None, cause(error))
            connection.send(answer)
    except (EOFError, ConnectionError):  # the parent has gone
        return


def cause(error: Exception) -> str:
    """Return why some work has failed, in one line: what is no mistake of the user's or of the
    system's with its type and place."""
    if isinstance(error, ConfigError | WorkFailed):
        return str(error)
    if isinstance(error, OSError):
        return reason(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(last.filename)}:{last.lineno}"
    return f"{type(error).__name__}: {' '.join(str(error).split())} ({place})"


@contextmanager
def _main_set_aside(work: Callable[[Any], Any]) -> Iterator[None]:
    """Let a fresh interpreter not import what this one runs, if ``work`` is not of it: a script
    without a guard would begin the same jobs again there."""
    main = sys.modules["__main__"]
    if getattr(work, "__module__", None) != main.__name__:
        sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


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
def one_blas_thread_each() -> Iterator[None]:
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
