"""Calls a function in several processes. They never outlive the run, and never import from the current folder."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from tflint.errors import ResourceError

_Result = TypeVar("_Result")

#: Largest number of workers on Windows, which waits for at most 63 handles at once. The pool itself needs two of them.
MAX_WINDOWS_WORKERS = 61
#: Interval in seconds at which a worker checks whether its parent process still runs.
_CHECK_PARENT_SECONDS = 0.25


def map_in_processes(
    function: Callable[..., _Result], calls: Iterable[tuple[Any, ...]], jobs: int, *, shared: tuple[Any, ...] = ()
) -> Generator[_Result, None, None]:
    """Call a function in up to `jobs` processes, once per tuple in `calls`, and yield the results in order.

    A tuple contains the arguments of its call. `shared` are further arguments that all calls have in common. Each
    process receives them once. Closing the generator ends the processes. Raises `ResourceError` if the operating system
    killed one of them.
    """
    workers = min(jobs, MAX_WINDOWS_WORKERS) if sys.platform == "win32" else jobs
    with _safe_path():
        pool = ProcessPoolExecutor(workers, initializer=_begin, initargs=(function, shared, os.getpid()))
        try:
            yield from _results(pool, iter(calls), workers + 1)
        except BrokenProcessPool as error:
            raise ResourceError(
                "a worker process was killed, most likely because memory ran out",
                "run again with a smaller --jobs, or with --jobs 1",
            ) from error
        except BaseException:
            _terminate(pool)
            raise
        pool.shutdown()


def _results(pool: ProcessPoolExecutor, calls: Iterator[tuple[Any, ...]], n_ahead: int) -> Generator[Any, None, None]:
    """Yield the results in order. At most `n_ahead` calls are submitted and not finished at any time.

    The waiting calls must fit into the pool's pipe. If the pipe were full when the workers end, the thread that writes
    to it would wait forever.
    """
    with _blocked_signals():  # the first calls start the processes
        waiting = deque(pool.submit(_call, call) for call in itertools.islice(calls, n_ahead))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(_call, call) for call in itertools.islice(calls, 1))


#: In a worker: the function, and the arguments that all of its calls share.
_work: tuple[Callable[..., Any], tuple[Any, ...]]


def _call(arguments: tuple[Any, ...]) -> Any:
    function, shared = _work
    return function(*arguments, *shared)


def _terminate(pool: ProcessPoolExecutor) -> None:
    """End all workers of a pool now, without waiting for the files that they are checking."""
    # `terminate_workers` is new in Python 3.14. Older versions have the processes only in the private `_processes`.
    for process in [*(getattr(pool, "_processes", None) or {}).values()]:
        process.terminate()
    pool.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Keep new processes (spawn, forkserver) from importing modules of the current folder.

    The processes start with `python -c`, which puts the current folder first on the module search path. A pull request
    could add modules to that folder.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


#: Signals that end a run. Windows does not have SIGHUP.
_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextlib.contextmanager
def _blocked_signals() -> Iterator[None]:
    """Block the signals that end the run while workers start.

    A worker that receives such a signal before `_begin` has prepared it would print a traceback. Prepared workers
    unblock the signals.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(function: Callable[..., Any], shared: tuple[Any, ...], main_process: int) -> None:
    """Prepare a worker process.

    From then on, it ends silently on the signals that end the run. It also ends soon after the main process ends.
    """
    global _work
    _work = function, shared
    for number in _ENDING:
        # Workers ignore the signals that the run ignores (SIGINT in a background job, SIGHUP under nohup).
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    parent = os.getppid()
    if parent != main_process and multiprocessing.get_start_method() != "forkserver":
        os._exit(1)  # the main process ended before this process got here
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()


def _end_with_parent(parent: int) -> None:
    """Wait until the parent process ends, then end this process, because it would keep the output pipe open."""
    if sys.platform == "win32":
        main = multiprocessing.parent_process()
        if main is not None:
            main.join()
            os._exit(1)
        return
    while os.getppid() == parent:
        time.sleep(_CHECK_PARENT_SECONDS)
    os._exit(1)
