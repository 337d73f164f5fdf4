"""Run jobs in parallel processes; if one process dies, the others continue.

The process pools of the standard library, joblib and loky stop completely if one worker is killed,
which a sweep must not do. The standard library's pool also hangs after a Ctrl-C during its start.
Here each worker is therefore a plain process with a pipe. It receives a job, returns the result,
and is replaced if it dies. Workers end whenever and however their parent ends.
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

from runner.system.command import tolerate_closed_streams
from runner.system.files import reason
from runner.system.signals import exit_with_parent, signals_blocked
from runner.system.terminal import ConfigError, WorkFailed

Job = TypeVar("Job")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
POLL_SECONDS = 0.1


def run_jobs(
    work: Callable[[Job], Any],
    jobs: Sequence[Job],
    processes: int,
    *,
    start: Literal["spawn", "fork"] = "spawn",
    stopped: Callable[[], bool] = lambda: False,
) -> Generator[tuple[int, Any, str | None], None, None]:
    """Yield (index, result, None) or (index, None, reason) as jobs end, in any order.

    If a job raises or its process dies, its reason is yielded and the other jobs continue. Spawned
    workers are new interpreters, which inherit neither threads nor locks; ``work`` must then be a
    function of a module. Forked workers share the memory of the parent. The iterator ends early if
    ``stopped`` returns True. When it ends or is closed, all workers are killed.
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
                for connection in wait(list(busy), POLL_SECONDS):
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
    """A process that runs one job after another and ends when this process ends.

    A spawned process is a new interpreter. A forked process is a copy of this one; forking is safe
    only if there are no threads.
    """

    def __init__(self, work: Callable[[Any], Any], start: Literal["spawn", "fork"]) -> None:
        context: Any = multiprocessing.get_context(start)
        self.connection, theirs = context.Pipe()
        try:
            self.process = context.Process(target=_serve, args=(theirs, work), daemon=True)
            if start == "spawn" and os.name == "posix":
                from multiprocessing import resource_tracker

                resource_tracker.ensure_running()  # here, because it unblocks signals
            with signals_blocked(), _without_main_module(work):
                self.process.start()
        finally:
            theirs.close()

    def begin(self, job: Any) -> None:
        """Start ``work(job)`` in the process."""
        try:
            self.connection.send(job)
        except OSError:  # the process has died; finish() reports it
            pass

    def finish(self) -> tuple[Any, str | None]:
        """Wait for the job to end; return (result, None) or (None, reason)."""
        try:
            result, why = self.connection.recv()
            return result, why
        except (EOFError, OSError):
            self.process.join()
            return None, _cause_of_death(self.process.exitcode)

    def kill(self) -> None:
        """Kill the process and wait until it has ended."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def _serve(connection: Connection, work: Callable[[Any], Any]) -> None:
    exit_with_parent(_wait_for_parent)
    tolerate_closed_streams()
    try:
        while True:
            job = connection.recv()
            try:
                answer: tuple[Any, str | None] = (work(job), None)
            except Exception as error:
                answer = (None, cause(error))
            connection.send(answer)
    except (EOFError, ConnectionError):  # the parent has ended
        return


def cause(error: Exception) -> str:
    """Return in one line why work has failed.

    An error that is neither an invalid setting nor an OSError is given with type, file and line.
    """
    if isinstance(error, ConfigError | WorkFailed):
        return str(error)
    if isinstance(error, OSError):
        return reason(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(last.filename)}:{last.lineno}"
    return f"{type(error).__name__}: {' '.join(str(error).split())} ({place})"


@contextmanager
def _without_main_module(work: Callable[[Any], Any]) -> Iterator[None]:
    """Keep spawned processes from importing the script of this process, unless it has ``work``.

    A script without an ``if __name__ == "__main__"`` guard would start the same jobs again.
    """
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
    """Set environment variables so that the BLAS of workers starts one thread only."""
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
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not have it
        return os.cpu_count() or 1
